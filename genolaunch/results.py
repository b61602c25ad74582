"""What a launch leaves for its people: the report and the summary statistics."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from genolaunch.contract.results import RESULTS_PREFIX, WORK_REPORT, WORK_SUMSTATS
from genolaunch.errors import GenolaunchError
from genolaunch.shared.made_files import is_made
from genolaunch.workflows import commands_for

if TYPE_CHECKING:
    from genolaunch.launch import Launch
    from genolaunch.platform import Platform


@dataclass(frozen=True)
class ResultObject:
    """An object among the results; `path` is relative to the launch's results, `size` in bytes."""

    path: str
    size: int
    bucket: str
    key: str

    @property
    def uri(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


def results_of(platform: "Platform", launch: "Launch") -> list[ResultObject]:
    """What the launch left, as far as it exists (WorkflowCommands.results)."""
    return commands_for(launch.workflow).results()(platform, launch)


def exported_results(platform: "Platform", launch: "Launch") -> list[ResultObject]:
    """The report and the summary statistics in the launch's own folder."""
    return _exported(platform, launch, WORK_REPORT, f"{WORK_SUMSTATS}/")


def report_and_written_results(platform: "Platform", launch: "Launch") -> list[ResultObject]:
    """The report, and what the launch wrote where it works.

    The report has another name among them: the workflow may well write a report.html of its own.
    """
    report = [replace(each, path=f"launch-{each.path}") for each in _exported(platform, launch, WORK_REPORT)]
    return [*report, *_written(platform, launch)]


def _exported(platform: "Platform", launch: "Launch", *prefixes: str) -> list[ResultObject]:
    """What is in the launch's own folder of the results bucket."""
    bucket, prefix = place_of(platform, launch)
    return [
        ResultObject(entry["Key"].removeprefix(prefix), entry["Size"], bucket, entry["Key"])
        for wanted in prefixes
        for page in platform.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix + wanted)
        for entry in page.get("Contents", [])
        # A file system exports its folders as objects, too.
        if not entry["Key"].endswith("/")
    ]


def _written(platform: "Platform", launch: "Launch") -> list[ResultObject]:
    """What the launch's jobs wrote, of all that is in the folder where it works: people put files there, too."""
    from genolaunch.snakemake_jobs import files_made

    if launch.data_path is None:
        return []
    made = files_made(platform, launch)
    bucket, _, prefix = launch.data_path.removeprefix("s3://").partition("/")
    return [
        ResultObject(path, entry["Size"], bucket, entry["Key"])
        for page in platform.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        for entry in page.get("Contents", [])
        if not entry["Key"].endswith("/") and is_made(path := entry["Key"].removeprefix(prefix), made)
    ]


def download(platform: "Platform", result: ResultObject, folder: Path, progressed: Callable[[int], None]) -> Path:
    """Download one object below `folder`; `progressed` is told the bytes as they come (from several threads)."""
    target = (folder / result.path).resolve()
    if not target.is_relative_to(folder.resolve()):
        raise GenolaunchError(f"{result.uri} would be written outside {folder}.")
    target.parent.mkdir(parents=True, exist_ok=True)
    platform.s3.download_file(result.bucket, result.key, str(target), Callback=progressed)
    return target


def place_of(platform: "Platform", launch: "Launch") -> tuple[str, str]:
    """Bucket and key prefix of the launch's results, also before the platform has noted them."""
    if launch.results_uri is None:
        return platform.names.results_bucket, f"{RESULTS_PREFIX}{launch.launch_id}/"
    bucket, _, prefix = launch.results_uri.removeprefix("s3://").partition("/")
    return bucket, prefix.rstrip("/") + "/"
