"""EC2 as Tibanna uses it: fleets of one instance, and instances that really do what Tibanna's start script does.

ministack keeps the instances' records; what it lacks (fleets, what an instance does, why it ended) is here.
"""

from localcloud.ec2.encryption import EncryptionByDefault
from localcloud.ec2.injections import Injections
from localcloud.ec2.machines import Machines
from localcloud.ec2.service import Ec2Service

__all__ = ["Ec2Service", "EncryptionByDefault", "Injections", "Machines"]
