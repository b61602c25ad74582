"""The restore stack: what starts it, what it hears, and what each role may do."""

import json

from tests.infrastructure.conftest import as_list, make_settings, synthesize


def actions(stack, id_prefix):
    return {action for _, s in stack.statements(id_prefix) for action in as_list(s["Action"])}


def rules(stack):
    return stack.all("AWS::Events::Rule")


def test_a_restore_config_starts_the_machine(stacks):
    (rule,) = [rule for id_, rule in rules(stacks["restore"]).items() if id_.startswith("ConfigWritten")]

    assert rule["EventPattern"]["detail"]["object"] == {"key": [{"prefix": "restores/"}]}
    assert rule["EventPattern"]["detail-type"] == ["Object Created"]
    (target,) = rule["Targets"]
    assert "DeadLetterConfig" in target
    notifications = [
        bucket.get("NotificationConfiguration", {}) for bucket in stacks["data"].all("AWS::S3::Bucket").values()
    ]
    with_queue = [each for each in notifications if "QueueConfigurations" in each]
    assert [each["EventBridgeConfiguration"] for each in with_queue] == [{"EventBridgeEnabled": True}]


def test_completions_of_all_readable_buckets_are_gathered_in_a_queue(stacks):
    (rule,) = [rule for id_, rule in rules(stacks["restore"]).items() if id_.startswith("ObjectRestored")]

    assert rule["EventPattern"]["detail-type"] == ["Object Restore Completed"]
    assert "shared-cohorts" in json.dumps(rule["EventPattern"]["detail"])
    (target,) = rule["Targets"]
    assert "DeadLetterConfig" in target


def test_requests_stay_below_s3s_rate_and_completions_come_in_batches(stacks):
    mappings = {
        mapping["BatchSize"]: mapping for mapping in stacks["restore"].all("AWS::Lambda::EventSourceMapping").values()
    }

    assert mappings[1]["ScalingConfig"] == {"MaximumConcurrency": 5}
    assert mappings[1000]["ScalingConfig"] == {"MaximumConcurrency": 2}
    assert mappings[1000]["MaximumBatchingWindowInSeconds"] == 20
    assert all(mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"] for mapping in mappings.values())


def test_one_function_restores_and_it_restores_inputs_only(stacks):
    restore = stacks["restore"]
    may = {
        id_
        for id_, statement in restore.statements()
        for action in as_list(statement["Action"])
        if action == "s3:RestoreObject"
    }
    assert len(may) == 1

    statement = restore.statement("FunctionsRequestRestoresRole", "RestoreInputs")
    assert "shared-cohorts/*" in json.dumps(statement["Resource"])
    assert "Results" not in json.dumps(statement["Resource"])
    assert "s3:PutObject" not in actions(restore, "FunctionsRequestRestoresRole")
    assert "s3:DeleteObject*" not in actions(restore, "Functions")


def test_the_stages_limits_reach_the_function_that_asks():
    stacks = synthesize(
        make_settings(restore={"mixed_tier": "Standard", "days": 3, "approval_above_gib": 1, "approval_above_usd": 5})
    )

    functions = stacks["restore"].all("AWS::Lambda::Function").values()
    (find,) = [each for each in functions if each["Handler"] == "lambdas.restore.find_archived.handler"]
    assert json.loads(find["Environment"]["Variables"]["RESTORE_POLICY"]) == {
        "mixedTier": "Standard",
        "days": 3,
        "mostBytes": 1 << 30,
        "mostUsd": 5,
    }


def test_items_of_restored_objects_are_forgotten_in_time(stacks):
    table = stacks["data"].one("AWS::DynamoDB::Table", "Tasks")

    assert table["TimeToLiveSpecification"] == {"AttributeName": "expiresAt", "Enabled": True}
