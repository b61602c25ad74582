"""The public validator accepts the crates of launches, with the files that they describe."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from genolaunch.contract.results import results_prefix
from tests.handlers.provenance.conftest import LAUNCH, REGENIE, RESULTS, Stage
from tests.handlers.provenance.test_describe_run import FAILED
from tests.roc_validator import findings

pytestmark = pytest.mark.full

End = Callable[..., Stage]

REMAINING = {
    "The main workflow must be a file of the crate (Workflow RO-Crate 1.0), so its @id is a path.": (
        r"The SoftwareApplication id SHOULD be an absolute URI"
    ),
    "A folder of results has no README.md; the validator asks for its properties.": r"The README\.md SHOULD",
    "Who publishes results, and whether, is for their people to say.": (
        r"The `publisher` property of a `Root Data Entity` SHOULD be"
    ),
    "Nobody tells the platform who employs a person, or what a team's page is.": (
        r"The author SHOULD have |The organization SHOULD have a URL"
    ),
    "Data in S3 is nobody's to see without credentials.": r"Web-based Data Entity s3://.* could not be verified",
}
"""Why a recommendation is not followed -> the validator's words for it."""


def downloaded(stage: Stage, folder: Path) -> Path:
    """The launch's folder of results, described."""
    stage.describe()
    prefix = results_prefix(LAUNCH)
    for found in stage.s3.list_objects_v2(Bucket=RESULTS, Prefix=prefix)["Contents"]:
        if not found["Key"].endswith("/"):
            target = folder / "crate" / found["Key"].removeprefix(prefix)
            target.parent.mkdir(parents=True, exist_ok=True)
            stage.s3.download_file(RESULTS, found["Key"], str(target))
    return folder / "crate"


def assert_accepted(crate: Path) -> None:
    """Then: nothing is wrong with it, and of what is recommended only that is missing which nobody knows."""
    assert findings(crate, "required") == []
    surprising = [
        said for said in findings(crate, "recommended") if not any(re.search(each, said) for each in REMAINING.values())
    ]
    assert surprising == []


@pytest.mark.parametrize("team", [None, "lab"])
def test_a_gwas(gwas: End, tmp_path: Path, team: str | None) -> None:
    assert_accepted(downloaded(gwas(team=team), tmp_path))


def test_a_gwas_that_failed(gwas: End, tmp_path: Path) -> None:
    assert_accepted(downloaded(gwas(**FAILED), tmp_path))


def test_a_launch_that_failed_before_its_workflow_began(stage: Stage, tmp_path: Path) -> None:
    stage.launch(REGENIE, **FAILED, workflowExecutionArn=None)

    assert_accepted(downloaded(stage, tmp_path))


@pytest.mark.parametrize("engine", ["aws-batch", "tibanna"])
def test_a_snakemake_launch(workflow: End, tmp_path: Path, engine: str) -> None:
    assert_accepted(downloaded(workflow(engine), tmp_path))


def test_a_crate_without_a_file_that_it_names_is_refused(gwas: End, tmp_path: Path) -> None:
    """The validator does look."""
    crate = downloaded(gwas(), tmp_path)
    (crate / "gwas" / "height.regenie.gz").unlink()

    assert [said for said in findings(crate, "required") if "gwas/height.regenie.gz" in said]
