"""What a value in a template refers to, in whichever stack of the stage that is."""

from collections.abc import Mapping
from typing import Any

from tests.infrastructure.conftest import Stack

Owner = tuple[str, str]
"""(short name of a stack, logical id of a resource)."""


def owner_of(stacks: Mapping[str, Stack], name: str, value: Any) -> Owner | None:
    """The resource that a value in the stack `name` is a name or an attribute of; None if it is something else."""
    match value:
        case {"Ref": str(id_)} | {"Fn::GetAtt": [str(id_), *_]} if id_ in stacks[name].template["Resources"]:
            return name, id_
        case {"Fn::ImportValue": str(export)}:
            return _published(stacks, lambda output_name, output: output.get("Export", {}).get("Name") == export)
        case {"Fn::GetStackOutput": {"OutputName": str(wanted), **elsewhere}}:
            made_by = str(elsewhere.get("StackName", ""))
            near = {each: stack for each, stack in stacks.items() if not made_by or made_by.endswith(f"-{each}")}
            return _published(near, lambda output_name, output: output_name == wanted)
    return None


def _published(stacks: Mapping[str, Stack], is_it: Any) -> Owner | None:
    for name, stack in stacks.items():
        for output_name, output in stack.template.get("Outputs", {}).items():
            if is_it(output_name, output):
                return owner_of(stacks, name, output["Value"])
    return None
