"""The EC2 instances that Batch jobs run on: invented, since jobs run on this machine, but as AWS tells of them."""

from localcloud.instances.fleet import Fleet, HostSettings, Instance
from localcloud.instances.hosts import FleetHosts
from localcloud.instances.service import InstancesService

__all__ = ["Fleet", "FleetHosts", "HostSettings", "Instance", "InstancesService"]
