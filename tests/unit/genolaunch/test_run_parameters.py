"""With what a launch ran, and where a stage's places are."""

import json
import shlex
from typing import Any

import pytest

from genolaunch.launch_configs.config_reader import read_config
from tests.unit.genolaunch.test_config_changes import REGENIE, SNAKEMAKE, stored

ODD: dict[str, Any] = {
    **SNAKEMAKE,
    "name": "1.0",
    "snakemake": {**SNAKEMAKE["snakemake"], "config": {"a": "no", "b": "1e5", "c": 1e-05, "d": "12:30", "e": "é"}},
}


@pytest.mark.parametrize("config", [REGENIE, SNAKEMAKE, ODD])
def test_parameters_are_a_config_that_gives_the_same_launch_again(genolaunch, content, config):
    content.launch(status="COMPLETE", config={"S": json.dumps(stored(config))})

    shown = genolaunch("parameters", "height-1")

    assert shown.exit_code == 0
    assert json.loads(read_config(shown.stdout.encode()).as_json()) == stored(config)
    assert shown.stdout.startswith("name: ")
    assert json.loads(genolaunch("parameters", "height-1", "--json").stdout) == stored(config)


def test_what_was_never_accepted_has_no_parameters(genolaunch, content):
    content.launch(status="REJECTED")

    result = genolaunch("parameters", "height-1")

    assert (result.exit_code, result.stdout) == (3, "")
    assert "was never accepted" in result.stderr


def plan(content, phase, *tasks):
    content.result(f"plan/{phase}.jsonl", "".join(json.dumps(task) + "\n" for task in tasks).encode())


@pytest.fixture
def planned(content):
    """Given: a launch with a level 0 job and two of step 2."""
    content.launch(status="COMPLETE", workflow={"S": "regenie"})
    plan(
        content,
        "level0",
        {"label": "level 0 job 1", "command": ["regenie", "--step", "1", "--bed", "{data}/my cohort"]},
    )
    chunk = ["regenie", "--step", "2", "--pred", "{output}/pred.list", "--keep", "{work}/a", "--range", "1:1-5"]
    plan(content, "step2", {"label": "1:1-5", "command": chunk}, {"label": "1:6-9", "command": [*chunk[:-1], "1:6-9"]})
    plan(content, "merge", {"label": "height", "trait": "height"})


def test_commands_are_those_of_a_shell(genolaunch, planned):
    lines = genolaunch("commands", "height-1").stdout.splitlines()

    assert lines == [
        "# Step 1: level 0, level 0 job 1",
        "regenie --step 1 --bed \"$DATA\"'/my cohort'",
        "# Step 2, 1:1-5, and 1 more like it",
        'regenie --step 2 --pred "$OUTPUT"/pred.list --keep "$WORK"/a --range 1:1-5',
    ]
    assert shlex.split(lines[1])[-1] == "$DATA/my cohort"


def test_those_of_all_jobs_are_shown_when_asked_for(genolaunch, planned):
    assert genolaunch("commands", "height-1", "--all").stdout.count("regenie --step 2") == 2
    found = json.loads(genolaunch("commands", "height-1", "--json").stdout)
    assert [each["label"] for each in found] == ["level 0 job 1", "1:1-5", "1:6-9"]


def test_before_its_plan_a_launch_has_no_commands_and_snakemakes_are_in_its_log(genolaunch, content):
    content.launch("new-1", status="SUBMITTED", workflow={"S": "regenie"})
    content.launch("reads-1", status="COMPLETE", workflow={"S": "snakemake"})

    unplanned = genolaunch("commands", "new-1")
    assert (unplanned.exit_code, unplanned.stdout) == (3, "")
    assert "its jobs are not planned" in unplanned.stderr
    assert "genolaunch logs reads-1" in genolaunch("commands", "reads-1").stderr


def test_where_names_the_buckets_and_what_belongs_there(genolaunch):
    shown = genolaunch("where").stdout
    places = json.loads(genolaunch("where", "--json").stdout)

    assert places["data"] == "s3://data-bucket-1/"
    assert places["launches"] == "s3://launch-bucket-1/launches/"
    assert places["results"] == "s3://results-bucket-1/results/"
    assert places["stage"] == "dev"
    assert all(place in shown for place in places.values())
    assert "launch configs that are put here are launched" in shown


def test_where_says_that_a_stage_is_not_deployed(genolaunch):
    assert "is not deployed" in genolaunch("--stage", "prod", "where").stderr
