"""Makes docs/settings.md from the models that check the settings (`make reference`)."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel

from checks.launch_reference import HEAD, rows
from stacks.config import DeliverySettings, GovernanceSettings, StageSettings

PAGE: Final = Path(__file__).parents[1] / "docs" / "settings.md"

_INTRODUCTION: Final = """# Settings

Settings of stages are in `context.stages` of [`cdk.json`](../cdk.json), or in a JSON file of the same shape:
`{"<stage>": {…}}` (`make synth SETTINGS=file.json`). They are checked when the app is synthesized, and all faults of
all stages are shown at once. A key that is left out has its default. `make reference` generates this page from the
models that check the settings.
"""

_PARTS: Final[Mapping[str, type[BaseModel]]] = {
    "A stage": StageSettings,
    "The pipeline: `context.delivery`": DeliverySettings,
    "All accounts: `context.governance`": GovernanceSettings,
}

_GIVEN_BY_THE_KEY: Final = {"StageSettings": {"name"}}
"""A stage's name is the key of its settings."""


def page() -> str:
    """The whole page.

    Raises:
        KeyError: If a setting has no description.
    """
    return _INTRODUCTION + "".join(f"\n## {title}\n{''.join(_tables(model))}" for title, model in _PARTS.items())


def _tables(model: type[BaseModel]) -> Iterator[str]:
    """A table of the part's own keys, and one of each section in it, in the order of the keys."""
    schema = model.model_json_schema()
    definitions = {**schema.get("$defs", {}), model.__name__: schema}
    for path, name in _sections(definitions, model.__name__, ""):
        definition = _shown(definitions[name])
        heading = f"\n### `{path}`\n" if path else ""
        text = " ".join(definition["description"].split())
        table = rows({**definitions, name: definition}, name, _GIVEN_BY_THE_KEY.get(name, set()))
        yield f"{heading}{text}\n\n{HEAD}{table}"


def _sections(definitions: Mapping[str, Any], name: str, path: str) -> Iterator[tuple[str, str]]:
    """Dotted key of each section, and its definition."""
    yield path, name
    for key, schema in definitions[name]["properties"].items():
        for section in _definitions_in(schema):
            if "properties" in definitions[section]:
                yield from _sections(definitions, section, f"{path}.{key}".removeprefix("."))


def _definitions_in(schema: Mapping[str, Any]) -> list[str]:
    inner = [schema, *schema.get("anyOf", []), schema.get("items", {})]
    return [each["$ref"].rpartition("/")[2] for each in inner if "$ref" in each]


def _shown(definition: Mapping[str, Any]) -> dict[str, Any]:
    """The definition as a table shows it, without defaults of sections, which are in the sections' own tables."""
    properties = {key: _with_plain_default(schema) for key, schema in definition["properties"].items()}
    return {**definition, "properties": properties}


def _with_plain_default(schema: Mapping[str, Any]) -> dict[str, Any]:
    default = schema.get("default")
    if isinstance(default, Mapping) or default == []:
        return {**schema, "default": None}
    return {**schema, "default": ", ".join(map(str, default))} if isinstance(default, list) else dict(schema)
