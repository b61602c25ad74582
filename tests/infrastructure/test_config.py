"""Settings of a stage: what is refused, and how it is said."""

import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from pydantic import ValidationError

import app
from stacks.config import InvalidSettingsError, read_stages
from stacks.settings_files import feature_flags
from tests.infrastructure.conftest import RAW_SETTINGS, make_settings

CDK_JSON = Path(__file__).parents[2] / "cdk.json"


def test_the_stages_of_cdk_json_are_valid():
    raw = json.loads(CDK_JSON.read_text())["context"]["stages"]

    stages = read_stages(raw)

    assert list(stages) == ["dev", "test", "prod"]
    assert stages["prod"].removal_policy == "retain"


def test_every_fault_of_every_stage_is_named_at_once():
    dev = {**RAW_SETTINGS, "account": "12", "zones": ["us-east-1a"], "colour": "red", "batch": {"max_vcpus": "many"}}
    prod = {**RAW_SETTINGS, "region": None}

    with pytest.raises(InvalidSettingsError) as error:
        read_stages({"dev": dev, "prod": prod})

    lines = str(error.value).splitlines()[1:]
    assert [line.split(":")[0].strip() for line in lines] == [
        "dev.account",
        "dev.zones",
        "dev.batch.max_vcpus",
        "dev.colour",
        "prod.region",
    ]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"zones": ["eu-west-1a", "eu-west-1a"]}, "a zone is named twice"),
        ({"zones": []}, "unit.zones"),
        ({"region": "cn-north-1", "zones": ["cn-north-1a"]}, "cn-north-1 is not in the partition aws"),
        ({"region": "us-gov-west-1", "zones": ["us-gov-west-1a"]}, "us-gov-west-1 is not in the partition aws"),
        ({"region": "us-iso-east-1", "zones": ["us-iso-east-1a"]}, "us-iso-east-1 is not in the partition aws"),
        ({"region": "eu-isoe-west-1", "zones": ["eu-isoe-west-1a"]}, "eu-isoe-west-1 is not in the partition"),
        ({"network": {"cidr": "10.0.0.0/8"}}, "/8 is not a size for the VPC"),
        ({"network": {"cidr": "10.0.0.1/16"}}, "has host bits set"),
        ({"network": {"nat_gateways": 3}}, "3 for 2 zone(s)"),
        ({"network": {"nat_gateways": 0}}, "unit.network.nat_gateways"),
        ({"batch": {"instance_types": ["m6i", "m7g"]}}, "these are ARM: m7g"),
        ({"batch": {"instance_types": ["c7gn.large"]}}, "these are ARM: c7gn.large"),
        ({"batch": {"instance_types": ["Large!"]}}, "not an instance family or type: Large!"),
        ({"batch": {"stuck_minutes": 5}}, "unit.batch.stuck_minutes"),
        (
            {"regenie": {"versions": {"4.1.2": "build"}, "default_version": "9"}},
            "default_version 9 is not one of: 4.1.2",
        ),
        ({"regenie": {"versions": {}, "default_version": "4.1.2"}}, "unit.regenie.versions"),
        ({"file_system": "SCRATCH_1"}, "unit.file_system"),
        ({"log_retention_days": 8}, "one of these numbers of days"),
        ({"notification_emails": ["nobody"]}, "unit.notification_emails.0"),
        ({"readable_buckets": ["s3://cohorts"]}, "unit.readable_buckets.0"),
        (
            {"references": {"GRCh38": {"folder": "s3://shared-cohort/GRCh38/"}}},
            "references.GRCh38.folder: shared-cohort is not one of readable_buckets (shared-cohorts); a folder of the "
            "data bucket is written without s3://BUCKET/. Did you mean s3://shared-cohorts/?",
        ),
        (
            {
                "readable_buckets": [],
                "references": {"GRCh38": {"folder": "a/"}, "GRCh37": {"folder": "s3://shared-cohorts/a/"}},
            },
            "references.GRCh37.folder: shared-cohorts is not one of readable_buckets (none)",
        ),
    ],
)
def test_a_fault_is_said_in_words(change: dict[str, Any], says: str):
    with pytest.raises(InvalidSettingsError) as error:
        make_settings(**change)

    assert says in str(error.value)


@pytest.mark.parametrize("folder", ["references/GRCh38/", "s3://shared-cohorts/GRCh38/"])
def test_reference_files_lie_in_the_data_bucket_or_in_a_readable_one(folder: str):
    assert make_settings(references={"GRCh38": {"folder": folder}}).references["GRCh38"].folder == folder


def test_graphics_instances_are_not_taken_for_arm():
    assert make_settings(batch={"instance_types": ["g5.xlarge", "g4dn"]}).batch.instance_types == ("g5.xlarge", "g4dn")


@pytest.mark.parametrize("raw", [None, {}, []])
def test_no_stages_at_all_is_a_fault(raw: object):
    with pytest.raises(InvalidSettingsError, match="No stages"):
        read_stages(raw)


def test_a_stage_that_is_no_object_is_a_fault():
    with pytest.raises(InvalidSettingsError, match="dev"):
        read_stages({"dev": "eu-west-1"})


def test_settings_cannot_be_changed_later():
    with pytest.raises(ValidationError, match="frozen"):
        make_settings().account = "222222222222"


def test_what_people_edit_holds_no_feature_flags_and_the_app_has_them_all_the_same(monkeypatch):
    made: list[cdk.App] = []
    monkeypatch.setattr(app, "build", made.append)
    monkeypatch.setattr(cdk.App, "synth", lambda self: None)

    app.main()

    assert set(json.loads(CDK_JSON.read_text())["context"]) == {"delivery", "stages"}
    flags = feature_flags()
    assert len(flags) > 50
    assert {name: made[0].node.try_get_context(name) for name in flags} == flags
