"""The dashboard shows what the functions count, and alarms hear of what was lost."""

import json

from genolaunch.contract.errors import ErrorType
from genolaunch.contract.metrics import Metric


def body(stacks):
    """The dashboard's JSON; what only the deployment knows stands as its reference."""
    parts = stacks["observability"].one("AWS::CloudWatch::Dashboard")["DashboardBody"]
    joined = parts["Fn::Join"][1] if isinstance(parts, dict) else [parts]
    return json.loads("".join(part if isinstance(part, str) else "reference" for part in joined))


def test_the_dashboard_shows_statuses_errors_queue_and_leftovers_of_this_stage(stacks):
    text = json.dumps(body(stacks)).replace('\\"', '"')

    for name in (
        "LaunchesComplete",
        "LaunchesFailed",
        "LaunchesQueued",
        "LaunchesHeld",
        *(f"Error{each}" for each in ErrorType),
    ):
        assert f'MetricName="{name}" stage="unit"' in text, name
    for metric in Metric:
        assert metric in text, metric
    assert "ApproximateAgeOfOldestMessage" in text


def test_events_that_were_lost_and_mended_raise_an_alarm(stacks):
    alarms = stacks["observability"].all("AWS::CloudWatch::Alarm").values()

    assert {alarm["MetricName"] for alarm in alarms} == {
        Metric.LOST_REQUESTS,
        Metric.LOST_ENDINGS,
        Metric.PLATFORM_FAULTS,
        Metric.SICK_LAUNCHES,
    }
    assert all(alarm["AlarmActions"] for alarm in alarms)


def test_every_dead_letter_queue_can_be_found_by_its_tag(stacks):
    sources, marked = set(), set()
    for stack in stacks.values():
        for id_, queue in stack.all("AWS::SQS::Queue").items():
            if {"Key": "dead-letters", "Value": "true"} in queue.get("Tags", []):
                marked.add((stack.name, id_))
            if "RedrivePolicy" in queue:
                sources.add((stack.name, queue["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]))

    assert sources <= marked
    assert len(marked) > len(sources)


def test_the_dashboard_shows_every_state_machine_and_what_a_day_costs(stacks):
    widgets = body(stacks)["widgets"]

    (times,) = [w["properties"] for w in widgets if w["properties"]["title"].startswith("Time an execution")]
    labels = {metric[-1]["label"] for metric in times["metrics"]}
    machines = {
        "launch",
        "restore",
        "regenie",
        "jobs of a phase",
        "snakemake",
        "tibanna",
        "cleanup",
        "benchmark",
        "export",
    }
    assert machines == labels
    (cost,) = [w["properties"] for w in widgets if w["properties"]["title"].startswith("Cost a day")]
    assert "'Sum', 86400)" in cost["metrics"][0][0]["expression"]
