"""Tibanna's function that starts a job's instance, for jobs of launches: with the launch's role, and with no other.

Whoever may start the unicorn writes its input: a launcher, which runs its user's program. So what the input says of
itself is not believed. It brings the token that only the launch's run sheet has; its digest is a tag of the launch's
role, and so are the launch's data. What is another launch's is refused before Tibanna reads anything.
"""

import hashlib
import hmac
import os
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import boto3
from tibanna import ec2_utils
from tibanna.run_task import run_task

from genolaunch.contract.roles import RightsTag, jobs_role_name, launch_roles_path
from genolaunch.contract.tibanna import TIBANNA_RUN_NAME, TIBANNA_TOKEN, tibanna_jobs_start

_RUN: Final = re.compile(r"[a-z0-9-]{3,59}")


class NotTheLaunchsJobError(Exception):
    """The input asks for what is not the launch's that it names, or brings no token of it."""


def handler(event: dict[str, Any], context: object) -> Any:  # noqa: ANN401, ARG001 - Tibanna's answer; Lambda's signature
    """Tibanna's input -> Tibanna's answer. Raises NotTheLaunchsJobError, and what Tibanna raises."""
    checked = checked_input(event)
    run = checked["config"][TIBANNA_RUN_NAME]
    account = os.environ["AWS_ACCOUNT_NUMBER"]
    # Tibanna takes the profile from its environment, once for all jobs. One function instance does one job at a time.
    launch_id, _, attempt = run.rpartition("-")
    path = launch_roles_path(os.environ["STAGE"], launch_id, int(attempt))
    ec2_utils.S3_ACCESS_ARN = f"arn:aws:iam::{account}:instance-profile{path}{jobs_role_name(run)}"
    return run_task(checked)


def checked_input(event: Mapping[str, Any]) -> dict[str, Any]:
    """The input without its token, if all in it is the launch's own. Raises NotTheLaunchsJobError."""
    config, args = event.get("config"), event.get("args")
    if not isinstance(config, dict) or not isinstance(args, dict):
        raise NotTheLaunchsJobError("The input has no config, or no args.")
    run = str(config.get(TIBANNA_RUN_NAME))
    own = _tags_of(run)
    digest = hashlib.sha256(str(config.get(TIBANNA_TOKEN)).encode()).hexdigest()
    if not hmac.compare_digest(digest, own.get(RightsTag.TOKEN, "")):
        raise NotTheLaunchsJobError(f"The input brings no token of the run {run}.")
    start = tibanna_jobs_start(run)
    if not str(event.get("jobid")).startswith(start):
        raise NotTheLaunchsJobError(f"The id of a job of the run {run} begins with {start}")
    if config.get("log_bucket") != os.environ["LOG_BUCKET"]:
        raise NotTheLaunchsJobError("Jobs log to the stage's bucket for that.")
    if any(part.get("dependency") for part in (event, config, args)):
        raise NotTheLaunchsJobError("A job waits for no execution: it would be told of those of others.")
    shared = set(filter(None, os.environ.get("READABLE_BUCKETS", "").split(",")))
    for bucket, key in _files(args):
        is_own = bucket == own.get(RightsTag.DATA_BUCKET) and key.startswith(own.get(RightsTag.DATA_FOLDER, "/"))
        if not is_own and bucket not in shared:
            raise NotTheLaunchsJobError(f"s3://{bucket}/{key} is not of the run {run}.")
    return {**event, "config": {key: value for key, value in config.items() if key != TIBANNA_TOKEN}}


def _tags_of(run: str) -> Mapping[str, str]:
    """Of the run's role; none if there is no such run."""
    launch_id, _, attempt = run.rpartition("-")
    if not _RUN.fullmatch(run) or not launch_id or not attempt.isdecimal():
        return {}
    iam = boto3.client("iam")
    try:
        role = iam.get_role(RoleName=jobs_role_name(run))["Role"]
    except iam.exceptions.NoSuchEntityException:
        return {}
    if role["Path"] != launch_roles_path(os.environ["STAGE"], launch_id, int(attempt)):
        return {}
    return {tag["Key"]: tag["Value"] for tag in role.get("Tags", [])}


def _files(args: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Bucket and key of each file whose size Tibanna would ask for, however the input writes them."""
    for member in ("input_files", "secondary_files"):
        files = args.get(member) or {}
        if not isinstance(files, dict):
            raise NotTheLaunchsJobError(f"{member} is no mapping.")
        for value in files.values():
            if isinstance(value, dict):
                yield from ((str(value.get("bucket_name")), key) for key in _texts(value.get("object_key")))
            else:
                for url in _texts(value):
                    bucket, _, key = url.removeprefix("s3://").partition("/")
                    yield bucket, key


def _texts(value: object) -> Iterator[str]:
    """Of a text, or of lists of lists of them."""
    if isinstance(value, list):
        for each in value:
            yield from _texts(each)
    else:
        yield str(value)
