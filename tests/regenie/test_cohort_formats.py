"""The test data is the same cohort in every format, as other programs read it."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pgenlib
import pytest
from bgen import BgenReader

from regenie_stand_in.plink import MISSING
from tests.regenie.cohort_formats import counted, make_cohort, samples

Counts = npt.NDArray[np.int8]


@pytest.fixture
def expected() -> Counts:
    """Copies of the column 5 allele, -9 where missing, (variants, samples)."""
    return np.array([np.where(counts == MISSING, -9, counts.astype(np.int8)) for _, counts in counted()])


def test_pgen(tmp_path: Path, expected: Counts):
    make_cohort(tmp_path, "pgen")

    with pgenlib.PgenReader(str(tmp_path / "cohort.pgen").encode()) as reader:
        assert (reader.get_variant_ct(), reader.get_raw_sample_ct()) == expected.shape
        found = np.empty(expected.shape, np.int8)
        reader.read_range(0, len(expected), found)

    assert (found == expected).all()


def test_bgen(tmp_path: Path, expected: Counts):
    make_cohort(tmp_path, "bgen")

    with BgenReader(str(tmp_path / "cohort.bgen"), str(tmp_path / "cohort.sample")) as reader:
        found = np.array([variant.probabilities @ [2, 1, 0] for variant in reader])
        assert list(reader.samples) == samples()

    assert (np.where(np.isnan(found), -9, found) == expected).all()
