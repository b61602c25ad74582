"""The parameters of a launch, and the commands of its jobs."""

import json
import shlex
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from genolaunch.config_files import FaultyConfigError, checked_values
from genolaunch.contract.plan import WORK_PLAN
from genolaunch.errors import GenolaunchError
from genolaunch.launch import Launch
from genolaunch.reruns import config_of
from genolaunch.results import place_of
from genolaunch.shared.printable import printable
from genolaunch.workflows import commands_for

if TYPE_CHECKING:
    from genolaunch.platform import Platform

_PHASES: Final = {
    "split": "Step 1: split into jobs",
    "level0": "Step 1: level 0",
    "level1": "Step 1: level 1",
    "step1": "Step 1",
    "step2": "Step 2",
}
"""Phases whose tasks are commands, in their order (docs/architecture/regenie-job.md, "A task")."""

_FOLDERS: Final = {"{data}": "$DATA", "{work}": "$WORK", "{output}": "$OUTPUT"}
"""Placeholders of a plan, and what a shell may call them."""


@dataclass(frozen=True)
class JobCommand:
    """What a job runs, as typed in a shell in which DATA, WORK and OUTPUT are its folders."""

    phase: str
    label: str
    command: str


def parameters_of(platform: "Platform", launch: Launch) -> dict[str, Any]:
    """The launch's config with every default, in the order of its reference; raises as config_of does."""
    config = config_of(platform, launch)
    try:
        ordered: dict[str, Any] = checked_values(config, "").model_dump(mode="json", exclude_none=True)
    except FaultyConfigError:  # of a stage that knows more keys than this command
        return config
    return ordered


def yaml_of(config: dict[str, Any]) -> str:
    """A config as YAML which the platform reads as the very same: it knows other words and numbers than YAML 1.1."""
    import yaml

    class Dumper(yaml.SafeDumper):
        """Quotes what would be read as something else than a text."""

    def represent(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
        return dumper.represent_scalar(
            "tag:yaml.org,2002:str", text, style=None if _is_read_as_text(text) and text.isprintable() else '"'
        )

    Dumper.add_representer(str, represent)
    text: str = yaml.dump(config, None, Dumper, sort_keys=False, allow_unicode=True, width=120)
    return printable(text, keep="\n")  # in double quotes YAML reads these escapes as what they stand for


def _is_read_as_text(text: str) -> bool:
    from genolaunch.launch_configs.config_text import read_text
    from genolaunch.shared.errors import MissingRequiredParametersError

    try:
        return read_text(text.encode(), is_json=False) == text
    except MissingRequiredParametersError:
        return False


def commands_of(platform: "Platform", launch: Launch) -> Iterator[JobCommand]:
    """The commands of all jobs of the launch's last attempt, as planned; none before it is planned.

    Raises GenolaunchError for a workflow whose commands are in its log only.
    """
    instead = commands_for(launch.workflow).instead_of_commands
    if instead:
        raise GenolaunchError(instead.format(launch_id=launch.launch_id))
    bucket, prefix = place_of(platform, launch)
    for phase, title in _PHASES.items():
        try:
            plan = platform.s3.get_object(Bucket=bucket, Key=f"{prefix}{WORK_PLAN}/{phase}.jsonl")
        except platform.s3.exceptions.NoSuchKey:
            continue
        for line in plan["Body"].iter_lines():
            task = json.loads(line)
            yield JobCommand(title, task["label"], _typed(task["command"]))


def first_of_each_phase(commands: Iterable[JobCommand]) -> Iterator[JobCommand]:
    """The first command of each phase, and in its label how many there are."""
    for _, group in groupby(commands, key=lambda each: each.phase):
        first, *rest = group
        others = len(rest)
        yield replace(first, label=first.label + (f", and {others:,} more like it" if others else ""))


def _typed(words: list[str]) -> str:
    return " ".join(map(_quoted, words))


def _quoted(word: str) -> str:
    """A word of a command line; a folder's variable is expanded by the shell."""
    for placeholder, variable in _FOLDERS.items():
        if word.startswith(placeholder):
            rest = word.removeprefix(placeholder)
            return f'"{variable}"{shlex.quote(rest) if rest else ""}'
    return shlex.quote(word)
