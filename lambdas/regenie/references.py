"""The stage's reference files of a launch's genome build: which there are, and how its file system has them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final, NamedTuple

from genolaunch.contract.compute import ComputeService
from genolaunch.contract.plan import References
from genolaunch.launch_configs.regenie_config import RegenieLaunch, RegenieParameters
from genolaunch.regenie.data_set import DataSet, ObjectState
from genolaunch.shared.input_error import UnusableInputError
from lambdas.regenie.fingerprints import fingerprint

KINDS: Final = ("genes", "rsids", "recombination", "known")
"""Keys of the stage's setting that name files."""
_OWN_LINK: Final = "references"
_DATA: Final = "data/"
"""Where a launch's file system shows its data."""
_INDEXES: Final = (".tbi", ".csi")


class FoundReferences(NamedTuple):
    """What a launch has of them."""

    files: Mapping[str, str]
    """Kind -> path below the file system's root."""
    why_not: str
    """Why kinds are missing that the stage names; "" if none is."""
    uri: str
    """Of the folder that the file system is linked with, beside data; "" for no such link."""
    size: int
    """Bytes, with the indexes."""
    fingerprint: str
    """Of the files' states."""

    @property
    def below_data(self) -> list[str]:
        """Paths below the launch's data of those that lie there."""
        return [path.removeprefix(_DATA) for path in self.files.values() if path.startswith(_DATA)]

    def for_trait(self, parameters: RegenieParameters, trait: str) -> References:
        """As the trait's merge reads it."""
        loci = parameters.loci
        return {
            "files": dict(self.files),
            "why_not": self.why_not,
            "known_kb": loci.known_kb,
            "known_as": list(loci.known_as.get(trait, ())),
        }


@dataclass(frozen=True, slots=True)
class StageReferences:
    """The stage's setting `references`."""

    by_build: Mapping[str, Mapping[str, Any]]

    @classmethod
    def read(cls, text: str) -> "StageReferences":
        """Of the setting REFERENCES; "" for none."""
        return cls(json.loads(text) if text else {})

    def of(self, config: RegenieLaunch, data_bucket: str) -> FoundReferences:
        """What a launch can read. Whatever is wrong with the files is told in its report, and stops nothing."""
        build = config.regenie.genome_build
        given = self.by_build.get(build or "")
        if not self.by_build:
            return _nothing("the stage names no reference files (setting references)")
        if build is None:
            return _nothing("the launch does not state its genome_build")
        if given is None:
            return _nothing(f"the stage names no reference files of {build}")
        if config.compute is ComputeService.PARALLELCLUSTER:
            return _nothing("launches on a cluster do not read the stage's reference files")
        folder = given["folder"]
        uri = folder if folder.startswith("s3://") else f"s3://{data_bucket}/{folder}"
        names = {kind: given[kind] for kind in KINDS if given.get(kind)}
        try:
            states = DataSet.at(uri).states("")
        except UnusableInputError as error:
            return _nothing(f"{uri} cannot be read: {error.problem}")
        return _found(uri, names, states, config.data_uri(data_bucket))


def _found(uri: str, names: Mapping[str, str], states: Mapping[str, ObjectState], data_uri: str) -> FoundReferences:
    there = {kind: name for kind, name in names.items() if name in states}
    missing = sorted(name for name in names.values() if name not in states)
    why_not = f"{uri} lacks {', '.join(missing)}" if missing else ""
    if uri.startswith(data_uri):
        place, link = f"{_DATA}{uri.removeprefix(data_uri)}", ""
    elif data_uri.startswith(uri):  # FSx links no folder twice, nor one inside another
        return _nothing(f"the launch's data lies inside the folder of the reference files, {uri}")
    else:
        place, link = f"{_OWN_LINK}/", uri
    used = {
        path: states[path]
        for name in there.values()
        for path in (name, *(name + suffix for suffix in _INDEXES))
        if path in states
    }
    return FoundReferences(
        {kind: str(PurePosixPath(place) / name) for kind, name in there.items()},
        why_not,
        link if there else "",
        sum(state.size for state in used.values()),
        fingerprint(sorted((path, state.size, state.etag) for path, state in used.items())),
    )


def _nothing(why_not: str) -> FoundReferences:
    return FoundReferences({}, why_not, "", 0, fingerprint(why_not))


NONE: Final = _nothing("the stage names no reference files (setting references)")
