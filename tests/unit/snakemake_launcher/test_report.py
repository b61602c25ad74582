"""The page about a run."""

import json

from genolaunch.contract.results import COST_SECTION
from snakemake_launcher.engines import Failure
from snakemake_launcher.jobs import Jobs
from snakemake_launcher.report import report, rules
from snakemake_launcher.run_sheet import RunSheet
from tests.pages import outside_boxes
from tests.unit.snakemake_launcher.sheets import sheet
from tests.unit.snakemake_launcher.test_jobs import submitted


def told(*events):
    jobs = Jobs()
    for event in events:
        jobs.take(event)
    return jobs


def ended(kind, job, at):
    return {"event": kind, "at": at, "job": job, "rule": "trim"}


def page(jobs, error_type=None, failures=None, warnings=(), **changes):
    parsed = RunSheet.parse(json.dumps(sheet(**changes)))
    return report(parsed, jobs, error_type, "Done: 1 of 1 jobs.", failures=failures or {}, warnings=warnings)


def test_a_rules_times_are_of_its_jobs_that_ended_well():
    jobs = told(
        submitted("3", "abc"),
        submitted("4", "def"),
        ended("failed", "3", 110.0),
        submitted("3", "ghi"),
        ended("finished", "3", 130.0),
        ended("finished", "4", 150.0),
    )

    (rule,) = rules(jobs)

    assert (len(rule.jobs), rule.submissions, rule.done, rule.failed) == (2, 3, 2, 0)
    assert (rule.mean, rule.longest) == (40.0, 50.0)


def test_the_page_says_what_was_run_and_what_became_of_it():
    jobs = told({"event": "started", "at": 99.0, "version": "9.27.1"}, submitted(), ended("finished", "3", 190.0))

    html = page(jobs)

    for words in ("9.27.1, engine tibanna", "trim sample=A", "1 min 30 s", "Done: 1 of 1 jobs.", "s3://data/run42/"):
        assert words in html
    assert outside_boxes(html) == []
    assert ".scroll {" in html


def test_a_failed_job_says_why():
    jobs = told(submitted(), ended("failed", "3", 190.0))

    html = page(jobs, "ApplicationError", {"abc": Failure("ApplicationError", "no such reference")})

    assert "<strong>ApplicationError</strong>" in html
    assert "ApplicationError: no such reference" in html


def test_what_users_name_is_no_markup():
    html = page(told(), config={"title": "<script>alert(1)</script>"})

    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def test_warnings_are_shown_once_and_are_no_markup():
    html = page(told(), warnings=["Done: 1 of 1 jobs.", 'glob("<b>*\x1b[31m") found nothing.'])

    assert html.count("Done: 1 of 1 jobs.") == 1
    assert "glob(&#34;&lt;b&gt;*\\x1b[31m&#34;) found nothing." in html
    assert "<h2>Warnings</h2>" in html


def test_without_warnings_there_is_no_heading_for_them():
    assert "Warnings" not in page(told())
    assert "Warnings" not in page(told(), warnings=["Done: 1 of 1 jobs."])


def test_the_cost_has_its_place_until_it_is_known():
    before, rest = page(told()).split(COST_SECTION[0])
    section, after = rest.split(COST_SECTION[1])

    assert "Not known yet" in section
    assert 'id="cost"' not in before + after


def test_a_run_without_jobs_has_a_page_too():
    assert "No job was submitted" in page(told())


def test_long_words_of_the_jobs_do_not_make_their_columns_as_narrow_as_a_letter():
    job = Jobs()
    job.take(submitted())

    html = page(job)

    assert '<table class="jobs">' in html
    assert ".jobs code { display: inline-block; min-width: 16rem; }" in html
