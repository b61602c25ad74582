"""Situations that people bring, made up kind by kind: refused with the reason, or what one run of regenie gives.

Each runs through planning. What is taken runs to its merged results with a real regenie, and is held against one run.
"""

import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from genolaunch.launch_configs.regenie_config import RegenieLaunch
from genolaunch.shared.input_error import LaunchInputError
from tests.regenie.cohort_formats import BINARY_PHENOTYPES, COHORT
from tests.regenie.planned_run import PlannedRun, said
from tests.regenie.test_lists_and_levels_on_regenie import (
    IDS,
    PEOPLE,
    covariate,
    external,
    interaction,
    lines,
    one_run,
    words,
)

REAL = os.environ.get("GENOLAUNCH_REGENIE") or shutil.which("regenie") or ""

pytestmark = pytest.mark.timeout(900)


@dataclass(frozen=True)
class Case:
    """One situation."""

    name: str
    given: dict[str, Any] = field(default_factory=dict)
    files: Mapping[str, str | bytes] = field(default_factory=dict)
    refused: str = ""
    """Words; empty where it runs."""
    warned: str = ""


def table(file: str, change: Callable[[int, list[str]], list[object]], header: str = "") -> str:
    """A table of the cohort with changed rows, by the person's number."""
    first, *rows = words(file)
    return lines([header.split() or first, *(change(number, row) for number, row in enumerate(rows))])


def trait(value: Callable[[int, str], object]) -> dict[str, str | bytes]:
    """Phenotypes with another height, by the person's number and the true one."""
    return {"phenotypes.txt": table("phenotypes.txt", lambda n, row: [*row[:2], value(n, row[2]), *row[3:]])}


def renamed(file: str, form: Callable[[str], list[object]]) -> dict[str, str | bytes]:
    """A table in which people are called otherwise, by their id."""
    return {file: table(file, lambda _, row: [*form(row[0]), *row[2:]])}


BOTH = {"phenotypes": "all.txt", "covariates": "all.txt"}
ALL = {
    "all.txt": lines(
        [
            ["FID", "IID", "height", "ldl", "bmi", "age", "sex"],
            *(
                [*one, f"{25 + number % 13}", *other[2:]]
                for number, (one, other) in enumerate(
                    zip(words("phenotypes.txt")[1:], words("covariates.txt")[1:], strict=True)
                )
            ),
        ]
    )
}
BINARY = {"trait_type": "binary", "traits": ["t2d"], "phenotypes": "phenotypes_binary.txt"}

CASES = [
    # Covariates nobody named, and covariates that are none
    Case("a trait beside covariates", BOTH, ALL, refused="bmi among them"),
    Case("a trait beside covariates, all named", {**BOTH, "covariate_columns": ["age", "sex"]}, ALL),
    Case("one trait of a file for everything", {**BOTH, "traits": ["height"]}, ALL, refused="ldl, bmi among them"),
    Case(
        "a date as covariate",
        {},
        {"covariates.txt": covariate(lambda n: 20_200_101 + n % 28)},
        refused="regenie does not adjust for sex, g",
    ),
    Case(
        "the cost in cents", {}, {"covariates.txt": covariate(lambda n: 5_000_000 + 997 * n)}, refused="so large beside"
    ),
    Case(
        "a code among ages",
        {},
        {"covariates.txt": table("covariates.txt", lambda n, row: [*row[:2], 999 if n % 40 == 0 else row[2], row[3]])},
        warned="999 (20 people",
    ),
    Case(
        "-999 among ages",
        {},
        {"covariates.txt": table("covariates.txt", lambda n, row: [*row[:2], -999 if n % 40 == 0 else row[2], row[3]])},
        warned="age has the value -999 for 20 people",
    ),
    Case(
        "every person a site",
        {"categorical_covariates": ["g"]},
        {"covariates.txt": covariate(lambda n: f"s{n}")},
        refused="which has 800 levels",
    ),
    # Values of traits
    Case("999 for missing", {}, trait(lambda n, true: 999 if n % 50 == 0 else true), warned="999 (16 people"),
    Case("-9 for missing", {}, trait(lambda n, true: -9 if n % 50 == 0 else true), warned="-9 (16 people"),
    Case(
        "99 and 88 for missing",
        {},
        trait(lambda n, true: (99, 88)[n % 2] if n % 25 == 0 else true),
        warned="88 (16 people",
    ),
    Case("-999 for missing", {}, trait(lambda n, true: "-999.0" if n % 50 == 0 else true), warned="-999 for 16 people"),
    Case("micrograms in kilograms", {}, trait(lambda _, true: f"{true}e-9"), refused="regenie takes less than 1e-06"),
    Case(
        "micrograms in kilograms, as ranks",
        {"apply_rint": True},
        trait(lambda _, true: f"{true}e-9"),
    ),
    Case("enormous values", {}, trait(lambda _, true: f"{true}e200"), refused="would be NA"),
    Case(
        "hexadecimal",
        {},
        trait(lambda n, true: "0x1F" if n == 3 else true),
        refused="1 value that is no number: 0x1F",
    ),
    Case("Fortran's exponents", {}, trait(lambda n, true: "1.5d0" if n == 3 else true), refused="no number: 1.5d0"),
    Case("a unit behind a number", {}, trait(lambda n, true: "170cm" if n == 3 else true), refused="no number: 170cm"),
    Case("a thousand's comma", {}, trait(lambda n, true: "1,700" if n == 3 else true), refused="no number: 1,700"),
    Case(
        "cases coded 2 and 1, missing 0",
        BINARY,
        {"phenotypes_binary.txt": lines([["FID", "IID", "t2d"], *([p, p, n % 3] for n, p in enumerate(PEOPLE))])},
        refused="a binary trait with",
    ),
    # Who is who
    Case(
        "FID and IID differ from the genotypes'",
        {},
        renamed("phenotypes.txt", lambda p: ["F" + p, p]),
        refused="the IID for the FID",
    ),
    Case("0 for the FID", {}, renamed("phenotypes.txt", lambda p: [0, p]), refused="the IID for the FID"),
    Case(
        "ids in lower case",
        {},
        renamed("phenotypes.txt", lambda p: [p.lower(), p.lower()]),
        refused="upper and lower case",
    ),
    Case(
        "covariates with 0 for the FID", {}, renamed("covariates.txt", lambda p: [0, p]), refused="the IID for the FID"
    ),
    Case(
        "leading zeros lost",
        {},
        {
            "cohort.fam": lines([f"0{p[1:]}", f"0{p[1:]}", 0, 0, 0, -9] for p in PEOPLE),
            "phenotypes.txt": table("phenotypes.txt", lambda n, row: [n, n, *row[2:]]),
            "covariates.txt": table("covariates.txt", lambda n, row: [n, n, *row[2:]]),
        },
        refused="leading zeros",
    ),
    Case("a table with a header only", {}, {"phenotypes.txt": "FID IID height ldl\n"}, refused="a header and no rows"),
    Case("an empty list", {"keep": "k.txt"}, {"k.txt": ""}, refused="k.txt, which is empty"),
    # Interactions
    Case(
        "a variant of one carrier",
        {"step2": {"interaction": {"variant": IDS[0], "genotypes": "known.bed"}}},
        {**external(range(800), [0]), "known.bed": b"\x6c\x1b\x01" + bytes([0b11111110]) + b"\xff" * 199},
        refused="too few of the people who are analysed differ (coded add; 0: 799, 1: 1)",
    ),
    Case(
        "a variant of nobody, coded as categories",
        {"step2": {"interaction": {"variant": IDS[0], "genotypes": "known.bed", "coding": "cat"}}},
        {**external(range(800), [0]), "known.bed": b"\x6c\x1b\x01" + b"\xff" * 200},
        refused="(coded cat; 0: 800)",
    ),
    Case(
        "an interaction that covariate_columns leave out",
        {"covariate_columns": ["age"], "step2": interaction()},
        {"covariates.txt": covariate(lambda n: n % 7)},
        refused="names the covariate g, not among covariate_columns",
    ),
    # Few people
    Case(
        "more covariates than people",
        {"keep": "k.txt", "step1": {"qc": False, "block_size": 1000}},
        {
            "k.txt": lines([p, p] for p in PEOPLE[:12]),
            "covariates.txt": lines(
                [
                    ["FID", "IID", *(f"PC{k}" for k in range(1, 13))],
                    *([p, p, *((n * k) % 17 / 10 for k in range(2, 14))] for n, p in enumerate(PEOPLE)),
                ]
            ),
        },
        refused="has 12 covariates",
    ),
]


def config(case: Case) -> dict[str, Any]:
    """A launch's section `regenie`."""
    given = dict(case.given)
    step2 = {"variants_per_job": 400, **given.pop("step2", {})}
    return {
        "genotypes": "cohort.bed",
        "phenotypes": "phenotypes.txt",
        "covariates": "covariates.txt",
        "traits": ["height", "ldl"],
        "trait_type": "quantitative",
        "step1": {"block_size": 1000},
        **given,
        "step2": step2,
    }


def checked(case: Case) -> dict[str, Any]:
    """The same, as a launch's registration takes it."""
    RegenieLaunch.model_validate({"name": "x", "workflow": "regenie", "data": "cohort/", "regenie": config(case)})
    return config(case)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> PlannedRun:
    """Given: the demo cohort, and a case's own files."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    planned = PlannedRun(tmp_path, [REAL or "false"])
    for file in (*COHORT.iterdir(), BINARY_PHENOTYPES):
        shutil.copy(file, planned.data)
    for name, content in request.node.callspec.params["case"].files.items():
        (planned.data / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return planned


@pytest.mark.parametrize("case", [case for case in CASES if case.refused], ids=lambda case: case.name)
def test_it_is_refused_with_the_reason(case: Case, run: PlannedRun) -> None:
    with pytest.raises((ValidationError, LaunchInputError)) as refusal:
        run.plan(checked(case))

    assert case.refused in said(refusal.value)


@pytest.mark.parametrize("case", [case for case in CASES if not case.refused], ids=lambda case: case.name)
def test_it_is_taken_and_warned_of(case: Case, run: PlannedRun) -> None:
    run.plan(config(case))

    warnings = json.loads((run.work / "launch.json").read_text())["warnings"]
    assert case.warned in "\n".join(warnings)
    assert bool(case.warned) == bool(warnings), warnings


@pytest.mark.regenie
@pytest.mark.skipif(not REAL, reason="set GENOLAUNCH_REGENIE=/path/to/regenie")
@pytest.mark.parametrize("case", [case for case in CASES if not case.refused], ids=lambda case: case.name)
def test_its_rows_and_people_are_those_of_one_run(case: Case, run: PlannedRun) -> None:
    tasks = run.plan(config(case))
    for phase in ("split", "level0", "level1", "step1", "step2", "merge", "report"):
        run.run(phase, tasks.get(phase, 0))

    command = json.loads((run.work / "plan" / "step2.jsonl").read_text().splitlines()[0])["command"]
    launch = json.loads((run.work / "launch.json").read_text())
    for name, rows in one_run(run, command).items():
        summary = json.loads((run.work / "gwas" / "summary" / f"{name}.json").read_text())
        assert summary["rows"] == len(rows)
        # Then: nobody whom planning counts is missing in the variant that most people have, and nobody else is in it
        most = max(int(row[6]) for row in rows)
        assert most == summary["samples"][1]
        assert most <= launch["samples"]["traits"][name]["analysed"]
        assert most >= launch["samples"]["traits"][name]["analysed"] - 3
