"""Rules that hold for every state machine file, before any is run (tests/local runs them)."""

import json
import re
from datetime import UTC, datetime
from typing import Any

import botocore.session
import pytest
from statelint.cli import main as statelint

from genolaunch.contract.project import run_name
from lambdas.workflow_manager.dropped_file import Drop, DroppedFile
from lambdas.workflow_manager.registration import launch_of
from localcloud.validation.constraints import Constraints
from statemachines.composition import NAMES, definition, text
from tests.statemachines.asl import evaluate, tasks

# Service names that Step Functions spells otherwise than botocore does.
SERVICES = {"sfn": "stepfunctions", "states": "stepfunctions"}


each_machine = pytest.mark.parametrize("machine", NAMES)


@each_machine
def test_it_is_valid_amazon_states_language(machine, tmp_path):
    composed = tmp_path / f"{machine}.asl.json"
    composed.write_text(text(machine), encoding="utf-8")

    assert statelint(["--eval-jsonata", str(composed)]) == 0


@each_machine
def test_every_task_has_a_timeout_and_survives_service_faults(machine):
    for name, state in tasks(definition(machine)):
        assert "TimeoutSeconds" in state, name
        assert "Retry" in state, name
        if "startExecution.sync" in state["Resource"]:
            # Its start is tried again, but never the nested execution as a whole: a failed run is resumed on request.
            (rule,) = state["Retry"]
            assert "StepFunctions.ThrottlingException" in rule["ErrorEquals"], name
            assert not {"States.ALL", "States.TaskFailed"} & set(rule["ErrorEquals"]), name
        assert "Catch" in state or any("States.ALL" in rule["ErrorEquals"] for rule in state["Retry"]), name


@each_machine
def test_sdk_calls_exist_with_these_parameters(machine):
    session = botocore.session.get_session()
    for name, state in tasks(definition(machine)):
        found = re.fullmatch(
            r"arn:aws:states:::(?:aws-sdk:)?(\w+):(\w+)(?:\.sync.*|\.waitForTaskToken)?", state["Resource"]
        )
        assert found, name
        service, action = found.groups()
        if service == "lambda":
            continue
        model = session.get_service_model(SERVICES.get(service, service))
        operation = model.operation_model(action[0].upper() + action[1:])
        assert operation.input_shape, name
        allowed = {member[0].upper() + member[1:] for member in operation.input_shape.members}
        assert argument_names(state["Arguments"]) <= allowed, name


def argument_names(arguments: dict[str, Any] | str) -> set[str]:
    """Top-level parameter names; of a JSONata expression, the keys of its outer objects."""
    if isinstance(arguments, dict):
        return set(arguments)
    depth, names = 0, set()
    for token in re.finditer(r"[{}]|'(\w+)':", arguments.removeprefix("{%").removesuffix("%}")):
        depth += {"{": 1, "}": -1}.get(token.group(), 0)
        if token.group(1) and depth == 1:
            names.add(token.group(1))
    return names


def test_job_definitions_have_the_scheduling_priority_that_fair_share_demands():
    register = definition("regenie")["States"]["Job definition: register"]

    assert register["Arguments"]["SchedulingPriority"] >= 0


@each_machine
def test_jobs_are_submitted_again_when_batch_is_asked_too_often(machine):
    """SubmitJob is limited to 50 a second in an account; the integration has had two names for the refusal."""
    for name, state in tasks(definition(machine)):
        if state["Resource"] != "arn:aws:states:::batch:submitJob.sync":
            continue
        (rule,) = state["Retry"]
        assert {"Batch.AWSBatchException", "Batch.BatchException"} <= set(rule["ErrorEquals"]), name
        assert "States.TaskFailed" not in rule["ErrorEquals"], name  # a job that failed
        assert rule["MaxAttempts"] >= 10, name


POLLING_LIMIT = re.compile(r"\$(?:polls|rounds) [<>] (\d+)")


def test_waiting_for_hours_fits_the_25_000_events_of_an_execution():
    """A round is a Task (5 events), a Choice (2) and a Wait (2); nothing catches an execution that runs out of them."""
    states = definition("regenie")["States"].values()

    limits = [
        max(int(limit) for limit in POLLING_LIMIT.findall(json.dumps(state)))
        for state in states
        if state["Type"] == "Choice" and POLLING_LIMIT.search(json.dumps(state))
    ]
    assert len(limits) == 5  # clean-up of the attempt before, file system, links, import, export
    assert 9 * sum(limits) < 20_000


def test_jobs_start_after_the_import_that_shows_them_their_files():
    states = definition("regenie")["States"]

    importing = states["Data links: import the file lists"]
    assert importing["Arguments"]["Type"] == "IMPORT_METADATA_FROM_REPOSITORY"
    assert importing["Arguments"]["Paths"] == "{% $sheet.importPaths %}"
    assert states["Data links: ready?"]["Choices"][0]["Next"] == "Data links: import the file lists"
    described = "Job definition: describe the container"
    assert [name for name, state in states.items() if described in json.dumps(state)] == ["Data links: imported?"]
    before = [name for name, state in states.items() if '"Job definition: register"' in json.dumps(state)]
    assert before == [described]


def longest_run_name() -> str:
    """Of attempt 999 of a launch whose file has a long name."""
    time = datetime(2026, 11, 21, 4, tzinfo=UTC)
    drop = Drop("launches", f"launches/{'x' * 200}.yaml", time, "v", "etag", "01", requested_by="ada")
    return run_name(launch_of(drop, DroppedFile(1, b"x", None), data_bucket="data").launch_id, 999)


def test_fsx_takes_the_tokens_of_the_longest_run_name():
    model = botocore.session.get_session().get_service_model("fsx")
    given = {"sheet": {"runName": longest_run_name()}, "states": {"input": {"fileSystemId": f"fs-{'0' * 17}"}}}
    tokens = {}
    for machine in NAMES:
        for name, state in tasks(definition(machine)):
            action = state["Resource"].removeprefix("arn:aws:states:::aws-sdk:fsx:")
            if action == state["Resource"]:
                continue
            shape = model.operation_model(action[0].upper() + action[1:]).input_shape
            assert shape is not None
            if "ClientRequestToken" in shape.members and action.startswith("create"):
                tokens[name] = token = evaluate(state["Arguments"]["ClientRequestToken"], given)
                said = Constraints("fsx").violations({"ClientRequestToken": token}, shape)
                assert [words for words in said if "clientRequestToken" in words] == [], name

    assert len(tokens) == 7  # file system, three links, import, export; and the export of clean-up
    assert len(set(tokens.values())) == 7  # FSx may take a token that it knows for the same request
