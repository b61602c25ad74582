"""The RO-Crate of a launch's last attempt: a Workflow Run Crate 0.5, on RO-Crate 1.1.

https://w3id.org/ro/wfrun/workflow/0.5 says what such a crate holds; it is a Process Run Crate 0.5 and a Workflow
RO-Crate 1.0, too.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

from genolaunch.contract.launch import EventField, Status
from genolaunch.contract.provenance import (
    ACTION_PREFIX,
    CRATE,
    CRATE_CONTEXT,
    CRATE_FOLDER,
    DOCKER_IMAGE,
    CrateTerm,
)
from genolaunch.shared.crate_files import CrateFolder
from lambdas.provenance.images import Image
from lambdas.provenance.listing import StoredFile, StoredFolder
from lambdas.provenance.records import ABOUT_ANY, Language, MainWorkflow, WorkflowRecords
from lambdas.shared.launch import Launch

RO_CRATE: Final = "https://w3id.org/ro/crate/1.1"
_WORKFLOW_RO_CRATE: Final = "https://w3id.org/workflowhub/workflow-ro-crate/1.0"
_PROFILES: Final[Mapping[str, tuple[str, str]]] = {
    "https://w3id.org/ro/wfrun/process/0.5": ("Process Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/workflow/0.5": ("Workflow Run Crate", "0.5"),
    _WORKFLOW_RO_CRATE: ("Workflow RO-Crate", "1.0"),
}
_BIOSCHEMAS: Final = "https://bioschemas.org/profiles/ComputationalWorkflow/1.0-RELEASE"
_ROOT: Final = "./"
_LICENSE: Final = "#license"
_COST: Final = "#cost"
_UNKNOWN_PERSON: Final = "not known"

STATES_LANGUAGE: Final = Language(
    "https://states-language.net/spec.html", "Amazon States Language", "https://states-language.net/spec.html"
)
"""Of state machines."""
JSON: Final = Language("https://www.json.org/", "JSON", "https://www.json.org/")
"""Of launch configs as they were checked."""

_FORMATS: Final[Mapping[str, str]] = {
    ".gz": "application/gzip",
    ".html": "text/html",
    ".json": "application/json",
    ".jsonl": "application/jsonl",
    ".log": "text/plain",
    ".md": "text/markdown",
    ".py": "text/x-python",
    ".tsv": "text/tab-separated-values",
    ".txt": "text/plain",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
}
_ANY_FORMAT: Final = "application/octet-stream"

Entity = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """All that a crate is made of."""

    launch: Launch
    root: CrateFolder
    described_at: datetime
    records: WorkflowRecords
    main: MainWorkflow
    machine: str | None
    """Path of the state machine's definition below the results; None if nobody knows which ran."""
    config: Sequence[str]
    """Paths of the launch config below the results."""
    images: Sequence[Image]
    cost: Mapping[str, Any] | None
    """The attempt's entry of the launch's `costHistory`."""
    left: Sequence[StoredFolder]
    """What lies in the launch's folder of results."""


def crate_of(run: Run) -> dict[str, Any]:
    """The crate's metadata, as ro-crate-metadata.json has it."""
    graph = list(_Graph(run).entities())
    return {"@context": [f"{RO_CRATE}/context", dict(CRATE_CONTEXT)], "@graph": graph}


class _Graph:
    """The entities of a crate, each once."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._launch = run.launch
        self._action = f"{ACTION_PREFIX}{run.launch.attempt}"
        read = list(self._files(run.records.inputs))
        self._read = {each["@id"] for each in read}
        """Also what was copied into the launch's folder for it to read."""
        self._left = {each["@id"]: each for each in self._files(run.left, is_left=True)}
        self._inputs = [each for each in read if each["@id"] not in self._left]
        self._outputs = list(self._files(run.records.outputs))

    def entities(self) -> Iterator[Entity]:
        """All of them."""
        requests = list(self._requests())
        yield _entity(
            CRATE,
            "CreativeWork",
            about=_ref(_ROOT),
            conformsTo=_refs([RO_CRATE, _WORKFLOW_RO_CRATE]),
        )
        yield self._root(requests)
        for id_, (name, version) in _PROFILES.items():
            yield _entity(id_, "CreativeWork", name=name, version=version)
        yield _entity(
            _LICENSE,
            "CreativeWork",
            name="No license is granted by this description",
            description="The terms of the data that were read apply to what was made of them.",
        )
        yield self._act()
        yield from requests
        yield from self._people()
        languages = {self._run.main.language.id: self._run.main.language, STATES_LANGUAGE.id: STATES_LANGUAGE}
        for language in languages.values() if self._run.machine else [self._run.main.language]:
            yield _entity(language.id, "ComputerLanguage", name=language.name, url=language.url)
        for software in self._run.records.software:
            yield _entity(
                software.url,
                "SoftwareApplication",
                name=software.name,
                softwareVersion=software.version,
                url=software.url,
            )
        yield from map(_image, self._run.images)
        if self._run.cost:
            yield _entity(
                _COST,
                "PropertyValue",
                name="cost",
                value=self._run.cost.get("totalCost"),
                unitText="USD",
                description="Of this attempt, at list prices; the folder cost/ has the bill",
            )
        yield from self._left.values()
        yield from self._inputs
        yield from self._outputs

    # --- The run -----------------------------------------------------------------------------------------------------
    def _root(self, requests: Iterable[Entity]) -> Entity:
        launch = self._launch
        return _entity(
            _ROOT,
            "Dataset",
            name=f"{launch.name} ({launch.launch_id})",
            description=f"Launch {launch.launch_id} of Genolaunch, attempt {launch.attempt}: {launch.status}.",
            identifier=launch.launch_id,
            datePublished=_moment(self._run.described_at),
            license=_ref(_LICENSE),
            conformsTo=_refs(_PROFILES),
            author=_ref(_person(launch.requested_by)),
            mainEntity=_ref(self._main),
            mentions=_refs([self._action, *(each["@id"] for each in requests)]),
            hasPart=_refs([*self._left, *(each["@id"] for each in (*self._inputs, *self._outputs))]),
        )

    def _act(self) -> Entity:
        launch, run = self._launch, self._run
        results = [id_ for id_ in self._left if self._is_result(id_)] + [each["@id"] for each in self._outputs]
        has_failed = launch.status is not Status.COMPLETE
        return _entity(
            self._action,
            # What has no result is none that creates something (Process Run Crate 0.5, "Requirements").
            "CreateAction" if results else "ActivateAction",
            name=f"Attempt {launch.attempt} of {launch.name}",
            description=f"{launch.workflow} on {launch.compute_service}; it ended {launch.status}.",
            instrument=_ref(self._main),
            agent=_ref(_person(launch.requested_by)),
            startTime=_time(launch.started_at),
            endTime=_time(launch.ended_at),
            actionStatus=f"http://schema.org/{'Failed' if has_failed else 'Completed'}ActionStatus",
            error=_error(launch) if has_failed else None,
            object=_refs([*self._ids(run.config), *sorted(self._read)]),
            result=_refs(results),
            containerImage=_refs([_image_id(image) for image in run.images]),
            resourceUsage=_ref(_COST) if run.cost else None,
        )

    def _requests(self) -> Iterator[Entity]:
        """What people asked for, in its order; the submission first."""
        launch = self._launch
        asked: list[tuple[str, Any, Any, Any]] = [("submit", launch.requested_by, launch.submitted_at, None)]
        asked += [
            (event[EventField.ACTION], event.get(EventField.BY), event[EventField.AT], event.get(EventField.REASON))
            for event in launch.events or ()
            if event.get(EventField.ACTION)
        ]
        for number, (action, by, at, reason) in enumerate(asked, start=1):
            yield _entity(
                f"#request-{number}",
                "Action",
                name=str(action),
                agent=_ref(_person(by)),
                endTime=_time(at),
                description=reason,
            )

    def _people(self) -> Iterator[Entity]:
        launch = self._launch
        names = [launch.requested_by, *(event.get(EventField.BY) for event in launch.events or ())]
        named = dict.fromkeys([names[0], *(name for name in names[1:] if name)])
        affiliation = f"#team-{quote(launch.team)}" if launch.team else None
        for name in named:
            is_author = name == launch.requested_by and affiliation
            yield _entity(
                _person(name),
                "Person",
                name=name or _UNKNOWN_PERSON,
                affiliation=_ref(affiliation) if affiliation and is_author else None,
            )
        if affiliation:
            yield _entity(affiliation, "Organization", name=launch.team)

    # --- Files -------------------------------------------------------------------------------------------------------
    @property
    def _main(self) -> str:
        return self._id(self._run.main.path)

    def _id(self, path: str) -> str:
        """@id of a path below the launch's results."""
        return self._run.root.id_of(self._run.root.bucket, self._run.root.prefix + path)

    def _ids(self, paths: Iterable[str]) -> list[str]:
        return [self._id(path) for path in paths]

    def _is_result(self, id_: str) -> bool:
        return id_ not in self._read and any(
            id_ == wanted or (wanted.endswith("/") and id_.startswith(wanted))
            for wanted in self._ids(self._run.records.results)
        )

    def _files(self, folders: Iterable[StoredFolder], *, is_left: bool = False) -> Iterator[Entity]:
        for folder in folders:
            if folder.files is None:
                yield self._folder(folder, is_left=is_left)
                continue
            for file in folder.files:
                yield self._file(file, is_left=is_left)

    def _folder(self, folder: StoredFolder, *, is_left: bool) -> Entity:
        """Of files that are too many."""
        id_ = self._run.root.id_of(folder.bucket, folder.prefix)
        return _entity(
            id_,
            "Dataset",
            name=folder.prefix.rstrip("/").rpartition("/")[2] + "/",
            description=f"{folder.digest.files:,} files. sha256 is of a line for each, in the order of their keys: "
            "path below the folder, size in bytes and ETag, with a tab between them.",
            **{CrateTerm.SIZE: str(folder.digest.size), CrateTerm.SHA256: folder.digest.sha256},
            sdDatePublished=self._looked_at(id_),
            about=self._trace(id_) if is_left else None,
        )

    def _file(self, file: StoredFile, *, is_left: bool) -> Entity:
        id_ = self._run.root.id_of(file.bucket, file.key)
        path = file.key.removeprefix(self._run.root.prefix) if is_left else None
        is_workflow = path is not None and path in (self._run.main.path, self._run.machine)
        entity = _entity(
            id_,
            "File",
            name=file.key.rpartition("/")[2],
            description=self._about(path) if path else None,
            encodingFormat=_format(file.key),
            **{
                CrateTerm.SIZE: str(file.size),
                CrateTerm.ETAG: file.etag,
                CrateTerm.MODIFIED: file.modified,
                CrateTerm.VERSION: file.version_id,
                CrateTerm.SHA256: file.sha256 or (self._run.records.sha256.get(path) if path else None),
            },
            sdDatePublished=self._looked_at(id_),
            about=self._trace(id_) if is_left and not is_workflow else None,
        )
        return self._as_workflow(entity, file.key) if is_workflow else entity

    def _as_workflow(self, entity: Entity, key: str) -> Entity:
        main = self._run.main
        is_main = key == self._run.root.prefix + main.path
        version = main.version if is_main else f"sha256:{entity.get(CrateTerm.SHA256, _UNKNOWN_PERSON)}"
        return {
            **entity,
            "@type": ["File", "SoftwareSourceCode", *(["ComputationalWorkflow"] if is_main else [])],
            "name": main.name if is_main else "State machine of the workflow",
            "version": version,
            "url": f"s3://{self._run.root.bucket}/{key}",
            "programmingLanguage": _ref((main.language if is_main else STATES_LANGUAGE).id),
            **(_entity_of_main(self._run.records) if is_main else {}),
        }

    def _about(self, path: str) -> str | None:
        """What a file below the results is: the longest of the beginnings that fit."""
        known = {**ABOUT_ANY, **_ABOUT_OWN, **self._run.records.about}
        fitting = [begin for begin in known if path == begin or (begin.endswith("/") and path.startswith(begin))]
        return known[max(fitting, key=len)] if fitting else None

    def _trace(self, id_: str) -> Mapping[str, str] | None:
        """A file that tells of the run, and is no result of it, says so (Workflow Run Crate 0.5, "Adding
        engine-specific traces")."""
        return None if self._is_result(id_) else _ref(self._action)

    def _looked_at(self, id_: str) -> str | None:
        """Of what lies elsewhere: when it was so (RO-Crate 1.1, "Web-based Data Entities")."""
        return _moment(self._run.described_at) if ":" in id_ else None


_ABOUT_OWN: Final[Mapping[str, str]] = {CRATE_FOLDER: "Launch config and workflow, as they were when it ran"}


def _entity_of_main(records: WorkflowRecords) -> Entity:
    software = _refs(each.url for each in records.software)
    return _without_nothing({"conformsTo": _ref(_BIOSCHEMAS), "softwareRequirements": software})


def _image_id(image: Image) -> str:
    return f"#image-{quote(image.uri, safe='')}"


def _image(image: Image) -> Entity:
    return _entity(
        _image_id(image),
        "ContainerImage",
        additionalType=_ref(DOCKER_IMAGE),
        registry=image.registry,
        name=image.name,
        tag=image.tag,
        **{CrateTerm.SHA256: image.sha256},
        identifier=image.uri,
    )


def _person(name: object) -> str:
    return f"#person-{quote(str(name or _UNKNOWN_PERSON), safe='')}"


def _error(launch: Launch) -> str:
    error = launch.error or {}
    told = [str(error[key]) for key in ("type", "message") if error.get(key)]
    return ": ".join(told) or f"The launch is {launch.status}."


def _format(key: str) -> str:
    name = key.rpartition("/")[2]
    return _FORMATS.get(f".{name.rpartition('.')[2].lower()}", _ANY_FORMAT) if "." in name else _ANY_FORMAT


def _moment(moment: datetime) -> str:
    """As the profile's example has times: with milliseconds and an offset."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")


def _time(text: str | None) -> str | None:
    return _moment(datetime.fromisoformat(text)) if text else None


def _ref(id_: str) -> dict[str, str]:
    return {"@id": id_}


def _refs(ids: Iterable[str]) -> list[dict[str, str]] | dict[str, str] | None:
    """One reference stands alone, as JSON-LD's compacted form has it."""
    found = [_ref(id_) for id_ in dict.fromkeys(ids)]
    return found[0] if len(found) == 1 else found or None


def _entity(id_: str, type_: str, **properties: object) -> Entity:
    return _without_nothing({"@id": id_, "@type": type_, **properties})


def _without_nothing(properties: Mapping[str, Any]) -> Entity:
    return {name: value for name, value in properties.items() if value is not None}
