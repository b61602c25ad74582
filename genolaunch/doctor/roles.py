"""Service-linked roles: which are there, which AWS makes by itself, and which somebody has to make."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from genolaunch.doctor.account import Account
from genolaunch.doctor.finding import Check, Finding, mend, ok

if TYPE_CHECKING:
    from stacks.config import StageSettings


@dataclass(frozen=True)
class _Linked:
    role: str
    service: str
    made_by: str | None
    """What makes it when it is missing; None: nobody does."""


_LINKED: Final = (
    # Batch user guide, "Create Amazon EC2 spot fleet roles with the AWS CLI"; EC2 user guide, "Service-linked role for
    # Spot Instances": the console makes it, callers of the API must see to it.
    _Linked("AWSServiceRoleForEC2Spot", "spot.amazonaws.com", None),
    # EC2 user guide, "EC2 Fleet prerequisites": the same. Tibanna asks for fleets.
    _Linked("AWSServiceRoleForEC2Fleet", "ec2fleet.amazonaws.com", None),
    # Batch user guide, "Using service-linked roles": for a compute environment without a service role.
    _Linked("AWSServiceRoleForBatch", "batch.amazonaws.com", "Batch, with the first compute environment"),
    # Amazon ECS developer guide, "Using service-linked roles".
    _Linked("AWSServiceRoleForECS", "ecs.amazonaws.com", "ECS, with the first cluster"),
    # Amazon EC2 Auto Scaling user guide, "Service-linked roles": Batch keeps its instances in such groups.
    _Linked("AWSServiceRoleForAutoScaling", "autoscaling.amazonaws.com", "Auto Scaling, with the first group"),
    # FSx for Lustre user guide, "Using service-linked roles": by CreateFileSystem's caller, whom
    # stacks/regenie.py lets. The one that reads and writes S3 is made for each file system anew.
    _Linked("AWSServiceRoleForAmazonFSx", "fsx.amazonaws.com", "FSx, with the first file system"),
)


def checks(settings: "StageSettings") -> list[Check]:
    """One line a role."""
    del settings
    return [Check(linked.role, partial(_look, linked)) for linked in _LINKED]


def _look(linked: _Linked, account: Account) -> Sequence[Finding]:
    iam = account.client("iam")
    try:
        iam.get_role(RoleName=linked.role)
    except iam.exceptions.NoSuchEntityException:
        if linked.made_by:
            return [ok(linked.role, f"not there yet: made by {linked.made_by}")]
        command = f"aws iam create-service-linked-role --aws-service-name {linked.service}"
        return [mend(linked.role, "not there, and only consoles make it: instances would not start", command)]
    return [ok(linked.role, "is there")]
