"""`make deploy` asks one question about what is then deployed, and `make destroy` leaves the asking to its command."""

import io
import os
import subprocess
from pathlib import Path

import pytest

from checks import approval

ROOT = Path(__file__).parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])


def recipe(target: str, *arguments: str, **environment: str) -> list[str]:
    """The lines that make would run, without the folders of their programs."""
    clean = {name: value for name, value in os.environ.items() if name not in ("CDK_REQUIRE_APPROVAL", "CONCURRENCY")}
    # Whether the environment of Python is up to date is no matter here.
    done = subprocess.run(
        ["make", "--dry-run", "--old-file=.venv/.ready", "--old-file=node_modules/.ready", target, *arguments],
        cwd=ROOT,
        env={**clean, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return [line.replace(".venv/bin/", "") for line in done.stdout.splitlines() if ".venv/bin/" in line]


def test_one_question_is_asked_between_the_changes_and_the_deployment_of_the_same_synthesis():
    looks, synthesis, refusal, changes, question, deployment = recipe("deploy", "STAGE=test")

    assert looks.split() == ["genolaunch", "--stage", "test", "running"]
    assert synthesis == "npx cdk synth --quiet -c stage=test"
    assert refusal == "python -m checks.moved_subnets test"
    assert changes.startswith("npx cdk diff '**' --app cdk.out --security-only")
    assert question == "python -m checks.approval test"
    assert deployment.startswith("npx cdk deploy '**' --app cdk.out --require-approval never")
    assert "-c stage" not in deployment, "what was shown is what is deployed"


def test_where_nobody_sits_nothing_is_asked():
    assert recipe("deploy", "STAGE=test", CDK_REQUIRE_APPROVAL="never")[-3:] == [
        "npx cdk synth --quiet -c stage=test",
        "python -m checks.moved_subnets test",
        "npx cdk deploy '**' --app cdk.out --require-approval never --concurrency 1 --asset-prebuild=false",
    ]


def test_what_runs_stops_a_deployment_only_if_that_is_asked():
    makefile = (ROOT / "Makefile").read_text()

    assert "$(if $(IDLE),,-)$(BIN)/genolaunch --stage $(STAGE) running" in makefile
    assert recipe("deploy", "IDLE=1")[0] == "genolaunch --stage dev running --idle"


def test_a_build_of_the_product_deploys_stacks_side_by_side():
    assert "--concurrency 4 " in recipe("deploy", CDK_REQUIRE_APPROVAL="never", CONCURRENCY="4")[-1]


def test_some_stacks_are_deployed_by_themselves_as_all_are():
    synthesis, refusal, changes, question, deployment = recipe("deploy-only", "STAGE=test", "STACKS=regenie snakemake")

    assert synthesis == "npx cdk synth --quiet -c stage=test"
    assert refusal == "python -m checks.moved_subnets test"
    assert changes == (
        "npx cdk diff 'genolaunch-test/regenie' 'genolaunch-test/snakemake' --app cdk.out --exclusively "
        "--security-only --fail-on=never --method=template"
    )
    assert question == "python -m checks.approval test"
    assert deployment == (
        "npx cdk deploy 'genolaunch-test/regenie' 'genolaunch-test/snakemake' --app cdk.out --exclusively "
        "--require-approval never --concurrency 1 --asset-prebuild=false"
    )


def test_no_stacks_are_not_all_stacks():
    with pytest.raises(subprocess.CalledProcessError) as refused:
        recipe("deploy-only", "STAGE=test")

    assert "Say which: make deploy-only STAGE=test STACKS=" in refused.value.stderr


@pytest.mark.parametrize(
    "page", sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")]), ids=lambda page: page.name
)
def test_people_deploy_by_make(page):
    """It builds no image before its repository is there, and asks one question."""
    assert [line for line in page.read_text().splitlines() if line.lstrip().startswith("npx cdk deploy")] == []


def test_destroy_asks_by_itself():
    assert recipe("destroy", "STAGE=test") == ["genolaunch --stage test destroy"]


@pytest.mark.parametrize(("typed", "code"), [("y\n", 0), ("Yes\n", 0), ("n\n", 1), ("\n", 1), ("", 1), ("dev\n", 1)])
def test_only_yes_is_yes(typed, code, monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    monkeypatch.setattr("sys.argv", ["approval", "dev"])

    assert approval.main() == code
    shown = capsys.readouterr()
    assert "Deploy dev? [y/N]" in shown.out
    assert ("Nothing was deployed" in shown.err) is bool(code)
