"""Stand-ins for the tests of the cloud's core: Batch jobs end when told to by their name, one file system exists."""

import threading
from pathlib import Path
from typing import Any
from uuid import uuid4

from localcloud.assembly import StandIns
from localcloud.service import ServiceError


class FakeBatch:
    """`succeed-…` jobs succeed at once, `fail-…` jobs fail at once, others run until they are terminated."""

    name = "batch"

    def __init__(self) -> None:
        self._jobs: dict[str, dict[str, Any]] = {}
        self._callbacks: dict[str, list[Any]] = {}
        self._lock = threading.Lock()

    def call(self, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        if operation == "SubmitJob":
            return self._submit(params)
        if operation == "DescribeJobs":
            return {"jobs": [self._jobs[job_id] for job_id in params["jobs"] if job_id in self._jobs]}
        if operation == "ListJobs":  # the queue's name stands for the jobs' name
            found = [job for job in self._jobs.values() if job["jobName"] == params["jobQueue"]]
            return {"jobSummaryList": [{"jobId": job["jobId"], "jobName": job["jobName"]} for job in found]}
        if operation == "TerminateJob":
            self._end(params["jobId"], "FAILED", params["reason"])
            return {}
        if operation == "CreateJobQueue":
            arn = f"arn:aws:batch:us-east-1:000000000000:job-queue/{params['jobQueueName']}"
            return {"jobQueueName": params["jobQueueName"], "jobQueueArn": arn}
        raise ServiceError("ClientException", f"The fake does not know {operation}.")

    def on_job_end(self, job_id: str, callback: Any) -> None:
        with self._lock:
            job = self._jobs[job_id]
            if job["status"] == "RUNNING":
                self._callbacks.setdefault(job_id, []).append(callback)
                return
        callback(job)

    def subscribe(self, callback: Any) -> None:
        """The fake announces nothing."""

    def _submit(self, params: dict[str, Any]) -> dict[str, Any]:
        job_id, name = str(uuid4()), params["jobName"]
        self._jobs[job_id] = {
            "jobId": job_id,
            "jobName": name,
            "jobQueue": params["jobQueue"],
            "jobDefinition": params["jobDefinition"],
            "status": "RUNNING",
            "startedAt": 1_700_000_000_000,
        }
        if name.startswith("succeed"):
            self._end(job_id, "SUCCEEDED", "Essential container in task exited")
        if name.startswith("fail"):
            self._end(job_id, "FAILED", "Essential container in task exited")
        return {"jobId": job_id, "jobName": name}

    def _end(self, job_id: str, status: str, reason: str) -> None:
        with self._lock:
            job = self._jobs[job_id]
            job.update(status=status, statusReason=reason)
            callbacks = self._callbacks.pop(job_id, [])
        for callback in callbacks:
            callback(job)


class FakeFsx:
    name = "fsx"

    def call(self, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        ids = params.get("FileSystemIds", ["fs-0123456789abcdef0"])
        if ids != ["fs-0123456789abcdef0"]:
            raise ServiceError("FileSystemNotFound", f"File system {ids[0]!r} does not exist.")
        return {"FileSystems": [{"FileSystemId": ids[0], "DNSName": "fs.example", "Lifecycle": "AVAILABLE"}]}


def make(state_dir: Path, endpoint: str) -> StandIns:
    return StandIns(batch=FakeBatch(), others=(FakeFsx(),), close=lambda: None)
