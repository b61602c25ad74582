"""A run from its sources to its outcome, with an engine whose process is a small script."""

import json
import sys
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from snakemake_launcher.child import Child
from snakemake_launcher.engines import Failure
from snakemake_launcher.records import Records
from snakemake_launcher.run import Run
from snakemake_launcher.run_sheet import RunSheet, RunSheetError
from snakemake_launcher.storage import Storage
from tests.unit.snakemake_launcher.sheets import sheet
from tests.unit.snakemake_launcher.test_jobs import submitted


class FakeStorage(Storage):
    """Sources as a mapping; what is written is kept."""

    def __init__(self, sources):
        self._sources = sources
        self.written = {}

    def download_folder(self, uri, folder):
        for path, text in self._sources.items():
            (folder / path).write_text(text)

    def write_json(self, uri, value):
        self.written[uri] = value

    def write_page(self, uri, page):
        self.written[uri] = page

    def upload(self, file, uri):
        self.written[uri] = file.read_text()

    def read_if_there(self, uri):
        return None

    def write_bytes(self, uri, content):
        self.written[uri] = content


class FakeRecords(Records):
    def __init__(self):
        self.counts = []
        self.failures = []

    def progress(self, jobs):
        self.counts.append(jobs.counts)

    def failed(self, job, failure):
        self.failures.append((job.id, str(job.status), failure.error_type))


class ScriptedEngine:
    """Its process says `events` and ends with `code`."""

    def __init__(self, events, code, error_type="ApplicationError", log="workflow log"):
        self._log = log
        self._events = events
        self._code = code
        self._error_type = error_type
        self.stopped = []

    def command(self):
        lines = "".join(json.dumps(event) + "\n" for event in self._events)
        program = (
            "import os, sys, pathlib; "
            f"pathlib.Path(os.environ['SNAKEMAKE_LAUNCHER_EVENTS']).write_text({lines!r}); "
            f"print({self._log!r}); sys.exit({self._code})"
        )
        return [sys.executable, "-c", program]

    def environment(self):
        return {}

    def failure(self, job):
        return Failure(self._error_type, f"{job.rule} said no", log_tail="tail")

    def stop(self, jobs):
        self.stopped += [job.id for job in jobs]


def run(engine, tmp_path, sources=None):
    storage = FakeStorage({"Snakefile": "rule all:"} if sources is None else sources)
    records = FakeRecords()
    parsed = RunSheet.parse(json.dumps(sheet()))
    tmp_path.mkdir(exist_ok=True)
    outcome = Run(parsed, engine, records, storage, Child(), tmp_path).to_end()
    return outcome, storage, records


def test_success(tmp_path):
    events = [{"event": "total", "total": 1}, submitted(), {"event": "finished", "at": 160.0, "job": "3"}]
    events += [{"event": "made", "files": ["b.txt", "a.txt"]}, {"event": "progress", "done": 1, "total": 1}]

    outcome, storage, records = run(ScriptedEngine(events, 0), tmp_path)

    assert outcome.type is None
    assert outcome.jobs == {"done": 1, "total": 1, "failed": 0}
    assert records.counts[-1] == outcome.jobs
    assert storage.written["s3://results/results/calls/launcher/snakemake-1.log"] == "workflow log\n"
    listed = storage.written["s3://results/results/calls/launcher/jobs-1.json"]
    (job,) = listed["jobs"]
    assert (job["id"], job["status"]) == ("abc", "DONE")
    assert listed["made"] == ["a.txt", "b.txt"]


def test_what_is_taken_as_it_is_without_a_note_is_warned_of(tmp_path):
    events = [
        {"event": "total", "total": 1},
        {"event": "unknown", "rules": ["align", "call"], "files": 1200},
        {"event": "progress", "done": 1, "total": 1},
    ]

    outcome, _, _ = run(ScriptedEngine(events, 0), tmp_path)

    (warning,) = outcome.warnings
    assert warning.startswith("1,200 files of the rules align, call were in the launch's data already")


UNMATCHED = [
    {"event": "unmatched", "search": "a", "message": "a found nothing."},
    {"event": "unmatched", "search": "b", "message": "b found nothing."},
    {"event": "unmatched", "search": "a", "message": ""},
]


def test_a_search_that_found_nothing_is_warned_of_unless_it_did_later(tmp_path, capsys):
    events = [{"event": "total", "total": 1}, *UNMATCHED, {"event": "progress", "done": 1, "total": 1}]

    outcome, _, _ = run(ScriptedEngine(events, 0), tmp_path)

    assert outcome.warnings == ("b found nothing.",)
    assert "b found nothing." in capsys.readouterr().err


def test_a_search_that_found_nothing_is_told_of_a_workflow_that_cannot_run(tmp_path):
    events = [*UNMATCHED, {"event": "refused", "message": "rule all asks for no file."}]

    outcome, _, _ = run(ScriptedEngine(events, 1), tmp_path)

    assert outcome.message == "rule all asks for no file. b found nothing."


MANY_UNMATCHED = [
    {"event": "unmatched", "search": f"s{number}", "message": f"s{number} found nothing."} for number in range(1000)
]
FEW_NAMED = [f"s{number} found nothing." for number in range(5)]
AND_MORE = "And 995 more searches of the Snakefile found nothing."


def test_of_many_searches_that_found_nothing_a_few_are_named_and_the_others_counted(tmp_path, capsys):
    events = [{"event": "total", "total": 1}, *MANY_UNMATCHED, {"event": "progress", "done": 1, "total": 1}]

    outcome, storage, _ = run(ScriptedEngine(events, 0), tmp_path)

    assert outcome.warnings == (*FEW_NAMED, AND_MORE)
    assert len(capsys.readouterr().err.splitlines()) == 6
    assert all(warning in storage.written[outcome.report_uri] for warning in outcome.warnings)


def test_so_it_is_where_the_workflow_cannot_run(tmp_path):
    events = [*MANY_UNMATCHED, {"event": "refused", "message": "rule all asks for no file."}]

    outcome, _, _ = run(ScriptedEngine(events, 1), tmp_path)

    assert outcome.message == " ".join(["rule all asks for no file.", *FEW_NAMED, AND_MORE])


def test_one_more_search_is_one(tmp_path):
    outcome, _, _ = run(ScriptedEngine([{"event": "total", "total": 1}, *MANY_UNMATCHED[:6]], 0), tmp_path)

    assert outcome.warnings[-1] == "And one more search of the Snakefile found nothing."


@pytest.mark.parametrize(
    ("error_type", "told"),
    [
        ("ApplicationError", "The job trim sample=A failed: trim said no. It may be because b found nothing."),
        ("SpotReclaimedError", "The job trim sample=A failed: trim said no"),
    ],
)
def test_a_failed_job_may_have_failed_for_what_was_not_found(tmp_path, error_type, told):
    failed = {"event": "failed", "at": 130.0, "job": "3", "rule": "trim"}

    outcome, _, _ = run(ScriptedEngine([*UNMATCHED, submitted(), failed], 1, error_type), tmp_path)

    assert (outcome.type, outcome.message) == (error_type, told)


def test_a_failed_jobs_own_reason_has_the_authors_paths(tmp_path):
    class Engine(ScriptedEngine):
        def failure(self, job):
            return Failure("ApplicationError", "cannot read s3://data/run42/raw/a.txt")

    failed = {"event": "failed", "at": 130.0, "job": "3", "rule": "trim"}

    outcome, storage, _ = run(Engine([submitted(), failed], 1), tmp_path)

    assert outcome.message == "The job trim sample=A failed: cannot read raw/a.txt"
    assert "cannot read raw/a.txt" in storage.written[outcome.report_uri]
    assert "s3://data/run42/raw" not in storage.written[outcome.report_uri]


def test_a_list_that_s3_refuses_once_is_written_later_and_ends_nothing(tmp_path, monkeypatch):
    write, refusals = FakeStorage.write_json, [ClientError({"Error": {"Code": "SlowDown"}}, "PutObject")]

    def refuse_first(storage, uri, value):
        if refusals:
            raise refusals.pop()
        write(storage, uri, value)

    monkeypatch.setattr(FakeStorage, "write_json", refuse_first)

    outcome, storage, _ = run(ScriptedEngine([submitted()], 0), tmp_path)

    assert (outcome.type, refusals) == (None, [])
    assert len(storage.written["s3://results/results/calls/launcher/jobs-1.json"]["jobs"]) == 1


def test_the_launchs_config_values_lie_beside_the_snakefile(tmp_path):
    run(ScriptedEngine([], 0), tmp_path)

    assert json.loads((tmp_path / "workflow" / "genolaunch-config.json").read_text()) == {"samples": ["A", "B"]}


def test_a_failed_job_says_why_the_launch_failed_and_running_ones_are_stopped(tmp_path):
    events = [
        submitted("3", "abc"),
        submitted("4", "def", "count"),
        {"event": "failed", "at": 130.0, "job": "3", "rule": "trim"},
    ]
    engine = ScriptedEngine(events, 1)

    outcome, _, records = run(engine, tmp_path)

    assert outcome.type == "ApplicationError"
    assert outcome.message == "The job trim sample=A failed: trim said no"
    assert records.failures == [("abc", "FAILED", "ApplicationError")]
    assert engine.stopped == ["def"]


def test_a_job_that_a_later_submission_mends_does_not_fail_the_launch(tmp_path):
    failed = {"event": "failed", "at": 130.0, "job": "3", "rule": "trim"}
    events = [submitted(), failed, submitted(engine_id="def"), {"event": "finished", "at": 160.0, "job": "3"}]

    outcome, _, records = run(ScriptedEngine(events, 0, "SpotReclaimedError"), tmp_path)

    assert outcome.type is None
    assert records.failures == [
        ("abc", "FAILED", "SpotReclaimedError"),
        ("abc", "RESUBMITTED", "SpotReclaimedError"),
    ]


def test_a_workflow_that_cannot_be_read_fails_with_what_snakemake_says(tmp_path):
    events = [{"event": "error", "message": "SyntaxError in line 3 of Snakefile"}]

    outcome, _, _ = run(ScriptedEngine(events, 1), tmp_path)

    assert (outcome.type, outcome.message) == ("ApplicationError", "SyntaxError in line 3 of Snakefile")


def test_a_crash_of_snakemake_itself_is_told_by_its_last_exception(tmp_path):
    log = 'Traceback (most recent call last):\n  File "x.py", line 3, in f\nOSError: [Errno 28] No space left on device'

    outcome, _, _ = run(ScriptedEngine([], 1, log=log), tmp_path / "loud")
    silent, _, _ = run(ScriptedEngine([], 1), tmp_path / "silent")

    assert outcome.message == "OSError: [Errno 28] No space left on device"
    assert silent.message == "Snakemake ended with exit code 1; its log says why."


def test_paths_are_told_as_they_are_written(tmp_path):
    events = [{"event": "error", "message": f"SyntaxError in file {tmp_path}/workflow/Snakefile: data/run42/a.txt"}]

    outcome, _, _ = run(ScriptedEngine(events, 1), tmp_path)

    assert outcome.message == "SyntaxError in file Snakefile: a.txt"


def test_sources_without_the_snakefile_are_refused(tmp_path):
    with pytest.raises(RunSheetError, match="no Snakefile at s3://launch/snakefiles/calls/"):
        run(ScriptedEngine([], 0), tmp_path, sources={"rules.smk": ""})


def test_the_launchers_files_are_named_by_the_attempt(tmp_path):
    _, storage, _ = run(ScriptedEngine([submitted()], 0), tmp_path)

    names = [uri for uri in storage.written if "/launcher/" in uri]
    assert len(names) == 2
    assert all(Path(uri).stem.endswith("-1") for uri in names)


def test_the_report_lies_with_the_results_whatever_the_outcome(tmp_path):
    failed = {"event": "failed", "at": 130.0, "job": "3", "rule": "trim"}

    outcome, storage, _ = run(ScriptedEngine([submitted(), failed], 1), tmp_path)

    assert outcome.report_uri == "s3://results/results/calls/report.html"
    assert "ApplicationError: trim said no" in storage.written[outcome.report_uri]


def test_without_a_report_the_outcome_is_the_same(tmp_path, monkeypatch):
    def refused(*_):
        raise OSError("no")

    monkeypatch.setattr(FakeStorage, "write_page", refused)

    outcome, _, _ = run(ScriptedEngine([submitted()], 0), tmp_path)

    assert (outcome.type, outcome.report_uri) == (None, None)
