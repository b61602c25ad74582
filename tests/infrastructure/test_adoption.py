"""Who uses which release: events of all accounts end as rows that can be asked for by product, version and account."""

import json

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from stacks.adoption import AdoptionStack
from stacks.config import InvalidSettingsError, read_governance
from tests.infrastructure.conftest import Stack, as_list

SETTINGS = {"account": "111111111111", "region": "eu-west-1", "accounts": ["222222222222", "333333333333"]}


@pytest.fixture(scope="module")
def adoption(tmp_path_factory: pytest.TempPathFactory) -> Stack:
    app = cdk.App(outdir=str(tmp_path_factory.mktemp("adoption")))
    stack = AdoptionStack(app, settings=read_governance(SETTINGS, {}))
    return Stack("adoption", Template.from_stack(stack).to_json())


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
    columns = [
        column["Name"] for column in adoption.one("AWS::Glue::Table")["TableInput"]["StorageDescriptor"]["Columns"]
    ]
    view = adoption.one("AWS::Athena::NamedQuery")["QueryString"]

    table = adoption.one("AWS::Glue::Table")
    assert f"{table['DatabaseName']}.{table['TableInput']['Name']}" in view
    assert list(json.loads(transformer["InputTemplate"])) == columns
    assert set(transformer["InputPathsMap"]) == set(columns)
    for column in ("product", "version", "account"):
        assert column in columns
        assert column in view


def test_the_view_counts_calls_without_an_error_whether_it_is_empty_or_missing(adoption):
    assert "WHERE coalesce(error, '') = ''" in adoption.one("AWS::Athena::NamedQuery")["QueryString"]


def test_one_event_is_one_line_below_the_tables_location(adoption):
    destination = adoption.one("AWS::KinesisFirehose::DeliveryStream")["ExtendedS3DestinationConfiguration"]
    location = adoption.one("AWS::Glue::Table")["TableInput"]["StorageDescriptor"]["Location"]

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
