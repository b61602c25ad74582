"""A Snakefile that is dropped runs for real: launcher on ECS, Tibanna's unicorn, an instance for each job."""

import json
import uuid
from typing import Any

import pytest

from genolaunch.contract.settings import Parameter
from tests.local.platform_client import PlatformClient, eventually
from tests.local.tibanna_launches import EXAMPLE

pytestmark = pytest.mark.local


def drop(platform: PlatformClient, snakefile: str | None = None, storage_class: str = "STANDARD") -> str:
    """When: the example's data and sources are uploaded, the Snakefile last; the launch's name."""
    name = f"reads{uuid.uuid4().hex[:6]}"
    bucket = platform.name(Parameter.LAUNCH_BUCKET)
    for path in (EXAMPLE / "data").rglob("*.gz"):
        key = f"{name}/{path.relative_to(EXAMPLE / 'data')}"
        about = {"StorageClass": storage_class}
        platform.s3.upload_file(str(path), platform.name(Parameter.DATA_BUCKET), key, ExtraArgs=about)
    workflow = EXAMPLE / "workflow"
    for path in workflow.rglob("*"):
        if path.is_file() and path.name != "Snakefile":
            platform.s3.upload_file(str(path), bucket, f"snakefiles/{name}/{path.relative_to(workflow)}")
    body = snakefile or (workflow / "Snakefile").read_text()
    platform.s3.put_object(Bucket=bucket, Key=f"snakefiles/{name}/Snakefile", Body=body)
    return name


def launch_of(platform: PlatformClient, name: str) -> dict[str, Any]:
    """The launch of that name."""

    def look() -> dict[str, Any] | None:
        return next((each for each in platform.all_launches() if each.get("name") == name), None)

    return eventually(look, f"a launch {name}")


def finished_counts(platform: PlatformClient, launch_id: str) -> dict[str, Any] | None:
    """The launch's progress, once all is done: it comes by a queue, seconds later."""
    counts = platform.launch(launch_id).get("progress") or {}
    return counts if counts.get("done") and counts["done"] == counts["total"] else None


def with_price(platform: PlatformClient, launch_id: str) -> dict[str, Any] | None:
    """The launch, once its price is settled one way or the other."""
    launch = platform.launch(launch_id)
    return launch if launch.get("costStatus") in {"PRICED", "UNKNOWN"} else None


def test_a_dropped_workflow_runs_to_its_end_and_a_failing_one_says_why(platform: PlatformClient):
    good = drop(platform)
    bad = drop(platform, "rule all:\n    output: 'x'\n    shell: 'echo no such reference >&2; exit 3'\n")

    done = platform.complete(launch_of(platform, good)["launchId"])
    counts = eventually(lambda: finished_counts(platform, done["launchId"]), "its last progress")
    assert counts["done"] == counts["total"] > 0
    report = platform.s3.get_object(Bucket=platform.name(Parameter.DATA_BUCKET), Key=f"{good}/report.tsv")["Body"]
    assert b"liver" in report.read()
    log = platform.client("logs").get_log_events(logGroupName=done["logGroup"], logStreamName=done["logStream"])
    assert any("steps (100%) done" in event["message"] for event in log["events"])

    priced = eventually(lambda: with_price(platform, done["launchId"]), "its price")
    assert priced["costStatus"] == "PRICED", priced
    jobs = json.loads(platform.result(done["launchId"], "launcher/jobs-1.json"))["jobs"]
    instances = {line["resource"] for line in priced["costBreakdown"] if line["kind"] == "instance"}
    assert len(instances) == len([job for job in jobs if job["id"]]) > 0
    assert {line["kind"] for line in priced["costBreakdown"]} == {"instance", "volume", "fargate"}

    failed = platform.wait_for(launch_of(platform, bad)["launchId"])
    assert failed["status"] == "FAILED"
    assert failed["error"]["type"] == "ApplicationError"
    assert "no such reference" in failed["error"]["message"]
    for launch in (done, failed):
        platform.assert_clean(launch["launchId"])


@pytest.mark.full
def test_a_workflow_waits_for_its_archived_data_and_goes_on_by_itself(platform: PlatformClient):
    launch_id = launch_of(platform, drop(platform, storage_class="GLACIER"))["launchId"]

    waiting = platform.wait_for(launch_id, "WAITING")
    assert waiting["statusReason"].startswith("3 objects, ")

    done = platform.complete(launch_id)
    assert [event["status"] for event in done["events"]][-4:] == ["WAITING", "READY", "RUNNING", "COMPLETE"]
    priced = eventually(lambda: with_price(platform, launch_id), "its price")
    assert priced["costStatus"] == "PRICED", priced
    # Then: what was restored for the first attempt is in the bill of the second
    (copies,) = [line for line in priced["costBreakdown"] if "copies" in line["description"]]
    assert (copies["kind"], copies["resource"]) == ("restore", "restore of attempt 1")
    platform.assert_clean(launch_id)


def test_a_cancelled_workflow_leaves_no_instance_and_no_execution(platform: PlatformClient):
    name = drop(platform, "rule all:\n    output: 'x'\n    shell: 'sleep 300'\n")
    launch_id = launch_of(platform, name)["launchId"]

    def job() -> dict[str, Any] | None:
        try:
            jobs = json.loads(platform.result(launch_id, "launcher/jobs-1.json"))["jobs"]
        except platform.s3.exceptions.NoSuchKey:
            return None
        return jobs[0] if jobs else None

    def instances(*states: str) -> list[str]:
        names = {"Name": "tag:Name", "Values": [f"awsem-{submitted['id']}"]}
        filters = [names, {"Name": "instance-state-name", "Values": list(states)}]
        reservations = platform.client("ec2").describe_instances(Filters=filters)["Reservations"]
        return [instance["InstanceId"] for each in reservations for instance in each["Instances"]]

    submitted = eventually(job, "a job")
    eventually(lambda: instances("running"), "its instance")
    platform.set_status(launch_id, "CANCEL_REQUESTED")

    assert platform.wait_for(launch_id, "CANCELLED")
    eventually(lambda: not instances("pending", "running"), "no instance")
    machine = platform.name(Parameter.TIBANNA_STATE_MACHINE)
    execution = f"{machine.replace(':stateMachine:', ':execution:')}:{submitted['name']}"
    # Snakemake ends an instance before its execution, and the launch may be over in between.
    eventually(lambda: platform.states.describe_execution(executionArn=execution)["status"] == "ABORTED", "its end")
    platform.assert_clean(launch_id)
