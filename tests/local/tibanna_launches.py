"""Starts the Snakemake launcher by hand on the deployed unicorn, as the platform's task does."""

import hashlib
import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genolaunch.contract.launch import LaunchField, Status
from genolaunch.contract.launcher import LAUNCHER_CONTAINER, LAUNCHER_TASK_PREFIX, LauncherField
from genolaunch.contract.roles import RightsTag
from genolaunch.contract.settings import Parameter
from genolaunch.contract.tasks import TaskField
from genolaunch.local_stage.images import snakemake, snakemake9
from lambdas.shared.clock import timestamp
from localcloud.clients import ACCOUNT
from tests.local.platform_client import LAST_RESORT, PlatformClient, eventually

CHECKOUT = Path(__file__).parents[2]
EXAMPLE = CHECKOUT / "examples" / "snakemake"
IMAGE = "localhost/genolaunch-snakemake:7.32.4"


@dataclass
class Launch:
    """One run of the launcher."""

    platform: PlatformClient
    name: str
    process: "subprocess.Popen[str]"

    @classmethod
    def start(cls, platform: PlatformClient, name: str, sources: Path, data: Path, **sheet: Any) -> "Launch":
        """Puts the sources, the data and the run sheet into S3, and starts the launcher."""
        launcher = f"results/{name}/launcher"
        results, data_bucket = platform.name(Parameter.RESULTS_BUCKET), platform.name(Parameter.DATA_BUCKET)
        _upload(platform, sources, results, f"{launcher}/sources-1/")
        _upload(platform, data, data_bucket, f"{name}/")
        run_sheet = {
            "launchId": name,
            "attempt": 1,
            "engine": "tibanna",
            "sources": f"s3://{results}/{launcher}/sources-1/",
            "snakefile": "Snakefile",
            "containerImage": IMAGE,
            "remotePrefix": f"{data_bucket}/{name}",
            "resultsUri": f"s3://{results}/results/{name}/",
            "tibanna": {
                "stateMachineArn": platform.name(Parameter.TIBANNA_STATE_MACHINE),
                "logBucket": platform.name(Parameter.TIBANNA_LOG_BUCKET),
                "behaviorOnCapacityLimit": "retry_without_spot",
                "token": TOKEN,
            },
        } | sheet
        make_roles(platform, name, data_bucket)
        platform.s3.put_object(Bucket=results, Key=f"{launcher}/run-1.json", Body=json.dumps(run_sheet))
        run_sheet_uri = f"s3://{results}/{launcher}/run-1.json"
        platform.dynamodb.put_item(
            TableName=platform.name(Parameter.LAUNCH_TABLE),
            Item={
                LaunchField.LAUNCH_ID: {"S": name},
                LaunchField.NAME: {"S": name},
                LaunchField.STATUS: {"S": Status.RUNNING},
                LaunchField.ATTEMPT: {"N": "1"},
                LaunchField.SUBMITTED_AT: {"S": timestamp()},
            },
        )
        # As the broker notes the launcher's task; who sends with the owner's keys is the account to SQS.
        platform.dynamodb.put_item(
            TableName=platform.name(Parameter.TASK_TABLE), Item=_launcher_item(name, run_sheet_uri, f"task/{ACCOUNT}")
        )
        settings = {
            "STAGE": "local",
            "LAUNCH_ID": name,
            "ATTEMPT": "1",
            "RECORD_QUEUE": platform.queue_url("RecordsQueue"),
            "RUN_SHEET": run_sheet_uri,
        }
        process = subprocess.Popen(
            ["python3", "-m", "snakemake_launcher"],
            # CI: Snakemake asks for its jobs each second, and not every ten.
            env=snakemake_environment(platform) | settings | {"CI": "true"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return cls(platform, name, process)

    def forget(self) -> None:
        """Take its item out of the launch table: it was put there by hand, and no execution ends it."""
        self.platform.dynamodb.delete_item(
            TableName=self.platform.name(Parameter.LAUNCH_TABLE), Key={LaunchField.LAUNCH_ID: {"S": self.name}}
        )

    def end(self) -> tuple[int, str]:
        """Exit code and log."""
        log, _ = self.process.communicate(timeout=LAST_RESORT)
        return self.process.returncode, log

    def outcome(self) -> Mapping[str, Any]:
        """What the launcher says last."""
        return self._launcher_file("outcome-1.json")

    def jobs(self) -> list[dict[str, Any]]:
        """Its list of submissions."""
        listed: list[dict[str, Any]] = self._launcher_file("jobs-1.json").get("jobs", [])
        return listed

    def wait_for_job(self, rule: str) -> str:
        """Tibanna's id of the first job of a rule, once its instance runs."""
        (job,) = eventually(lambda: [job for job in self.jobs() if job["rule"] == rule], f"a job of {rule}")
        eventually(lambda: self.instances(job["id"], "running"), f"an instance for {rule}")
        return str(job["id"])

    def instances(self, job_id: str, *states: str) -> list[dict[str, Any]]:
        """EC2's instances of a job."""
        filters = [{"Name": "tag:Name", "Values": [f"awsem-{job_id}"]}]
        if states:
            filters.append({"Name": "instance-state-name", "Values": list(states)})
        found = self.platform.client("ec2").describe_instances(Filters=filters)["Reservations"]
        return [instance for group in found for instance in group["Instances"]]

    def files(self) -> dict[str, bytes]:
        """What lies below the launch's data prefix, by its path there."""
        bucket = self.platform.name(Parameter.DATA_BUCKET)
        found = self.platform.s3.list_objects_v2(Bucket=bucket, Prefix=f"{self.name}/")["Contents"]
        return {
            item["Key"].removeprefix(f"{self.name}/"): self.platform.s3.get_object(Bucket=bucket, Key=item["Key"])[
                "Body"
            ].read()
            for item in found
            if not item["Key"].startswith(f"{self.name}/.snakemake/")
        }

    def failed_jobs(self) -> list[dict[str, Any]]:
        """Items of the task table, once there are any: the recorder writes them."""
        return eventually(self._job_items, "a failed job")

    def _job_items(self) -> list[dict[str, Any]]:
        found = self.platform.dynamodb.query(
            TableName=self.platform.name(Parameter.TASK_TABLE),
            KeyConditionExpression="launchId = :id",
            ExpressionAttributeValues={":id": {"S": self.name}},
        )
        items = [{name: next(iter(value.values())) for name, value in item.items()} for item in found["Items"]]
        return [item for item in items if item["taskId"].startswith("job#")]

    def _launcher_file(self, name: str) -> dict[str, Any]:
        bucket = self.platform.name(Parameter.RESULTS_BUCKET)
        try:
            body = self.platform.s3.get_object(Bucket=bucket, Key=f"results/{self.name}/launcher/{name}")["Body"]
        except self.platform.s3.exceptions.NoSuchKey:
            return {}
        read: dict[str, Any] = json.load(body)
        return read


TOKEN = "by-which-the-unicorn-knows-the-launch"


def make_roles(platform: PlatformClient, name: str, data_bucket: str) -> None:
    """As the platform does before it asks for a launcher."""
    tags = {
        RightsTag.DATA_BUCKET: data_bucket,
        RightsTag.DATA_FOLDER: f"{name}/",
        RightsTag.TOKEN: hashlib.sha256(TOKEN.encode()).hexdigest(),
    }
    event = {"launchId": name, "attempt": 1, "engine": "tibanna", "tags": {str(key): tags[key] for key in tags}}
    answer = platform.client("lambda").invoke(
        FunctionName="genolaunch-local-snakemake-make-roles", Payload=json.dumps(event)
    )
    assert "FunctionError" not in answer, answer["Payload"].read()


def snakemake_environment(platform: PlatformClient) -> dict[str, str]:
    """In which programs of the launcher's image run, and talk to the embedded cloud.

    The image holds both Snakemakes. They are made here: a played instance lacks what an installation may need, such
    as the certificates of this machine.
    """
    snakemake9()
    return {
        **platform.environment,
        "AWS_ACCOUNT_NUMBER": platform.name(Parameter.TIBANNA_STATE_MACHINE).split(":")[4],
        "HOME": os.environ["HOME"],
        "PATH": f"{snakemake() / 'bin'}:/usr/bin:/bin",
        "PYTHONPATH": str(CHECKOUT / "containers" / "snakemake"),
    }


def _launcher_item(launch_id: str, run_sheet: str, task_arn: str) -> dict[str, Any]:
    message = {
        "launchId": launch_id,
        "attempt": 1,
        "taskToken": "nobody waits",
        "runSheet": run_sheet,
        "subnets": ["subnet-0123456789abcdef0"],
        "securityGroups": ["sg-0123456789abcdef0"],
        "container": LAUNCHER_CONTAINER,
    }
    return {
        TaskField.LAUNCH_ID: {"S": launch_id},
        TaskField.TASK_ID: {"S": f"{LAUNCHER_TASK_PREFIX}1"},
        LauncherField.MESSAGE: {"S": json.dumps(message)},
        LauncherField.STARTS: {"N": "1"},
        LauncherField.TASK_ARN: {"S": task_arn},
    }


def _upload(platform: PlatformClient, folder: Path, bucket: str, prefix: str) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            platform.s3.upload_file(str(path), bucket, f"{prefix}{path.relative_to(folder)}")
