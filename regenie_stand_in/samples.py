"""Which samples are analysed, and their traits and covariates."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from regenie_stand_in.arrays import Bools, Floats, Indices
from regenie_stand_in.errors import RegenieError
from regenie_stand_in.log import Log

_ID_COLUMNS: Final = ["FID", "IID"]
_MISSING_VALUES: Final = frozenset({"NA", "nan", "inf"})
_MISSING_NUMBER: Final = -999.0
"""regenie's missing_value_double: a value of a trait or a covariate that is no category."""
_RELATIVE_EIGENVALUE: Final = 1e-15  # covariates below it are linear combinations of the others, as in regenie
_MOST_LEVELS: Final = 10
"""regenie's --maxCatLevels."""
_RINT_OFFSET: Final = 3 / 8
_FEWEST_VALUES: Final = 3
LOWEST_SD: Final = 1e-6  # regenie's limit below which a variant or a trait does not vary


@dataclass(frozen=True)
class Table:
    """Numbers by sample from a phenotype or covariate file, NaN where missing: (samples of the .fam file, names)."""

    names: list[str]
    values: Floats
    listed: Bools


@dataclass(frozen=True)
class Cohort:
    """The analysed samples, those with complete covariates and any trait.

    `rows` are their places among the samples of the .fam file (`ids`, FID_IID). `values` are raw traits, (samples,
    traits), the mean where `observed` is false. `basis` is orthonormal and spans intercept and covariates.
    """

    ids: list[str]
    rows: Indices
    traits: list[str]
    values: Floats
    observed: Bools
    basis: Floats

    @property
    def size(self) -> int:
        """Number of analysed samples."""
        return len(self.rows)

    @property
    def rank(self) -> int:
        """Number of linearly independent covariates, the intercept included."""
        return self.basis.shape[1]

    def residuals(self, values: Floats) -> Floats:
        """What intercept and covariates do not explain of `values`, (samples, columns)."""
        residuals: Floats = values - self.basis @ (self.basis.T @ values)
        return residuals


def read_cohort(
    *,
    ids: list[str],
    phenotype_file: Path,
    covariate_file: Path | None,
    traits: Collection[str] | None,
    covariates: Collection[str] | None,
    categories: Collection[str],
    keep: Collection[str] | None,
    remove: Collection[str],
    apply_rint: bool,
    log: Log,
) -> Cohort:
    """Samples as regenie v4.1.2 chooses them: with one trait those without it are dropped, with several they stay.

    `traits` and `covariates` choose columns, all when None; `categories` are covariates too, a level of which is any
    text. An unknown trait is ignored without a word, as regenie does; an unknown covariate is an error. `apply_rint`:
    traits become normal by their ranks.
    """
    places = {sample: place for place, sample in enumerate(ids)}
    phenotypes = _read_table(phenotype_file, places, traits, "phenotype")
    if not phenotypes.names:
        raise RegenieError("need at least one phenotype.")
    _log_phenotypes(log, phenotype_file, phenotypes)
    analysed = ~np.isnan(phenotypes.values).all(axis=1)
    chosen = [(keep is None or sample in keep) and sample not in remove for sample in ids]
    analysed &= np.array(chosen, dtype=np.bool_)

    design: Floats = np.ones((len(ids), 1))
    if covariate_file is not None:
        with covariate_file.open(encoding="utf-8") as lines:
            columns = _header(lines.readline(), "covariate")
        named = {*(columns if covariates is None else covariates), *categories} - set(phenotypes.names)
        if not named <= set(columns):
            raise RegenieError("not all covariates specified are found in the covariate file.")
        table = _read_table(covariate_file, places, named, "covariate", categories)
        complete = table.listed & ~np.isnan(table.values).any(axis=1)
        log.item("covariates", f"[{covariate_file}] n_cov = {len(table.names)}")
        log(f"   -number of individuals with covariate data = {np.count_nonzero(complete)}")
        analysed &= complete
        design = np.hstack([design, *_columns(table, categories, log)])

    cohort = _assemble(ids, np.flatnonzero(analysed), phenotypes, design, apply_rint=apply_rint)
    log(f" * number of individuals used in analysis = {cohort.size}")
    log("   -number of observations for each trait:")
    for trait, observations in zip(cohort.traits, cohort.observed.sum(axis=0), strict=True):
        log(f"   - '{trait}': {observations} observations")
    return cohort


def trait_columns(phenotype_file: Path) -> list[str]:
    """Names of the traits in a phenotype file's header, in order."""
    with phenotype_file.open(encoding="utf-8") as lines:
        return _header(lines.readline(), "phenotype")


def _columns(table: Table, categories: Collection[str], log: Log) -> Iterator[Floats]:
    """The covariates of the design, (samples, columns): of a categorical one a column for each level but the first."""
    for name, column in zip(table.names, table.values.T, strict=True):
        if name not in categories:
            yield column[:, np.newaxis]
            continue
        levels = np.unique(column[~np.isnan(column)])
        if len(levels) > _MOST_LEVELS:
            raise RegenieError(
                f"too many categories for covariate: {name} (max={_MOST_LEVELS}). Either use '--maxCatLevels' or "
                "combine categories."
            )
        log(f"   -categorical covariate '{name}' has {len(levels)} levels")
        yield (column[:, np.newaxis] == levels[1:]).astype(np.float64)


def _normal_by_rank(values: Floats) -> Floats:
    """Values of one trait, without missing ones, as quantiles of their ranks (Pheno.cpp of 4.1.2, rint_pheno)."""
    from scipy.special import ndtri  # where it is asked for only: the import takes longer than most commands
    from scipy.stats import rankdata

    shares: Floats = (rankdata(values) - _RINT_OFFSET) / (len(values) - 2 * _RINT_OFFSET + 1)
    quantiles: Floats = ndtri(shares)
    return quantiles


def _assemble(ids: list[str], rows: Indices, phenotypes: Table, design: Floats, *, apply_rint: bool) -> Cohort:
    if not len(rows):
        raise RegenieError("sample size cannot be < 1.")
    raw = phenotypes.values[rows]
    observed = ~np.isnan(raw)
    for trait, column in zip(phenotypes.names, observed.T, strict=True):
        if not column.any():
            raise RegenieError(f"all individuals have missing/invalid values for phenotype '{trait}'.")
    for trait, column, known in zip(phenotypes.names, raw.T, observed.T, strict=True):
        distinct = len(np.unique(column[known]))
        if distinct < _FEWEST_VALUES:
            raise RegenieError(
                f"phenotype '{trait}' has very few unique values (={distinct}). If you really want to analyze it "
                "as a QT, use `--force-qt`."
            )
    if apply_rint:
        for column, known in zip(raw.T, observed.T, strict=True):
            column[known] = _normal_by_rank(column[known])
    values = np.where(observed, raw, np.nanmean(raw, axis=0))
    return Cohort(ids, rows, phenotypes.names, values, observed, _orthonormal_basis(design[rows]))


def _orthonormal_basis(design: Floats) -> Floats:
    eigenvalues, vectors = np.linalg.eigh(design.T @ design)
    independent = eigenvalues > eigenvalues[-1] * _RELATIVE_EIGENVALUE
    basis: Floats = design @ vectors[:, independent] / np.sqrt(eigenvalues[independent])
    return basis


def _read_table(
    path: Path, places: Mapping[str, int], wanted: Collection[str] | None, what: str, categories: Collection[str] = ()
) -> Table:
    """Levels of categories are numbered in the order in which they appear."""
    levels: dict[str, dict[str, float]] = {name: {} for name in categories}
    with path.open(encoding="utf-8") as lines:
        header = _header(lines.readline(), what)
        kept = [column for column, name in enumerate(header) if wanted is None or name in wanted]
        values = np.full((len(places), len(kept)), np.nan)
        listed = np.zeros(len(places), dtype=np.bool_)
        for line in lines:
            fields = line.split()
            if len(fields) != len(_ID_COLUMNS) + len(header):
                raise RegenieError(f"incorrectly formatted {what} file.")
            place = places.get("_".join(fields[:2]))
            if place is None:
                continue
            if listed[place]:
                raise RegenieError(f"individual appears more than once in {what} file: FID={fields[0]} IID={fields[1]}")
            listed[place] = True
            texts = [(header[column], fields[len(_ID_COLUMNS) + column]) for column in kept]
            values[place] = [_level(text, levels[name]) if name in levels else _number(text) for name, text in texts]
    return Table([header[column] for column in kept], values, listed)


def _header(line: str, what: str) -> list[str]:
    columns = line.split()
    if columns[:2] != _ID_COLUMNS:
        raise RegenieError(f"header of {what} file must start with: FID IID.")
    return columns[2:]


def _level(text: str, levels: dict[str, float]) -> float:
    return float("nan") if text in _MISSING_VALUES else levels.setdefault(text, float(len(levels)))


def _number(text: str) -> float:
    if text in _MISSING_VALUES:
        return float("nan")
    try:
        number = float(text)
    except ValueError:
        raise RegenieError(f"could not convert value to double: '{text}'") from None
    return float("nan") if number == _MISSING_NUMBER else number


def _log_phenotypes(log: Log, path: Path, phenotypes: Table) -> None:
    log.item("phenotypes", f"[{path}] n_pheno = {len(phenotypes.names)}")
    if len(phenotypes.names) == 1:
        log("   -dropping observations with missing values at any of the phenotypes")
    else:
        log("   -keeping and mean-imputing missing observations (done for each trait)")
    phenotyped = np.count_nonzero(~np.isnan(phenotypes.values).all(axis=1))
    log(f"   -number of phenotyped individuals  = {phenotyped}")


def checked_scale(scale: Floats, traits: Sequence[str]) -> Floats:
    """Standard deviations of traits, once it is sure that each trait has one."""
    for trait, deviation in zip(traits, scale, strict=True):
        if not deviation >= LOWEST_SD:
            raise RegenieError(f"phenotype '{trait}' has sd=0.")
    return scale
