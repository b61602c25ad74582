"""Makes the tables of docs/launch-config.md from the launch config's JSON Schema (`make reference`).

A table stands between `<!-- keys: Step1 -->` and `<!-- end -->`, where Step1 is a definition of the schema; `Step1 -qc`
leaves out a key. The tables of regenie's options stand between `<!-- extra -->` or `<!-- options -->` and
`<!-- end -->`. So editors, the check at registration and the page say the same of every key.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from genolaunch.launch_configs.models import launch_schema
from genolaunch.launch_configs.regenie_keys import KEYS
from genolaunch.launch_configs.regenie_options import ALLOWED

PAGE: Final = Path(__file__).parents[1] / "docs" / "launch-config.md"

_TABLE: Final = re.compile(r"(<!-- keys: (\w+)((?: -\w+)*) -->\n).*?(<!-- end -->)", re.DOTALL)
HEAD: Final = "| key | meaning | values | default |\n| --- | --- | --- | --- |\n"

_LONGEST_KEYS: Final = 40
"""Characters; longer sections are not listed in a cell."""

Schema = Mapping[str, Any]


def with_tables(page: str) -> str:
    """The page with every table as the schema has it now. Raises KeyError for a table of a definition that is gone."""
    definitions = launch_schema()["$defs"]

    def table(found: re.Match[str]) -> str:
        left_out = {name.removeprefix("-") for name in found.group(3).split()}
        return found.group(1) + HEAD + rows(definitions, found.group(2), left_out) + found.group(4)

    page = _TABLE.sub(table, page)
    for name, made in (("extra", _extra_options()), ("options", _options_of_keys())):
        before, start, rest = page.partition(f"<!-- {name} -->\n")
        if start:
            page = before + start + made + rest[rest.index("<!-- end -->") :]
    return page


def _extra_options() -> str:
    """What may stand in `extra`, by step."""
    both = ALLOWED[1].keys() & ALLOWED[2].keys()
    by_step = {"both": both, **{str(step): options.keys() - both for step, options in ALLOWED.items()}}
    rows = (f"| {step} | {_codes(sorted(options))} |\n" for step, options in by_step.items())
    return "| step | options |\n| --- | --- |\n" + "".join(rows)


def _options_of_keys() -> str:
    """Every key that sets options of regenie."""
    rows = (
        f"| `{key.path}` | {_codes(key.options)} | {' and '.join(map(str, key.steps))} | {key.rows} | {key.earlier} |\n"
        for key in KEYS
        if key.options
    )
    return (
        "| key | options | steps | rows, for the same genotypes | differs from the launch in `from_launch` |\n"
        "| --- | --- | --- | --- | --- |\n" + "".join(rows)
    )


def _codes(options: Iterable[str]) -> str:
    return ", ".join(f"`{option}`" for option in options)


def tables_of(page: str) -> set[str]:
    """Definitions of which the page has a table."""
    return {found.group(2) for found in _TABLE.finditer(page)}


def rows(definitions: Schema, name: str, left_out: set[str]) -> str:
    """The rows of a definition's table, one for each key but those that are left out."""
    definition = definitions[name]
    made = []
    for key, schema in definition["properties"].items():
        default = "required" if key in definition.get("required", []) else _default(schema.get("default"))
        cells = (f"`{key}`", _text(definitions, schema), _values(definitions, schema), default)
        made.append(f"| {' | '.join(cells)} |\n" if key not in left_out else "")
    return "".join(made)


def _text(definitions: Schema, schema: Schema) -> str:
    """The description of the key, or of its section."""
    section = definitions.get(schema.get("$ref", "").rpartition("/")[2], {})
    return " ".join((schema.get("description") or section["description"]).split()).replace("|", "\\|")


def _default(default: object) -> str:
    if default is None:
        return "–"
    return f"`{default}`" if isinstance(default, str) else _number(default)


def _values(definitions: Schema, schema: Schema) -> str:
    """The values that are accepted, in a few words."""
    if "$ref" in schema:
        return _values(definitions, definitions[schema["$ref"].rpartition("/")[2]])
    if "anyOf" in schema:
        return " or ".join(_values(definitions, one) for one in schema["anyOf"] if one != {"type": "null"})
    if "const" in schema:
        return f"`{'false' if schema['const'] is False else schema['const']}`"
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if schema["type"] == "array":
        return f"list: {_values(definitions, schema['items'])}"
    if schema["type"] in ("integer", "number"):
        return _range(schema)
    if schema["type"] == "object":
        keys = ", ".join(schema.get("properties", ()))
        return "section" if len(keys) > _LONGEST_KEYS else f"`{{{keys}}}`" if keys else "any keys"
    return {"boolean": "`true`, `false`", "string": "text"}[schema["type"]]


def _range(schema: Schema) -> str:
    noun = "whole number" if schema["type"] == "integer" else "number"
    above, least, below, most = (
        schema.get(name) for name in ("exclusiveMinimum", "minimum", "exclusiveMaximum", "maximum")
    )
    lower = f"above {_number(above)}" if above is not None else "" if least is None else f"from {_number(least)}"
    upper = f"below {_number(below)}" if below is not None else "" if most is None else f"to {_number(most)}"
    return " ".join(part for part in (noun, lower, upper) if part)


def _number(value: object) -> str:
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"{value:,}" if isinstance(value, int) else f"{value:g}" if isinstance(value, float) else f"`{value}`"
