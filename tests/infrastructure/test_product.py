"""Genolaunch in Service Catalog: what a release's stack deploys, as whom, and how CloudFormation hears of its end."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import boto3
import pytest
from aws_cdk.assertions import Template
from botocore.stub import Stubber

from stacks.config import InvalidSettingsError, read_governance, read_stages
from stacks.product import ProductPortfolioStack
from stacks.self_service import deployment
from stacks.settings_files import context_of_cdk_json
from tests.documented_events import documented
from tests.infrastructure.conftest import Stack, as_list

RAW: dict[str, Any] = json.loads((Path(__file__).parents[2] / "checks" / "three_accounts.json").read_text())
STAGES = read_stages(RAW["stages"])
GOVERNANCE = read_governance(RAW["governance"], STAGES)


@pytest.fixture(scope="module")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Given: two releases, which may be deployed to two of the three stages."""
    app = cdk.App(outdir=str(tmp_path_factory.mktemp("product")), context=context_of_cdk_json())
    assert GOVERNANCE.product is not None
    stack = ProductPortfolioStack(app, governance=GOVERNANCE, product=GOVERNANCE.product, stages=STAGES)
    Template.from_stack(stack)
    return Path(app.outdir)


@pytest.fixture(scope="module")
def portfolio(assembly: Path) -> Stack:
    return Stack("product", json.loads((assembly / "genolaunch-product.template.json").read_text()))


@pytest.fixture(scope="module")
def releases(assembly: Path) -> list[Stack]:
    files = sorted(assembly.glob("*.product.template.json"))
    return [Stack(file.name, json.loads(file.read_text())) for file in files]


def test_each_release_is_a_version_that_deploys_its_tag(portfolio, releases):
    versions = portfolio.one("AWS::ServiceCatalog::CloudFormationProduct")["ProvisioningArtifactParameters"]
    projects = [release.one("AWS::CodeBuild::Project") for release in releases]

    assert [version["Name"] for version in versions] == ["v1.0.0", "v1.1.0"]
    assert [project["SourceVersion"] for project in projects] == ["refs/tags/v1.0.0", "refs/tags/v1.1.0"]
    for project in projects:
        build = json.loads(project["Source"]["BuildSpec"])
        assert build["phases"]["build"]["commands"] == ['make deploy STAGE="$STAGE"']
        assert build["env"]["variables"]["CDK_REQUIRE_APPROVAL"] == "never", "nobody is there to say yes"


def test_only_allowed_stages_can_be_chosen(releases):
    for release in releases:
        assert release.template["Parameters"]["Stage"]["AllowedValues"] == ["dev", "test"]


def test_a_new_release_is_deployed_as_an_update(releases):
    resources = [release.one("Custom::Deployment") for release in releases]

    assert [resource["Release"] for resource in resources] == ["v1.0.0", "v1.1.0"]
    for release in releases:
        project = release.one("AWS::CodeBuild::Project")
        minutes = project["QueuedTimeoutInMinutes"] + project["TimeoutInMinutes"]
        assert 60 * minutes < int(release.one("Custom::Deployment")["ServiceTimeout"])


def test_a_deployment_may_be_the_bootstraps_roles_of_the_allowed_stages_only(portfolio):
    statement = portfolio.statement("DeploymentRole", "BeTheBootstrapsRoles")

    roles = [json.dumps(each) for each in as_list(statement["Resource"])]
    assert len(roles) == 8
    assert all("222222222222-eu-west-1" in role or "333333333333-eu-central-1" in role for role in roles)


def test_it_is_launched_with_a_role_that_makes_its_project_and_nothing_else(portfolio):
    constraint = portfolio.one("AWS::ServiceCatalog::LaunchRoleConstraint")
    actions = {action for _, each in portfolio.statements("LaunchRole") for action in as_list(each["Action"])}

    assert constraint["RoleArn"] == {"Fn::GetAtt": [next(iter(roles(portfolio, "LaunchRole"))), "Arn"]}
    assert {action.partition(":")[0] for action in actions} == {
        "cloudformation",
        "codebuild",
        "codeconnections",
        "codestar-connections",
        "iam",
        "lambda",
        "s3",
    }
    assert {action for action in actions if action.startswith("iam:")} == {"iam:PassRole"}


def roles(portfolio: Stack, prefix: str) -> list[str]:
    return [id_ for id_ in portfolio.all("AWS::IAM::Role") if id_.startswith(prefix)]


def test_what_a_release_names_is_what_the_portfolio_gives_that_name(portfolio, releases):
    """A product's template refers to nothing: a name that differs would fail at the first launch only."""
    texts = [json.dumps(release.template) for release in releases]
    role = portfolio.one("AWS::IAM::Role", "DeploymentRole")["RoleName"]
    function = portfolio.one("AWS::Lambda::Function")["FunctionName"]
    alias = portfolio.one("AWS::KMS::Alias")["AliasName"]
    group = portfolio.one("AWS::Logs::LogGroup", "DeploymentLogs")["LogGroupName"]

    for text in texts:
        for name in (f":role/{role}", f":function:{function}", f":{alias}", f'"{group}"'):
            assert name in text


def test_those_of_the_settings_may_launch_it(portfolio):
    granted = portfolio.one("AWS::ServiceCatalog::PortfolioPrincipalAssociation")

    assert granted["PrincipalARN"] == "arn:aws:iam::111111111111:role/lab-engineers"


def test_a_stage_that_is_not_configured_is_refused():
    product = {**RAW["governance"]["product"], "stages": ["dev", "moon"]}
    with pytest.raises(InvalidSettingsError, match="not configured: moon"):
        read_governance({**RAW["governance"], "product": product}, STAGES)


class CloudFormation:
    """Takes answers to custom resources, as the presigned URL does."""

    def __init__(self) -> None:
        self.answers: list[dict[str, str]] = []
        answers = self.answers

        class Bucket(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                answers.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                assert self.headers["Content-Type"] == "", "the signature is of a request without a type"
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Bucket)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def request(self, kind: str) -> dict[str, Any]:
        return {
            "RequestType": kind,
            "ResponseURL": f"http://127.0.0.1:{self.server.server_port}/signed?X=1",
            "StackId": "arn:aws:cloudformation:eu-west-1:111111111111:stack/SC-1/2",
            "RequestId": "5f7b1bd2-0000-4000-8000-000000000000",
            "LogicalResourceId": "Deployment",
            "ResourceProperties": {"Project": "genolaunch-product-dev", "Release": "v1.1.0"},
        }


@pytest.fixture
def cloudformation() -> Iterator[CloudFormation]:
    made = CloudFormation()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def codebuild(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    client = boto3.client("codebuild", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
    monkeypatch.setattr(boto3, "client", lambda _: client)
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def kept(request: dict[str, Any]) -> str:
    return json.dumps({key: request[key] for key in ("ResponseURL", "StackId", "RequestId", "LogicalResourceId")})


@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_a_request_starts_a_build_and_waits_for_its_end(cloudformation, codebuild, kind):
    request = cloudformation.request(kind)
    variable = {"name": deployment.REQUEST, "value": kept(request), "type": "PLAINTEXT"}
    codebuild.add_response(
        "start_build",
        {"build": {"id": "genolaunch-product-dev:1"}},
        {
            "projectName": "genolaunch-product-dev",
            "environmentVariablesOverride": [variable],
            "idempotencyToken": request["RequestId"],
        },
    )

    deployment.handler(request, None)

    assert cloudformation.answers == []


@pytest.mark.parametrize(
    ("build", "status"), [("SUCCEEDED", "SUCCESS"), ("FAILED", "FAILED"), ("TIMED_OUT", "FAILED"), ("FAULT", "FAILED")]
)
def test_the_end_of_the_build_is_the_resources(cloudformation, codebuild, build, status):
    request = cloudformation.request("Create")
    variables = [{"name": "STAGE", "value": "dev"}, {"name": deployment.REQUEST, "value": kept(request)}]
    codebuild.add_response(
        "batch_get_builds",
        {
            "builds": [
                {"buildStatus": build, "environment": environment(variables), "logs": {"deepLink": "https://log"}}
            ]
        },
        {"ids": ["genolaunch-product-dev:1"]},
    )

    arn = "arn:aws:codebuild:eu-west-1:111122223333:build/genolaunch-product-dev:1"
    event = documented("codebuild-build-state-change", detail__build_id=arn, detail__build_status=build)
    deployment.handler(event, None)

    (answer,) = cloudformation.answers
    assert answer["Status"] == status
    assert "https://log" in answer["Reason"]
    assert answer["RequestId"] == request["RequestId"]
    assert answer["PhysicalResourceId"] == "deployment"


def environment(variables: list[dict[str, str]]) -> dict[str, Any]:
    return {
        "type": "LINUX_CONTAINER",
        "image": "aws/codebuild/standard:7.0",
        "computeType": "BUILD_GENERAL1_LARGE",
        "environmentVariables": variables,
    }


def test_a_build_that_somebody_started_by_hand_is_nobodys_answer(cloudformation, codebuild):
    builds = {"builds": [{"buildStatus": "SUCCEEDED", "environment": environment([])}]}
    codebuild.add_response("batch_get_builds", builds, {"ids": ["genolaunch-product-dev:1"]})

    deployment.handler({"detail": {"build-id": "genolaunch-product-dev:1"}}, None)

    assert cloudformation.answers == []


def test_a_build_that_cannot_start_fails_the_stack_at_once(cloudformation, codebuild):
    codebuild.add_client_error("start_build", "AccountLimitExceededException", "a deployment is running")

    deployment.handler(cloudformation.request("Create"), None)

    (answer,) = cloudformation.answers
    assert answer["Status"] == "FAILED"
    assert "a deployment is running" in answer["Reason"]


def test_terminating_the_product_keeps_the_stage(cloudformation, codebuild):
    deployment.handler(cloudformation.request("Delete"), None)

    (answer,) = cloudformation.answers
    assert answer["Status"] == "SUCCESS"
    assert "kept" in answer["Reason"]
