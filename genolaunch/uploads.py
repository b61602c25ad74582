"""Files of this machine on their way to S3: the data of a launch, and the sources of its workflow."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from contract import SNAKEFILE_NAMES, SOURCES_PREFIX, STANDARD_CONFIG, STANDARD_FOLDER
from genolaunch.config_files import content_of, snakefile_of
from genolaunch.errors import GenolaunchError, WrongArgumentError
from genolaunch.projects import Project

if TYPE_CHECKING:
    from genolaunch.platform import Platform


@dataclass(frozen=True)
class Upload:
    """A file on its way into a bucket."""

    path: Path
    bucket: str
    key: str
    size: int


def planned_uploads(platform: "Platform", config: Path, folder: Path) -> list[Upload]:
    """The files of `folder` that the data bucket lacks below the config's `data`, or has in an older version.

    Raises GenolaunchError when the config does not name a place in the stage's data bucket.
    """
    bucket = platform.names.data_bucket
    prefix = data_prefix(config, bucket)
    return _lacking(platform, bucket, prefix, _files(folder))


def kept(folder: Path, planned: Iterable[Upload]) -> list[str]:
    """Paths below `folder` of the files that are not uploaded, since the bucket has them."""
    paths = {upload.path for upload in planned}
    return [str(below) for path, below in _files(folder) if path not in paths]


def has_sources_beside(config: Path, platform: "Platform") -> bool:
    """Whether the Snakefile that a config names, in the launch bucket's place for sources, lies beside it under that
    very path."""
    key = _source_key(config, platform)
    return key.startswith(SOURCES_PREFIX) and (config.parent / key).is_file()


def planned_sources(platform: "Platform", config: Path, sources: Path | None) -> list[Upload]:
    """The files of a workflow that the launch bucket lacks where the config's `snakefile` lies, or has in an older
    version; the Snakefile last.

    `sources` is the workflow's Snakefile, or its folder; by default what lies beside the config. Raises GenolaunchError
    when there is no place for them.
    """
    bucket = platform.names.launch_bucket
    key = _source_key(config, platform)
    if not key.startswith(SOURCES_PREFIX):
        raise GenolaunchError(
            f"{config} names no Snakefile below {SOURCES_PREFIX} of this stage's launch bucket, so it has no place for "
            f"the sources of a workflow: write `snakefile: {SOURCES_PREFIX}NAME/Snakefile`."
        )
    snakefile = _snakefile_in(sources or config.parent / key, PurePosixPath(key).name)
    project = Project.of(snakefile)
    prefix = _prefix_of(key, project, config)
    files = [*project.sources(snakefile), (snakefile, PurePosixPath(key.removeprefix(prefix)))]
    return _lacking(platform, bucket, prefix, files)


def _source_key(config: Path, platform: "Platform") -> str:
    """Of the Snakefile that a config names, in the launch bucket; else what is none."""
    return (snakefile_of(config) or "").removeprefix(f"s3://{platform.names.launch_bucket}/")


def upload_file(platform: "Platform", upload: Upload, progressed: Callable[[int], None]) -> None:
    """Upload one file in parts; `progressed` is told the bytes as they go (from several threads)."""
    platform.s3.upload_file(str(upload.path), upload.bucket, upload.key, Callback=progressed)


def data_prefix(config: Path, data_bucket: str) -> str:
    """The key prefix in the data bucket, ending in a slash, that the config's `data` names."""
    import yaml

    if config.name in SNAKEFILE_NAMES:  # as the platform has it by default
        return f"{Project.of(config).name}/"
    try:
        document = yaml.safe_load(content_of(config))
    except yaml.YAMLError as error:
        raise GenolaunchError(f"{config} is not readable as YAML: {' '.join(str(error).split())}.") from error
    data = document.get("data") if isinstance(document, dict) else None
    if not isinstance(data, str) or not data.strip("/"):
        raise GenolaunchError(f"{config} does not say under `data` where in the data bucket its data belongs.")
    path = data.removeprefix(f"s3://{data_bucket}/")
    if path.startswith("s3://"):
        raise GenolaunchError(f"{config} reads {data}, which is not in this stage's data bucket ({data_bucket}).")
    return f"{path.strip('/')}/"


def _snakefile_in(sources: Path, name: str) -> Path:
    """The Snakefile that is meant by a folder, or by itself."""
    if sources.is_file():
        return sources
    names = dict.fromkeys([name, *SNAKEFILE_NAMES])
    found = [sources / folder / each for folder in ("", STANDARD_FOLDER) for each in names]
    snakefile = next((path for path in found if path.is_file()), None)
    if snakefile is None:
        raise GenolaunchError(f"{sources} holds no Snakefile, neither does {sources / STANDARD_FOLDER}.")
    return snakefile


def _prefix_of(key: str, project: Project, config: Path) -> str:
    """Where the root of a project goes, whose Snakefile goes to `key`."""
    folder = f"{key.rpartition('/')[0]}/"
    inner = f"{project.snakefile.parent}/" if len(project.snakefile.parts) > 1 else ""
    if not folder.endswith(f"/{inner}"):
        raise WrongArgumentError(
            f"{project.root} is a project in Snakemake's own layout, with {inner} and {STANDARD_CONFIG}/: the path of "
            f"the Snakefile in {config} must end in /{project.snakefile}, and is {key}."
        )
    return folder.removesuffix(inner)


_Files = Iterable[tuple[Path, PurePosixPath]]
"""Files of this machine, and where each belongs below a prefix."""


def _files(folder: Path) -> _Files:
    if not folder.is_dir():
        raise GenolaunchError(f"{folder} is not a folder.")
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield path, PurePosixPath(*path.relative_to(folder).parts)


def _lacking(platform: "Platform", bucket: str, prefix: str, files: _Files) -> list[Upload]:
    """Of these files, those that the bucket lacks below the prefix, or has in an older version."""
    planned = [Upload(path, bucket, f"{prefix}{below}", path.stat().st_size) for path, below in files]
    stored = {
        entry["Key"]: (entry["Size"], entry["LastModified"])
        for page in platform.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        for entry in page.get("Contents", [])
    }
    return [upload for upload in planned if not _is_stored(upload, stored.get(upload.key))]


def _is_stored(upload: Upload, stored: tuple[int, datetime] | None) -> bool:
    """Whether the stored object is this file: of its size, and not older. (An ETag is no MD5 under KMS encryption.)"""
    if stored is None:
        return False
    size, modified = stored
    return size == upload.size and modified >= datetime.fromtimestamp(upload.path.stat().st_mtime, UTC).replace(
        microsecond=0
    )
