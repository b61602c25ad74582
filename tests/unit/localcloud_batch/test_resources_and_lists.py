import pytest

from localcloud.service import ServiceError
from tests.unit.localcloud_batch.support import environment, queue, shell


def refused(cloud, operation, **params):
    with pytest.raises(ServiceError) as caught:
        cloud.call(operation, **params)
    assert caught.value.code == "ClientException"
    return caught.value.message


# --- Compute environments and queues ---------------------------------------------------------------------------------
def test_environments_and_queues_are_valid_at_once_and_described_by_name_or_arn(cloud):
    (described,) = cloud.call("DescribeJobQueues", jobQueues=["low"])["jobQueues"]
    assert (described["state"], described["status"], described["priority"]) == ("ENABLED", "VALID", 1)
    arn = described["computeEnvironmentOrder"][0]["computeEnvironment"]
    (found,) = cloud.call("DescribeComputeEnvironments", computeEnvironments=[arn])["computeEnvironments"]
    assert (found["computeEnvironmentName"], found["status"]) == ("spot", "VALID")
    assert found["computeResources"]["type"] == "SPOT"


@pytest.mark.parametrize(
    ("operation", "params"),
    [
        ("CreateComputeEnvironment", environment("spot")),
        ("CreateComputeEnvironment", {"computeEnvironmentName": "x", "type": "MANAGED"}),
        ("CreateComputeEnvironment", {**environment("x"), "type": "OTHER"}),
        ("CreateComputeEnvironment", environment("no spaces")),
        ("CreateJobQueue", queue("low", priority=1)),
        ("CreateJobQueue", queue("x", priority=1001)),
        ("CreateJobQueue", {"jobQueueName": "x", "priority": 1, "computeEnvironmentOrder": []}),
        ("CreateJobQueue", queue("x", priority=1, schedulingPolicyArn="arn:aws:batch:none")),
        ("CreateJobQueue", {**queue("x", 1), "computeEnvironmentOrder": [{"order": 1, "computeEnvironment": "no"}]}),
        ("UpdateJobQueue", {"jobQueue": "none", "priority": 1}),
    ],
)
def test_what_aws_refuses_is_refused(cloud, operation, params):
    refused(cloud, operation, **params)


def test_what_is_in_use_or_enabled_is_not_deleted(cloud):
    assert "DISABLED" in refused(cloud, "DeleteJobQueue", jobQueue="low")
    cloud.call("UpdateComputeEnvironment", computeEnvironment="spot", state="DISABLED")
    assert "relationship" in refused(cloud, "DeleteComputeEnvironment", computeEnvironment="spot")
    cloud.call("UpdateJobQueue", jobQueue="low", state="DISABLED")
    cloud.call("DeleteJobQueue", jobQueue="low")
    cloud.call("DeleteComputeEnvironment", computeEnvironment="spot")
    assert cloud.call("DescribeJobQueues")["jobQueues"] == []
    assert cloud.call("DescribeComputeEnvironments")["computeEnvironments"] == []
    # and deleting again is no error
    cloud.call("DeleteJobQueue", jobQueue="low")
    cloud.call("DeleteComputeEnvironment", computeEnvironment="spot")


def test_a_deleted_queues_jobs_are_terminated(cloud):
    job_id = cloud.submit(["sleep", "30"])
    cloud.call("UpdateJobQueue", jobQueue="low", state="DISABLED")
    assert "ENABLED" in refused(cloud, "SubmitJob", jobName="x", jobQueue="low", jobDefinition="definition")
    cloud.call("DeleteJobQueue", jobQueue="low")
    assert cloud.batch.wait(job_id, 10)["statusReason"] == "The job queue was deleted"


def test_a_fair_share_queue_wants_a_share_identifier_and_a_fifo_queue_does_not(cloud):
    # given
    policy = cloud.call("CreateSchedulingPolicy", name="fair", fairsharePolicy={"shareDecaySeconds": 60})["arn"]
    cloud.call("CreateJobQueue", **queue("fair", priority=1, schedulingPolicyArn=policy))
    definition = cloud.define()
    # then
    job = {"jobName": "j", "jobDefinition": definition}
    assert "must be specified" in refused(cloud, "SubmitJob", jobQueue="fair", **job)
    assert "must not be specified" in refused(cloud, "SubmitJob", jobQueue="low", shareIdentifier="x", **job)
    assert "schedulingPriority" in refused(cloud, "SubmitJob", jobQueue="fair", shareIdentifier="x", **job)
    done = cloud.run(queue="fair", shareIdentifier="team", schedulingPriorityOverride=1, definition=definition)
    assert (done["status"], done["shareIdentifier"]) == ("SUCCEEDED", "team")
    assert "relationship" in refused(cloud, "DeleteSchedulingPolicy", arn=policy)
    assert "without one" in refused(cloud, "UpdateJobQueue", jobQueue="low", schedulingPolicyArn=policy)
    assert cloud.call("DescribeSchedulingPolicies", arns=[policy])["schedulingPolicies"][0]["name"] == "fair"


# --- Job definitions -------------------------------------------------------------------------------------------------
def test_revisions_are_counted_and_the_newest_active_one_is_meant_by_name(cloud):
    # given
    for word in ("one", "two", "three"):
        arn = cloud.define(command=["echo", word], name="greet")
    cloud.call("DeregisterJobDefinition", jobDefinition=arn)
    # when
    job = cloud.run(definition="greet")
    # then
    assert cloud.logs.of(job) == ["two"]
    assert job["jobDefinition"].endswith("job-definition/greet:2")
    assert cloud.logs.of(cloud.run(definition="greet:1")) == ["one"]
    assert "not active" in refused(cloud, "SubmitJob", jobName="j", jobQueue="low", jobDefinition=arn)


def test_definitions_are_described_by_name_status_and_arn_in_pages(cloud):
    arns = [cloud.define(name="a"), cloud.define(name="a"), cloud.define(name="b")]
    cloud.call("DeregisterJobDefinition", jobDefinition="a:1")

    def found(**params):
        return [each["jobDefinitionArn"] for each in cloud.call("DescribeJobDefinitions", **params)["jobDefinitions"]]

    assert found(jobDefinitionName="a") == arns[:2]
    assert found(jobDefinitionName="a", status="ACTIVE") == arns[1:2]
    assert found(status="INACTIVE") == arns[:1]
    assert found(jobDefinitions=[arns[2], "a:1"]) == [arns[2], arns[0]]
    first = cloud.call("DescribeJobDefinitions", maxResults=2)
    assert len(first["jobDefinitions"]) == 2
    assert found(maxResults=2, nextToken=first["nextToken"]) == arns[2:]
    assert "nextToken" in refused(cloud, "DescribeJobDefinitions", nextToken="nonsense!")


@pytest.mark.parametrize(
    ("members", "named"),
    [
        ({"type": "multinode"}, "multinode"),
        ({"containerProperties": None}, "containerProperties"),
        ({"image": ""}, "image"),
        ({"resourceRequirements": [{"type": "VCPU", "value": "1"}]}, "MEMORY"),
        ({"resourceRequirements": [{"type": "MEMORY", "value": "1"}]}, "VCPU"),
        ({"mountPoints": [{"sourceVolume": "x", "containerPath": "/x"}]}, "'x'"),
        ({"environment": [{"name": "AWS_BATCH_X", "value": ""}]}, "AWS_BATCH_X"),
        ({"logConfiguration": {"logDriver": "splunk"}}, "splunk"),
        ({"retryStrategy": {"attempts": 11}}, "between 1 and 10"),
        ({"retryStrategy": {"evaluateOnExit": [{"onReason": "*", "action": "EXIT"}]}}, "attempts"),
        ({"retryStrategy": {"attempts": 1, "evaluateOnExit": [{"action": "EXIT"}]}}, "at least one"),
        ({"retryStrategy": {"attempts": 1, "evaluateOnExit": [{"onReason": "x", "action": "NO"}]}}, "NO"),
        ({"retryStrategy": {"attempts": 1, "evaluateOnExit": [{"onExitCode": "x", "action": "EXIT"}]}}, "numbers"),
        (
            {"retryStrategy": {"attempts": 1, "evaluateOnExit": [{"onReason": "x", "action": "EXIT"}] * 6}},
            "more than 5",
        ),
        ({"timeout": {"attemptDurationSeconds": 0}}, "at least"),
    ],
)
def test_definitions_that_aws_refuses_are_refused(cloud, members, named):
    top = {"type", "retryStrategy", "timeout", "containerProperties"}
    container = {
        "image": "genolaunch-regenie:1",
        "resourceRequirements": [{"type": "VCPU", "value": "1"}, {"type": "MEMORY", "value": "1"}],
        **{name: value for name, value in members.items() if name not in top},
    }
    params = {
        "jobDefinitionName": "d",
        "type": "container",
        "containerProperties": container,
        **{name: value for name, value in members.items() if name in top},
    }
    assert named in refused(cloud, "RegisterJobDefinition", **params)


# --- Submission and lists --------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "members",
    [
        {"jobQueue": "none"},
        {"jobDefinition": "none"},
        {"jobName": "no spaces"},
        {"jobName": ""},
        {"containerOverrides": {"environment": [{"name": "AWS_BATCH_JOB_ID", "value": "x"}]}},
        {"containerOverrides": {"resourceRequirements": [{"type": "VCPU", "value": "many"}]}},
        {"timeout": {"attemptDurationSeconds": 0}},
        {"retryStrategy": {"attempts": 0}},
        {"nodeOverrides": {}},
    ],
)
def test_submissions_that_aws_refuses_are_refused(cloud, members):
    job = {"jobName": "j", "jobQueue": "low", "jobDefinition": cloud.define()}
    refused(cloud, "SubmitJob", **{**job, **members})


def test_jobs_are_listed_by_status_and_by_name(cloud):
    # given
    done = cloud.run(["true"], name="launch-1-split")["jobId"]
    running = cloud.submit(["sleep", "30"], name="Launch-1-step2")
    cloud.until(running, "RUNNING")
    other = cloud.run(["true"], name="launch-2")["jobId"]

    def listed(**params):
        return [each["jobId"] for each in cloud.call("ListJobs", jobQueue="low", **params)["jobSummaryList"]]

    # then
    assert listed() == [running]
    assert listed(jobStatus="SUCCEEDED") == [other, done]
    assert listed(filters=[{"name": "JOB_NAME", "values": ["launch-1-*"]}], jobStatus="FAILED") == [running, done]
    assert listed(filters=[{"name": "JOB_NAME", "values": ["launch-2"]}]) == [other]
    assert listed(filters=[{"name": "JOB_DEFINITION", "values": ["def*"]}]) == [other, running, done]
    assert listed(filters=[{"name": "AFTER_CREATED_AT", "values": ["0"]}]) == [other, running, done]
    assert listed(filters=[{"name": "BEFORE_CREATED_AT", "values": ["0"]}]) == []


def test_an_arrays_failed_children_are_listed_in_pages(cloud):
    parent = cloud.run(shell("exit $((AWS_BATCH_JOB_ARRAY_INDEX % 2))"), arrayProperties={"size": 6})
    query = {"arrayJobId": parent["jobId"], "jobStatus": "FAILED", "maxResults": 2}
    first = cloud.call("ListJobs", **query)
    second = cloud.call("ListJobs", **query, nextToken=first["nextToken"])
    listed = first["jobSummaryList"] + second["jobSummaryList"]
    assert [each["arrayProperties"]["index"] for each in listed] == [1, 3, 5]
    assert {each["container"]["exitCode"] for each in listed} == {1}
    assert "nextToken" not in second
    # and the queue's list has the parent only
    found = cloud.call("ListJobs", jobQueue="low", jobStatus="FAILED")["jobSummaryList"]
    assert [each["jobId"] for each in found] == [parent["jobId"]]


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"jobQueue": "low", "arrayJobId": "x"},
        {"jobQueue": "none"},
        {"jobQueue": "low", "filters": [{"name": "COLOUR", "values": ["x"]}]},
        {"jobQueue": "low", "filters": [{"name": "JOB_NAME", "values": ["x", "y"]}]},
        {"jobQueue": "low", "filters": [{"name": "JOB_NAME", "values": ["x"]}] * 2},
    ],
)
def test_lists_that_aws_refuses_are_refused(cloud, params):
    refused(cloud, "ListJobs", **params)


def test_descriptions_leave_out_unknown_jobs_and_have_a_limit(cloud):
    assert cloud.describe("no-such-job") == []
    refused(cloud, "DescribeJobs", jobs=["x"] * 101)
    refused(cloud, "TerminateJob", jobId="no-such-job", reason="x")


def test_tags_of_jobs_queues_and_definitions(cloud):
    job_id = cloud.submit(["true"], tags={"launchId": "x"})
    definition = cloud.define(name="tagged", tags={"launchId": "y"})
    assert cloud.describe(job_id)[0]["tags"] == {"launchId": "x"}
    job_arn = cloud.describe(job_id)[0]["jobArn"]
    queue_arn = cloud.call("DescribeJobQueues")["jobQueues"][0]["jobQueueArn"]
    for arn in (job_arn, definition, queue_arn):
        cloud.call("TagResource", resourceArn=arn, tags={"a": "1", "b": "2"})
        cloud.call("UntagResource", resourceArn=arn, tagKeys=["a"])
    assert cloud.call("ListTagsForResource", resourceArn=definition)["tags"] == {"launchId": "y", "b": "2"}
    assert cloud.call("ListTagsForResource", resourceArn=job_arn)["tags"] == {"launchId": "x", "b": "2"}
    refused(cloud, "ListTagsForResource", resourceArn="arn:aws:batch:none")


def test_an_operation_that_is_not_there_is_an_invalid_action(cloud):
    with pytest.raises(ServiceError, match="InvalidAction"):
        cloud.call("SubmitServiceJob")
