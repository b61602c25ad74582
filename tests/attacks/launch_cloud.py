"""A cloud with IAM enforced, and two launches on it with the very roles that the platform gives to launches.

The policies are those of the app's templates, with this cloud's resources in place of the stacks'. The roles are made
by the platform's own function, by the rights of its own role.
"""

import inspect
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from genolaunch.contract.project import run_name
from genolaunch.contract.roles import RightsTag
from genolaunch.shared import aws
from lambdas.snakemake import make_roles
from localcloud.clients import ACCOUNT, REGION
from tests.infrastructure.conftest import Stack, as_list
from tests.local.enforced_cloud import Enforced, policy_of

STAGE: Final = "unit"
DATA, RESULTS, LAUNCHES, LOGS, SHARED, LAB = "data", "results", "launches", "tibanna-logs", "shared-cohorts", "lab-runs"
TABLES: Final = ("launches", "tasks", "usage")
JOB_LOGS: Final = "snakemake-job-logs"
UNICORN: Final = f"tibanna_unicorn_genolaunch_{STAGE}"

_IN_TEMPLATES: Final = {
    r"Data[0-9A-F]{8}Arn|Data666C94C7": f"arn:aws:s3:::{DATA}",
    r"Results[0-9A-F]{8}": f"arn:aws:s3:::{RESULTS}",
    r"TibannaLogs[0-9A-F]{8}": f"arn:aws:s3:::{LOGS}",
    r"TibannaJobs[0-9A-F]{8}": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/tibanna-master",
    r"RecordsQueue": f"arn:aws:sqs:{REGION}:{ACCOUNT}:records",
    r"SnakemakeJobLogs": JOB_LOGS,
    r"TibannaWorkflowMachine": f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{UNICORN}",
    r"Key[0-9A-F]{8}Arn": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/stage",
    r"SnakemakeBatch\w*": f"arn:aws:batch:{REGION}:{ACCOUNT}:job-queue/low",
    r"LaunchFiles[0-9A-F]{8}": f"arn:aws:iam::{ACCOUNT}:policy/genolaunch-{STAGE}-launch-files",
    r"LaunchLauncher[0-9A-F]{8}": f"arn:aws:iam::{ACCOUNT}:policy/genolaunch-{STAGE}-launch-launcher",
    r"LaunchInstance[0-9A-F]{8}": f"arn:aws:iam::{ACCOUNT}:policy/genolaunch-{STAGE}-launch-instance",
    r"LaunchBoundary[0-9A-F]{8}": f"arn:aws:iam::{ACCOUNT}:policy/genolaunch-{STAGE}-launch-boundary",
}


def resolved(value: Any) -> Any:
    """A part of a template, with this cloud's resources for those of the stacks."""
    if isinstance(value, list):
        return [resolved(each) for each in value]
    if not isinstance(value, dict):
        return value
    if "Fn::Join" in value:
        return "".join(resolved(part) for part in value["Fn::Join"][1])
    if value.keys() & {"Ref", "Fn::GetAtt", "Fn::ImportValue"}:
        text = json.dumps(value)
        found = [arn for pattern, arn in _IN_TEMPLATES.items() if re.search(pattern, text)]
        assert len(found) == 1, f"{text}: {found}"
        return found[0]
    return {key: resolved(each) for key, each in value.items()}


@dataclass(frozen=True)
class LaunchOnCloud:
    """An attempt of a launch, and what it may do."""

    cloud: Enforced
    id: str
    roles: Mapping[str, str]

    @property
    def run(self) -> str:
        return run_name(self.id, 1)

    def launcher(self, service: str) -> Any:
        """A client with the keys of its launcher."""
        return self.cloud.as_service(self.roles["launcher"], service)

    def job(self, service: str) -> Any:
        """A client with the keys of its jobs."""
        return self.cloud.as_service(self.roles["jobs"], service)


class LaunchCloud:
    """The cloud, with what a stage has."""

    def __init__(self, cloud: Enforced, stacks: Mapping[str, Stack], monkeypatch: Any) -> None:
        self.cloud = cloud
        self._stacks = stacks
        for bucket in (DATA, RESULTS, LAUNCHES, LOGS, SHARED, LAB):
            cloud.client("s3").create_bucket(Bucket=bucket)
        for table in (*TABLES, "tibanna-master"):
            cloud.client("dynamodb").create_table(
                TableName=table,
                KeySchema=[{"AttributeName": "Job Id" if "-" in table else "launchId", "KeyType": "HASH"}],
                AttributeDefinitions=[
                    {"AttributeName": "Job Id" if "-" in table else "launchId", "AttributeType": "S"}
                ],
                BillingMode="PAY_PER_REQUEST",
            )
        self.queues = {
            name: cloud.client("sqs").create_queue(QueueName=name)["QueueUrl"] for name in ("records", "others")
        }
        self.function_role = self._make_function_role()
        self._make_policies()
        monkeypatch.setenv("STAGE", STAGE)
        monkeypatch.setenv("LAUNCH_POLICIES", json.dumps(self._policies()))
        make_roles.settings.cache_clear()
        # Whatever the function calls, it calls as its own role.
        monkeypatch.setattr(aws, "client", lambda name: cloud.as_role(self.function_role, name))

    def launch(
        self, name: str, *, engine: str = "aws-batch", folder: str | None = None, token: str = ""
    ) -> LaunchOnCloud:
        """Given: a launch whose roles the platform has made."""
        tags = {
            RightsTag.DATA_BUCKET: DATA,
            RightsTag.DATA_FOLDER: folder or f"{name}/",
            RightsTag.SHARE: name,
            RightsTag.QUEUE: "low",
            RightsTag.ON_DEMAND_QUEUE: "low-on-demand",
            RightsTag.TOKEN: token,
        }
        id_ = f"{name}-20261130t120000-0123abcd"
        event = {"launchId": id_, "attempt": 1, "engine": engine, "tags": {str(k): v for k, v in tags.items()}}
        return LaunchOnCloud(self.cloud, id_, inspect.unwrap(make_roles.handler)(event, None))

    def _make_policies(self) -> None:
        for stack in ("snakemake", "tibanna"):
            for properties in self._stacks[stack].all("AWS::IAM::ManagedPolicy").values():
                self.cloud.client("iam").create_policy(
                    PolicyName=properties["ManagedPolicyName"],
                    PolicyDocument=json.dumps(resolved(properties["PolicyDocument"])),
                )

    def _make_function_role(self) -> str:
        arn = self.cloud.role("lambda")
        for number, (_, statement) in enumerate(self._stacks["snakemake"].statements("FunctionsMakeRolesRole")):
            if any(action.startswith("iam:") for action in as_list(statement["Action"])):
                self.cloud.client("iam").put_role_policy(
                    RoleName=arn.rpartition("/")[2],
                    PolicyName=f"s{number}",
                    PolicyDocument=policy_of(resolved(statement)),
                )
        return arn

    def _policies(self) -> Any:
        functions = self._stacks["snakemake"].all("AWS::Lambda::Function")
        (function,) = [each for id_, each in functions.items() if "MakeRoles" in id_]
        return json.loads(resolved(function["Environment"]["Variables"]["LAUNCH_POLICIES"]))
