"""Whatever goes wrong is told in one sentence, and exits as docs/command-line.md says."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from typer.testing import CliRunner

from genolaunch import submission
from genolaunch.cli import app
from genolaunch.errors import sentence_for

ROOT = Path(__file__).parents[3]
TALKATIVE = """
import csv, sys, typer
from genolaunch.commands.group import OneSentenceGroup
from genolaunch.render.screen import console
app = typer.Typer(cls=OneSentenceGroup, pretty_exceptions_enable=False)
@app.callback()
def common(): pass
@app.command()
def plain():
    for number in range(100_000): typer.echo(f"line {number}")
@app.command()
def rich():
    for number in range(100_000): console().print(f"line {number}")
@app.command()
def table():
    csv.writer(sys.stdout).writerows([number] for number in range(10))
app()
"""


def talk(command, output):
    return subprocess.Popen(
        [sys.executable, "-c", TALKATIVE, command], stdout=output, stderr=subprocess.PIPE, text=True, cwd=ROOT
    )


@pytest.mark.parametrize("command", ["plain", "rich"])
def test_a_reader_that_has_had_enough_is_no_error_that_is_told(command):
    process = talk(command, subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()

    _, errors = process.communicate(timeout=60)

    assert (process.returncode, errors) == (141, "")


@pytest.mark.parametrize("words", [("--help",), ("plain", "--help")])
def test_nobody_reads_the_help(words):
    reader, writer = os.pipe()
    os.close(reader)
    process = subprocess.run(
        [sys.executable, "-c", TALKATIVE, *words], stdout=writer, stderr=subprocess.PIPE, text=True, cwd=ROOT
    )
    os.close(writer)
    assert (process.returncode, process.stderr) == (141, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has it")
@pytest.mark.parametrize("command", ["plain", "rich", "table"])
def test_a_full_disk_is_told_in_one_sentence(command):
    with Path("/dev/full").open("w") as full:
        process = talk(command, full)
        _, errors = process.communicate(timeout=60)

    assert (process.returncode, errors) == (
        3,
        "genolaunch: The output cannot be written: No space left on device.\n",
    )


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["frob"], "No such command 'frob' (see `genolaunch --help`)."),
        (["--frob"], "No such option: --frob (see `genolaunch --help`)."),
        (["list", "--statsu", "FAILED"], "(Possible options: --stage, --status) (see `genolaunch list --help`)."),
        (["list", "--status", "nope"], "Invalid value for '--status': 'nope' is not one of 'submitted'"),
        (["status"], "Missing argument 'ID' (see `genolaunch status --help`)."),
        (["status", ""], "The launch's id is empty"),
        (["submit", "nope.yaml"], "file 'nope.yaml' does not exist"),
        (["submit", __file__], "its name must end in .yaml, .yml, .json."),
        (["logs", "x", "--job", "merge", "--failed"], "--job and --failed exclude each other"),
        (["local", "frob"], "No such command 'frob' (see `genolaunch local --help`)."),
    ],
)
def test_a_wrong_command_line_is_one_sentence_and_exit_2(genolaunch, words, told):
    result = genolaunch(*words)

    assert result.exit_code == 2
    assert result.stderr.startswith("genolaunch: ")
    assert told in result.stderr
    assert result.stderr.count("\n") == 1


def test_the_command_alone_shows_its_help():
    assert "Commands" in CliRunner().invoke(app, []).output
    assert "deploy" in CliRunner().invoke(app, ["local"]).output


def test_expired_credentials_say_how_to_sign_in_again():
    error = ClientError({"Error": {"Code": "ExpiredTokenException", "Message": "The token has expired."}}, "Query")

    assert sentence_for(error) == (
        "AWS refused Query: The token has expired (ExpiredTokenException): sign in (for instance `aws sso login`), or "
        "set AWS_PROFILE."
    )


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("AWS_ENDPOINT_URL", "garbage", "AWS_ENDPOINT_URL must be a URL"),
        ("AWS_PROFILE", "nobody", "set AWS_PROFILE to one of"),
    ],
)
def test_an_environment_that_cannot_work_is_one_sentence(variable, value, told):
    environment = {name: text for name, text in os.environ.items() if not name.startswith("AWS_")}
    environment |= {
        "AWS_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        variable: value,
    }
    code = "from genolaunch.cli import main; main()"

    result = subprocess.run(
        [sys.executable, "-c", code, "list"], env=environment, cwd=ROOT, capture_output=True, text=True
    )

    assert result.returncode == 3
    assert told in result.stderr
    assert result.stderr.count("\n") == 1


def test_interrupted_waiting_for_the_answer_says_that_the_launch_may_start(genolaunch, tmp_path, monkeypatch):
    config = tmp_path / "height.yaml"
    config.write_text("name: height\ndata: cohort/\n")

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(submission, "wait_for_answer", interrupted)

    result = genolaunch("submit", config)

    assert result.exit_code == 130
    assert "launches/height.yaml was uploaded, and its launch may start" in result.stderr
