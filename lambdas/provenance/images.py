"""Container images: the parts of their names, and the digests behind their tags."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from genolaunch.shared import aws
from lambdas.shared.observability import logger
from lambdas.shared.registries import DOCKER_HUB, registry_of

_ECR: Final = re.compile(r"^(\d{12})\.dkr\.ecr(?:-fips)?\.([a-z0-9-]+)\.amazonaws\.com(?:\.cn)?$")
"""Host of a private registry of Amazon ECR (user guide, "Private registry")."""
_SHA256: Final = "sha256:"
_LATEST: Final = "latest"


@dataclass(frozen=True, slots=True)
class Image:
    """An image, as Process Run Crate 0.5 describes one ("Representing container images")."""

    uri: str
    registry: str
    name: str
    """Within the registry."""
    tag: str | None
    sha256: str | None
    """Of its manifest, in hexadecimal; None if nobody knows which image had the tag then."""


def describe_image(uri: str, used_from: datetime | None) -> Image:
    """Take an image's name apart, and look the digest up that its tag stands for.

    Args:
        uri: As a job definition names it.
        used_from: When the attempt began: a tag that was pushed anew since then may have stood for another image.
    """
    registry = registry_of(uri)
    name, _, digest = uri.partition("@")
    path = name if registry == DOCKER_HUB and not name.startswith(f"{DOCKER_HUB}/") else name.partition("/")[2]
    folder, slash, last = path.rpartition("/")
    last, _, tag = last.partition(":")
    named = folder + slash + last
    if digest.startswith(_SHA256):
        return Image(uri, registry, named, tag or None, digest.removeprefix(_SHA256))
    tag = tag or _LATEST
    return Image(uri, registry, named, tag, _digest(registry, named, tag, used_from))


def _digest(registry: str, name: str, tag: str, used_from: datetime | None) -> str | None:
    found = _ECR.match(registry)
    if found is None:
        return None
    client: Any = aws.client("ecr")  # its types are not among the development requirements
    if found[2] != client.meta.region_name:
        return None
    try:
        (image,) = client.describe_images(registryId=found[1], repositoryName=name, imageIds=[{"imageTag": tag}])[
            "imageDetails"
        ]
    except (BotoCoreError, ClientError) as error:
        # Another account's registry may not tell; an image may have expired. The tag is known all the same.
        logger.warning("The digest of an image is not known", extra={"error": error})
        return None
    if used_from is not None and image["imagePushedAt"] > used_from:
        return None
    digest: str = image["imageDigest"]
    return digest.removeprefix(_SHA256)
