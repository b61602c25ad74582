"""A launch's RO-Crate: its files, and its terms that RO-Crate's own context does not have."""

from collections.abc import Mapping
from typing import Final

CRATE: Final = "ro-crate-metadata.json"
"""results/<launchId>/ro-crate-metadata.json: describes the launch's last attempt, and makes its folder an RO-Crate."""
CRATE_FOLDER: Final = "provenance/"
"""Below results/<launchId>/: what is written for the crate."""
CRATE_CONFIG: Final = f"{CRATE_FOLDER}config.json"
"""The launch config as it was checked, with every default filled in."""
CRATE_MACHINE: Final = f"{CRATE_FOLDER}workflow.asl.json"
"""The definition of the state machine that ran, in Amazon States Language."""
CRATE_SUBMITTED: Final = f"{CRATE_FOLDER}submitted/"
"""Folder with the file that was dropped, under its own name, if it is still as it was."""

ACTION_PREFIX: Final = "#attempt-"
"""@id of the action that stands for an attempt: #attempt-<n>."""

_RUN_TERMS: Final = "https://w3id.org/ro/terms/workflow-run#"

DOCKER_IMAGE: Final = f"{_RUN_TERMS}DockerImage"


class CrateTerm:
    """Properties of a crate's files that are compared later."""

    SIZE: Final = "contentSize"  # bytes, as text
    SHA256: Final = "sha256"  # of a file's bytes; of a folder, FilesDigest
    ETAG: Final = "etag"  # as S3 tells it, without quotes
    VERSION: Final = "version"  # S3's version id, where the bucket is versioned
    MODIFIED: Final = "dateModified"


CRATE_CONTEXT: Final[Mapping[str, str]] = {
    # Of https://w3id.org/ro/terms/workflow-run (Workflow Run Crate 0.5), written out, so that a crate can be read with
    # RO-Crate's own context alone.
    "ContainerImage": f"{_RUN_TERMS}ContainerImage",
    "containerImage": f"{_RUN_TERMS}containerImage",
    "registry": f"{_RUN_TERMS}registry",
    "tag": f"{_RUN_TERMS}tag",
    "resourceUsage": f"{_RUN_TERMS}resourceUsage",
    CrateTerm.SHA256: f"{_RUN_TERMS}sha256",
    # No vocabulary of RO-Crate has it; this is where HTTP defines it.
    CrateTerm.ETAG: "https://www.rfc-editor.org/rfc/rfc9110.html#field.etag",
}
"""Term -> its URL."""
