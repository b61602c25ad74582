"""A small cloud of its own with IAM enforced, without the app's stacks: short ways to make things in it."""

import json
from typing import Any
from uuid import uuid4

import boto3

from genolaunch.local_stage import control
from localcloud.clients import ask
from tests.local.platform_client import eventually

IMAGE = "localhost/genolaunch-regenie:4.1.2"
LOGS = ["logs:CreateLogStream", "logs:PutLogEvents"]


class Enforced:
    """A cloud that enforces IAM, and short ways to make things in it as its owner."""

    def __init__(self, cloud: control.Cloud) -> None:
        self._endpoint = cloud.endpoint
        self._keys = cloud.keys
        self._session = boto3.Session(*cloud.keys[:2], region_name="us-east-1")
        self.batch, self.states = self.client("batch"), self.client("stepfunctions")

    def client(self, service: str) -> Any:
        return self._session.client(service, endpoint_url=self._endpoint)

    def role(self, service: str, *actions: str) -> str:
        """ARN of a new role that may do these actions, on everything."""
        name = f"r{uuid4().hex}"
        principal = {"Service": f"{service}.amazonaws.com", "AWS": "arn:aws:iam::000000000000:root"}
        trust = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
        role = self.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=policy_of(trust))["Role"]
        allowed = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
        self.client("iam").put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=policy_of(allowed))
        arn: str = role["Arn"]
        return arn

    def role_with(self, service: str, *statements: dict[str, Any]) -> str:
        """ARN of a new role with these statements."""
        arn = self.role(service, "sts:GetCallerIdentity")
        policy = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        self.client("iam").put_role_policy(
            RoleName=arn.rpartition("/")[2], PolicyName="statements", PolicyDocument=policy
        )
        return arn

    def as_role(self, role: str, service: str) -> Any:
        """A client with the keys of a role, which must trust the account."""
        given = self.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
        return boto3.client(
            service,
            endpoint_url=self._endpoint,
            region_name="us-east-1",
            aws_access_key_id=given["AccessKeyId"],
            aws_secret_access_key=given["SecretAccessKey"],
            aws_session_token=given["SessionToken"],
        )

    def as_service(self, role: str, service: str) -> Any:
        """A client with the keys that a service gives to what has this role: the role need not trust the account."""
        iam, name = self.client("iam"), role.rpartition("/")[2]
        trust = iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
        everybody = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=policy_of(everybody))
        try:
            return self.as_role(role, service)
        finally:
            iam.update_assume_role_policy(RoleName=name, PolicyDocument=json.dumps(trust))

    def table(self) -> str:
        """Name of a new table like the task table."""
        name = f"t{uuid4().hex}"
        keys = (("launchId", "HASH"), ("taskId", "RANGE"))
        self.client("dynamodb").create_table(
            TableName=name,
            KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in keys],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key, _ in keys],
            BillingMode="PAY_PER_REQUEST",
        )
        return name

    def bucket(self) -> str:
        name = f"b{uuid4().hex}"
        self.client("s3").create_bucket(Bucket=name)
        return name

    def objects(self, bucket: str) -> dict[str, str]:
        """Key -> text of what lies in a bucket."""
        s3 = self.client("s3")
        keys = [each["Key"] for each in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]
        return {key: s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode() for key in keys}

    def queue(self) -> str:
        """ARN of a new job queue."""
        name = f"q{uuid4().hex}"
        ec2 = self.client("ec2")
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
        resources = {
            "type": "EC2",
            "minvCpus": 0,
            "maxvCpus": 4,
            "instanceTypes": ["optimal"],
            "instanceRole": "arn:aws:iam::000000000000:instance-profile/any",
            "subnets": [subnet],
            "securityGroupIds": ["sg-1"],
        }
        environment = self.batch.create_compute_environment(
            computeEnvironmentName=name, type="MANAGED", computeResources=resources
        )["computeEnvironmentArn"]
        order = [{"order": 1, "computeEnvironment": environment}]
        arn: str = self.batch.create_job_queue(jobQueueName=name, priority=1, computeEnvironmentOrder=order)[
            "jobQueueArn"
        ]
        return arn

    def run_job(self, *, role: str, execution_role: str, code: str) -> dict[str, Any]:
        """The description of a job that runs this Python, once it has ended."""
        log_group = f"/jobs/{uuid4().hex}"
        self.client("logs").create_log_group(logGroupName=log_group)
        name = f"d{uuid4().hex}"
        self.batch.register_job_definition(
            jobDefinitionName=name,
            type="container",
            containerProperties={
                "image": IMAGE,
                "command": ["python3", "-c", f"import boto3; {code}"],
                "resourceRequirements": [{"type": "VCPU", "value": "1"}, {"type": "MEMORY", "value": "256"}],
                "jobRoleArn": role,
                "executionRoleArn": execution_role,
                "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": log_group}},
            },
        )
        job_id = self.batch.submit_job(jobName=name, jobDefinition=name, jobQueue=self.queue())["jobId"]

        def look() -> dict[str, Any] | None:
            job: dict[str, Any] = self.batch.describe_jobs(jobs=[job_id])["jobs"][0]
            return job if job["status"] in {"SUCCEEDED", "FAILED"} else None

        return eventually(look, "the job ends")

    def run_task(self, role: str, resource: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """The description of an execution of this one task, once it has ended."""
        state = {"Type": "Task", "Resource": f"arn:aws:states:::{resource}", "Arguments": arguments, "End": True}
        definition = {"QueryLanguage": "JSONata", "StartAt": "Task", "States": {"Task": state}}
        execution = self.states.start_execution(stateMachineArn=self.machine(role, definition))["executionArn"]

        def look() -> dict[str, Any] | None:
            found: dict[str, Any] = self.states.describe_execution(executionArn=execution)
            return found if found["status"] != "RUNNING" else None

        return eventually(look, "the execution ends")

    def machine(self, role: str, definition: dict[str, Any]) -> str:
        arn: str = self.states.create_state_machine(
            name=f"m{uuid4().hex}", definition=json.dumps(definition), roleArn=role
        )["stateMachineArn"]
        return arn

    def refused(self, role: str) -> list[str]:
        """The actions that a role was refused."""
        with ask(self._endpoint, "/_localcloud/iam", self._keys) as answer:
            return [one["action"] for one in json.load(answer)["refused"] if one["role"] == role.rpartition("/")[2]]


def policy_of(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
