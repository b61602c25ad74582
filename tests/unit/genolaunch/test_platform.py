"""A stage is found by its published names."""

import pytest

from genolaunch.errors import GenolaunchError
from genolaunch.platform import Platform, new_session
from tests.unit.genolaunch.conftest import STAGE


def test_names_come_page_by_page_and_in_no_other_calls(platform, session):
    # given
    calls = []
    ssm = session.client("ssm")
    ssm.meta.events.register("before-call.ssm", lambda model, **_: calls.append(model.name))
    platform._ssm = ssm

    # when
    names = platform.names

    # then
    assert names.launch_bucket == "launch-bucket-1"
    assert names.job_queues == ("arn:queue/high", "arn:queue/low")
    assert set(calls) == {"GetParametersByPath"}
    assert len(calls) <= 2, "ten parameters a page (AWS Systems Manager API reference)"


def test_names_may_come_in_several_pages(platform, session):
    # given a table's name behind more parameters than one page holds
    ssm = session.client("ssm")
    ssm.delete_parameter(Name="/genolaunch/dev/task-table")
    for name in (*(f"another-{number}" for number in range(12)), "task-table"):
        ssm.put_parameter(Name=f"/genolaunch/dev/{name}", Value=name, Type="String")

    assert Platform(STAGE, session).names.task_table == "task-table"


def test_stage_that_is_not_deployed_is_told_in_one_sentence(platform, session):
    with pytest.raises(GenolaunchError, match=r"^Stage “prod” is not deployed in this account and region \(eu-west-1"):
        _ = Platform("prod", session).names


def test_incomplete_stage_names_what_is_missing(platform, session):
    session.client("ssm").delete_parameter(Name="/genolaunch/dev/task-table")

    with pytest.raises(GenolaunchError, match="does not publish task-table"):
        _ = Platform(STAGE, session).names


def test_the_region_is_that_of_all_aws_tools(aws, monkeypatch):
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    monkeypatch.setenv("AWS_REGION", "eu-north-1")

    assert new_session().region_name == "eu-north-1"
