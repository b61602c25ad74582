"""The stage's part of launches on a Slurm cluster."""

import json
from typing import Any

import pytest

from tests.infrastructure.conftest import Stack, as_list, make_settings, synthesize

CLUSTER = {"cluster": "genomics", "shared_folder": "/fsx/genolaunch", "user": "genolaunch", "partition": "spot"}


@pytest.fixture(scope="module")
def with_cluster() -> dict[str, Stack]:
    return synthesize(make_settings(parallelcluster=CLUSTER))


def environment(stack: Stack, function: str) -> dict[str, Any]:
    found = [f for f in stack.all("AWS::Lambda::Function").values() if f["FunctionName"].endswith(function)]
    variables: dict[str, Any] = found[0]["Environment"]["Variables"]
    return variables


def test_without_a_cluster_nothing_is_made_and_no_launch_may_choose_it(stacks):
    assert "parallelcluster" not in stacks
    assert "ssm:SendCommand" not in json.dumps([stack.template for stack in stacks.values()])
    assert "parallelcluster" not in environment(stacks["workflow-manager"], "register-launch")["COMPUTE_SERVICES"]


def test_with_one_launches_may_choose_it(with_cluster):
    assert "parallelcluster" in environment(with_cluster["workflow-manager"], "register-launch")["COMPUTE_SERVICES"]


def test_commands_reach_the_clusters_head_node_only_and_by_one_document(with_cluster):
    statements = [
        statement
        for _, statement in with_cluster["parallelcluster"].statements()
        if "ssm:SendCommand" in as_list(statement["Action"])
    ]

    instances, document = sorted(statements, key=lambda statement: "Condition" not in statement)
    assert instances["Condition"] == {
        "StringEquals": {
            "ssm:resourceTag/parallelcluster:cluster-name": "genomics",
            "ssm:resourceTag/parallelcluster:node-type": "HeadNode",
        }
    }
    assert "::document/AWS-RunShellScript" in json.dumps(document["Resource"])


@pytest.mark.parametrize(
    "wrong", [{"shared_folder": "fsx"}, {"shared_folder": "/a b"}, {"user": "a;b"}, {"partition": "$(x)"}]
)
def test_settings_that_would_not_do_in_a_script_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        make_settings(parallelcluster=CLUSTER | wrong)
