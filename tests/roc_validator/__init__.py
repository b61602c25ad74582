"""The public validator of RO-Crates (PyPI: roc-validator), in an environment of its own."""

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from genolaunch.local_stage.locked_environment import EnvironmentFailedError, locked_environment

FOLDER = Path(__file__).parent
CONTEXT = FOLDER.parent / "data" / "ro-crate" / "context-1.1.jsonld"
"""Of RO-Crate 1.1, as its repository has it (docs/_specification/1.1/context.jsonld; CC0)."""
PROFILE = "workflow-run-crate"


@cache
def _environment() -> Path:
    try:
        return locked_environment(FOLDER / "requirements.txt")
    except EnvironmentFailedError as error:
        pytest.skip(f"the validator could not be installed: {str(error).splitlines()[-1]}")


def findings(crate: Path, severity: str) -> list[str]:
    """What the validator says of a crate's folder; nothing: it conforms.

    Args:
        crate: The folder with ro-crate-metadata.json, and the files that it describes.
        severity: `required`, or `recommended` for both levels.
    """
    program = _environment() / "bin"
    remembered = crate.parent / "roc-validator-cache"
    report = crate.parent / f"{severity}.json"
    subprocess.run([program / "python", FOLDER / "remember.py", CONTEXT, remembered], check=True)
    done = subprocess.run(
        [
            *(program / "rocrate-validator", "--no-interactive", "validate", "--profile-identifier", PROFILE),
            *("--requirement-severity", severity, "--offline", "--cache-path", remembered, "--no-paging"),
            *("--output-format", "json", "--output-file", report, crate),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert report.exists(), done.stderr or done.stdout
    answer: dict[str, Any] = json.loads(report.read_text())
    assert answer["passed"] == (not answer["issues"]) or severity != "required"
    return [f"{issue['check']['identifier']}: {issue['message']}" for issue in answer["issues"]]


if __name__ == "__main__":
    for level in ("required", "recommended"):
        sys.stdout.write("\n".join([f"# {level}", *findings(Path(sys.argv[1]).resolve(), level)]) + "\n")
