"""What the report takes from regenie's logs and from the phenotype file."""

import math

import pytest

from regenie_runner import logs
from regenie_runner.phenotypes import describe_traits


def test_the_version_is_what_the_box_says():
    box = " |=====|\n |  REGENIE v4.1.2  |\n |  (another build)  |\n |=====|\n"
    assert logs.version(box) == "REGENIE v4.1.2 (another build)"
    assert logs.version("no box") is None


def test_analysed_people_come_from_the_summary_of_the_data():
    assert logs.analysed_people(" * number of individuals used in analysis = 487409\n") == 487409
    assert logs.analysed_people("") is None


def test_a_run_that_did_not_end_has_no_time():
    assert logs.run_time("Start time: Sat Nov 21 05:58:50 2026\n") is None


def test_each_warning_is_told_once_and_not_endlessly():
    texts = ["   -WARNING: a\nWARNING: b\n", "WARNING: a\n"]
    assert logs.warnings(texts) == ["a", "b"]
    assert len(logs.warnings(f"WARNING: {number}" for number in range(100))) == 20


def test_traits_are_described_from_what_was_observed(tmp_path):
    path = tmp_path / "phenotypes.txt"
    path.write_text("FID IID a b c\n1 1 130.5 1 x\n2 2 NA 0 x\n3 3 129.5 1 x\n")
    facts = describe_traits(path, ["a", "b", "absent"])
    assert set(facts) == {"a", "b"}
    assert facts["a"][:2] == (2, 1)
    assert facts["a"].mean == pytest.approx(130)
    assert facts["a"].deviation == pytest.approx(math.sqrt(0.5))
    assert facts["b"].cases == 2


def test_ids_may_be_in_any_encoding(tmp_path):
    path = tmp_path / "phenotypes.txt"
    path.write_bytes("FID IID a\nMüller 1 2.5\n".encode("latin-1"))
    assert describe_traits(path, ["a"])["a"].observed == 1


def test_a_trait_without_values_has_no_mean(tmp_path):
    path = tmp_path / "phenotypes.txt"
    path.write_text("FID IID a\n1 1 NA\n")
    facts = describe_traits(path, ["a"])["a"]
    assert facts.observed == 0
    assert math.isnan(facts.mean)
