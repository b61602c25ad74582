"""The Snakemake workflow: its launcher's task, its queue, and what starts and follows it."""

import json

import pytest

from stacks.config import InvalidSettingsError
from tests.infrastructure.conftest import Stack, as_list, make_settings, synthesize


@pytest.fixture
def snakemake(stacks) -> Stack:
    stack: Stack = stacks["snakemake"]
    return stack


def actions(stack: Stack, id_prefix: str) -> set[str]:
    return {action for _, s in stack.statements(id_prefix) for action in as_list(s["Action"])}


def test_the_launcher_runs_as_nobody_in_particular_on_a_root_that_it_cannot_write(snakemake):
    definition = snakemake.one("AWS::ECS::TaskDefinition")
    (container,) = definition["ContainerDefinitions"]

    assert (container["Name"], container["Command"]) == ("launcher", ["python3", "-m", "snakemake_launcher"])
    assert (container["User"], container["ReadonlyRootFilesystem"]) == ("1000:1000", True)
    assert container["StopTimeout"] == 120
    assert container["MountPoints"] == [{"ContainerPath": "/work", "ReadOnly": False, "SourceVolume": "work"}]
    assert {"Name": "HOME", "Value": "/work"} in container["Environment"]
    assert container["LogConfiguration"]["LogDriver"] == "awslogs"
    assert (definition["NetworkMode"], definition["RequiresCompatibilities"]) == ("awsvpc", ["FARGATE"])
    assert definition["TaskRoleArn"] != definition["ExecutionRoleArn"]


def test_the_launcher_speaks_https_and_hears_nobody(snakemake):
    group = snakemake.one("AWS::EC2::SecurityGroup")

    (egress,) = group["SecurityGroupEgress"]
    assert (egress["FromPort"], egress["ToPort"], egress["IpProtocol"]) == (443, 443, "tcp")
    assert "SecurityGroupIngress" not in group


def test_a_launcher_without_a_launch_may_do_nothing(snakemake):
    (role,) = [id_ for id_ in snakemake.all("AWS::IAM::Role") if id_.startswith("LauncherRole")]

    assert list(snakemake.statements("LauncherRole")) == []
    assert "ManagedPolicyArns" not in snakemake.all("AWS::IAM::Role")[role]
    assert snakemake.one("AWS::ECS::TaskDefinition")["TaskRoleArn"] == {"Fn::GetAtt": [role, "Arn"]}


def test_what_launchers_say_is_written_by_the_platform(snakemake):
    recorder = [s for _, s in snakemake.statements("FunctionsRecordJobsRole")]
    writes = {action: json.dumps(s["Resource"]) for s in recorder for action in as_list(s["Action"])}

    assert "Tasks" in writes["dynamodb:PutItem"]
    assert {action for action in writes if action.startswith("dynamodb:")} == {
        *("dynamodb:GetItem", "dynamodb:UpdateItem", "dynamodb:PutItem"),
    }
    (queue,) = (q for id_, q in snakemake.all("AWS::SQS::Queue").items() if id_.startswith("RecordsQueue"))
    assert queue["RedrivePolicy"]["maxReceiveCount"] == 5


def test_the_state_machine_waits_for_the_launcher_in_the_private_subnets(snakemake):
    machine = snakemake.one("AWS::StepFunctions::StateMachine")
    state = json.loads(machine["DefinitionString"])["States"]["Snakemake: run the launcher"]

    assert state["Resource"] == "arn:aws:states:::sqs:sendMessage.waitForTaskToken"
    assert "States.TaskFailed" not in json.dumps(state["Retry"])  # what the launcher answers is final
    assert "jobsSubnet" in json.dumps(machine["DefinitionSubstitutions"]["SubnetIds"])


def test_the_broker_runs_this_task_on_this_cluster_and_gives_it_these_roles(snakemake):
    run = snakemake.statement("FunctionsStartLauncherRole", "RunLaunchers")
    give = snakemake.statement("FunctionsStartLauncherRole", "GiveLaunchesTheirRoles")

    assert run["Action"] == "ecs:RunTask"
    assert "Task" in json.dumps(run["Resource"])
    assert "Cluster" in json.dumps(run["Condition"]["ArnEquals"]["ecs:cluster"])
    assert give["Condition"] == {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}
    launches = "arn:aws:iam::111111111111:role/genolaunch/unit/launches/*"
    assert {
        each if each == launches else each["Fn::GetAtt"][0].rstrip("0123456789ABCDEF") for each in give["Resource"]
    } == {*(launches, "LauncherRole", "LauncherExecutionRole")}


def test_messages_outlive_the_brokers_own_limit_before_the_queue_gives_them_up(snakemake):
    queues = snakemake.all("AWS::SQS::Queue")
    launches = next(q for id_, q in queues.items() if id_.startswith("LaunchesQueue"))

    assert launches["RedrivePolicy"]["maxReceiveCount"] == 50
    mappings = list(snakemake.all("AWS::Lambda::EventSourceMapping").values())
    assert [m["FunctionResponseTypes"] for m in mappings] == [["ReportBatchItemFailures"]] * 3
    assert [m["ScalingConfig"] for m in mappings] == [{"MaximumConcurrency": 5}] * 3


def test_a_task_that_never_ran_goes_to_the_queue_of_launches_and_every_change_to_the_notifier(snakemake):
    again = snakemake.one("AWS::Events::Rule", "TaskNeverRan")
    changed = snakemake.one("AWS::Events::Rule", "TaskChanged")

    pattern = again["EventPattern"]
    assert (pattern["source"], pattern["detail-type"]) == (["aws.ecs"], ["ECS Task State Change"])
    assert pattern["detail"]["stopCode"] == ["TaskFailedToStart"]
    assert "LaunchesQueue" in json.dumps(again["Targets"][0]["Arn"])
    assert changed["EventPattern"]["detail"]["lastStatus"] == ["RUNNING", "STOPPED"]
    assert "TaskEventsQueue" in json.dumps(changed["Targets"][0]["Arn"])
    for rule in (again, changed):
        assert "Cluster" in json.dumps(rule["EventPattern"]["detail"]["clusterArn"])
        assert "LostEvents" in json.dumps(rule["Targets"][0]["DeadLetterConfig"])


def test_lost_ones_are_looked_for(snakemake):
    rule = snakemake.one("AWS::Events::Rule", "WatchTime")

    assert rule["ScheduleExpression"] == "rate(5 minutes)"
    assert "ecs:DescribeTasks" in actions(snakemake, "FunctionsWatchLaunchersRole")


def test_clean_up_stops_launchers_of_this_cluster_only(stacks):
    stop = stacks["cleanup"].statement("CleanupWorkflowRole", "StopLaunchers")

    assert stop["Action"] == "ecs:StopTask"
    assert "Cluster" in json.dumps(stop["Condition"]["ArnEquals"]["ecs:cluster"])
    assert "ecs:ListTasks" in actions(stacks["cleanup"], "FunctionsFindLeftoversRole")


def test_an_image_to_build_becomes_one_of_the_app():
    snakemake = synthesize(make_settings(snakemake={}))["snakemake"]

    (container,) = snakemake.one("AWS::ECS::TaskDefinition")["ContainerDefinitions"]
    assert "container-assets" in json.dumps(container["Image"])


@pytest.mark.parametrize("size", [{"cpu": 512, "memory_mib": 8192}, {"memory_mib": 2500}])
def test_a_size_that_fargate_does_not_have_is_refused(size):
    with pytest.raises(InvalidSettingsError, match="Fargate takes"):
        make_settings(snakemake=size)
