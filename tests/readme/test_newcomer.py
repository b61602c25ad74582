"""What the README tells a newcomer to type, typed: it works, word by word and in its order."""

import pytest

from tests.readme.conftest import Reader
from tests.readme.page import commands, files

pytestmark = [pytest.mark.local]

LOOK_AROUND = "What `make demo` shows"
GWAS = "Launching a GWAS"
SNAKEMAKE = "Launching a Snakemake workflow"


@pytest.fixture(scope="module")
def demo(reader: Reader) -> str:
    """When: `make demo`, the first command of the page."""
    assert commands("")[0] == "make demo"
    return reader.types("make demo")


def test_the_demo_ends_with_a_report(demo, reader):
    assert "Status   COMPLETE" in demo
    report = next(line.split(maxsplit=1)[1] for line in reversed(demo.splitlines()) if line.startswith("Report "))
    assert (reader.checkout / report).read_text().count("<svg") + (reader.checkout / report).read_text().count(
        "<img"
    ) > 0


def test_then_one_can_look_around(demo, reader):
    shown = reader.types(*commands(LOOK_AROUND))

    assert "height-ldl-demo" in shown
    assert "COMPLETE" in shown


def test_then_one_launches_a_gwas_of_ones_own(demo, reader):
    (name,) = files(GWAS)
    (reader.checkout / name).write_text(files(GWAS)[name])

    shown = reader.types(*commands(LOOK_AROUND)[:2], *commands(GWAS))

    assert "height-gwas-" in shown
    assert "COMPLETE" in shown


@pytest.mark.full
def test_and_a_snakemake_workflow(demo, reader):
    shown = reader.types(*commands(LOOK_AROUND)[:2], *commands(SNAKEMAKE))

    assert "COMPLETE" in shown
