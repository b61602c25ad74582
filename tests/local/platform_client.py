"""What the end-to-end tests do to the platform, and look at: plain boto3, as any user's script would."""

import json
import time
import urllib.error
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import boto3
import yaml
from boto3.dynamodb.types import TypeDeserializer
from botocore.config import Config

from genolaunch.contract.launch import FINAL_STATUSES
from genolaunch.contract.roles import launch_roles_path
from genolaunch.contract.settings import Parameter, parameter_name
from localcloud.clients import Keys, ask

T = TypeVar("T")

STAGE = "local"
COHORT = Path(__file__).parents[2] / "examples" / "gwas" / "cohort"

LAST_RESORT = 1800
"""Seconds after which a wait is given up. Nobody waits for them: what is waited for comes, or something ends that shows
that it never will. A machine that does much else at the same time may take long, and is not at fault."""


def gwas_config(**changes: Any) -> dict[str, Any]:
    """The demo's launch, smaller and quicker; `changes` replace keys below `regenie`."""
    regenie: dict[str, Any] = {
        "genotypes": "cohort.bed",
        "phenotypes": "phenotypes.txt",
        "covariates": "covariates.txt",
        "traits": ["height", "ldl"],
        "trait_type": "quantitative",
        "step1": {"block_size": 100, "jobs": 3},
        "step2": {"variants_per_job": 400},
    }
    return {"name": "e2e", "workflow": "regenie", "data": "cohort/", "regenie": regenie | changes}


def eventually(look: Callable[[], T | None], what: str, pause: float = 0.2) -> T:
    """The first truthy answer of `look`. A `look` that sees that there will be none raises; else this does, at last."""
    deadline = time.monotonic() + LAST_RESORT
    while True:
        answer = look()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"not within {LAST_RESORT} s: {what}; last seen: {answer!r}"
        time.sleep(pause)


class PlatformClient:
    """One stage of the platform, seen from outside."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = dict(environment)
        self._session = boto3.Session(
            aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
            region_name=environment["AWS_DEFAULT_REGION"],
        )

    def client(self, service: str) -> Any:
        """A boto3 client of the embedded cloud."""
        # Botocore would give up a slow invocation after a minute, and ask for another.
        patience = Config(read_timeout=LAST_RESORT)
        return self._session.client(service, endpoint_url=self.environment["AWS_ENDPOINT_URL"], config=patience)

    @cached_property
    def s3(self) -> Any:
        return self.client("s3")

    @cached_property
    def dynamodb(self) -> Any:
        return self.client("dynamodb")

    @cached_property
    def states(self) -> Any:
        return self.client("stepfunctions")

    @cached_property
    def batch(self) -> Any:
        return self.client("batch")

    @cached_property
    def fsx(self) -> Any:
        return self.client("fsx")

    @cached_property
    def names(self) -> dict[str, str]:
        """Published parameters of the stage, by genolaunch.contract.settings.Parameter value."""
        folder = parameter_name(STAGE, Parameter.LAUNCH_BUCKET).rpartition("/")[0]
        pages = self.client("ssm").get_paginator("get_parameters_by_path").paginate(Path=folder)
        return {p["Name"].rsplit("/", 1)[1]: p["Value"] for page in pages for p in page["Parameters"]}

    def name(self, parameter: Parameter) -> str:
        """One published parameter's value."""
        return self.names[parameter.value]

    # --- what users do ---------------------------------------------------------------------------------------------
    def upload_data(self, folder: Path, prefix: str) -> None:
        """Puts a folder's files into the data bucket."""
        for path in folder.iterdir():
            self.s3.upload_file(str(path), self.name(Parameter.DATA_BUCKET), prefix + path.name)

    def drop(self, config: Mapping[str, Any] | str, key: str | None = None) -> dict[str, Any]:
        """Puts a config into the launch bucket, and gives the platform's answer to this very put."""
        key = key or f"launches/{uuid.uuid4().hex}.yaml"
        submission = uuid.uuid4().hex
        self.s3.put_object(
            Bucket=self.name(Parameter.LAUNCH_BUCKET),
            Key=key,
            Body=config if isinstance(config, str) else yaml.safe_dump(dict(config)),
            Metadata={"submission-id": submission},
        )
        return eventually(lambda: self._feedback(key, submission), f"an answer to {key}")

    def answer(self, key: str, *, accepted: bool) -> dict[str, Any] | None:
        """The answer beside a dropped config, if it says so."""
        answer = self._answer(key)
        return answer if answer and answer["accepted"] is accepted else None

    def _feedback(self, key: str, submission: str) -> dict[str, Any] | None:
        answer = self._answer(key)
        return answer if answer and answer.get("submissionId") == submission else None

    def _answer(self, key: str) -> dict[str, Any] | None:
        try:
            body = self.s3.get_object(
                Bucket=self.name(Parameter.LAUNCH_BUCKET), Key=f"feedback/{key.removeprefix('launches/')}.json"
            )["Body"].read()
        except self.s3.exceptions.NoSuchKey:
            return None
        answer: dict[str, Any] = json.loads(body)
        return answer

    # --- what goes wrong -------------------------------------------------------------------------------------------
    def inject_batch(
        self,
        job_name_glob: str,
        *,
        status_reason: str | None = None,
        reason: str | None = None,
        exit_code: int | None = None,
        times: int = 1,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Lets the next `times` attempts of jobs with such a name fail; by default they lose their Spot instance.

        With an `environment` they run, with these variables in addition.
        """
        body = {"jobNameGlob": job_name_glob, "times": times}
        more = {"statusReason": status_reason, "reason": reason, "exitCode": exit_code, "environment": environment}
        self.inject("batch", body | {key: value for key, value in more.items() if value is not None})

    def inject_fsx(
        self,
        *,
        fail_next_file_system: str | None = None,
        refuse_next_file_system: str | None = None,
        fail_next_export: str | None = None,
    ) -> None:
        """Lets the next file system end FAILED, or be refused for the quota, or files like a glob fail to export."""
        body = {
            "failNextFileSystem": fail_next_file_system,
            "refuseNextFileSystem": refuse_next_file_system,
            "failNextExport": fail_next_export,
        }
        self.inject("fsx", {key: value for key, value in body.items() if value is not None})

    def inject_ecs(
        self,
        started_by: str,
        *,
        exit_code: int | None = None,
        seconds: float = 0.0,
        stopped_reason: str | None = None,
        vanishes: bool = False,
        times: int = 1,
    ) -> None:
        """Lets the next `times` tasks that are started by such a name run no container, but end so."""
        body = {"startedByGlob": started_by, "seconds": seconds, "vanishes": vanishes, "times": times}
        more = {"exitCode": exit_code, "stoppedReason": stopped_reason}
        self.inject("ecs", body | {key: value for key, value in more.items() if value is not None})

    def refuse_tasks(self, reason: str, *, code: str | None = None, times: int = 1) -> None:
        """Refuses the next `times` calls of RunTask: with an error, or (without `code`) with a failure."""
        self.inject("ecs", {"reason": reason, "times": times} | ({"code": code} if code else {}))

    def inject(self, service: str, body: Mapping[str, Any]) -> None:
        """Asks the embedded cloud for something that a service does not do of itself."""
        try:
            ask(self.environment["AWS_ENDPOINT_URL"], f"/_localcloud/inject/{service}", self._keys, dict(body)).close()
        except urllib.error.HTTPError as refusal:
            raise ValueError(json.load(refusal)["message"]) from refusal

    @property
    def _keys(self) -> Keys:
        return Keys(self.environment["AWS_ACCESS_KEY_ID"], self.environment["AWS_SECRET_ACCESS_KEY"])

    # --- what roles did --------------------------------------------------------------------------------------------
    def role_name(self, stack: str, logical_id: str) -> str:
        """The name of a stack's role whose logical id starts so."""
        resources = self.client("cloudformation").describe_stack_resources(StackName=f"genolaunch-{STAGE}-{stack}")
        names: list[str] = [
            resource["PhysicalResourceId"]
            for resource in resources["StackResources"]
            if resource["ResourceType"] == "AWS::IAM::Role" and resource["LogicalResourceId"].startswith(logical_id)
        ]
        assert len(names) == 1, names
        return names[0]

    def used(self) -> list[dict[str, Any]]:
        """Every action that a role was allowed: `role`, `action`, `resource`, and `times`."""
        return list(self._iam_record("GET")["used"])

    def forget_refusals(self) -> list[str]:
        """What roles were refused since the last time, as sentences."""
        refused = self._iam_record("DELETE")["refused"]
        return [f"{one['role']} is not authorized to perform {one['action']} on {one['resource']}" for one in refused]

    def _iam_record(self, method: str) -> dict[str, list[dict[str, Any]]]:
        with ask(self.environment["AWS_ENDPOINT_URL"], "/_localcloud/iam", self._keys, method=method) as answer:
            record: dict[str, list[dict[str, Any]]] = json.load(answer)
        return record

    def queue_url(self, id_: str) -> str:
        """URL of the only queue whose name has this logical id."""
        (url,) = (url for url in self.client("sqs").list_queues()["QueueUrls"] if id_ in url)
        return str(url)

    # --- what users see --------------------------------------------------------------------------------------------
    def launch(self, launch_id: str) -> dict[str, Any]:
        """The launch's item."""
        found = self.dynamodb.get_item(
            TableName=self.name(Parameter.LAUNCH_TABLE), Key={"launchId": {"S": launch_id}}, ConsistentRead=True
        )
        return _plain(found.get("Item", {}))

    def set_status(self, launch_id: str, status: str, **fields: str) -> None:
        """As a person does in the table's console: a plain UpdateItem."""
        self.set_fields(launch_id, status=status, **fields)

    def set_fields(self, launch_id: str, **fields: str) -> None:
        """Changes attributes of the launch's item."""
        self.dynamodb.update_item(
            TableName=self.name(Parameter.LAUNCH_TABLE),
            Key={"launchId": {"S": launch_id}},
            UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in fields),
            ExpressionAttributeNames={f"#{name}": name for name in fields},
            ExpressionAttributeValues={f":{name}": {"S": value} for name, value in fields.items()},
        )

    def all_launches(self) -> list[dict[str, Any]]:
        """Every item of the launch table."""
        pages = self.dynamodb.get_paginator("scan").paginate(TableName=self.name(Parameter.LAUNCH_TABLE))
        return [_plain(item) for page in pages for item in page["Items"]]

    def tasks(self, launch_id: str) -> list[dict[str, Any]]:
        """The launch's items in the task table."""
        found = self.dynamodb.query(
            TableName=self.name(Parameter.TASK_TABLE),
            KeyConditionExpression="launchId = :id",
            ExpressionAttributeValues={":id": {"S": launch_id}},
        )
        return [_plain(item) for item in found["Items"]]

    def restore(self, launch_id: str, attempt: int = 1) -> dict[str, Any]:
        """The counts of an attempt's restore; empty before it begins."""
        wanted = f"restore#{attempt}"
        return next((item for item in self.tasks(launch_id) if item["taskId"] == wanted), {})

    def ask(self, launch_id: str, status: str) -> None:
        """Sets a status, as a person's request does."""
        self.dynamodb.update_item(
            TableName=self.name(Parameter.LAUNCH_TABLE),
            Key={"launchId": {"S": launch_id}},
            UpdateExpression="SET #status = :status",
            ExpressionAttributeNames={"#status": "status"},
            ExpressionAttributeValues={":status": {"S": status}},
        )

    def wait_for(self, launch_id: str, *statuses: str) -> dict[str, Any]:
        """Waits until the launch has one of `statuses` (any final one by default); fails once it has another end."""
        wanted = set(statuses) or {str(status) for status in FINAL_STATUSES}

        def look() -> dict[str, Any] | None:
            item = self.launch(launch_id)
            if item.get("status") in wanted:
                return item
            assert item.get("status") not in FINAL_STATUSES, f"not one of {sorted(wanted)}: {item}"
            return None

        return eventually(look, f"{launch_id} one of {sorted(wanted)}")

    def complete(self, launch_id: str) -> dict[str, Any]:
        """Waits for the launch's end, which must be COMPLETE; what it fails with says all that the tables know."""
        launch = self.wait_for(launch_id)
        if launch["status"] != "COMPLETE":
            known = json.dumps([launch, *self.tasks(launch_id)], indent=1, default=str)
            raise AssertionError(f"{launch_id} is {launch['status']}:\n{known}")
        return launch

    def result(self, launch_id: str, path: str) -> bytes:
        """The content of one exported file, by its path below the launch's results."""
        key = f"results/{launch_id}/{path}"
        body: bytes = self.s3.get_object(Bucket=self.name(Parameter.RESULTS_BUCKET), Key=key)["Body"].read()
        return body

    def jobs(self, launch_id: str) -> list[dict[str, Any]]:
        """Every Batch job of the launch, array children not included, in no particular order."""
        return [
            job
            for queue in json.loads(self.name(Parameter.JOB_QUEUES))
            for job in self.batch.list_jobs(
                jobQueue=queue, filters=[{"name": "JOB_NAME", "values": [f"{launch_id}-*"]}]
            )["jobSummaryList"]
        ]

    @contextmanager
    def changed_machine(self, machine: str, change: Callable[[str], str]) -> Iterator[None]:
        """Gives a state machine another definition meanwhile: executions that start then have it."""
        definition = self.states.describe_state_machine(stateMachineArn=machine)["definition"]
        changed = change(definition)
        assert changed != definition
        self.states.update_state_machine(stateMachineArn=machine, definition=changed)
        try:
            yield
        finally:
            self.states.update_state_machine(stateMachineArn=machine, definition=definition)

    def visits(self, launch_id: str, state: str) -> int:
        """How often the launch's workflow came to a state."""
        execution = self.launch(launch_id)["workflowExecutionArn"]
        pages = self.states.get_paginator("get_execution_history").paginate(executionArn=execution)
        entries = (event.get("stateEnteredEventDetails", {}) for page in pages for event in page["events"])
        return sum(entry.get("name") == state for entry in entries)

    def job(self, launch_id: str, name: str) -> dict[str, Any]:
        """The launch's job (or array) whose name ends so."""
        (found,) = [job for job in self.jobs(launch_id) if job["jobName"].endswith(f"-{name}")]
        job: dict[str, Any] = self.batch.describe_jobs(jobs=[found["jobId"]])["jobs"][0]
        return job

    def job_log(self, launch_id: str, name: str) -> str:
        """What that job (or the first child of the array) wrote."""
        job = self.job(launch_id, name)
        if "size" in job.get("arrayProperties", {}):
            job = self.batch.describe_jobs(jobs=[f"{job['jobId']}:0"])["jobs"][0]
        events = self.client("logs").get_log_events(
            logGroupName=self.name(Parameter.JOB_LOG_GROUP), logStreamName=job["container"]["logStreamName"]
        )["events"]
        return "\n".join(event["message"] for event in events)

    def all_logs(self) -> str:
        """What is in the log groups of this cloud: functions', state machines' and jobs'."""
        logs = self.client("logs")
        groups = [
            group["logGroupName"]
            for page in logs.get_paginator("describe_log_groups").paginate()
            for group in page["logGroups"]
        ]
        return "\n".join(
            event["message"]
            for group in groups
            for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group)
            for event in page["events"]
        )

    def leftovers(self, launch_id: str) -> dict[str, list[str]]:
        """What the launch created and is still there, by kind."""
        file_systems = [
            f["FileSystemId"] for f in self.fsx.describe_file_systems()["FileSystems"] if _tagged(f, launch_id)
        ]
        associations = [
            a["AssociationId"]
            for a in self.fsx.describe_data_repository_associations()["Associations"]
            if _tagged(a, launch_id)
        ]
        definitions = [
            d["jobDefinitionArn"]
            for d in self.batch.describe_job_definitions(status="ACTIVE")["jobDefinitions"]
            if d["jobDefinitionName"].startswith(launch_id)
        ]
        running = [j["jobId"] for j in self.jobs(launch_id) if j["status"] not in {"SUCCEEDED", "FAILED"}]
        executions = [
            e["executionArn"]
            for machine in self.states.list_state_machines()["stateMachines"]
            for e in self.states.list_executions(stateMachineArn=machine["stateMachineArn"], statusFilter="RUNNING")[
                "executions"
            ]
            if e["name"].startswith(launch_id)
        ]
        found = {
            "file systems": file_systems,
            "associations": associations,
            "job definitions": definitions,
            "running jobs": running,
            "executions": executions,
            **self._roles_of(launch_id),
        }
        return {kind: ids for kind, ids in found.items() if ids}

    def _roles_of(self, launch_id: str) -> dict[str, list[str]]:
        iam = self.client("iam")
        path = launch_roles_path("local", launch_id)
        return {
            "roles": [each["RoleName"] for each in iam.list_roles(PathPrefix=path)["Roles"]],
            "instance profiles": [
                each["InstanceProfileName"] for each in iam.list_instance_profiles(PathPrefix=path)["InstanceProfiles"]
            ],
        }

    def assert_clean(self, launch_id: str) -> None:
        """Then: clean-up comes to its end, and nothing that the launch created is left."""
        eventually(lambda: not self.leftovers(launch_id), f"clean after {launch_id}")

    def wait_for_job(self, launch_id: str, phase: str) -> dict[str, Any]:
        """Waits until a job of that phase is running."""

        def look() -> dict[str, Any] | None:
            launch = self.launch(launch_id)
            job = next((j for j in self.jobs(launch_id) if j["jobName"].endswith(f"-{phase}")), None)
            assert job or launch.get("status") not in FINAL_STATUSES, f"it never had a job of {phase}: {launch}"
            return job

        return eventually(look, f"a job of {phase} of {launch_id}")


def _tagged(resource: Mapping[str, Any], launch_id: str) -> bool:
    return {"Key": "launchId", "Value": launch_id} in resource.get("Tags", [])


def _plain(item: Mapping[str, Any]) -> dict[str, Any]:
    deserialize = TypeDeserializer().deserialize
    return {name: deserialize(value) for name, value in item.items()}
