"""What the keys of a launch config mean is read from the models' source, and only when somebody asks."""

import subprocess
import sys
from typing import get_args

from pydantic import BaseModel, ConfigDict

from genolaunch.launch_configs.meanings import meanings
from genolaunch.launch_configs.models import LAUNCH_MODELS


class Plain(BaseModel):
    """What a model of the product is like."""

    first: int
    """The first of two
    lines."""
    silent: int
    second: int = 2
    """Of a key with a default."""


class Collected(Plain):
    """The same with Pydantic's own collection."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    first: int
    """The first of two
    lines."""
    third: int
    """Of a subclass."""


def test_meanings_are_what_pydantic_would_collect():
    assert meanings(Plain) == {"first": "The first of two\nlines.", "second": "Of a key with a default."}
    assert meanings(Collected) == {**meanings(Plain), "third": Collected.model_fields["third"].description}


def test_every_key_of_a_launch_config_has_a_meaning():
    models = {model for launch in LAUNCH_MODELS.values() for model in with_sections(launch)}
    assert len(models) > len(LAUNCH_MODELS)
    silent = {
        f"{model.__name__}.{key}" for model in models for key in model.model_fields.keys() - meanings(model).keys()
    }
    assert silent == set()


def with_sections(annotation):
    """The models that a type names, and those that their fields do."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        for field in annotation.model_fields.values():
            yield from with_sections(field.annotation)
    for argument in get_args(annotation):
        yield from with_sections(argument)


def test_importing_the_models_reads_no_source():
    script = (
        "import inspect\n"
        "def refused(*_): raise AssertionError('the source of a model was read')\n"
        "inspect.getsource = inspect.getsourcelines = inspect.getblock = refused\n"
        "import genolaunch.launch_configs.config_reader"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
