"""Checks a launch's inputs before they are uploaded, as planning will."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from genolaunch.launch import Fault
from genolaunch.launch_configs.config_base import LaunchSection
from genolaunch.launch_configs.regenie_config import RegenieLaunch
from genolaunch.regenie.data_set import DataSet, ObjectState
from genolaunch.regenie.headers import read_headers
from genolaunch.shared.input_error import FaultCollector, LaunchInputError, UnusableInputError
from genolaunch.uploads import Place
from genolaunch.workflows import commands_for


def input_faults(config: LaunchSection, folder: Path, place: Place) -> tuple[Fault, ...]:
    """Files that the config names and that are neither in the folder nor in the bucket, and what the first lines of
    those in the folder say. Of a Snakemake launch only Snakemake knows the files."""
    faults_of = commands_for(config.workflow).input_faults
    return faults_of()(config, folder, place) if faults_of else ()


def faults_of_regenies_inputs(config: RegenieLaunch, folder: Path, place: Place) -> tuple[Fault, ...]:
    """The same of a launch of regenie."""
    faults = FaultCollector()
    read_headers(_Files(place.bucket, place.prefix, folder, place), config.regenie, faults, place.files.__contains__)
    try:
        faults.raise_if_any()
    except LaunchInputError as error:
        return tuple(Fault(each.where, each.problem, each.remedy) for each in error.faults)
    return ()


@dataclass(frozen=True)
class _Files(DataSet):
    """A launch's data as it will be: the files of a folder, and beside them what the bucket has."""

    folder: Path
    place: Place

    def uri(self, path: str) -> str:
        return str(self.place.files[path]) if path in self.place.files else DataSet.uri(self, path)

    def state(self, path: str) -> ObjectState:
        if path in self.place.files:
            return ObjectState(self.place.files[path].stat().st_size, "")
        if path in self.place.stored:
            return ObjectState(self.place.stored[path], "")
        raise UnusableInputError(
            f"needs {path}, which is neither in {self.folder} nor in {DataSet.uri(self, '')}",
            "Put the file into the folder, or correct the path.",
        )

    def read(self, path: str, start: int, length: int) -> bytes:
        with self._local(path).open("rb") as file:
            file.seek(start)
            return file.read(length)

    def lines(self, path: str) -> Iterator[bytes]:
        with self._local(path).open("rb") as file:
            yield from (line.removesuffix(b"\n") for line in file)

    def _local(self, path: str) -> Path:
        if path not in self.place.files:
            self.state(path)  # says what is missing, if it is
        return self.place.files[path]
