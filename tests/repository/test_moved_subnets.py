"""A deployment in which subnets would take each other's places is refused before it changes anything."""

import json
import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from checks import moved_subnets
from tests.infrastructure.conftest import make_settings, network_alone

CIDR = "10.40.0.0/16"
REGION = "eu-west-1"
STACK = "genolaunch-unit-network"


def zones(letters: str) -> list[str]:
    return [f"{REGION}{letter}" for letter in letters]


@pytest.fixture(scope="module")
def syntheses(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Path]:
    """Folders with the network of the stage, synthesized into cdk.out, each once."""

    @cache
    def run(letters: str, cidr: str) -> Path:
        folder = tmp_path_factory.mktemp("synthesis")
        settings = make_settings(zones=zones(letters), network={"cidr": cidr})
        network_alone(settings, str(folder / "cdk.out")).synth()
        return folder

    return run


@pytest.fixture
def synthesize(syntheses: Callable[[str, str], Path], monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """When the stage is synthesized as `make deploy` does it."""
    monkeypatch.setattr("sys.argv", ["moved_subnets", "unit"])
    return lambda letters, cidr=CIDR: monkeypatch.chdir(syntheses(letters, cidr))


@pytest.fixture
def ec2(monkeypatch: pytest.MonkeyPatch) -> Iterator[object]:
    """Given: an account in which nothing is deployed."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        yield boto3.client("ec2", region_name=REGION)


@pytest.fixture
def deploy(ec2, synthesize) -> Callable[..., None]:
    """Given: the stage is deployed with these zones, as CloudFormation does it."""

    def run(letters: str, cidr: str = CIDR, stack: str = STACK) -> None:
        synthesize(letters, cidr)
        vpc = ec2.create_vpc(CidrBlock=cidr)["Vpc"]["VpcId"]
        for id_, subnet in moved_subnets.planned(Path("cdk.out"), STACK)[1].items():
            tags = {"aws:cloudformation:stack-name": stack, "aws:cloudformation:logical-id": id_}
            made = [{"Key": key, "Value": value} for key, value in tags.items()]
            ec2.create_subnet(
                VpcId=vpc,
                CidrBlock=subnet.addresses,
                AvailabilityZone=subnet.zone,
                TagSpecifications=[{"ResourceType": "subnet", "Tags": made}],
            )

    return run


@pytest.mark.parametrize(
    ("before", "after"), [("abc", "ab"), ("abc", "abc"), ("ab", "abc"), ("bac", "b"), ("b", "bac")]
)
def test_zones_are_added_and_dropped_at_the_end(deploy, synthesize, before, after):
    deploy(before)
    synthesize(after)

    assert moved_subnets.main() == 0


@pytest.mark.parametrize(("before", "after"), [("abc", "ac"), ("abc", "b"), ("ab", "bac"), ("b", "abc")])
def test_zones_that_would_take_each_others_places_are_refused_with_what_to_write(
    deploy, synthesize, capsys, before, after
):
    deploy(before)
    synthesize(after)

    assert moved_subnets.main() == 1
    told = capsys.readouterr().err
    assert f'"zones" begins with {json.dumps(zones(before))} in this order' in told
    assert "network.cidr" not in told
    assert told.endswith("Nothing was deployed.\n")


def test_each_subnet_that_would_move_is_named(deploy, synthesize, capsys):
    deploy("ab")
    synthesize("b")

    moved_subnets.main()

    told = capsys.readouterr().err
    moved = [line.split() for line in told.splitlines() if line.startswith("  ")]
    assert [(line[0], line[3]) for line in moved] == [
        ("eu-west-1a", "eu-west-1b")
    ] * 2  # the public and the private one


def test_other_addresses_are_refused(deploy, synthesize, capsys):
    deploy("ab")
    synthesize("abc", cidr="10.41.0.0/16")

    assert moved_subnets.main() == 1
    told = capsys.readouterr().err
    assert '"network.cidr" stays as it was' in told
    assert '"zones"' not in told


def test_a_first_deployment_and_the_networks_of_others_are_passed_over(deploy, synthesize):
    deploy("abc", stack="genolaunch-other-network")
    synthesize("bac")

    assert moved_subnets.main() == 0


def test_who_may_not_look_deploys_all_the_same_and_is_told(ec2, synthesize, monkeypatch, capsys):
    def refuse(*_: object) -> None:
        raise ClientError({"Error": {"Code": "UnauthorizedOperation", "Message": "no"}}, "DescribeSubnets")

    monkeypatch.setattr(moved_subnets, "deployed", refuse)
    synthesize("ab")

    assert moved_subnets.main() == 0
    assert "Whether subnets of unit would move cannot be told: An error occurred (Unauthor" in capsys.readouterr().err


def test_what_is_left_of_another_synthesis_is_passed_over(deploy, synthesize, syntheses, tmp_path, monkeypatch):
    deploy("ab")
    for letters, name in (("b", "assembly-left"), ("ab", ".")):
        shutil.copytree(syntheses(letters, CIDR) / "cdk.out", tmp_path / "cdk.out" / name, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)

    assert moved_subnets.main() == 0
