"""What of S3 a launch's file system shows: the folders of its inputs, its own results, and references."""

from collections.abc import Collection, Iterator, Sequence
from pathlib import PurePosixPath
from typing import Final

_MOST_PATHS: Final = 100
"""Of a data repository task (Amazon FSx API reference, CreateDataRepositoryTask, Paths)."""
_MOST_CHARACTERS: Final = 16_384
"""Of all of them: the run sheet is passed from state to state, which take 256 KiB (Step Functions, "Quotas")."""


def import_paths(data_uri: str, inputs: Collection[str], others: Sequence[str]) -> list[str]:
    """Paths for the import of file lists, each a folder with all that is below it.

    FSx takes buckets and prefixes, `s3://bucket/prefix`; of single files its documentation says nothing. Whoever keeps
    other things in folders of their own pays for none of them.

    Args:
        data_uri: the launch's data, `s3://bucket/folder/`.
        inputs: paths below it of the files that the launch reads.
        others: further linked folders, all of which is imported: its results, where its plan lies, and references.

    Returns:
        The folders that hold inputs, no one below another; all of `data_uri` if they are too many to be listed.
    """
    folders = [data_uri + folder for folder in _topmost({PurePosixPath(path).parent for path in inputs})]
    paths = [uri.rstrip("/") for uri in (*folders, *others)]
    if len(paths) > _MOST_PATHS or sum(map(len, paths)) > _MOST_CHARACTERS:
        return [uri.rstrip("/") for uri in (data_uri, *others)]
    return paths


def _topmost(folders: Collection[PurePosixPath]) -> Iterator[str]:
    for folder in sorted(folders):
        if not any(above in folders for above in folder.parents):
            yield "" if folder == PurePosixPath() else str(folder)
