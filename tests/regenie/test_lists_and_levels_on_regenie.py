"""What is cut into jobs has the rows of one run of regenie, or planning has refused it: lists, ids, levels and sets.

Unit tests say what planning refuses and warns of, these that it is right to, by regenie 4.1.2 itself: what is refused
gives fewer rows than it should in one run, or others, without an error. With a real regenie only
(`GENOLAUNCH_REGENIE=/path/to/regenie make test-regenie`).
"""

import gzip
import json
import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from genolaunch.shared.input_error import LaunchInputError
from tests.regenie.cohort_formats import ROOT
from tests.regenie.planned_run import PlannedRun, said

REAL = os.environ.get("GENOLAUNCH_REGENIE") or shutil.which("regenie") or ""
COHORT = ROOT / "examples" / "gwas" / "cohort"

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.regenie,
    pytest.mark.skipif(not REAL, reason="set GENOLAUNCH_REGENIE=/path/to/regenie"),
]

Rows = dict[str, list[list[str]]]
"""Trait -> fields of each row."""
CUT = {"--range", "--chr", "--extract-sets"}
"""What a job's command has and one run has not."""


def words(path: str) -> list[list[str]]:
    """Of a file of the cohort, by line."""
    return [line.split() for line in (COHORT / path).read_text().splitlines()]


def lines(rows: Iterable[Iterable[object]], separator: str = " ") -> str:
    """Text of a table."""
    return "".join(separator.join(map(str, row)) + "\n" for row in rows)


VARIANTS = words("cohort.bim")
PEOPLE = [row[0] for row in words("cohort.fam")]
IDS = [row[1] for row in VARIANTS]


def covariate(value: Callable[[int], object]) -> str:
    """The covariate file with a column `g`, by the person's number."""
    header, *rows = words("covariates.txt")
    return lines([[*header, "g"], *([*row, value(number)] for number, row in enumerate(rows))])


def without(column: int, people: Iterable[int]) -> str:
    """The phenotype file, of which these people lack a trait (0 height, 1 ldl)."""
    header, *rows = words("phenotypes.txt")
    for person in people:
        rows[person][2 + column] = "NA"
    return lines([header, *rows])


def external(people: Iterable[int], variants: Iterable[int]) -> dict[str, str | bytes]:
    """`known.bed` of some of the cohort's people and variants, by number."""
    content, width = (COHORT / "cohort.bed").read_bytes(), -(-len(PEOPLE) // 4)
    chosen = list(people)
    bed = bytearray(content[:3])
    for variant in variants:
        record = content[3 + variant * width :][:width]
        codes = [record[person // 4] >> 2 * (person % 4) & 3 for person in chosen]
        bed += bytes(sum(code << 2 * at for at, code in enumerate(codes[n : n + 4])) for n in range(0, len(codes), 4))
    fam = words("cohort.fam")
    return {
        "known.bed": bytes(bed),
        "known.bim": lines((VARIANTS[variant] for variant in variants), "\t"),
        "known.fam": lines(fam[person] for person in chosen),
    }


def sets(chromosomes: dict[int, str] | None = None) -> dict[str, str | bytes]:
    """50 sets of 10 variants each, of which some (by number) are listed on another chromosome."""
    listed, annotated = [], []
    for number, first in enumerate(range(0, 1000, 20)):
        name, (chromosome, _, _, position, *_) = f"G{number}", VARIANTS[first]
        members = [row[1] for row in VARIANTS[first : first + 10] if row[0] == chromosome]
        listed.append([name, (chromosomes or {}).get(number, chromosome), position, ",".join(members)])
        annotated += [[member, name, "missense" if chromosome == "22" else "LoF"] for member in members]
    return {"sets.txt": lines(listed, "\t"), "anno.txt": lines(annotated), "masks.txt": "M1 LoF\nM2 missense\n"}


def with_sets(**others: Any) -> dict[str, Any]:
    """Step 2 of gene-based tests."""
    files = {"annotations": "anno.txt", "sets": "sets.txt", "masks": "masks.txt"}
    return {"gene_tests": {**files, "aaf_bins": [0.4], "sets_per_job": 9, **others}}


def interaction(**given: Any) -> dict[str, Any]:
    """Step 2 with the covariate `g`."""
    return {"interaction": {"covariate": "g", **given}}


LEVELS = {"categorical_covariates": ["g"]}
CONDITION = {"condition": {"variants": "hits.txt", "genotypes": "known.bed"}}
GXG = {"interaction": {"variant": IDS[0], "genotypes": "known.bed"}}


@dataclass(frozen=True)
class Case:
    """One situation."""

    name: str
    step2: dict[str, Any]
    files: dict[str, str | bytes] = field(default_factory=dict)
    given: dict[str, Any] = field(default_factory=dict)
    refused: str = ""
    """Words; empty where it runs."""
    warned: str = ""
    alone: Callable[[Rows], bool] = lambda rows: True
    """What one run without this platform gives: of a refused launch, what is wrong with it."""
    may_end: str = ""
    """Words with which regenie may end instead: builds with other libraries round otherwise."""


def names(rows: Rows, trait: str) -> list[str]:
    """Of the tests of a trait's rows."""
    return [row[7] for row in rows[trait]]


def has_no_interaction(rows: Rows) -> bool:
    """The variants' own rows only."""
    return bool(rows["height"]) and not any("-INT_" in test for trait in rows for test in names(rows, trait))


def loses_interactions(rows: Rows) -> bool:
    """Nearly all of the other trait, too."""
    return 0 < names(rows, "ldl").count("ADD-INT_SNP") < 50 < names(rows, "ldl").count("ADD-CONDTL")


def by_three(number: int) -> str:
    """A level."""
    return "abc"[number % 3]


CASES = [
    Case("levels", interaction(), {"covariates.txt": covariate(by_three)}, LEVELS),
    Case(
        "a level of one person",
        interaction(),
        {"covariates.txt": covariate(lambda n: "z" if n == 5 else by_three(n))},
        LEVELS,
        refused="level z: 1 (height)",
        alone=has_no_interaction,
    ),
    Case(
        "a level of ten people",
        interaction(),
        {"covariates.txt": covariate(lambda n: "z" if n % 80 == 5 else by_three(n))},
        LEVELS,
        warned="level z: 10 (height)",
        alone=lambda rows: names(rows, "height").count("ADD-INT_SNP") == 873,
    ),
    Case(
        "the first level is of nobody who is analysed",
        interaction(),
        {
            "covariates.txt": covariate(lambda n: "z" if n == 0 else by_three(n)),
            "phenotypes.txt": lines([words("phenotypes.txt")[0], *words("phenotypes.txt")[2:]]),
        },
        LEVELS,
        refused="first level in s3://data/cohort/covariates.txt, z, none",
        alone=has_no_interaction,
    ),
    Case(
        "a level that one trait has not",
        interaction(),
        {"covariates.txt": covariate(by_three), "phenotypes.txt": without(0, range(2, 800, 3))},
        LEVELS,
        refused="level c: 0 (height)",
        alone=loses_interactions,
    ),
    Case(
        "a number that is constant for one trait",
        interaction(),
        {"covariates.txt": covariate(lambda n: n % 2), "phenotypes.txt": without(0, range(0, 800, 2))},
        refused="value other than 1: 0 (height)",
        alone=loses_interactions,
    ),
    Case(
        "a number in which one person differs",
        interaction(),
        {"covariates.txt": covariate(lambda n: int(n == 7))},
        refused="value other than 0: 1 (height)",
        alone=has_no_interaction,
        may_end="could not fit HLM null model for trait",
    ),
    Case("a variant, in a part of its own", GXG | {"variants_per_job": 60}, external(range(800), [0, 1])),
    Case("sets", with_sets(), sets()),
    Case(
        "sets with joint tests",
        with_sets(vc_tests=["skato", "acatv"], vc_max_aaf=0.3, joint=["minp", "acat", "gates", "ftest"]),
        sets(),
        alone=lambda rows: names(rows, "height").count("ADD-BURDEN-GATES") == 50,
    ),
    Case(
        "sets of sums of genotypes, with other weights",
        with_sets(build_mask="sum", vc_tests=["skat"], skat_params=[0.5, 0.5], write_mask_snplist=False),
        sets(),
    ),
    Case("sets and an interaction", with_sets() | {"interaction": {"covariate": "sex"}}, sets()),
    Case(
        "sets and an interaction, and joint tests",
        with_sets(joint=["acat", "minp"]) | {"interaction": {"covariate": "sex"}},
        sets(),
        alone=lambda rows: names(rows, "height").count("ADD-BURDEN-ACAT") == 50,
    ),
    Case(
        "sets on other chromosomes",
        with_sets(),
        sets({3: "22", 40: "1"}),
        refused="2 sets have variants of another chromosome than their line says, such as G3 on 22",
        alone=lambda rows: any(row[0] == "22" and row[2].startswith("G3.") for row in rows["height"]),
    ),
    Case(
        "sets of which an extract leaves one chromosome",
        with_sets() | {"extract": "list.txt"},
        {**sets(), "list.txt": lines([each] for each in IDS[:500])},
    ),
    Case(
        "no variant is as rare as masks take them",
        with_sets(aaf_bins=[0.0001]),
        sets(),
        warned="none has one above 0 and up to that",
        alone=lambda rows: rows["height"] == [],
    ),
    Case(
        "an exclude of a whole chromosome", {"exclude": "list.txt"}, {"list.txt": lines([each] for each in IDS[900:])}
    ),
    Case(
        "a condition on a whole chromosome",
        {"condition": {"variants": "hits.txt", "genotypes": "cohort.bed"}},
        {"hits.txt": lines([each] for each in IDS[900:])},
    ),
    Case(
        "a condition's file with half of the people",
        CONDITION,
        {**external(range(0, 800, 2), [10, 11]), "hits.txt": lines([[IDS[10]], [IDS[11]]])},
        warned="has 400 of the 800 people who are analysed",
        alone=lambda rows: max(int(row[6]) for row in rows["height"]) > 700,
    ),
    Case(
        "a condition's file that is not whole",
        CONDITION,
        {**external(range(800), [10, 11]), "known.bed": external(range(800), [10])["known.bed"], "hits.txt": IDS[11]},
        refused="with 1 variant, but known.bim lists 2",
        alone=lambda rows: len(rows["height"]) == 999,
    ),
    Case(
        "a condition's variant that is there twice",
        CONDITION,
        {**external(range(800), [10, 11]), "known.bim": lines([VARIANTS[10]] * 2, "\t"), "hits.txt": IDS[10]},
        refused=f"{IDS[10]}, which several variants of",
        # The last one is taken: it is variant 11's genotypes, which then explain variant 11.
        alone=lambda rows: IDS[11] not in {row[2] for row in rows["height"]},
    ),
    Case(
        "an interaction's file with half of the people",
        GXG,
        external(range(0, 800, 2), [0, 1]),
        warned="has 400 of the 800 people who are analysed",
        alone=lambda rows: max(int(row[6]) for row in rows["height"]) <= 400,
    ),
    Case(
        "a word behind a missing covariate",
        {},
        {
            "covariates.txt": covariate(lambda n: "unknown" if n == 5 else n % 7).replace(
                " 61.213 0 unknown", " NA 0 unknown"
            )
        },
        warned="1 of 800 genotyped people lack a covariate",
        alone=lambda rows: max(int(row[6]) for row in rows["height"]) <= 799,
    ),
    Case(
        "strict",
        {"extra": ["--strict"]},
        alone=lambda rows: max(int(row[6]) for row in rows["height"]) == 737,
    ),
]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> PlannedRun:
    """Given: the demo cohort, and a case's own files."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    planned = PlannedRun(tmp_path, [REAL])
    for file in COHORT.iterdir():
        shutil.copy(file, planned.data)
    for name, content in request.node.callspec.params["case"].files.items():
        (planned.data / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return planned


def config(case: Case) -> dict[str, Any]:
    """A launch's section `regenie`."""
    return {
        "genotypes": "cohort.bed",
        "phenotypes": "phenotypes.txt",
        "covariates": "covariates.txt",
        "traits": ["height", "ldl"],
        "trait_type": "quantitative",
        "step1": {"block_size": 1000},
        **case.given,
        "step2": {"variants_per_job": 150, **case.step2},
    }


def one_run(run: PlannedRun, command: list[str]) -> Rows:
    """The rows of step 2 in one command, with the predictions that step 1 made."""
    options = iter(command[1:])
    kept = [word for word in options if word not in CUT or not next(options)]
    predictions = run.work / "step1" / "predictions"
    found = [f"{trait} {next((predictions / trait).glob('*.loco'))}" for trait in ("height", "ldl")]
    (run.root / "pred.list").write_text("\n".join(found) + "\n")
    places = {"{data}": run.data, "{output}": run.root}
    for name, place in places.items():
        kept = [word.replace(name, str(place)) for word in kept]
    run.regenie(" ".join(kept))
    return {
        trait: [
            line.split()
            for line in (run.root / f"chunk_{trait}.regenie").read_text().splitlines()
            if not line.startswith(("#", "CHROM"))
        ]
        for trait in ("height", "ldl")
    }


@pytest.mark.parametrize("case", [case for case in CASES if not case.refused], ids=lambda case: case.name)
def test_jobs_have_the_rows_of_one_run(case: Case, run: PlannedRun) -> None:
    tasks = run.plan(config(case))
    for phase in ("split", "level0", "level1", "step1", "step2", "merge", "report"):
        run.run(phase, tasks.get(phase, 0))

    warnings = "\n".join(json.loads((run.work / "launch.json").read_text())["warnings"])
    alone = one_run(run, json.loads((run.work / "plan" / "step2.jsonl").read_text().splitlines()[0])["command"])
    for trait, rows in alone.items():
        merged = gzip.decompress((run.work / "gwas" / f"{trait}.regenie.gz").read_bytes()).decode().splitlines()[1:]
        assert sorted(line.split("\t") for line in merged) == sorted(rows), trait
    assert case.alone(alone)
    assert case.warned in warnings
    assert bool(case.warned) == bool(warnings), warnings


@pytest.mark.parametrize("case", [case for case in CASES if case.refused], ids=lambda case: case.name)
def test_what_is_refused_goes_wrong_without_a_word(
    case: Case, run: PlannedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(LaunchInputError) as refusal:
        run.plan(config(case))
    assert case.refused in said(refusal.value)

    # When planning is told to go on
    monkeypatch.setattr("lambdas.regenie.preflight.findings.Findings.raise_if_any", lambda _: None)
    tasks = run.plan(config(case))
    for phase in ("split", "level0", "level1"):
        run.run(phase, tasks[phase])
    command = json.loads((run.work / "plan" / "step2.jsonl").read_text().splitlines()[0])["command"]
    try:
        alone = one_run(run, command)
    except AssertionError as end:
        if not case.may_end or case.may_end not in str(end):
            raise
    else:
        assert case.alone(alone)
