"""What an instance of Tibanna's does, as a process: `python -m localcloud.ec2.awsem --job-id … --log-bucket …`.

On AWS the instance's user data fetches Tibanna's start script, which runs Tibanna's container, which runs the job's in
turn. Here one process does what they do for a job of the languages `snakemake` and `shell`, with the same objects in
the same order. `/data1`, the data volume, is a folder; the container's image is an environment (localcloud.images).
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import boto3

from localcloud.ec2.machines import RECLAIMED
from localcloud.images import ImageCatalog, known

_DATA: Final = "/data1/"
_DEVICE: Final = "/dev/nvme1n1"
_SEND_LOG_SECONDS: Final = 2.0
"""The script's cron job sends the log each minute."""


class _JobFailedError(Exception):
    """A step failed; its number is the exit code, as in Tibanna's STATUS."""


class Awsem:
    """One job on one instance."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._s3 = boto3.client("s3")
        self._data = Path(options.disk) / "data1"
        self._log = self._data / "out" / f"{options.job_id}.log"
        for folder in (self._log.parent, self._data / "input"):
            folder.mkdir(parents=True)

    def run(self) -> int:
        """From the start signal to the end signal; answers what the process is to exit with."""
        self._mark("job_started")
        self._say_where()
        try:
            postrun = self._read_run_json()
            if self._options.reclaimed:
                return self._be_reclaimed()
            self._fetch(postrun)
            self._run_command(postrun["Job"])
            self._put_outputs(postrun["Job"])
        except Exception as error:
            self._write(f"{error}")
            self._mark("error")
            self._send_log()
            return 1
        postrun["Job"].update(status="0", end_time=_now())
        self._put_postrun(postrun)
        self._write("\nDone")
        self._send_log()
        self._mark("success")
        return 0

    def _say_where(self) -> None:
        options = self._options
        self._write(
            f"## job id: {options.job_id}\n## instance type: {options.instance_type}\n"
            f"## instance id: {options.instance_id}\n## availability zone: {options.zone}\n"
            f"## log bucket: {options.log_bucket}\n\n## Starting...\n{_now()}"
        )

    def _read_run_json(self) -> dict[str, Any]:
        self._write("\n## Downloading and parsing run.json file")
        body = self._s3.get_object(Bucket=self._options.log_bucket, Key=f"{self._options.job_id}.run.json")["Body"]
        postrun: dict[str, Any] = json.loads(body.read())
        postrun["Job"].update(
            instance_id=self._options.instance_id,
            instance_type=self._options.instance_type,
            instance_availablity_zone=self._options.zone,  # spelled so by Tibanna
            filesystem=_DEVICE,
        )
        # check_task wants one even of a job that fails.
        self._put_postrun(postrun)
        self._send_log()
        return postrun

    def _be_reclaimed(self) -> int:
        """EC2 gives two minutes' notice; a cron job looks for it every 30 seconds, and this is what it leaves."""
        self._mark("spot_failure")
        self._send_log()
        return RECLAIMED

    def _fetch(self, postrun: Mapping[str, Any]) -> None:
        job = postrun["Job"]
        workdir = self._workdir(job)
        workdir.mkdir()
        if job["App"]["language"] == "snakemake":
            self._write("\n## Downloading workflow files")
            bucket, _, prefix = job["App"]["snakemake_url"].removeprefix("s3://").partition("/")
            names = [job["App"]["main_snakemake"], *filter(None, job["App"]["other_snakemake_files"].split(","))]
            for name in names:
                self._download(bucket, f"{prefix.rstrip('/')}/{name}", workdir / name)
        self._write("\n## Downloading data & reference files from S3")
        for source in ("Input_files_data", "Secondary_files_data"):
            for target, file in job["Input"][source].items():
                self._download_input(file["dir"], file["path"], self._path(target))
        self._send_log()

    def _download_input(self, bucket: str, key: str, target: Path) -> None:
        folder = list(self._keys(bucket, key.rstrip("/") + "/"))
        if not folder:
            self._download(bucket, key, target)
        for each in folder:
            self._download(bucket, each, target / each.removeprefix(key.rstrip("/") + "/"))

    def _keys(self, bucket: str, prefix: str) -> Iterator[str]:
        for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            for item in page.get("Contents", []):
                yield item["Key"]

    def _download(self, bucket: str, key: str, target: Path) -> None:
        self._write(f"aws s3 cp s3://{bucket}/{key} {target}")
        target.parent.mkdir(parents=True, exist_ok=True)
        self._s3.download_file(bucket, key, str(target))

    def _run_command(self, job: Mapping[str, Any]) -> None:
        image, command = job["App"]["container_image"], job["App"]["command"]
        self._write(f"\n## Running CWL/WDL/Snakemake/Shell commands\nrunning {command} in docker image {image}...")
        self._send_log()
        environment = {
            **os.environ,
            **ImageCatalog(known(), self._data / "image").environment(image),
            **job["Input"]["Env"],
        }
        with self._log.open("ab") as log:
            process = subprocess.Popen(
                ["sh", "-c", command],
                env=environment,
                cwd=self._workdir(job),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
            while True:
                try:
                    code = process.wait(_SEND_LOG_SECONDS)
                    break
                except subprocess.TimeoutExpired:
                    self._send_log()
                    self._send_top()
        if code != 0:
            raise _JobFailedError(f"\n## The command ended with exit code {code}")

    def _put_outputs(self, job: Mapping[str, Any]) -> None:
        self._write("\n## Uploading output files to S3")
        for source, target in job["Output"]["output_target"].items():
            bucket, _, key = target.removeprefix("s3://").partition("/")
            path = self._path(source)
            files = [each for each in path.rglob("*") if each.is_file()] if path.is_dir() else [path]
            for file in files:
                suffix = f"/{file.relative_to(path)}" if path.is_dir() else ""
                self._write(f"uploading output source {file} to {key}{suffix} in bucket {bucket}")
                self._s3.upload_file(str(file), bucket, key + suffix)

    def _workdir(self, job: Mapping[str, Any]) -> Path:
        """Tibanna names it after the language."""
        return self._data / str(job["App"]["language"])

    def _path(self, name: str) -> Path:
        """Where on the stand-in's disk a path of the data volume lies."""
        return self._data / name.removeprefix("file://").removeprefix(_DATA)

    def _write(self, text: str) -> None:
        with self._log.open("a", encoding="utf-8") as log:
            log.write(f"{text}\n")

    def _mark(self, suffix: str) -> None:
        self._put(suffix, b"")

    def _send_log(self) -> None:
        self._put("log", self._log.read_bytes())

    def _send_top(self) -> None:
        top = shutil.which("top")
        if top:
            done = subprocess.run([top, "-b", "-n", "1"], capture_output=True, check=False)
            self._put("top_latest", done.stdout)

    def _put_postrun(self, postrun: Mapping[str, Any]) -> None:
        self._put("postrun.json", json.dumps(postrun, indent=4, sort_keys=True).encode())

    def _put(self, suffix: str, body: bytes) -> None:
        self._s3.put_object(Bucket=self._options.log_bucket, Key=f"{self._options.job_id}.{suffix}", Body=body)


def _now() -> str:
    return time.strftime("%Y%m%d-%H:%M:%S-UTC", time.gmtime())


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Play one EC2 instance of Tibanna's.")
    for name in ("--job-id", "--log-bucket", "--disk", "--instance-id", "--instance-type", "--zone"):
        parser.add_argument(name, required=True)
    parser.add_argument("--reclaimed", action="store_true", help="EC2 takes the instance back")
    return parser.parse_args()


if __name__ == "__main__":
    # The cloud's server may ignore it, and a job's own program is to hear it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.exit(Awsem(_options()).run())
