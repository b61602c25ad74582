"""Images that are kept between runs: made anew as soon as what they were made from is another."""

import hashlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from tests.images.buildah import Buildah

_LABEL: Final = "genolaunch.sources"


def fingerprint(*parts: str | Path) -> str:
    """Of words, and of files: their names, who may use them, and what is in them. A folder is all that is in it."""
    digest = hashlib.sha256()
    for part in parts:
        for piece in _pieces(part):
            digest.update(hashlib.sha256(piece).digest())
    return digest.hexdigest()


def keep(buildah: Buildah, image: str, sources: str, make: Callable[[tuple[str, ...]], object]) -> bool:
    """Whether an image had to be made: it was not there, or of other sources than these (a fingerprint).

    `make` is handed the options of `buildah config` and `buildah build` by which the image tells its sources.
    """
    if buildah.has(image) and buildah.configuration(image).get("Labels", {}).get(_LABEL) == sources:
        return False
    make(("--label", f"{_LABEL}={sources}"))
    # What an image of that name was before, and stages of builds.
    buildah.call("rmi", "--prune", "--force")
    return True


def _pieces(part: str | Path) -> Iterable[bytes]:
    if isinstance(part, str):
        yield part.encode()
        return
    for path in sorted(part.rglob("*")) if part.is_dir() else [part]:
        # The one thing that appears in a folder by itself; `.dockerignore` keeps it from the images.
        if path.is_file() and "__pycache__" not in path.parts:
            yield str(path.relative_to(part)).encode()
            yield oct(path.stat().st_mode).encode()
            yield path.read_bytes()
