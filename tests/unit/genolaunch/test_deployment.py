"""`running`: what runs in a stage is told, and what a deployment does to it. What is looked at before it is deleted."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from genolaunch.commands.exit_codes import COULD_NOT, STILL_RUNS
from genolaunch.contract.compute import MINUTES_ON_REPLACED_HOSTS
from genolaunch.deployment import destruction
from genolaunch.deployment import running as looking
from genolaunch.deployment.destruction import _order, plan
from genolaunch.deployment.emptying import empty
from genolaunch.deployment.intake import Intake
from genolaunch.deployment.running import running
from genolaunch.errors import GenolaunchError
from genolaunch.verify.account import Account

from .conftest import STAGE, job

NOW = datetime(2026, 11, 21, 5, 0, tzinfo=UTC)
BEFORE = int(datetime(2026, 11, 21, 4, 15, tzinfo=UTC).timestamp() * 1000)


def of(stack):
    """A value of another stack, by a weak reference."""
    return {
        "Resources": {"R": {"Properties": {"V": [{"Fn::GetStackOutput": {"StackName": stack, "OutputName": "X"}}]}}}
    }


def by_export(name):
    return {"Resources": {"R": {"Properties": {"V": {"Fn::ImportValue": name}}}}}


def exporting(name):
    return {"Outputs": {"O": {"Value": "v", "Export": {"Name": name}}}}


def test_users_of_a_stack_go_before_it():
    templates = {"a": exporting("x"), "b": by_export("x"), "c": of("b"), "d": {}}

    assert _order(templates, STAGE) == ["c", "d", "b", "a"]


def test_a_circle_is_no_order():
    with pytest.raises(GenolaunchError, match="circle: a, b"):
        _order({"a": of("b"), "b": of("a")}, STAGE)


def test_cleanup_goes_as_late_as_what_it_uses_allows():
    templates = {
        "genolaunch-dev-cleanup": of("genolaunch-dev-regenie"),
        "genolaunch-dev-regenie": {},
        "genolaunch-dev-zoo": {},
        "genolaunch-dev-restore": of("genolaunch-dev-tables"),
        "genolaunch-dev-tables": {},
    }

    assert _order(templates, STAGE) == [
        "genolaunch-dev-restore",
        "genolaunch-dev-zoo",
        "genolaunch-dev-tables",
        "genolaunch-dev-cleanup",
        "genolaunch-dev-regenie",
    ]


class Batch:
    """ListJobs by status, and DescribeJobs."""

    def __init__(self, jobs):
        self.jobs = jobs

    def get_paginator(self, _):
        return self

    def paginate(self, jobQueue, jobStatus):  # noqa: N803 - AWS's names
        here = [each for each in self.jobs if each["status"] == jobStatus and jobQueue == "arn:queue/high"]
        yield {"jobSummaryList": here}

    def describe_jobs(self, jobs):
        return {"jobs": [each for each in self.jobs if each["jobId"] in jobs]}


@pytest.fixture
def account(platform, session) -> Account:
    """Given: an account in which the stage is not."""
    found = Account(STAGE, session)
    found.__dict__["platform"] = platform
    found.__dict__["stacks"] = {}
    return found


@pytest.fixture
def deployed(account, monkeypatch):
    """Given: the stage, and what runs in it."""
    account.__dict__["stacks"] = {name: {} for name in ("data", "compute", "workflow-manager")}
    account.client("ecs").create_cluster(clusterName="genolaunch-dev-launchers")
    batch = Batch([])
    account.platform.batch = batch
    monkeypatch.setattr(looking, "_updating", lambda _: [])
    return account, batch


class TestBeforeDeploy:
    def test_a_stage_that_is_not_there_has_nothing_that_runs(self, account):
        found = running(account, NOW)

        assert found.is_idle
        assert list(found.sentences()) == ["The stage dev is not deployed yet: nothing runs."]

    def test_an_idle_one_says_so(self, deployed):
        found = running(deployed[0], NOW)

        assert found.is_idle
        assert list(found.sentences()) == ["Nothing runs in the stage dev."]

    def test_what_runs_is_told_and_what_becomes_of_it(self, deployed, content):
        account, batch = deployed
        content.launch("height-1", workflow={"S": "regenie"}, requestedBy={"S": "ada"})
        content.launch("height-2", status="COMPLETE")
        array = {"size": 100, "statusSummary": {"RUNNING": 7, "STARTING": 1, "RUNNABLE": 12, "SUCCEEDED": 80}}
        batch.jobs += [
            job("a", "height-1-1-step2", "PENDING", startedAt=None, **array),
            {**job("b", "height-1-1-report"), "startedAt": BEFORE},
            job("c", "height-1-1-merge", "RUNNABLE"),
            job("d", "old", "SUCCEEDED"),
        ]
        found = running(account, NOW)

        assert [launch.launch_id for launch in found.launches] == ["height-1"]
        assert [(each.name, each.jobs, each.minutes) for each in found.jobs] == [
            ("height-1-1-report", 1, 45),
            ("height-1-1-step2", 8, None),
        ]
        assert found.jobs_waiting == 13
        text = "\n".join(found.sentences())
        assert "height-1 (regenie, ada)" in text
        assert f"for {MINUTES_ON_REPLACED_HOSTS} minutes" in text
        assert "done again" in text

    def test_it_ends_with_one_only_if_that_is_asked(self, genolaunch, monkeypatch, own_settings):
        busy = looking.Running(STAGE, is_deployed=True, environments_updating=["genolaunch-dev-eu-west-1a-batch-spot"])
        monkeypatch.setattr(looking, "running", lambda _: busy)

        assert genolaunch("running").exit_code == 0
        assert genolaunch("running", "--idle", *own_settings()).exit_code == STILL_RUNS
        told = json.loads(genolaunch("running", "--json").stdout)
        assert told["isIdle"] is False
        assert told["environmentsUpdating"] == ["genolaunch-dev-eu-west-1a-batch-spot"]

    def test_idle_is_not_told_of_another_account_than_the_settings_say(self, genolaunch, own_settings, monkeypatch):
        monkeypatch.setattr(looking, "running", lambda _: IDLE)
        other = own_settings(account="999999999999")

        refused = genolaunch("running", "--idle", *other)
        assert refused.exit_code == COULD_NOT
        assert "say account 999999999999, eu-west-1, but this is account 123456789012" in refused.output
        only_looks = genolaunch("running", *other)
        assert only_looks.exit_code == 0
        assert "say account 999999999999" in only_looks.output

    def test_idle_is_told_of_the_settings_region_whatever_the_shell_says(self, genolaunch, own_settings, monkeypatch):
        seen = []

        def look(account):
            seen.append(account.client("sts").meta.region_name)
            return IDLE

        monkeypatch.setattr(looking, "running", look)
        monkeypatch.setenv("AWS_REGION", "us-east-1")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")

        assert genolaunch("running", "--idle", *own_settings()).exit_code == 0
        assert seen == ["eu-west-1"]

    def test_idle_is_not_told_without_settings(self, genolaunch, monkeypatch, tmp_path):
        monkeypatch.setattr(looking, "running", lambda _: IDLE)

        assert genolaunch("running", "--checkout", tmp_path).exit_code == 0
        refused = genolaunch("running", "--idle", "--checkout", tmp_path)
        assert refused.exit_code == COULD_NOT
        assert "is in no checkout" in refused.output

    def test_idle_is_not_told_of_a_part_that_nobody_can_look_at(self, deployed, genolaunch, own_settings, monkeypatch):
        account, _ = deployed
        account.platform.__dict__["published"] = {"launch-table": "launches"}
        monkeypatch.setattr("genolaunch.verify.account.Account", lambda *_: account)

        refused = genolaunch("running", "--idle", *own_settings())
        assert refused.exit_code == COULD_NOT
        assert "job-queues" in refused.output


IDLE = looking.Running(STAGE, is_deployed=True)


@pytest.fixture
def own_settings(tmp_path):
    """The options that give a stage's settings, in the account of the tests."""

    def options(account="123456789012"):
        cdk = json.loads((Path(__file__).parents[3] / "cdk.json").read_text())
        file = tmp_path / "settings.json"
        file.write_text(json.dumps({"stages": {STAGE: {**cdk["context"]["stages"][STAGE], "account": account}}}))
        return "--settings-file", file

    return options


class TestUnfinished:
    """What forbids deleting a stage, though no job runs."""

    @pytest.mark.parametrize(
        "status", ["SUBMITTED", "READY", "RETRY", "QUEUED", "WAITING", "HELD", "CANCEL_REQUESTED", "RUNNING"]
    )
    def test_a_launch_that_is_not_over(self, status, deployed, content):
        content.launch("height-7", status=status)
        found = running(deployed[0], NOW)

        assert not found.is_finished
        assert f"height-7 ({status})" in " ".join(found.unfinished_sentences())
        assert found.is_idle is (status != "RUNNING"), "a deployment does not touch what waits"

    @pytest.mark.parametrize("status", ["COMPLETE", "FAILED", "REJECTED", "CANCELLED"])
    def test_one_that_is_over_is_none(self, status, deployed, content):
        content.launch("height-7", status=status)

        assert running(deployed[0], NOW).is_finished

    @pytest.mark.parametrize("machine", ["genolaunch-dev-cleanup", "tibanna_unicorn_genolaunch_dev"])
    def test_an_execution_of_a_launch_that_is_over(self, machine, deployed, content):
        content.launch("height-7", status="COMPLETE")
        account = deployed[0]
        begin(account, machine, "height-7-1")
        found = running(account, NOW)

        assert not found.is_finished
        assert f"{machine.removeprefix('genolaunch-dev-')} height-7-1" in " ".join(found.unfinished_sentences())

    def test_another_stages_execution_is_none(self, deployed):
        account = deployed[0]
        begin(account, "genolaunch-dev2-cleanup", "height-7-1")
        begin(account, "tibanna_unicorn_genolaunch_dev2", "height-7-1")

        assert running(account, NOW).is_finished

    def test_a_file_system(self, deployed):
        account = deployed[0]
        id_ = file_system(account, project="genolaunch", stage=STAGE)
        file_system(account, project="genolaunch", stage="dev2")
        found = running(account, NOW)

        assert found.file_systems == [id_]
        assert not found.is_finished
        assert id_ in " ".join(found.unfinished_sentences())

    def test_an_instance(self, deployed):
        account = deployed[0]
        id_ = instance(account, project="genolaunch", stage=STAGE)
        instance(account, project="genolaunch", stage="dev2")
        found = running(account, NOW)

        assert found.instances == [id_]
        assert not found.is_finished
        account.client("ec2").terminate_instances(InstanceIds=[id_])
        assert running(account, NOW).is_finished

    def test_an_instance_without_tags_in_the_stages_network(self, deployed):
        account = deployed[0]
        vpc = account.client("ec2").create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
        account.__dict__["stacks"]["network"] = stack_of("network")
        account._clients["cloudformation"] = cloudformation_with({"Type": "AWS::EC2::VPC", "Properties": {"Id": vpc}})
        subnet = account.client("ec2").create_subnet(VpcId=vpc, CidrBlock="10.9.0.0/24")["Subnet"]["SubnetId"]
        id_ = instance(account, subnet, Type="awsem")

        assert running(account, NOW).instances == [id_]

    def test_a_job_that_waits(self, deployed):
        account, batch = deployed
        batch.jobs += [job("c", "height-1-1-merge", "RUNNABLE")]

        assert not running(account, NOW).is_finished


WAIT = {"StartAt": "Wait", "States": {"Wait": {"Type": "Wait", "Seconds": 600, "End": True}}}
ROLE = "arn:aws:iam::123456789012:role/any"


def begin(account, machine, name):
    made = account.client("stepfunctions").create_state_machine(name=machine, definition=json.dumps(WAIT), roleArn=ROLE)
    account.client("stepfunctions").start_execution(stateMachineArn=made["stateMachineArn"], name=name)


def tags_of(tags):
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def file_system(account, **tags):
    made = account.client("fsx").create_file_system(
        FileSystemType="LUSTRE", StorageCapacity=1200, SubnetIds=["subnet-0123456789abcdef0"], Tags=tags_of(tags)
    )
    return made["FileSystem"]["FileSystemId"]


def instance(account, subnet=None, **tags):
    made = account.client("ec2").run_instances(
        ImageId="ami-12c6146b",
        MinCount=1,
        MaxCount=1,
        **({"SubnetId": subnet} if subnet else {}),
        TagSpecifications=[{"ResourceType": "instance", "Tags": tags_of(tags)}],
    )
    return made["Instances"][0]["InstanceId"]


BUCKET = {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "dev-data"}}
TABLE = {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": "dev-table"}}
VAULT = {"Type": "AWS::Backup::BackupVault", "Properties": {"BackupVaultName": "genolaunch-dev-backups"}}


class Stubbed:
    """A client of which some operations answer what a test says, pages in one."""

    def __init__(self, **answers):
        self.answers = answers

    def get_paginator(self, operation):
        answer = self.answers[operation]
        return type("Pages", (), {"paginate": lambda _, **request: [answer]})()

    def __getattr__(self, operation):
        return lambda **_: self.answers[operation]


class TestPlan:
    """What is known to be in the way is told before anything is deleted."""

    @pytest.mark.parametrize("policy", ["Retain", "RetainExceptOnCreate"])
    @pytest.mark.parametrize(("kept", "name"), [(BUCKET, "AWS::S3::Bucket"), (TABLE, "AWS::DynamoDB::Table")])
    def test_a_stage_that_keeps_its_data_is_refused_though_nobody_protects_it(self, kept, name, policy, account):
        account.__dict__["stacks"] = {"data": stack_of("data")}
        account._clients["cloudformation"] = cloudformation_with({**kept, "DeletionPolicy": policy})

        with pytest.raises(GenolaunchError, match=f"removal_policy: retain.*{name} dev-"):
            plan(account)

    @pytest.mark.parametrize("status", ["UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS"])
    def test_a_stack_that_cloudformation_works_on(self, status, account):
        account.__dict__["stacks"] = {"data": {**stack_of("data"), "StackStatus": status}}
        account._clients["cloudformation"] = cloudformation_with(BUCKET)

        with pytest.raises(GenolaunchError, match=f"genolaunch-dev-data is {status}: wait"):
            plan(account)

    def test_a_vault_with_recovery_points(self, account):
        account.__dict__["stacks"] = {"backup": stack_of("backup")}
        account._clients["cloudformation"] = cloudformation_with(VAULT)
        points = {"RecoveryPoints": [{"RecoveryPointArn": "arn:1"}, {"RecoveryPointArn": "arn:2"}]}
        account._clients["backup"] = Stubbed(list_recovery_points_by_backup_vault=points)

        with pytest.raises(GenolaunchError, match="vault genolaunch-dev-backups holds 2 recovery points"):
            plan(account)
        account._clients["backup"] = Stubbed(list_recovery_points_by_backup_vault={"RecoveryPoints": []})
        assert plan(account).stacks == ["genolaunch-dev-backup"]

    def test_everything_in_the_way_is_told_at_once(self, account):
        stacks = {
            "data": {**stack_of("data"), "EnableTerminationProtection": True},
            "backup": {**stack_of("backup"), "StackStatus": "UPDATE_IN_PROGRESS"},
        }
        account.__dict__["stacks"] = stacks
        account._clients["cloudformation"] = cloudformation_with({**VAULT, "DeletionPolicy": "Retain"})

        with pytest.raises(GenolaunchError, match=r"genolaunch-dev-data is protected.*genolaunch-dev-backup is UPD"):
            plan(account)

    def test_a_stack_that_was_never_filled_has_no_resources(self, account):
        account.__dict__["stacks"] = {"data": {**stack_of("data"), "StackStatus": "REVIEW_IN_PROGRESS"}}
        account._clients["cloudformation"] = Stubbed()  # GetTemplate answers ValidationError

        planned = plan(account)

        assert (planned.stacks, planned.buckets, planned.kept) == (["genolaunch-dev-data"], [], [])
        assert running(account, NOW).is_finished


def stack_of(name):
    return {"StackName": f"genolaunch-dev-{name}", "StackStatus": "CREATE_COMPLETE"}


def cloudformation_with(resource):
    summary = {
        "LogicalResourceId": "R",
        "ResourceType": resource["Type"],
        "PhysicalResourceId": next(iter(resource["Properties"].values())),
        "ResourceStatus": "CREATE_COMPLETE",
    }
    return Stubbed(
        get_template={"TemplateBody": {"Resources": {"R": resource}}},
        list_stack_resources={"StackResourceSummaries": [summary]},
    )


class IntakeClients:
    """Lambda, EventBridge Pipes and EventBridge, as far as the intake needs them; AWS takes two looks to stop one."""

    def __init__(self):
        self.states = {"mapping": "Enabled", "pipe": "RUNNING", "rule": "ENABLED", "asleep": "DISABLED"}
        self._looks = {}

    def _seen(self, name, passing, then):
        if self.states[name] == passing:
            self._looks[name] = self._looks.get(name, 0) + 1
            if self._looks[name] == 2:
                self.states[name] = then
        return self.states[name]

    def get_event_source_mapping(self, *, UUID):  # noqa: N803 - AWS's names, also below
        return {"State": self._seen(UUID, "Disabling", "Disabled")}

    def update_event_source_mapping(self, *, UUID, Enabled):  # noqa: N803
        self.states[UUID] = "Enabled" if Enabled else "Disabling"

    def describe_pipe(self, *, Name):  # noqa: N803
        return {"CurrentState": self._seen(Name, "STOPPING", "STOPPED")}

    def stop_pipe(self, *, Name):  # noqa: N803
        self.states[Name] = "STOPPING"

    def start_pipe(self, *, Name):  # noqa: N803
        self.states[Name] = "RUNNING"

    def describe_rule(self, *, Name):  # noqa: N803
        return {"State": self.states[Name]}

    def disable_rule(self, *, Name):  # noqa: N803
        self.states[Name] = "DISABLED"

    def enable_rule(self, *, Name):  # noqa: N803
        self.states[Name] = "ENABLED"


@pytest.fixture
def intake(account, monkeypatch):
    """Given: the stage's intake, which takes in."""
    clients = IntakeClients()
    monkeypatch.setattr("time.sleep", lambda _: None)
    for service in ("lambda", "pipes", "events"):
        account._clients[service] = clients
    resources = [
        {"ResourceType": type_, "PhysicalResourceId": id_}
        for type_, id_ in (
            ("AWS::Lambda::EventSourceMapping", "mapping"),
            ("AWS::Pipes::Pipe", "pipe"),
            ("AWS::Events::Rule", "rule"),
            ("AWS::Events::Rule", "asleep"),
        )
    ]
    monkeypatch.setattr(account, "resources", lambda name: resources if name == "workflow-manager" else [])
    return clients


TAKES_IN = {"mapping": "Enabled", "pipe": "RUNNING", "rule": "ENABLED", "asleep": "DISABLED"}
STOPPED = {"mapping": "Disabled", "pipe": "STOPPED", "rule": "DISABLED", "asleep": "DISABLED"}


class TestIntake:
    def test_nothing_is_emptied_before_it_has_stopped(self, account, intake, monkeypatch):
        done = []

        def look(_):
            done.append(("looked", dict(intake.states)))
            return IDLE

        def empty_bucket(_, bucket):
            done.append((bucket, dict(intake.states)))
            return 0

        monkeypatch.setattr(looking, "running", look)
        monkeypatch.setattr(destruction, "empty", empty_bucket)
        monkeypatch.setattr(destruction, "_delete_once", lambda *_: None)
        list(destruction.destroy(account, destruction.Plan(STAGE, ["genolaunch-dev-data"], ["dev-data"], [])))

        assert done == [("looked", STOPPED), ("dev-data", STOPPED)]

    def test_what_began_before_it_stopped_keeps_the_stage_and_its_intake(self, account, intake, monkeypatch):
        """Between the question and its answer somebody drops a launch."""
        late = looking.RunningLaunch("late-1", "regenie", "ada", "SUBMITTED")
        busy = looking.Running(STAGE, is_deployed=True, other_launches=[late])
        monkeypatch.setattr(looking, "running", lambda _: busy)
        emptied = []
        monkeypatch.setattr(destruction, "empty", lambda _, bucket: emptied.append(bucket))

        with pytest.raises(GenolaunchError, match=r"late-1 \(SUBMITTED\)"):
            list(destruction.destroy(account, destruction.Plan(STAGE, ["genolaunch-dev-data"], ["dev-data"], [])))
        assert emptied == []
        assert intake.states == TAKES_IN

    def test_what_does_not_stop_is_told_and_the_rest_put_back(self, account, intake, monkeypatch):
        monkeypatch.setattr(intake, "describe_pipe", lambda **_: {"CurrentState": "STOP_FAILED"})

        with pytest.raises(GenolaunchError, match="the pipe pipe is STOP_FAILED"):
            Intake(account).stop()
        assert intake.states == TAKES_IN

    def test_what_somebody_has_deleted_is_passed_over(self, account, intake, monkeypatch):
        def describe_pipe(**_):
            raise ClientError({"Error": {"Code": "NotFoundException"}}, "DescribePipe")

        monkeypatch.setattr(intake, "describe_pipe", describe_pipe)
        Intake(account).stop()

        assert intake.states == {**STOPPED, "pipe": "RUNNING"}

    @pytest.mark.parametrize("state", ["CREATE_FAILED", "START_FAILED"])
    def test_a_pipe_that_never_ran_needs_no_stop(self, state, account, intake):
        intake.states["pipe"] = state
        Intake(account).stop()

        assert intake.states == {**STOPPED, "pipe": state}

    def test_what_does_not_start_again_is_told_and_the_rest_does(self, account, intake, monkeypatch):
        def start_pipe(**_):
            raise ClientError({"Error": {"Code": "ConflictException"}}, "StartPipe")

        stopped = Intake(account)
        stopped.stop()
        monkeypatch.setattr(intake, "start_pipe", start_pipe)

        with pytest.raises(GenolaunchError, match=r"start by hand the pipe pipe \(.*ConflictException"):
            stopped.put_back()
        assert intake.states == {**TAKES_IN, "pipe": "STOPPED"}

    def test_what_was_stopped_before_is_not_started(self, account, intake):
        intake.states["pipe"] = "STOPPED"
        stopped = Intake(account)
        stopped.stop()
        stopped.put_back()

        assert intake.states == {**TAKES_IN, "pipe": "STOPPED"}


class TestEmptying:
    @pytest.fixture
    def bucket(self, account):
        """Given: a bucket with three objects."""
        s3 = account.client("s3")
        for key in "abc":
            s3.put_object(Bucket="data-bucket-1", Key=key, Body=b"1")
        return s3

    @pytest.mark.parametrize("code", ["InternalError", "SlowDown"])
    def test_a_key_that_s3_could_not_delete_just_now_is_tried_again(self, code, account, bucket, monkeypatch):
        waits: list[int] = []
        asked = []
        monkeypatch.setattr("time.sleep", waits.append)
        real = bucket.delete_objects

        def delete_objects(**request):
            asked.append([each["Key"] for each in request["Delete"]["Objects"]])
            if len(asked) < 3:
                return {"Errors": [{"Key": "b", "VersionId": "null", "Code": code, "Message": "Try again"}]}
            return real(**request)

        monkeypatch.setattr(bucket, "delete_objects", delete_objects)

        assert empty(account, "data-bucket-1") == 3
        assert asked == [["a", "b", "c"], ["b"], ["b"]]
        assert waits == [1, 2]

    def test_it_is_not_tried_for_ever(self, account, bucket, monkeypatch):
        monkeypatch.setattr("time.sleep", lambda _: None)
        error = {"Key": "b", "Code": "SlowDown", "Message": "Reduce your rate"}
        monkeypatch.setattr(bucket, "delete_objects", lambda **_: {"Errors": [error]})

        with pytest.raises(GenolaunchError, match="does not delete b of data-bucket-1: Reduce your rate"):
            empty(account, "data-bucket-1")

    def test_what_s3_forbids_is_told_at_once(self, account, bucket, monkeypatch):
        waits: list[int] = []
        monkeypatch.setattr("time.sleep", waits.append)
        errors = [{"Key": "a", "Code": "SlowDown"}, {"Key": "b", "Code": "AccessDenied", "Message": "Access Denied"}]
        monkeypatch.setattr(bucket, "delete_objects", lambda **_: {"Errors": errors})

        with pytest.raises(GenolaunchError, match="does not delete b of data-bucket-1: Access Denied"):
            empty(account, "data-bucket-1")
        assert waits == []
