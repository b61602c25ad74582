"""Gene-based tests: the line with masks before the header of results, and which variants each mask has."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

MASKS_SUFFIX = ".masks"
_MASKS_START = b"##"
_LISTS = "chunk_masks.snplist"
"""What --write-mask-snplist writes beside a job's results: `MASK CHROMOSOME POSITION VARIANT,VARIANT,...`, by tabs."""
_SIZES = "chunk_masks.sizes"
"""Beside it: `MASK NUMBER`. Every trait's merge reads these, of which the lists are a hundred times as long."""
MASK_LISTS = "gwas/masks.snplist.gz"
"""The lists of all jobs, below the launch's results."""
MASK_LISTS_RECEIPT = "gwas/summary/masks.snplist.gz.finished"
_THREADS = min(os.cpu_count() or 1, 4)


def set_mask_lines_aside(paths: Iterable[str]) -> None:
    """Move the `##MASKS=...` line, if a result file has one, to a file beside it: then it reads like any other."""
    for path in map(Path, paths):
        if path.exists():
            _set_aside(path)


def _set_aside(path: Path) -> None:
    with path.open("rb") as results:
        line = results.readline()
        if not line.startswith(_MASKS_START):
            return
        path.with_name(path.name + MASKS_SUFFIX).write_bytes(line)
        rest = path.with_name(path.name + ".rest")
        with rest.open("wb") as target:
            shutil.copyfileobj(results, target)
    rest.replace(path)


def count_variants_of_masks(folder: Path) -> None:
    """Write how many variants each mask of a job has, if regenie was asked for their lists."""
    lists = folder / _LISTS
    if not lists.exists():
        return
    with lists.open("rb") as lines, (folder / _SIZES).open("wb") as sizes:
        for line in lines:
            mask, _, _, variants = line.rstrip(b"\n").split(b"\t")
            sizes.write(b"%s\t%d\n" % (mask, variants.count(b",") + 1))


def mask_sizes(folder: Path) -> Iterator[tuple[bytes, int]]:
    """(mask, its number of variants) of a job; none where regenie was not asked for them."""
    sizes = folder / _SIZES
    if sizes.exists():
        with sizes.open("rb") as lines:
            for line in lines:
                mask, _, number = line.partition(b"\t")
                yield mask, int(number)


def has_lists_of_masks(folder: Path) -> bool:
    """Whether a job left any."""
    return (folder / _LISTS).exists()


def join_lists_of_masks(folders: Iterable[Path], target: BinaryIO) -> int:
    """Write the lists of all jobs, block-compressed; how many masks there are."""
    from regenie_runner.bgzip import BgzipWriter  # with isal, which the jobs of step 2 do not need

    masks = 0
    with ThreadPoolExecutor(max_workers=_THREADS) as threads:
        writer = BgzipWriter(target, threads)
        for folder in folders:
            lists = folder / _LISTS
            if not lists.exists():
                continue
            with lists.open("rb") as lines:
                for line in lines:
                    writer.write(line)
                    masks += 1
        writer.finish()
    return masks
