"""What a pipeline of three accounts and regions needs before its first run."""

import json
from pathlib import Path
from typing import Any

from checks.bootstrap_order import commands
from stacks.config import read_delivery, read_stages

REPOSITORY = Path(__file__).parents[2]
POLICY = "arn:aws:iam::aws:policy/AdministratorAccess"


def in_order(**delivery: Any) -> list[tuple[str, str]]:
    given = json.loads((REPOSITORY / "checks" / "three_accounts.json").read_text())
    stages = read_stages(given["stages"])
    return list(commands(read_delivery({**given["delivery"], **delivery}, stages), stages, POLICY))


def test_the_pipelines_account_comes_first_in_every_region_to_which_it_deploys():
    """Its artifacts lie in a bucket of each of them, made by a stack there."""
    own = [command for account, command in in_order() if account == "111111111111"]

    assert own == [
        "npx cdk bootstrap aws://111111111111/eu-west-1",
        "npx cdk bootstrap aws://111111111111/eu-central-1",
        "npx cdk bootstrap aws://111111111111/eu-west-2",
        "make deploy-pipeline",
    ]
    assert [command for _, command in in_order()][:3] == own[:3]


def test_each_stages_account_trusts_the_pipelines():
    trusting = {account: command for account, command in in_order() if "--trust" in command}

    places = {"222222222222": "eu-west-1", "333333333333": "eu-central-1", "444444444444": "eu-west-2"}
    assert trusting == {
        account: f"npx cdk bootstrap aws://{account}/{region} --trust 111111111111"
        f" --cloudformation-execution-policies {POLICY}"
        for account, region in places.items()
    }


def test_repositories_are_there_before_the_pipeline_publishes_into_them():
    everything = in_order()

    assert everything[-2:] == [
        ("444444444444", "make deploy-images STAGE=prod"),
        ("111111111111", "make deploy-pipeline"),
    ]


def test_an_account_and_region_is_bootstrapped_once():
    bootstraps = [command.split()[3] for _, command in in_order(account="222222222222") if "bootstrap" in command]

    assert len(bootstraps) == len(set(bootstraps))
    assert "aws://222222222222/eu-west-1" in bootstraps
