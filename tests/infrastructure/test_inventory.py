"""Bills of materials: what they list, that each deployment keeps them, and that Inspector's come beside them."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.model.bom import Bom

from stacks.constructs.bill_of_materials import bill_of_lock
from tests.infrastructure.conftest import Stack, as_list, make_settings, synthesize
from tests.infrastructure.test_every_stack import WITHOUT_RESOURCES

REPOSITORY = Path(__file__).parents[2]
LOCKS = sorted(
    [*REPOSITORY.glob("containers/*/requirements*.txt"), *REPOSITORY.glob("lambdas/**/requirements.txt")],
)
INSPECTOR = "inspector2.amazonaws.com"


@pytest.fixture(scope="module")
def built() -> dict[str, Stack]:
    """Given: a stage with repositories of its own, in an account where Inspector is on."""
    return synthesize(make_settings(images={"inspector": True}))


@pytest.fixture(scope="module")
def inventory(built: dict[str, Stack]) -> Stack:
    return built["inventory"]


def bill(lock: Path) -> dict[str, Any]:
    text = bill_of_lock("genolaunch-test", lock)
    assert text.count("\n") == 1, "Athena reads a row a line"
    made: dict[str, Any] = json.loads(text)
    return made


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: str(lock.relative_to(REPOSITORY)))
def test_a_bill_has_every_package_of_its_lock_with_version_and_hashes(lock):
    components = bill(lock)["components"]

    locked = re.findall(r"^([a-z0-9._-]+)==([^\s;]+)", lock.read_text(), re.MULTILINE)
    assert locked
    assert sorted((each["name"], each["version"]) for each in components) == sorted(locked)
    hashes = {each["content"] for component in components for each in component["hashes"]}
    assert hashes == set(re.findall(r"sha256:([0-9a-f]{64})", lock.read_text()))


def test_a_bill_is_cyclonedx_as_its_library_reads_it_and_the_same_each_time():
    lock = REPOSITORY / "lambdas" / "requirements.txt"
    read = Bom.from_json(bill(lock))  # type: ignore[attr-defined]  # the library's decorator makes it

    assert read.validate()
    assert {each.purl.name for each in read.components} >= {"aws-lambda-powertools", "pydantic", "pyyaml"}
    assert bill_of_lock("x", lock) == bill_of_lock("x", lock)


def test_every_lock_of_what_is_deployed_has_a_bill(inventory):
    machine = inventory.one("AWS::StepFunctions::StateMachine")

    bills = json.dumps(machine["DefinitionSubstitutions"]["Bills"]).split(",")
    assert len(bills) == len(LOCKS)
    assert all(re.search(r"[a-z0-9-]+=[0-9a-f]{64}\.json", each) for each in bills)


def test_each_deployment_and_each_scan_of_a_new_image_keeps_them(inventory):
    patterns = [rule["EventPattern"] for rule in inventory.all("AWS::Events::Rule").values()]

    deployed = next(each for each in patterns if each["source"] == ["aws.cloudformation"])
    scanned = next(each for each in patterns if each["source"] == ["aws.inspector2"])
    assert deployed["detail"]["status-details"]["status"] == ["CREATE_COMPLETE", "UPDATE_COMPLETE"]
    assert "genolaunch-unit/images" in scanned["detail"]["repository-name"]


def test_the_table_has_what_both_makers_write_and_is_where_they_write(inventory, built):
    table = inventory.one("AWS::Glue::Table")["TableInput"]["StorageDescriptor"]
    prefix = inventory.one("AWS::StepFunctions::StateMachine")["DefinitionSubstitutions"]["Prefix"]
    (made,) = {json.dumps(sorted(bill(lock)["components"][0])) for lock in LOCKS}

    assert json.dumps(table["Location"]).rstrip('"]}').endswith(f"/{prefix}")
    columns = {column["Name"]: column["Type"] for column in table["Columns"]}
    assert set(columns) <= {key.lower() for key in bill(LOCKS[0])}
    fields = re.findall(r"(\w+):string", columns["components"])
    assert set(fields) <= set(json.loads(made))


def test_a_saved_query_tells_what_holds_a_package(inventory):
    statement = inventory.one("AWS::Athena::PreparedStatement")

    assert statement["WorkGroup"] == "genolaunch-unit"
    assert "FROM genolaunch_unit.bills_of_materials" in statement["QueryStatement"]


def test_inspector_may_write_its_reports_for_this_account_and_nowhere_else(built):
    data = built["data"]
    statements = [
        statement
        for policy in data.all("AWS::S3::BucketPolicy").values()
        for statement in policy["PolicyDocument"]["Statement"]
        if statement.get("Principal") == {"Service": INSPECTOR}
    ]
    (key,) = data.all("AWS::KMS::Key").values()
    (use,) = [each for each in key["KeyPolicy"]["Statement"] if each.get("Principal") == {"Service": INSPECTOR}]

    (write,) = statements
    assert json.dumps(write["Resource"]).rstrip('"]}').endswith("/bills-of-materials/inspector/*")
    for statement in (write, use):
        assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": "111111111111"}
        assert ":inspector2:eu-west-1:111111111111:report/*" in json.dumps(statement["Condition"]["ArnLike"])


def test_the_machine_reads_the_deployed_bills_alone_and_asks_inspector(inventory):
    read = inventory.statement("InventoryWorkflowRole", "ReadTheDeployedBills")
    ask = inventory.statement("InventoryWorkflowRole", "AskInspectorForReports")

    assert read["Action"] == "s3:GetObject"
    assert all(".json" in json.dumps(each) for each in as_list(read["Resource"]))
    assert set(ask["Action"]) <= WITHOUT_RESOURCES


def test_where_inspector_is_not_on_nothing_is_asked_of_it():
    built = synthesize(make_settings(images={}))
    machine = built["inventory"].one("AWS::StepFunctions::StateMachine")

    assert machine["DefinitionSubstitutions"]["Inspector"] == "off"
    assert INSPECTOR not in json.dumps([stack.template for stack in built.values()])
