"""What the README tells whoever deploys and checks the app to type, typed."""

import json
from collections.abc import Iterator

import pytest

from genolaunch.local_stage import control
from genolaunch.local_stage.control import Cloud
from localcloud.clients import ACCOUNT, REGION, client
from tests.readme.conftest import Reader
from tests.readme.page import commands

pytestmark = [pytest.mark.full, pytest.mark.local]

DEPLOY = "Deploying to AWS"
REGENIE = "Checking it against a real regenie"
CHECKS = "What is checked"
AUDIT = "make audit"
VERIFY = "make verify-stage STAGE=dev"
"""Launches jobs, for which these stages have no images: tests/local/test_verify.py does the same to one that has."""

CHECK = "make check-account STAGE=dev"

MADE_BY = {
    "make bootstrap STAGE=dev": "CDKToolkit",
    "make deploy STAGE=dev": "genolaunch-dev-data",
}
"""Command -> a stack that it makes."""

PIPELINE = "make bootstrap-pipeline"
NAMED_BY_IT = {
    "make deploy-images STAGE=test": "genolaunch-test-images",
    "make deploy-pipeline": "genolaunch-pipeline",
}
"""Likewise, of the commands that it prints."""

NOBODY_ANSWERS = {"CDK_REQUIRE_APPROVAL": "never"}
"""Of the CDK CLI, which otherwise asks before it makes roles; a test has no terminal."""


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """Given: an account in which nothing is, played by an embedded cloud."""
    state_dir = tmp_path_factory.mktemp("account")
    cloud = control.up(state_dir, port=control.free_port())
    try:
        yield cloud
    finally:
        control.down(state_dir)


@pytest.fixture(scope="module")
def own_settings(reader: Reader) -> None:
    """Given: "Edit context.stages in cdk.json (account, region, zones, instance types, regenie images)"."""
    path = reader.checkout / "cdk.json"
    cdk = json.loads(path.read_text())
    cdk["context"]["stages"].pop("prod")
    for stage in cdk["context"]["stages"].values():
        stage |= {"account": ACCOUNT, "region": REGION, "zones": [f"{REGION}a", f"{REGION}b"]}
        # Nothing is built here: there may be no Docker.
        stage["regenie"]["versions"] = {"4.1.2": "registry.example/regenie:4.1.2"}
        stage["snakemake"] = {"image": "registry.example/snakemake:7", "batch_image": "registry.example/snakemake:9"}
    cdk["context"]["delivery"] |= {
        "account": ACCOUNT,
        "region": REGION,
        "stages": ["dev", "test"],
        "smoke_tested": [],
        "approved": [],
    }
    path.write_text(json.dumps(cdk, indent=2))


def test_the_account_check_names_the_next_step(reader, account, own_settings):
    """In an account in which nothing is there is something to mend, and the check says so by its exit code, too."""
    shown = reader.types(f"if {CHECK}; then exit 1; fi", **account.environment())

    (_, bootstrap, *_) = commands(DEPLOY)
    assert f"  {bootstrap}\n" in shown
    assert "enable-ebs-encryption-by-default" not in shown  # it is on in this account


def test_stages_and_the_pipeline_are_deployed(reader, account, own_settings):
    assert [command for command in commands(DEPLOY) if command != VERIFY] == [CHECK, *MADE_BY, PIPELINE]
    printed = reader.types(PIPELINE).splitlines()
    assert [line for line in printed if line in NAMED_BY_IT] == list(NAMED_BY_IT)
    for command, made in {**MADE_BY, **NAMED_BY_IT}.items():
        reader.types(command, **account.environment(), **NOBODY_ANSWERS)

        stacks = client("cloudformation", account.endpoint, account.keys).describe_stacks()["Stacks"]
        assert made in {one["StackName"] for one in stacks if one["StackStatus"] == "CREATE_COMPLETE"}


def test_without_a_regenie_its_check_says_so(reader):
    (command,) = commands(REGENIE)

    assert "skipped: " in reader.types(command)


@pytest.mark.parametrize("command", [one for one in commands(CHECKS) if one != AUDIT])
def test_it_is_checked(command, reader):
    reader.types(command)


def test_what_is_locked_is_audited(reader):
    """But for asking for the lists of vulnerabilities, which are on the internet."""
    assert AUDIT in commands(CHECKS)
    reader.types("make audit-python PIP_AUDIT='.venv/bin/pip-audit --disable-pip --dry-run'")
