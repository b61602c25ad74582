"""Quality control of step 1's genotypes: writes lists of the variants and samples that pass.

It filters samples first, then variants on the remaining samples, in the order of plink2 (--mind, then its filters of
variants). It reads the genotypes once from beginning to end, and a second time if samples were left out. Memory holds
one block of genotypes, and the variants' names.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from regenie_runner.bed import Bools, Counts
from regenie_runner.console import say
from regenie_runner.errors import RunnerError
from regenie_runner.genotypes import Genotypes, Variant, lines_of, open_genotypes
from regenie_runner.hardy_weinberg import departs
from regenie_runner.qc_bounds import check_left, nothing_left, warnings_of
from regenie_runner.receipts import RECEIPT, Receipt, seal_folder
from regenie_runner.workspace import Workspace

if TYPE_CHECKING:
    from genolaunch.contract.plan import QualityControl

MOST_VARIANTS = 1_000_000
"""regenie takes no more in step 1."""

AUTOSOMES = frozenset(str(number) for number in range(1, 23))


class Quality(NamedTuple):
    """A task's `qc`, with its paths in place. Lists that were not given are None."""

    genotypes: Path
    sample: Path | None
    """Of .bgen genotypes without ids."""
    analysed: Path  # 1 or 0 for each sample: whether the launch analyses it
    extract: Path | None
    exclude: Path | None
    maf: float
    mac: int
    geno: float
    hwe: float
    mind: float

    @classmethod
    def of(cls, given: QualityControl, workspace: Workspace) -> Quality:
        """Genotypes and lists are below the launch's data, who is analysed is below its work."""

        def listed(path: str | None) -> Path | None:
            return workspace.data / path if path else None

        return cls(
            genotypes=workspace.data / given["genotypes"],
            sample=listed(given.get("sample")),
            analysed=workspace.work / given["analysed"],
            extract=listed(given.get("extract")),
            exclude=listed(given.get("exclude")),
            maf=given["maf"],
            mac=given["mac"],
            geno=given["geno"],
            hwe=given["hwe"],
            mind=given["mind"],
        )


class Judged(NamedTuple):
    """What a reading of the genotypes found."""

    variants: list[str]
    """Names of those that pass."""
    reasons: dict[str, int]
    """Reason -> how many variants fail by it (the first that applies)."""
    called: Bools
    """For each sample, whether it has genotypes of enough variants."""


def control_quality(given: QualityControl, workspace: Workspace, *, inputs: str | None = None) -> None:
    """Write `variants.txt` and `samples.txt` to the folder `output`, and to `summary.json` what was left out why.

    `inputs` is the task's fingerprint of the data. What an earlier attempt made of the same, and is as it left it, is
    kept.

    Raises:
        RunnerError: nothing is left, or more variants than step 1 takes, or the files do not belong together.
    """
    target = workspace.work / given["output"]
    task = {"qc": dict(given), "inputs": inputs}
    if _is_done(target, task):
        say(f"{target} is complete from an earlier attempt: nothing to do.")
        return
    quality = Quality.of(given, workspace)
    genotypes = open_genotypes(quality.genotypes, quality.sample)
    analysed = _analysed(quality, genotypes)
    judged = _judge(quality, genotypes, analysed)
    people: Bools = analysed & judged.called
    if not np.array_equal(people, analysed):
        judged = _judge(quality, genotypes, people)
    samples = [name for name, is_good in zip(genotypes.samples, people, strict=True) if is_good]
    variants, reasons = judged.variants, judged.reasons
    asked = int(np.count_nonzero(analysed)), len(variants) + sum(reasons.values()) - reasons["list"]
    kept = len(samples), len(variants)
    summary = {
        "samples": {"all": asked[0], "kept": len(samples)},
        "variants": {"kept": len(variants), "leftOut": reasons},
        "warnings": list(warnings_of(asked, kept)),
        "settings": dict(given),
    }
    say(f"Quality control: {json.dumps(summary)}")
    if not all(kept):
        lists = [name for name in ("extract", "exclude") if given.get(name)]
        raise nothing_left(asked, kept, reasons, given, lists)
    _check_few_enough(len(variants))
    check_left(asked, kept, reasons, given)
    with workspace.fresh_folder(target) as folder:
        _write_lines(folder / "samples.txt", samples)
        _write_lines(folder / "variants.txt", variants)
        (folder / "summary.json").write_text(json.dumps(summary, indent=2), encoding="utf-8")
        seal_folder(folder, task)


def _is_done(target: Path, task: Mapping[str, Any]) -> bool:
    receipt = Receipt.read(target / RECEIPT)
    return receipt is not None and receipt.task == task and not receipt.changed(target)


def _check_few_enough(variants: int) -> None:
    if variants > MOST_VARIANTS:
        raise RunnerError(
            f"Quality control left {variants:,} variants, more than the {MOST_VARIANTS:,} that regenie takes in "
            "step 1: prune them and give the list as step1.extract."
        )


def _analysed(quality: Quality, genotypes: Genotypes) -> Bools:
    """A mark for each sample: regenie, too, looks at the genotypes of those who are analysed."""
    marks: Bools = np.frombuffer(quality.analysed.read_bytes(), np.uint8) == ord("1")
    if len(genotypes.samples) != len(marks):
        raise RunnerError(
            f"{quality.genotypes.name} has {len(genotypes.samples):,} samples, and had {len(marks):,} when the launch "
            "was planned: retry the launch."
        )
    return marks


def _judge(quality: Quality, genotypes: Genotypes, people: Bools) -> Judged:
    """One reading of the file, in which genotypes of `people` count.

    regenie chooses by name: where several variants have one, all of them have to pass.
    """
    reasons = dict.fromkeys(("list", "geno", "mac", "maf", "hwe", "name"), 0)
    passed: dict[str, None] = {}
    failed: set[str] = set()
    missing: Counts = np.zeros(len(people), np.int64)
    asked = 0
    listed = _listed(quality, genotypes)
    for _, block in genotypes.blocks():
        chosen = list(islice(listed, len(block)))
        wanted = np.array([is_wanted for _, is_wanted in chosen], np.bool_)
        missing += block.missing(wanted)
        asked += int(np.count_nonzero(wanted))
        counts = block.counted(people)
        by_variant = zip(*(part.tolist() for part in counts), strict=True)
        for (variant, is_wanted), of_it in zip(chosen, by_variant, strict=True):
            reason = _fault(quality, variant, *of_it) if is_wanted else "list"
            if reason is None:
                passed[variant.name] = None
            else:
                failed.add(variant.name)
                reasons[reason] += 1
    good = [name for name in passed if name not in failed]
    reasons["name"] = len(passed) - len(good)
    return Judged(good, reasons, missing <= quality.mind * asked)


def _fault(quality: Quality, variant: Variant, two: int, one: int, none: int, missing: int) -> str | None:
    called = two + one + none
    if missing > quality.geno * (called + missing):
        return "geno"
    minor = min(2 * two + one, 2 * none + one)
    if minor < quality.mac:
        return "mac"
    if minor < quality.maf * 2 * called:
        return "maf"
    if _is_autosomal(variant) and departs(two, one, none, quality.hwe):
        return "hwe"
    return None


def _is_autosomal(variant: Variant) -> bool:
    return variant.chromosome.removeprefix("chr").lstrip("0") in AUTOSOMES


def _listed(quality: Quality, genotypes: Genotypes) -> Iterator[tuple[Variant, bool]]:
    """Each variant of the file, and whether the launch's lists choose it."""
    extract, exclude = _variant_list(quality.extract), _variant_list(quality.exclude)
    for variant in genotypes.variants():
        yield variant, (extract is None or variant.name in extract) and variant.name not in (exclude or ())


def _variant_list(path: Path | None) -> Collection[str] | None:
    return None if path is None else {line.split(maxsplit=1)[0] for line in lines_of(path)}


def _write_lines(path: Path, lines: list[str]) -> None:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", errors="surrogateescape")
