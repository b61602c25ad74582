"""The run sheet of one attempt of a launch, written by the platform."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

CONFIG_FILE: Final = "genolaunch-config.json"
"""The launch's config values, at the root of the sources: jobs get it with them."""

_REQUIRED: Final[Mapping[str, type]] = {
    "launchId": str,
    "attempt": int,
    "engine": str,
    "sources": str,
    "snakefile": str,
    "remotePrefix": str,
    "resultsUri": str,
    "containerImage": str,
}
_OPTIONAL: Final[Mapping[str, type]] = {
    "targets": list,
    "config": dict,
    "spot": bool,
    "retries": int,
    "jobs": int,
    "tibanna": dict,
    "awsBatch": dict,
    "ownImage": bool,
    "cores": int,
    "rerunTriggers": list,
}
_WORDS: Final[Mapping[type, str]] = {
    str: "text",
    int: "a whole number",
    bool: "true or false",
    list: "a list",
    dict: "an object",
}


class RunSheetError(Exception):
    """The run sheet cannot be used. The message is a sentence that names every fault."""


@dataclass(frozen=True)
class RunSheet:
    """One attempt of a launch."""

    launch_id: str
    attempt: int
    engine: str
    sources: str
    """s3:// URL of the folder with the Snakefile and everything that it reads besides data; ends with a slash."""
    snakefile: str
    remote_prefix: str
    """bucket/prefix: the workflow's working directory."""
    results_uri: str
    container_image: str
    """Of the jobs. It has the engine's version of Snakemake: a job's command is a call of it."""
    own_image: bool = False
    """The launch names it itself: what its rules need is in it."""
    cores: int | None = None
    """What `workflow.cores` is in the Snakefile."""
    rerun_triggers: tuple[str, ...] = ()
    """Of what makes files anew that are there; without one, all."""
    targets: tuple[str, ...] = ()
    config: Mapping[str, Any] = field(default_factory=dict)
    spot: bool = True
    retries: int = 0
    jobs: int = 100
    engine_options: Mapping[str, Any] = field(default_factory=dict)
    """The object named after the engine: `tibanna` or `awsBatch`."""

    @property
    def run_name(self) -> str:
        """What everything that this attempt creates is named by."""
        return f"{self.launch_id}-{self.attempt}"

    @property
    def launcher_uri(self) -> str:
        """Where the launcher's own files go; ends with a slash."""
        return f"{self.results_uri}launcher/"

    @classmethod
    def parse(cls, text: str) -> "RunSheet":
        """Read the JSON. Raises RunSheetError."""
        try:
            raw = json.loads(text)
        except ValueError as error:
            raise RunSheetError(f"The run sheet is not JSON: {error}.") from error
        if not isinstance(raw, dict):
            raise RunSheetError("The run sheet must be a JSON object.")
        if faults := _faults(raw):
            raise RunSheetError(f"The run sheet has faults: {'; '.join(faults)}.")
        given = {key: value for key, value in raw.items() if value is not None}
        return cls(
            launch_id=raw["launchId"],
            attempt=raw["attempt"],
            engine=raw["engine"],
            sources=raw["sources"],
            snakefile=raw["snakefile"],
            container_image=raw["containerImage"],
            remote_prefix=raw["remotePrefix"].strip("/"),
            results_uri=raw["resultsUri"],
            engine_options=given.get("awsBatch" if raw["engine"] == "aws-batch" else raw["engine"], {}),
            own_image=given.get("ownImage", False),
            **{key: given[key] for key in ("config", "spot", "retries", "jobs", "cores") if key in given},
            targets=tuple(given.get("targets", ())),
            rerun_triggers=tuple(given.get("rerunTriggers", ())),
        )


def _faults(raw: Mapping[str, Any]) -> list[str]:
    faults = [f"{key} is missing" for key in _REQUIRED if key not in raw]
    for key, kind in {**_REQUIRED, **_OPTIONAL}.items():
        if key in raw and not _is(raw[key], kind) and not (key in _OPTIONAL and raw[key] is None):
            faults.append(f"{key} must be {_WORDS[kind]}")
    faults += [
        f"{key} must be an s3:// URL that ends with a slash"
        for key in ("sources", "resultsUri")
        if isinstance(raw.get(key), str) and not (raw[key].startswith("s3://") and raw[key].endswith("/"))
    ]
    if ".." in str(raw.get("snakefile", "")).split("/") or str(raw.get("snakefile", "")).startswith("/"):
        faults.append("snakefile must be a path below the sources")
    return faults


def _is(value: object, kind: type) -> bool:
    return isinstance(value, kind) and not (kind is int and isinstance(value, bool))
