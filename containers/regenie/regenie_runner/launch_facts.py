"""Reads launch.json: what the merge and the report need to know of the launch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from regenie_runner.workspace import SENTINEL, Workspace

if TYPE_CHECKING:
    from genolaunch.contract.plan import LaunchFile


class TraitFacts(NamedTuple):
    """What planning saw of a trait's values (preflight of the platform): of the people who are analysed."""

    analysed: int
    missing: int
    cases: int | None
    controls: int | None
    mean: float | None
    deviation: float | None  # standard deviation (n - 1)

    @classmethod
    def of(cls, counts: Mapping[str, Any]) -> TraitFacts:
        """Of launch.json, which leaves out what a trait does not have."""
        others = {name: counts.get(name) for name in ("cases", "controls", "mean", "deviation")}
        return cls(counts["analysed"], counts["missing"], **others)

    def as_dict(self) -> dict[str, Any]:
        """As launch.json has it."""
        return {name: value for name, value in self._asdict().items() if value is not None}


class ListMatch(NamedTuple):
    """How much of a list of people or variants the data has."""

    listed: int
    matched: int
    unmatched: str  # the first few of the others


class PeopleFacts(NamedTuple):
    """Of the genotyped people, how many are left after each choice."""

    genotyped: int
    chosen: int  # by the launch's lists and its choice of a sex
    phenotyped: int  # of the chosen, those in the phenotype file
    with_covariates: int  # of the chosen, those with all covariates
    analysed: int  # with all of it, and a value of a trait

    @classmethod
    def of(cls, samples: Mapping[str, Any]) -> PeopleFacts | None:
        """Of launch.json; None for one that an earlier version wrote."""
        names = ("genotyped", "chosen", "phenotyped", "withCovariates", "analysed")
        return cls(*(samples[name] for name in names)) if all(name in samples for name in names) else None


class LaunchFacts(NamedTuple):
    """What launch.json holds."""

    launch_id: str
    attempt: int
    config: Mapping[str, Any]
    warnings: tuple[str, ...]
    """What planning found in the inputs that a reader of the results has to know."""
    traits: Mapping[str, TraitFacts]
    lists: Mapping[str, ListMatch]
    """By the config key that names the list."""
    people: PeopleFacts | None
    covariates: tuple[str, ...] | None
    """Columns that the analysis adjusts for; None where an earlier version did not write them."""

    @classmethod
    def read(cls, workspace: Workspace) -> LaunchFacts:
        """Of a workspace whose sentinel was checked."""
        content: LaunchFile = json.loads((workspace.work / SENTINEL).read_text(encoding="utf-8"))
        warnings = tuple(_in_words(warning) for warning in content.get("warnings") or ())
        samples = content.get("samples", {})
        traits = {trait: TraitFacts.of(counts) for trait, counts in samples.get("traits", {}).items()}
        lists = {where: ListMatch(**found) for where, found in samples.get("lists", {}).items()}
        columns = content.get("analysed", {}).get("covariateColumns")
        return cls(
            content["launchId"],
            content["attempt"],
            content["config"],
            warnings,
            traits,
            lists,
            PeopleFacts.of(samples),
            None if columns is None else tuple(columns),
        )

    @property
    def parameters(self) -> Mapping[str, Any]:
        """The config's section `regenie`."""
        parameters: Mapping[str, Any] = self.config.get("regenie", {})
        return parameters

    @property
    def is_binary(self) -> bool:
        """Whether its traits are."""
        return self.parameters.get("trait_type") == "binary"

    @property
    def controls_quality(self) -> bool:
        """Whether step 1's genotypes are controlled first: they are unless the config says no."""
        step1 = self.parameters.get("step1", {})
        return step1.get("enabled") is not False and step1.get("qc") is not False

    @property
    def tests_interaction(self) -> bool:
        """Whether step 2 tests the variants' interaction with something."""
        return bool(self.parameters.get("step2", {}).get("interaction"))

    @property
    def genome_build(self) -> str | None:
        """NCBI36, GRCh37 or GRCh38, if the config states it."""
        build: str | None = self.parameters.get("genome_build")
        return build


def _in_words(warning: str | Mapping[str, str]) -> str:
    """A warning as one text; it may come as `{where, problem, remedy}`, as the faults of a config do."""
    if isinstance(warning, str):
        return warning
    where = f"{warning['where']}: " if warning.get("where") else ""
    return f"{where}{warning['problem']} {warning.get('remedy') or ''}".strip()
