"""A stage that keeps teams apart: whose a launch is, and what a team's launch may not name."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from genolaunch.contract.launch import Status
from lambdas.shared.launch import Launch
from lambdas.workflow_manager.dropped_file import Drop, DroppedFile
from lambdas.workflow_manager.registration import launch_of

EXAMPLE = yaml.safe_load((Path(__file__).parents[3] / "examples" / "gwas" / "launch.yaml").read_text())
TEAMS = ("gwas", "cardio")
DROP = Drop(
    bucket="launches",
    key="launches/gwas/height.yaml",
    time=datetime(2026, 11, 21, 4, tzinfo=UTC),
    version_id=None,
    etag="etag",
    sequencer="01",
    requested_by="AWS:AROA:ada",
)


def dropped(key: str = DROP.key, teams: tuple[str, ...] = TEAMS, **changes: object) -> Launch:
    content = yaml.safe_dump({**EXAMPLE, "data": "gwas/cohort/", **changes}).encode()
    return launch_of(
        replace(DROP, key=key),
        DroppedFile(len(content), content, None),
        data_bucket="data",
        teams=teams,
        readable_buckets=["shared-cohorts"],
    )


def faults(launch: Launch) -> list[str]:
    assert launch.status == Status.REJECTED
    assert launch.error is not None
    return [fault["where"] for fault in launch.error["faults"]]


def test_a_launch_of_a_team_has_its_name_in_front_of_its_id_and_says_whose_it_is_and_who_asked():
    launch = dropped()

    assert launch.status == Status.SUBMITTED
    assert launch.launch_id.startswith("gwas-height-ldl-demo-")
    assert launch.item()["team"] == "gwas"
    assert launch.requested_by == "AWS:AROA:ada"


def test_the_id_of_a_rejected_launch_is_its_teams_too():
    launch = dropped(data="cardio/cohort/")

    assert launch.launch_id.startswith("gwas-")
    assert launch.team == "gwas"


@pytest.mark.parametrize("data", ["cardio/cohort/", "cohort/", "gwas2/cohort", "s3://data/cardio/cohort/", "s3://data"])
def test_data_of_others_is_refused(data):
    assert faults(dropped(data=data)) == ["data"]


@pytest.mark.parametrize("data", ["s3://results/results/cardio-height-1/", "s3://shared-cohorts-2/panel/"])
def test_data_of_buckets_that_are_not_for_all_teams_is_refused(data):
    """The platform's roles can read more than teams may: the results of all of them."""
    assert faults(dropped(data=data)) == ["data"]


@pytest.mark.parametrize("data", ["gwas/", "s3://data/gwas/cohort/", "s3://shared-cohorts/panel/"])
def test_the_teams_own_folder_and_the_buckets_that_the_stage_reads_are_not(data):
    assert dropped(data=data).status == Status.SUBMITTED


@pytest.mark.parametrize(
    ("earlier", "refused"),
    [
        ("gwas-height-20261120t040000-1a2b3c4d", False),
        ("cardio-height-20261120t040000-1a2b3c4d", True),
        ("gwas2-height-20261120t040000-1a2b3c4d", True),
    ],
)
def test_predictions_of_another_teams_launch_are_refused(earlier, refused):
    regenie = {**EXAMPLE["regenie"], "step1": {"enabled": False, "from_launch": earlier}}
    launch = dropped(regenie=regenie)

    assert (faults(launch) if refused else []) == (["regenie.step1.from_launch"] if refused else [])
    assert (launch.status == Status.REJECTED) is refused


@pytest.mark.parametrize("key", ["launches/height.yaml", "launches/moon/height.yaml", "launches/gwas.yaml"])
def test_a_launch_of_no_team_is_refused_and_its_id_is_no_teams(key):
    launch = dropped(key)

    assert faults(launch) == ["the file"]
    assert launch.launch_id.startswith("unassigned-")


def test_every_fault_is_told_at_once():
    regenie = {**EXAMPLE["regenie"], "step1": {"enabled": False, "from_launch": "cardio-x-20261120t040000-1a2b3c4d"}}

    assert faults(dropped(data="cardio/", regenie=regenie)) == ["data", "regenie.step1.from_launch"]


@pytest.mark.parametrize("key", ["snakefiles/exome/Snakefile", "snakefiles/gwas/Snakefile"])
def test_a_snakefile_could_read_all_teams_data_and_is_refused(key):
    assert faults(dropped(key)) == ["the file"]


def of_snakemake(data: str = "gwas/x/", snakefile: str = "workflows/gwas/exome/Snakefile", **section: str) -> Launch:
    config = {
        "name": "exome",
        "workflow": "snakemake",
        "data": data,
        "snakemake": {"snakefile": snakefile, **section},
    }
    content = yaml.safe_dump(config)
    return launch_of(
        DROP,
        DroppedFile(len(content), content.encode(), None),
        data_bucket="data",
        teams=TEAMS,
        readable_buckets=["shared-cohorts"],
    )


@pytest.mark.parametrize(
    "snakefile",
    [
        "workflows/gwas/exome/Snakefile",
        "s3://launches/workflows/gwas/exome/Snakefile",
        "s3://data/gwas/code/Snakefile",
        "s3://shared-cohorts/workflows/Snakefile",
    ],
)
def test_a_workflow_in_the_teams_own_folders_is_the_teams(snakefile):
    launch = of_snakemake(snakefile=snakefile)

    assert (launch.status, launch.team) == (Status.SUBMITTED, "gwas")


@pytest.mark.parametrize("data", ["cardio/x/", "x/", "s3://shared-cohorts/x/", "s3://results/gwas/", "gwas-other/x/"])
def test_a_workflow_works_in_the_teams_own_data_and_nowhere_else(data):
    assert faults(of_snakemake(data=data)) == ["data"]


@pytest.mark.parametrize(
    "snakefile",
    [
        "workflows/cardio/Snakefile",
        "workflows/exome/Snakefile",
        "snakefiles/gwas/Snakefile",
        "s3://data/cardio/Snakefile",
        "s3://results/results/cardio-x/launcher/sources-1/Snakefile",
    ],
)
def test_sources_of_others_are_not_copied_for_a_team(snakefile):
    assert faults(of_snakemake(snakefile=snakefile)) == ["snakemake.snakefile"]


def test_jobs_of_teams_share_no_hosts():
    assert faults(of_snakemake(engine="aws-batch")) == ["snakemake.engine"]


def test_without_teams_folders_below_launches_mean_nothing():
    launch = dropped(teams=(), data="cohort/")

    assert launch.status == Status.SUBMITTED
    assert launch.launch_id.startswith("height-ldl-demo-")
    assert launch.team is None
