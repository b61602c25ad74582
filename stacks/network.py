"""The stage's private network: where jobs run and file systems live."""

import re
from typing import Final

import jsii
from aws_cdk import Acknowledgment, Validations
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from stacks.config import MOST_ZONES, StageSettings
from stacks.constructs.monitoring import Monitoring
from stacks.constructs.stage_stack import StageStack

# Between Lustre clients and servers, and among the servers, in both directions.
_LUSTRE_PORTS: Final = (ec2.Port.tcp(988), ec2.Port.tcp_range(1018, 1023))


class NetworkStack(StageStack):
    """VPC, one private subnet a zone, and the security groups of file systems and of the instances that carry jobs."""

    def __init__(self, scope: Construct, *, settings: StageSettings, monitoring: Monitoring) -> None:
        # Read while the base class is being built, by the property below.
        self._zones = list(settings.zones)
        super().__init__(scope, "network", settings=settings, description="Private network of Genolaunch's jobs")
        self.vpc = ec2.Vpc(
            self,
            "Vpc",
            ip_addresses=ec2.IpAddresses.cidr(settings.network.cidr),
            availability_zones=list(settings.zones),
            # Addresses are reserved for zones that are added later, so the other zones' subnets stay as they are.
            reserved_azs=MOST_ZONES - len(settings.zones),
            nat_gateways=settings.network.nat_gateways,
            subnet_configuration=[
                ec2.SubnetConfiguration(
                    name="public", subnet_type=ec2.SubnetType.PUBLIC, cidr_mask=28, map_public_ip_on_launch=False
                ),
                ec2.SubnetConfiguration(name="jobs", subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS),
            ],
            gateway_endpoints={
                "S3": ec2.GatewayVpcEndpointOptions(service=ec2.GatewayVpcEndpointAwsService.S3),
                "DynamoDb": ec2.GatewayVpcEndpointOptions(service=ec2.GatewayVpcEndpointAwsService.DYNAMODB),
            },
            # Emptying the default group would need a custom resource with a function; nothing here uses that group.
            restrict_default_security_group=False,
        )
        Validations.of(self.vpc).acknowledge(
            Acknowledgment(
                id="CloudFormation-Validate::W3010",
                reason="The zones are a setting of the stage: the instance types that it needs are not in every zone.",
            )
        )
        self.vpc.add_flow_log(
            "FlowLog",
            destination=ec2.FlowLogDestination.to_cloud_watch_logs(monitoring.log_group(self, "FlowLogs")),
            # Refused traffic is what helps to find faults; some auditors require all traffic.
            traffic_type=ec2.FlowLogTrafficType[settings.network.flow_logs],
        )
        self.compute_group = ec2.SecurityGroup(
            self,
            "Compute",
            vpc=self.vpc,
            description="Batch instances: out to anywhere (packages, images, AWS), in from the file systems alone",
            allow_all_outbound=True,
        )
        self.file_system_group = ec2.SecurityGroup(
            self, "FileSystems", vpc=self.vpc, description="FSx for Lustre file systems", allow_all_outbound=False
        )
        self.snakemake_group = ec2.SecurityGroup(
            self,
            "SnakemakeJobs",
            vpc=self.vpc,
            description="Batch instances of Snakemake jobs: out to anywhere but the file systems, in from nowhere",
            allow_all_outbound=True,
        )
        self._open_lustre_ports()
        self._make_interface_endpoints()

    @property
    @jsii.member(jsii_name="availabilityZones")
    def availability_zones(self) -> list[str]:
        """The stage's zones. The library would ask AWS for the account's zones, but synthesis must not need AWS."""
        return self._zones

    def zone_subnet(self, zone: str) -> ec2.ISubnet:
        """The private subnet of a zone."""
        return next(subnet for subnet in self.vpc.private_subnets if subnet.availability_zone == zone)

    def _open_lustre_ports(self) -> None:
        servers, clients = self.file_system_group, self.compute_group
        for port in _LUSTRE_PORTS:
            for peer in (servers, clients):
                servers.add_ingress_rule(peer, port, "Lustre")
                servers.add_egress_rule(peer, port, "Lustre")
            clients.add_ingress_rule(servers, port, "Lustre")

    def _make_interface_endpoints(self) -> None:
        """Make the interface endpoints that the settings name; each costs money by the hour in each zone."""
        services = self.settings.network.interface_endpoints
        if not services:
            return
        group = ec2.SecurityGroup(
            self, "Endpoints", vpc=self.vpc, description="Interface endpoints of AWS services", allow_all_outbound=False
        )
        # An endpoint's private name takes the VPC's whole traffic to its service (AWS PrivateLink guide, "Access an AWS
        # service using an interface VPC endpoint"): a client without access to it could not use NAT instead.
        group.add_ingress_rule(
            ec2.Peer.ipv4(self.settings.network.cidr), ec2.Port.tcp(443), "All that runs in the stage's network"
        )
        for service in services:
            self.vpc.add_interface_endpoint(
                f"{''.join(word.capitalize() for word in re.split('[.-]', service))}Endpoint",
                service=ec2.InterfaceVpcEndpointAwsService(service),
                subnets=ec2.SubnetSelection(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS),
                security_groups=[group],
                open=False,  # the security group says who may connect
            )
