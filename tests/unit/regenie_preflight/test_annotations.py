"""Annotations, sets and masks that do not fit each other, or the genotypes, are seen before anything is made."""

from typing import Any

import pytest

from lambdas.regenie.preflight import annotations
from tests.unit.regenie_planning.conftest import MemoryDataSet, bim
from tests.unit.regenie_preflight.conftest import PEOPLE, checked, faults, the_fault, warnings

FILES = {"annotations": "anno.txt", "sets": "sets.txt", "masks": "masks.txt"}
TESTS: dict[str, Any] = {"gene_tests": {**FILES, "aaf_bins": [0.1]}}
WHERE = "regenie.step2.gene_tests."


def variant(carriers: int, *, missing: int = 0) -> bytes:
    """Genotypes of 24 people: the first ones have one alternative allele, the last ones no genotype."""
    codes = [0b10] * carriers + [0b11] * (PEOPLE - carriers - missing) + [0b01] * missing
    return bytes(sum(code << 2 * place for place, code in enumerate(codes[n : n + 4])) for n in range(0, PEOPLE, 4))


@pytest.fixture
def genes(cohort: MemoryDataSet) -> MemoryDataSet:
    """Given: two variants of chromosome 1, `1:10` and `1:20`, in a set."""
    assert cohort.files["cohort.bim"] == bim(("1", 10), ("1", 20))
    cohort.files["cohort.bed"] = b"\x6c\x1b\x01" + variant(1) + variant(2)
    cohort.files.update(
        {
            "anno.txt": b"1:10 G1 LoF\n1:20\tG1\tmissense\n",
            "sets.txt": b"G1 1 10 1:10,1:20\n",
            "masks.txt": b"M1 LoF\nM2 LoF,missense\n",
        }
    )
    return cohort


def test_what_fits_is_not_spoken_of(genes: MemoryDataSet) -> None:
    found = checked(genes, step2=TESTS)

    assert found.warnings == ()
    assert found.samples.lists == {}


@pytest.mark.parametrize(
    ("path", "content", "where", "words"),
    [
        ("anno.txt", b"chr1:10 G1 LoF\nchr1:20 G1 missense\n", "annotations", "of whose 2 entries none is among"),
        ("anno.txt", b"rs10 G1 LoF\n", "annotations", "it has rs10, they have 1:10"),
        ("sets.txt", b"G1 1 10 rs10,rs20,rs30\n", "sets", "of whose 3 entries none is among the variants"),
        ("masks.txt", b"M1 lof\nM2 pLoF,missense_variant\n", "masks", "(lof, missense_variant, pLoF) are not in"),
        ("masks.txt", b"M1 lof\n", "masks", "which has LoF, missense"),
        ("masks.txt", b"M1\n", "masks", "line 1 is not `MASK ANNOTATION"),
        ("masks.txt", b"", "masks", "which has no masks"),
        ("masks.txt", b"M2 LoF, missense\n", "masks", "line 1 is not `MASK ANNOTATION"),
        ("masks.txt", b"M1 LoF\nM1 missense\n", "masks", "of a new mask"),
        ("masks.txt", b"M1 LoF\n\n", "masks", "line 2 is not"),
        ("anno.txt", b"1:10 ENSG1 LoF\n1:20 ENSG1 missense\n", "annotations", "whose sets (ENSG1) are none of those"),
        ("anno.txt", b"1:10  G1  LoF\n", "annotations", "line 1 is not `VARIANT SET ANNOTATION`"),
        ("anno.txt", b"1:10 G1 LoF\n\n", "annotations", "line 2 is not `VARIANT SET ANNOTATION`"),
        ("anno.txt", b"1:10 G1 LoF\n1:10 G1 missense\n", "annotations", "1 variant twice for a set: 1:10 G1"),
        ("anno.txt", b"1:10 G1 LoF\n1:20 G1 LoF\n1:10 G1 LoF\n", "annotations", "1 variant twice for a set: 1:10 G1"),
        ("anno.txt", b"1:10 G1 LoF lof\n1:20 G1 LoF mis\n", "masks", "which has lof, mis"),
    ],
)
def test_names_of_which_none_is_known_are_a_fault(
    genes: MemoryDataSet, path: str, content: bytes, where: str, words: str
) -> None:
    genes.files[path] = content

    fault = the_fault(genes, step2=TESTS)

    assert fault.where == WHERE + where
    assert words in fault.problem


def test_who_is_not_genotyped_may_be_annotated_twice_and_with_domains_anybody(genes: MemoryDataSet) -> None:
    genes.files["anno.txt"] += b"1:99 G1 LoF\n1:99 G1 LoF\n"
    assert checked(genes, step2=TESTS).warnings == ()

    genes.files["anno.txt"] = b"1:10 G1 head LoF\n1:10 G1 tail LoF\n1:20 G1 tail missense\n"
    assert checked(genes, step2=TESTS).warnings == ()


def test_more_annotations_than_regenie_takes_are_refused(genes: MemoryDataSet) -> None:
    genes.files["anno.txt"] += b"".join(b"1:10 H%d c%d\n" % (n, n) for n in range(62))

    assert "with 64 annotations; regenie takes 63" in the_fault(genes, step2=TESTS).problem


def test_annotations_of_the_whole_genome_fit_the_genotypes_of_one_chromosome(genes: MemoryDataSet) -> None:
    others = b"".join(b"2:%d G2 LoF\n" % position for position in range(100))
    genes.files["anno.txt"] = others + genes.files["anno.txt"]

    assert checked(genes, step2=TESTS).warnings == ()


def test_a_mask_that_cannot_be_made_is_warned_of(genes: MemoryDataSet) -> None:
    genes.files["masks.txt"] += b"M3 synonymous\n"

    assert "where M3 is a mask whose annotations (synonymous) are not in s3://" in warnings(genes, step2=TESTS)


def test_with_domains_the_annotation_is_the_fourth_word(genes: MemoryDataSet) -> None:
    genes.files["anno.txt"] = b"1:10 G1 head LoF\n1:20 G1 tail missense\n"

    assert checked(genes, step2=TESTS).warnings == ()


def test_a_sample_of_ids_has_its_share_of_the_whole_file() -> None:
    # Given: memory for 50 ids, and the only known ones at the very end of 1,000
    sample = annotations.Sample(50)
    for position in range(1000):
        sample.add(b"1:%d" % position)

    assert 10 < len(sample.ids) <= 50
    assert any(int(name[2:]) > 800 for name in sample.ids)
    assert any(int(name[2:]) < 200 for name in sample.ids)


def test_missing_files_are_named_once(genes: MemoryDataSet) -> None:
    for path in ("anno.txt", "sets.txt", "masks.txt"):
        del genes.files[path]

    found = faults(genes, step2=TESTS)

    assert sorted(fault.where for fault in found) == [WHERE + key for key in ("annotations", "masks", "sets")]


class TestChromosomes:
    """One run over all chromosomes takes a set's variants from wherever they are, and only warns (regenie 4.1.2); a job
    reads one chromosome, and would leave them out."""

    @pytest.fixture
    def two(self, genes: MemoryDataSet) -> MemoryDataSet:
        """Given: a variant on chromosome 2, too."""
        genes.files["cohort.bim"] = bim(("1", 10), ("2", 20))
        genes.files["anno.txt"] = b"1:10 G1 LoF\n2:20 G2 missense\n2:20 G1 LoF\n"
        return genes

    @pytest.mark.parametrize(
        ("sets", "words"),
        [
            (b"G1 1 10 1:10\nG2 1 20 2:20\n", "1 set has variants of another chromosome"),
            (b"G1 1 10 1:10\nG2 1 20 2:20\n", "such as G2 on 1: 2:20 is on 2"),
            (b"G1 2 10 1:10\nG2 chr1 20 2:20\n", "2 sets have variants"),
            (b"G1 1 10 1:10,2:20\nG2 2 20 2:20\n", "such as G1 on 1: 2:20 is on 2"),
        ],
    )
    def test_a_set_on_another_chromosome_than_its_variants_is_refused(
        self, two: MemoryDataSet, sets: bytes, words: str
    ) -> None:
        two.files["sets.txt"] = sets

        fault = the_fault(two, step2=TESTS)

        assert fault.where == WHERE + "sets"
        assert words in fault.problem

    def test_a_set_on_its_variants_chromosome_is_not(self, two: MemoryDataSet) -> None:
        two.files["sets.txt"] = b"G1 01 10 1:10,3:30\nG2 chr2 20 2:20\n"

        assert checked(two, step2=TESTS).warnings == ()

    def test_a_long_list_is_looked_at_by_its_sets(self, two: MemoryDataSet, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(annotations, "_MOST_IDS", 50)
        others = b"".join(b"H%d 1 10 1:10,1:%d\n" % (n, n) for n in range(100))
        two.files["sets.txt"] = others + b"G1 1 10 1:10\nG2 1 20 2:20\n"

        assert "such as G2 on 1" in the_fault(two, step2=TESTS).problem


@pytest.mark.parametrize(
    ("annotated", "sets"),
    [
        (b"1:10 G1 LoF\n1:99 G1 missense\n", b"G1 1 10 1:10,1:20,1:99\n"),  # of a variant without genotypes
        (b"1:10 G1 LoF\n1:20 G1 missense\n", b"G1 1 10 1:10\n"),  # of one that the set has not
        (b"1:10 G1 LoF\n1:20 G2 missense\n", b"G1 1 10 1:10,1:20\n"),  # for another set
    ],
)
def test_an_annotation_of_no_variant_that_is_tested(genes: MemoryDataSet, annotated: bytes, sets: bytes) -> None:
    genes.files.update({"anno.txt": annotated, "sets.txt": sets, "masks.txt": b"M1 LoF\nM2 missense\n"})
    assert "where M2 is a mask whose annotations (missense) no variant has" in warnings(genes, step2=TESTS)

    genes.files["masks.txt"] = b"M1 LoF,missense\n"
    assert "with masks some of whose annotations (missense) no variant has" in warnings(genes, step2=TESTS)

    genes.files["masks.txt"] = b"M1 missense\n"
    assert "no mask of which can be made" in the_fault(genes, step2=TESTS).problem


def test_a_misspelt_annotation_beside_a_good_one_is_warned_of(genes: MemoryDataSet) -> None:
    genes.files["masks.txt"] = b"M1 LoF,mis5\n"

    assert "some of whose annotations (mis5) are not in s3://" in warnings(genes, step2=TESTS)


@pytest.mark.parametrize("position", ["1234.5", "1e6", "010", "0x10", "-5"])
def test_a_position_that_regenie_takes_for_another_number_is_refused(genes: MemoryDataSet, position: str) -> None:
    genes.files["sets.txt"] = f"G1 1 {position} 1:10,1:20\n".encode()

    assert f"line 1 has {position!r} where the position of the set G1 stands" in the_fault(genes, step2=TESTS).problem


def test_columns_of_sets_are_parted_by_one_space(genes: MemoryDataSet) -> None:
    genes.files["sets.txt"] = b"G1  1 10 1:10,1:20\n"

    assert "line 1 is not `SET CHROMOSOME" in the_fault(genes, step2=TESTS).problem


class TestFrequencies:
    """Masks without a variant that is rare enough, and carried: regenie ends well, without rows (4.1.2, run)."""

    @pytest.mark.parametrize(
        ("tests", "words"),
        [
            ({"aaf_bins": [0.001, 0.02]}, "takes variants with an alternative allele frequency up to 0.02, and of 2"),
            ({}, "is not given, and masks take variants with an alternative allele frequency up to 0.01"),
            ({}, "(1:10 0.0208, 1:20 0.0417)"),
        ],
    )
    def test_bounds_below_every_variant_are_warned_of(
        self, genes: MemoryDataSet, tests: dict[str, Any], words: str
    ) -> None:
        assert words in warnings(genes, step2={"gene_tests": {**FILES, **tests}})

    def test_one_variant_that_is_rare_enough_does(self, genes: MemoryDataSet) -> None:
        assert warnings(genes, step2={"gene_tests": {**FILES, "aaf_bins": [0.021]}}) == ""

    def test_missing_genotypes_have_no_part(self, genes: MemoryDataSet) -> None:
        genes.files["cohort.bed"] = b"\x6c\x1b\x01" + variant(1, missing=4) + variant(2)

        assert "(1:10 0.025, 1:20" in warnings(genes, step2={"gene_tests": FILES})

    def test_variants_that_nobody_carries_do_not_do(self, genes: MemoryDataSet) -> None:
        genes.files["cohort.bed"] = b"\x6c\x1b\x01" + variant(0) + variant(0)

        assert "none has one above 0" in warnings(genes, step2=TESTS)

    def test_the_other_allele_counts_where_the_first_is_the_reference(self, genes: MemoryDataSet) -> None:
        assert "(1:20 0.958, 1:10 0.979)" in warnings(genes, step2={**TESTS, "extra": ["--ref-first"]})

    def test_variance_tests_take_all_variants(self, genes: MemoryDataSet) -> None:
        assert warnings(genes, step2={"gene_tests": {**FILES, "vc_tests": ["skat"]}}) == ""
