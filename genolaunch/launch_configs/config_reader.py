"""Reads a launch config: from bytes to a checked LaunchConfig, or to an error that names every fault in plain words."""

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from types import UnionType
from typing import Annotated, Any, Final, NoReturn, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError, field_validator, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from genolaunch.contract.workflow import Workflow
from genolaunch.launch_configs.config_base import LaunchSection, plain_fault
from genolaunch.launch_configs.config_bounds import is_too_deep, out_of_bounds
from genolaunch.launch_configs.config_text import WHOLE_FILE, read_text, too_deep
from genolaunch.launch_configs.meanings import meanings
from genolaunch.launch_configs.models import LAUNCH_MODELS, PATTERNS_IN_WORDS
from genolaunch.shared.errors import MissingRequiredParametersError
from genolaunch.shared.faults import Fault
from genolaunch.shared.launch_item import LARGEST_CONFIG_TEXT

_LONGEST_QUOTE = 60
"""Characters of a value that a fault quotes."""

_LONGEST_PLACE = 200
"""Characters of a fault's key path. People write short keys; a wrong file may have very long ones."""

_LONGEST_PROBLEM = 500
"""Characters of a problem, which may quote names from the config."""

_MOST_FAULTS = 100
"""Faults that are named one by one. Thousands would not fit into an item of the launch table (400 KB)."""

_TOO_LONG: Final = Fault(
    WHOLE_FILE,
    f"has more than {LARGEST_CONFIG_TEXT:,} bytes with every default, and what is not ASCII as \\u00e9",
    "Put what is long into a file of the data.",
)

Location = Sequence[int | str]
"""Keys and list indices from the top of the config down to a value."""


class _AnyLaunch(LaunchSection):
    """Checks the common keys of a config whose workflow is not known, which is always a fault."""

    @model_validator(mode="before")
    @classmethod
    def _pass_over_sections(cls, values: dict[Any, object]) -> dict[Any, object]:
        keys_of_some = (*Workflow, "compute")
        return {key: value for key, value in values.items() if key not in keys_of_some}

    @field_validator("workflow", mode="before")
    @classmethod
    def _is_not_run_here(cls, workflow: object) -> NoReturn:
        raise plain_fault(*_unknown_workflow(workflow))


def read_config(content: bytes, *, is_json: bool = False) -> LaunchSection:
    """Read and check a launch config.

    Args:
        content: The file's bytes.
        is_json: Whether it is JSON; YAML otherwise.

    Returns:
        The checked config, with defaults filled in.

    Raises:
        MissingRequiredParametersError: Naming every fault.
    """
    return check_config(read_text(content, is_json=is_json))


def check_config(values: object) -> LaunchSection:
    """Check a launch config that is already parsed.

    Args:
        values: The config as YAML or JSON gave it.

    Returns:
        The checked config, with defaults filled in.

    Raises:
        MissingRequiredParametersError: Naming every fault.
    """
    if not isinstance(values, dict):
        raise MissingRequiredParametersError(
            [
                Fault(
                    WHOLE_FILE,
                    f"must hold keys such as name and workflow; it holds {_quote(values)}",
                    "Write each key with its value, for example `name: height-gwas`.",
                )
            ]
        )
    if is_too_deep(values):
        raise too_deep()
    beyond = [Fault(_dotted(place) or WHOLE_FILE, *words) for place, *words in out_of_bounds(values)]
    model = _model_for(values)
    try:
        config = model.model_validate(values)
    except ValidationError as error:
        found = [_fault(model, details) for details in error.errors()]
        named = {fault.where for fault in found}
        raise MissingRequiredParametersError(
            _most(found + [fault for fault in beyond if fault.where not in named])
        ) from error
    if beyond:
        raise MissingRequiredParametersError(_most(beyond))
    if len(config.as_json()) > LARGEST_CONFIG_TEXT:
        raise MissingRequiredParametersError([_TOO_LONG])
    return config


def _model_for(values: Mapping[Any, object]) -> type[LaunchSection]:
    """The model of the config's workflow. If that is not known, the model of the section that the config has."""
    workflow = values.get("workflow")
    if isinstance(workflow, str) and workflow in LAUNCH_MODELS:
        return LAUNCH_MODELS[workflow]
    is_named = workflow in tuple(Workflow)
    guesses = [model for known, model in LAUNCH_MODELS.items() if known in values and not is_named]
    return guesses[0] if guesses else _AnyLaunch


def _unknown_workflow(given: object) -> tuple[str, str]:
    """Problem and remedy."""
    problem = f"must be one this stage runs: {', '.join(LAUNCH_MODELS)}; you gave {_quote(given)}"
    return problem, "Choose one of these, or submit the file to a stage that runs it."


# --- pydantic's errors in plain words ------------------------------------------------------------------------------
def _fault(model: type[BaseModel], error: ErrorDetails) -> Fault:
    try:
        problem, remedy = _in_words(model, error)
    except Exception:  # A fault and its place must be reported even if no words for it are found.
        problem, remedy = f"has a value that is not accepted here ({error['type']})", _NO_BETTER_REMEDY
    return Fault(_dotted(error["loc"]) or WHOLE_FILE, _cut(problem, _LONGEST_PROBLEM), remedy)


def _most(faults: list[Fault]) -> list[Fault]:
    """The first _MOST_FAULTS faults, and the number of the others."""
    if len(faults) <= _MOST_FAULTS:
        return faults
    others = Fault(WHOLE_FILE, f"has {len(faults) - _MOST_FAULTS} more faults", "Correct these first.")
    return [*faults[:_MOST_FAULTS], others]


def _in_words(model: type[BaseModel], error: ErrorDetails) -> tuple[str, str]:
    """Problem and remedy."""
    location, given = error["loc"], error["input"]
    if error["type"] == "plain_fault":
        return error["ctx"]["problem"], error["ctx"]["remedy"]
    if error["type"] == "missing":
        return "is required, but missing", _description(model, location)
    if error["type"] == "extra_forbidden" and location[0] in tuple(Workflow) and len(location) == 1:
        own = next((name for name, other in LAUNCH_MODELS.items() if other is model), "another")
        problem = f"is the section of another workflow, and this launch's workflow is {own}"
        return problem, f"Remove it, or write `workflow: {location[0]}` and remove the section {own}."
    if error["type"] == "extra_forbidden":
        return "is not a key of a launch config", _nearest_key(model, location)
    if location == ("workflow",):
        return _unknown_workflow(given)
    expectation, remedy = _expectation(error)
    if given is None:
        remedy = "Write a value after the key, or remove the key."
    return f"{expectation}; you gave {_quote(given)}", remedy


_EXPECTATIONS: Mapping[str, tuple[str, str]] = {
    "greater_than_equal": ("must be at least {ge}", "Give {ge} or more."),
    "less_than_equal": ("must be at most {le}", "Give {le} or less."),
    "greater_than": ("must be more than {gt}", "Give more than {gt}."),
    "less_than": ("must be less than {lt}", "Give less than {lt}."),
    "int_type": ("must be a whole number", "Write digits only, without quotes."),
    "int_from_float": ("must be a whole number", "Write digits only, without a fraction."),
    "bool_type": ("must be true or false", "Write one of the two, without quotes."),
    "string_type": ("must be text", "Write a single text here."),
    "string_unicode": ("must be readable text", "Remove the characters that are no text."),
    "string_too_long": (
        "must have at most {max_length} characters",
        "Shorten it, or folders and files that it names.",
    ),
    "float_type": ("must be a number", "Write it without quotes."),
    "float_parsing": ("must be a number", "Write it without quotes."),
    "finite_number": ("must be a finite number", "Write a smaller number, or remove the key."),
    "list_type": ("must be a list", "Write it in brackets: [first, second]."),
    "too_long": ("must have at most {max_length} entries", "Remove some."),
    "too_short": ("must have at least {min_length} entry", "Add what is to be analysed."),
    "dict_type": ("must be a section with keys of its own", "Write the keys below it, indented, each with a value."),
    "model_type": ("must be a section with keys of its own", "Write the keys below it, indented, each with a value."),
    "invalid_key": ("must be a key that is text", "Write the key as a word."),
}
"""Type of pydantic's error -> what was expected and the remedy, with the error's context filled in."""

_NO_BETTER_REMEDY = "The reference of launch configs (docs/launch-config.md) says what to write here."
_UNKNOWN_PATTERN = ("does not have the required form", _NO_BETTER_REMEDY)

_QUOTED = re.compile("'([^']*)'")
"""An allowed value in pydantic's message."""


def _expectation(error: ErrorDetails) -> tuple[str, str]:
    """The expectation and the remedy."""
    context = error.get("ctx", {})
    if error["type"] in ("enum", "literal_error"):
        return f"must be {' or '.join(_QUOTED.findall(context['expected']))}", "Choose one of these."
    if error["type"] == "string_pattern_mismatch":
        return PATTERNS_IN_WORDS.get(context["pattern"], _UNKNOWN_PATTERN)
    if _is_number_for_text(error):
        return "must be text", "Write it in quotes."
    if error["type"] not in _EXPECTATIONS:
        return error["msg"], _NO_BETTER_REMEDY
    expectation, remedy = _EXPECTATIONS[error["type"]]
    return expectation.format(**context), remedy.format(**context)


def _is_number_for_text(error: ErrorDetails) -> bool:
    return error["type"] == "string_type" and isinstance(error["input"], int | float)


def _dotted(location: Location) -> str:
    """The key path as text, such as regenie.step2.datasets[0].sample."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part or '(empty)'}" for part in location)
    return _cut("".join(parts).removeprefix("."), _LONGEST_PLACE)


def _quote(value: object) -> str:
    """The given value as it was written, cut to a length that fits into a sentence."""
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case dict():
            return "a section with keys"
        case list():
            return "a list" if value else "an empty list"
    return _cut(repr(value), _LONGEST_QUOTE)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[:length] + "…"


# --- what the models know of a place in the config -------------------------------------------------------------------
def _description(model: type[BaseModel], location: Location) -> str:
    section = _section_at(model, location[:-1])
    return " ".join(meanings(section).get(str(location[-1]), "").split()) if section else ""


def _nearest_key(model: type[BaseModel], location: Location) -> str:
    """The remedy for an unknown key: a key with a similar name in the section, the same key elsewhere, or all keys."""
    key = str(location[-1])
    section = _section_at(model, location[:-1])
    siblings = list(section.model_fields) if section else []
    alike = get_close_matches(key, siblings, n=1)
    if alike:
        return f"Did you mean {alike[0]}?"
    elsewhere = [path for path in _all_paths(model) if path.rpartition(".")[2] == key]
    if elsewhere:
        return f"Did you mean {' or '.join(elsewhere)}?"
    return f"Known here: {', '.join(siblings)}."


def _section_at(model: type[BaseModel], location: Location) -> type[BaseModel] | None:
    section: type[BaseModel] | None = model
    for part in location:
        if section is None or isinstance(part, int):
            continue
        field = section.model_fields.get(part)
        section = _section_of(field) if field else None
    return section


def _all_paths(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Dotted path of every key."""
    for name, field in model.model_fields.items():
        yield prefix + name
        section = _section_of(field)
        if section:
            yield from _all_paths(section, f"{prefix}{name}.")


def _section_of(field: FieldInfo) -> type[BaseModel] | None:
    """The model of a field's value, or of each of its entries, if it is a section."""
    return _first_model(field.annotation)


def _first_model(annotation: Any) -> type[BaseModel] | None:  # noqa: ANN401 - an annotation may be anything
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in (list, Annotated, Union, UnionType):
        return next(filter(None, map(_first_model, get_args(annotation))), None)
    return None
