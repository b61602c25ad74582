"""What the launcher of a Snakemake launch recorded of an attempt (docs/architecture/launcher.md)."""

from collections.abc import Iterator, Mapping, Set
from typing import Final

from genolaunch.contract.launcher import (
    LAUNCHER_FOLDER,
    launcher_jobs,
    launcher_outcome,
    launcher_run_sheet,
    launcher_sources,
    launcher_sources_record,
)
from genolaunch.contract.results import WORK_REPORT
from genolaunch.contract.workflow import SnakemakeEngine
from genolaunch.shared.made_files import is_made, made_files
from lambdas.provenance.listing import StoredFile, StoredFolder, by_folder, stored_objects
from lambdas.provenance.records import Language, MainWorkflow, ResultsFolder, Software, WorkflowRecords, in_one_folder
from lambdas.shared.launch import Launch

_HOME: Final = "https://snakemake.readthedocs.io/"
_LANGUAGE: Final = Language("https://w3id.org/workflowhub/workflow-ro-crate#snakemake", "Snakemake", _HOME)
"""As Workflow RO-Crate 1.0 ("Language") lists it."""
_VERSIONS: Final = {SnakemakeEngine.TIBANNA: "7", SnakemakeEngine.AWS_BATCH: "9"}
"""Of Snakemake, by the engine: the image's lock has the rest of it."""
_SNAKEMAKES_OWN: Final = ".snakemake/"
"""Below the data: notes that every later launch there writes anew."""


def read_records(launch: Launch, results: ResultsFolder) -> WorkflowRecords:
    """Read the run sheet, the list of jobs and the record of sources, and list the folder where the launch works.

    A Snakefile finds its inputs while it runs, so what was read is what lies in the launch's folder and no job made.
    """
    attempt = launch.attempt
    sheet = results.document(LAUNCHER_FOLDER + launcher_run_sheet(attempt))
    sources = results.document(LAUNCHER_FOLDER + launcher_sources_record(attempt))
    if not sheet:
        return WorkflowRecords()
    lists = [results.document(LAUNCHER_FOLDER + launcher_jobs(each)) for each in range(1, attempt + 1)]
    made = made_files(lists)
    bucket, _, prefix = (launch.data_path or "").removeprefix("s3://").partition("/")
    inputs, outputs = _split(bucket, prefix, made)
    folder = LAUNCHER_FOLDER + launcher_sources(attempt)
    digests = {folder + file["path"]: file["sha256"] for file in sources.get("files", ())}
    snakefile = folder + sheet["snakefile"]
    return WorkflowRecords(
        software=[Software("Snakemake", _VERSIONS[SnakemakeEngine(sheet["engine"])], _HOME)],
        images=[sheet["containerImage"]],
        main=MainWorkflow(snakefile, sheet["snakefile"], _LANGUAGE, f"sha256:{digests.get(snakefile, 'not known')}"),
        inputs=inputs,
        outputs=outputs,
        results=[WORK_REPORT],
        about=_about(attempt),
        sha256=digests,
    )


def _split(bucket: str, prefix: str, made: Set[str]) -> tuple[list[StoredFolder], list[StoredFolder]]:
    """What lies in the launch's folder: what no job made, and what jobs made.

    A digest is of all files of a folder, since whoever compares it later only sees the folder: it is among the outputs
    if any of the folder's files is.
    """
    folders_with_outputs = set[str]()

    def there() -> Iterator[StoredFile]:
        for file in stored_objects(bucket, prefix):
            path = file.key.removeprefix(prefix)
            if not path.startswith(_SNAKEMAKES_OWN):
                if is_made(path, made):
                    folders_with_outputs.add(f"{prefix}{path.partition('/')[0]}/")
                yield file

    inputs: list[StoredFolder] = []
    outputs: list[StoredFolder] = []
    for folder in by_folder(there(), bucket, prefix):
        if folder.files is None:
            (outputs if folder.prefix in folders_with_outputs else inputs).append(folder)
            continue
        is_output = [is_made(file.key.removeprefix(prefix), made) for file in folder.files]
        for side, wanted in ((inputs, False), (outputs, True)):
            files = [file for file, is_out in zip(folder.files, is_output, strict=True) if is_out is wanted]
            side.append(in_one_folder(bucket, folder.prefix, files))
    return inputs, outputs


def _about(attempt: int) -> Mapping[str, str]:
    return {
        LAUNCHER_FOLDER + path: what
        for path, what in {
            launcher_run_sheet(attempt): "What the launcher was told to do",
            launcher_jobs(attempt): "Jobs that Snakemake submitted, and the files that they made",
            f"snakemake-{attempt}.log": "Snakemake's output: the rules that ran, and their commands",
            launcher_outcome(attempt): "How Snakemake ended",
            launcher_sources_record(attempt): "Where the sources were copied from, with their SHA-256",
            launcher_sources(attempt): "The workflow's sources, as this attempt ran them",
        }.items()
    }
