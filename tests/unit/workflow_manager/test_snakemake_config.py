"""Launch configs of Snakemake workflows: what is accepted, what it becomes, and the faults of what is not."""

import pytest

from genolaunch.launch_configs.config_reader import check_config, read_config
from genolaunch.launch_configs.snakemake_config import SnakemakeLaunch
from genolaunch.shared.errors import MissingRequiredParametersError


def config(**section):
    """The smallest good config, with changes of its section."""
    values = {"snakefile": "workflows/exome/Snakefile", **section}
    return {"name": "exome", "workflow": "snakemake", "data": "exome", "snakemake": values}


def accepted(**section):
    launch = check_config(config(**section))
    assert isinstance(launch, SnakemakeLaunch)
    return launch


def faults(**section):
    with pytest.raises(MissingRequiredParametersError) as refusal:
        check_config(config(**section))
    return [str(fault) for fault in refusal.value.faults]


def test_defaults_are_filled_in():
    launch = accepted()

    assert launch.snakemake.model_dump(mode="json") == {
        "snakefile": "workflows/exome/Snakefile",
        "targets": [],
        "config": {},
        "spot": True,
        "retries": 3,
        "jobs": 100,
        "rerun_triggers": None,
        "cores": None,
        "container_image": None,
        "engine": "tibanna",
        "tibanna": {"behavior_on_capacity_limit": "retry_without_spot"},
        "aws_batch": None,
    }
    assert (launch.compute, launch.data) == ("ec2-spot", "exome/")


@pytest.mark.parametrize(
    ("section", "compute"),
    [
        ({"spot": False}, "ec2-on-demand"),
        ({"engine": "aws-batch"}, "batch-spot"),
        ({"engine": "aws-batch", "spot": False}, "batch-on-demand"),
    ],
)
def test_where_the_jobs_run_follows_from_engine_and_spot(section, compute):
    assert accepted(**section).compute == compute


def test_without_spot_a_lack_of_capacity_is_waited_out():
    options = accepted(spot=False).snakemake.tibanna
    assert options is not None
    assert options.behavior_on_capacity_limit == "wait_and_retry"


def test_any_json_may_be_the_workflows_config_and_reads_back_the_same():
    values = {"samples": ["a", 1, 0.5, None, True], "deep": {"er": {"est": []}}}
    launch = accepted(config=values)

    assert launch.snakemake.config == values
    assert read_config(launch.as_json().encode(), is_json=True) == launch


@pytest.mark.parametrize(
    ("section", "fault"),
    [
        (
            {"snakefile": "Snakefile"},
            "snakemake.snakefile: must be in a folder that holds only the workflow's sources; "
            "you gave 'Snakefile'. Write workflows/NAME/Snakefile, or s3://BUCKET/FOLDER/Snakefile.",
        ),
        (
            {"snakefile": "s3://X/a/Snakefile"},
            "snakemake.snakefile: names no valid bucket; you gave 's3://X/a/Snakefile'. "
            "An S3 URL is s3://BUCKET/FOLDER/Snakefile.",
        ),
        (
            {"targets": ["--forceall"]},
            "snakemake.targets[0]: must be the name of a rule or the path of a file; you gave '--forceall'. "
            "Paths are below `data`, and are made of letters, digits and . _ / + = @ , ~ -.",
        ),
        (
            {"config": {"a b": 1}},
            "snakemake.config: has a key that is not a word: 'a b'. Begin it with a letter or _, and"
            " use letters, digits and . _ - after it.",
        ),
        (
            {"config": {"a": [1e999]}},
            "snakemake.config.a[0]: holds a number that is too large. Write a smaller number, or text in quotes.",
        ),
        (
            {"config": [1]},
            "snakemake.config: must be a section with keys of its own; you gave a list. "
            "Write the keys below it, indented, each with a value.",
        ),
        ({"retries": 11}, "snakemake.retries: must be at most 10; you gave 11. Give 10 or less."),
        (
            {"container_image": "a b"},
            "snakemake.container_image: must be the name of a container image; you gave 'a b'. "
            "Write REGISTRY/REPOSITORY:TAG, as `docker pull` takes it.",
        ),
        (
            {"engine": "local"},
            "snakemake.engine: must be tibanna or aws-batch; you gave 'local'. Choose one of these.",
        ),
        (
            {"aws_batch": {"task_timeout_minutes": 5}},
            "snakemake.aws_batch: would be ignored, since the engine is tibanna. Leave it out, or change `engine`.",
        ),
        (
            {"spot": False, "tibanna": {"behavior_on_capacity_limit": "retry_without_spot"}},
            "snakemake.tibanna.behavior_on_capacity_limit: is retry_without_spot, but spot is false. "
            "Leave it out, or choose wait_and_retry.",
        ),
    ],
)
def test_a_fault_is_said_in_plain_words(section, fault):
    assert faults(**section) == [fault]


@pytest.mark.parametrize("snakefile", ["../x/Snakefile", "/a/Snakefile", "workflows/a b/Snakefile", "workflows/x/"])
def test_a_snakefile_is_a_path_down_from_the_bucket(snakefile):
    (fault,) = faults(snakefile=snakefile)
    assert fault.startswith("snakemake.snakefile: ")


def test_all_faults_are_found_at_once():
    found = faults(snakefile="Snakefile", jobs=0, engine="aws-batch", tibanna={"unknown": 1}, retry=1)

    assert [fault.split(": ")[0] for fault in found] == [
        "snakemake.snakefile",
        "snakemake.jobs",
        "snakemake.tibanna.unknown",
        "snakemake.retry",
    ]
