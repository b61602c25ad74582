"""The table of launches for BI tools: what the export asks Athena, and what its role may touch."""

import json
from typing import Any

from genolaunch.contract.cost import EXPORTED_COLUMNS
from tests.infrastructure.conftest import as_list


def columns(stacks: Any, table: str) -> dict[str, str]:
    table_input = stacks["analytics"].one("AWS::Glue::Table", table)["TableInput"]
    return {each["Name"]: each["Type"] for each in table_input["StorageDescriptor"]["Columns"]}


def test_the_table_has_the_columns_of_the_rows_that_pricing_writes(stacks):
    assert columns(stacks, "Launches") == dict(EXPORTED_COLUMNS)
    # And: in the rows amounts and times are text
    assert set(columns(stacks, "Raw").values()) == {"string", "int", "double"}
    assert list(columns(stacks, "Raw")) == list(EXPORTED_COLUMNS)


def test_the_query_makes_every_column_of_its_type(stacks):
    substitutions = stacks["analytics"].one("AWS::StepFunctions::StateMachine", "Export")["DefinitionSubstitutions"]
    selected = substitutions["Columns"]
    assert "CAST(total_cost AS decimal(18,6)) AS total_cost" in selected
    assert "CAST(from_iso8601_timestamp(ended_at) AT TIME ZONE 'UTC' AS timestamp) AS ended_at" in selected
    assert selected.startswith("launch_id, attempt, ")


def test_the_export_sees_nobodys_results(stacks):
    statements = [statement for _, statement in stacks["analytics"].statements("ExportWorkflowRole")]
    told = json.dumps([statement["Resource"] for statement in statements if "s3" in json.dumps(statement["Action"])])
    assert "Analytics" in told
    assert "Results" not in told
    assert "Data" not in told.replace("DataStack", "").replace("genolaunch-dev-data", "")
    actions = {action for statement in statements for action in as_list(statement["Action"])}
    assert not {action for action in actions if action.startswith(("glue:Delete", "s3:Delete"))}


def test_the_export_names_its_database_and_may_look_at_the_default_one(stacks):
    """Athena asks for glue:GetDatabase on `default` whatever is queried, and a query without a context is run there."""
    machine = stacks["analytics"].one("AWS::StepFunctions::StateMachine")
    query = json.loads(machine["DefinitionString"])["States"]["Write Parquet"]["Arguments"]
    look = stacks["analytics"].statement("ExportWorkflowRole", "LookAtTheDefaultDatabase")

    assert query["QueryExecutionContext"] == {"Database": "${Database}"}
    assert look["Action"] == "glue:GetDatabase"
    assert [json.dumps(each).rpartition(":")[2].strip('"]}') for each in look["Resource"]] == [
        "catalog",
        "database/default",
    ]
