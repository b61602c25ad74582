"""Checks the results of a command, because regenie exits with 0 even when it left a trait out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from regenie_runner.errors import RunnerError

CHUNK_LOG = "chunk.log"
_CHUNK_NAME = re.compile(r"chunk_(?P<trait>.+)\.regenie")
_IGNORED_TESTS = re.compile(rb"Number of ignored tests due to low MAC(?: or info score)? : (\d+)")
_REMAINING_VARIANTS = re.compile(rb"number of variants remaining in the analysis = (\d+)")
_NO_VARIANT_LEFT = b"no variant left to include in analysis"
_NO_SET_LEFT = (
    b"no sets are left to be analyzed",
    b"no set left to include in analysis",
    b"annotation information could not be read",
    b"no masks are left to be included",
)
"""What regenie 4.1.2 ends with (Geno.cpp: check_masks_to_sets and its neighbours) when no set of a job's chromosome has
known, annotated variants. One run over all chromosomes passes over such sets, and ends so only if all are."""
EMPTY_RESULTS = "CHROM GENPOS ID ALLELE0 ALLELE1 A1FREQ N TEST BETA SE CHISQ LOG10P EXTRA\n"
"""Results without a variant: the columns that regenie's results always have."""
_HEADER_START = b"CHROM GENPOS ID "
_TEST_COLUMN = b"TEST"
OF_INTERACTION = b"-INT_"
"""In the name of a test: rows of an interaction, which stand beside the variant's own."""
_TESTS_WITH_INTERACTION = 4
"""regenie 4.1.2 counts as many ignored tests for each variant and trait of an interaction, however many rows one has
(Pheno.cpp, n_tests_per_variant)."""
_BLOCK_BYTES = 1 << 20
_NAMED_AT_MOST = 5  # more names than this do not help a reader of the log


def check_predictions(predictions: dict[str, str], expect: Iterable[str]) -> None:
    """Every trait of a chunk has LOCO predictions: regenie only warns, and leaves the trait out or unadjusted.

    Nothing is checked when the task has no predictions at all (`--ignore-pred`).
    """
    if not predictions:
        return
    traits = [match["trait"] for match in map(_CHUNK_NAME.fullmatch, (Path(path).name for path in expect)) if match]
    unknown = [trait for trait in traits if trait not in predictions]
    if unknown:
        raise RunnerError(f"Step 1 gave no predictions for {_named(unknown)}.")
    absent = [f"{trait} ({path})" for trait, path in predictions.items() if not _has_content(Path(path))]
    if absent:
        raise RunnerError(f"The predictions are missing or empty for {_named(absent)}.")


def check_outputs(expect: Iterable[str]) -> None:
    """Raise RunnerError naming the expected files that are missing, and those that are empty."""
    paths = [Path(path) for path in expect]
    missing = [path.name for path in paths if not path.exists()]
    empty = [path.name for path in paths if path.exists() and not _has_content(path)]
    faults = [f"{what} {_named(names)}" for what, names in (("did not write", missing), ("left empty", empty)) if names]
    if faults:
        raise RunnerError(f"The command ended without an error but {' and '.join(faults)}.")


class Interaction(NamedTuple):
    """Of a command that tests one."""

    with_variant: bool
    """With a variant, which is not tested itself, where it is one of the chunk's."""


def check_chunk(folder: Path, expect: Sequence[str], variants: int, interaction: Interaction | None = None) -> None:
    """Every variant of a chunk was tested for every trait, or is among the tests that regenie's log calls ignored.

    The log counts variants × traits, so rows + ignored = variants × traits; a file with a header only is legitimate
    when all variants are below the minor allele count limit. A log without the line counts as nothing ignored. Of an
    interaction, which may have further rows of a variant or none, the variants' own rows count.
    """
    rows = sum(count_rows(Path(path), own_only=interaction is not None) for path in expect)
    ignored = ignored_tests(folder / CHUNK_LOG, with_interaction=interaction is not None)
    planned = variants * len(expect)
    without = len(expect) if interaction and interaction.with_variant else 0
    if rows + ignored not in (planned, planned - without):
        raise RunnerError(
            f"The results have {rows:,} rows and the log counts {ignored:,} ignored, "
            f"but {variants:,} variants × {len(expect)} traits are {planned:,} tests."
        )


def count_rows(path: Path, *, own_only: bool = False) -> int:
    """Rows of a result file, without its header; RunnerError if the header or the end of the last line is missing.

    `own_only`: without those of an interaction.
    """
    with path.open("rb") as file:
        header = file.readline()
        if not (header.startswith(_HEADER_START) and header.endswith(b"\n")):
            raise RunnerError(f"{path.name} does not begin with regenie's header.")
        rows, last = 0, header
        test = header.split().index(_TEST_COLUMN) if own_only else None
        while block := file.read(_BLOCK_BYTES) + file.readline():
            rows += block.count(b"\n") if test is None else _own_rows(block, test)
            last = block
    if not last.endswith(b"\n"):
        raise RunnerError(f"{path.name} ends in the middle of a line.")
    return rows


def _own_rows(block: bytes, test: int) -> int:
    """Rows of the variants themselves; `test` is the column that names the test, from 0."""
    return sum(OF_INTERACTION not in line.split(b" ", test + 1)[test] for line in block.splitlines())


def ignored_tests(log: Path, *, with_interaction: bool = False) -> int:
    """Variants × traits that step 2 left out for their minor allele count or info score, by its own log."""
    match = _IGNORED_TESTS.search(log.read_bytes()) if log.exists() else None
    return int(match[1]) // (_TESTS_WITH_INTERACTION if with_interaction else 1) if match else 0


def remaining_variants(log: Path, variants: int) -> int:
    """How many of a range's variants lists (--extract, --exclude, --condition-list) left, by regenie's log.

    A log that does not say it left all.
    """
    text = log.read_bytes() if log.exists() else b""
    if _NO_VARIANT_LEFT in text:
        return 0
    match = _REMAINING_VARIANTS.search(text)
    return int(match[1]) if match else variants


def nothing_was_left(log: Path, *, of_lists: bool, of_sets: bool) -> str | None:
    """The sentence with which regenie gave up (exit code 1) since a range had nothing to test, or None.

    One run over all ranges would have passed over this one. `of_lists`: lists choose among the variants. `of_sets`:
    sets of variants are tested.
    """
    reasons = ((_NO_VARIANT_LEFT,) if of_lists else ()) + (_NO_SET_LEFT if of_sets else ())
    lines = log.read_bytes().splitlines() if log.exists() else []
    for line in lines:
        _, error, said = line.partition(b"ERROR: ")
        if error and said.startswith(reasons):
            return said.decode(errors="replace").strip()
    return None


def check_something_was_left(logs: Iterable[Path], *, of_lists: bool, of_sets: bool) -> None:
    """Some range had something to test: if none had, one run would have failed with the same words."""
    reasons = set()
    for log in logs:  # most often one log is enough, of up to a hundred thousand
        reason = nothing_was_left(log, of_lists=of_lists, of_sets=of_sets)
        if reason is None:
            return
        reasons.add(reason)
    if reasons:
        at_fault = {
            "step2.extract, step2.exclude and step2.condition": of_lists,
            "the files of step2.gene_tests": of_sets,
        }
        keys = " and ".join(words for words, is_given in at_fault.items() if is_given)
        raise RunnerError(
            f"Nothing was tested: regenie said of every part '{'; '.join(sorted(reasons))}'. Compare {keys} with the "
            "ids of the tested genotypes."
        )


def check_row_counts(rows: int, tests: int, chunk_folders: Iterable[Path], *, with_interaction: bool) -> None:
    """All merged rows, and the tests that the chunks' logs call ignored, are all planned tests (variants × traits)."""
    ignored = sum(ignored_tests(folder / CHUNK_LOG, with_interaction=with_interaction) for folder in chunk_folders)
    if rows + ignored != tests:
        raise RunnerError(
            f"The merged results have {rows:,} rows and the logs count {ignored:,} ignored, "
            f"but {tests:,} tests (variants × traits) were planned."
        )


def jobs_in_master(master: Path) -> int:
    """How many level-0 jobs there really are: regenie lowers the number asked for to the number of blocks.

    The first line holds the variants and the block size, then follows one line a job.
    """
    try:
        return len(master.read_text(encoding="utf-8").split("\n", 1)[1].splitlines())
    except (FileNotFoundError, IndexError):
        raise RunnerError(f"The master file {master} of the split step 1 is missing or empty.") from None


def _has_content(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0


def _named(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_NAMED_AT_MOST])
    return shown if len(names) <= _NAMED_AT_MOST else f"{shown} and {len(names) - _NAMED_AT_MOST} more"
