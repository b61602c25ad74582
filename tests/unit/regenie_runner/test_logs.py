"""What the report takes from regenie's logs."""

from regenie_runner import logs


def test_the_version_is_what_the_box_says():
    box = " |=====|\n |  REGENIE v4.1.2  |\n |  (another build)  |\n |=====|\n"
    assert logs.version(box) == "REGENIE v4.1.2 (another build)"
    assert logs.version("no box") is None


def test_analysed_people_come_from_the_summary_of_the_data():
    assert logs.analysed_people(" * number of individuals used in analysis = 487409\n") == 487409
    assert logs.analysed_people("") is None


STEP2 = """ * number of individuals used in analysis = 800
 * number of observations for each trait:
   - 'height': 800 observations
   - 'ldl': 737 observations
 * LOCO predictions : [pred.list]
   -file [height.loco] for phenotype 'height'
    + 293 individuals with missing LOCO predictions will be ignored for the trait
   -file [ldl.loco] for phenotype 'ldl'
    + 268 individuals with missing LOCO predictions will be ignored for the trait
"""


def test_people_without_predictions_are_not_analysed():
    assert logs.without_predictions(STEP2) == {"height": 293, "ldl": 268}
    assert logs.analysed_people(STEP2) == 507

    binary = STEP2.replace("800 observations", "300 cases and 500 controls")
    assert logs.analysed_people(binary) == 507


def test_a_run_that_did_not_end_has_no_time():
    assert logs.run_time("Start time: Sat Nov 21 05:58:50 2026\n") is None


def test_each_warning_is_told_once_and_not_endlessly():
    texts = ["   -WARNING: a\nWARNING: b\n", "WARNING: a\n"]
    assert logs.warnings(texts) == ["a", "b"]
    assert len(logs.warnings(f"WARNING: {number}" for number in range(100))) == 20
