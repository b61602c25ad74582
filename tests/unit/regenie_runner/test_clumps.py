"""Clumps are those of plink1.9 --clump: the same index variants, and the same members of each."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from regenie_runner.clumps import Thresholds, clump
from regenie_runner.linkage import pack, pack_people, r_squared
from tests.unit.regenie_runner.simulated_regions import Cohort, clumps_of_plink, simulated, write_plink

PLINK = shutil.which("plink1.9") or ""
needs_plink = pytest.mark.skipif(not PLINK, reason="there is no plink1.9 on PATH (Debian has it as plink1.9)")

THRESHOLDS = {
    "as plink1.9's own": (1e-4, 0.01, 0.5, 250),
    "as for loci": (5e-8, 0.01, 0.1, 500),
    "narrow, one p for both": (1e-3, 1e-3, 0.2, 60),
}
KINDS = {"autosome": ("1", 7), "X": ("X", 11)}


def clumps_of(cohort: Cohort, thresholds: Thresholds) -> dict[str, list[str]]:
    """By this runner."""
    packed = pack(cohort.calls)
    males = pack_people(cohort.males) if cohort.chromosome == "X" else None

    def with_others(index, others):
        return r_squared(packed.chosen(np.array([index])), packed.chosen(others), males)

    found = clump(cohort.positions, cohort.log10p, thresholds, with_others)
    return {cohort.names[each.lead]: [cohort.names[member] for member in each.members] for each in found}


@needs_plink
@pytest.mark.full
@pytest.mark.parametrize("seed", [3, 8])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("given", THRESHOLDS)
def test_clumps_are_those_of_plink(tmp_path: Path, given: str, kind: str, seed: int) -> None:
    p1, p2, r2, kb = THRESHOLDS[given]
    chromosome, offset = KINDS[kind]
    cohort = simulated(seed + offset, chromosome)
    write_plink(cohort, tmp_path / "cohort")

    options = ["--clump-p1", p1, "--clump-p2", p2, "--clump-r2", r2, "--clump-kb", kb]
    expected = clumps_of_plink(PLINK, cohort, tmp_path / "cohort", *map(str, options))

    assert len(expected) > 1
    assert any(expected.values())
    found = clumps_of(cohort, Thresholds.of(p1, p2, r2, kb))
    assert found == expected
    assert list(found) == list(expected)


@needs_plink
@pytest.mark.full
@pytest.mark.parametrize("kind", KINDS)
def test_r_squared_is_that_of_plink(tmp_path: Path, kind: str) -> None:
    """To the digits that the program prints, of likeliest haplotypes (--r2 dprime)."""
    chromosome, offset = KINDS[kind]
    cohort = simulated(offset, chromosome, people=200, variants=60)
    write_plink(cohort, tmp_path / "cohort")
    options = ["--r2", "dprime", "--ld-window-r2", "0", "--ld-window", "999", "--ld-window-kb", "99999"]
    command = [PLINK, "--bfile", str(tmp_path / "cohort"), *options, "--out", str(tmp_path / "cohort")]
    subprocess.run(command, check=True, capture_output=True)
    lines = (tmp_path / "cohort.ld").read_text().splitlines()[1:]
    expected = {(fields[2], fields[5]): float(fields[6]) for fields in map(str.split, lines)}
    packed, everything = pack(cohort.calls), np.arange(len(cohort.names))
    males = pack_people(cohort.males) if chromosome == "X" else None

    compared = 0
    for one in everything:
        r2 = r_squared(packed.chosen(everything[one : one + 1]), packed, males)
        for other in everything[one + 1 :]:
            pair = cohort.names[one], cohort.names[other]
            if np.isnan(r2[other]):
                assert np.isnan(expected.get(pair, np.nan))
            else:
                assert expected[pair] == pytest.approx(r2[other], rel=2e-5, abs=1e-9)
                compared += 1
    assert compared > 1_500


def test_neither_ends_of_the_window_nor_thresholds_are_members() -> None:
    """The index variant reaches its threshold; a member is nearer than the window, and below the other threshold."""
    log10p = np.array([3.0, 2.1, 2.0, 9.0, 8.0, 3.0])
    positions = np.array([0, 100_001, 110_000, 200_000, 299_999, 300_000])
    thresholds = Thresholds(9.0, 2.0, 0.5, 100_000)

    (found,) = clump(positions, log10p, thresholds, lambda _, others: np.full(len(others), 0.9))

    assert found.lead == 3
    assert found.members.tolist() == [1, 4]


def test_of_equal_p_values_the_first_leads_and_what_fails_is_in_no_clump() -> None:
    log10p = np.array([8.0, 9.0, 9.0, np.nan])
    thresholds = Thresholds(7.3, 2.0, 0.5, 1_000)

    found = list(clump(np.arange(4), log10p, thresholds, lambda _, others: np.where(others == 2, 0.5, 0.9)))

    assert [each.lead for each in found] == [1, 2]  # as much as the threshold is not more
    assert found[0].members.tolist() == [0]


def test_r_squared_of_what_does_not_vary_is_not_known() -> None:
    calls = np.array([[2, 1, 0, 1], [2, 2, 2, 2], [0, 1, 2, 1], [-9, -9, -9, -9]], np.int8)
    packed = pack(calls)

    r2 = r_squared(packed.chosen(np.array([0])), packed)

    assert r2[[0, 2]] == pytest.approx([1, 1])
    assert np.isnan(r2[[1, 3]]).all()
