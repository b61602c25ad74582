"""Values made from the published schema of launch configs: what each place of it demands, and what it does not."""

import random
from collections.abc import Iterator, Mapping
from typing import Any, Final

from genolaunch.launch_configs.models import launch_schema

SCHEMA: Final = launch_schema()
_MOST_KEYS_BELOW: Final = 6
"""Levels that a made config has at most; the schema has no recursion."""

Place = tuple[str | int, ...]

ANYTHING: Final[list[Any]] = [
    *(None, True, False, 0, -1, 1, 3.5, -0.0, 1e308, float("inf"), 2**31, 2**63, 10**30),
    *(
        "",
        " ",
        "a b",
        "-x",
        "..",
        "a/b",
        "a\nb",
        "GRCh38",
        "NaN",
        "null",
        "x" * 70,
        "é" * 300,
        "\x00",
        "\x1b[2J",
        "\ud800",
    ),
    *([], [[]], ["a", "a"], [1, "two", None], [{"a": 1}], {}, {"a": {"b": {"c": 1}}}, {"": ""}, {1: 2}, {"\ud800": 1}),
]
"""What people, programs and accidents write, wherever it is."""

GOOD_TEXT: Final[list[str]] = [
    *("height", "4.1.2", "hg38", "1000,2000", "cohort.bed", "a/b.bgen", "s3://lab-data/cohort/", "rs123", "1:2:A:G"),
    *("height-gwas-20261121t040000-1a2b3c4d", "workflows/exome/Snakefile", "quay.io/a/b:1", "--minCaseCount 5", "all"),
]
"""Of which each pattern of the schema takes some."""


def resolved(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema itself, where a reference stands for it."""
    while "$ref" in schema:
        schema = SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]]
    return schema


def choices(schema: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What a value may be, each without further alternatives."""
    schema = resolved(schema)
    alternatives = schema.get("anyOf") or schema.get("oneOf")
    if not alternatives:
        return [schema]
    return [choice for alternative in alternatives for choice in choices(alternative)]


def places() -> Iterator[tuple[str, Place, Mapping[str, Any]]]:
    """Workflow, place and schema of everything that a launch config may hold, a list by its first entry."""
    for launch in choices(SCHEMA):
        workflow = launch["properties"]["workflow"]["const"]
        yield from ((workflow, place, schema) for place, schema in _below((), launch))


def _below(place: Place, schema: Mapping[str, Any]) -> Iterator[tuple[Place, Mapping[str, Any]]]:
    for choice in choices(schema):
        if place:
            yield place, choice
        for name, inner in choice.get("properties", {}).items():
            yield from _below((*place, name), inner)
        if "items" in choice:
            yield from _below((*place, 0), choice["items"])


def wrong_values(schema: Mapping[str, Any]) -> list[Any]:
    """Values beyond each constraint of one place."""
    wrong = list(ANYTHING)
    for name, beyond in (("minimum", -1), ("exclusiveMinimum", 0), ("maximum", 1), ("exclusiveMaximum", 0)):
        if name in schema:
            wrong += [schema[name] + beyond, schema[name] + beyond * 1e9]
    if "maxLength" in schema:
        wrong.append("a" * (schema["maxLength"] + 1))
    if "maxItems" in schema:
        wrong.append(["a"] * (schema["maxItems"] + 1))
    return wrong


def put(values: Any, place: Place, value: Any) -> Any:
    """The values with another one at that place; sections and lists on the way there are made."""
    if not place:
        return value
    first, *rest = place
    if isinstance(first, int):
        entries = list(values) if isinstance(values, list) else []
        inner = put(entries[first] if first < len(entries) else None, tuple(rest), value)
        return [*entries[:first], inner, *entries[first + 1 :]]
    section = values if isinstance(values, dict) else {}
    return {**section, first: put(section.get(first), tuple(rest), value)}


def make(chance: random.Random) -> Any:
    """A config of the schema's form: mostly what belongs at each place, of which some is beyond what it may be."""
    return _made(chance, chance.choice(choices(SCHEMA)), 0)


def _made(chance: random.Random, schema: Mapping[str, Any], depth: int) -> Any:
    schema = chance.choice(choices(schema))
    if chance.random() < 0.03:
        return chance.choice(wrong_values(schema))
    if "const" in schema or "enum" in schema:
        return schema["const"] if "const" in schema else chance.choice(schema["enum"])
    match schema.get("type"):
        case "object":
            return _made_section(chance, schema, depth)
        case "array":
            return [_made(chance, schema.get("items", {}), depth + 1) for _ in range(chance.choice([0, 1, 1, 2, 3]))]
        case "boolean":
            return chance.random() < 0.5
        case "integer" | "number" as kind:
            least, most = schema.get("minimum", 0), schema.get("maximum", 1000)
            return chance.randint(int(least), int(most)) if kind == "integer" else chance.uniform(least, most)
        case "string":
            return chance.choice(GOOD_TEXT)
    return None if schema.get("type") == "null" else chance.choice(ANYTHING)


def _made_section(chance: random.Random, schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
    required = schema.get("required", [])
    share = 0.3 if depth < _MOST_KEYS_BELOW else 0.0
    made = {
        name: _made(chance, inner, depth + 1)
        for name, inner in schema.get("properties", {}).items()
        if (name in required and chance.random() < 0.98) or chance.random() < share
    }
    return made | ({chance.choice(["fenotypes", "", "x" * 300, "Name"]): 1} if chance.random() < 0.05 else {})
