"""EC2 as Tibanna uses it: fleets of one instance, and instances that really do what Tibanna's start script does.

ministack keeps the instances' records; what it lacks (fleets, what an instance does, why it ended) is here.
"""

from localcloud.ec2.api import FleetRequests
from localcloud.ec2.encryption import EncryptionByDefault
from localcloud.ec2.injections import Injections
from localcloud.ec2.machines import Machines

__all__ = ["EncryptionByDefault", "FleetRequests", "Injections", "Machines"]
