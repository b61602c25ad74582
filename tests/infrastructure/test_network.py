"""The private network."""

import pytest

from tests.infrastructure.conftest import make_settings, synthesize


@pytest.fixture
def network(stacks):
    return stacks["network"]


def test_each_zone_has_a_private_subnet_with_a_way_out(network):
    private = [s for s in network.all("AWS::EC2::Subnet").items() if "jobs" in s[0]]

    assert sorted(subnet["AvailabilityZone"] for _, subnet in private) == ["eu-west-1a", "eu-west-1b"]
    assert [id_ for id_, subnet in network.all("AWS::EC2::Subnet").items() if subnet["MapPublicIpOnLaunch"]] == []
    assert len([r for r in network.all("AWS::EC2::Route").values() if "NatGatewayId" in r]) == 2


@pytest.mark.parametrize("gateways", [1, 2])
def test_the_setting_says_how_many_nat_gateways_the_zones_share(gateways):
    network = synthesize(make_settings(network={"nat_gateways": gateways}))["network"]

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
