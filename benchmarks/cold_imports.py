"""What it takes to import each function as it is shipped: processor seconds, beside those of the libraries that every
function has.

    .venv/bin/python -m benchmarks.cold_imports                # every function, five turns
    .venv/bin/python -m benchmarks.cold_imports --turns 9 --only register_launch plan_launch

The app is synthesized for this machine, whose Python takes the place of Lambda's. Each import is a process of its own
that sees the function's bundle, the layer and what Lambda's runtime brings, and may write no bytecode, as on Lambda. It
ends without tidying up, which no start on Lambda does. The floor is what any function with this project's libraries
imports: boto3, and Logger, Metrics and Tracer of Powertools with X-Ray, with bytecode; it takes its turn before each
function. All are processor seconds (user and system) over those of bare Python. The benchmark fails if the median of a
function's ratio to the floor is above what is promised.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple

import aws_cdk as cdk
import botocore
from rich.console import Console

from app import build
from stacks.settings_files import context_of_cdk_json

STAGE: Final = "dev"
PROMISED: Final = 1.35
"""Highest ratio to the floor."""
PROMISED_WITH_CONFIG: Final = 1.9
"""Of functions each of whose invocations reads a launch config, or a launcher's report: they need Pydantic, and models.
A start has a whole vCPU for importing these and the first invocation a seventh, so they stay imports."""
WITH_CONFIG: Final = frozenset(
    {
        "lambdas.pricing.estimate_cost",
        "lambdas.regenie.list_inputs",
        "lambdas.regenie.plan_launch",
        "lambdas.snakemake.prepare_snakemake",
        "lambdas.snakemake.record_jobs",
        "lambdas.workflow_manager.answer_requests",
        "lambdas.workflow_manager.publish_schema",
        "lambdas.workflow_manager.register_launch",
    }
)

_RUNTIME: Final = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six.py", "urllib3")
"""What Lambda's Python runtime brings."""
_ENVIRONMENT: Final = {
    "AWS_REGION": "eu-west-1",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "x",
    "AWS_SECRET_ACCESS_KEY": "x",
    "AWS_ACCOUNT_NUMBER": "111111111111",
    "TIBANNA_VERSION": "6.1.0",
    "LAMBDA_TASK_ROOT": "/var/task",  # Powertools' tracer is off elsewhere
}
_ON_LAMBDA: Final = {"AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand"}
"""By which functions make their clients as well."""
_FLOOR: Final = """
import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer
Logger(service="floor")
Metrics(service="floor", namespace="floor")
Tracer(service="floor", patch_modules=["botocore"])
"""

_END: Final = """
print(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1], flush=True)
os._exit(0)
"""
"""Peak resident memory in KiB: what wait4 tells of that is the parent's before it became this process."""


class Function(NamedTuple):
    """As it is shipped."""

    module: str
    paths: tuple[Path, ...]
    environment: Mapping[str, str]
    memory_mib: int


class Cost(NamedTuple):
    """Of a process."""

    seconds: float
    """Of the processor, user and system."""
    mib: float
    """Peak resident memory."""


def synthesize(folder: Path) -> list[Function]:
    """The functions of a stage, with their bundles."""
    app = cdk.App(outdir=str(folder), context={**context_of_cdk_json(), "stage": STAGE, "bundling": "host"})
    build(app)
    app.synth()
    templates = [json.loads(template.read_text())["Resources"] for template in folder.rglob("*.template.json")]
    resources = [resource for template in templates for resource in template.values()]
    layers = {  # those of other stacks with the same id have the same packages
        id_: _asset(folder, resource["Properties"]["Content"]) / "python"
        for template in templates
        for id_, resource in template.items()
        if resource["Type"] == "AWS::Lambda::LayerVersion"
    }
    runtime = _runtime(folder / "runtime")
    return [
        Function(
            properties["Handler"].removesuffix(".handler"),
            (_asset(folder, properties["Code"]), *(layers[layer["Ref"]] for layer in properties["Layers"]), runtime),
            {
                name: value
                for name, value in properties["Environment"]["Variables"].items()
                if isinstance(value, str)  # the others are made when the stacks are deployed
            },
            properties["MemorySize"],
        )
        for properties in (each["Properties"] for each in resources if each["Type"] == "AWS::Lambda::Function")
        if "Layers" in properties  # Tibanna's own run on another Python, and have no layer
    ]


def _asset(folder: Path, content: Mapping[str, Any]) -> Path:
    return folder / f"asset.{content['S3Key'].removesuffix('.zip')}"


def _runtime(folder: Path) -> Path:
    folder.mkdir()
    site_packages = Path(botocore.__file__).parents[1]
    for name in _RUNTIME:
        (folder / name).symlink_to(site_packages / name)
    return folder


def run(script: str, paths: tuple[Path, ...] = (), environment: Mapping[str, str] = _ENVIRONMENT) -> Cost:
    """When a script runs in a process of its own that ends right after it."""
    child = subprocess.Popen(
        [
            *(sys.executable, "-I", "-S", "-B", "-c"),
            f"import os, sys; sys.path[:0] = {[str(path) for path in paths]}\n{script}\n{_END}",
        ],
        env=dict(environment),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    said = child.stdout.read()
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    assert child.returncode == 0, script
    return Cost(used.ru_utime + used.ru_stime, int(said.split()[-1]) / 1024)


class Measured(NamedTuple):
    """Of a function, in all turns."""

    costs: list[Cost]
    floors: list[Cost]
    """Each measured just before."""
    with_clients: list[Cost]
    """Of the import on Lambda, which makes clients as well."""

    @property
    def ratio(self) -> float:
        """To the floor; the turns' median."""
        return median(cost.seconds / floor.seconds for cost, floor in zip(self.costs, self.floors, strict=True))


def measure(functions: list[Function], turns: int) -> dict[str, Measured]:
    """Each function's import, and the floor before each."""
    floor_paths = functions[0].paths[1:]
    subprocess.run(  # the runtime's packages are compiled
        [sys.executable, "-S", "-c", f"import sys; sys.path[:0] = [{str(floor_paths[-1])!r}]; import boto3"], check=True
    )
    measured = {each.module: Measured([], [], []) for each in functions}
    for _ in range(turns):
        bare = run("").seconds
        for each in functions:
            of = measured[each.module]
            script, environment = f"import {each.module}", {**_ENVIRONMENT, **each.environment}
            for found, cost in (
                (of.floors, run(_FLOOR, floor_paths)),
                (of.costs, run(script, each.paths, environment)),
                (of.with_clients, run(script, each.paths, environment | _ON_LAMBDA)),
            ):
                found.append(cost._replace(seconds=cost.seconds - bare))
    return measured


def main() -> int:
    """The exit code: 1 if a promise is not kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--only", nargs="*", default=[], help="parts of modules' names")
    chosen = parser.parse_args()
    with TemporaryDirectory(prefix="cold-imports-") as folder:
        functions = [
            each
            for each in sorted(synthesize(Path(folder)))
            if not chosen.only or any(part in each.module for part in chosen.only)
        ]
        measured = measure(functions, chosen.turns)
    console, missed = Console(width=160), 0
    for each in functions:
        of = measured[each.module]
        promised = PROMISED_WITH_CONFIG if each.module in WITH_CONFIG else PROMISED
        missed += of.ratio > promised
        seconds, floor, clients = (median(cost.seconds for cost in costs) for costs in of)
        console.print(
            f"{each.module:<42} {seconds:.3f} s, floor {floor:.3f} s: {of.ratio:.2f}, promised {promised};"
            f" with clients {clients:.3f} s, {max(cost.mib for cost in of.with_clients):.0f} of {each.memory_mib} MiB"
            + (" <- ABOVE" if of.ratio > promised else ""),
            highlight=False,
        )
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
