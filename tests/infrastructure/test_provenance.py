"""What describes launches: when it is invoked, and what its role may do."""

import json

import pytest

from tests.infrastructure.conftest import Stack, as_list

ROLE = "ProvenanceFunctionsDescribeRunRole"


@pytest.fixture(scope="module")
def benchmark(stacks: dict[str, Stack]) -> Stack:
    return stacks["benchmark"]


def granted(stack: Stack, action: str) -> str:
    """The resources of the statements with that action, as JSON."""
    found = [s["Resource"] for _, s in stack.statements(ROLE) if action in as_list(s["Action"])]
    assert found, f"{action} is not granted"
    return json.dumps(found)


def test_it_writes_the_description_and_nothing_else_of_the_results(benchmark):
    writes = granted(benchmark, "s3:PutObject")

    assert writes.count("/results/*/") == 2
    assert "/results/*/ro-crate-metadata.json*" in writes
    assert "/results/*/provenance/*" in writes


def test_it_reads_results_and_dropped_files_and_lists_data_only(benchmark):
    reads = granted(benchmark, "s3:GetObject")

    assert all(prefix in reads for prefix in ("/results/*", "/launches/*", "/snakefiles/*"))
    assert "Data" not in reads
    assert "Data" in granted(benchmark, "s3:ListBucket")


def test_it_changes_nothing_but_the_description(benchmark):
    actions = {action for _, s in benchmark.statements(ROLE) for action in as_list(s["Action"])}

    writing = {a for a in actions if a.startswith(("dynamodb:", "s3:", "states:", "ecr:"))}
    assert writing - {"s3:PutObject"} == {
        "dynamodb:GetItem",
        "s3:GetObject",
        "s3:ListBucket",
        "states:DescribeStateMachineForExecution",
        "ecr:DescribeImages",
    }


def test_it_asks_of_executions_of_launches_and_their_workflows_only(benchmark):
    executions = granted(benchmark, "states:DescribeStateMachineForExecution")

    assert executions.count("execution:genolaunch-unit-") == 3
    assert all(f"genolaunch-unit-{machine}:*" in executions for machine in ("launch", "regenie", "snakemake"))
