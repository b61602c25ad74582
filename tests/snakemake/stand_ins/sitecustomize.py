"""In place of the engines' services: jobs run at once, each as a process in a folder of its own.

Python imports this module by its name as it starts (`site`): the engine's process is the real one, and so is each job.
STAND_IN_FOLDER holds one folder a job: what it was asked for, its log, and how it ended.
"""

import json
import os
import subprocess
import sys
import threading
import uuid
from pathlib import Path

FOLDER = Path(os.environ.get("STAND_IN_FOLDER", "/nowhere"))
PROGRAMS = os.environ.get("STAND_IN_PROGRAMS", "")
LARGEST_INPUT = 262_144
"""Of an execution (AWS Step Functions quotas)."""


class Refused(Exception):
    """As botocore's ClientError."""

    def __init__(self, code, message):
        super().__init__(f"{code}: {message}")
        self.response = {"Error": {"Code": code, "Message": message}}


def _environment(more):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("STAND_IN", "PYTHON"))}
    return {**kept, **more, "PATH": f"{PROGRAMS}:/usr/bin:/bin", "HOME": "/tmp"}


class StepFunctions:
    """An execution is one job of Tibanna's: what localcloud/ec2/awsem.py does on an instance."""

    def start_execution(self, *, stateMachineArn, name, input):
        if stateMachineArn.endswith("_costupdater"):
            raise Refused("StateMachineDoesNotExist", "StateMachineDoesNotExist")
        if len(input) > LARGEST_INPUT:
            raise Refused("ValidationException", f"input has {len(input)} characters")
        arn = f"{stateMachineArn.replace(':stateMachine:', ':execution:')}:{name}"
        given = json.loads(input)
        folder = FOLDER / given["jobid"]
        folder.mkdir(parents=True)
        (folder / "name").write_text(name)
        (folder / "input.json").write_text(input)
        threading.Thread(target=self._run, args=(folder, given), daemon=True).start()
        return {"executionArn": arn, "startDate": 0}

    def describe_execution(self, *, executionArn):
        (folder,) = [each.parent for each in FOLDER.glob("*/name") if each.read_text() == executionArn.split(":")[-1]]
        status = folder / "status"
        if not status.exists():
            return {"status": "RUNNING"}
        failed = status.read_text() != "0"
        error = {"error": "AWSEMJobErrorException", "cause": "Job encountered an error"} if failed else {}
        return {"status": "FAILED" if failed else "SUCCEEDED", **error}

    def stop_execution(self, **_):
        return {}

    def _run(self, folder, given):
        code = 1
        try:
            code = self._job(folder, given)
        except BaseException as error:
            with (folder / "log").open("a") as log:
                log.write(f"## {error!r}\n")
        import boto3

        boto3.client("s3").upload_file(str(folder / "log"), given["config"]["log_bucket"], f"{given['jobid']}.log")
        (folder / "status.new").write_text(str(code))
        (folder / "status.new").rename(folder / "status")

    def _job(self, folder, given):
        import boto3

        s3, args = boto3.client("s3"), given["args"]
        workdir = folder / "snakemake"
        bucket, _, prefix = args["snakemake_directory_url"].removeprefix("s3://").partition("/")
        # As awsf3: names are joined by commas, and parted at blanks by the shell's environment.
        for name in " ".join([*args["snakemake_child_filenames"], args["snakemake_main_filename"]]).split():
            self._get(s3, bucket, prefix.rstrip("/") + "/" + name, workdir / name)
        for target, source in args["input_files"].items():
            bucket, key = source["bucket_name"], source["object_key"]
            if set(key) & set(" '\"()&;|<>$`*?[]{}!\\"):
                raise ValueError(f"the shell cannot take {key}")
            path = workdir / target.removeprefix("file:///data1/snakemake/")
            below = s3.list_objects_v2(Bucket=bucket, Prefix=key.rstrip("/") + "/").get("Contents", [])
            for each in below:
                self._get(s3, bucket, each["Key"], path / each["Key"].removeprefix(key.rstrip("/") + "/"))
            if not below:
                self._get(s3, bucket, key, path)
        with (folder / "log").open("a") as log:
            log.write(f"## Running {args['command']}\n")
            log.flush()
            # As awsf3 (utils.create_env_def_file) has it: in a file that the instance's shell reads.
            command = args["command"].replace('"', '\\"')
            (folder / "env.sh").write_text(f'export COMMAND="{command}"\n')
            code = subprocess.run(
                ["bash", "-c", '. ../env.sh && exec sh -c "$COMMAND"'],
                cwd=workdir,
                env=_environment(args.get("input_env", {})),
                stdout=log,
                stderr=subprocess.STDOUT,
            ).returncode
            if code:
                log.write(f"\n## The command ended with exit code {code}\n")
                return code
        for source, target in args["output_target"].items():
            bucket, _, key = target.removeprefix("s3://").partition("/")
            path = workdir / source.removeprefix("file:///data1/snakemake/")
            for file in [each for each in path.rglob("*") if each.is_file()] if path.is_dir() else [path]:
                s3.upload_file(str(file), bucket, key + (f"/{file.relative_to(path)}" if path.is_dir() else ""))
        return 0

    def _get(self, s3, bucket, key, path):
        path.parent.mkdir(parents=True, exist_ok=True)
        s3.download_file(bucket, key, str(path))


class Batch:
    """A job is its command in a fresh folder."""

    def submit_job(self, *, jobName, containerOverrides, **asked):
        job_id = str(uuid.uuid4())
        folder = FOLDER / job_id
        folder.mkdir(parents=True)
        (folder / "name").write_text(jobName)
        (folder / "input.json").write_text(json.dumps({**asked, "containerOverrides": containerOverrides}))
        threading.Thread(target=self._run, args=(folder, containerOverrides), daemon=True).start()
        return {"jobId": job_id, "jobName": jobName}

    def _run(self, folder, overrides):
        with (folder / "log").open("w") as log:
            code = subprocess.run(
                overrides["command"],
                cwd=folder,
                env=_environment({each["name"]: each["value"] for each in overrides["environment"]}),
                stdout=log,
                stderr=subprocess.STDOUT,
            ).returncode
        (folder / "status.new").write_text(str(code))
        (folder / "status.new").rename(folder / "status")

    def describe_jobs(self, *, jobs):
        return {"jobs": [self._describe(job) for job in jobs]}

    def _describe(self, job_id):
        status = FOLDER / job_id / "status"
        if not status.exists():
            return {"jobId": job_id, "status": "RUNNING"}
        code = int(status.read_text())
        container = {"exitCode": code, "logStreamName": job_id}
        return {
            "jobId": job_id,
            "status": "FAILED" if code else "SUCCEEDED",
            "container": container,
            "statusReason": "Essential container in task exited",
        }

    def terminate_job(self, **_):
        return {}


class Logs:
    """The logs of Batch's jobs."""

    def get_log_events(self, *, logStreamName, limit, **_):
        lines = (FOLDER / logStreamName / "log").read_text().splitlines()[-limit:]
        return {"events": [{"message": line} for line in lines]}


STAND_INS = {"stepfunctions": StepFunctions, "batch": Batch, "logs": Logs}


def install():
    import boto3

    client = boto3.client
    boto3.client = lambda service, *args, **more: (
        STAND_INS[service]() if service in STAND_INS else client(service, *args, **more)
    )


if "STAND_IN_FOLDER" in os.environ and "snakemake_launcher" in " ".join(sys.orig_argv):
    install()
