"""Shell completion of launch ids and stage names. It never fails and never takes long; it then offers less."""

from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import typer

from genolaunch.contract.launch import Status
from genolaunch.contract.project import PROJECT
from genolaunch.contract.settings import Parameter, parameter_name
from genolaunch.platform import DEFAULT_STAGE, Platform, new_session

if TYPE_CHECKING:
    import boto3

_OFFERED: Final = 50
"""Of the newest launches: more than anybody reads."""


def launch_ids(statuses: Collection[Status]) -> Callable[[typer.Context, str], list[tuple[str, str]]]:
    """Offers the newest launches of these statuses, and which status each has."""

    def offered(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
        with suppress(Exception):  # the command itself will report it
            from genolaunch.launches import Launches

            newest = Launches(Platform(_stage(ctx), _session())).newest(_OFFERED, statuses)
            found = [(launch.launch_id, launch.status.value) for launch in newest]
            return [each for each in found if each[0].startswith(incomplete)]
        return []

    return offered


def stages(incomplete: str) -> list[str]:
    """Offers the stages that are deployed in the account and region."""
    with suppress(Exception):  # as above
        return sorted(name for name in _deployed() if name.startswith(incomplete))
    return []


def _deployed() -> Iterator[str]:
    every = _session().client("ssm").get_paginator("get_parameters_by_path")
    for page in every.paginate(Path=f"/{PROJECT}/", Recursive=True):
        for parameter in page["Parameters"]:
            stage = parameter["Name"].split("/")[2]
            if parameter["Name"] == parameter_name(stage, Parameter.LAUNCH_BUCKET):
                yield stage


def _stage(ctx: typer.Context) -> str:
    """The stage that the words so far name. The callback that reads them otherwise has not run."""
    before = ctx.parent.params.get("stage") if ctx.parent else None
    return ctx.params.get("stage") or before or DEFAULT_STAGE


def _session() -> "boto3.Session":
    return new_session(connect_timeout=1, read_timeout=3, retries={"total_max_attempts": 1})
