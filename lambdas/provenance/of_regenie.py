"""What regenie's planning and jobs recorded of an attempt (docs/architecture/regenie-job.md)."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from genolaunch.contract.launch import Status
from genolaunch.contract.plan import WORK_INPUTS, WORK_LAUNCH, WORK_PLAN
from genolaunch.contract.results import WORK_PREDICTIONS, WORK_QC, WORK_REPORT, WORK_SUMSTATS, WORK_VERIFIED
from genolaunch.shared.crate_files import plain_etag
from lambdas.provenance.listing import StoredFile
from lambdas.provenance.records import ResultsFolder, Software, WorkflowRecords, in_one_folder
from lambdas.shared.launch import Launch

_HOME: Final = "https://rgcgithub.github.io/regenie/"
_CHECKSUMS: Final = f"{WORK_SUMSTATS}/checksums.txt"
_DIGITS: Final = 64
"""Of a SHA-256 in hexadecimal; `sha256sum` writes two more characters before the name (GNU coreutils manual)."""

_ABOUT: Final[Mapping[str, str]] = {
    f"{WORK_PLAN}/": "Commands of a phase's jobs, one job a line",
    WORK_INPUTS: "Every input as it was when the attempt was planned",
    WORK_VERIFIED: "Says that the inputs stayed the same until the end",
    WORK_LAUNCH: "What the jobs were told of the launch",
    f"{WORK_PREDICTIONS}/": "Predictions of step 1, by which step 2 is adjusted",
    f"{WORK_QC}/": "What quality control kept for step 1",
    f"{WORK_SUMSTATS}/": "Summary statistics",
    _CHECKSUMS: "SHA-256 of the published files",
}


def read_records(launch: Launch, results: ResultsFolder) -> WorkflowRecords:
    """Read launch.json, inputs.json and checksums.txt, as far as they are this attempt's."""
    told = results.document(WORK_LAUNCH)
    inputs = results.document(WORK_INPUTS)
    is_planned = told.get("attempt") == launch.attempt
    image = (told.get("analysed") or {}).get("image") if is_planned else None
    files = list(_recorded(inputs)) if inputs.get("attempt") == launch.attempt else []
    return WorkflowRecords(
        software=[Software("regenie", _version(launch, image), _HOME)],
        images=[image] if image else [],
        inputs=[in_one_folder("", "", files)] if files else (),
        results=[WORK_REPORT, f"{WORK_SUMSTATS}/", f"{WORK_PREDICTIONS}/"],
        about=_ABOUT,
        # Of an attempt that failed they may be an earlier one's.
        sha256=_checksums(results.read(_CHECKSUMS) or b"") if launch.status is Status.COMPLETE else {},
    )


def _version(launch: Launch, image: str | None) -> str:
    """The one that the launch asked for, or the tag of the image that it got."""
    asked = (launch.config.get("regenie") or {}).get("version")
    tag = (image or "").partition("@")[0].rpartition("/")[2].partition(":")[2]
    return asked or tag or "not known"


def _recorded(inputs: Mapping[str, Any]) -> Iterator[StoredFile]:
    for file in inputs["files"]:
        yield StoredFile(
            file["bucket"],
            file["key"],
            file["size"],
            plain_etag(file["etag"]),
            file.get("lastModified"),
            file.get("versionId"),
            file.get("sha256"),
        )


def _checksums(text: bytes) -> dict[str, str]:
    lines = text.decode(errors="replace").splitlines()
    return {line[_DIGITS + 2 :]: line[:_DIGITS] for line in lines if line[_DIGITS : _DIGITS + 1] == " "}
