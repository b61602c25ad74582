"""Predictions of an earlier launch of the stage, used by another launch instead of a step 1 of its own.

Predictions belong to phenotypes as one launch analysed them: its covariates, its transformation, its people. A
difference that makes them predictions of something else is a fault. A difference that only loses some people is a
warning.
"""

import json
import posixpath
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from genolaunch.contract.launch import Status
from genolaunch.contract.plan import WORK_LAUNCH, AnalysedFiles, LaunchFile
from genolaunch.contract.results import WORK_PREDICTIONS, WORK_VERIFIED
from genolaunch.contract.workflow import Workflow
from genolaunch.launch_configs.regenie_config import RegenieLaunch, RegenieParameters
from genolaunch.launch_configs.regenie_keys import Earlier, Key, keys_with
from genolaunch.regenie.data_set import DataSet, ObjectState
from genolaunch.shared import aws
from genolaunch.shared.input_error import UnusableInputError
from lambdas.regenie.preflight.findings import Findings
from lambdas.regenie.preflight.sample_counts import SampleCounts
from lambdas.shared.launch import Launch

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

FROM_LAUNCH: Final = "regenie.step1.from_launch"
"""The config key that all faults here are of."""

_RUN_STEP_1: Final = "Leave from_launch out and enable step 1, which makes predictions of this launch's own data."
_GIVE_ANOTHER: Final = "Give the id of a regenie launch: `genolaunch list` shows them."
_COPIES_AT_A_TIME: Final = 8


@dataclass(frozen=True, slots=True)
class Analysed:
    """What predictions are made of, beside the config. `launch.json` has it, so that a later launch can compare."""

    image: str
    phenotypes: str
    """SHA-256 of the phenotype file."""
    covariates: str | None
    """The same of the covariate file, if there is one."""
    covariate_columns: tuple[str, ...]
    """Of the covariate file's, those that are used; in the order of the file."""

    def as_dict(self) -> AnalysedFiles:
        """As launch.json has it."""
        return {
            "image": self.image,
            "phenotypes": self.phenotypes,
            "covariates": self.covariates,
            "covariateColumns": list(self.covariate_columns),
        }

    @classmethod
    def read(cls, content: AnalysedFiles) -> "Analysed":
        """Read launch.json's."""
        return cls(content["image"], content["phenotypes"], content["covariates"], tuple(content["covariateColumns"]))


@dataclass(frozen=True, slots=True)
class EarlierLaunch:
    """A launch that is COMPLETE, and has predictions of its own."""

    launch_id: str
    results: DataSet
    parameters: RegenieParameters
    analysed: Analysed
    people: Mapping[str, int]
    """Trait -> how many people were analysed."""
    predictions: Mapping[str, str]
    """Trait -> path of its LOCO file below `results`."""
    states: Mapping[str, ObjectState]
    """Of these files."""

    def place(self, trait: str) -> str:
        """Where a trait's LOCO file is copied to, below the results of the launch that uses it."""
        return f"{WORK_PREDICTIONS}/{trait}/{posixpath.basename(self.predictions[trait])}"


FindLaunch = Callable[[str], EarlierLaunch]
"""Reads the launch of an id. Raises UnusableInputError, as read_earlier_launch."""


def no_launches(launch_id: str) -> EarlierLaunch:
    """A FindLaunch for who has no other launches."""
    raise _unusable(launch_id, "is not a launch of this stage", _GIVE_ANOTHER)


def read_earlier_launch(launch_id: str, launch: Launch | None, results: DataSet) -> EarlierLaunch:
    """Look at the launch of that id (None: there is no such one) and at its results.

    Only COMPLETE counts: after another ending, predictions may be missing, or of data that was mended since.

    Raises:
        UnusableInputError: it has no predictions to use.
    """
    if launch is None:
        raise _unusable(launch_id, "is not a launch of this stage", _GIVE_ANOTHER)
    if launch.status is not Status.COMPLETE:
        remedy = "Wait until it is COMPLETE, or retry it; then launch this again."
        raise _unusable(launch_id, f"is {launch.status}", remedy)
    if launch.workflow != Workflow.REGENIE:
        raise _unusable(launch_id, f"is a launch of {launch.workflow}", _GIVE_ANOTHER)
    record: LaunchFile = json.loads(results.text(WORK_LAUNCH))
    if "analysed" not in record:
        problem = "kept no record of the files that it analysed, since it ran before this stage did so"
        raise _unusable(launch_id, problem, "Enable step 1, or give its predictions as `predictions`, below data.")
    verified = _verified(launch_id, record, results)
    states = results.states(f"{WORK_PREDICTIONS}/")
    # By the record, and not by the lists beside the files: an attempt before may have left some of other data.
    planned: Mapping[str, str] = record["predictions"]
    predictions = {trait: path for trait, path in planned.items() if path in states and states[path].size}
    if not predictions:
        remedy = "Name the launch that ran step 1 itself, or enable step 1."
        raise _unusable(launch_id, f"has no predictions in {results.uri(WORK_PREDICTIONS)}/", remedy)
    altered = [
        path
        for path in predictions.values()
        if verified.get(path) != {"size": states[path].size, "etag": states[path].etag}
    ]
    if altered:
        problem = f"did not leave {', '.join(map(results.uri, sorted(set(altered))))} as it is there now"
        raise _unusable(launch_id, problem, _RUN_STEP_1)
    return EarlierLaunch(
        launch_id,
        results,
        RegenieLaunch.model_validate(record["config"]).regenie,
        Analysed.read(record["analysed"]),
        {trait: counts["analysed"] for trait, counts in record["samples"]["traits"].items()},
        predictions,
        {path: states[path] for path in predictions.values()},
    )


def _verified(launch_id: str, record: LaunchFile, results: DataSet) -> Mapping[str, Any]:
    """Path -> size and ETag of the predictions that the launch left, by its own record.

    Raises:
        UnusableInputError: nobody looked to its end whether its inputs stayed the same.
    """
    unverified = _unusable(launch_id, "has no record that its inputs stayed the same until its end", _RUN_STEP_1)
    try:
        verified = json.loads(results.text(WORK_VERIFIED))
    except UnusableInputError:
        raise unverified from None
    if verified["attempt"] != record["attempt"]:
        raise unverified
    predictions: Mapping[str, Any] = verified["predictions"]
    return predictions


def check_config(parameters: RegenieParameters, earlier: EarlierLaunch, findings: Findings) -> None:
    """Find what the two configs say against using the predictions."""
    missing = [trait for trait in parameters.traits if trait not in earlier.predictions]
    if missing:
        _add(
            findings,
            earlier,
            f"has no predictions for {', '.join(missing)}, only for {', '.join(sorted(earlier.predictions))}",
            "Leave these traits out of `traits`, or name a launch that has them: traits are told apart by their names.",
        )
    for key in _differing(parameters, earlier, Earlier.FAULT):
        then, now = key.value(earlier.parameters), key.value(parameters)
        if isinstance(then or now, list):
            _add(findings, earlier, f"had other {key.path}", f"Give the same. {_RUN_STEP_1}")
        else:
            problem = f"was run with {key.path}: {_as_written(then)}, and this launch has {_as_written(now)}"
            _add(findings, earlier, problem, f"Give it the same {key.path}, or enable step 1.")
    if people := sorted(key.path for key in _differing(parameters, earlier, Earlier.PEOPLE)):
        findings.warn(
            FROM_LAUNCH,
            f"names {earlier.launch_id}, whose people were chosen otherwise ({', '.join(people)})",
            "Whoever has no predictions is left out, and the others' were made together with people who are not "
            "analysed now: enable step 1 if this is not intended.",
        )
    if others := [key.path for key in _differing(parameters, earlier, Earlier.STEP1)]:
        findings.warn(
            FROM_LAUNCH,
            f"names {earlier.launch_id}, whose step 1 was run with other values of {', '.join(others)}",
            "Its predictions can be used; give the same, or enable step 1, if results are to be compared.",
        )


def _differing(parameters: RegenieParameters, earlier: EarlierLaunch, meaning: Earlier) -> Iterator[Key]:
    for key in keys_with(meaning):
        then, now = (key.value(launch) for launch in (earlier.parameters, parameters))
        if isinstance(then or now, list):  # of columns, whose order says nothing
            then, now = (set(columns) if isinstance(columns, list) else set() for columns in (then, now))
        if then != now:
            yield key


def check_analysed(now: Analysed, samples: SampleCounts, earlier: EarlierLaunch, findings: Findings) -> None:
    """Find what the two launches' data says against using the predictions; the tables were read."""
    then = earlier.analysed
    if then.phenotypes != now.phenotypes:
        _add(findings, earlier, "was run with another phenotype file", f"Give exactly the same file. {_RUN_STEP_1}")
    if then.covariates != now.covariates:
        _add(findings, earlier, _other_covariates(then, now), f"Give exactly the same file. {_RUN_STEP_1}")
    elif set(then.covariate_columns) != set(now.covariate_columns):
        problem = (
            f"had the covariates {_named(then.covariate_columns)}, and this launch has {_named(now.covariate_columns)}"
        )
        _add(findings, earlier, problem, f"Give the same covariate_columns. {_RUN_STEP_1}")
    if then.image != now.image:
        findings.warn(
            FROM_LAUNCH,
            f"names {earlier.launch_id}, whose predictions were made with {then.image}, and "
            f"step 2 runs with {now.image}",
            "State one version for both, if results are to be compared.",
        )
    for trait, counts in samples.traits.items():
        if trait in earlier.people and earlier.people[trait] != counts.analysed:
            findings.warn(
                FROM_LAUNCH,
                f"names {earlier.launch_id}, which analysed {earlier.people[trait]:,} people for {trait}; now it is "
                f"{counts.analysed:,}",
                "Whoever has no predictions is left out of step 2.",
            )


def copy_predictions(earlier: EarlierLaunch, traits: Sequence[str], target: DataSet) -> None:
    """Copy traits' predictions within S3 to the results of the launch that uses them.

    A file system links these results, and no other's. Files of more than 5 GB are copied in parts. Done again, it
    leaves the same; a launch that has them can be named by a later one in its turn.
    """
    client: S3Client = aws.client("s3")
    with ThreadPoolExecutor(_COPIES_AT_A_TIME) as copies:
        list(copies.map(partial(_copy, client, earlier, target), traits))


def _copy(client: "S3Client", earlier: EarlierLaunch, target: DataSet, trait: str) -> None:
    source = earlier.results
    path = earlier.predictions[trait]
    client.copy(
        {"Bucket": source.bucket, "Key": source.prefix + path},
        target.bucket,
        target.prefix + earlier.place(trait),
        {"CopySourceIfMatch": earlier.states[path].etag},
    )


def _other_covariates(then: Analysed, now: Analysed) -> str:
    if then.covariates is None:
        return "was run without covariates"
    return (
        "was run with another covariate file" if now.covariates else "was run with covariates, and this launch has none"
    )


def _named(columns: Sequence[str]) -> str:
    return ", ".join(columns) or "none"


def _as_written(value: object) -> str:
    """As a config has it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _add(findings: Findings, earlier: EarlierLaunch, problem: str, remedy: str) -> None:
    findings.add(FROM_LAUNCH, f"names {earlier.launch_id}, which {problem}", remedy)


def _unusable(launch_id: str, problem: str, remedy: str) -> UnusableInputError:
    return UnusableInputError(f"names {launch_id}, which {problem}", remedy)
