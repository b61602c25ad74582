"""The private network."""

from ipaddress import IPv4Network
from itertools import combinations, pairwise

import pytest

from tests.infrastructure.conftest import make_settings, synthesize_network


@pytest.fixture
def network(stacks):
    return stacks["network"]


def test_each_zone_has_a_private_subnet_with_a_way_out(network):
    private = [s for s in network.all("AWS::EC2::Subnet").items() if "jobs" in s[0]]

    assert sorted(subnet["AvailabilityZone"] for _, subnet in private) == ["eu-west-1a", "eu-west-1b"]
    assert [id_ for id_, subnet in network.all("AWS::EC2::Subnet").items() if subnet["MapPublicIpOnLaunch"]] == []
    assert len([r for r in network.all("AWS::EC2::Route").values() if "NatGatewayId" in r]) == 2


def subnets(cidr: str, *zones: str) -> dict[str, tuple[str, str]]:
    """Logical id -> zone and addresses."""
    network = synthesize_network(make_settings(zones=zones, network={"cidr": cidr}))
    return {
        id_: (subnet["AvailabilityZone"], subnet["CidrBlock"])
        for id_, subnet in network.all("AWS::EC2::Subnet").items()
    }


@pytest.mark.parametrize("cidr", ["10.40.0.0/16", "10.40.0.0/24"])
def test_a_zone_that_is_added_at_the_end_leaves_the_subnets_of_the_others_alone(cidr):
    """CloudFormation replaces a subnet whose zone or addresses change, and all that stands in it."""
    zones = [f"eu-west-1{letter}" for letter in "abcd"]
    stages = [subnets(cidr, *zones[:count]) for count in (1, 2, 3, 4)]

    assert [len(found) for found in stages] == [2, 4, 6, 8]
    for before, after in pairwise(stages):
        assert before.items() <= after.items()
    ranges = [IPv4Network(addresses) for _, addresses in stages[-1].values()]
    assert all(each.subnet_of(IPv4Network(cidr)) for each in ranges)
    assert not any(one.overlaps(other) for one, other in combinations(ranges, 2))
    assert min(each.num_addresses for each in ranges) >= 16  # the least that AWS allows


@pytest.mark.parametrize("gateways", [1, 2])
def test_the_setting_says_how_many_nat_gateways_the_zones_share(gateways):
    network = synthesize_network(make_settings(network={"nat_gateways": gateways}))

    assert len(network.all("AWS::EC2::NatGateway")) == gateways


def test_s3_and_dynamodb_are_reached_without_nat(network):
    services = [str(e["ServiceName"]) for e in network.all("AWS::EC2::VPCEndpoint").values()]

    assert {e["VpcEndpointType"] for e in network.all("AWS::EC2::VPCEndpoint").values()} == {"Gateway"}
    assert any("s3" in service for service in services)
    assert any("dynamodb" in service for service in services)


def test_refused_traffic_is_logged(network):
    assert network.one("AWS::EC2::FlowLog")["TrafficType"] == "REJECT"


def test_lustre_ports_are_open_in_both_directions_between_clients_and_servers(network):
    def group(reference: object) -> str:
        return "Compute" if "Compute" in str(reference) else "FileSystems"

    ingress = {
        (group(rule["SourceSecurityGroupId"]), group(rule["GroupId"]), rule["FromPort"], rule["ToPort"])
        for rule in network.all("AWS::EC2::SecurityGroupIngress").values()
    }
    egress = {
        (group(rule["GroupId"]), group(rule["DestinationSecurityGroupId"]), rule["FromPort"], rule["ToPort"])
        for rule in network.all("AWS::EC2::SecurityGroupEgress").values()
    }

    ports = [(988, 988), (1018, 1023)]
    pairs = [("Compute", "FileSystems"), ("FileSystems", "Compute"), ("FileSystems", "FileSystems")]
    assert ingress == {(*pair, *port) for pair in pairs for port in ports}
    # Clients may go anywhere; what servers may do is said.
    assert egress == {("FileSystems", to, *port) for to in ("Compute", "FileSystems") for port in ports}


def test_nothing_comes_in_from_outside(network):
    for group in network.all("AWS::EC2::SecurityGroup").values():
        assert "SecurityGroupIngress" not in group
