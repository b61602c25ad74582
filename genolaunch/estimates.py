"""What a launch would cost, as the platform estimates it from the config alone."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from genolaunch.config_files import is_json
from genolaunch.contract.project import PROJECT
from genolaunch.errors import GenolaunchError
from genolaunch.launch import Estimate, Fault
from genolaunch.launch_items import estimate_from, fault_from

if TYPE_CHECKING:
    from genolaunch.platform import Platform

_FUNCTION: Final = "benchmark-estimate-cost"


@dataclass(frozen=True)
class Answer:
    """What the platform says of a config: its estimate, or what is wrong with it."""

    estimate: Estimate | None
    faults: tuple[Fault, ...] = ()


def estimate_file(platform: "Platform", config: Path) -> Answer:
    """Ask for an estimate; raises GenolaunchError when the platform cannot give one. Nothing is launched."""
    answer = platform.lambda_.invoke(
        FunctionName=f"{PROJECT}-{platform.stage}-{_FUNCTION}",
        Payload=json.dumps({"config": config.read_text(encoding="utf-8"), "isJson": is_json(config)}).encode(),
    )
    document = json.loads(answer["Payload"].read())
    if answer.get("FunctionError"):
        raise GenolaunchError(f"The platform could not estimate {config}: {document.get('errorMessage')}")
    if document.get("faults"):
        return Answer(None, tuple(map(fault_from, document["faults"])))
    if document["estimate"] is None:
        raise GenolaunchError(f"The platform could not estimate {config}: {document['reason']}")
    return Answer(estimate_from(document["estimate"]))
