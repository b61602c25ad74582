"""Annotations, sets and masks that do not fit each other, or the genotypes, are seen before anything is made."""

from typing import Any

import pytest

from lambdas.regenie.preflight import annotations
from tests.unit.regenie_planning.conftest import MemoryDataSet, bim
from tests.unit.regenie_preflight.conftest import checked, faults, the_fault, warnings

TESTS = {"gene_tests": {"annotations": "anno.txt", "sets": "sets.txt", "masks": "masks.txt"}}
WHERE = "regenie.step2.gene_tests."


@pytest.fixture
def genes(cohort: MemoryDataSet) -> MemoryDataSet:
    """Given: two variants of chromosome 1, `1:10` and `1:20`, in a set."""
    assert cohort.files["cohort.bim"] == bim(("1", 10), ("1", 20))
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
        ("anno.txt", b"1:10 G1 LoF\n1:10 G1 missense\n", "annotations", "annotates 1:10 twice for a set (line 2)"),
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


def test_a_sample_of_ids_has_its_share_of_the_whole_file(genes: MemoryDataSet, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given: memory for 50 ids, and the only known ones at the very end of 1,000
    monkeypatch.setattr(annotations, "_MOST_IDS", 50)
    sample: Any = annotations._Sample()
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
