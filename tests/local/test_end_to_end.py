"""A config dropped into S3 becomes a finished GWAS, and whatever happens nothing stays behind."""

import gzip
import json
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from genolaunch.contract.settings import Parameter
from tests.local.platform_client import COHORT, PlatformClient, eventually, gwas_config

pytestmark = pytest.mark.local

EXPECTED = Path(__file__).parents[1] / "data" / "gwas" / "expected"


def rows(content: bytes) -> list[dict[str, str]]:
    """The rows of a .regenie.gz file."""
    lines = gzip.decompress(content).decode().splitlines()
    names = lines[0].split()
    return [dict(zip(names, line.split(), strict=True)) for line in lines[1:]]


def assert_same_statistics(actual: bytes, expected: bytes) -> None:
    """Then: the same variants in the same order, every number at most 1e-5 from real regenie's."""
    ours, theirs = rows(actual), rows(expected)
    assert [r["ID"] for r in ours] == [r["ID"] for r in theirs]
    for mine, real in zip(ours, theirs, strict=True):
        for column in ("A1FREQ", "N", "BETA", "SE", "CHISQ", "LOG10P"):
            assert float(mine[column]) == pytest.approx(float(real[column]), abs=1e-5, rel=1e-5), (mine["ID"], column)


@pytest.fixture(scope="module")
def finished(platform: PlatformClient) -> dict[str, Any]:
    """Given: a launch that ran to its end (level 0 in 3 jobs, 2 traits, several chunks).

    Step 1 takes every variant, as in the run of the real regenie that it is compared with.
    """
    answer = platform.drop(gwas_config(step1={"block_size": 100, "jobs": 3, "qc": False}))
    assert answer["accepted"], answer
    return platform.wait_for(answer["launchId"])


def test_a_dropped_config_becomes_a_finished_gwas(platform, finished):
    assert finished["status"] == "COMPLETE", finished
    for trait in ("height", "ldl"):
        actual = platform.result(finished["launchId"], f"gwas/{trait}.regenie.gz")
        assert_same_statistics(actual, (EXPECTED / f"qt_step2_{trait}.regenie.gz").read_bytes())


def test_the_report_shows_both_traits_and_their_top_hits(platform, finished):
    report = platform.result(finished["launchId"], "report.html").decode()
    for trait in ("height", "ldl"):
        expected = rows((EXPECTED / f"qt_step2_{trait}.regenie.gz").read_bytes())
        top = max(expected, key=lambda row: float(row["LOG10P"]))
        assert f"Manhattan plot of {trait}" in report
        assert top["ID"] in report
    assert "<script src" not in report, "the report must be one self-contained file"


def test_the_table_tells_the_whole_story(finished):
    assert finished["attempt"] == 1
    assert finished["workflow"] == "regenie"
    assert finished["submittedAt"] <= finished["startedAt"] <= finished["endedAt"]
    assert str(finished["reportUri"]).endswith(f"results/{finished['launchId']}/report.html")
    assert finished["requestedBy"]


def test_nothing_is_left_after_success(platform, finished):
    platform.assert_clean(finished["launchId"])


def test_a_launch_makes_no_more_transitions_than_its_states_and_some_waits(platform, finished):
    """Each transition costs money on AWS. This launch makes 49, and more if it polls often."""
    history = platform.states.get_paginator("get_execution_history")
    entered = [
        event["stateEnteredEventDetails"]["name"]
        for page in history.paginate(executionArn=finished["workflowExecutionArn"])
        for event in page["events"]
        if "stateEnteredEventDetails" in event
    ]

    assert len(entered) > 20
    assert len(entered) < 100, Counter(entered).most_common(5)


def test_one_chunk_one_trait_one_block(platform):
    # Given: the cohort's first chromosome alone, since chromosomes cut blocks and chunks
    data = platform.name(Parameter.DATA_BUCKET)
    variants = [v for v in (COHORT / "cohort.bim").read_text().splitlines(keepends=True) if v.startswith("1\t")]
    bytes_per_variant = -(-800 // 4)  # 800 people, two bits each
    files = {
        "cohort.bim": "".join(variants).encode(),
        "cohort.bed": (COHORT / "cohort.bed").read_bytes()[: 3 + len(variants) * bytes_per_variant],
        **{name: (COHORT / name).read_bytes() for name in ("cohort.fam", "phenotypes.txt", "covariates.txt")},
    }
    for name, content in files.items():
        platform.s3.put_object(Bucket=data, Key=f"single/{name}", Body=content)
    # When: a Batch array needs at least 2 jobs, so each phase must be a plain job
    config = gwas_config(traits=["height"], step1={"block_size": 1000}, step2={"variants_per_job": 100_000})
    launch_id = platform.drop(config | {"data": "single/"})["launchId"]
    # Then
    platform.complete(launch_id)
    assert len(rows(platform.result(launch_id, "gwas/height.regenie.gz"))) == len(variants)


def test_step_2_only_with_the_predictions_of_an_earlier_launch(platform, finished, tmp_path):
    # Given: the predictions that an earlier launch exported, put beside the data
    earlier = finished["launchId"]
    bucket, data = platform.name(Parameter.RESULTS_BUCKET), platform.name(Parameter.DATA_BUCKET)
    prefix = f"results/{earlier}/step1/predictions/"
    locos = [
        o["Key"]
        for o in platform.s3.list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]
        if o["Key"].endswith(".loco")
    ]
    assert len(locos) == 2
    lines = []
    for key in sorted(locos):
        trait = key.removeprefix(prefix).split("/")[0]
        platform.s3.copy_object(Bucket=data, Key=f"cohort/pred/{trait}.loco", CopySource={"Bucket": bucket, "Key": key})
        lines.append(f"{trait} {trait}.loco\n")
    platform.s3.put_object(Bucket=data, Key="cohort/pred/pred.list", Body="".join(lines))
    # When: step 2 alone is asked for
    config = gwas_config(step1={"enabled": False, "predictions": "pred/pred.list"})
    launch_id = platform.drop(config)["launchId"]
    # Then: the same statistics, and no step 1 job
    platform.complete(launch_id)
    assert {j["jobName"].rsplit("-", 1)[1] for j in platform.jobs(launch_id)} == {"step2", "merge", "report"}
    assert platform.result(launch_id, "gwas/ldl.regenie.gz") == platform.result(earlier, "gwas/ldl.regenie.gz")


def test_an_earlier_launchs_predictions_are_used_by_its_id(platform, finished):
    # When: a later launch names the earlier one
    config = gwas_config(step1={"enabled": False, "from_launch": finished["launchId"]})
    launch_id = platform.drop(config)["launchId"]
    # Then: the same bytes, no step 1 job, and predictions of its own for a third launch
    platform.complete(launch_id)
    assert {j["jobName"].rsplit("-", 1)[1] for j in platform.jobs(launch_id)} == {"step2", "merge", "report"}
    for trait in ("height", "ldl"):
        path = f"gwas/{trait}.regenie.gz"
        assert platform.result(launch_id, path) == platform.result(finished["launchId"], path)
    loco = "step1/predictions/ldl/step1_2.loco"
    assert platform.result(launch_id, loco) == platform.result(finished["launchId"], loco)
    # And: with other covariates they are not this analysis's predictions
    other = config | {"regenie": config["regenie"] | {"covariate_columns": ["age"]}}
    rejected = platform.wait_for(platform.drop(other)["launchId"])
    assert rejected["status"] == "REJECTED"
    (fault,) = rejected["error"]["faults"]
    assert "had the covariates" in fault["problem"]


def test_five_faults_give_one_rejection_that_lists_five(platform):
    config = gwas_config(
        genotypes="cohort.vcf", traits=[], trait_type="ordinal", step2={"variants_per_job": -5}, fenotypes="x"
    )
    answer = platform.drop(config)
    assert answer["accepted"] is False
    assert len(answer["faults"]) == 5, answer["faults"]
    launch = platform.launch(answer["launchId"])
    assert launch["status"] == "REJECTED"
    assert launch["error"]["type"] == "MissingRequiredParametersError"
    assert len(launch["error"]["faults"]) == 5


def test_missing_inputs_reject_the_launch_before_anything_is_built(platform):
    config = gwas_config(phenotypes="nowhere.txt", covariates="nor-here.txt")
    launch = platform.wait_for(platform.drop(config)["launchId"])
    assert launch["status"] == "REJECTED"
    assert [fault["where"] for fault in launch["error"]["faults"]] == ["regenie.phenotypes", "regenie.covariates"]
    assert "fileSystemId" not in launch


def test_missing_inputs_reject_a_launch_while_it_waits_for_a_slot(platform):
    # Given: a stage whose slots are all taken
    ledger = {"launchId": {"S": "queue"}, "taskId": {"S": "ledger"}}
    table = platform.name(Parameter.TASK_TABLE)
    kept = platform.dynamodb.get_item(TableName=table, Key=ledger)["Item"]
    taken = {f"another-{number}-1": {"S": "somebody"} for number in range(50)}
    platform.dynamodb.put_item(TableName=table, Item=kept | {"running": {"M": taken}})
    try:
        # When
        missing = platform.drop(gwas_config(phenotypes="nowhere.txt", covariates="nor-here.txt"))["launchId"]
        complete = platform.drop(gwas_config())["launchId"]
        # Then: what cannot run is told at once, with everything that is missing; the other one waits
        launch = platform.wait_for(missing)
        assert launch["status"] == "REJECTED"
        assert [fault["where"] for fault in launch["error"]["faults"]] == ["regenie.phenotypes", "regenie.covariates"]
        assert [event["status"] for event in launch["events"]] == ["SUBMITTED", "QUEUED", "REJECTED"]
        assert platform.wait_for(complete, "QUEUED")
    finally:
        platform.ask(complete, "CANCEL_REQUESTED")
        platform.wait_for(complete)
        platform.dynamodb.update_item(
            TableName=table,
            Key=ledger,
            UpdateExpression="SET running = :running",
            ExpressionAttributeValues={":running": kept["running"]},
        )


def test_five_faults_of_the_data_reject_the_launch_and_all_are_named(platform):
    # Given: a word and a constant among the traits, people twice among phenotypes and genotypes, covariates of others,
    # and a data set twice. (One that is not there is told first, and alone, if the launch has to wait for a slot.)
    bucket = platform.name(Parameter.DATA_BUCKET)
    platform.upload_data(COHORT, "faulty/")
    header, first, *rest = [line.split() for line in (COHORT / "phenotypes.txt").read_text().splitlines()]
    people = [[*row[:2], "MARKEDVALUE" if row is first else row[2], "7"] for row in (first, *rest)]
    covariates = (COHORT / "covariates.txt").read_text().replace("\n", "\nX", 800)
    samples = (COHORT / "cohort.fam").read_text().splitlines(keepends=True)
    for name, content in {
        "phenotypes.txt": "".join(" ".join(row) + "\n" for row in (header, *people, people[5])),
        "covariates.txt": covariates.removesuffix("X"),
        "cohort.fam": "".join((*samples[:-1], samples[0])),
        "again.fam": "".join((*samples[:-1], samples[0])),
        "again.bed": (COHORT / "cohort.bed").read_bytes(),
        "again.bim": (COHORT / "cohort.bim").read_bytes(),
    }.items():
        platform.s3.put_object(Bucket=bucket, Key=f"faulty/{name}", Body=content)
    systems_before = {system["FileSystemId"] for system in platform.fsx.describe_file_systems()["FileSystems"]}
    # When
    config = gwas_config(step2={"datasets": [{"genotypes": "cohort.bed"}, {"genotypes": "again.bed"}]})
    launch = platform.wait_for(platform.drop(config | {"data": "faulty/"})["launchId"])
    # Then
    assert launch["status"] == "REJECTED", launch
    assert launch["error"]["type"] == "LaunchInputError"
    told = "\n".join(f"{fault['where']} {fault['problem']}" for fault in launch["error"]["faults"])
    for words in (
        "samples more than once",
        "MARKEDVALUE",
        people[5][1],
        "the value 7 for all",
        "people more than once",
        "lists nobody",
        "which has the content of cohort.bed",
    ):
        assert words in told, launch["error"]
    assert all(fault["remedy"] for fault in launch["error"]["faults"])
    # And: nothing was built for it, not even for a moment
    assert "fileSystemId" not in launch
    assert not platform.jobs(launch["launchId"])
    assert {system["FileSystemId"] for system in platform.fsx.describe_file_systems()["FileSystems"]} <= systems_before
    # And: what the launch table says in full is in no log (docs/security.md, "What is told to whom")
    logged = platform.all_logs()
    assert launch["launchId"] in logged
    for private in ("MARKEDVALUE", people[5][1], "the value 7 for all"):
        assert private not in logged


@pytest.fixture(scope="module")
def failed(platform: PlatformClient) -> dict[str, Any]:
    """Given: a launch whose jobs fail: everyone has the first variant's alleles alike, which only regenie notices."""
    bucket = platform.name(Parameter.DATA_BUCKET)
    platform.upload_data(COHORT, "broken/")
    genotypes = (COHORT / "cohort.bed").read_bytes()
    bytes_per_variant = -(-800 // 4)  # 800 people, two bits each
    same_for_all = genotypes[:3] + b"\xff" * bytes_per_variant + genotypes[3 + bytes_per_variant :]
    platform.s3.put_object(Bucket=bucket, Key="broken/cohort.bed", Body=same_for_all)
    config = gwas_config(step1={"block_size": 100, "jobs": 3, "qc": False})  # quality control would leave it out
    launch_id = platform.drop(config | {"data": "broken/"})["launchId"]
    return platform.wait_for(launch_id)


def test_a_failed_job_is_explained(platform, failed):
    assert failed["status"] == "FAILED"
    assert failed["error"]["type"] == "ApplicationError"
    tasks = [t for t in platform.tasks(failed["launchId"]) if t["taskId"].startswith("job#")]
    assert tasks
    assert all(t["exitCode"] != 0 for t in tasks)
    assert any("low variance" in t["logTail"] for t in tasks), tasks


def test_nothing_is_left_after_a_failed_job(platform, failed):
    platform.assert_clean(failed["launchId"])


@pytest.fixture
def big(platform: PlatformClient) -> dict[str, Any]:
    """A launch with many small chunks: long enough to be caught in the middle."""
    return gwas_config(step2={"variants_per_job": 10}) | {"name": f"stop-{uuid.uuid4().hex[:6]}"}


def test_nothing_is_left_when_the_execution_is_stopped_half_way(platform, big):
    launch_id = platform.drop(big)["launchId"]
    platform.wait_for_job(launch_id, "level0")
    platform.states.stop_execution(executionArn=platform.launch(launch_id)["executionArn"])
    launch = platform.wait_for(launch_id, "FAILED")
    assert launch["error"]["type"] == "StoppedError"
    platform.assert_clean(launch_id)


def test_a_cancelled_launch_ends_cancelled_and_leaves_nothing(platform, big):
    launch_id = platform.drop(big)["launchId"]
    platform.wait_for_job(launch_id, "step2")
    platform.dynamodb.update_item(
        TableName=platform.name(Parameter.LAUNCH_TABLE),
        Key={"launchId": {"S": launch_id}},
        UpdateExpression="SET #s = :s",
        ExpressionAttributeNames={"#s": "status"},
        ExpressionAttributeValues={":s": {"S": "CANCEL_REQUESTED"}},
    )
    platform.wait_for(launch_id, "CANCELLED")
    platform.assert_clean(launch_id)


@contextmanager
def launches_that_time_out(platform: PlatformClient, seconds: int) -> Iterator[None]:
    """Given: launches that start meanwhile have so long, by their state machine's own time-out. Others keep theirs."""

    def shorten(definition: str) -> str:
        return json.dumps(json.loads(definition) | {"TimeoutSeconds": seconds})

    with platform.changed_machine(platform.name(Parameter.LAUNCH_STATE_MACHINE), shorten):
        yield


def test_nothing_is_left_when_the_execution_times_out(platform, big):
    # So long that it is claimed before, also on a busy machine; and so many jobs that they take longer on any.
    big["regenie"]["step2"]["variants_per_job"] = 4
    with launches_that_time_out(platform, seconds=20):
        launch_id = platform.drop(big)["launchId"]
        eventually(lambda: platform.launch(launch_id).get("executionArn"), "the launch started")
    launch = platform.wait_for(launch_id, "FAILED")
    assert launch["error"]["type"] == "TimedOutError"
    platform.assert_clean(launch_id)


@pytest.fixture
def registration_serves_the_data_bucket(platform: PlatformClient) -> Iterator[None]:
    """Given: registration may read and answer there too, which no template grants it."""
    role = platform.role_name("workflow-manager", "FunctionsRegisterLaunchRole")
    bucket = platform.name(Parameter.DATA_BUCKET)
    # S3 says that an answer is not there to whoever may list only (S3 API reference, GetObject, "Permissions").
    actions = ["s3:GetObject", "s3:PutObject", "s3:ListBucket"]
    statement = {"Effect": "Allow", "Action": actions, "Resource": [f"arn:aws:s3:::{bucket}{of}" for of in ("", "/*")]}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    iam = platform.client("iam")
    iam.put_role_policy(RoleName=role, PolicyName="a-test", PolicyDocument=json.dumps(policy))
    yield
    iam.delete_role_policy(RoleName=role, PolicyName="a-test")


@pytest.mark.usefixtures("registration_serves_the_data_bucket")
def test_one_event_delivered_twice_gives_one_launch(platform):
    # Given: one notification of one put (in a bucket that sends none by itself, so that the test holds the only one)
    bucket, key = platform.name(Parameter.DATA_BUCKET), f"launches/{uuid.uuid4().hex}.yaml"
    put = platform.s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(gwas_config()))
    notification = {
        "Records": [
            {
                "eventSource": "aws:s3",
                "eventName": "ObjectCreated:Put",
                "eventTime": "2026-11-21T04:00:00.000Z",
                "userIdentity": {"principalId": "AWS:AIDAEXAMPLE:alice"},
                "s3": {
                    "bucket": {"name": bucket},
                    "object": {"key": key, "eTag": put["ETag"].strip('"'), "sequencer": "0055AED6DCD90281E5"},
                },
            }
        ]
    }
    queues = platform.client("sqs")
    queue = next(url for url in queues.list_queues()["QueueUrls"] if is_launch_queue(url))
    # When: it is delivered twice
    for _ in range(2):
        queues.send_message(QueueUrl=queue, MessageBody=json.dumps(notification))
    # Then
    launches = eventually(lambda: launches_of(platform, key), f"a launch of {key}")
    platform.complete(launches[0]["launchId"])
    assert len(launches_of(platform, key)) == 1


def test_identical_bytes_join_an_unfinished_launch_and_make_a_new_one_later(platform):
    key = f"launches/{uuid.uuid4().hex}.yaml"
    first = platform.drop(gwas_config(), key)
    second = platform.drop(gwas_config(), key)
    assert second["launchId"] == first["launchId"]
    platform.wait_for(first["launchId"])
    third = platform.drop(gwas_config(), key)
    assert third["launchId"] != first["launchId"]
    platform.complete(third["launchId"])


@pytest.mark.parametrize(
    ("folder", "name", "place"),
    [("", "{}.yaml", "launches/{}.yaml"), ("snakemake/{}/", "Snakefile", "snakefiles/{}/Snakefile")],
)
def test_a_file_where_nothing_belongs_is_told_where_it_does(platform, folder, name, place):
    unique = f"gwas {uuid.uuid4().hex}"
    key = (folder + name).format(unique)
    bucket = platform.name(Parameter.LAUNCH_BUCKET)
    # When: a folder is made as consoles make it, and the file put into it
    if folder:
        platform.s3.put_object(Bucket=bucket, Key=folder.format(unique), Body=b"")
    version = platform.s3.put_object(Bucket=bucket, Key=key, Body=b"name: height")["VersionId"]
    # Then
    answer = eventually(lambda: platform.answer(key, accepted=False), f"an answer to {key}")
    (fault,) = answer["faults"]
    assert f"Put it to {place.format(unique)}" in fault["remedy"]
    assert answer["launchId"] is None
    assert answer["object"]["key"] == key
    assert answer["object"]["versionId"] == version
    assert launches_of(platform, key) == []


@pytest.mark.usefixtures("finished")
def test_what_belongs_in_the_launch_bucket_is_not_answered_nor_are_answers(platform):
    # Given: answers, inputs and what else the platform writes, and a workflow's sources
    bucket = platform.name(Parameter.LAUNCH_BUCKET)
    unique = uuid.uuid4().hex
    for belongs in (f"workflows/{unique}/Snakefile", f"snakefiles/{unique}/config.yaml", f"{unique}/"):
        platform.s3.put_object(Bucket=bucket, Key=belongs, Body=b"a: 1")
    # When: a later file has its answer
    platform.s3.put_object(Bucket=bucket, Key=f"{unique}.yaml", Body=b"name: height")
    eventually(lambda: platform.answer(f"{unique}.yaml", accepted=False), "an answer")
    # Then
    pages = platform.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="feedback/")
    answered = [item["Key"].removeprefix("feedback/") for page in pages for item in page.get("Contents", [])]
    wrong = ("feedback/", "inputs/", "restores/", "schema/", "workflows/", f"snakefiles/{unique}", f"{unique}/")
    assert [key for key in answered if key.startswith(wrong)] == []


def is_launch_queue(url: str) -> bool:
    name = url.rsplit("/", 1)[1].lower()
    return "registrations" in name and "dead" not in name


def launches_of(platform: PlatformClient, key: str) -> list[dict[str, Any]]:
    return [launch for launch in platform.all_launches() if key in launch.get("configUri", "")]
