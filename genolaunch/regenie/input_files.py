"""Lists the files that a launch reads, with the config key that names each."""

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Final

from genolaunch.launch_configs.regenie_config import RegenieParameters
from genolaunch.launch_configs.regenie_keys import File, files_of
from genolaunch.regenie.data_set import DataSet, ObjectState
from genolaunch.regenie.genotypes import GenotypeFiles
from genolaunch.shared.input_error import UnusableInputError

_INDEX_SUFFIX: Final = ".bgi"


def step1_genotypes(parameters: RegenieParameters) -> GenotypeFiles:
    """The genotypes that step 1 reads."""
    return GenotypeFiles(parameters.genotypes, parameters.sample)


def step2_genotypes(parameters: RegenieParameters) -> list[GenotypeFiles]:
    """The genotypes that step 2 tests, in order: step 1's if the config names no others."""
    datasets = parameters.step2.datasets
    if datasets is None:
        return [step1_genotypes(parameters)]
    return [GenotypeFiles(dataset.genotypes, dataset.sample) for dataset in datasets]


def all_genotypes(parameters: RegenieParameters) -> dict[GenotypeFiles, str]:
    """Each genotype file that is read, once, and the config key that names it."""
    datasets = {
        genotypes: f"regenie.step2.datasets[{number}].genotypes"
        for number, genotypes in enumerate(step2_genotypes(parameters))
    }
    step1 = step1_genotypes(parameters)
    # The config fills in step 1's genotypes where no data sets are given: then the user wrote them there only.
    if parameters.step1.enabled or step1 in datasets:
        return {step1: "regenie.genotypes"} | {
            genotypes: where for genotypes, where in datasets.items() if genotypes != step1
        }
    return datasets


def input_files(parameters: RegenieParameters) -> dict[str, str]:
    """Path -> the config key that names it, or names the file that it belongs to."""
    files = {path: where for genotypes, where in all_genotypes(parameters).items() for path in genotypes.files}
    files |= {path: f"regenie.{key}" for key, path in files_of(parameters, File.TABLE)}
    return files | {path: where for where, path in _further_files(parameters) if path not in files}


def _further_files(parameters: RegenieParameters) -> Iterator[tuple[str, str]]:
    """(config key, path) of the lists, and of genotype files that are read beside the tested ones."""
    step2 = parameters.step2
    yield from ((f"regenie.{key}", path) for key, path in files_of(parameters, File.LIST))
    for key, section in (("condition", step2.condition), ("interaction", step2.interaction)):
        if section and section.genotypes:
            for path in GenotypeFiles(section.genotypes, section.sample).files:
                yield f"regenie.step2.{key}.genotypes", path


def state_of(data: DataSet, path: str) -> ObjectState:
    """State of a file that a launch reads.

    Raises:
        UnusableInputError: it is not there, or may not be read; of an index that is not there, with the way to make it.
    """
    try:
        return data.state(path)
    except UnusableInputError as error:
        if not path.endswith(_INDEX_SUFFIX):
            raise
        raise UnusableInputError(
            error.problem, f"Make the index and upload it: bgenix -g {PurePosixPath(path).stem} -index."
        ) from error
