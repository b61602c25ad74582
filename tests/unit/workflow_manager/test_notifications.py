"""Notices that people get."""

from hypothesis import given
from hypothesis import strategies as st

from genolaunch.contract.launch import Status
from lambdas.shared.launch import Launch
from lambdas.shared.notifications import subject, text

LAUNCH = Launch("height-1", "height-gwas", Status.COMPLETE, "2026-11-21T04:00:00.000Z", report_uri="s3://r/report.html")


def test_a_complete_launch_names_its_report():
    assert subject(LAUNCH, "prod") == "Genolaunch prod: height-gwas is complete"
    assert text(LAUNCH) == (
        "Launch height-gwas is complete.\n\n"
        "Report:     s3://r/report.html\nLaunch:     height-1\nSubmitted:  2026-11-21T04:00:00.000Z"
    )


@given(name=st.text(), stage=st.from_regex(r"[a-z]{1,20}", fullmatch=True))
def test_any_name_gives_a_subject_that_sns_takes(name, stage):
    launch = Launch("id", name, Status.FAILED, "2026", error={"type": "ExportError", "message": "Two files."})

    line = subject(launch, stage)

    assert len(line) < 100
    assert line.isascii()
    assert line.isprintable()
