"""What the report takes from regenie's logs."""

from regenie_runner import logs


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
