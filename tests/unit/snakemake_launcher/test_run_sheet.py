"""The run sheet: what the platform tells the Snakemake launcher."""

import json

import pytest

from snakemake_launcher.engines import make_engine
from snakemake_launcher.run_sheet import RunSheet, RunSheetError
from tests.unit.snakemake_launcher.sheets import MACHINE, sheet


def test_a_sheet_with_every_field_is_read():
    read = RunSheet.parse(json.dumps(sheet()))

    assert read.run_name == "calls-1"
    assert read.launcher_uri == "s3://results/results/calls/launcher/"
    assert read.remote_prefix == "data/run42"
    assert (read.engine_options["stateMachineArn"], read.engine_options["logBucket"]) == (MACHINE, "logs")


def test_every_fault_is_named_at_once():
    faulty = sheet(retries="three", sources="s3://no-slash", snakefile="../Snakefile")
    del faulty["remotePrefix"], faulty["containerImage"]

    with pytest.raises(RunSheetError) as refused:
        RunSheet.parse(json.dumps(faulty))

    message = str(refused.value)
    assert "remotePrefix is missing" in message
    assert "containerImage is missing" in message
    assert "retries must be a whole number" in message
    assert "sources must be an s3:// URL that ends with a slash" in message
    assert "snakefile must be a path below the sources" in message


@pytest.mark.parametrize("text", ["{", "[]"])
def test_what_is_no_object_is_refused(text):
    with pytest.raises(RunSheetError):
        RunSheet.parse(text)


def test_an_unknown_engine_is_refused_with_the_known_ones():
    with pytest.raises(RunSheetError, match="tibanna"):
        make_engine(RunSheet.parse(json.dumps(sheet(engine="slurm"))))


def test_what_the_engine_lacks_is_named():
    with pytest.raises(RunSheetError, match="lacks stateMachineArn, logBucket, behaviorOnCapacityLimit, token"):
        make_engine(RunSheet.parse(json.dumps(sheet(tibanna={}))))
