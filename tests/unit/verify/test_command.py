"""The command: its report, its JSON and its exit code."""

import json
from dataclasses import replace
from decimal import Decimal

import pytest
from typer.testing import CliRunner

from genolaunch.cli import app
from genolaunch.verify.checks import judge
from genolaunch.verify.claims import CHECKED, Claim
from genolaunch.verify.run import Verdict

CLAIMS = [
    Claim("notices", "Ends are told by the topic", "seen locally", CHECKED),
    Claim("clean-up", "Nothing is left", "seen locally", CHECKED),
    Claim("teams", "Teams are apart", "unverified", "not checked: needs users"),
    Claim("bill", "A bill adds up", "seen in tests", ""),
]


@pytest.fixture
def stage(monkeypatch, healthy):
    """Given: a stage that shows this evidence, which a test may spoil."""
    evidence = {"seen": healthy}

    def run(account, claims, **_options):
        return Verdict(account.stage, tuple(judge(CLAIMS, evidence["seen"])), tuple(healthy.trials.values()))

    monkeypatch.setattr("genolaunch.verify.run.verify", run)
    return evidence


def test_what_holds_ends_with_0_and_is_reported_with_its_price(stage, tmp_path):
    report = tmp_path / "new" / "verify.md"

    done = CliRunner().invoke(app, ["--stage", "dev", "verify-stage", "--report", str(report)])

    assert done.exit_code == 0, done.output
    summary = "Of 3 claims: 2 held, 1 not checked. The launches cost 1.800000 USD."
    assert done.stdout == summary + "\n"
    text = report.read_text()
    assert "# What stage dev shows of docs/verified.md" in text
    assert summary in text
    assert "| `teams` | Teams are apart | needs users |" in text
    assert "Did not hold" not in text


def test_what_does_not_hold_ends_with_1_and_comes_first(stage, healthy):
    stage["seen"] = replace(healthy, notices=("another|launch",))

    done = CliRunner().invoke(app, ["--stage", "dev", "verify-stage"])

    assert done.exit_code == 1
    assert "## Did not hold" in done.stdout
    assert done.stdout.index("## Did not hold") < done.stdout.index("## Held")


def test_scripts_get_the_same_as_json(stage):
    done = CliRunner().invoke(app, ["--stage", "dev", "verify-stage", "--json"])

    found = json.loads(done.stdout)
    assert (found["stage"], found["held"], Decimal(found["costUsd"])) == ("dev", True, Decimal("1.8"))
    assert [(each["id"], each["outcome"]) for each in found["findings"]] == [
        ("notices", "held"),
        ("clean-up", "held"),
        ("teams", "not checked"),
    ]
    assert {each["kind"] for each in found["launches"]} >= {"regenie", "cancelled"}
