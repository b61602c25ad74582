"""What an instance is to do, as the user data that Tibanna gives it says."""

import base64
import json
import re
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError

_ASSIGNMENT: Final = re.compile(r"^(JOBID|LOGBUCKET)=(\S+)$", re.MULTILINE)


@dataclass(frozen=True)
class Job:
    """One job of Tibanna's: the instance's whole life."""

    id: str
    log_bucket: str
    run_name: str


def job_of(user_data: str, s3: Any) -> Job | None:  # noqa: ANN401 - a boto3 client
    """The job that user data (base64) starts; None if it is not Tibanna's."""
    try:
        script = base64.b64decode(user_data).decode()
    except ValueError:
        return None
    values = dict(_ASSIGNMENT.findall(script))
    if values.keys() != {"JOBID", "LOGBUCKET"}:
        return None
    try:
        sheet = s3.get_object(Bucket=values["LOGBUCKET"], Key=f"{values['JOBID']}.run.json")["Body"].read()
    except ClientError:
        return None
    return Job(values["JOBID"], values["LOGBUCKET"], json.loads(sheet)["config"]["run_name"])
