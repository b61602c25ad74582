"""Quality control of step 1's genotypes: lists of the variants and samples that are good enough.

Samples first, then variants on the samples that are left, which is the order of plink2's --mind and its filters of
variants. The .bed file is read twice from one end to the other; memory holds a block of it, and the variants' names.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TextIO, cast

import numpy as np

from regenie_runner.bed import Bed, Bools, Counts, count_genotypes, count_missing, sample_mask
from regenie_runner.console import say
from regenie_runner.errors import RunnerError
from regenie_runner.hardy_weinberg import departs
from regenie_runner.workspace import Workspace

MOST_VARIANTS = 1_000_000
"""regenie takes no more in step 1."""

AUTOSOMES = frozenset(str(number) for number in range(1, 23))


_GZIP = b"\x1f\x8b"
"""First bytes of what gzip compressed (RFC 1952)."""


class Quality(NamedTuple):
    """A task's `qc`, with its paths in place. Lists that were not given are None."""

    prefix: Path  # of the .bed, .bim and .fam files
    analysed: Path  # 1 or 0 for each sample: whether the launch analyses it
    extract: Path | None
    exclude: Path | None
    maf: float
    mac: int
    geno: float
    hwe: float
    mind: float

    @classmethod
    def of(cls, given: Mapping[str, Any], workspace: Workspace) -> Quality:
        """Genotypes and lists are below the launch's data, who is analysed is below its work."""
        lists: dict[str, Any] = {key: workspace.data / given[key] if given.get(key) else None for key in _LISTS}
        analysed = workspace.work / given["analysed"]
        return cls(workspace.data / given["prefix"], analysed, **lists, **{key: given[key] for key in _THRESHOLDS})


_LISTS = ("extract", "exclude")
_THRESHOLDS = ("maf", "mac", "geno", "hwe", "mind")


class Variant(NamedTuple):
    """What is needed of a line of the .bim file."""

    name: str
    autosomal: bool


def control_quality(given: Mapping[str, Any], workspace: Workspace) -> None:
    """Write `variants.txt` and `samples.txt` to the folder `output`, and to `summary.json` what was left out why.

    Raises:
        RunnerError: nothing is left, or more variants than step 1 takes, or the files do not belong together.
    """
    target = workspace.work / given["output"]
    if _is_done(target, given):
        say(f"{target} is complete from an earlier attempt: nothing to do.")
        return
    quality = Quality.of(given, workspace)
    analysed = _analysed(quality)
    samples, people = _good_samples(quality, analysed)
    variants, reasons = _good_variants(quality, people)
    summary = {
        "samples": {"all": int(np.count_nonzero(analysed)), "kept": len(samples)},
        "variants": {"kept": len(variants), "leftOut": reasons},
        "settings": dict(given),
    }
    say(f"Quality control: {json.dumps(summary)}")
    _check_enough(len(samples), len(variants))
    with workspace.fresh_folder(target) as folder:
        _write_lines(folder / "samples.txt", samples)
        _write_lines(folder / "variants.txt", variants)
        (folder / "summary.json").write_text(json.dumps(summary, indent=2), encoding="utf-8")


def _is_done(target: Path, given: Mapping[str, Any]) -> bool:
    try:
        summary = json.loads((target / "summary.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    lists = (target / name for name in ("samples.txt", "variants.txt"))
    return bool(summary.get("settings") == given) and all(path.is_file() for path in lists)


def _check_enough(samples: int, variants: int) -> None:
    if not samples or not variants:
        what = "sample" if not samples else "variant"
        raise RunnerError(f"Quality control left no {what}: step1.qc is too strict for this data.")
    if variants > MOST_VARIANTS:
        raise RunnerError(
            f"Quality control left {variants:,} variants, more than the {MOST_VARIANTS:,} that regenie takes in "
            "step 1: prune them and give the list as step1.extract."
        )


def _analysed(quality: Quality) -> Bools:
    """A mark for each sample: regenie, too, looks at the genotypes of those who are analysed."""
    marks: Bools = np.frombuffer(quality.analysed.read_bytes(), np.uint8) == ord("1")
    return marks


def _good_samples(quality: Quality, analysed: Bools) -> tuple[list[str], Bools]:
    """Lines `FID IID` of the samples that are kept, and a mark for each of all."""
    ids = [" ".join(line.split(maxsplit=2)[:2]) for line in _lines(_beside(quality, ".fam"))]
    if len(ids) != len(analysed):
        raise RunnerError(
            f"{_beside(quality, '.fam')} has {len(ids):,} samples, and had {len(analysed):,} when the launch was "
            "planned: retry the launch."
        )
    wanted = np.array([wanted for _, wanted in _variants(quality)], np.bool_)
    missing: Counts = np.zeros(len(ids), np.int64)
    for first, block in Bed.open(_beside(quality, ".bed"), len(wanted), len(ids)).blocks():
        missing += count_missing(block[wanted[first : first + len(block)]], len(ids))
    good: Bools = analysed & (missing <= quality.mind * np.count_nonzero(wanted))
    return [name for name, is_good in zip(ids, good, strict=True) if is_good], good


def _good_variants(quality: Quality, people: Bools) -> tuple[list[str], dict[str, int]]:
    """Names of the variants that pass, and reason -> how many fail by it (the first that applies).

    regenie chooses by name: where several variants have one, all of them have to pass.
    """
    variants = list(_variants(quality))
    reasons = dict.fromkeys(("list", "geno", "mac", "maf", "hwe", "name"), 0)
    passed: dict[str, None] = {}
    failed: set[str] = set()
    mask = sample_mask(people)
    for first, block in Bed.open(_beside(quality, ".bed"), len(variants), len(people)).blocks():
        counts = count_genotypes(block, mask)
        for number, (two, one, none, missing) in enumerate(
            zip(*(part.tolist() for part in counts), strict=True), first
        ):
            variant, wanted = variants[number]
            reason = _fault(quality, variant, two, one, none, missing) if wanted else "list"
            if reason is None:
                passed[variant.name] = None
            else:
                failed.add(variant.name)
                reasons[reason] += 1
    good = [name for name in passed if name not in failed]
    reasons["name"] = len(passed) - len(good)
    return good, reasons


def _fault(quality: Quality, variant: Variant, two: int, one: int, none: int, missing: int) -> str | None:
    called = two + one + none
    if missing > quality.geno * (called + missing):
        return "geno"
    minor = min(2 * two + one, 2 * none + one)
    if minor < quality.mac:
        return "mac"
    if minor < quality.maf * 2 * called:
        return "maf"
    if variant.autosomal and departs(two, one, none, quality.hwe):
        return "hwe"
    return None


def _variants(quality: Quality) -> Iterator[tuple[Variant, bool]]:
    """Each variant of the .bim file, and whether the launch's lists choose it."""
    extract, exclude = _variant_list(quality.extract), _variant_list(quality.exclude)
    for line in _lines(_beside(quality, ".bim")):
        chromosome, name, _ = line.split(maxsplit=2)
        wanted = (extract is None or name in extract) and name not in (exclude or ())
        yield Variant(name, chromosome.removeprefix("chr").lstrip("0") in AUTOSOMES), wanted


def _variant_list(path: Path | None) -> Collection[str] | None:
    return None if path is None else {line.split(maxsplit=1)[0] for line in _lines(path)}


def _lines(path: Path) -> Iterator[str]:
    """Lines that hold something. Names may be in any encoding: they are compared and written as they are."""
    with _opened(path) as lines:
        yield from (line for line in lines if line.strip())


def _opened(path: Path) -> TextIO:
    """regenie unpacks what is compressed, by its name's end and first bytes (4.1.2's sources: Files.cpp)."""
    with path.open("rb") as file:
        is_packed = path.suffix == ".gz" and file.read(len(_GZIP)) == _GZIP
    opened = gzip.open if is_packed else open
    return cast("TextIO", opened(path, "rt", encoding="utf-8", errors="surrogateescape"))


def _beside(quality: Quality, suffix: str) -> Path:
    return quality.prefix.with_name(quality.prefix.name + suffix)


def _write_lines(path: Path, lines: list[str]) -> None:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", errors="surrogateescape")
