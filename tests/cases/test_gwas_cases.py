"""Situations from the field in which the product was once wrong, each with the right value (`make test-cases`).

Right is what regenie 4.1.2 does by hand on the same files, or a refusal that names the fault before anything is made.
The files of a case are in tests/data/cases/gwas, the others are the demo cohort's.
"""

import gzip
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from genolaunch.launch_configs.regenie_config import RegenieLaunch
from genolaunch.shared.input_error import LaunchInputError
from tests.regenie.planned_run import PlannedRun, said

ROOT = Path(__file__).parents[2]
CASES = ROOT / "tests" / "data" / "cases" / "gwas"
REAL = os.environ.get("GENOLAUNCH_REGENIE") or shutil.which("regenie") or ""

pytestmark = pytest.mark.timeout(900)


@dataclass(frozen=True)
class Results:
    """What a launch that ran has written."""

    run: PlannedRun

    def rows(self, trait: str) -> list[dict[str, str]]:
        """Of the merged results."""
        header, *lines = self._merged(trait)
        return [dict(zip(header.split("\t"), line.split("\t"), strict=True)) for line in lines]

    def people(self, trait: str) -> set[int]:
        """The numbers of analysed people that regenie wrote beside the variants."""
        return {int(row["N"]) for row in self.rows(trait)}

    def log(self, path: str) -> str:
        """One of regenie's logs."""
        return (self.run.work / path).read_text()

    def covariates(self, trait: str) -> list[str]:
        """What the description of the GWAS Catalog's table says."""
        (description,) = (self.run.work / "gwas").glob(f"{trait}*-meta.yaml")
        found: list[str] = yaml.safe_load(description.read_text()).get("adjusted_covariates") or []
        return found

    @property
    def report(self) -> str:
        """The page."""
        return (self.run.work / "report.html").read_text()

    def _merged(self, trait: str) -> list[str]:
        text = gzip.decompress((self.run.work / "gwas" / f"{trait}.regenie.gz").read_bytes()).decode()
        return text.splitlines()


@dataclass(frozen=True)
class Case:
    """One situation."""

    name: str
    """Of its folder."""
    right: str
    """For people."""
    refused: str = ""
    """Words of the refusal; empty where the launch runs."""
    warned: str = ""
    """Words of a warning of the planning; empty where there is none."""
    holds: Callable[[Results], bool] | None = None
    """Of the results, made with a real regenie."""


def all_have_rows(results: Results) -> bool:
    """All variants have one, and the page is there."""
    return len(results.rows("height")) == 1000 and "Manhattan" in results.report


GWAS = [
    Case("01-baseline-typo", "refused: Never is no level", "is Never, which is no level of smoking"),
    Case("02-sample-fourth-column", "refused: column 4 is no sex", "whose fourth column, 't2d', regenie takes for the"),
    Case(
        "03-gz-list-with-qc",
        "500 of 1,000 variants are left for step 1",
        holds=lambda found: "number of variants remaining in the analysis = 500" in found.log("step1/split/l0.log"),
    ),
    Case("04-remove-nobody", "refused: nobody is called so", "of whose 30 entries none is among the genotyped people"),
    Case("06a-duplicate-ids-extract", "refused: ids are shared", "has 25 ids that several variants share"),
    Case("06b-duplicate-ids-exclude", "refused: ids are shared", "has 25 ids that several variants share"),
    Case("06c-duplicate-ids-split", "refused: ids are shared", "has 2 ids that several variants share"),
    Case(
        "07a-genes-absent",
        "0 rows, as in one run: everybody carries the mask",
        holds=lambda found: found.rows("height") == [] and "no mask of any set was tested" in found.report,
    ),
    Case(
        "07b-genes-noanno",
        "0 rows, as in one run: everybody carries the mask",
        holds=lambda found: found.rows("height") == [] and "no mask of any set was tested" in found.report,
    ),
    Case(
        "07c-genes-one-absent",
        "333 masks, as in one run",
        holds=lambda found: len(found.rows("height")) == len(found.rows("ldl")) == 333,
    ),
    Case("08-keep-and-remove", "refused: regenie takes one of the two", "refused beside keep"),
    Case("09a-report-stranger", "1,000 rows and a report", warned="2 (X1_X1, X2_X2)", holds=all_have_rows),
    Case(
        "09b-report-removed",
        "1,000 rows of 799 people at most, and a report",
        holds=lambda found: all_have_rows(found) and max(found.people("height")) == 799,
    ),
    Case(
        "10-lowvar",
        "step 1 is fitted: allele counts are those of the 100 who have a trait",
        warned="without a value for 700 of 800 people",
        holds=lambda found: max(found.people("height")) == 100,
    ),
    Case(
        "11a-one-file-two",
        "800 people, and no trait among the covariates",
        holds=lambda found: max(found.people("height")) == 800 and not {"height", "ldl"} & {*found.covariates("ldl")},
    ),
    Case(
        "11b-one-file-binary",
        "40 cases are analysed",
        holds=lambda found: "'rare': 40 cases" in found.log("step2/000000/chunk.log"),
    ),
    Case("12-extract-none", "refused: no variant is called so", "of whose 200 entries none is among the variants"),
    Case(
        "13-predictions-of-half",
        "N is 400 at most, and said",
        warned="predictions of height for 400 of the 800 people who are analysed",
        holds=lambda found: max(found.people("height")) <= 400 and "400; mean" in found.report,
    ),
    Case("14-chromosome-order", "refused: 2 behind 22", "has chromosome 2 behind chromosome 22"),
    Case("16a-fam-sex", "refused: -9 is no sex", "with '-9' where regenie reads the sex (line 6)"),
    Case("16c-bim-blank", "refused: an empty line", "where a line lacks one of 6 columns"),
    Case("16d-sample-sex-letters", "refused: M is no sex", "with 'M' where regenie reads the sex (line 3)"),
    Case("16e-sample-blank", "refused: an empty line", "with 0 columns in line 803"),
    Case("16f-psam-two-hashes", "refused: header", "without a header line that starts with #FID IID"),
    Case("16h-pvar-no-header", "refused: header", "without a header line #CHROM POS ID REF ALT"),
    Case("17a-pvar-order", "1,000 rows: any order of columns", holds=all_have_rows),
    Case(
        "17b-pvar-order-numbers",
        "1,000 rows with the ids for ids",
        holds=lambda found: all_have_rows(found) and found.rows("height")[0]["ID"] == "5000",
    ),
    Case("18-two-values", "refused: two values are no quantity", "with the values 0 and 1 only: regenie refuses it"),
    Case("19a-22-levels", "refused: 22 levels", "which has 22 levels"),
    Case("19b-22-levels-one-step", "refused: one step would fail", "has not --maxCatLevels 30"),
    Case("20a-sex-cases", "refused: no female case", "names t2d, which has 0 cases and 412 controls"),
    Case("20b-sex-unknown", "refused: no sexes", "is female, which nobody is by the genotypes' samples"),
    Case("20c-sex-bgen-without-sample", "refused: a .bgen file has no sexes", "is required for cohort.bgen when `sex`"),
    Case("22a-p-threshold-1", "refused: regenie takes less than 1", "less than 1"),
    Case("22b-par-region-reversed", "refused: START is not behind END", "START,END with 1 <= START <= END"),
    Case("22d-spa-interaction", "refused: regenie does not combine them", "refuses beside step2.interaction"),
    Case("22e-test-with-vc", "refused: regenie does not combine them", "refuses beside vc_tests"),
    Case("22f-condition-absent", "refused: rs999 is no variant", "which has rs999, not among the variants"),
    Case("23-range-exclude", "refused: ranges are no ids", "a list of ranges (chromosome, start, end)"),
    Case(
        "26-list-header",
        "700 people at most, and nobody is called 'not genotyped'",
        holds=lambda found: max(found.people("height")) == 700 and "not genotyped" not in found.report,
    ),
    Case("27-chromosome-Y", "refused: Y would be mixed with X", "chromosome Y"),
    Case("28-ukb-codes", "1,000 rows and a warning", warned="-1, -3 or -10", holds=all_have_rows),
]


def test_every_case_has_its_right_value() -> None:
    assert sorted(case.name for case in GWAS) == sorted(folder.name for folder in CASES.iterdir())
    assert all(bool(case.refused) != bool(case.holds) for case in GWAS)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> PlannedRun:
    """Given: the demo cohort with the files of a case."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    planned = PlannedRun(tmp_path, [REAL or "false"])
    own = CASES / request.node.callspec.params["case"].name
    binary = ROOT / "tests" / "data" / "gwas" / "phenotypes_binary.txt"
    for file in (*(ROOT / "examples" / "gwas" / "cohort").iterdir(), binary, *own.iterdir()):
        shutil.copy(file, planned.data)
    return planned


def regenie(case: Case) -> dict[str, Any]:
    """The config's section."""
    config: dict[str, Any] = yaml.safe_load((CASES / case.name / "launch.yaml").read_text())
    RegenieLaunch.model_validate(config)
    section: dict[str, Any] = config["regenie"]
    return section


@pytest.mark.parametrize("case", [case for case in GWAS if case.refused], ids=lambda case: case.name)
def test_what_cannot_be_right_is_refused_before_anything_is_made(
    case: Case, run: PlannedRun, record_property: Callable[[str, object], None]
) -> None:
    with pytest.raises((ValidationError, LaunchInputError)) as refusal:
        run.plan(regenie(case))

    assert case.refused in said(refusal.value)
    record_property("right", case.right)


@pytest.mark.parametrize("case", [case for case in GWAS if case.holds], ids=lambda case: case.name)
def test_what_may_spoil_results_is_warned_of_and_nothing_else(
    case: Case, run: PlannedRun, record_property: Callable[[str, object], None]
) -> None:
    run.plan(regenie(case))

    warnings = json.loads((run.work / "launch.json").read_text())["warnings"]
    assert case.warned in "\n".join(warnings)
    assert bool(warnings) == bool(case.warned), warnings
    record_property("right", f"planned; {'warned of' if case.warned else 'no warning'}")


@pytest.mark.regenie
@pytest.mark.skipif(not REAL, reason="set GENOLAUNCH_REGENIE=/path/to/regenie")
@pytest.mark.parametrize("case", [case for case in GWAS if case.holds], ids=lambda case: case.name)
def test_results_are_those_of_regenie_by_hand(
    case: Case, run: PlannedRun, record_property: Callable[[str, object], None]
) -> None:
    tasks = run.plan(regenie(case))

    for phase in ("split", "level0", "level1", "step1", "step2", "merge", "report"):
        run.run(phase, tasks.get(phase, 0))

    assert case.holds is not None
    assert case.holds(Results(run))
    record_property("right", case.right)
