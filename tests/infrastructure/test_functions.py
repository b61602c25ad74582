"""Lambda functions: the handler is there, its settings are given, and its bundle holds what it needs."""

import importlib
import json
from dataclasses import fields

import pytest

from genolaunch.contract.settings import Setting
from lambdas.shared.placements import read_places
from tests.infrastructure.conftest import Resource, Stack

HANDLERS = [
    "lambdas.pricing.collect_usage.handler",
    "lambdas.pricing.estimate_cost.handler",
    "lambdas.pricing.price_launch.handler",
    "lambdas.pricing.record_usage.handler",
    "lambdas.pricing.retry_pricing.handler",
    "lambdas.pricing.watch_budgets.handler",
    "lambdas.provenance.describe_run.handler",
    "lambdas.workflow_manager.lost_requests.handler",
    "lambdas.workflow_manager.explain_blocked.handler",
    "lambdas.workflow_manager.parse_log.handler",
    "lambdas.workflow_manager.publish_schema.handler",
    "lambdas.workflow_manager.register_launch.handler",
    "lambdas.workflow_manager.answer_requests.handler",
    "lambdas.workflow_manager.change_status.handler",
    "lambdas.workflow_manager.settle_launch.handler",
    "lambdas.regenie.plan_launch.handler",
    "lambdas.regenie.record_results.handler",
    "lambdas.regenie.verify_inputs.handler",
    "lambdas.regenie.collect_failures.handler",
    "lambdas.regenie.decide_resubmission.handler",
    "lambdas.regenie.list_inputs.handler",
    "lambdas.restore.find_archived.handler",
    "lambdas.restore.index_objects.handler",
    "lambdas.restore.fail_restore.handler",
    "lambdas.restore.request_restores.handler",
    "lambdas.restore.complete_restores.handler",
    "lambdas.restore.look_after.handler",
    "lambdas.snakemake.make_roles.handler",
    "lambdas.snakemake.prepare_snakemake.handler",
    "lambdas.snakemake.record_jobs.handler",
    "lambdas.snakemake.start_launcher.handler",
    "lambdas.snakemake.follow_launcher.handler",
    "lambdas.snakemake.watch_launchers.handler",
    "lambdas.cleanup.find_leftovers.handler",
    "lambdas.cleanup.lost_endings.handler",
    "lambdas.cleanup.sweep.handler",
]
STOCK_HANDLERS = ["launch_task.handler", "tibanna.lambdas.check_task_awsem.handler"]
"""Of a published package, Tibanna, the first in a guard of ours."""


def functions(stacks: dict[str, Stack]) -> dict[str, Resource]:
    """Handler -> properties of its function."""
    return {
        properties["Handler"]: properties
        for stack in stacks.values()
        for properties in stack.all("AWS::Lambda::Function").values()
    }


def test_there_are_no_other_functions(stacks):
    assert sorted(functions(stacks)) == sorted([*HANDLERS, *STOCK_HANDLERS])


@pytest.mark.parametrize("handler", HANDLERS)
def test_the_handler_is_there(stacks, handler):
    module, name = functions(stacks)[handler]["Handler"].rsplit(".", 1)

    assert callable(getattr(importlib.import_module(module), name))


@pytest.mark.parametrize("handler", HANDLERS)
def test_its_environment_has_every_setting_that_it_needs_and_no_other(stacks, handler, monkeypatch):
    variables = functions(stacks)[handler]["Environment"]["Variables"]
    for setting in Setting:
        monkeypatch.delenv(setting, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, str(value))

    # The cache would answer with what another test's environment gave.
    settings = importlib.import_module(handler.removesuffix(".handler")).settings.__wrapped__()

    asked_for = {field.name.upper() for field in fields(settings)} | {Setting.STAGE}
    assert {name for name in variables if name in set(Setting)} <= asked_for


def test_functions_run_on_lambdas_python_on_arm_traced(stacks):
    for handler, properties in functions(stacks).items():
        assert properties["Runtime"] == ("python3.12" if handler in STOCK_HANDLERS else "python3.14"), handler
        assert properties["Architectures"] == ["arm64"], handler
        assert properties["TracingConfig"] == {"Mode": "Active"}, handler


def test_each_function_has_a_role_of_its_own_and_writes_its_own_log(stacks):
    roles = [json.dumps(properties["Role"]) for properties in functions(stacks).values()]

    assert len(set(roles)) == len(roles)
    for properties in functions(stacks).values():
        assert "Logs" in json.dumps(properties["LoggingConfig"]["LogGroup"])


def test_plan_launch_is_given_images_and_places(stacks):
    variables = stacks["regenie"].one("AWS::Lambda::Function", "FunctionsPlanLaunch")["Environment"]["Variables"]

    images = json.loads(variables["REGENIE_IMAGES"])
    assert images["default"] == "4.1.2"
    assert images["versions"] == {"4.1.2": "111111111111.dkr.ecr.eu-west-1.amazonaws.com/mirror/regenie:4.1.2"}
    parts = variables["PLACEMENTS"]["Fn::Join"][1]
    given = json.loads("".join(part if isinstance(part, str) else "subnet" for part in parts))
    assert given["zones"] == {"eu-west-1a": "subnet", "eu-west-1b": "subnet"}
    # What the function makes of it are the queues that there are.
    start = given["queues"].rpartition("/")[2]
    names = {arn.replace(given["queues"], start) for arn in read_places(json.dumps(given)).queues}
    assert names == {queue["JobQueueName"] for queue in stacks["compute"].all("AWS::Batch::JobQueue").values()}


def test_planning_has_room_for_the_index_of_a_large_bgen(stacks):
    assert functions(stacks)["lambdas.regenie.plan_launch.handler"]["EphemeralStorage"] == {"Size": 10_240}
