"""The demo's phases against a stage that stands ready, with a cloud that starts nothing."""

import io
import json
import os
from dataclasses import dataclass

import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

from genolaunch import demo, submission
from genolaunch.contract.launch import Status
from genolaunch.errors import GenolaunchError
from genolaunch.local_stage import control
from tests.unit.genolaunch.conftest import FakeStepFunctions, History

SUMMARY = {
    "trait": "height",
    "loci": [
        {"id": "rs1", "chromosome": "1", "position": 5, "beta": 0.5, "log10p": 9.04, "significant": True},
        {"id": "rs2", "chromosome": "2", "position": 6, "beta": None, "log10p": 3.0, "significant": False},
    ],
}


@dataclass
class FakeCloud:
    lost: str = ""

    def environment(self):
        return {"AWS_REGION": "eu-west-1"}


@pytest.fixture
def stage(platform, content, monkeypatch):
    """Given: the platform accepts the demo's launch, which ends as the test says."""
    environment = dict(os.environ)
    monkeypatch.setattr(os, "environ", environment)
    monkeypatch.setattr(control, "up", lambda state_dir: FakeCloud())
    monkeypatch.setattr(control, "deploy", lambda cloud, stage, tell: tell("data: deployed"))
    monkeypatch.setattr(demo, "Platform", lambda stage: platform)
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    real_submit = submission.submit

    def ends(status, accepted=True, **attributes):
        def submit(*arguments):
            sent = real_submit(*arguments)
            document = {
                "accepted": accepted,
                "launchId": "height-1",
                "status": "SUBMITTED",
                "faults": [] if accepted else [{"where": "data", "problem": "is empty", "remedy": "fill it"}],
                "submissionId": sent.submission_id,
            }
            platform.s3.put_object(Bucket=sent.bucket, Key=sent.feedback_key, Body=json.dumps(document))
            content.launch(status=status.value, workflowExecutionArn={"S": "arn:run"}, **attributes)
            return sent

        history = History()
        history.visit("Step 2: chunks")
        platform.stepfunctions = FakeStepFunctions(history.events)
        monkeypatch.setattr(demo, "submit", submit)

    return ends


def run(tmp_path):
    output = io.StringIO()
    demo.run(Console(file=output, width=160), tmp_path / "state", tmp_path / "demo-results")
    return output.getvalue()


def test_complete_demo_shows_times_hits_and_where_the_report_is(stage, content, platform, tmp_path):
    # given
    stage(Status.COMPLETE)
    content.result("report.html", b"<html>")
    content.result("gwas/summary/height.json", json.dumps(SUMMARY).encode())

    # when
    text = run(tmp_path)

    # then
    folder = tmp_path / "demo-results" / "height-1"
    assert (folder / "report.html").read_bytes() == b"<html>"
    assert f"Report   {folder / 'report.html'}" in text
    assert "Status   COMPLETE" in text
    assert "data: deployed" in text
    for part in ("Step 2", "rs1", "9.0 *", "deploy", "together", "genolaunch local down --state-dir"):
        assert part in text
    assert platform.s3.head_object(Bucket="data-bucket-1", Key="cohort/cohort.bed")


def test_failed_launch_fails_the_demo_with_its_reason(stage, tmp_path):
    stage(Status.FAILED, error={"M": {"type": {"S": "OutOfMemoryError"}, "message": {"S": "a job was killed"}}})

    with pytest.raises(GenolaunchError, match=r"ended FAILED \(OutOfMemoryError: a job was killed\)"):
        run(tmp_path)


def test_rejected_launch_fails_the_demo_with_its_faults(stage, tmp_path):
    stage(Status.REJECTED, accepted=False)

    with pytest.raises(GenolaunchError, match="rejected: data: is empty"):
        run(tmp_path)


def test_complete_launch_without_a_report_fails_the_demo(stage, tmp_path):
    stage(Status.COMPLETE)

    with pytest.raises(GenolaunchError, match=r"holds no report\.html"):
        run(tmp_path)


def test_trouble_of_the_cloud_is_one_line_and_exit_1(monkeypatch, tmp_path):
    def fail(state_dir):
        raise control.LocalCloudError("cdk deploy failed")

    monkeypatch.setattr(control, "up", fail)

    result = CliRunner().invoke(_as_app(), ["--state-dir", str(tmp_path)])

    assert (result.exit_code, result.stderr) == (1, "The demo failed: cdk deploy failed\n")


def _as_app():
    app = typer.Typer()
    app.command()(demo.demo)
    return app
