"""State machines and what starts them: the pipe, the rules, and what each role may do."""

import json

import pytest

from tests.infrastructure.conftest import IMAGE, Stack, as_list, make_settings, synthesize

OF_STAGE = {"aws:ResourceTag/project": "genolaunch", "aws:ResourceTag/stage": "unit"}
FOR_STAGE = {"aws:RequestTag/project": "genolaunch", "aws:RequestTag/stage": "unit"}


def actions(stack: Stack, id_prefix: str) -> set[str]:
    return {action for _, s in stack.statements(id_prefix) for action in as_list(s["Action"])}


# --- The workflow manager ------------------------------------------------------------------------------------------
def test_the_pipe_hands_requests_over_and_nothing_else(stacks):
    pipe = stacks["workflow-manager"].one("AWS::Pipes::Pipe")

    (pattern,) = pipe["SourceParameters"]["FilterCriteria"]["Filters"]
    assert json.loads(pattern["Pattern"]) == {
        "dynamodb": {"NewImage": {"status": {"S": ["SUBMITTED", "READY", "RETRY", "CANCEL_REQUESTED"]}}}
    }
    assert json.loads(pipe["TargetParameters"]["InputTemplate"]) == {
        "launchId": "<$.dynamodb.NewImage.launchId.S>",
        "status": "<$.dynamodb.NewImage.status.S>",
    }
    assert pipe["TargetParameters"]["StepFunctionStateMachineParameters"] == {"InvocationType": "FIRE_AND_FORGET"}


def test_a_record_that_fails_does_not_block_the_stream(stacks):
    stream = stacks["workflow-manager"].one("AWS::Pipes::Pipe")["SourceParameters"]["DynamoDBStreamParameters"]

    assert stream["BatchSize"] == 1
    assert stream["MaximumRetryAttempts"] == 10
    assert stream["MaximumRecordAgeInSeconds"] == 3600
    assert "DeadLetters" in json.dumps(stream["DeadLetterConfig"]["Arn"])


def test_registration_takes_batches_and_gives_back_single_failures(stacks):
    mapping = stacks["workflow-manager"].one("AWS::Lambda::EventSourceMapping", "FunctionsRegisterLaunch")

    assert mapping["BatchSize"] == 10
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": 5}


def test_registration_reads_drops_and_writes_answers_only(stacks):
    statements = [s for _, s in stacks["workflow-manager"].statements("FunctionsRegisterLaunchRole")]

    writes = [s for s in statements if "s3:PutObject" in as_list(s["Action"])]
    assert ["/feedback/*" in json.dumps(s["Resource"]) for s in writes] == [True]
    assert "s3:DeleteObject*" not in actions(stacks["workflow-manager"], "FunctionsRegisterLaunchRole")


def test_the_launch_machine_may_start_follow_and_cancel(stacks):
    manager = stacks["workflow-manager"]

    follow = manager.statement("LaunchWorkflowRole", "FollowTheWorkflow")
    assert follow["Action"] == ["states:DescribeExecution", "states:StopExecution"]
    assert "execution:genolaunch-unit-regenie:*" in json.dumps(follow["Resource"])
    cancel = manager.statement("LaunchWorkflowRole", "CancelAnotherLaunch")
    assert "execution:genolaunch-unit-launch:*" in json.dumps(cancel["Resource"])
    rule = manager.statement("LaunchWorkflowRole", "BeToldOfTheEnd")
    assert "rule/StepFunctionsGetEventsForStepFunctionsExecutionRule" in json.dumps(rule["Resource"])
    assert {"states:StartExecution", "lambda:InvokeFunction", "dynamodb:GetItem"} <= actions(
        manager, "LaunchWorkflowRole"
    )


# --- The regenie workflow ------------------------------------------------------------------------------------------
def test_jobs_run_known_images_without_privileges(stacks):
    define = stacks["regenie"].statement("RegenieWorkflowRole", "DefineRegenieJobs")

    assert define["Condition"] == {
        "StringEquals": {"batch:Image": [IMAGE], **FOR_STAGE},
        "Bool": {"batch:Privileged": "false"},
    }


def test_jobs_get_their_own_two_roles_and_no_other(stacks):
    give = stacks["regenie"].statement("RegenieWorkflowRole", "GiveJobsTheirRoles")

    assert sorted(r["Fn::GetAtt"][0].rstrip("0123456789ABCDEF") for r in give["Resource"]) == [
        "ExecutionRole",
        "JobRole",
    ]
    for role in ("JobRole", "ExecutionRole"):
        (trust,) = stacks["regenie"].one("AWS::IAM::Role", role)["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"] == {"Service": "ecs-tasks.amazonaws.com"}


def test_a_job_may_do_nothing_in_aws(stacks):
    assert list(stacks["regenie"].statements("JobRole")) == []


def test_the_execution_role_pulls_the_image_of_the_settings_and_writes_job_logs(stacks):
    statements = [s for _, s in stacks["regenie"].statements("ExecutionRole")]

    (pull,) = [s for s in statements if "ecr:BatchGetImage" in as_list(s["Action"])]
    assert "repository/mirror/regenie" in json.dumps(pull["Resource"])
    assert actions(stacks["regenie"], "ExecutionRole") == {
        "ecr:BatchCheckLayerAvailability",
        "ecr:BatchGetImage",
        "ecr:GetDownloadUrlForLayer",
        "ecr:GetAuthorizationToken",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
    }


def test_only_tagged_file_systems_are_made_and_only_own_ones_linked(stacks):
    make = stacks["regenie"].statement("RegenieWorkflowRole", "MakeTaggedFileSystemsLinksAndExports")
    link = stacks["regenie"].statement("RegenieWorkflowRole", "LinkAndExportOwnFileSystems")

    assert make["Condition"] == {"StringEquals": FOR_STAGE}
    assert {"fsx:CreateFileSystem", "fsx:TagResource"} <= set(make["Action"])
    assert link["Condition"] == {"StringEquals": OF_STAGE}
    assert set(link["Action"]) == {"fsx:CreateDataRepositoryAssociation", "fsx:CreateDataRepositoryTask"}


def test_links_are_made_for_the_stages_buckets_and_the_readable_ones(stacks):
    link = stacks["regenie"].statement("RegenieWorkflowRole", "LinkBuckets")

    assert set(link["Action"]) == {"s3:Get*", "s3:List*", "s3:PutObject"}
    assert "shared-cohorts" in json.dumps(link["Resource"])
    assert len(link["Resource"]) == 6


def test_fsx_gets_its_service_linked_role(stacks):
    create = stacks["regenie"].statement("RegenieWorkflowRole", "LetFsxMakeItsOwnRoles")
    attach = stacks["regenie"].statement("RegenieWorkflowRole", "LetFsxOpenTheLinkedPrefixes")

    service = "s3.data-source.lustre.fsx.amazonaws.com"
    assert service in create["Condition"]["StringEquals"]["iam:AWSServiceName"]
    assert set(attach["Action"]) == {"iam:AttachRolePolicy", "iam:PutRolePolicy"}
    assert f"role/aws-service-role/{service}/*" in json.dumps(attach["Resource"])


def test_jobs_are_made_with_the_stages_tags_or_not_at_all(stacks):
    make = stacks["regenie"].statement("JobsWorkflowRole", "MakeTaggedJobs")
    assert make["Action"] == ["batch:SubmitJob", "batch:TagResource"]
    assert make["Condition"] == {"StringEquals": FOR_STAGE}
    assert ":job/*" in json.dumps(make["Resource"])


def test_step_functions_hears_of_the_jobs_end_and_can_stop_them(stacks):
    rule = stacks["regenie"].statement("JobsWorkflowRole", "BeToldOfTheEnd")
    stop = stacks["regenie"].statement("JobsWorkflowRole", "StopOwnJobs")

    assert "rule/StepFunctionsGetEventsForBatchJobsRule" in json.dumps(rule["Resource"])
    assert stop["Action"] == "batch:TerminateJob"
    assert stop["Condition"] == {"StringEquals": OF_STAGE}


def test_a_run_hears_of_the_end_of_its_phases_and_can_stop_them(stacks):
    rule = stacks["regenie"].statement("RegenieWorkflowRole", "BeToldOfTheEnd")
    follow = stacks["regenie"].statement("RegenieWorkflowRole", "FollowTheWorkflow")

    assert "rule/StepFunctionsGetEventsForStepFunctionsExecutionRule" in json.dumps(rule["Resource"])
    assert set(follow["Action"]) == {"states:DescribeExecution", "states:StopExecution"}
    assert "execution:genolaunch-unit-jobs:*" in json.dumps(follow["Resource"])


def test_clean_up_finds_and_stops_the_phases(stacks):
    stop = stacks["cleanup"].statement("CleanupWorkflowRole", "StopWorkflows")

    assert "execution:genolaunch-unit-jobs:*" in json.dumps(stop["Resource"])
    assert "states:ListExecutions" in actions(stacks["cleanup"], "FunctionsFindLeftovers")


def test_the_file_system_type_and_time_limit_of_the_settings_reach_the_workflow():
    regenie = synthesize(make_settings(file_system="PERSISTENT_2", job_timeout_hours=2))["regenie"]

    values = regenie.one("AWS::StepFunctions::StateMachine", "RegenieWorkflow")["DefinitionSubstitutions"]
    assert values["FileSystemDeploymentType"] == "PERSISTENT_2"
    assert values["JobTimeoutSeconds"] == "7200"


def test_a_version_to_build_becomes_an_image_of_the_app():
    regenie = synthesize(make_settings(regenie={"versions": {"4.1.2": "build"}, "default_version": "4.1.2"}))["regenie"]

    define = regenie.statement("RegenieWorkflowRole", "DefineRegenieJobs")
    assert "container-assets" in json.dumps(define["Condition"]["StringEquals"]["batch:Image"])
    pull = [s for _, s in regenie.statements("ExecutionRole") if "ecr:BatchGetImage" in as_list(s["Action"])]
    assert "container-assets" in json.dumps(pull)


def test_what_a_limited_regenie_has_is_known_to_planning():
    limits = {"options": ["--qt", "--bed"], "remedy": "Ask for the whole program."}
    settings = {"versions": {"4.1.2": "build"}, "default_version": "4.1.2"}

    def setting(given):
        planning = synthesize(make_settings(regenie=given))["regenie"].one(
            "AWS::Lambda::Function", "FunctionsPlanLaunch"
        )
        return json.dumps(planning["Environment"]["Variables"]["REGENIE_IMAGES"])

    assert "Ask for the whole program." in setting({**settings, "limits": limits})
    assert "limits" not in setting(settings)


# --- Clean-up ------------------------------------------------------------------------------------------------------
def test_every_ending_of_a_launch_starts_the_clean_up_and_none_is_lost(stacks):
    rule = stacks["cleanup"].one("AWS::Events::Rule", "LaunchEnded")

    assert rule["EventPattern"]["source"] == ["aws.states"]
    assert rule["EventPattern"]["detail"]["status"] == ["SUCCEEDED", "FAILED", "ABORTED", "TIMED_OUT"]
    assert "LaunchWorkflow" in json.dumps(rule["EventPattern"]["detail"]["stateMachineArn"])
    (target,) = rule["Targets"]
    assert "CleanupWorkflow" in json.dumps(target["Arn"])
    assert "LostEndings" in json.dumps(target["DeadLetterConfig"]["Arn"])
    assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 86400, "MaximumRetryAttempts": 185}
    assert "Input" not in target  # the clean-up reads the event itself


def test_the_sweep_runs_on_a_schedule(stacks):
    rule = stacks["cleanup"].one("AWS::Events::Rule", "SweepTime")

    assert rule["ScheduleExpression"] == "rate(15 minutes)"
    assert "FunctionsSweep" in json.dumps(rule["Targets"][0]["Arn"])


def test_what_outlives_an_hour_of_sweeps_raises_an_alarm(stacks):
    alarm = stacks["cleanup"].one("AWS::CloudWatch::Alarm", "LeftoversStay")

    assert (alarm["Namespace"], alarm["MetricName"]) == ("genolaunch", "LeftoversOverdue")
    # A Minimum over an hour of sweeps, each of which counts: all of them found something.
    assert (alarm["Statistic"], alarm["Period"], alarm["Threshold"]) == ("Minimum", 3600, 1)
    dimensions = {dimension["Name"]: dimension["Value"] for dimension in alarm["Dimensions"]}
    sweep = stacks["cleanup"].one("AWS::Lambda::Function", "FunctionsSweep")["Environment"]["Variables"]
    assert dimensions == {"stage": sweep["STAGE"], "service": sweep["POWERTOOLS_SERVICE_NAME"]}
    assert alarm["AlarmActions"]


def test_the_clean_up_deletes_launch_templates_of_launches_and_not_the_stages_own(stacks):
    statement = stacks["cleanup"].statement("CleanupWorkflowRole", "DeleteLaunchTemplates")

    assert statement["Action"] == "ec2:DeleteLaunchTemplate"
    assert statement["Condition"] == {"StringEquals": OF_STAGE, "Null": {"aws:ResourceTag/launchId": "false"}}


def test_the_sweep_may_look_and_tell_and_start_clean_up_only(stacks):
    actions = {
        action
        for _, statement in stacks["cleanup"].statements("FunctionsSweepRole")
        for action in as_list(statement["Action"])
    }
    own = {action for action in actions if not action.startswith(("logs:", "xray:", "kms:"))}

    looks = {action for action in own if action.split(":")[1].startswith(("Describe", "List", "GetItem"))}
    # It ends jobs that no instance takes, and says so in their launches.
    ends = {"batch:TerminateJob", "dynamodb:UpdateItem"}
    assert own - looks == {"states:StartExecution", "sns:Publish", *ends}


@pytest.mark.parametrize(
    ("sid", "allowed"),
    [
        ("StopJobs", {"batch:TerminateJob"}),
        ("RetireJobDefinitions", {"batch:DeregisterJobDefinition"}),
        (
            "ExportUnlinkAndDeleteFileSystems",
            {"fsx:CreateDataRepositoryTask", "fsx:DeleteDataRepositoryAssociation", "fsx:DeleteFileSystem"},
        ),
    ],
)
def test_the_clean_up_deletes_what_carries_the_stages_tags_only(stacks, sid, allowed):
    statement = stacks["cleanup"].statement("CleanupWorkflowRole", sid)

    assert set(as_list(statement["Action"])) == allowed
    assert statement["Condition"] == {"StringEquals": OF_STAGE}


def test_the_clean_up_stops_workflows_and_not_launches(stacks):
    stop = stacks["cleanup"].statement("CleanupWorkflowRole", "StopWorkflows")

    assert stop["Action"] == "states:StopExecution"
    assert "execution:genolaunch-unit-regenie:*" in json.dumps(stop["Resource"])
