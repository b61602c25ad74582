"""`make synth` tells of the synthesis, and of nothing that looks like an error."""

import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]

NPX = """#!/bin/sh
echo "asked: $*" >&2
echo "Bundling asset x"
echo "Successfully synthesized to cdk.out"
echo "Supply a stack id (a, b) to display its template."
{more}
"""


@pytest.fixture
def make(tmp_path):
    """Runs a target with stand-ins for the CDK CLI and Python; the CLI ends with a status."""

    def run(*words, status=0):
        more = f"echo 'no such zone' >&2; exit {status}" if status else ""
        for name, text in {"npx": NPX.format(more=more), "python": "#!/bin/sh\necho checked $*\n"}.items():
            (tmp_path / name).write_text(text)
            (tmp_path / name).chmod(0o755)
        command = ["make", "--no-print-directory", "-s", "-o", "setup", f"BIN={tmp_path}", *words]
        return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)

    return run


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        (("synth", "STAGE=dev"), "-c stage=dev"),
        (("synth", "SETTINGS=s.json"), "-c settings-file=s.json"),
        (("synth-pipeline",), "-c pipeline=true"),
    ],
)
def test_its_last_words_are_no_demand(make, words, asked):
    done = make(*words)

    assert done.returncode == 0
    assert "Successfully synthesized to cdk.out" in done.stdout
    assert "Supply a stack id" not in done.stdout + done.stderr
    assert f"cdk synth --quiet --ci {asked}" in done.stderr


def test_a_synthesis_that_fails_says_why_and_ends_it(make):
    done = make("synth", "STAGE=dev", status=1)

    assert done.returncode != 0
    assert "no such zone" in done.stderr
    assert "checked" not in done.stdout
