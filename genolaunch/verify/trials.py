"""Drops the tiny launches, and waits for their ends."""

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from genolaunch import requests, submission
from genolaunch.contract.cost import CostStatus
from genolaunch.contract.launch import LaunchField, Status
from genolaunch.contract.launch_bucket import SOURCES_PREFIX
from genolaunch.contract.workflow import SnakemakeEngine
from genolaunch.costs import cost_of
from genolaunch.launches import Launches
from genolaunch.progress import LOOK_EVERY, repeatedly
from genolaunch.verify.account import Account, listed
from genolaunch.verify.evidence import Kind, Rejection

if TYPE_CHECKING:
    from genolaunch.launch import Launch

Tell = Callable[[str], None]

EXAMPLE: Final = Path(__file__).parents[2] / "examples" / "gwas"
_ANSWER_SECONDS: Final = 300.0
"""The first function of a new deployment starts cold, and a message that it loses comes again after its visibility
time-out."""

_SNAKEFILE: Final = """rule all:
    input: "copy.txt"

rule copy:
    input: "input.txt"
    output: "copy.txt"
    resources: mem_mb=1000
    shell: "cp {input} {output}"
"""
_FAULTS: Final[Mapping[str, Any]] = {"genotypes": "cohort.vcf", "traits": [], "trait_type": "ordinal", "fenotypes": "x"}
_RESTORE_TIER: Final = "Expedited"


@dataclass
class Drops:
    """What was dropped: the ids of the launches, and the platform's answers."""

    name: str
    """Of this run: all that it puts has it in its key."""
    launch_ids: dict[Kind, str] = field(default_factory=dict)
    answers: dict[Kind, Mapping[str, Any]] = field(default_factory=dict)
    absent: dict[Kind, str] = field(default_factory=dict)
    twin_id: str | None = None
    rejection: Rejection | None = None


class Trials:
    """The launches of one run of verify."""

    def __init__(self, account: Account, name: str, team: str | None, tell: Tell) -> None:
        self._account = account
        self._platform = account.platform
        self._team = team
        self._tell = tell
        self.drops = Drops(name)

    def drop(self, *, with_restore: bool) -> None:
        """Drop a launch of each kind that the stage has, and a config with faults."""
        self._upload()
        regenie = self._regenie(Kind.REGENIE)
        self._drop(Kind.REGENIE, regenie)
        self.drops.twin_id = self._submit(Kind.REGENIE, regenie).launch_id
        self._drop(Kind.CANCELLED, self._regenie(Kind.CANCELLED))
        for kind, engine in ((Kind.TIBANNA, SnakemakeEngine.TIBANNA), (Kind.AWS_BATCH, SnakemakeEngine.AWS_BATCH)):
            self._drop(kind, self._snakemake(kind, engine))
        if "parallelcluster" in self._account.stacks:
            self._drop(Kind.CLUSTER, self._regenie(Kind.CLUSTER) | {"compute": "parallelcluster"})
        else:
            self.drops.absent[Kind.CLUSTER] = "the stage has no Slurm cluster"
        if with_restore:
            tier = {"restore": {"tier": _RESTORE_TIER}}
            self._drop(Kind.RESTORED, self._regenie(Kind.RESTORED, "archived") | tier)
        else:
            self.drops.absent[Kind.RESTORED] = "a restore was not asked for (--restore)"
        self._drop_faulty()

    def cancel(self) -> None:
        """Cancel the launch that is for it, as soon as it has made something that costs money."""
        launch_id = self.drops.launch_ids.get(Kind.CANCELLED)
        if launch_id is None:
            return
        launches = Launches(self._platform)
        for item in repeatedly(lambda: self.item(launch_id), LOOK_EVERY):
            if Status(item[LaunchField.STATUS]) is Status.RUNNING and LaunchField.FILE_SYSTEM_ID in item:
                self._tell(f"{launch_id} has a file system: it is cancelled")
                requests.cancel(self._platform, launches.get(launch_id))
                return
            if launches.get(launch_id).is_final:
                return  # its check will say so

    def follow(self) -> None:
        """Wait until all launches are over, priced (or why not is known), and cleaned up."""
        told: dict[str, str] = {}
        waits = list(self.drops.launch_ids.values())
        for _ in repeatedly(lambda: None, LOOK_EVERY):
            for launch_id in list(waits):
                launch = Launches(self._platform).get(launch_id)
                if told.get(launch_id) != launch.status:
                    told[launch_id] = launch.status
                    self._tell(f"{launch_id} is {launch.status}")
                if launch.status is Status.HELD:  # nobody is there to approve it
                    self._tell(f"{launch_id} is cancelled: {launch.status_reason}")
                    requests.cancel(self._platform, launch)
                if launch.is_final and self._is_settled(launch):
                    waits.remove(launch_id)
            if not waits:
                return

    def cancel_all(self) -> None:
        """Cancel what still runs, since nobody waits for it any more."""
        for launch_id in self.drops.launch_ids.values():
            launch = Launches(self._platform).get(launch_id)
            if not launch.is_final:
                self._tell(f"{launch_id} is cancelled")
                requests.cancel(self._platform, launch)

    def item(self, launch_id: str) -> dict[str, Any]:
        """A launch's item, as it is in the table."""
        from genolaunch.launch_items import plain

        answer = self._platform.dynamodb.get_item(
            TableName=self._platform.names.launch_table,
            Key={LaunchField.LAUNCH_ID: {"S": launch_id}},
            ConsistentRead=True,
        )
        return plain(answer["Item"])

    def clean_ups(self, launch_id: str) -> list[str]:
        """Statuses of the launch's executions of **cleanup** since this run began, the newest first."""
        machine = self._account.machines["cleanup"]
        states = self._account.client("stepfunctions")
        began = Launches(self._platform).get(launch_id).submitted_at
        found = []
        for execution in listed(
            self._account.client("stepfunctions").get_paginator("list_executions").paginate(stateMachineArn=machine),
            "executions",
        ):
            if began is not None and execution["startDate"] < began:
                break  # the newest come first
            described = states.describe_execution(executionArn=execution["executionArn"])
            if launch_id in described.get("input", ""):
                found.append(str(described["status"]))
        return found

    def _is_settled(self, launch: "Launch") -> bool:
        cost = cost_of(self._platform, launch).cost_status
        is_priced = launch.status is Status.REJECTED or cost in (
            CostStatus.PRICED,
            CostStatus.PENDING,
            CostStatus.UNKNOWN,
        )
        if not is_priced:
            return False
        clean_ups = self.clean_ups(launch.launch_id)
        return bool(clean_ups) and "RUNNING" not in clean_ups

    def _upload(self) -> None:
        names, s3 = self._platform.names, self._platform.s3
        for path in sorted((EXAMPLE / "cohort").iterdir()):
            s3.upload_file(str(path), names.data_bucket, f"{self._data('cohort')}{path.name}")
        for kind in (Kind.TIBANNA, Kind.AWS_BATCH):
            s3.put_object(Bucket=names.data_bucket, Key=f"{self._data(kind)}input.txt", Body=b"verify\n")
        s3.put_object(Bucket=names.launch_bucket, Key=self._snakefile, Body=_SNAKEFILE.encode())

    def archive(self) -> None:
        """Put the cohort once more, with one file in S3 Glacier Flexible Retrieval."""
        for path in sorted((EXAMPLE / "cohort").iterdir()):
            storage = "GLACIER" if path.name == "covariates.txt" else "STANDARD"
            key, about = f"{self._data('archived')}{path.name}", {"StorageClass": storage}
            self._platform.s3.upload_file(str(path), self._platform.names.data_bucket, key, ExtraArgs=about)

    def _data(self, part: str) -> str:
        return f"{self.drops.name}/{part}/"

    @property
    def _snakefile(self) -> str:
        return f"{SOURCES_PREFIX}{self.drops.name}/Snakefile"

    def _regenie(self, kind: Kind, data: str = "cohort") -> dict[str, Any]:
        import yaml

        config: dict[str, Any] = yaml.safe_load((EXAMPLE / "launch.yaml").read_text(encoding="utf-8"))
        return {**config, "name": f"{self.drops.name}-{kind}", "data": self._data(data)}

    def _snakemake(self, kind: Kind, engine: SnakemakeEngine) -> dict[str, Any]:
        section = {"snakefile": self._snakefile, "engine": str(engine)}
        name = f"{self.drops.name}-{kind}"
        return {"name": name, "workflow": "snakemake", "data": self._data(kind), "snakemake": section}

    def _drop(self, kind: Kind, config: Mapping[str, Any]) -> None:
        answer = self._submit(kind, config)
        self.drops.answers[kind] = answer.document
        if answer.accepted and answer.launch_id:
            self.drops.launch_ids[kind] = answer.launch_id
        else:
            faults = "; ".join(f"{fault.where}: {fault.problem}" for fault in answer.faults)
            self.drops.absent[kind] = f"its config was rejected: {faults}"
        self._tell(f"{kind}: {answer.launch_id or self.drops.absent[kind]}")

    def _drop_faulty(self) -> None:
        config = self._regenie(Kind.REGENIE)
        config = {**config, "name": f"{self.drops.name}-faulty", "regenie": {**config["regenie"], **_FAULTS}}
        answer = self._submit("faulty", config)
        launch = Launches(self._platform).get(answer.launch_id) if answer.launch_id else None
        expected = tuple(f"regenie.{key}" for key in _FAULTS)
        self.drops.rejection = Rejection(launch, answer.accepted, answer.faults, expected)

    def _submit(self, kind: str, config: Mapping[str, Any]) -> submission.Answer:
        import yaml

        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / f"{self.drops.name}-{kind}.yaml"
            file.write_text(yaml.safe_dump(dict(config), sort_keys=False), encoding="utf-8")
            sent = submission.submit(self._platform, file, self._team)
        return submission.wait_for_answer(self._platform, sent, _ANSWER_SECONDS)
