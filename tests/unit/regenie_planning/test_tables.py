"""Headers of phenotype and covariate files, and lists of given predictions."""

import gzip

import pytest

from genolaunch.regenie.predictions import read_predictions
from genolaunch.regenie.tables import check_covariates, read_columns, trait_indices
from genolaunch.shared.input_error import UnusableInputError
from tests.unit.regenie_planning.conftest import MemoryDataSet


@pytest.mark.parametrize(
    "header", [b"FID IID height ldl\n1 1 2 3\n", b"FID\tIID\theight\tldl\r\n", b"FID IID height ldl"]
)
def test_columns_follow_fid_and_iid(data: MemoryDataSet, header: bytes):
    data.files["p.txt"] = header

    assert read_columns(data, "p.txt") == ("height", "ldl")


def test_a_header_longer_than_the_first_read_is_read_to_its_end(data: MemoryDataSet):
    names = tuple(f"trait_{number}" for number in range(20_000))
    data.files["p.txt"] = b"FID IID " + " ".join(names).encode() + b"\n1 1\n"

    assert read_columns(data, "p.txt") == names


@pytest.mark.parametrize(
    ("header", "problem"),
    [
        (b"IID height\n", "header starts with IID height"),
        (b"", "p.txt, which is empty"),
        (b"\n\n \t\r\n", "p.txt, which has nothing but blank lines"),
        (b"\nFID IID a\n", "p.txt, which begins with an empty line"),
        (gzip.compress(b"", mtime=0), "p.txt, which is compressed"),
        (b"FID IID\n1 1\n", "no columns after FID and IID"),
        (b"FID IID a b a b c\n", "more than once: a, b"),
    ],
)
def test_a_header_that_regenie_would_misread_is_refused(data: MemoryDataSet, header: bytes, problem: str):
    data.files["p.txt"] = header

    with pytest.raises(UnusableInputError, match=problem):
        read_columns(data, "p.txt")


def test_a_trait_is_numbered_by_its_place_in_the_header_among_the_kept_traits():
    # Given a header with bmi between them, and traits in another order
    assert trait_indices(["height", "bmi", "ldl"], ["ldl", "height"]) == {"ldl": 2, "height": 1}


def test_all_unknown_traits_are_named_at_once():
    with pytest.raises(UnusableInputError, match="names hight, ldll, not in the header") as refusal:
        trait_indices(["height", "ldl"], ["hight", "height", "ldll"])

    assert refusal.value.remedy == "Its columns are height, ldl."


def test_given_predictions_are_looked_for_beside_their_list(data: MemoryDataSet):
    data.files["old/fit_pred.list"] = b"height /home/ada/fit_1.loco\nldl sub/fit_2.loco\nbmi fit_3.loco\n\n"

    found = read_predictions(data, "old/fit_pred.list", ["ldl", "height"])

    assert found == {"ldl": "old/sub/fit_2.loco", "height": "old/fit_1.loco"}


def test_traits_without_given_predictions_are_named_at_once(data: MemoryDataSet):
    data.files["fit_pred.list"] = b"height fit_1.loco\n"

    with pytest.raises(UnusableInputError, match="no predictions for ldl, bmi"):
        read_predictions(data, "fit_pred.list", ["ldl", "height", "bmi"])


@pytest.mark.parametrize("line", [b"height\n", b"height ../../elsewhere/fit_1.loco\n"])
def test_a_list_that_cannot_be_followed_is_refused(data: MemoryDataSet, line: bytes):
    data.files["fit_pred.list"] = line

    with pytest.raises(UnusableInputError):
        read_predictions(data, "fit_pred.list", ["height"])


@pytest.mark.parametrize("name", ["pc1-pc4", "pc1-4", "pc1:pc4"])
def test_a_range_of_columns_is_told_to_be_listed_one_by_one(name: str):
    with pytest.raises(UnusableInputError, match="not in the header of the covariate file") as refusal:
        check_covariates(["age", "pc1", "pc2", "pc3", "pc4"], ["age", name])

    assert refusal.value.remedy.startswith("Columns are listed one by one, without ranges: [pc1, pc2, ...].")


@pytest.mark.parametrize("name", ["pc9-pc12", "age-2", "2020-01"])
def test_other_names_with_hyphens_are_no_ranges(name: str):
    with pytest.raises(UnusableInputError) as refusal:
        check_covariates(["age", "pc1", "pc2"], [name])

    assert "ranges" not in refusal.value.remedy
