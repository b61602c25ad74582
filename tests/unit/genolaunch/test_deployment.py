"""`running`: what runs in a stage is told, and what a deployment does to it. The order of its stacks."""

import json
from datetime import UTC, datetime

import pytest

from contract import MINUTES_ON_REPLACED_HOSTS
from genolaunch.commands.exit_codes import STILL_RUNS
from genolaunch.deployment import running as looking
from genolaunch.deployment.destruction import _order
from genolaunch.deployment.running import running
from genolaunch.errors import GenolaunchError
from genolaunch.verify.account import Account

from .conftest import STAGE, job

NOW = datetime(2026, 11, 21, 5, 0, tzinfo=UTC)
BEFORE = int(datetime(2026, 11, 21, 4, 15, tzinfo=UTC).timestamp() * 1000)


def of(stack):
    """A value of another stack, by a weak reference."""
    return {
        "Resources": {"R": {"Properties": {"V": [{"Fn::GetStackOutput": {"StackName": stack, "OutputName": "X"}}]}}}
    }


def by_export(name):
    return {"Resources": {"R": {"Properties": {"V": {"Fn::ImportValue": name}}}}}


def exporting(name):
    return {"Outputs": {"O": {"Value": "v", "Export": {"Name": name}}}}


def test_users_of_a_stack_go_before_it():
    templates = {"a": exporting("x"), "b": by_export("x"), "c": of("b"), "d": {}}

    assert _order(templates, STAGE) == ["c", "d", "b", "a"]


def test_a_circle_is_no_order():
    with pytest.raises(GenolaunchError, match="circle: a, b"):
        _order({"a": of("b"), "b": of("a")}, STAGE)


class Batch:
    """ListJobs by status, and DescribeJobs."""

    def __init__(self, jobs):
        self.jobs = jobs

    def get_paginator(self, _):
        return self

    def paginate(self, jobQueue, jobStatus):  # noqa: N803 - AWS's names
        here = [each for each in self.jobs if each["status"] == jobStatus and jobQueue == "arn:queue/high"]
        yield {"jobSummaryList": here}

    def describe_jobs(self, jobs):
        return {"jobs": [each for each in self.jobs if each["jobId"] in jobs]}


@pytest.fixture
def account(platform, session) -> Account:
    """Given: an account in which the stage is not."""
    found = Account(STAGE, session)
    found.__dict__["platform"] = platform
    found.__dict__["stacks"] = {}
    return found


@pytest.fixture
def deployed(account, monkeypatch):
    """Given: the stage, and what runs in it."""
    account.__dict__["stacks"] = {name: {} for name in ("data", "compute", "workflow-manager")}
    account.client("ecs").create_cluster(clusterName="genolaunch-dev-launchers")
    batch = Batch([])
    account.platform.batch = batch
    monkeypatch.setattr(looking, "_updating", lambda _: [])
    return account, batch


class TestBeforeDeploy:
    def test_a_stage_that_is_not_there_has_nothing_that_runs(self, account):
        found = running(account, NOW)

        assert found.is_idle
        assert list(found.sentences()) == ["The stage dev is not deployed yet: nothing runs."]

    def test_an_idle_one_says_so(self, deployed):
        found = running(deployed[0], NOW)

        assert found.is_idle
        assert list(found.sentences()) == ["Nothing runs in the stage dev."]

    def test_what_runs_is_told_and_what_becomes_of_it(self, deployed, content):
        account, batch = deployed
        content.launch("height-1", workflow={"S": "regenie"}, requestedBy={"S": "ada"})
        content.launch("height-2", status="COMPLETE")
        array = {"size": 100, "statusSummary": {"RUNNING": 7, "STARTING": 1, "RUNNABLE": 12, "SUCCEEDED": 80}}
        batch.jobs += [
            job("a", "height-1-1-step2", "PENDING", startedAt=None, **array),
            {**job("b", "height-1-1-report"), "startedAt": BEFORE},
            job("c", "height-1-1-merge", "RUNNABLE"),
            job("d", "old", "SUCCEEDED"),
        ]
        found = running(account, NOW)

        assert [launch.launch_id for launch in found.launches] == ["height-1"]
        assert [(each.name, each.jobs, each.minutes) for each in found.jobs] == [
            ("height-1-1-report", 1, 45),
            ("height-1-1-step2", 8, None),
        ]
        assert found.jobs_waiting == 13
        text = "\n".join(found.sentences())
        assert "height-1 (regenie, ada)" in text
        assert f"for {MINUTES_ON_REPLACED_HOSTS} minutes" in text
        assert "done again" in text

    def test_it_ends_with_one_only_if_that_is_asked(self, genolaunch, monkeypatch):
        busy = looking.Running(STAGE, is_deployed=True, environments_updating=["genolaunch-dev-eu-west-1a-batch-spot"])
        monkeypatch.setattr(looking, "running", lambda _: busy)

        assert genolaunch("running").exit_code == 0
        assert genolaunch("running", "--idle").exit_code == STILL_RUNS
        told = json.loads(genolaunch("running", "--json").stdout)
        assert told["isIdle"] is False
        assert told["environmentsUpdating"] == ["genolaunch-dev-eu-west-1a-batch-spot"]
