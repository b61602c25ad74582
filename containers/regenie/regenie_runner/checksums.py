"""Writes the checksums of published results. `sha256sum --check gwas/checksums.txt` in their folder checks them.

The sums come from the receipts of the jobs that made the files, so no file is read again. The report is not listed,
because the cost of the launch is added to it later.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from regenie_runner.errors import RunnerError
from regenie_runner.masks import MASK_LISTS_RECEIPT
from regenie_runner.merge import receipt_of
from regenie_runner.receipts import RECEIPT, Receipt
from regenie_runner.task import each_plan_line
from regenie_runner.workspace import Workspace

if TYPE_CHECKING:
    from genolaunch.contract.plan import Task

CHECKSUMS = "gwas/checksums.txt"
_FOLDERS_OF = ("level1", "step1")
"""Phases whose output folders are published: predictions."""


def write_checksums(summaries: Iterable[str], workspace: Workspace) -> None:
    """Write the list, in the form of sha256sum; `summaries` are those of the merged traits, below work.

    Raises:
        RunnerError: a file has no receipt, or not the size that its receipt says.
    """
    sums = sorted((name, sum_) for name, sum_ in _published(summaries, workspace))
    with workspace.fresh_file(workspace.work / CHECKSUMS) as file:
        file.write("".join(f"{sum_}  {name}\n" for name, sum_ in sums).encode())


def _published(summaries: Iterable[str], workspace: Workspace) -> Iterator[tuple[str, str]]:
    """(path below work, SHA-256) of each file."""
    for summary in summaries:
        yield from _sums(receipt_of(workspace.work / summary), workspace.work, workspace.work)
    if (lists := workspace.work / MASK_LISTS_RECEIPT).exists():
        yield from _sums(lists, workspace.work, workspace.work)
    for phase in _FOLDERS_OF:
        for line in each_plan_line(workspace.plan(phase)):
            folder = workspace.work / line["output"]
            yield from _sums(folder / RECEIPT, folder, workspace.work)
    quality = {line["qc"]["output"] for phase in ("split", "step1") for line in _quality_lines(phase, workspace)}
    for output in quality:
        folder = workspace.work / output
        yield from _sums(folder / RECEIPT, folder, workspace.work)


def _quality_lines(phase: str, workspace: Workspace) -> Iterator[Task]:
    yield from (line for line in each_plan_line(workspace.plan(phase)) if "qc" in line)


def _sums(path: Path, base: Path, work: Path) -> Iterator[tuple[str, str]]:
    receipt = Receipt.read(path)
    if receipt is None:
        raise RunnerError(f"The receipt {path} is missing or damaged; retry the launch, which makes its files again.")
    for name in receipt.files:
        if not receipt.has_size(name, base / name):
            raise RunnerError(f"{base / name} is not as its job left it; retry the launch, which makes it again.")
        yield (base / name).relative_to(work).as_posix(), receipt.sha256(name)
