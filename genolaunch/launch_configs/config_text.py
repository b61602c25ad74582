"""Text of a launch config to plain values: YAML or JSON, read so that nothing in it can surprise.

YAML's aliases, anchors, tags and merge keys are refused (a few lines of them can unfold to gigabytes), so are repeated
keys, and only `true` and `false` are booleans: a trait may be called `no`.
"""

import json
import re
from collections.abc import Hashable
from typing import Any, Final, NoReturn

import yaml
from yaml.error import Mark
from yaml.nodes import MappingNode, Node

from genolaunch.launch_configs.config_bounds import DEEPEST_NESTING, is_too_deep
from genolaunch.shared.errors import MissingRequiredParametersError
from genolaunch.shared.faults import Fault

LARGEST_CONFIG: Final = 64 * 1024
"""Bytes. The item of the launch table, which holds the config, may have 400 KB."""

WHOLE_FILE: Final = "the file"

_LONGEST_PROBLEM: Final = 500
"""Characters of a problem, which may repeat what somebody wrote."""

_LESS_NESTING: Final = "A launch config needs four levels: check the brackets and the indentation."
_YAML_REMEDY: Final = "Correct it there. Usual causes are indentation, brackets, colons and quotes."


def read_text(content: bytes, *, is_json: bool) -> object:
    """The values of a config's bytes: mappings, lists, text, numbers, booleans and None.

    Raises:
        MissingRequiredParametersError: it is too large, not UTF-8, not YAML or JSON, or uses what is refused here.
    """
    if len(content) > LARGEST_CONFIG:
        raise too_large(len(content))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _refusal(f"is not UTF-8 text (byte {error.start})", "Save it as UTF-8.") from error
    try:
        values = _read_json(text) if is_json else _read_yaml(text)
    except RecursionError as error:
        raise too_deep() from error
    except ValueError as error:
        # Numbers of more digits than Python reads (sys.set_int_max_str_digits).
        raise _refusal(
            "holds a value that cannot be read: a number of thousands of digits", "Shorten it, or write it in quotes."
        ) from error
    if is_too_deep(values):
        raise too_deep()
    return values


def too_large(size: int) -> MissingRequiredParametersError:
    """The error of a config of `size` bytes, for who knows the size before the content."""
    return _refusal(
        f"has {size:,} bytes; a launch config may have {LARGEST_CONFIG:,}",
        "Check that it is a launch config; data belongs in files below `data`.",
    )


def too_deep() -> MissingRequiredParametersError:
    """The error of a config whose sections and lists are inside too many others."""
    return _refusal("is nested too deeply", _LESS_NESTING)


def _refusal(problem: str, remedy: str, where: str = WHOLE_FILE) -> MissingRequiredParametersError:
    return MissingRequiredParametersError([Fault(where, problem[:_LONGEST_PROBLEM], remedy)])


def _place(line: int, column: int) -> str:
    """Place in the text for people, who count from 1."""
    return f"line {line}, column {column}"


# --- JSON ----------------------------------------------------------------------------------------------------------
def _read_json(text: str) -> object:
    try:
        return json.loads(text, object_pairs_hook=_without_repeated_keys, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise _refusal(
            f"is not JSON: {error.msg}",
            "Correct it there. Usual causes are commas, brackets and quotes.",
            where=_place(error.lineno, error.colno),
        ) from error


def _without_repeated_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    keys = [key for key, _ in pairs]
    repeated = sorted({key for key in keys if keys.count(key) > 1})
    if repeated:
        raise _refusal(f"has a key twice: {', '.join(repeated)}", "Keep one of them.")
    return dict(pairs)


def _refuse_constant(name: str) -> NoReturn:
    raise _refusal(f"holds {name}, which is not a number", "Write a number, or remove the key.")


# --- YAML ----------------------------------------------------------------------------------------------------------
class _PlainLoader(yaml.SafeLoader):
    """YAML with the scalars of JSON, without references."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's own attribute, replaced as a whole

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0

    def compose_node(self, parent: Node | None, index: int) -> Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]  # untyped in types-pyyaml
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise _refuse(event.start_mark, "anchors and aliases (& and *) are not allowed", "Write the value out.")
        if getattr(event, "tag", None) is not None:
            raise _refuse(event.start_mark, f"tags ({event.tag}) are not allowed", "Write the plain value.")
        if self._depth >= DEEPEST_NESTING:
            raise _refuse(event.start_mark, "is nested too deeply", _LESS_NESTING)
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def construct_mapping(self, node: MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for key_node, _ in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise _refuse(key_node.start_mark, "a key must be plain text", "Write the key as a word.")
            if key_node.value in seen:
                raise _refuse(key_node.start_mark, f"the key {key_node.value} is there twice", "Keep one of them.")
            seen.add(key_node.value)
        return super().construct_mapping(node, deep)


# The scalars of YAML 1.2's core schema that JSON has too: no octal or sexagesimal numbers, no dates, no yes and no.
for _tag, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?(0|[1-9][0-9]*)", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))([eE][-+]?[0-9]+)?", "-+.0123456789"),
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
):
    _PlainLoader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), list(_first))


def _refuse(mark: Mark, problem: str, remedy: str) -> MissingRequiredParametersError:
    return _refusal(problem, remedy, where=_place(mark.line + 1, mark.column + 1))


def _read_yaml(text: str) -> object:
    try:
        return yaml.load(text, Loader=_PlainLoader)  # noqa: S506 - it is a SafeLoader
    except yaml.MarkedYAMLError as error:
        problem = f"is not YAML: {', '.join(filter(None, (error.context, error.problem)))}"
        mark = error.problem_mark or error.context_mark
        raise (_refuse(mark, problem, _YAML_REMEDY) if mark else _refusal(problem, _YAML_REMEDY)) from error
    except yaml.YAMLError as error:
        raise _refusal(
            f"is not YAML: {' '.join(str(error).split())}", "Save it as plain text, without control characters."
        ) from error
