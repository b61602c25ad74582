"""What each key of a launch config means: the docstrings below the fields of the models.

They are read from the source when somebody asks, for a fault or for the schema. Pydantic could collect them
(`use_attribute_docstrings`), but then parses the source of every model at each start of a function: docs/decisions/113.
"""

import ast
import inspect
from collections.abc import Mapping
from functools import cache
from itertools import pairwise

from pydantic import BaseModel


@cache
def meanings(model: type[BaseModel]) -> Mapping[str, str]:
    """Key -> its meaning, of all keys of a model that have one, inherited keys included."""
    docstrings = {
        key: meaning
        for class_ in reversed(model.__mro__)
        if issubclass(class_, BaseModel) and class_ is not BaseModel
        for key, meaning in _docstrings(class_)
    }
    told = {key: field.description or docstrings.get(key) for key, field in model.model_fields.items()}
    return {key: meaning for key, meaning in told.items() if meaning}


def _docstrings(class_: type) -> list[tuple[str, str]]:
    (definition,) = ast.parse(inspect.getsource(class_)).body
    assert isinstance(definition, ast.ClassDef)
    found = []
    for statement, below in pairwise(definition.body):
        match statement, below:
            case ast.AnnAssign(target=ast.Name(id=key)), ast.Expr(value=ast.Constant(value=str(docstring))):
                found.append((key, inspect.cleandoc(docstring)))
    return found
