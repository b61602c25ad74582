"""What of S3 a launch's file system shows."""

import pytest

from lambdas.regenie.imported import import_paths

RESULTS = "s3://results/results/launch-1/"


@pytest.mark.parametrize(
    ("inputs", "folders"),
    [
        (
            ["genotypes/a.bed", "genotypes/a.bim", "tables/traits.tsv"],
            ["s3://b/study/genotypes", "s3://b/study/tables"],
        ),
        (["g/a.bed", "g/lists/keep.txt", "g2/a.bed"], ["s3://b/study/g", "s3://b/study/g2"]),
        (["g/deep/a.bed", "g/deep/er/b.txt", "h/c.txt"], ["s3://b/study/g/deep", "s3://b/study/h"]),
        (["g/with space/a+b.bed"], ["s3://b/study/g/with space"]),
        (["traits.tsv", "genotypes/a.bed"], ["s3://b/study"]),
    ],
    ids=["two", "one below another", "deep", "odd names", "the data's own folder"],
)
def test_the_folders_that_hold_inputs_are_imported_and_the_launchs_results(inputs: list[str], folders: list[str]):
    assert import_paths("s3://b/study/", inputs, [RESULTS]) == [*folders, "s3://results/results/launch-1"]


def test_all_of_a_bucket_is_a_path_too():
    assert import_paths("s3://b/", ["traits.tsv"], [RESULTS])[0] == "s3://b"


@pytest.mark.parametrize(("folders", "characters"), [(100, 1), (20, 1_000)], ids=["too many", "too long"])
def test_folders_that_no_task_takes_are_imported_with_all_that_is_linked(folders: int, characters: int):
    inputs = [f"{'x' * characters}{number}/a.bed" for number in range(folders)]

    assert import_paths("s3://b/study/", inputs, [RESULTS]) == ["s3://b/study", "s3://results/results/launch-1"]
    assert len(import_paths("s3://b/study/", inputs[: 16_384 // (characters + 20)][:99], [RESULTS])) > 2
