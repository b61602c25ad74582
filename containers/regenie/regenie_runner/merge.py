"""Joins the chunks of one trait into one file of summary statistics, and condenses it for the report."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO

from regenie_runner.checks import check_outputs
from regenie_runner.console import say
from regenie_runner.errors import RunnerError
from regenie_runner.scan import Block, ResultColumns, Scan, read_blocks, read_header
from regenie_runner.summary import summarise
from regenie_runner.task import CommandTask, plan_lines
from regenie_runner.variant_list import count_lines
from regenie_runner.workspace import Workspace

_GZIP_LEVEL = 4  # the last level that compresses results about as fast as they are read
_GZIP_FORMAT = 31  # zlib's number for a gzip header of the largest window; it holds no time, so equal bytes stay equal


def merge_trait(line: dict[str, Any], workspace: Workspace) -> None:
    """Write one trait's merged results and their summary; both appear only when complete."""
    trait = str(line["trait"])
    merged, condensed = workspace.work / line["output"], workspace.work / line["summary"]
    inputs = line.get("inputs")
    if _is_complete(merged, condensed, inputs):
        say(f"{merged} is complete from an earlier attempt: nothing to do.")
        return
    chunks = plan_lines(workspace.plan("step2"))
    parts = [workspace.work / chunk["output"] / f"chunk_{trait}.regenie" for chunk in chunks]
    with workspace.fresh_file(merged) as target:
        scan = merge_parts(parts, target)
    # Written last, so that it also says that the merged file is complete.
    with workspace.fresh_file(condensed) as file:
        summary = summarise(trait, scan, _planned_variants(line, chunks, workspace), inputs)
        file.write(json.dumps(summary, allow_nan=False).encode())
    say(f"{trait}: {scan.rows:,} variants of {len(parts):,} chunks are in {merged}.")


def merge_parts(parts: Sequence[Path], target: BinaryIO) -> Scan:
    """Write the lines of all parts, with one header, as gzip; RunnerError if a part is missing, cut short or different.

    One thread compresses a block while the next one is scanned; neither waits for the whole.
    """
    if not parts:
        raise RunnerError("The plan of step 2 is missing or empty, so there is nothing to merge.")
    header = read_header(parts[0])
    scan = Scan(ResultColumns(header, parts[0]))
    compressor = zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, _GZIP_FORMAT)
    target.write(compressor.compress(header))
    with ThreadPoolExecutor(max_workers=1) as compression:
        for block in _all_blocks(parts, header):
            compressed = compression.submit(compressor.compress, block.text)
            scan.add(block)
            target.write(compressed.result())
    target.write(compressor.flush())
    return scan


def _all_blocks(parts: Sequence[Path], header: bytes) -> Iterator[Block]:
    for part in parts:
        if not part.exists():
            raise RunnerError(f"The results {part} do not exist.")
        yield from read_blocks(part, header)


def _planned_variants(line: dict[str, Any], chunks: list[dict[str, Any]], workspace: Workspace) -> int | None:
    """Variants of all chunks, which have to be those that the genotype files hold; None if the plan does not say."""
    counts = [_variants(chunk, workspace) for chunk in chunks]
    if None in counts:
        return None
    total = sum(count for count in counts if count is not None)
    if total != line.get("variants", total):
        raise RunnerError(
            f"The chunks have {total:,} variants, but the genotype files hold {line['variants']:,}: "
            "a list of variants does not belong to its genotype file."
        )
    return total


def _variants(chunk: dict[str, Any], workspace: Workspace) -> int | None:
    task = CommandTask.from_line(chunk).placed(workspace.data, workspace.work, workspace.work / chunk["output"])
    return count_lines(task.slice) if task.slice else task.variants


def _is_complete(merged: Path, condensed: Path, inputs: str | None) -> bool:
    try:
        check_outputs([str(merged), str(condensed)])
        return bool(json.loads(condensed.read_text(encoding="utf-8"))["inputs"] == inputs)
    except (RunnerError, ValueError, KeyError):
        return False
