"""What is put into the launch bucket where nothing belongs: what its author is told."""

import importlib
import pkgutil

import pytest

from genolaunch import contract
from genolaunch.contract.cost import PRICED_PREFIX
from genolaunch.contract.launch_bucket import LAUNCH_BUCKET_PREFIXES, SCHEMA_KEY, feedback_key
from genolaunch.contract.launcher import LAUNCHER_LOG_PREFIX
from genolaunch.contract.results import RESULTS_PREFIX
from lambdas.shared.feedback import has_feedback_key
from lambdas.workflow_manager.strays import stray


def told(key: str, teams: tuple[str, ...] = ()) -> str:
    fault = stray(key, data_bucket="stage-data", teams=teams)
    assert fault is not None, key
    assert key in fault.problem
    return fault.remedy


@pytest.mark.parametrize(
    ("key", "place"),
    [
        # At the bucket's root, or in a folder of one's own
        ("gwas.yaml", "launches/gwas.yaml"),
        ("gwas.YML", "launches/gwas.YML"),
        ("configs/2026/gwas.json", "launches/gwas.json"),
        ("ada's height + weight%20.yaml", "launches/ada's height + weight%20.yaml"),
        # In a folder whose name is nearly right, of which the rest is kept
        ("Launches/gwas.yaml", "launches/gwas.yaml"),
        ("launch/2026/gwas.yaml", "launches/2026/gwas.yaml"),
        ("lauches/gwas.yaml", "launches/gwas.yaml"),
        ("/launches/gwas.yaml", "launches/gwas.yaml"),
        ("genolaunch-prod/launches/gwas.yaml", "launches/gwas.yaml"),
        # Folders that sound like the platform's own
        ("feedbacks/gwas.json", "launches/gwas.json"),
        ("restore/gwas.json", "launches/gwas.json"),
        ("branches/gwas.yaml", "launches/gwas.yaml"),
        # Snakefiles
        ("Snakefile", "snakefiles/NAME/Snakefile"),
        ("snakefile", "snakefiles/NAME/Snakefile"),
        ("snakemake/Snakefile", "snakefiles/NAME/Snakefile"),
        ("snakemake/exome/Snakefile", "snakefiles/exome/Snakefile"),
        ("Snakefiles/exome/Snakefile", "snakefiles/exome/Snakefile"),
        ("exome/Snakefile.smk", "snakefiles/exome/Snakefile"),
        ("launch/exome/Snakefile", "snakefiles/exome/Snakefile"),
        ("workflow/Snakefile", "snakefiles/NAME/workflow/Snakefile"),
        ("lab/exome/workflow/Snakefile", "snakefiles/exome/workflow/Snakefile"),
        ("Workflows/exome/Snakefile", "snakefiles/exome/Snakefile"),
        # What lies beside a Snakefile
        ("snakemake/exome/rules/map.smk", "snakefiles/exome/rules/map.smk"),
        ("snakemake/exome/config/samples.yaml", "snakefiles/exome/config/samples.yaml"),
        ("snakemake/exome.yaml", "launches/exome.yaml"),
        # `aws s3 cp FILE s3://BUCKET/launches`, without a slash at the end
        ("launches", "launches/NAME.yaml"),
        ("snakefiles", "snakefiles/NAME/Snakefile"),
    ],
)
def test_the_answer_names_the_very_key_to_use(key, place):
    remedy = told(key)

    said = remedy.replace(",", " ").replace(";", " ").replace(":", " ").replace(". ", " ")
    assert f"to {place} " in f"{said.removesuffix('.')} "


@pytest.mark.parametrize("key", ["cohort.bed", "data/cohort.bgen", "notes", "snakemake/README.md", "launch/phenotypes"])
def test_of_anything_else_it_says_what_belongs_where(key):
    remedy = told(key)

    assert "launches/ takes launch configs (.yaml, .yml, .json)" in remedy
    assert "snakefiles/NAME/ a Snakefile and its sources" in remedy
    assert "Data belongs in the data bucket, s3://stage-data/" in remedy


def test_a_config_that_may_be_a_workflows_is_told_both_places():
    assert told("snakemake/exome/config.yaml") == (
        "As a launch config, put it to launches/config.yaml; as a source of a workflow, to"
        " snakefiles/exome/config.yaml."
    )


@pytest.mark.parametrize(
    ("key", "place"),
    [
        ("gwas.yaml", "launches/TEAM/gwas.yaml"),
        ("red/gwas.yaml", "launches/red/gwas.yaml"),
        ("Launches/red/2026/gwas.yaml", "launches/red/2026/gwas.yaml"),
        ("launch/green/gwas.yaml", "launches/TEAM/green/gwas.yaml"),
        ("launches", "launches/TEAM/NAME.yaml"),
    ],
)
def test_a_stage_that_keeps_teams_apart_names_the_teams_folder(key, place):
    assert f"to {place}" in told(key, teams=("red", "blue"))


@pytest.mark.parametrize(
    "key",
    [
        "launches/gwas.yaml",
        "launches/README.md",
        "snakefiles/exome/rules/map.smk",
        "snakefiles/exome/config.yaml",
        "workflows/exome/Snakefile",
        "feedback/gwas.yaml.json",
        SCHEMA_KEY,
        "inputs/height-1.json",
        "restores/height-1/1.json",
        "configs/",
        "launch/2026/",
    ],
)
def test_what_belongs_where_it_is_and_markers_of_folders_are_not_answered(key):
    assert stray(key, data_bucket="stage-data") is None


def test_everything_that_the_contract_names_in_the_launch_bucket_belongs_there():
    # Given: all the contract's folders, those of the other buckets and of the log group apart
    others = {RESULTS_PREFIX, PRICED_PREFIX, LAUNCHER_LOG_PREFIX}
    modules = [
        importlib.import_module(f"{contract.__name__}.{each.name}") for each in pkgutil.iter_modules(contract.__path__)
    ]
    folders = {
        value
        for module in modules
        for name, value in vars(module).items()
        if name.endswith("_PREFIX") and isinstance(value, str) and value.endswith("/")
    }

    assert folders - others == set(LAUNCH_BUCKET_PREFIXES)
    assert SCHEMA_KEY.startswith(LAUNCH_BUCKET_PREFIXES)


@pytest.mark.parametrize("key", ["gwas.yaml", "Feedback/gwas.yaml", "feedback", "/feedback/a.json", "notes"])
def test_no_answer_is_answered(key):
    assert stray(key, data_bucket="stage-data") is not None
    assert stray(feedback_key(key), data_bucket="stage-data") is None


def test_of_a_key_of_which_no_answer_can_be_called_it_is_said_all_the_same():
    """By notice: see test_answers.py of the handlers."""
    longest = 1024 - len("feedback/.json")

    for name in ("ä" * (longest // 2), "ä" * (longest // 2 + 1)):
        assert stray(name, data_bucket="stage-data") is not None
    assert has_feedback_key("ä" * (longest // 2))
    assert not has_feedback_key("ä" * (longest // 2 + 1))
