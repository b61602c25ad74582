"""What a run tells of files: which it made, and which were there before it and are of unknown origin."""

import json
from types import SimpleNamespace

import pytest

from snakemake_launcher.engines.notes import tell_made, tell_unknown
from snakemake_launcher.engines.options import Options
from snakemake_launcher.events import FILE_VARIABLE


class Persistence:
    """Snakemake's notes of how files were made, of which it has none yet."""

    def started(self, job, external_jobid=None):
        """Nothing is noted."""

    def finished(self, job):
        """Nor here."""

    def metadata(self, file):
        """Snakemake 9 may answer so even after it noted something."""


def job(rule: str, *output: str):
    return SimpleNamespace(rule=SimpleNamespace(name=rule), output=output, log=(), benchmark=None)


@pytest.fixture
def options() -> Options:
    return Options(engine="aws-batch", prefix="data/run42", image="i:1", own_image=False)


def test_files_of_jobs_that_this_run_began_are_not_of_unknown_origin(tmp_path, monkeypatch, options):
    events = tmp_path / "events.jsonl"
    monkeypatch.setenv(FILE_VARIABLE, str(events))

    class Notes(Persistence):
        """Of this run."""

    own, notes = tell_made(Notes, options), Notes()
    jobs = [job(rule, f"s3://data/run42/{rule}") for rule in ("done", "uploaded", "older")]
    notes.started(jobs[0])
    notes.finished(jobs[0])
    notes.started(jobs[1], external_jobid="2")

    tell_unknown(jobs, notes, own, options)

    made, unknown = (json.loads(line) for line in events.read_text().splitlines())
    assert made["files"] == ["done"]
    assert (unknown["rules"], unknown["files"]) == (["older"], 1)
