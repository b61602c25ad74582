"""A deployed stage: the names that it publishes, and clients to talk to it."""

import json
import os
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from genolaunch.contract.project import PROJECT
from genolaunch.contract.settings import Parameter
from genolaunch.errors import GenolaunchError

if TYPE_CHECKING:
    import boto3
    from types_boto3_batch import BatchClient
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_logs import CloudWatchLogsClient
    from types_boto3_s3 import S3Client
    from types_boto3_ssm import SSMClient
    from types_boto3_stepfunctions import SFNClient


DEFAULT_STAGE = "dev"

_CONNECT_SECONDS = 10
"""Botocore waits a minute, five times, for an address that does not answer."""


@dataclass(frozen=True)
class Names:
    """What the stage's stacks published as SSM parameters."""

    launch_bucket: str
    data_bucket: str
    results_bucket: str
    launch_table: str
    task_table: str
    job_queues: tuple[str, ...]
    job_log_group: str
    benchmark_state_machine: str


def new_session(
    region: str | None = None,
    **settings: Any,  # noqa: ANN401 - those of botocore.config.Config
) -> "boto3.Session":
    """A session of the AWS environment, or of another region, whose clients have these settings."""
    import boto3
    from botocore.config import Config
    from botocore.session import get_session

    session = get_session()
    session.set_default_client_config(Config(**settings))
    # AWS's other SDKs and its CLI know AWS_REGION; botocore has only AWS_DEFAULT_REGION.
    return boto3.Session(botocore_session=session, region_name=region or os.environ.get("AWS_REGION") or None)


class Platform:
    """One stage in the account and region of the AWS environment. Clients are made when first used: each costs time."""

    def __init__(self, stage: str, session: "boto3.Session | None" = None) -> None:
        """`session` is an ordinary new one unless given."""
        self.stage = stage
        self._given_session = session

    @cached_property
    def names(self) -> Names:
        """The stage's published names, read once; raises GenolaunchError when the stage is not deployed."""
        values = self.published
        if not values:
            raise GenolaunchError(
                f"Stage “{self.stage}” is not deployed in this account and region ({self._where()}): "
                "deploy it, or name another with --stage."
            )
        return self._names_from(values)

    @cached_property
    def published(self) -> dict[str, str]:
        """What the stacks there have published (the contract's Parameter), read once; of half a stage, half."""
        path = f"/{PROJECT}/{self.stage}/"
        # A page may hold fewer than it could (AWS Systems Manager API reference), also none.
        pages = self._ssm.get_paginator("get_parameters_by_path").paginate(Path=path)
        return {item["Name"].removeprefix(path): item["Value"] for page in pages for item in page["Parameters"]}

    @property
    def region(self) -> str:
        return self._ssm.meta.region_name

    @cached_property
    def s3(self) -> "S3Client":
        client: S3Client = self._client("s3")
        return client

    @cached_property
    def dynamodb(self) -> "DynamoDBClient":
        client: DynamoDBClient = self._client("dynamodb")
        return client

    @cached_property
    def batch(self) -> "BatchClient":
        client: BatchClient = self._client("batch")
        return client

    @cached_property
    def logs(self) -> "CloudWatchLogsClient":
        client: CloudWatchLogsClient = self._client("logs")
        return client

    @cached_property
    def stepfunctions(self) -> "SFNClient":
        client: SFNClient = self._client("stepfunctions")
        return client

    @cached_property
    def sqs(self) -> Any:  # noqa: ANN401 - its types are not among the development requirements
        return self._client("sqs")

    @cached_property
    def lambda_(self) -> Any:  # noqa: ANN401 - as sqs
        return self._client("lambda")

    @cached_property
    def _ssm(self) -> "SSMClient":
        client: SSMClient = self._client("ssm")
        return client

    @cached_property
    def _session(self) -> "boto3.Session":
        if self._given_session is not None:
            return self._given_session
        return new_session(connect_timeout=_CONNECT_SECONDS)

    def _client(self, service: str) -> Any:  # noqa: ANN401 - each property above narrows it to its service
        return self._session.client(service)

    def _where(self) -> str:
        return f"{self.region}, {self._ssm.meta.endpoint_url}"

    def _names_from(self, values: dict[str, str]) -> Names:
        try:
            return Names(
                launch_bucket=values[Parameter.LAUNCH_BUCKET],
                data_bucket=values[Parameter.DATA_BUCKET],
                results_bucket=values[Parameter.RESULTS_BUCKET],
                launch_table=values[Parameter.LAUNCH_TABLE],
                task_table=values[Parameter.TASK_TABLE],
                job_queues=tuple(json.loads(values[Parameter.JOB_QUEUES])),
                job_log_group=values[Parameter.JOB_LOG_GROUP],
                benchmark_state_machine=values[Parameter.BENCHMARK_STATE_MACHINE],
            )
        except KeyError as missing:
            raise GenolaunchError(
                f"Stage “{self.stage}” does not publish {missing.args[0]}: its deployment is incomplete or older than "
                "this command; deploy it again."
            ) from missing
