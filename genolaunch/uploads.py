"""Files of this machine on their way to S3: the data of a launch, and the sources of its workflow."""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from genolaunch.config_files import content_of, snakefile_of
from genolaunch.contents import ALGORITHM, is_content_of, part_size, stored_checksum
from genolaunch.contract.launch_bucket import SNAKEFILE_NAMES, SOURCES_PREFIX, STANDARD_CONFIG, STANDARD_FOLDER
from genolaunch.errors import GenolaunchError, WrongArgumentError
from genolaunch.projects import Project

if TYPE_CHECKING:
    from genolaunch.platform import Platform

_AT_A_TIME: Final = 8
"""Files that are compared with their objects: below the connections that botocore keeps (10)."""

Compared = Callable[[str, int], Callable[[int], None]]
"""Told a file's name and bytes before it is read to be compared; what it answers is told the bytes as they are read."""


@dataclass(frozen=True)
class Upload:
    """A file on its way into a bucket."""

    path: Path
    bucket: str
    key: str
    size: int


@dataclass(frozen=True)
class Place:
    """Where files of this machine belong in a bucket, and what is there already."""

    bucket: str
    prefix: str
    files: Mapping[str, Path]
    """By their paths below the prefix."""
    stored: Mapping[str, int]
    """Bytes of each object below the prefix, by its path below it."""


@dataclass(frozen=True)
class Plan:
    """Which local files to upload to a bucket, and which it has already."""

    uploads: tuple[Upload, ...]
    """Files that the bucket lacks, or has with another or an unknown content."""
    kept: tuple[str, ...]
    """Paths of files that the bucket has with the same content."""
    replaced: tuple[str, ...]
    """Paths of uploads that replace an object of the bucket."""


def planned_uploads(platform: "Platform", config: Path, folder: Path) -> Plan:
    """Which files of `folder` the data bucket lacks below the config's `data`, or has with another content.

    Raises GenolaunchError when the config does not name a place in the stage's data bucket.
    """
    return plan(platform, place_of_data(platform, config, folder))


def place_of_data(platform: "Platform", config: Path, folder: Path) -> Place:
    """Where the files of `folder` belong, which is a config's data.

    Raises GenolaunchError when the config does not name a place in the stage's data bucket, or the folder is empty.
    """
    bucket = platform.names.data_bucket
    place = _place(platform, bucket, data_prefix(config, bucket), _files(folder))
    if not place.files:
        raise WrongArgumentError(f"{folder} holds no files.")
    return place


def has_sources_beside(config: Path, platform: "Platform") -> bool:
    """Whether the Snakefile that a config names, in the launch bucket's place for sources, lies beside it under that
    very path."""
    key = _source_key(config, platform)
    return key.startswith(SOURCES_PREFIX) and (config.parent / key).is_file()


def planned_sources(platform: "Platform", config: Path, sources: Path | None) -> Plan:
    """Which files of a workflow the launch bucket lacks where the config's `snakefile` lies, or has with another
    content; the Snakefile last.

    `sources` is the workflow's Snakefile, or its folder; by default what lies beside the config, which has no faults.
    Raises WrongArgumentError when there is no place for them.
    """
    if config.name in SNAKEFILE_NAMES:
        raise WrongArgumentError(f"{config} is submitted with all that lies beside it. Leave --sources out.")
    if snakefile_of(config) is None:
        raise WrongArgumentError(f"{config} is a config for regenie, which has no sources. Leave --sources out.")
    bucket = platform.names.launch_bucket
    key = _source_key(config, platform)
    if not key.startswith(SOURCES_PREFIX):
        raise WrongArgumentError(
            f"{config} names no Snakefile below {SOURCES_PREFIX} of this stage's launch bucket, so it has no place for "
            f"the sources of a workflow: write `snakefile: {SOURCES_PREFIX}NAME/Snakefile`."
        )
    snakefile = _snakefile_in(sources or config.parent / key, PurePosixPath(key).name)
    project = Project.of(snakefile)
    prefix = _prefix_of(key, project, config)
    files = [*project.sources(snakefile), (snakefile, PurePosixPath(key.removeprefix(prefix)))]
    return plan(platform, _place(platform, bucket, prefix, files))


def _source_key(config: Path, platform: "Platform") -> str:
    """Of the Snakefile that a config names, in the launch bucket; else what is none."""
    return (snakefile_of(config) or "").removeprefix(f"s3://{platform.names.launch_bucket}/")


def upload_file(platform: "Platform", upload: Upload, progressed: Callable[[int], None]) -> None:
    """Upload one file in parts, so that its content can be compared; `progressed` is told the bytes as they go (from
    several threads)."""
    from boto3.s3.transfer import TransferConfig

    part = part_size(upload.size)
    platform.s3.upload_file(
        str(upload.path),
        upload.bucket,
        upload.key,
        ExtraArgs={"ChecksumAlgorithm": ALGORITHM},
        Callback=progressed,
        Config=TransferConfig(
            # The other client chooses the parts' size itself.
            multipart_threshold=part,
            multipart_chunksize=part,
            preferred_transfer_client="classic",
        ),
    )


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
        raise WrongArgumentError(f"{config} does not say under `data` where in the data bucket its data belongs.")
    path = data.removeprefix(f"s3://{data_bucket}/")
    if path.startswith("s3://"):
        raise WrongArgumentError(f"{config} reads {data}, which is not in this stage's data bucket ({data_bucket}).")
    return f"{path.strip('/')}/"


def _snakefile_in(sources: Path, name: str) -> Path:
    """The Snakefile that is meant by a folder, or by itself."""
    if sources.is_file():
        return sources
    names = dict.fromkeys([name, *SNAKEFILE_NAMES])
    found = [sources / folder / each for folder in ("", STANDARD_FOLDER) for each in names]
    snakefile = next((path for path in found if path.is_file()), None)
    if snakefile is None:
        raise WrongArgumentError(f"{sources} holds no Snakefile, neither does {sources / STANDARD_FOLDER}.")
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


def _place(platform: "Platform", bucket: str, prefix: str, files: _Files) -> Place:
    pages = platform.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    stored = {entry["Key"].removeprefix(prefix): entry["Size"] for page in pages for entry in page.get("Contents", [])}
    return Place(bucket, prefix, {str(below): path for path, below in files}, stored)


def _in_silence(_name: str, _size: int) -> Callable[[int], None]:
    return lambda _: None


def plan(platform: "Platform", place: Place, compared: Compared = _in_silence) -> Plan:
    """Decide which files to upload. Files of the same size as their objects are read and compared."""
    wanted = {
        below: Upload(path, place.bucket, f"{place.prefix}{below}", path.stat().st_size)
        for below, path in place.files.items()
    }

    def is_stored(below: str) -> bool:
        upload = wanted[below]
        if place.stored.get(below) != upload.size:
            return False
        checksum = stored_checksum(platform, upload.bucket, upload.key)
        return checksum is not None and is_content_of(upload.path, checksum, compared(upload.key, upload.size))

    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        kept = {below for below, stored in zip(wanted, pool.map(is_stored, wanted), strict=True) if stored}
    lacking = [below for below in wanted if below not in kept]
    return Plan(
        tuple(wanted[below] for below in lacking),
        tuple(below for below in wanted if below in kept),
        tuple(below for below in lacking if below in place.stored),
    )
