"""Files dropped into the launch bucket: what the table, the feedback object and the topic say of them."""

import json
import re

import boto3
import pytest

from genolaunch.contract.launch import Status
from lambdas.workflow_manager import register_launch

from .conftest import GOOD, LAUNCH_BUCKET, PRINCIPAL

FIVE_FAULTS = """
workflow: regenie
data: /cohort
regenie:
  genotypes: cohort.vcf
  phenotypes: phenotypes.txt
  traits: []
  trait_type: quantitative
  step2: {variants_per_job: -9876543}
"""


def test_a_good_config_becomes_a_submitted_launch(platform):
    answer = platform.register(platform.put("launches/team/height.yaml", GOOD, Metadata={"submission-id": "mine"}))

    assert answer == {"batchItemFailures": []}
    (launch,) = platform.launches()
    assert re.fullmatch(r"height-gwas-20261121t040000-[0-9a-f]{8}", launch.launch_id)
    assert (launch.status, launch.attempt, launch.requested_by) == (Status.SUBMITTED, 0, PRINCIPAL)
    assert (launch.workflow, launch.compute_service) == ("regenie", "batch-spot")
    assert launch.data_path == "s3://genolaunch-test-data/cohort/"
    assert launch.config_uri == f"s3://{LAUNCH_BUCKET}/launches/team/height.yaml"
    assert launch.submitted_at == "2026-11-21T04:00:00.000Z"
    assert launch.config["regenie"]["step2"]["datasets"] == [{"genotypes": "cohort.bed"}]
    feedback = platform.feedback("feedback/team/height.yaml.json")
    assert feedback["object"].pop("etag")
    assert feedback["object"].pop("sequencer") == "0000000000000001"
    version = feedback["object"].pop("versionId")
    assert version
    assert feedback.pop("at") > "2026"
    assert feedback == {
        "accepted": True,
        "launchId": launch.launch_id,
        "status": "SUBMITTED",
        "faults": [],
        "object": {"bucket": LAUNCH_BUCKET, "key": "launches/team/height.yaml"},
        "submissionId": "mine",
    }
    assert platform.notices() == []


def test_five_faults_are_one_rejection_that_lists_five(platform):
    platform.register(platform.put("launches/My Study.yaml", FIVE_FAULTS))

    (launch,) = platform.launches()
    assert launch.launch_id.startswith("my-study-20261121t040000-")
    assert launch.status == Status.REJECTED
    assert launch.error["type"] == "MissingRequiredParametersError"
    assert [fault["where"] for fault in launch.error["faults"]] == [
        "name",
        "data",
        "regenie.genotypes",
        "regenie.traits",
        "regenie.step2.variants_per_job",
    ]
    feedback = platform.feedback("feedback/My Study.yaml.json")
    assert (feedback["accepted"], feedback["status"]) == (False, "REJECTED")
    assert feedback["faults"] == launch.error["faults"]
    (notice,) = platform.notices()
    assert notice["Subject"] == "Genolaunch test: My Study was rejected"
    assert "The launch config has 5 faults." in notice["Message"]
    assert "-9876543" not in notice["Message"]  # a notice quotes nothing that the file says


@pytest.mark.parametrize("body", [GOOD, FIVE_FAULTS])
def test_one_event_delivered_twice_is_one_launch(platform, body):
    record = platform.put("launches/height.yaml", body)

    platform.register(record, record)

    (launch,) = platform.launches()
    assert platform.feedback("feedback/height.yaml.json")["launchId"] == launch.launch_id


def test_the_same_bytes_again_are_answered_with_the_unfinished_launch_and_later_make_a_new_one(platform):
    platform.register(platform.put("launches/height.yaml", GOOD))
    (first,) = platform.launches()
    platform.repository.claim(first.launch_id, "arn")

    platform.register(platform.put("launches/height.yaml", GOOD))
    answer = platform.feedback("feedback/height.yaml.json")
    assert (answer["accepted"], answer["launchId"], answer["status"]) == (True, first.launch_id, "RUNNING")

    platform.repository.change_status(first.launch_id, Status.COMPLETE, execution_arn="arn")
    platform.register(platform.put("launches/height.yaml", GOOD))
    assert len(platform.launches()) == 2


SNAKEFILE = "rule all:"


@pytest.mark.parametrize(
    "key",
    [
        "snakefiles/calls/Snakefile",
        "snakefiles/calls/snakefile",
        "snakefiles/calls/workflow/Snakefile",
        "snakefiles/calls/workflow/snakefile",
    ],
)
def test_a_snakefile_is_launched_where_snakemake_would_find_it(platform, key):
    platform.register(platform.put(key, SNAKEFILE))

    (launch,) = platform.launches()
    assert (launch.name, launch.data_path) == ("calls", "s3://genolaunch-test-data/calls/")
    assert launch.config["snakemake"]["snakefile"] == key


def test_two_projects_in_snakemakes_own_layout_are_two_launches_with_folders_of_their_own(platform):
    for project in ("projA", "projB"):
        platform.register(platform.put(f"snakefiles/{project}/workflow/Snakefile", SNAKEFILE))

    assert {(each.name, each.data_path) for each in platform.launches()} == {
        ("projA", "s3://genolaunch-test-data/projA/"),
        ("projB", "s3://genolaunch-test-data/projB/"),
    }


@pytest.mark.parametrize(
    "key",
    [
        "snakefiles/Snakefile",
        "snakefiles/a/b/Snakefile",
        "snakefiles/a/workflow/b/Snakefile",
        "snakefiles/a/b/snakefile",
    ],
)
def test_a_snakefile_elsewhere_gets_an_answer_and_no_launch(platform, key):
    platform.register(platform.put(key, SNAKEFILE))

    answer = platform.feedback(f"feedback/{key}.json")
    assert (answer["accepted"], answer["launchId"]) == (False, None)
    (fault,) = answer["faults"]
    assert key in fault["problem"]
    assert "snakefiles/NAME/workflow/Snakefile" in fault["remedy"]
    assert platform.launches() == []


@pytest.mark.parametrize("beside", ["snakefiles/calls/units.tsv", "snakefiles/calls/config/config.yaml"])
def test_a_snakefile_whose_sources_changed_is_another_launch(platform, beside):
    key = "snakefiles/calls/workflow/Snakefile" if "config" in beside else "snakefiles/calls/Snakefile"
    platform.put(beside, "one")
    platform.register(platform.put(key, SNAKEFILE))
    platform.register(platform.put(key, SNAKEFILE))
    assert len(platform.launches()) == 1
    assert platform.feedback(f"feedback/{key}.json")["repeats"] is True

    platform.put(beside, "two")
    platform.register(platform.put(key, SNAKEFILE))

    assert len(platform.launches()) == 2
    assert "repeats" not in platform.feedback(f"feedback/{key}.json")


def test_a_config_whose_workflow_changed_is_another_launch(platform):
    config = "name: calls\nworkflow: snakemake\ndata: calls\nsnakemake: {snakefile: workflows/calls/Snakefile}\n"
    platform.put("workflows/calls/Snakefile", "rule all:")
    platform.register(platform.put("launches/calls.yaml", config))
    platform.put("workflows/calls/Snakefile", "rule other:")
    platform.register(platform.put("launches/calls.yaml", config))

    assert len(platform.launches()) == 2


def test_the_version_that_was_dropped_is_read_also_when_a_newer_one_is_there(platform):
    older = platform.put("launches/height.yaml", GOOD)
    newer = platform.put("launches/height.yaml", GOOD.replace("height-gwas", "newer"))

    platform.register(newer, older)

    assert {launch.name for launch in platform.launches()} == {"height-gwas", "newer"}


def test_without_versions_a_replaced_file_is_left_to_its_own_event(platform):
    boto3.client("s3").put_bucket_versioning(Bucket=LAUNCH_BUCKET, VersioningConfiguration={"Status": "Suspended"})
    older = platform.put("launches/height.yaml", GOOD)
    newer = platform.put("launches/height.yaml", GOOD.replace("height-gwas", "newer"))
    for record in (older, newer):
        record["s3"]["object"].pop("versionId")

    platform.register(older, newer)

    assert [launch.name for launch in platform.launches()] == ["newer"]


def test_a_file_that_was_withdrawn_is_passed_over(platform):
    record = platform.put("launches/height.yaml", GOOD)
    boto3.client("s3").delete_object(
        Bucket=LAUNCH_BUCKET, Key="launches/height.yaml", VersionId=record["s3"]["object"]["versionId"]
    )

    assert platform.register(record) == {"batchItemFailures": []}
    assert platform.launches() == []


def test_keys_are_url_encoded_in_notifications(platform):
    record = platform.put("launches/größe + mehr.yaml", GOOD)
    record["s3"]["object"]["key"] = "launches/gr%C3%B6%C3%9Fe+%2B+mehr.yaml"

    platform.register(record)

    assert platform.feedback_keys() == ["feedback/größe + mehr.yaml.json"]


@pytest.mark.parametrize(
    ("key", "body", "problem"),
    [
        ("launches/readme.txt", GOOD, "must be named .yaml, .yml, .json"),
        ("launches/large.yaml", b"#" * 65_537, "has 65,537 bytes; a launch config may have 65,536"),
        ("launches/empty.yaml", b"", "must hold keys such as name and workflow; it holds nothing"),
        ("launches/yaml.json", GOOD, "is not JSON: Expecting value"),
    ],
)
def test_what_is_no_launch_config_is_rejected_with_feedback(platform, key, body, problem):
    platform.register(platform.put(key, body))

    (launch,) = platform.launches()
    (fault,) = platform.feedback(f"feedback/{key.removeprefix('launches/')}.json")["faults"]
    assert launch.status == Status.REJECTED
    assert problem in fault["problem"]


def test_what_is_not_for_the_platform_is_passed_over(platform):
    marker = platform.put("launches/team/", b"")
    elsewhere = platform.put("feedback/height.yaml.json", b"{}")
    removed = {**platform.put("launches/height.yaml", GOOD), "eventName": "ObjectRemoved:Delete"}
    test_event = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": LAUNCH_BUCKET}

    assert platform.deliver({"Records": [marker, elsewhere, removed]}, test_event) == {"batchItemFailures": []}
    assert platform.launches() == []
    assert platform.feedback_keys() == ["feedback/height.yaml.json"]


def test_one_message_may_tell_of_several_files(platform):
    records = [platform.put(f"launches/{name}.yaml", GOOD) for name in ("one", "two")]

    platform.deliver({"Records": records})

    assert len(platform.launches()) == 2


def test_only_messages_that_failed_are_delivered_again(platform):
    good = platform.put("launches/height.yaml", GOOD)
    unreadable = platform.put("launches/other.yaml", GOOD)
    unreadable["s3"]["bucket"]["name"] = "a-bucket-that-is-not-there"

    answer = platform.deliver({"Records": [unreadable]}, {"Records": [good]}, "not a notification")

    assert answer == {"batchItemFailures": [{"itemIdentifier": "0"}, {"itemIdentifier": "2"}]}
    assert len(platform.launches()) == 1


def test_json_is_read_as_well(platform):
    config = {
        "name": "height-gwas",
        "workflow": "regenie",
        "data": "s3://lab-data/cohort",
        "regenie": {
            "genotypes": "cohort.bed",
            "phenotypes": "phenotypes.txt",
            "traits": ["height"],
            "trait_type": "quantitative",
        },
    }
    platform.register(platform.put("launches/height.json", json.dumps(config)))

    (launch,) = platform.launches()
    assert (launch.status, launch.data_path) == (Status.SUBMITTED, "s3://lab-data/cohort/")


@pytest.mark.parametrize(
    "body",
    [
        b"\xff\xfe",
        b"[" * 3000,
        b"!!python/object:os.system {}",
        b"".join(b"k%d: 1\n" % number for number in range(6000)),
        b'"' + b"k" * 60_000 + b'": 1',
    ],
    ids=["no text", "deep", "tag", "many faults", "long key"],
)
def test_odd_configs_are_rejected_like_any_other(platform, body):
    assert platform.register(platform.put("launches/odd.yaml", body)) == {"batchItemFailures": []}

    (launch,) = platform.launches()
    assert launch.status == Status.REJECTED
    assert platform.feedback("feedback/odd.yaml.json")["faults"] == launch.error["faults"]
    assert len(platform.notices()) == 1


def test_all_missing_settings_are_named_at_once(platform, monkeypatch):
    monkeypatch.delenv("DATA_BUCKET")
    monkeypatch.setenv("TASK_TABLE", "")
    register_launch.settings.cache_clear()

    with pytest.raises(Exception, match="TASK_TABLE, DATA_BUCKET"):
        platform.register()


def test_launches_are_counted_by_workflow_as_the_dashboard_looks_for_them(platform, capsys):
    platform.register(platform.put("launches/good.yaml", GOOD), platform.put("launches/bad.yaml", "no: config"))

    counted = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"_aws"' in line]
    found = {name: each["workflow"] for each in counted for name in each if name.startswith("Launches")}
    assert found == {"LaunchesSubmitted": "regenie", "LaunchesRejected": "none"}
    dimensions = [each["_aws"]["CloudWatchMetrics"][0]["Dimensions"] for each in counted if "workflow" in each]
    assert all(sorted(*each) == ["service", "stage", "workflow"] for each in dimensions)
