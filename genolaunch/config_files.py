"""Launch configs as local files: checks them before a submission, and finds the data and sources that they name.

The platform's answer decides. This check finds faults early, before an upload that may take hours.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from genolaunch.contract.launch_bucket import SNAKEFILE_NAMES, SNAKEFILES_PREFIX
from genolaunch.errors import GenolaunchError, WrongArgumentError
from genolaunch.launch import Fault
from genolaunch.launch_configs.workflows import sources_named_by
from genolaunch.projects import Project

if TYPE_CHECKING:
    from genolaunch.launch_configs.config_base import LaunchSection

CONFIG_SUFFIXES = (".yaml", ".yml", ".json")


class FaultyConfigError(GenolaunchError):
    """A config is not as it must be; `faults` are all of its faults."""

    def __init__(self, what: str, faults: tuple[Fault, ...]) -> None:
        self.faults = faults
        told = "; ".join(f"{fault.where} {fault.problem}. {fault.remedy}" for fault in faults)
        super().__init__(f"{what}: {told}")


def require_config_name(file: Path) -> None:
    """Raises WrongArgumentError where neither a config nor a Snakefile is called like that."""
    if file.name not in SNAKEFILE_NAMES and file.suffix.lower() not in CONFIG_SUFFIXES:
        raise WrongArgumentError(f"{file} is not a launch config: its name must end in {', '.join(CONFIG_SUFFIXES)}.")


def content_of(file: Path) -> bytes:
    """Its bytes; raises GenolaunchError when it cannot be read."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise GenolaunchError(f"{file} cannot be read: {error.strerror}.") from error


def is_json(file: Path) -> bool:
    """Whether it is read as JSON, and not as YAML."""
    return file.suffix.lower() == ".json"


def checked(file: Path) -> "LaunchSection":
    """A config with all defaults, of a Snakefile the one with which the platform launches it.

    A Snakefile itself is only read: it is parsed at launch. Raises FaultyConfigError.
    """
    from genolaunch.launch_configs.config_reader import read_config
    from genolaunch.launch_configs.snakemake_config import config_of_snakefile
    from genolaunch.shared.errors import MissingRequiredParametersError

    if file.name in SNAKEFILE_NAMES:
        _require_text(file)
        project = Project.of(file)
        dropped = f"{SNAKEFILES_PREFIX}{project.name}/{project.snakefile}"
        return checked_values(config_of_snakefile(project.name, dropped), str(file))
    try:
        return read_config(content_of(file), is_json=is_json(file))
    except MissingRequiredParametersError as error:
        raise _faulty(str(file), error) from error


def checked_values(values: object, what: str) -> "LaunchSection":
    """The same of a config's plain values; `what` they are is told when they are faulty."""
    from genolaunch.launch_configs.config_reader import check_config
    from genolaunch.shared.errors import MissingRequiredParametersError

    try:
        return check_config(values)
    except MissingRequiredParametersError as error:
        raise _faulty(what, error) from error


def _require_text(snakefile: Path) -> None:
    try:
        is_empty = not content_of(snakefile).decode().strip()
    except UnicodeDecodeError as error:
        problem = f"is no text in UTF-8 (byte {error.start + 1:,})"
        raise FaultyConfigError(
            str(snakefile), (Fault(snakefile.name, problem, "Save it as text in UTF-8."),)
        ) from error
    if is_empty:
        raise FaultyConfigError(
            str(snakefile), (Fault(snakefile.name, "is empty", "Give a Snakefile with the rules of the workflow."),)
        )


def snakefile_of(file: Path) -> str | None:
    """The Snakefile that a config names, as it is written there; None if it is none of Snakemake, or unreadable."""
    import yaml

    if file.name in SNAKEFILE_NAMES:
        return None
    try:
        document = yaml.safe_load(content_of(file))
    except yaml.YAMLError:
        return None
    return sources_named_by(document) if isinstance(document, dict) else None


def _faulty(what: str, error: Any) -> FaultyConfigError:  # noqa: ANN401 - imported where it is used
    return FaultyConfigError(what, tuple(Fault(each.where, each.problem, each.remedy) for each in error.faults))
