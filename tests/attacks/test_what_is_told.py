"""Marked people, traits and values go through every handler that may refuse a launch; nothing that is told has a mark.

Told is what a function logs, counts, raises (Lambda logs it, X-Ray and the state machine get it), publishes, and puts
on the bus. The launch table and the answer beside the file must have the marks: there its author reads them.
"""

import json
import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from genolaunch.contract.errors import ErrorType
from genolaunch.contract.launch import Status
from genolaunch.contract.workflow import Workflow
from genolaunch.launch_configs.regenie_config import RegenieLaunch
from genolaunch.shared import aws
from lambdas.regenie import collect_failures, list_inputs, plan_launch
from lambdas.regenie.failed_jobs import FailedJob, JobGroup, public_sentence, sentence
from lambdas.shared.launch import Launch
from lambdas.shared.notifications import notify
from lambdas.snakemake import outcome as outcomes
from lambdas.workflow_manager import change_status, status_function
from tests.attacks.guarantees import guarantee
from tests.handlers.workflow_manager.conftest import CONTEXT, PRINCIPAL
from tests.unit.regenie_planning.conftest import bim, table

PROMISE = "Functions' logs, metrics and traces, state machines' logs, events and notices name no trait and no person"
MARKS = ("MARKEDID123", "MARKEDTRAIT", "MARKEDVALUE")
PEOPLE = 24
ARN = "arn:aws:states:eu-central-1:123456789012:execution:launch:1"


class Told:
    """Everything that functions say, but for the tables and the answers."""

    def __init__(self, capture: Callable[[], str]) -> None:
        self._capture = capture
        self.parts: list[str] = []

    def text(self) -> str:
        return "\n".join([*self.parts, self._capture()])


@pytest.fixture
def told(platform: Any, capfd: Any, caplog: Any, monkeypatch: pytest.MonkeyPatch) -> Told:
    """Given: somebody who hears logs, metrics, events and notices."""

    def captured() -> str:
        out, err = map(str, capfd.readouterr())
        return out + err

    heard = Told(captured)
    for service, call in (("events", "PutEvents"), ("sns", "Publish"), ("stepfunctions", "SendTaskFailure")):
        aws.client(service).meta.events.register(
            f"provide-client-params.*.{call}", lambda params, **_: heard.parts.append(json.dumps(params))
        )
    return heard


def assert_private(heard: Told) -> None:
    text = heard.text()
    assert text.strip()
    assert [mark for mark in MARKS if mark in text] == []


GOOD = {
    "name": "height-gwas",
    "workflow": "regenie",
    "data": "cohort",
    "regenie": {
        "genotypes": "cohort.bed",
        "phenotypes": "phenotypes.txt",
        "covariates": "covariates.txt",
        "traits": ["height", "MARKEDTRAIT"],
        "trait_type": "quantitative",
        "step1": {"qc": False},
    },
}


def changed(path: str, value: object) -> str:
    config = json.loads(json.dumps(GOOD))
    *parents, last = path.split(".")
    inner = config
    for parent in parents:
        inner = inner.setdefault(parent, {})
    inner[last] = value
    return json.dumps(config)


CONFIGS: dict[str, str] = {
    **{
        f"{path} is {kind}": changed(path, value)
        for path in (
            "name",
            "workflow",
            "data",
            "compute",
            "regenie",
            "regenie.genotypes",
            "regenie.phenotypes",
            "regenie.traits",
            "regenie.trait_type",
            "regenie.covariates",
            "regenie.version",
            "regenie.keep",
            "regenie.step1",
            "regenie.step1.block_size",
            "regenie.step2",
            "regenie.step2.datasets",
            "regenie.resources",
            "regenie.extra",
            "MARKEDVALUE",
            "regenie.MARKEDVALUE",
            "regenie.step1.MARKEDVALUE",
            "budget",
            "restore",
        )
        for kind, value in {
            "a text": "MARKEDVALUE ../x",
            "a list": ["MARKEDVALUE", ["MARKEDTRAIT"]],
            "a mapping": {"MARKEDVALUE": 1},
        }.items()
    },
    "traits twice": changed("regenie.traits", ["MARKEDTRAIT", "MARKEDTRAIT"]),
    "trait with a space": changed("regenie.traits", ["MARKEDTRAIT MARKEDTRAIT"]),
    "no YAML": "name: [MARKEDVALUE",
    "a tag": "name: !MARKEDVALUE x",
    "a tag of Python": "name: !!python/object/apply:os.system ['MARKEDVALUE']",
    "an anchor": "a: &MARKEDVALUE [1]\nb: *MARKEDVALUE",
    "a key twice": "MARKEDVALUE: 1\nMARKEDVALUE: 2",
    "no mapping": "MARKEDVALUE",
    "control characters": "name: MARKEDVALUE\x07",
    "a tab": "name:\n\tMARKEDVALUE: x",
    "deep": "[" * 200 + "MARKEDVALUE" + "]" * 200,
    "a number that is none": "regenie: {block: 0xMARKEDVALUE}",
}


@guarantee(PROMISE)
def test_of_configs_that_are_refused(platform, told):
    assert len(CONFIGS) > 75
    for number, text in enumerate(CONFIGS.values()):
        platform.register(platform.put(f"launches/{number}.yaml", text))

    launches = platform.launches()
    assert len(launches) == len(CONFIGS)
    refused = [launch for launch in launches if launch.status == "REJECTED"]
    quoted = [launch for launch in refused if any(mark in json.dumps(launch.error["faults"]) for mark in MARKS)]
    assert len(quoted) > 30  # its author reads them
    assert len(refused) > len(CONFIGS) - 5
    assert_private(told)


def cohort() -> dict[str, bytes]:
    """A small cohort of marked people with a marked trait, in which nothing is wrong."""
    files = {
        "cohort.bed": b"\x6c\x1b\x01" + bytes(2 * PEOPLE // 4),
        "cohort.bim": bim(("1", 10), ("1", 20)),
        "cohort.fam": "".join(f"f{n} i{n} 0 0 1 -9\n" for n in range(PEOPLE)).encode(),
        "phenotypes.txt": table("height MARKEDTRAIT", ((n % 5 - 2, n % 7 - 3) for n in range(PEOPLE))),
        "covariates.txt": table("age sex", ((40 + n, n % 2) for n in range(PEOPLE))),
    }
    return {
        name: content if name.endswith(".bed") else re.sub(rb"\bf(\d+) i(\d+)\b", rb"F\1 MARKEDID123x\2", content)
        for name, content in files.items()
    }


def replaced(name: str, old: str, new: str, times: int = -1) -> Callable[[dict[str, bytes]], None]:
    def spoil(files: dict[str, bytes]) -> None:
        before = files[name]
        files[name] = re.sub(old.encode(), new.encode(), before, count=max(times, 0), flags=re.MULTILINE)
        assert files[name] != before

    return spoil


def added(name: str, line: bytes) -> Callable[[dict[str, bytes]], None]:
    return lambda files: files.update({name: files[name] + line + b"\n"})


SPOILT: dict[str, Callable[[dict[str, bytes]], Any]] = {
    "a trait that is not there": replaced("phenotypes.txt", "MARKEDTRAIT", "other"),
    "a trait of one value": replaced("phenotypes.txt", r" -?\d+$", " 1"),
    "a trait of words": replaced("phenotypes.txt", r" -?\d+$", " MARKEDVALUE"),
    "one word among numbers": replaced("phenotypes.txt", r" -?\d+$", " MARKEDVALUE", 1),
    "a person twice": lambda files: files.update(
        {"phenotypes.txt": files["phenotypes.txt"] + b"F3 MARKEDID123x3 1 2\n"}
    ),
    "a short line": added("phenotypes.txt", b"F99 MARKEDID123x99 1"),
    "a person twice in the genotypes": replaced("cohort.fam", "F4 MARKEDID123x4", "F3 MARKEDID123x3"),
    "nobody in common": replaced("phenotypes.txt", "MARKEDID123x", "MARKEDID123y"),
    "a covariate of words": replaced("covariates.txt", r" \d+$", " MARKEDVALUE"),
    "no header": lambda files: files.update({"phenotypes.txt": b"F1 MARKEDID123x1 1 2\n"}),
    "Windows line endings": replaced("phenotypes.txt", "$", "\r"),
    "a file that is missing": lambda files: files.pop("covariates.txt"),
    "no genotypes": lambda files: files.pop("cohort.bim"),
    "empty": lambda files: files.update({"phenotypes.txt": b""}),
    "compressed": lambda files: files.update({"phenotypes.txt": b"\x1f\x8b MARKEDID123"}),
    "unsorted": lambda files: files.update({"cohort.bim": bim(("2", 10), ("1", 20))}),
    "too few genotypes": lambda files: files.update(
        {"cohort.fam": files["cohort.fam"] + b"F99 MARKEDID123x99 0 0 1 -9\n"}
    ),
}


@pytest.fixture
def planned(platform: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, bytes]], str]:
    """Given: a launch of a cohort; its id."""
    for name, value in {
        "RESULTS_BUCKET": "genolaunch-test-results",
        "LAUNCH_BUCKET": "genolaunch-test-launches",
        "REGENIE_IMAGES": json.dumps({"versions": {"4.1.2": "regenie:4.1.2"}, "default": "4.1.2"}),
        "PLACEMENTS": json.dumps(
            {"queues": "arn:aws:batch:eu-central-1:1:job-queue/q", "zones": {"eu-central-1a": "s"}}
        ),
        "JOB_LOG_GROUP": "/genolaunch/test/jobs",
    }.items():
        monkeypatch.setenv(name, value)
    for module in (plan_launch, list_inputs, collect_failures):
        module.settings.cache_clear()

    def register(files: dict[str, bytes]) -> str:
        s3 = boto3.client("s3")
        for bucket in ("genolaunch-test-data", "genolaunch-test-results"):
            s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        for name, content in files.items():
            s3.put_object(Bucket="genolaunch-test-data", Key=f"cohort/{name}", Body=content)
        launch = Launch(
            "height-1", "height-gwas", Status.SUBMITTED, "2026-11-21T04:00:00.000Z", workflow=Workflow.REGENIE,
            config_json=RegenieLaunch.model_validate(GOOD).as_json(), requested_by=PRINCIPAL,
            data_path="s3://genolaunch-test-data/cohort/", config_uri="s3://genolaunch-test-launches/launches/h.yaml",
        )  # fmt: skip
        platform.repository.register(launch, "fingerprint")
        change_status.handler({"launchId": "height-1", "to": "RUNNING", "executionArn": ARN}, CONTEXT)
        return "height-1"

    return register


def as_lambda_tells(error: BaseException) -> dict[str, str]:
    """What Step Functions hears of a function that raises."""
    told = {"errorMessage": str(error), "errorType": type(error).__name__, "stackTrace": []}
    return {"Error": type(error).__name__, "Cause": json.dumps(told)}


@guarantee(PROMISE)
@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT)
def test_of_inputs_that_are_refused(platform, told, planned, spoil):
    files = cohort()
    spoil(files)
    launch_id = planned(files)

    with pytest.raises(Exception) as refusal:  # noqa: PT011 - its type is looked at
        plan_launch.handler({"launchId": launch_id, "attempt": 1}, CONTEXT)
    assert type(refusal.value).__name__ == "LaunchInputError"
    error = as_lambda_tells(refusal.value)
    told.parts.append(json.dumps([error, repr(refusal.value), str(vars(refusal.value))]))
    change_status.handler({"launchId": launch_id, "to": "FAILED", "executionArn": ARN, "error": error}, CONTEXT)

    launch = platform.repository.get(launch_id)
    assert launch.status == "REJECTED"
    assert launch.error["message"].startswith("The launch's inputs have ")
    assert launch.error["faults"]  # in full, for its author
    assert_private(told)


def test_the_marks_do_reach_the_author(platform, told, planned):
    """Else the test above could not fail."""
    files = cohort()
    SPOILT["a person twice"](files)
    launch_id = planned(files)
    with pytest.raises(Exception) as refusal:  # noqa: PT011
        plan_launch.handler({"launchId": launch_id, "attempt": 1}, CONTEXT)
    error = as_lambda_tells(refusal.value)
    change_status.handler({"launchId": launch_id, "to": "FAILED", "executionArn": ARN, "error": error}, CONTEXT)

    assert "MARKEDID123" in json.dumps(platform.repository.get(launch_id).error["faults"])


@guarantee(PROMISE)
def test_of_a_file_that_is_missing_while_the_launch_waits(platform, told, planned):
    files = cohort()
    del files["phenotypes.txt"]
    launch_id = planned(files)

    with pytest.raises(Exception) as refusal:  # noqa: PT011
        list_inputs.handler({"launchId": launch_id, "check": True}, CONTEXT)
    told.parts.append(json.dumps(as_lambda_tells(refusal.value)))

    assert json.loads(str(refusal.value))["kept"].startswith("error#")
    assert_private(told)


LAST_WORDS = {
    ErrorType.APPLICATION_ERROR: "ERROR: phenotype 'MARKEDTRAIT' has a value MARKEDVALUE for MARKEDID123",
    ErrorType.NO_SPACE_LEFT: "MARKEDTRAIT.regenie: No space left on device",
    ErrorType.ACCESS_DENIED: "MARKEDTRAIT.txt: AccessDenied",
    ErrorType.OUT_OF_MEMORY: "std::bad_alloc MARKEDTRAIT",
    ErrorType.STOPPED: "MARKEDID123",
    ErrorType.TIMED_OUT: "MARKEDID123",
    ErrorType.SPOT_RECLAIMED: "MARKEDID123",
    ErrorType.PLATFORM: "Traceback: KeyError MARKEDTRAIT",
    ErrorType.FILE_SYSTEM: "MARKEDTRAIT",
}


@guarantee(PROMISE)
@pytest.mark.parametrize("type_", LAST_WORDS)
def test_of_a_job_that_failed(platform, told, planned, monkeypatch, type_):
    launch_id = planned(cohort())
    words = LAST_WORDS[type_]
    job = FailedJob("id", JobGroup("height-1-1-step2", 5), 2, type_, words, 1, 1, "stream", words)
    assert "MARKED" in sentence([job], "height-1-1") or type_ in (
        ErrorType.OUT_OF_MEMORY, ErrorType.TIMED_OUT, ErrorType.SPOT_RECLAIMED,
    )  # fmt: skip
    assert "MARKED" not in public_sentence([job], "height-1-1")
    monkeypatch.setattr(collect_failures, "failed_jobs", lambda *_: [job])
    monkeypatch.setattr(collect_failures, "with_log_tails", lambda jobs, _: jobs)

    answer = collect_failures.handler({"launchId": launch_id, "attempt": 1, "error": {}, "step": "Step 2"}, CONTEXT)
    told.parts.append(json.dumps(answer))
    error = {"Error": answer["type"], "Cause": answer["message"]}
    change_status.handler({"launchId": launch_id, "to": "FAILED", "executionArn": ARN, "error": error}, CONTEXT)

    launch = platform.repository.get(launch_id)
    assert launch.error["message"] == sentence([job], "height-1-1")
    assert launch.error.get("public", launch.error["message"]) == public_sentence([job], "height-1-1")
    assert_private(told)


@guarantee(PROMISE)
def test_of_a_workflow_that_failed():
    task: Any = SimpleNamespace(exit_code=1)
    written = {"type": "ApplicationError", "message": "Rule MARKEDTRAIT: sample MARKEDID123 has no reads."}

    outcome = outcomes.outcome_of(task, written)

    assert "MARKEDID123" in outcome.message
    assert not any(mark in outcome.public for mark in MARKS)
    told_by_log = outcomes.Outcome(ErrorType.APPLICATION_ERROR, "It ended.").told_by_log(
        ErrorType.NO_SPACE_LEFT, "MARKEDTRAIT"
    )
    assert "MARKEDTRAIT" not in told_by_log.public


@guarantee(PROMISE)
def test_of_an_error_of_before_errors_had_a_public_form(platform, told):
    error = {"type": "PlatformError", "message": "KeyError: 'MARKEDTRAIT', \"MARKEDID123\" of s3://b/MARKEDVALUE.txt"}
    launch = Launch("h-1", "height", Status.FAILED, "2026-11-21T04:00:00.000Z", error=error)

    notify(launch, topic_arn=status_function.settings().notification_topic, stage="test")

    assert_private(told)
