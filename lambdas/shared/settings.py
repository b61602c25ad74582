"""Reads the settings of a function once from environment variables, and fails if any is missing."""

import os
from collections.abc import Mapping
from dataclasses import MISSING, fields
from functools import cache
from typing import TYPE_CHECKING, TypeVar

from genolaunch.contract.settings import Setting
from genolaunch.shared.public_errors import OpenError

if TYPE_CHECKING:
    from functools import _lru_cache_wrapper

    from _typeshed import DataclassInstance

    Settings = TypeVar("Settings", bound=DataclassInstance)
else:
    Settings = TypeVar("Settings")


class MissingSettingsError(OpenError):
    """Environment variables that the function cannot do without are not set. Names all of them."""


def read_settings(model: type[Settings], environment: Mapping[str, str] = os.environ) -> Settings:
    """Fill a dataclass of text fields from the environment: the field `launch_table` is `Setting.LAUNCH_TABLE`.

    Raises:
        MissingSettingsError: variables are unset or empty whose field has no default.
        ValueError: a field is not one of `genolaunch.contract.settings.Setting`.
    """
    variables = {field.name: Setting(field.name.upper()) for field in fields(model)}
    given = {name: environment[variable] for name, variable in variables.items() if environment.get(variable)}
    required = [field.name for field in fields(model) if field.default is MISSING]
    missing = [variables[name].value for name in required if name not in given]
    if missing:
        raise MissingSettingsError(f"{model.__name__}: environment variables are not set: {', '.join(missing)}")
    return model(**given)


def settings_of(model: type[Settings]) -> "_lru_cache_wrapper[Settings]":
    """Settings of a function, which read_settings reads at their first use, once in the life of its process.

    Not when the module is imported: what a variable lacks is told as the error of an invocation, with its request.
    """

    @cache
    def read() -> Settings:
        return read_settings(model)

    return read
