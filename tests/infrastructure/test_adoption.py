"""Who uses which release: events of all accounts end as rows that can be asked for by product, version and account."""

import base64
import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from app import build
from stacks.adoption import AdoptionStack
from stacks.adoption_member import AdoptionMemberStack
from stacks.config import InvalidSettingsError, read_governance
from tests.infrastructure.conftest import Stack, as_list

SETTINGS = {"account": "111111111111", "region": "eu-west-1", "accounts": ["222222222222", "333333333333"]}

STAGES = json.loads((Path(__file__).parents[2] / "checks" / "three_accounts.json").read_text())["stages"]


@pytest.fixture(scope="module")
def adoption(tmp_path_factory: pytest.TempPathFactory) -> Stack:
    app = cdk.App(outdir=str(tmp_path_factory.mktemp("adoption")))
    stack = AdoptionStack(app, settings=read_governance(SETTINGS, {}))
    return Stack("adoption", Template.from_stack(stack).to_json())


@pytest.fixture(scope="module")
def members(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Stack]:
    app = cdk.App(outdir=str(tmp_path_factory.mktemp("members")))
    settings = read_governance(SETTINGS, {})
    made = {account: AdoptionMemberStack(app, account=account, settings=settings) for account in settings.accounts}
    return {
        stack.account: Stack(f"{stack.stack_name} in {stack.region}", Template.from_stack(stack).to_json())
        for stack in made.values()
    }


def definition_of_view(adoption: Stack) -> dict[str, Any]:
    """What Athena reads of the view."""
    text = adoption.one("AWS::Glue::Table", "View")["TableInput"]["ViewOriginalText"]
    prefix, suffix = "/* Presto View: ", " */"
    assert text.startswith(prefix)
    assert text.endswith(suffix)
    definition: dict[str, Any] = json.loads(base64.b64decode(text[len(prefix) : -len(suffix)], validate=True))
    return definition


def text_of(value: Any) -> str:
    """A joined text with the partition filled in."""
    return "".join("aws" if isinstance(part, dict) else part for part in value["Fn::Join"][1])


def test_the_accounts_of_the_settings_may_send_service_catalogs_events_and_no_others(adoption):
    statements = [policy["Statement"] for policy in adoption.all("AWS::Events::EventBusPolicy").values()]

    assert len(statements) == 2
    for account in SETTINGS["accounts"]:
        (statement,) = (one for one in statements if account in json.dumps(one["Principal"]))
        assert statement["Action"] == "events:PutEvents"
        assert statement["Condition"] == {"StringEquals": {"events:source": "aws.servicecatalog"}}


def test_calls_that_deploy_update_or_delete_a_product_reach_the_stream_from_both_buses(adoption):
    rules = list(adoption.all("AWS::Events::Rule").values())

    assert len(rules) == 2
    for rule in rules:
        assert "ProvisionProduct" in rule["EventPattern"]["detail"]["eventName"]
        assert rule["Targets"][0]["Arn"] == {"Fn::GetAtt": ["Stream", "Arn"]}


def test_a_row_has_what_the_table_and_the_view_ask_for(adoption):
    (rule, _) = adoption.all("AWS::Events::Rule").values()
    transformer = rule["Targets"][0]["InputTransformer"]
    table = adoption.one("AWS::Glue::Table", "Calls")
    columns = [column["Name"] for column in table["TableInput"]["StorageDescriptor"]["Columns"]]
    query = definition_of_view(adoption)["originalSql"]

    assert f"FROM {table['DatabaseName']}.{table['TableInput']['Name']}\n" in query
    assert list(json.loads(transformer["InputTemplate"])) == columns
    assert set(transformer["InputPathsMap"]) == set(columns)
    for column in ("product", "version", "account"):
        assert column in columns
        assert column in query


def test_the_view_is_deployed_as_athena_keeps_one(adoption):
    view = adoption.one("AWS::Glue::Table", "View")
    kept = view["TableInput"]
    definition = definition_of_view(adoption)
    types = {column["Name"]: column["Type"] for column in kept["StorageDescriptor"]["Columns"]}

    assert (view["DatabaseName"], kept["Name"]) == ("genolaunch_adoption", "adoption")
    assert (kept["TableType"], kept["ViewExpandedText"]) == ("VIRTUAL_VIEW", "/* Presto View */")
    assert kept["Parameters"] == {"presto_view": "true", "comment": "Presto View"}
    assert (definition["catalog"], definition["schema"]) == ("awsdatacatalog", view["DatabaseName"])
    assert definition["originalSql"].startswith("SELECT ")
    # Athena calls a view stale whose columns are not those of its query.
    selected = definition["originalSql"].split("\nFROM")[0].removeprefix("SELECT ").split(", ")
    names = [item.split(" AS ")[-1] for item in selected]
    presto = {"string": "varchar", "bigint": "bigint"}
    assert [column["name"] for column in definition["columns"]] == names == list(types)
    assert [column["type"] for column in definition["columns"]] == [presto[types[name]] for name in names]


def test_the_view_counts_calls_without_an_error_whether_it_is_empty_or_missing(adoption):
    assert "WHERE coalesce(error, '') = ''" in definition_of_view(adoption)["originalSql"]


def test_an_account_forwards_the_calls_that_are_counted_to_the_bus_and_may_do_nothing_else(adoption, members):
    counted = adoption.one("AWS::Events::Rule", "OfOthers")

    assert list(members) == SETTINGS["accounts"]
    for member in members.values():
        rule = member.one("AWS::Events::Rule")
        (target,) = rule["Targets"]
        ((_, statement),) = member.statements()
        assert rule["EventPattern"] == counted["EventPattern"]
        assert rule.get("EventBusName", "default") == "default"
        assert text_of(target["Arn"]) == "arn:aws:events:eu-west-1:111111111111:event-bus/genolaunch-adoption"
        assert (statement["Action"], statement["Resource"]) == ("events:PutEvents", target["Arn"])
        assert target["RoleArn"]["Fn::GetAtt"][0] in member.all("AWS::IAM::Role")


def test_the_accounts_events_go_to_the_bus_that_is_made_in_their_region(adoption, members):
    assert adoption.one("AWS::Events::EventBus")["Name"] == "genolaunch-adoption"
    assert {member.name for member in members.values()} == {"genolaunch-adoption-events in eu-west-1"}


def test_the_app_has_a_stack_for_each_account_but_its_own(tmp_path, monkeypatch):
    monkeypatch.setattr("app.GenolaunchStage", lambda *_, **__: None)  # no stage is asked about, and one takes seconds
    file = tmp_path / "settings.json"
    own = {**SETTINGS, "accounts": ["111111111111", "222222222222"]}
    file.write_text(json.dumps({"stages": STAGES, "governance": own}))
    app = cdk.App(outdir=str(tmp_path), context={"settings-file": str(file)})

    build(app)

    made = {child.node.id for child in app.node.children}
    assert {name for name in made if "adoption" in name} == {"genolaunch-adoption", "genolaunch-adoption-222222222222"}


def test_one_event_is_one_line_below_the_tables_location(adoption):
    destination = adoption.one("AWS::KinesisFirehose::DeliveryStream")["ExtendedS3DestinationConfiguration"]
    location = adoption.one("AWS::Glue::Table", "Calls")["TableInput"]["StorageDescriptor"]["Location"]

    (processor,) = destination["ProcessingConfiguration"]["Processors"]
    assert processor["Type"] == "AppendDelimiterToRecord"
    assert destination["Prefix"] in json.dumps(location)
    assert not destination["ErrorOutputPrefix"].startswith(destination["Prefix"])


def test_the_stream_may_write_to_its_bucket_and_the_rule_to_its_stream(adoption):
    actions = {action for _, statement in adoption.statements("StreamRole") for action in as_list(statement["Action"])}
    (rule,) = (statement for _, statement in adoption.statements("RuleRole"))

    assert {action for action in actions if action.startswith("s3:Put")} == {"s3:PutObject"}
    assert rule["Resource"] == {"Fn::GetAtt": ["Stream", "Arn"]}


def test_faults_of_the_settings_are_told():
    with pytest.raises(InvalidSettingsError, match=r"governance\.accounts\.0"):
        read_governance({**SETTINGS, "accounts": ["mine"]}, {})
