"""Every table and list in every form that files come in: what planning takes, regenie reads as the plain file.

A form that regenie reads otherwise, or ends at, is refused by planning, with one sentence. What planning takes is held
against regenie 4.1.2 itself: its rows must be those of the plain file.
"""

import gzip
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from genolaunch.launch_configs.regenie_config import RegenieParameters
from genolaunch.shared.input_error import LaunchInputError
from lambdas.regenie.inputs import read_inputs
from tests.regenie.cohort_formats import COHORT
from tests.regenie.planned_run import IMAGES
from tests.regenie.test_lists_and_levels_on_regenie import IDS, PEOPLE, lines, sets, with_sets
from tests.unit.regenie_planning.conftest import MemoryDataSet

REAL = os.environ.get("GENOLAUNCH_REGENIE") or shutil.which("regenie") or ""


def each_line(change: Callable[[str], str]) -> Callable[[str], bytes]:
    """A form that is the same change of every line."""
    return lambda text: "".join(f"{change(line)}\n" for line in text.splitlines()).encode()


FORMS: Final[dict[str, Callable[[str], bytes]]] = {
    "plain": str.encode,
    "tabs": lambda text: text.replace(" ", "\t").encode(),
    "no line end": lambda text: text.rstrip("\n").encode(),
    "a blank behind each line": each_line(lambda line: f"{line} "),
    "a tab behind each line": each_line(lambda line: f"{line}\t"),
    "two blanks behind each line": each_line(lambda line: f"{line}  "),
    "a blank before each line": each_line(lambda line: f" {line}"),
    "two blanks between words": lambda text: text.replace(" ", "  ").replace("\t", "\t\t").encode(),
    "an empty line at the end": lambda text: f"{text}\n".encode(),
    "two empty lines at the end": lambda text: f"{text}\n\n".encode(),
    "a line of blanks at the end": lambda text: f"{text}  \n".encode(),
    "an empty line within": lambda text: text.replace("\n", "\n\n", 1).encode(),
    "an empty line first": lambda text: f"\n{text}".encode(),
    "Windows line endings": lambda text: text.replace("\n", "\r\n").encode(),
    "old Macintosh line ends": lambda text: text.replace("\n", "\r").encode(),
    "a byte-order mark": lambda text: text.encode("utf-8-sig"),
    "UTF-16": lambda text: text.encode("utf-16"),
    "commas": lambda text: text.replace(" ", ",").replace("\t", ",").encode(),
    "quotation marks": each_line(lambda line: " ".join(f'"{word}"' for word in line.split())),
    "a comment first": lambda text: f"# made by hand\n{text}".encode(),
    "the first line twice": lambda text: f"{text.splitlines()[0]}\n{text}".encode(),
    "nothing": lambda text: b"",
    "blank lines only": lambda text: b"\n\n\n",
    "compressed": lambda text: gzip.compress(text.encode()),
    "nothing, compressed": lambda text: gzip.compress(b""),
    "half of it, compressed": lambda text: gzip.compress(text.encode())[: len(gzip.compress(text.encode())) // 2],
}

NAMES: Final = {
    "phenotypes": "phenotypes.txt",
    "covariates": "covariates.txt",
    "keep": "list.txt",
    "remove": "list.txt",
    "extract": "list.txt",
    "exclude": "list.txt",
    "condition": "list.txt",
    "sets": "sets.txt",
    "annotations": "anno.txt",
    "masks": "masks.txt",
}
_PEOPLE: Final = lines([person, person] for person in PEOPLE[:700])
_VARIANTS: Final = lines([name] for name in IDS[:500])
_CONDITION: Final = {"condition": {"variants": "list.txt", "genotypes": "cohort.bed"}}
_OPTIONS: Final = {
    "keep": "--keep list.txt",
    "remove": "--remove list.txt",
    "extract": "--extract list.txt",
    "exclude": "--exclude list.txt",
    "condition": "--condition-list list.txt --condition-file bed,cohort",
    **dict.fromkeys(
        ("sets", "annotations", "masks"),
        "--set-list sets.txt --anno-file anno.txt --mask-def masks.txt --aaf-bins 0.4",
    ),
}
_GIVEN: Final[dict[str, dict[str, Any]]] = {
    "keep": {"keep": "list.txt"},
    "remove": {"remove": "list.txt"},
    "extract": {"step2": {"extract": "list.txt"}},
    "exclude": {"step2": {"exclude": "list.txt"}},
    "condition": {"step2": _CONDITION},
    **{kind: {"step2": with_sets()} for kind in ("sets", "annotations", "masks")},
}


def plain_text(kind: str) -> str:
    """What a file of the kind says."""
    if kind in ("phenotypes", "covariates"):
        return (COHORT / NAMES[kind]).read_text().replace("\t", " ")
    if kind in ("keep", "remove"):
        return _PEOPLE
    if kind == "condition":
        return lines([name] for name in IDS[10:12])
    if kind in ("sets", "annotations", "masks"):
        found = sets()[NAMES[kind]]
        return str(found).replace("\t", " ")
    return _VARIANTS


def fill(folder: Path, kind: str, form: str) -> None:
    """Given: the cohort, and a file of the kind in a form."""
    for file in COHORT.iterdir():
        shutil.copy(file, folder)
    for name, content in sets().items():
        (folder / name).write_text(str(content))
    (folder / NAMES[kind]).write_bytes(FORMS[form](plain_text(kind)))


def planned(folder: Path, kind: str, form: str) -> str:
    """When: a launch is planned. Why it is refused; empty if it is not."""
    folder.mkdir()
    fill(folder, kind, form)
    data = MemoryDataSet("data", "cohort/", {path.name: path.read_bytes() for path in folder.iterdir()})
    config = {
        "genotypes": "cohort.bed",
        "phenotypes": "phenotypes.txt",
        "covariates": "covariates.txt",
        "traits": ["height", "ldl"],
        "trait_type": "quantitative",
        **_GIVEN.get(kind, {}),
    }
    try:
        read_inputs(data, RegenieParameters.model_validate(config), IMAGES)
    except LaunchInputError as refusal:
        return "\n".join(fault.problem for fault in refusal.faults)
    return ""


def rows_of(folder: Path, kind: str, form: str) -> str | None:
    """When: regenie is run once, without predictions. Its rows of both traits; None where it ends with an error."""
    folder.mkdir()
    fill(folder, kind, form)
    command = (
        "--step 2 --bed cohort --phenoFile phenotypes.txt --covarFile covariates.txt --qt --bsize 200 --ignore-pred "
        f"--phenoColList height,ldl --out out {_OPTIONS.get(kind, '')}"
    )
    done = subprocess.run([REAL, *command.split()], cwd=folder, capture_output=True, check=False, timeout=120)
    if done.returncode:
        return None
    found = [line for path in sorted(folder.glob("out_*.regenie")) for line in path.read_text().splitlines()]
    return "\n".join(line for line in found if not line.startswith("##"))


TAKEN: Final = {
    "tabs",
    "no line end",
    "a blank behind each line",
    "a tab behind each line",
}
"""Forms that every kind of file may have."""


@pytest.mark.parametrize("form", [form for form in FORMS if form != "plain"])
@pytest.mark.parametrize("kind", NAMES)
def test_a_form_is_refused_in_one_sentence_or_read_as_regenie_reads_it(kind: str, form: str, tmp_path: Path) -> None:
    refusal = planned(tmp_path / "planned", kind, form)

    # Then: one sentence, which names the file; that of words in quotation marks none fits may have a second one
    first, *others = refusal.split("\n")
    assert (NAMES[kind] in first) == bool(refusal)
    assert others == [] or form == "quotation marks"
    if form in TAKEN:
        assert refusal == ""
    if REAL and not refusal:
        # An empty list leaves nobody out, which is warned of: the rows are those without a list.
        of = "phenotypes" if form == "nothing" else kind
        assert rows_of(tmp_path / "form", kind, form) == rows_of(tmp_path / "plain", of, "plain")
