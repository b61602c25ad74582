"""Asks AWS what came of the launches, and of the stage besides."""

import json
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from genolaunch import dead_letters
from genolaunch.batch_jobs import RunJobs
from genolaunch.contract.launch import LaunchField
from genolaunch.contract.launch_bucket import FEEDBACK_PREFIX, SCHEMA_KEY
from genolaunch.contract.launcher import LAUNCHER_FOLDER, launcher_jobs
from genolaunch.contract.project import TAG_LAUNCH_ID, run_name
from genolaunch.contract.results import RESULTS_PREFIX, WORK_COST
from genolaunch.contract.tasks import TaskField
from genolaunch.costs import cost_of
from genolaunch.job_logs import JobChoice, JobLogs
from genolaunch.launch import Launch
from genolaunch.launch_configs.workflows import workflow_type
from genolaunch.launches import Launches
from genolaunch.progress import LOOK_EVERY
from genolaunch.results import results_of
from genolaunch.verify.account import Account, listed
from genolaunch.verify.evidence import JobEnd, Kind, Trial
from genolaunch.verify.trials import Trials

_LOG_SECONDS: Final = 300
"""CloudWatch Logs hands lines to a subscription within seconds; so long is a fault."""
_LEAVING: Final = ("DELETING", "DELETED")
_OVER: Final = frozenset({"SUCCEEDED", "FAILED"})
_LOG_LINES: Final = 10
"""More of a log are not read."""


def read_trial(account: Account, trials: Trials, kind: Kind) -> Trial:
    """Everything about one launch that is over."""
    platform = account.platform
    launch = Launches(platform).get(trials.drops.launch_ids[kind])
    item = trials.item(launch.launch_id)
    return Trial(
        kind=kind,
        launch=launch,
        feedback=_feedback(account, trials, kind),
        file_system_id=item.get(LaunchField.FILE_SYSTEM_ID),
        cost=cost_of(platform, launch),
        bill=_json(
            account, platform.names.results_bucket, f"{_results(launch)}{WORK_COST}/attempt-{launch.attempt}.json"
        ),
        jobs=tuple(JobEnd(job.label, job.status) for job in RunJobs(platform, launch.run_name).single()),
        log_lines=sum(
            1 for _, line in zip(range(_LOG_LINES), JobLogs(platform, launch, JobChoice()).lines(), strict=False)
        ),
        retry_rules=_retry_rules(account, launch),
        results=tuple(result.path for result in results_of(platform, launch)),
        leftovers=leftovers(account, launch),
        clean_ups=tuple(trials.clean_ups(launch.launch_id)),
    )


def _results(launch: Launch) -> str:
    return f"{RESULTS_PREFIX}{launch.launch_id}/"


def _feedback(account: Account, trials: Trials, kind: Kind) -> Mapping[str, Any]:
    """The answer as it is in S3 now. The key is the object's, which the answer itself names."""
    first = trials.drops.answers[kind]
    key = str(first["object"]["key"])
    return _json(
        account, account.platform.names.launch_bucket, f"{FEEDBACK_PREFIX}{key.removeprefix('launches/')}.json"
    )


def _json(account: Account, bucket: str, key: str) -> Mapping[str, Any]:
    s3 = account.platform.s3
    try:
        document: Mapping[str, Any] = json.load(s3.get_object(Bucket=bucket, Key=key)["Body"])
    except s3.exceptions.NoSuchKey:
        return {}
    return document


def _retry_rules(account: Account, launch: Launch) -> tuple[Mapping[str, str], ...]:
    found = listed(
        account.client("batch").get_paginator("describe_job_definitions").paginate(jobDefinitionName=launch.run_name),
        "jobDefinitions",
    )
    newest: dict[str, Any] = max(found, key=lambda each: int(each["revision"]), default={})
    return tuple(newest.get("retryStrategy", {}).get("evaluateOnExit", ()))


def leftovers(account: Account, launch: Launch) -> dict[str, tuple[str, ...]]:
    """What the launch made and is still there, by kind. What AWS deletes at this moment is gone."""
    readers: Mapping[str, Callable[[Account, Launch], list[str]]] = {
        "file systems": _file_systems,
        "associations": _associations,
        "jobs": _jobs,
        "job definitions": _job_definitions,
        "launch templates": _launch_templates,
        "instances": _instances,
        "tasks": _tasks,
        "executions": _executions,
    }
    return {kind: tuple(read(account, launch)) for kind, read in readers.items()}


def _is_of(resource: Mapping[str, Any], launch: Launch) -> bool:
    return {"Key": TAG_LAUNCH_ID, "Value": launch.launch_id} in resource.get("Tags", [])


def _file_systems(account: Account, launch: Launch) -> list[str]:
    found = listed(account.client("fsx").get_paginator("describe_file_systems").paginate(), "FileSystems")
    return [each["FileSystemId"] for each in found if _is_of(each, launch) and each["Lifecycle"] not in _LEAVING]


def _associations(account: Account, launch: Launch) -> list[str]:
    found, token = [], None
    while True:
        more: dict[str, str] = {"NextToken": token} if token else {}
        answer = account.client("fsx").describe_data_repository_associations(**more)
        found += [
            each["AssociationId"]
            for each in answer["Associations"]
            if _is_of(each, launch) and each["Lifecycle"] not in _LEAVING
        ]
        token = answer.get("NextToken")
        if not token:
            return found


def _jobs(account: Account, launch: Launch) -> list[str]:
    wanted = [{"name": "JOB_NAME", "values": [f"{launch.launch_id}-*"]}]
    return [
        each["jobId"]
        for queue in account.platform.names.job_queues
        for each in listed(
            account.client("batch").get_paginator("list_jobs").paginate(jobQueue=queue, filters=wanted),
            "jobSummaryList",
        )
        if each["status"] not in _OVER
    ]


def _job_definitions(account: Account, launch: Launch) -> list[str]:
    found = listed(
        account.client("batch").get_paginator("describe_job_definitions").paginate(status="ACTIVE"), "jobDefinitions"
    )
    return [each["jobDefinitionArn"] for each in found if each["jobDefinitionName"].startswith(f"{launch.launch_id}-")]


def _launch_templates(account: Account, launch: Launch) -> list[str]:
    wanted = [{"Name": f"tag:{TAG_LAUNCH_ID}", "Values": [launch.launch_id]}]
    found = listed(
        account.client("ec2").get_paginator("describe_launch_templates").paginate(Filters=wanted), "LaunchTemplates"
    )
    return [each["LaunchTemplateId"] for each in found]


def _instances(account: Account, launch: Launch) -> list[str]:
    """Those with the launch's tag, and Tibanna's, which have the name of a job of its list."""
    filters = [{"Name": f"tag:{TAG_LAUNCH_ID}", "Values": [launch.launch_id]}]
    names = [f"awsem-{job['id']}" for job in _launcher_jobs(account, launch)]
    alive = {"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]}
    wanted = [filters, [{"Name": "tag:Name", "Values": names}]] if names else [filters]
    return [
        instance["InstanceId"]
        for each in wanted
        for reservation in listed(
            account.client("ec2").get_paginator("describe_instances").paginate(Filters=[*each, alive]), "Reservations"
        )
        for instance in reservation["Instances"]
    ]


def _launcher_jobs(account: Account, launch: Launch) -> list[Mapping[str, Any]]:
    if not workflow_type(launch.workflow).runs_users_programs:
        return []
    key = f"{_results(launch)}{LAUNCHER_FOLDER}{launcher_jobs(launch.attempt)}"
    return list(_json(account, account.platform.names.results_bucket, key).get("jobs", []))


def _tasks(account: Account, launch: Launch) -> list[str]:
    runs = [run_name(launch.launch_id, attempt) for attempt in range(1, launch.attempt + 1)]
    return [
        arn
        for run in runs
        for arn in listed(
            account.client("ecs").get_paginator("list_tasks").paginate(cluster=account.launchers, startedBy=run),
            "taskArns",
        )
    ]


def _executions(account: Account, launch: Launch) -> list[str]:
    return [
        each["executionArn"]
        for machine in account.machines.values()
        for each in listed(
            account.client("stepfunctions")
            .get_paginator("list_executions")
            .paginate(stateMachineArn=machine, statusFilter="RUNNING"),
            "executions",
        )
        if each["name"].startswith(launch.launch_id)
    ]


def stack_statuses(account: Account) -> dict[str, str]:
    """Status of each of the stage's stacks."""
    return {name: stack["StackStatus"] for name, stack in account.stacks.items()}


def deployed_at(account: Account) -> datetime:
    """When the stack whose deployment publishes the schema was made or changed last."""
    stack = account.stacks["workflow-manager"]
    at: datetime = stack.get("LastUpdatedTime") or stack["CreationTime"]
    return at


def schema_at(account: Account) -> datetime:
    """When the schema of launch configs was put."""
    at: datetime = account.platform.s3.head_object(Bucket=account.platform.names.launch_bucket, Key=SCHEMA_KEY)[
        "LastModified"
    ]
    return at


def letters(account: Account) -> dict[str, int]:
    """Queue -> its dead letters, where there are any."""
    return {each.queue: each.count for each in dead_letters.redrive(account.platform, is_rehearsal=True)}


def stale_put(account: Account, name: str) -> str:
    """Put an object on the condition of an ETag that it does not have: S3's refusal, or nothing."""
    from botocore.exceptions import ClientError

    bucket, key = account.platform.names.results_bucket, f"{name}/if-match"
    account.platform.s3.put_object(Bucket=bucket, Key=key, Body=b"first")
    try:
        account.platform.s3.put_object(Bucket=bucket, Key=key, Body=b"second", IfMatch=f'"{"0" * 32}"')
    except ClientError as refusal:
        return str(refusal.response["Error"]["Code"])
    return ""


def log_error(account: Account, name: str) -> str:
    """Write a line with an error as a job of a launch would: as what it is kept in the task table, or nothing."""
    logs, group, stream = account.client("logs"), account.platform.names.job_log_group, f"{name}-log-1/default/verify"
    logs.create_log_stream(logGroupName=group, logStreamName=stream)
    line = {"timestamp": int(time.time() * 1000), "message": "verify: No space left on device"}
    try:
        logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=[line])
        return _kept(account, f"{name}-log")
    finally:
        logs.delete_log_stream(logGroupName=group, logStreamName=stream)


def _kept(account: Account, launch_id: str) -> str:
    dynamodb, table = account.platform.dynamodb, account.platform.names.task_table
    until = time.monotonic() + _LOG_SECONDS
    while time.monotonic() < until:
        items = dynamodb.query(
            TableName=table,
            KeyConditionExpression="#id = :id",
            ExpressionAttributeNames={"#id": TaskField.LAUNCH_ID},
            ExpressionAttributeValues={":id": {"S": launch_id}},
        )["Items"]
        for item in items:
            key = {name: item[name] for name in (TaskField.LAUNCH_ID, TaskField.TASK_ID)}
            dynamodb.delete_item(TableName=table, Key=key)
        if items:
            return str(items[0].get(TaskField.ERROR_TYPE, {}).get("S", ""))
        time.sleep(LOOK_EVERY)
    return ""
