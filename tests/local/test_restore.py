"""Archived inputs on the embedded cloud: launches wait for them, and go on by themselves."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from genolaunch.contract.launch_bucket import RESTORES_PREFIX
from genolaunch.contract.settings import Parameter
from tests.local.conftest import IAM_ENFORCED
from tests.local.platform_client import COHORT, LAST_RESORT, STAGE, PlatformClient, eventually, gwas_config

pytestmark = pytest.mark.local


def upload(platform: PlatformClient, prefix: str, classes: Mapping[str, str]) -> None:
    """Puts the cohort below the prefix, each file in the storage class that its suffix has in `classes`."""
    for path in COHORT.iterdir():
        platform.s3.upload_file(
            str(path),
            platform.name(Parameter.DATA_BUCKET),
            prefix + path.name,
            ExtraArgs={"StorageClass": classes.get(path.suffix, "STANDARD")},
        )


def archive(platform: PlatformClient, key: str, tier: str) -> None:
    """Lets an object of Intelligent-Tiering move to an archive tier, as it would after months."""
    platform.inject("glacier", {"archive": {"bucket": platform.name(Parameter.DATA_BUCKET), "key": key, "tier": tier}})


def launch(platform: PlatformClient, prefix: str, **changes: Any) -> str:
    """Drops a small launch on the data below the prefix."""
    regenie = gwas_config(traits=["height"], step1={"block_size": 1000}, step2={"variants_per_job": 100_000})
    answer = platform.drop({**regenie, "name": "archived", "data": prefix, **changes})
    assert answer["accepted"], answer
    launch_id: str = answer["launchId"]
    return launch_id


def command_line(platform: PlatformClient, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Runs genolaunch as a person does."""
    program = Path(sys.executable).with_name("genolaunch")
    environment = {**os.environ, **platform.environment}
    return subprocess.run(
        [program, *arguments, "--stage", STAGE], env=environment, capture_output=True, text=True, timeout=LAST_RESORT
    )


@pytest.fixture
def slow_restores(platform: PlatformClient) -> Iterator[None]:
    """Given: restores that take half a minute, so that launches are dropped meanwhile, also on a busy machine."""
    platform.inject("glacier", {"scale": 10})
    yield
    platform.inject("glacier", {"scale": 1})


def test_archived_cohorts_are_restored_and_their_launches_go_on_by_themselves(platform, slow_restores):
    # Given: a cohort in Glacier, one in many classes, and a launch that wants the same as another
    upload(platform, "frozen/", dict.fromkeys((".bed", ".bim", ".fam", ".txt"), "GLACIER"))
    mixed = {".bed": "DEEP_ARCHIVE", ".bim": "INTELLIGENT_TIERING", ".fam": "GLACIER", ".txt": "GLACIER_IR"}
    upload(platform, "mixed/", mixed)
    archive(platform, "mixed/cohort.bim", "DEEP_ARCHIVE_ACCESS")
    # And: S3 has no time for the first requests, and says everything twice and in another order
    platform.inject("glacier", {"throttle": 3})
    platform.inject("glacier", {"repeatEvents": 8})
    platform.inject("glacier", {"shuffleEvents": 4})

    frozen, mix = launch(platform, "frozen/"), launch(platform, "mixed/")
    reasons = [platform.wait_for(each, "WAITING")["statusReason"] for each in (frozen, mix)]
    second = launch(platform, "mixed/")
    platform.wait_for(second, "WAITING")

    # Then: what a person reads
    assert reasons[0] == "5 objects, 285 kB, Bulk: ready in 5 to 12 hours"
    assert reasons[1].startswith("3 objects, ")
    assert reasons[1].endswith("Bulk: ready within 48 hours")
    # And: all of them come to their end, and nothing was paid for twice
    for each in (frozen, mix, second):
        done = platform.complete(each)
        assert done["attempt"] == 2
        assert "statusReason" not in done
    items = [platform.restore(each) for each in (frozen, mix, second)]
    assert [(item["objects"], item["restored"], item["pending"], item["failed"]) for item in items] == [
        (5, 5, 0, 0),
        (3, 3, 0, 0),
        (3, 3, 0, 0),
    ]
    assert platform.result(mix, "gwas/height.regenie.gz") == platform.result(second, "gwas/height.regenie.gz")
    for each in (frozen, mix, second):
        platform.assert_clean(each)


def test_what_no_event_tells_of_is_found_by_asking(platform):
    # Given: the only completion is lost
    upload(platform, "lost/", {".fam": "GLACIER"})
    platform.inject("glacier", {"loseEvents": 1})
    launch_id = launch(platform, "lost/")
    platform.wait_for(launch_id, "WAITING")
    eventually(lambda: is_restored(platform, "lost/cohort.fam"), "the restore")

    # When: its time is over, and the schedule comes round
    item = eventually(lambda: indexed(platform, launch_id), "the index")
    platform.dynamodb.update_item(
        TableName=platform.name(Parameter.TASK_TABLE),
        Key={name: {"S": item[name]} for name in ("launchId", "taskId")},
        UpdateExpression="SET checkAt = :past",
        ExpressionAttributeValues={":past": {"S": "2026-01-01T00:00:00.000Z"}},
    )
    platform.client("lambda").invoke(FunctionName="genolaunch-local-restore-look-after", Payload=b"{}")

    # Then
    platform.complete(launch_id)


def test_a_restore_that_cannot_begin_ends_its_launch_and_says_why(platform):
    # Given: a launch that waits, since its only completion is lost
    upload(platform, "begun/", {".fam": "GLACIER"})
    platform.inject("glacier", {"loseEvents": 1})
    launch_id = launch(platform, "begun/")
    eventually(lambda: indexed(platform, launch_id), "the index")
    eventually(lambda: is_restored(platform, "begun/cohort.fam"), "the restore")

    # When: its restore config comes again, with a prefix that the platform may not list
    place = {"Bucket": platform.name(Parameter.LAUNCH_BUCKET), "Key": f"{RESTORES_PREFIX}{launch_id}/1.json"}
    config = json.loads(platform.s3.get_object(**place)["Body"].read())
    platform.s3.put_object(**place, Body=json.dumps(config | {"urls": ["s3://nobodys-data/cohort/"]}))

    # Then
    ended = platform.wait_for(launch_id)
    assert ended["status"] == "REJECTED"
    assert "s3://nobodys-data/cohort/" in str(ended["error"]["faults"])
    if IAM_ENFORCED:
        assert all("s3:ListBucket on arn:aws:s3:::nobodys-data" in one for one in platform.forget_refusals())


def test_a_dear_restore_waits_until_a_person_approves_it_or_cancels_it(platform):
    # Given: five Expedited requests are above the local stage's limit
    upload(platform, "dear/", dict.fromkeys((".bed", ".bim", ".fam", ".txt"), "GLACIER"))
    wanted, unwanted = [launch(platform, "dear/", restore={"tier": "Expedited"}) for _ in range(2)]

    held = [platform.wait_for(each, "HELD") for each in (wanted, unwanted)]
    assert all("approve the launch, or cancel it" in each["statusReason"] for each in held)
    assert not is_restored(platform, "dear/cohort.bed")
    assert command_line(platform, "restores", wanted).returncode == 0

    # When
    said = command_line(platform, "approve", wanted)
    assert (said.returncode, said.stdout) == (0, f"Launch {wanted} is approved.\n"), said.stderr
    assert command_line(platform, "cancel", unwanted).returncode == 0

    # Then
    assert platform.wait_for(unwanted)["status"] == "CANCELLED"
    done = platform.complete(wanted)
    statuses = [event["status"] for event in done["events"]]
    assert statuses == ["SUBMITTED", "RUNNING", "HELD", "READY", "RUNNING", "WAITING", "READY", "RUNNING", "COMPLETE"]
    item = platform.restore(wanted, attempt=2)
    assert (item["objects"], item["restored"], item["tier"]) == (5, 5, "Expedited")
    assert platform.restore(unwanted) == {}
    assert command_line(platform, "approve", wanted).returncode == 3  # once is enough
    for each in (wanted, unwanted):
        platform.assert_clean(each)


def test_an_archive_refuses_what_s3_refuses(platform):
    bucket = platform.name(Parameter.DATA_BUCKET)
    platform.s3.put_object(Bucket=bucket, Key="tiers/x", Body=b"x", StorageClass="INTELLIGENT_TIERING")
    archive(platform, "tiers/x", "ARCHIVE_ACCESS")

    with pytest.raises(ClientError, match="InvalidObjectState"):
        platform.s3.get_object(Bucket=bucket, Key="tiers/x")
    with pytest.raises(ClientError, match="Days"):
        platform.s3.restore_object(Bucket=bucket, Key="tiers/x", RestoreRequest={"Days": 1})
    assert platform.s3.head_object(Bucket=bucket, Key="tiers/x")["ArchiveStatus"] == "ARCHIVE_ACCESS"

    request = {"GlacierJobParameters": {"Tier": "Expedited"}}
    platform.s3.restore_object(Bucket=bucket, Key="tiers/x", RestoreRequest=request)
    (listed,) = platform.s3.list_objects_v2(Bucket=bucket, Prefix="tiers/", OptionalObjectAttributes=["RestoreStatus"])[
        "Contents"
    ]
    assert listed["RestoreStatus"] == {"IsRestoreInProgress": True}
    with pytest.raises(ClientError, match="RestoreAlreadyInProgress"):
        platform.s3.restore_object(Bucket=bucket, Key="tiers/x", RestoreRequest=request)
    eventually(lambda: is_readable(platform, "tiers/x"), "the object")
    assert "ArchiveStatus" not in platform.s3.head_object(Bucket=bucket, Key="tiers/x")


def is_restored(platform: PlatformClient, key: str) -> bool:
    head = platform.s3.head_object(Bucket=platform.name(Parameter.DATA_BUCKET), Key=key)
    return 'ongoing-request="false"' in head.get("Restore", "")


def is_readable(platform: PlatformClient, key: str) -> bool:
    try:
        return bool(platform.s3.get_object(Bucket=platform.name(Parameter.DATA_BUCKET), Key=key)["Body"].read())
    except ClientError as error:
        assert error.response["Error"]["Code"] == "InvalidObjectState"  # noqa: PT017 - it may be read later
        return False


def indexed(platform: PlatformClient, launch_id: str) -> dict[str, Any] | None:
    item = platform.restore(launch_id)
    return item if item.get("indexed") else None
