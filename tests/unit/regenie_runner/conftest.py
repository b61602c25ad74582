"""A launch's file system in a folder, a `regenie` that does what the test says, and a `stat` that calls it Lustre."""

import gzip
import json
import os
import signal
from pathlib import Path
from typing import Any, get_origin, get_type_hints, is_typeddict

import pytest

import regenie_runner
from genolaunch.contract.plan import PreloadTask, Task
from genolaunch.launch_configs.regenie_config import RegenieLaunch
from regenie_runner.cli import main
from regenie_runner.receipts import seal_folder

LAUNCH_ID = "height-gwas-20261121t040000-1a2b3c4d"
EXPECTED = Path(__file__).parents[2] / "data" / "gwas" / "expected"
RUNNER = {"PYTHONPATH": str(Path(regenie_runner.__file__).parents[1])}
"""Environment in which a new process finds the runner."""
HEADER = "CHROM GENPOS ID ALLELE0 ALLELE1 A1FREQ N TEST BETA SE CHISQ LOG10P EXTRA\n"

_REGENIE = """#!/bin/sh
while [ $# -gt 0 ]; do
  if [ "$1" = --out ]; then OUT=$2; fi
  shift
done
eval "$FAKE_REGENIE"
"""


_PLAIN_REGENIE = {
    "genotypes": "cohort.bed",
    "phenotypes": "phenotypes.txt",
    "traits": ["height"],
    "trait_type": "quantitative",
}
_PLAIN = {"name": "height-gwas", "workflow": "regenie", "data": "cohort/"}
"""What a config of a test may leave out."""


class Launch:
    """Given: a launch, its file system, and what `regenie` will do. When: `run`."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = root / "fsx"
        self.work = self.root / "work"
        self.data = self.root / "data"
        self._bin = root / "bin"
        self._monkeypatch = monkeypatch
        for folder in (self.work / "plan", self.data, self._bin):
            folder.mkdir(parents=True)
        self.program("stat", "#!/bin/sh\necho lustre\n")
        self.program("regenie", _REGENIE)
        self.describe({})
        self.environment(
            PATH=f"{self._bin}{os.pathsep}{os.environ['PATH']}",
            WORKSPACE=str(self.root),
            LAUNCH_ID=LAUNCH_ID,
            AWS_BATCH_JOB_ID="5f1c7d0e:3",
            AWS_BATCH_JOB_ATTEMPT="1",
        )

    def environment(self, **variables: str) -> None:
        for name, value in variables.items():
            self._monkeypatch.setenv(name, value)

    def program(self, name: str, script: str) -> None:
        path = self._bin / name
        path.write_text(script)
        path.chmod(0o755)

    def describe(self, config: dict[str, Any], is_checked: bool = True, **found: object) -> None:
        """`found`: what planning saw in the data. No launch has a config that the model refuses."""
        if is_checked:
            RegenieLaunch.model_validate(_PLAIN | config | {"regenie": _PLAIN_REGENIE | config.get("regenie", {})})
        launch = {"launchId": LAUNCH_ID, "attempt": 1, "config": config, **found}
        (self.work / "launch.json").write_text(json.dumps(launch))

    def regenie_does(self, shell: str) -> None:
        """`$OUT` is what follows --out."""
        self.environment(FAKE_REGENIE=shell)

    def plan(self, phase: str, *lines: dict[str, object]) -> None:
        """Of the shape that planning gives them: a line that it cannot write proves nothing."""
        for line in lines:
            assert_planned(phase, line)
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (self.work / "plan" / f"{phase}.jsonl").write_text(text)

    def write(self, path: str, text: str) -> Path:
        """A file below work."""
        target = self.work / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        return target

    def chunk(self, number: int, **results: str) -> dict[str, object]:
        """A finished chunk of step 2 (trait -> text of its results); answers its line of the plan."""
        folder = f"step2/{number:06}"
        for trait, text in results.items():
            self.write(f"{folder}/chunk_{trait}.regenie", text)
        variants = max(text.count("\n") - 1 for text in results.values())
        task = chunk_task(number, list(results), variants)
        self.seal(task)
        return task

    def seal(self, task: dict[str, object]) -> None:
        """As the job of a task does that has finished: write the receipt of its output."""
        seal_folder(self.work / str(task["output"]), task)

    def run(self, phase: str, index: int | None = None) -> int:
        """The exit code."""
        if index is not None:
            self.environment(AWS_BATCH_JOB_ARRAY_INDEX=str(index))
        return main([phase])

    def leftovers(self) -> list[Path]:
        """Folders of attempts that should have vanished."""
        return [path for path in self.root.rglob("*") if ".attempts" in path.name]


def assert_planned(phase: str, line: dict[str, object]) -> None:
    """Each member of a plan's line is one of the contract's, and of its type."""
    shape = get_type_hints(PreloadTask if phase == "preload" else Task)
    for name, value in line.items():
        assert name in shape, f"planning writes no {name} into plan/{phase}.jsonl"
        kind = get_origin(shape[name]) or shape[name]
        assert isinstance(value, dict if is_typeddict(kind) else kind), f"{name} of plan/{phase}.jsonl: {value}"
    assert "label" in line


def chunk_task(number: int, traits: list[str], variants: int, **more: object) -> dict[str, object]:
    """A line of plan/step2.jsonl."""
    return {
        "label": f"cohort chunk {number}",
        "command": ["regenie", "--step", "2", "--bed", "{data}/cohort", "--out", "{output}/chunk"],
        "output": f"step2/{number:06}",
        "expect": [f"chunk_{trait}.regenie" for trait in traits],
        "variants": variants,
        **more,
    }


def merge_task(trait: str) -> dict[str, object]:
    """A line of plan/merge.jsonl."""
    return {
        "label": trait,
        "trait": trait,
        "output": f"gwas/{trait}.regenie.gz",
        "summary": f"gwas/summary/{trait}.json",
    }


def result_row(chromosome: str, position: int, log10p: str = "0.5", chisq: str = "1", name: str = "") -> str:
    """A line of results."""
    name = name or f"{chromosome}:{position}"
    return f"{chromosome} {position} {name} G A 0.25 800 ADD 0.1 0.05 {chisq} {log10p} NA\n"


def expected_results(trait: str) -> str:
    """Real regenie's results on the small cohort."""
    return gzip.decompress((EXPECTED / f"qt_step2_{trait}.regenie.gz").read_bytes()).decode()


@pytest.fixture
def launch(tmp_path, monkeypatch):
    before = signal.getsignal(signal.SIGTERM)
    yield Launch(tmp_path, monkeypatch)
    signal.signal(signal.SIGTERM, before)
