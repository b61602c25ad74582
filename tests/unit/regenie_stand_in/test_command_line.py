"""What is refused, and what asks for no work; what regenie itself refuses is in tests/regenie/test_refusals.py."""

import math
import subprocess
import sys

import pytest
from scipy.special import log_ndtr

from regenie_stand_in.step2 import minus_log10_p


@pytest.mark.parametrize(
    "beyond",
    [
        ["--bt"],
        ["--bgen", "x.bgen"],
        ["--pgen", "x"],
        ["--nb", "3"],
        ["--strict"],
        ["--par-region", "hg38"],
        ["--interaction", "sex"],
        ["--anno-file", "a.txt"],
        ["--phenoColLis", "height"],
    ],
)
def test_what_it_cannot_do_it_refuses_in_one_sentence(regenie, cohort, tmp_path, capsys, beyond):
    assert regenie("--step", "1", *cohort.arguments, *beyond, "--out", tmp_path / "x") == 1

    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == (
        f"The numpy stand-in for regenie cannot do '{beyond[0]}': "
        "install Docker, or regenie (v4.1.2), to run it for real.\n"
    )
    assert not list(tmp_path.iterdir())


def test_version_and_help(regenie, capsys):
    assert regenie("--version") == 0
    assert capsys.readouterr().out == "v4.1.2\n"

    assert regenie("--help") == 0
    assert "--split-l0" in capsys.readouterr().out


def test_the_log_names_the_options(whole, cohort):
    log = (whole.step1.parent / "step2.log").read_text()

    assert f"  --bed {cohort.folder}/cohort \\\n" in log
    assert "REGENIE v4.1.2" in log
    assert "number of individuals used in analysis = 800" in log


def test_numpy_waits_for_the_number_of_threads():
    script = "import sys, regenie_stand_in.__main__; sys.exit('numpy' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


@pytest.mark.parametrize(("chi_square", "expected"), [(0.0, 0.0), (3.841458820694124, -math.log10(0.05))])
def test_the_tail_of_the_chi_square_distribution(chi_square, expected):
    assert minus_log10_p(chi_square) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("chi_square", [1400.0, 1420.0, 10_000.0])
def test_the_tail_goes_on_where_doubles_end(chi_square):
    exact = -(log_ndtr(-math.sqrt(chi_square)) + math.log(2)) / math.log(10)

    assert minus_log10_p(chi_square) == pytest.approx(exact, abs=1e-3)
