"""A planned launch run to its merged results in a folder: the planner's own tasks, done by the jobs' own runner."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import boto3
from moto import mock_aws

from genolaunch.contract.plan import WORK_ANALYSED
from genolaunch.launch_configs.regenie_config import RegenieLaunch, RegenieParameters
from genolaunch.regenie.data_set import DataSet
from genolaunch.shared import aws
from genolaunch.shared.input_error import LaunchInputError
from lambdas.regenie.images import Images
from lambdas.regenie.inputs import read_inputs
from lambdas.regenie.references import StageReferences
from lambdas.regenie.run_sheet import analyse
from lambdas.regenie.tasks import plan_tasks
from tests.regenie.cohort_formats import ROOT

IMAGES: Final = Images({"4.1.2": "regenie:4.1.2"}, "4.1.2")
DATA: Final = "s3://data/cohort/"
REFERENCES: Final = "references/"
LAUNCH_ID: Final = "same-20261121t040000-1a2b3c4d"


def said(refusal: Exception) -> str:
    """What a refusal says to the launch's author: of data, an error's own text only counts the faults."""
    return "\n".join(map(str, refusal.faults)) if isinstance(refusal, LaunchInputError) else str(refusal)


class PlannedRun:
    """A launch's file system in a folder."""

    def __init__(self, root: Path, regenie: list[str]) -> None:
        """`regenie`: the command that stands for that name."""
        self.root = root
        self.data = root / "fsx" / "data"
        self.work = root / "fsx" / "work"
        self.references = root / "fsx" / "references"
        self._bin = root / "bin"
        for folder in (self.data, self.work / "plan", self.references, self._bin):
            folder.mkdir(parents=True)
        self._program("regenie", f'exec {shlex.join(regenie)} "$@"')
        self._program("stat", "echo lustre")  # the jobs ask whether their file system is the launch's

    def plan(self, parameters: Mapping[str, Any], references: Mapping[str, str] | None = None) -> dict[str, int]:
        """When the planner has read the data in S3; answers how many tasks each phase has.

        `references`: names of the stage's reference files of GRCh38, by kind.
        """
        config = RegenieParameters.model_validate(parameters)
        stage = StageReferences({"GRCh38": {"folder": REFERENCES, **references}} if references else {})
        launch = RegenieLaunch.model_validate(
            {"name": "planned", "workflow": "regenie", "data": DATA, "regenie": parameters}
        )
        with mock_aws():
            aws.client.cache_clear()
            client = boto3.client("s3")
            client.create_bucket(Bucket="data")
            for path in self.data.iterdir():
                client.upload_file(str(path), "data", f"cohort/{path.name}")
            for path in self.references.iterdir():
                client.upload_file(str(path), "data", f"references/{path.name}")
            inputs = read_inputs(DataSet.at(DATA), config, IMAGES)
            phases = plan_tasks(analyse(config, inputs, stage.of(launch, "data")))
            plan = {phase: [json.dumps(task) for task in tasks] for phase, tasks in phases.items()}
        aws.client.cache_clear()
        (self.work / "launch.json").write_text(
            json.dumps(
                {
                    "launchId": LAUNCH_ID,
                    "attempt": 1,
                    "config": {"name": "planned", "data": DATA, "regenie": config.model_dump(mode="json")},
                    "samples": inputs.samples.as_dict(),
                    "warnings": inputs.warnings,
                }
            )
        )
        (self.work / WORK_ANALYSED).write_bytes(inputs.samples.analysed)
        for phase, lines in plan.items():
            (self.work / "plan" / f"{phase}.jsonl").write_text("".join(f"{line}\n" for line in lines))
        return {phase: len(lines) for phase, lines in plan.items()}

    def run(self, phase: str, tasks: int) -> None:
        """When each job of a phase has run, the last one first: none may depend on another."""
        for index in reversed(range(tasks)):
            self._execute(
                [sys.executable, "-m", "regenie_runner", phase],
                WORKSPACE=str(self.root / "fsx"),
                LAUNCH_ID=LAUNCH_ID,
                AWS_BATCH_JOB_ID=f"{phase}-{index}",
                AWS_BATCH_JOB_ARRAY_INDEX=str(index),
            )

    def regenie(self, command: str) -> None:
        """When regenie itself is run once by hand, in the folder with the data."""
        self._execute(["regenie", *command.split()])

    def _program(self, name: str, line: str) -> None:
        path = self._bin / name
        path.write_text(f"#!/bin/sh\n{line}\n")
        path.chmod(0o755)

    def _execute(self, command: list[str], **environment: str) -> None:
        done = subprocess.run(
            command,
            cwd=self.data,
            env=os.environ
            | {
                "PATH": f"{self._bin}{os.pathsep}{os.environ['PATH']}",
                "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'containers' / 'regenie'}",
            }
            | environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{shlex.join(command)}\n{done.stdout}\n{done.stderr}"
