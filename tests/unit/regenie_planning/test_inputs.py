"""All faults of a launch's inputs are named at once."""

from typing import Any

import pytest

from genolaunch.shared.input_error import LaunchInputError
from lambdas.regenie import inputs
from lambdas.regenie.chunks import SetChunk
from lambdas.regenie.images import Images
from tests.unit.regenie_planning.conftest import MemoryDataSet, add_cohort, bed, loco, parameters

IMAGES = Images({"4.1.2": "regenie:4.1.2", "4.0": "regenie:4.0"}, "4.1.2")


def faults(data: MemoryDataSet, **given: Any) -> dict[str, list[str]]:
    """Config key -> problems."""
    with pytest.raises(LaunchInputError) as refusal:
        inputs.read_inputs(data, parameters(**given), IMAGES)
    found: dict[str, list[str]] = {}
    for fault in refusal.value.faults:
        assert fault.as_dict() in refusal.value.report["faults"]
        found.setdefault(fault.where, []).append(fault.problem)
    return found


def test_everything_that_is_missing_is_named_in_one_error(data: MemoryDataSet):
    found = faults(data, version="9.9", sample=None)

    assert found == {
        "regenie.genotypes": [
            "needs s3://data/cohort/cohort.bed, which does not exist",
            "needs s3://data/cohort/cohort.bim, which does not exist",
            "needs s3://data/cohort/cohort.fam, which does not exist",
        ],
        "regenie.phenotypes": ["needs s3://data/cohort/phenotypes.txt, which does not exist"],
        "regenie.covariates": ["needs s3://data/cohort/covariates.txt, which does not exist"],
        "regenie.version": ["must be one of 4.0, 4.1.2; you gave 9.9"],
    }


def test_the_fingerprint_tells_other_data_and_another_image(data: MemoryDataSet):
    add_cohort(data, ("1", 10))
    given = parameters(sample=None)
    before = inputs.read_inputs(data, given, IMAGES).fingerprint

    again = inputs.read_inputs(data, given, IMAGES).fingerprint
    other_image = inputs.read_inputs(data, given, Images({"4.1.2": "regenie:rebuilt"}, "4.1.2")).fingerprint
    data.files["phenotypes.txt"] += b"f99 i99 0 0 0 0\n"
    other_data = inputs.read_inputs(data, given, IMAGES).fingerprint

    assert again == before
    assert len({before, other_image, other_data}) == 3


def test_a_fault_of_a_data_set_names_its_place_in_the_config(data: MemoryDataSet):
    add_cohort(data, ("1", 10))
    data.files["two.bed"] = bed(1, 8)

    found = faults(data, step2={"datasets": [{"genotypes": "cohort.bed"}, {"genotypes": "two.bed"}]})

    assert found == {
        "regenie.step2.datasets[1].genotypes": [
            "needs s3://data/cohort/two.bim, which does not exist",
            "needs s3://data/cohort/two.fam, which does not exist",
        ]
    }


def test_unknown_traits_and_missing_predictions_are_named_together(data: MemoryDataSet):
    add_cohort(data, ("1", 10))
    data.files["fit_pred.list"] = b"height fit_1.loco\n"

    found = faults(data, traits=["height", "hdl"], step1={"enabled": False, "predictions": "fit_pred.list"})

    assert found == {
        "regenie.traits": ["names hdl, not in the header of the phenotype file"],
        "regenie.step1.predictions": ["names s3://data/cohort/fit_pred.list, which has no predictions for hdl"],
    }


def test_a_given_prediction_must_exist(data: MemoryDataSet):
    add_cohort(data, ("1", 10))
    data.files["old/fit_pred.list"] = b"height /x/fit_1.loco\n"

    found = faults(data, traits=["height"], step1={"enabled": False, "predictions": "old/fit_pred.list"})

    assert found == {"regenie.step1.predictions": ["needs s3://data/cohort/old/fit_1.loco, which does not exist"]}


def test_step_1s_genotypes_are_not_needed_when_nothing_reads_them(data: MemoryDataSet):
    add_cohort(data, ("1", 10), name="imputed")
    data.files.update({"fit_pred.list": b"height fit_1.loco\n", "fit_1.loco": loco()})
    config = parameters(
        genotypes="absent.bed",
        traits=["height"],
        step1={"enabled": False, "predictions": "fit_pred.list"},
        step2={"datasets": [{"genotypes": "imputed.bed"}]},
    )

    found = inputs.read_inputs(data, config, IMAGES)

    assert [files.path for files in found.genotypes] == ["imputed.bed"]


def test_every_file_that_is_read_counts_once(data: MemoryDataSet):
    add_cohort(data, ("1", 10), ("1", 20))

    found = inputs.read_inputs(data, parameters(), IMAGES)

    assert found.input_bytes == sum(map(len, data.files.values()))


def test_more_jobs_than_make_sense_are_refused_with_a_number_that_works(
    data: MemoryDataSet, monkeypatch: pytest.MonkeyPatch
):
    # Given room for 4 jobs, and 6 variants on 2 chromosomes
    monkeypatch.setattr(inputs, "MOST_STEP2_JOBS", 4)
    add_cohort(data, *(("1", n) for n in range(1, 4)), *(("2", n) for n in range(1, 4)))

    found = faults(data, step2={"variants_per_job": 1})

    assert found == {"regenie.step2.variants_per_job": ["makes 6 jobs, more than 4; you gave 1"]}
    inputs.read_inputs(data, parameters(step2={"variants_per_job": 3}), IMAGES)  # the remedy's number


def test_more_variants_than_step_1_takes_are_refused(data: MemoryDataSet, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(inputs, "MOST_STEP1_VARIANTS", 1)
    add_cohort(data, ("1", 10), ("1", 20))

    found = faults(data)

    assert found == {"regenie.genotypes": ["has 2 variants, more than the 1 that regenie takes in step 1"]}


SET_FILES = {"annotations": "genes/a.txt", "sets": "genes/s.txt", "masks": "genes/m.txt"}


def gene_sets(data: MemoryDataSet, *lines: bytes) -> None:
    """Given: files of gene-based tests, with a list of these sets, beside a cohort with chromosomes 1 and 2."""
    add_cohort(data, ("1", 10), ("1", 20), ("2", 30))
    annotations = b"1:10 PCSK9 LoF\n1:10 G0 LoF\n1:10 MX1 LoF\n"
    data.files.update({"genes/a.txt": annotations, "genes/m.txt": b"M1 LoF\n", "genes/s.txt": b"\n".join(lines)})


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ([], "has no sets"),
        ([b"PCSK9 1 10 1:10", b"PCSK9 2 30 2:30"], "has the set PCSK9 twice"),
        ([b"PCSK9 1 10 1:10", b"", b"APOB 2 30 2:30"], "line 2 is not `SET CHROMOSOME"),
        ([b"PCSK9 1 10"], "line 1 is not `SET CHROMOSOME POSITION VARIANT,VARIANT,...`"),
        ([b"\x1f\x8b\x08 compressed"], "which is compressed"),
        ([b"SRY Y 5 Y:5"], "chromosome Y "),
        ([b"MX1 21 5 21:5"], "has no set on a chromosome of the tested genotypes"),
    ],
)
def test_a_list_of_sets_that_does_not_do_is_refused(data: MemoryDataSet, lines: list[bytes], problem: str):
    gene_sets(data, *lines)

    found = faults(data, step2={"gene_tests": SET_FILES})

    assert list(found) == ["regenie.step2.gene_tests.sets"]
    assert any(problem in fault for fault in found["regenie.step2.gene_tests.sets"])


def test_each_file_of_gene_based_tests_must_exist(data: MemoryDataSet):
    add_cohort(data, ("1", 10))

    found = faults(data, step2={"gene_tests": SET_FILES})

    assert set(found) == {f"regenie.step2.gene_tests.{key}" for key in SET_FILES}


def test_sets_are_cut_evenly_within_the_chromosomes_of_the_genotypes(data: MemoryDataSet):
    gene_sets(data, *(b"G%d,1,10,1:10,1:20" % n for n in range(5)), b"APOB\tchr2\t30\t2:30", b"MX1 21 5 21:5")

    found = inputs.read_inputs(data, parameters(step2={"gene_tests": {**SET_FILES, "sets_per_job": 3}}), IMAGES)

    (genotypes,) = found.genotypes.values()
    assert [chunk.sets for chunk in genotypes.chunks if isinstance(chunk, SetChunk)] == [
        ("G0", "G1"),
        ("G2", "G3", "G4"),
        ("APOB",),
    ]
    assert [chunk.range for chunk in genotypes.chunks] == ["1:G0-G1", "1:G2-G4", "2:APOB"]


def test_lists_and_files_beside_the_tested_genotypes_must_exist(data: MemoryDataSet):
    add_cohort(data, ("1", 10))

    found = faults(
        data,
        keep="keep.txt",
        step1={"extract": "array.txt"},
        step2={
            "exclude": "hla.txt",
            "condition": {"variants": "hits.txt", "genotypes": "hits.bed"},
        },
    )

    assert found == {
        "regenie.keep": ["needs s3://data/cohort/keep.txt, which does not exist"],
        "regenie.step1.extract": ["needs s3://data/cohort/array.txt, which does not exist"],
        "regenie.step2.exclude": ["needs s3://data/cohort/hla.txt, which does not exist"],
        "regenie.step2.condition.variants": ["needs s3://data/cohort/hits.txt, which does not exist"],
        "regenie.step2.condition.genotypes": [
            f"needs s3://data/cohort/hits.{suffix}, which does not exist" for suffix in ("bed", "bim", "fam")
        ],
    }


def test_covariates_that_the_file_does_not_have_are_named(data: MemoryDataSet):
    add_cohort(data, ("1", 10))

    found = faults(
        data,
        covariate_columns=["age", "pc1"],
        step2={"interaction": {"covariate": "pc1"}},
    )

    problem = "names pc1, not in the header of the covariate file"
    assert found == {"regenie.covariate_columns": [problem], "regenie.step2.interaction.covariate": [problem]}


@pytest.mark.parametrize("step1", [{"qc": {"mac": 1}}, {"extract": "array.txt"}, {"exclude": "rare.txt"}])
def test_lists_and_quality_control_may_choose_among_more_variants_than_step_1_takes(
    data: MemoryDataSet, monkeypatch: pytest.MonkeyPatch, step1: dict[str, Any]
):
    monkeypatch.setattr(inputs, "MOST_STEP1_VARIANTS", 1)
    add_cohort(data, ("1", 10), ("1", 20))
    data.files.update({"array.txt": b"1:10\n", "rare.txt": b"1:20\n"})

    inputs.read_inputs(data, parameters(step1=step1), IMAGES)


def test_other_thresholds_of_quality_control_make_other_inputs(data: MemoryDataSet):
    add_cohort(data, ("1", 10))

    settings: list[dict[str, Any]] = [{}, {"qc": {"mac": 1}}, {"qc": {"mac": 1, "maf": 0.05}}]
    fingerprints = {inputs.read_inputs(data, parameters(step1=step1), IMAGES).fingerprint for step1 in settings}

    assert len(fingerprints) == 3
