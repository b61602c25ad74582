"""Launches that write into their data do not share folders."""

import pytest

from genolaunch.contract.launch import Status
from genolaunch.contract.workflow import Workflow
from lambdas.shared.launch import Launch
from lambdas.shared.working_folders import in_the_way, overlap


@pytest.mark.parametrize(
    ("one", "other", "is_so"),
    [
        ("s3://b/cohort/", "s3://b/cohort/", True),
        ("s3://b/cohort/", "s3://b/cohort/part/", True),
        ("s3://b/cohort/part/", "s3://b/cohort/", True),
        ("s3://b/", "s3://b/cohort/", True),
        ("s3://b/cohort", "s3://b/cohort/", True),
        ("s3://b/cohort/", "s3://b/cohort2/", False),
        ("s3://b/cohort/a/", "s3://b/cohort/b/", False),
        ("s3://b/cohort/", "s3://b2/cohort/", False),
    ],
)
def test_folders_overlap_where_one_lies_in_the_other(one: str, other: str, is_so: bool):
    assert overlap(one, other) is is_so
    assert overlap(other, one) is is_so


def launch(id_: str, folder: str | None = None, claimed: str | None = "04:00", workflow: str = "snakemake") -> Launch:
    return Launch(id_, "x", Status.RUNNING, "", workflow=Workflow(workflow), data_path=folder, started_at=claimed)


@pytest.mark.parametrize(
    ("other", "gives_way"),
    [
        (launch("a", "s3://b/cohort/part/", "03:00"), True),
        (launch("a", "s3://b/", "03:00"), True),
        (launch("a", "s3://b/cohort/part/", "05:00"), False),  # which gives way itself
        (launch("a", "s3://b/cohort/part/"), True),  # of two at the same moment, one
        (launch("c", "s3://b/cohort/part/"), False),
        (launch("a", "s3://b/cohorts/", "03:00"), False),
        (launch("a", "s3://b/cohort/", "03:00", "regenie"), False),  # it writes nothing there
        (launch("a", None, "03:00"), False),
        (launch("b", "s3://b/cohort/", "03:00"), False),  # itself
    ],
)
def test_the_launch_that_was_claimed_later_gives_way(other: Launch, gives_way: bool):
    assert bool(list(in_the_way(launch("b"), "s3://b/cohort/", [other]))) is gives_way


def test_a_launch_that_was_not_claimed_gives_way_to_all_that_run():
    assert list(in_the_way(launch("b", claimed=None), "s3://b/cohort/", [launch("c", "s3://b/cohort/", "05:00")]))
