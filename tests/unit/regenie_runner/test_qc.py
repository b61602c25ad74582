"""Quality control before step 1: what is left out, and why."""

import gzip
import json
from collections.abc import Sequence
from itertools import product
from math import factorial
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from genolaunch.contract.plan import QualityControl
from regenie_runner import bed
from regenie_runner.bed import Bed, count_genotypes, count_missing, sample_mask
from regenie_runner.errors import RunnerError
from regenie_runner.hardy_weinberg import departs, p_value
from regenie_runner.qc import control_quality
from regenie_runner.qc_bounds import nothing_left
from regenie_runner.workspace import Workspace

CODES = {2: 0b00, 1: 0b10, 0: 0b11, None: 0b01}
"""Copies of the .bim file's column 5 allele -> two bits of a .bed file."""
LENIENT = {"maf": 0.0, "mac": 0, "geno": 1.0, "hwe": 0.0, "mind": 1.0}


class Genotypes:
    """Given: cohort.bed/.bim/.fam below data. When: `control`. Then: the variants and samples that were kept."""

    def __init__(self, root: Path) -> None:
        self.workspace = Workspace(root, "launch", "job-1")
        self.workspace.data.mkdir()
        self.workspace.work.mkdir()

    def write(
        self, rows: Sequence[Sequence[int | None]], names: list[str] | None = None, chromosome: str = "1"
    ) -> None:
        """A row for each variant, a value for each sample."""
        names = names or [f"v{number}" for number in range(len(rows))]
        data = self.workspace.data
        packed = b"".join(_pack(row) for row in rows)
        (data / "cohort.bed").write_bytes(b"\x6c\x1b\x01" + packed)
        (data / "cohort.bim").write_text("".join(f"{chromosome}\t{name}\t0\t1\tA\tG\n" for name in names))
        (data / "cohort.fam").write_text("".join(f"f i{number} 0 0 1 0\n" for number in range(len(rows[0]))))

    def table(self, name: str, *lines: str) -> str:
        (self.workspace.data / name).write_text("".join(f"{line}\n" for line in lines))
        return name

    def control(self, *, analysed: str = "", **given: Any) -> tuple[list[str], list[str]]:
        """`analysed`: 1 or 0 for each sample; all of them, if it is not said."""
        plan = self.workspace.work / "plan"
        plan.mkdir(exist_ok=True)
        people = (self.workspace.data / "cohort.fam").read_text().count("\n")
        (plan / "analysed.txt").write_text(analysed or "1" * people)
        where = {"genotypes": "cohort.bed", "analysed": "plan/analysed.txt", "output": "step1/qc"}
        control_quality(cast(QualityControl, {**where, **LENIENT, **given}), self.workspace)
        folder = self.workspace.work / "step1" / "qc"
        return (folder / "variants.txt").read_text().split(), (folder / "samples.txt").read_text().splitlines()

    @property
    def left_out(self) -> dict[str, int]:
        summary = json.loads((self.workspace.work / "step1" / "qc" / "summary.json").read_text())
        return {reason: count for reason, count in summary["variants"]["leftOut"].items() if count}


@pytest.fixture
def genotypes(tmp_path: Path) -> Genotypes:
    return Genotypes(tmp_path)


def _pack(row: Sequence[int | None]) -> bytes:
    padded = [CODES[value] for value in row] + [0] * (-len(row) % 4)
    return bytes(
        sum(code << 2 * place for place, code in enumerate(padded[at : at + 4])) for at in range(0, len(row), 4)
    )


class TestCounting:
    @pytest.mark.parametrize("samples", [1, 3, 4, 5, 17])
    @pytest.mark.parametrize("block_bytes", [1, 7, 1 << 20])
    def test_packed_counts_are_those_of_the_genotypes(self, tmp_path: Path, samples: int, block_bytes: int):
        # Given random genotypes of 11 variants
        random = np.random.default_rng(samples)
        values = random.integers(0, 4, (11, samples))
        rows = [[None if value == 3 else int(value) for value in row] for row in values]
        path = tmp_path / "a.bed"
        path.write_bytes(b"\x6c\x1b\x01" + b"".join(map(_pack, rows)))
        people = random.random(samples) < 0.7

        blocks = list(Bed.open(path, 11, samples).blocks(block_bytes))

        counted = [count_genotypes(block, sample_mask(people)) for _, block in blocks]
        counts = [np.concatenate(parts) for parts in zip(*counted, strict=True)]
        for count, value in zip(counts, (2, 1, 0, 3), strict=True):
            assert count.tolist() == (values[:, people] == value).sum(axis=1).tolist()
        missing = sum(count_missing(block, samples) for _, block in blocks)
        assert np.array_equal(missing, (values == 3).sum(axis=0))

    def test_a_file_of_another_size_is_refused(self, tmp_path: Path):
        path = tmp_path / "a.bed"
        path.write_bytes(b"\x6c\x1b\x01" + bytes(5))

        with pytest.raises(RunnerError, match=r"does not fit its \.bim and \.fam"):
            Bed.open(path, 2, 8)


class TestHardyWeinberg:
    @pytest.mark.parametrize("counts", [c for c in product(range(0, 13, 3), repeat=3) if sum(c)])
    def test_the_p_value_is_that_of_all_tables_no_likelier_than_the_observed(self, counts: tuple[int, int, int]):
        # Given the probability of each number of heterozygotes, as exact whole numbers
        two, one, none = counts
        samples, alleles = sum(counts), 2 * two + one
        weights = {}
        for heterozygotes in range(alleles % 2, min(alleles, 2 * samples - alleles) + 1, 2):
            a, b = (alleles - heterozygotes) // 2, (2 * samples - alleles - heterozygotes) // 2
            ways = factorial(samples) // (factorial(a) * factorial(b) * factorial(heterozygotes))
            weights[heterozygotes] = ways * 2**heterozygotes
        exact = sum(weight for weight in weights.values() if weight <= weights[one]) / sum(weights.values())

        assert p_value(two, one, none) == pytest.approx(exact, rel=1e-9)
        for threshold in (exact * 0.99, exact * 1.01 if exact < 0.9 else exact * 0.98):
            assert departs(two, one, none, threshold) == (exact < threshold)

    def test_cohorts_of_half_a_million_are_decided(self):
        # Given 500,000 samples at frequency 0.3: in equilibrium, and with no heterozygotes
        assert not departs(45_000, 210_000, 245_000, 1e-15)
        assert departs(150_000, 0, 350_000, 1e-15)

    def test_a_threshold_of_0_leaves_all(self):
        assert not departs(50, 0, 50, 0.0)


class TestFilters:
    def test_each_threshold_leaves_out_its_variants(self, genotypes: Genotypes):
        # Given 10 samples, and variants that fail one threshold each
        rare: list[int | None] = [1, *[0] * 9]
        genotypes.write([[1, 0] * 5, [None, None, *[1, 0] * 4], rare, [2, 0] * 5], ["good", "gaps", "rare", "no-hets"])

        variants, samples = genotypes.control(geno=0.1, mac=2, hwe=0.01)

        assert variants == ["good"]
        assert len(samples) == 10
        assert genotypes.left_out == {"geno": 1, "mac": 1, "hwe": 1}

    def test_the_frequency_is_that_of_the_rarer_allele_among_the_called(self, genotypes: Genotypes):
        genotypes.write([[2] * 9 + [1], [None] * 5 + [1, 0, 0, 0, 0]], ["common", "tenth"])

        assert genotypes.control(maf=0.1)[0] == ["tenth"]

    def test_samples_are_left_out_first_and_do_not_count_then(self, genotypes: Genotypes):
        # Given a sample without genotypes, and a variant that misses no other's
        genotypes.write([[None, 1, 0, 1], [None, 0, 1, 1]])

        variants, samples = genotypes.control(mind=0.5, geno=0.1)

        assert samples == ["f i1", "f i2", "f i3"]
        assert variants == ["v0", "v1"]

    def test_a_share_at_the_threshold_passes(self, genotypes: Genotypes):
        genotypes.write([[None, *[1, 0] * 4, 1]])

        assert genotypes.control(geno=0.1)[0] == ["v0"]

    @pytest.mark.parametrize(("chromosome", "kept"), [("X", 1), ("23", 1), ("chr2", 0), ("02", 0)])
    def test_equilibrium_is_asked_of_autosomes_only(self, genotypes: Genotypes, chromosome: str, kept: int):
        genotypes.write([[2, 0] * 10, [1, 0] * 10], ["no-hets", "good"], chromosome)

        assert len(genotypes.control(hwe=0.01)[0]) == kept + 1

    def test_the_launchs_lists_are_applied(self, genotypes: Genotypes):
        # Given lists with a name that the genotypes do not have
        genotypes.write([[1, 0, 1], [1, 1, 0], [0, 1, 1]])

        variants, samples = genotypes.control(
            extract=genotypes.table("in.txt", "v0", "v1 more", "other"),
            exclude=genotypes.table("out.txt", "v1"),
            analysed="100",
        )

        assert (variants, samples) == (["v0"], ["f i0"])

    def test_a_list_may_be_compressed_as_regenie_takes_it(self, genotypes: Genotypes):
        genotypes.write([[1, 0, 1], [1, 1, 0]])
        (genotypes.workspace.data / "out.txt.gz").write_bytes(gzip.compress(b"v0\n"))

        assert genotypes.control(exclude="out.txt.gz")[0] == ["v1"]

    def test_a_list_that_is_only_called_so_is_read_as_it_is(self, genotypes: Genotypes):
        genotypes.write([[1, 0, 1], [1, 1, 0]])

        assert genotypes.control(exclude=genotypes.table("out.gz", "v0"))[0] == ["v1"]

    def test_genotypes_of_those_who_are_not_analysed_do_not_count(self, genotypes: Genotypes):
        # Given a variant whose minor allele only others have, so that it has no variance in step 1
        genotypes.write([[0, 0, 1, 2], [1, 0, 0, 0], [None, 1, None, None]], ["others", "ours", "gaps"])

        variants, samples = genotypes.control(analysed="1100", mac=1, geno=0.5)

        assert (variants, samples) == (["ours", "gaps"], ["f i0", "f i1"])
        assert genotypes.left_out == {"mac": 1}

    def test_another_list_of_samples_than_was_planned_with_is_refused(self, genotypes: Genotypes):
        genotypes.write([[1, 0, 1]])

        with pytest.raises(RunnerError, match=r"cohort\.bed has 3 samples, and had 2 when the launch was planned"):
            genotypes.control(analysed="11")

    def test_variants_of_one_name_pass_or_fail_together(self, genotypes: Genotypes):
        genotypes.write([[1, 0, 1], [0, 0, 0], [1, 1, 0]], ["twin", "twin", "single"])

        assert genotypes.control(mac=1)[0] == ["single"]
        assert genotypes.left_out == {"mac": 1, "name": 1}

    def test_nothing_left_says_so(self, genotypes: Genotypes):
        genotypes.write([[0, 0, 0]])

        with pytest.raises(RunnerError, match=r"no variant of 1: mac 1 left out 1\. Give a smaller mac in step1\.qc"):
            genotypes.control(mac=1)

    @pytest.mark.parametrize(
        ("given", "words"),
        [
            ({"mind": 0}, r"left none of 3 people: step1\.qc\.mind is 0, .* the 3 variants\. Give a larger mind"),
            ({"geno": 0}, r"left 3 of 3 people, and no variant of 3: geno 0 left out 3\. Give a larger geno"),
            ({"maf": 0.49, "mac": 2}, r"no variant of 3: .*maf 0\.49 left out 2.*Give a smaller maf"),
        ],
    )
    def test_nothing_left_names_the_threshold_that_leaves_out_most(
        self, genotypes: Genotypes, given: dict[str, Any], words: str
    ):
        genotypes.write(
            [
                [
                    None,
                    0,
                    1,
                ],
                [2, None, 1],
                [2, 2, None],
            ]
            if "maf" not in given
            else [[0, 0, 1, 1, 0]] * 2 + [[0, 0, 0, 0, 1]]
        )

        with pytest.raises(RunnerError, match=words):
            genotypes.control(**given)

    def test_a_genotype_file_without_a_variant_is_not_a_fault_of_lists(self):
        error = nothing_left((3, 0), (3, 0), {"list": 0}, {}, [])

        assert str(error) == (
            "The genotype file of step 1 has no variant, before any quality control: give one that has some, and retry."
        )

    @pytest.mark.parametrize(
        ("given", "words"),
        [
            ({"exclude": ["v0", "v1"]}, r"step1\.exclude leaves no variant of 2 for step 1"),
            ({"extract": ["v0"], "exclude": ["v0"]}, r"step1\.extract and step1\.exclude leave no variant of 2"),
        ],
    )
    def test_lists_that_leave_nothing_are_not_called_quality_control(
        self, genotypes: Genotypes, given: dict[str, list[str]], words: str
    ):
        genotypes.write([[0, 1, 2], [2, 1, 0]])

        with pytest.raises(RunnerError, match=words):
            genotypes.control(**{key: genotypes.table(f"{key}.txt", *names) for key, names in given.items()})

    def test_almost_nothing_left_names_the_thresholds_too(self, genotypes: Genotypes):
        genotypes.write([[0, 1, 2]] + [[0, 0, 0]] * 20)

        with pytest.raises(RunnerError, match=r"left 1 of 21 variants, too few .* genome: mac 1 left out 20\."):
            genotypes.control(mac=1)

    def test_more_than_step_1_takes_says_so(self, genotypes: Genotypes, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr("regenie_runner.qc.MOST_VARIANTS", 1)
        genotypes.write([[1, 0], [0, 1]])

        with pytest.raises(RunnerError, match=r"left 2 variants, more than the 1 .* step1\.extract"):
            genotypes.control()

    def test_blocks_make_no_difference(self, genotypes: Genotypes, monkeypatch: pytest.MonkeyPatch):
        rows: list[list[int | None]] = [[1, 0, 2, number % 3] for number in range(20)]
        genotypes.write(rows)
        whole = genotypes.control(mac=4)
        monkeypatch.setattr(Bed.blocks, "__defaults__", (3,))

        assert genotypes.control(mac=4, maf=1e-9) == whole
        assert bed.BLOCK_BYTES > 3

    def test_it_is_done_again_only_for_other_settings(self, genotypes: Genotypes):
        genotypes.write([[1, 0, 1], [0, 0, 1]])
        genotypes.control()
        (genotypes.workspace.data / "cohort.bed").unlink()

        assert genotypes.control()[0] == ["v0", "v1"]
        with pytest.raises(FileNotFoundError):
            genotypes.control(mac=2)


class TestBounds:
    """How much may be left out: what is said is what a reader finds in the status."""

    def judged(self, genotypes: Genotypes, *, good: int, bad: int, people: tuple[int, int] = (40, 0)) -> list[str]:
        """When: so many variants pass and fail, and so many people have all genotypes and lack most of them."""
        called, gaps = people
        row = [*[1, 0] * (called // 2), *[None] * gaps]
        rare: list[int | None] = [0] * called + [None] * gaps
        genotypes.write([row] * good + [rare] * bad)
        genotypes.control(mac=2, mind=0.5)
        folder = genotypes.workspace.work / "step1" / "qc"
        warnings: list[str] = json.loads((folder / "summary.json").read_text())["warnings"]
        return warnings

    def test_four_of_fifteen_hundred_variants_are_refused(self, genotypes: Genotypes):
        with pytest.raises(RunnerError, match=r"left 4 of 1,500 variants, too few .* qc: false"):
            self.judged(genotypes, good=4, bad=1496)

    def test_few_variants_that_were_given_on_purpose_are_taken(self, genotypes: Genotypes):
        assert self.judged(genotypes, good=40, bad=3) == []

    def test_fewer_than_half_of_few_are_warned_of(self, genotypes: Genotypes):
        (warning,) = self.judged(genotypes, good=120, bad=1000)

        assert "quality control left 120 of 1,120 variants" in warning

    def test_most_people_without_genotypes_are_refused(self, genotypes: Genotypes):
        with pytest.raises(RunnerError, match=r"left 20 of 300 people: .*\(mind\)"):
            self.judged(genotypes, good=10, bad=0, people=(20, 280))

    def test_more_people_than_a_few_are_warned_of(self, genotypes: Genotypes):
        (warning,) = self.judged(genotypes, good=10, bad=0, people=(80, 20))

        assert "quality control left 80 of 100 people" in warning

    def test_a_few_people_are_no_news(self, genotypes: Genotypes):
        assert self.judged(genotypes, good=10, bad=0, people=(98, 2)) == []
