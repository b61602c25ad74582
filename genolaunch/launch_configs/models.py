"""The launch configs of all workflows: what a scientist may write.

The models are the one source of the rules: reading a config (config_reader), the published JSON Schema and the
reference in docs/launch-config.md follow them. `make reference` writes the schema.
"""

from collections.abc import Mapping
from functools import reduce
from operator import or_
from typing import Annotated, Any, Final

from pydantic import BaseModel, Field, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core.core_schema import ModelSchema

from genolaunch.launch_configs.config_base import LaunchSection, PatternsInWords
from genolaunch.launch_configs.meanings import meanings
from genolaunch.launch_configs.workflows import WORKFLOWS

LAUNCH_MODELS: Final[Mapping[str, type[LaunchSection]]] = {
    workflow: type_.config() for workflow, type_ in WORKFLOWS.items()
}
"""The workflows that a stage runs, each with the model of its launch config."""

PATTERNS_IN_WORDS: Final[PatternsInWords] = {
    pattern: words for model in LAUNCH_MODELS.values() for pattern, words in model.patterns_in_words.items()
}


class _WithMeanings(GenerateJsonSchema):
    def model_schema(self, schema: ModelSchema) -> JsonSchemaValue:
        """As Pydantic makes it, and with what each key means."""
        made = super().model_schema(schema)
        model: type[BaseModel] = schema["cls"]
        for key, meaning in meanings(model).items():
            made["properties"][key].setdefault("description", meaning)
        return made


def launch_schema() -> dict[str, Any]:
    """JSON Schema of a launch config, by which editors complete and check it."""
    models: Any = reduce(or_, LAUNCH_MODELS.values())
    adapter: TypeAdapter[Any] = TypeAdapter(Annotated[models, Field(discriminator="workflow")])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **adapter.json_schema(schema_generator=_WithMeanings),
        "title": "Genolaunch launch config",
    }
