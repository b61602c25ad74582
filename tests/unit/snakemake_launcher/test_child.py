"""Signals: ECS stops the task with SIGTERM, and Snakemake cancels its jobs on SIGINT only."""

import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from snakemake_launcher.child import Child

CONTAINER = Path(__file__).parents[3] / "containers" / "snakemake"

SNAKEMAKE = """
import signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
try:
    print("running", flush=True)
    time.sleep(30)
except KeyboardInterrupt:
    print("cancels its jobs", flush=True)
    sys.exit(1)
"""

LAUNCHER = f"""
import sys
from pathlib import Path
from snakemake_launcher.child import Child
child = Child()
child.listen()
code = child.run([sys.executable, "-c", {SNAKEMAKE!r}], environment={{}}, folder=Path.cwd(),
                 log=Path("log"), look=lambda: None)
print("launcher ends", child.cancelled, code, flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_request_to_stop_reaches_snakemake_as_an_interrupt(tmp_path, number):
    with subprocess.Popen(
        [sys.executable, "-c", LAUNCHER],
        cwd=tmp_path,
        env={"PYTHONPATH": str(CONTAINER)},
        stdout=subprocess.PIPE,
        text=True,
    ) as launcher:
        assert launcher.stdout is not None
        assert launcher.stdout.readline() == "running\n"

        launcher.send_signal(number)

        said = launcher.stdout.read()
    assert said == "cancels its jobs\nlauncher ends True 1\n"
    assert (tmp_path / "log").read_text() == "running\ncancels its jobs\n"


def test_the_process_sees_the_engines_environment_and_its_exit_code_is_answered(tmp_path):
    program = textwrap.dedent("import os, sys; print(os.environ['ENGINE'], os.getcwd()); sys.exit(3)")
    looks = []

    code = Child().run(
        [sys.executable, "-c", program],
        environment={"ENGINE": "tibanna"},
        folder=tmp_path,
        log=tmp_path / "log",
        look=lambda: looks.append(1),
    )

    assert code == 3
    assert (tmp_path / "log").read_text() == f"tibanna {tmp_path}\n"
    assert looks
