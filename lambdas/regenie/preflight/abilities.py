"""Compares the options that a launch needs with those that the stage's regenie has (setting `regenie.limits`)."""

from collections.abc import Iterator, Mapping
from typing import Final

from genolaunch.launch_configs.regenie_config import RegenieParameters
from genolaunch.launch_configs.regenie_options import key_of, name_of
from genolaunch.regenie.genotypes import GenotypeFiles
from genolaunch.regenie.input_files import step1_genotypes, step2_genotypes
from lambdas.regenie.chunks import Chunk, SetChunk
from lambdas.regenie.commands import Command, run_step1, run_step2
from lambdas.regenie.images import Limits
from lambdas.regenie.preflight.findings import Findings

_GENOTYPES: Final = ("--bed", "--pgen", "--bgen")
_FOLLOWS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("--firth", "--approx", "--spa", "--pThresh"), "--bt"),
    "--sample": "--bgen",
}
"""Option -> another one with which it is given, and which is worth a word first."""


def check_abilities(parameters: RegenieParameters, limits: Limits | None, findings: Findings) -> None:
    """Find what no job of this stage could do.

    Args:
        parameters: the launch's config.
        limits: of the stage's regenie; None for the whole program.
        findings: get a fault for each config key.
    """
    if limits is None:
        return
    lacking: dict[str, dict[str, None]] = {}
    asked = [(where, option) for where, option in _asked(parameters) if option not in limits.options]
    options = {option for _, option in asked}
    for where, option in asked:
        if _FOLLOWS.get(option) not in options:
            lacking.setdefault(where, {})[option] = None
    for where, names in lacking.items():
        problem = f"needs regenie's {', '.join(names)}, which the regenie of this stage does not have"
        findings.add(where, problem, limits.remedy)


def _asked(parameters: RegenieParameters) -> Iterator[tuple[str, str]]:
    """Config key and option, for every option of every kind of command that the launch would run."""
    if parameters.step1.enabled:
        yield from _of_command(parameters, 1, run_step1(parameters, threads=1), "regenie.genotypes")
    chunk = SetChunk(1, ("set",), 1) if parameters.step2.gene_tests else Chunk(1, 1, 1, 1)
    for files in step2_genotypes(parameters):
        command = run_step2(parameters, files, chunk, threads=1)
        yield from _of_command(parameters, 2, command, _where(parameters, files))


def _where(parameters: RegenieParameters, files: GenotypeFiles) -> str:
    return "regenie.genotypes" if files == step1_genotypes(parameters) else "regenie.step2.datasets"


def _of_command(
    parameters: RegenieParameters, step: int, command: Command, genotypes: str
) -> Iterator[tuple[str, str]]:
    extra = parameters.step1.extra if step == 1 else parameters.step2.extra
    further = {name_of(option) for option in extra}
    for option in (word for word in command if word.startswith("--")):
        if option in further:
            yield f"regenie.step{step}.extra", option
        elif option in _GENOTYPES:
            yield genotypes, option
        else:
            # A section as a whole: its files are of use together only.
            section = ".".join((key_of(option, step) or "").split(".")[:2])
            yield f"regenie.{section}", option
