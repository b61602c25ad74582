"""Writes a bill to the results bucket: as JSON, as a page, and as a section of the report."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from genolaunch.contract.results import RESULTS_PREFIX, WORK_COST
from genolaunch.shared import aws
from lambdas.pricing.cost_page import cost_section, page, with_section
from lambdas.shared.observability import logger

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client


@dataclass(frozen=True, slots=True)
class BillFiles:
    """The files of one launch."""

    bucket: str
    launch_id: str
    report_uri: str | None

    def write(self, bill: Mapping[str, Any], shown: Sequence[Mapping[str, str]]) -> str:
        """Write them; answers the URL of the JSON. `shown` are the lines of the page and the report."""
        key = f"{RESULTS_PREFIX}{self.launch_id}/{WORK_COST}/attempt-{bill['attempt']}"
        self._put(f"{key}.json", json.dumps(bill, indent=1), "application/json")
        section = cost_section(bill, shown)
        self._put(f"{key}.html", page(self.launch_id, section), "text/html; charset=utf-8")
        self._complete_report(section)
        return f"s3://{self.bucket}/{key}.json"

    def _complete_report(self, section: str) -> None:
        """A report that the platform did not write has no marks, and stays as it is.

        So it does when it cannot be read or written: the price is known all the same.
        """
        own = f"s3://{self.bucket}/{RESULTS_PREFIX}{self.launch_id}/"
        if not (self.report_uri or "").startswith(own):
            return
        key = (self.report_uri or "").removeprefix(f"s3://{self.bucket}/")
        try:
            body = self._client.get_object(Bucket=self.bucket, Key=key)["Body"].read()
            completed = with_section(body.decode(), section)
            if completed is not None:
                self._put(key, completed, "text/html; charset=utf-8")
        except (ClientError, UnicodeDecodeError):
            logger.exception("The report has no section about the cost", extra={"launchId": self.launch_id})

    def _put(self, key: str, text: str, content_type: str) -> None:
        self._client.put_object(Bucket=self.bucket, Key=key, Body=text.encode(), ContentType=content_type)

    @property
    def _client(self) -> "S3Client":
        client: S3Client = aws.client("s3")
        return client
