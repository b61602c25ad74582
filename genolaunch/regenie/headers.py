"""Quick checks of a launch's inputs: which files exist, and their first lines.

Planning does these first. The command line does them before it uploads anything.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from genolaunch.launch_configs.regenie_config import RegenieParameters
from genolaunch.regenie.data_set import DataSet, ObjectState
from genolaunch.regenie.input_files import input_files, state_of
from genolaunch.regenie.predictions import read_predictions
from genolaunch.regenie.tables import check_covariates, read_columns, trait_indices
from genolaunch.regenie.text_files import check_text
from genolaunch.shared.input_error import FaultCollector

NOTHING: Final = ObjectState(0, "")
"""State of a missing file. Compare by identity, because an empty file may have equal values."""


@dataclass(frozen=True, slots=True)
class Headers:
    """What the headers contain. Empty where a header has a fault, or was not read."""

    files: dict[str, ObjectState]
    """Path -> state of every file that the config names, or that belongs to one of them."""
    columns: tuple[str, ...]
    """Of the phenotype file, after FID and IID."""
    trait_indices: Mapping[str, int]
    covariates: tuple[str, ...]
    """Columns of the covariate file, after FID and IID."""
    predictions: Mapping[str, str]
    """Trait -> path of its given LOCO predictions, which are among the files."""


def read_headers(
    data: DataSet,
    parameters: RegenieParameters,
    faults: FaultCollector,
    is_read: Callable[[str], bool] = bool,
) -> Headers:
    """Look for every file, and read the beginnings of those that `is_read` says (by default all); faults are noted."""
    named = input_files(parameters)
    files = {path: faults.attempt(where, partial(state_of, data, path), NOTHING) for path, where in named.items()}
    for path, where in named.items():
        # The tables' rows are checked later.
        if files[path] is not NOTHING and is_read(path) and path not in (parameters.phenotypes, parameters.covariates):
            faults.attempt(where, partial(check_text, data, path), None)

    def columns_of(path: str | None) -> tuple[str, ...]:
        return read_columns(data, path) if path and is_read(path) else ()

    nothing: tuple[str, ...] = ()
    columns = faults.attempt("regenie.phenotypes", lambda: columns_of(parameters.phenotypes), nothing)
    no_indices: Mapping[str, int] = {}
    indices = faults.attempt("regenie.traits", lambda: _trait_indices(columns, parameters), no_indices)
    covariates = faults.attempt("regenie.covariates", lambda: columns_of(parameters.covariates), nothing)
    for where, names in _named_covariates(parameters).items():
        faults.attempt(where, partial(check_covariates, covariates, names), None)

    def given_predictions() -> Mapping[str, str]:
        path = parameters.step1.predictions
        return read_predictions(data, path, parameters.traits) if path and is_read(path) else {}

    none_given: Mapping[str, str] = {}
    predictions = faults.attempt("regenie.step1.predictions", given_predictions, none_given)
    for path in predictions.values():
        files[path] = faults.attempt("regenie.step1.predictions", partial(data.state, path), NOTHING)
    return Headers(files, columns, indices, covariates, predictions)


def _trait_indices(columns: Sequence[str], parameters: RegenieParameters) -> Mapping[str, int]:
    """Empty if the phenotype file itself has a fault."""
    return trait_indices(columns, parameters.traits) if columns else {}


def _named_covariates(parameters: RegenieParameters) -> dict[str, Sequence[str]]:
    """Config key -> columns of the covariate file that it names."""
    interaction = parameters.step2.interaction
    return {
        "regenie.covariate_columns": parameters.covariate_columns or (),
        "regenie.categorical_covariates": parameters.categorical_covariates or (),
        "regenie.step2.interaction.covariate": [interaction.covariate] if interaction and interaction.covariate else (),
    }
