"""Registries of containers, and the credentials with which Batch logs in to private ones."""

from collections.abc import Mapping
from typing import Any, Final

DOCKER_HUB: Final = "docker.io"
"""Of an image whose name begins with no host (OCI distribution's reference format)."""


def registry_of(image: str) -> str:
    """Host, with its port, of the registry that an image's name means."""
    host, slash, _ = image.partition("/")
    return host if slash and (host == "localhost" or "." in host or ":" in host) else DOCKER_HUB


def of_private_image(image: str, credentials: Mapping[str, str]) -> dict[str, Any]:
    """Members of a job definition's ContainerProperties for an image of a private registry; none for others.

    `credentials`: registry -> ARN of the secret with `username` and `password` (AWS Batch user guide, "Private registry
    authentication").
    """
    secret = credentials.get(registry_of(image))
    return {"RepositoryCredentials": {"CredentialsParameter": secret}} if secret else {}
