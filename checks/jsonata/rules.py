"""Rules of Step Functions for expressions that the engines here do not enforce.

From its guide: "Transforming data with JSONata in Step Functions" (syntax, version 2.0.6, no `$eval`), "Passing data
between states with variables" (`$states`, names of variables), "Accessing execution data from the Context object".
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from checks.jsonata.places import Place, assigned_variables, places_of_files
from checks.jsonata.reference import Parsed, parse
from statemachines.composition import NAMES, definition

_FIELDS: Final = re.compile(
    r"(Arguments|Output|Assign|Items|ItemSelector|TimeoutSeconds|HeartbeatSeconds|Seconds|Timestamp|Error|Cause"
    r"|MaxConcurrency|ToleratedFailurePercentage|ToleratedFailureCount|Credentials|ItemReader\.Arguments"
    r"|ItemBatcher\.BatchInput|ResultWriter\.Arguments|Choices\.\d+\.(Condition|Output|Assign)|Catch\.\d+\.(Output|Assign))"
    r"(\..+)?"
)
"""Fields of a JSONata state that may hold expressions."""
_AFTER_SUCCESS: Final = re.compile(r"(Output|Assign)(\..+)?")
_AFTER_FAILURE: Final = re.compile(r"Catch\.\d+\.(Output|Assign)(\..+)?")
_STATES_WITH_RESULTS: Final = ("Task", "Map", "Parallel")
_MEMBERS: Final = ("input", "result", "errorOutput", "context")
_CONTEXT: Final = ("Execution", "State", "StateMachine", "Task", "Map")
_LONGEST_NAME: Final = 80
"""Characters of a variable's name."""


def faults_of_files() -> list[str]:
    """One sentence for each fault of the state machines. Raises NoReferenceError."""
    return faults(places_of_files(), {name: assigned_variables(definition(name)) for name in NAMES})


def faults(places: list[Place], assigned: Mapping[str, set[str]]) -> list[str]:
    """One sentence for each fault; `assigned` are the variables that each machine assigns somewhere."""
    names = sorted({name for names in assigned.values() for name in names})
    parsed = parse([place.expression for place in places] + [f"${name}" for name in names])
    of_functions = {name for name, each in zip(names, parsed[len(places) :], strict=True) if each.functions}
    return [
        *(
            f"{place}: {fault}"
            for place, each in zip(places, parsed[: len(places)], strict=True)
            for fault in _faults_of(place, each, assigned.get(place.machine, set()))
        ),
        *(
            f"{machine}: variable {name}: {fault}"
            for machine, own in assigned.items()
            for name in sorted(own)
            for fault in _faults_of_variable(name, of_functions)
        ),
    ]


def _faults_of(place: Place, parsed: Parsed, assigned: set[str]) -> Iterable[str]:
    if not (place.text.startswith("{%") and place.text.endswith("%}")):
        yield "a text is an expression only if it begins with {% and ends with %}"
        return
    if not _FIELDS.fullmatch(place.field):
        yield "this field takes no expression"
    if parsed.error:
        yield f"JSONata 2.0.6 does not parse it: {parsed.error}"
        return
    if "eval" in parsed.functions:
        yield "Step Functions has no $eval ($parse reads JSON)"
    for name in parsed.variables:
        if name not in assigned:
            yield f"${name} is neither assigned by a state of this machine nor a function of JSONata 2.0.6"
    for name in parsed.loose:
        yield f"{name} needs an input document, which expressions of Step Functions do not have"
    for path in parsed.paths:
        root, *names = path.split(".")
        if root == "states":
            yield from _faults_of_path(place, names or [""])


def _faults_of_path(place: Place, path: list[str]) -> Iterable[str]:
    """Faults of what an expression reads below `$states`."""
    member = path[0]
    if member not in _MEMBERS:
        yield f"$states has no member {member or 'that is named plainly'}"
    elif member == "result" and not (place.kind in _STATES_WITH_RESULTS and _AFTER_SUCCESS.fullmatch(place.field)):
        yield "$states.result is there only in Output and Assign of a Task, Map or Parallel"
    elif member == "errorOutput" and not _AFTER_FAILURE.fullmatch(place.field):
        yield "$states.errorOutput is there only in Output and Assign of a Catch"
    elif member == "context" and len(path) > 1:
        if path[1] not in _CONTEXT:
            yield f"the context object has no {path[1]}"
        elif path[1] == "Task" and not (".waitForTaskToken" in place.resource and place.field.startswith("Arguments")):
            yield "the context object has a Task only in Arguments of a task that waits for its token"
        elif path[1] == "Map" and not place.field.startswith("ItemSelector"):
            yield "the context object has a Map only in ItemSelector"


def _faults_of_variable(name: str, of_functions: set[str]) -> Iterable[str]:
    if name == "states":
        yield "$states is reserved"
    elif name in of_functions:
        yield "it would hide the function of this name, and no document says which of the two wins"
    if not name.isidentifier() or len(name) > _LONGEST_NAME:
        yield f"a name is an identifier of at most {_LONGEST_NAME} characters"
