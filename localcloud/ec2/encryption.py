"""Encryption of EBS volumes by default: a setting of the account in its region, which Tibanna's instances depend on."""

from collections.abc import Callable
from typing import Final

from localcloud.ec2.query import element, members, xml
from localcloud.wire import Answer, Request

_SETS: Final = {
    "EnableEbsEncryptionByDefault": True,
    "DisableEbsEncryptionByDefault": False,
    "GetEbsEncryptionByDefault": None,
}
"""Operation -> what it sets; None: it only asks."""


class EncryptionByDefault:
    """On from the start, as in an account that is prepared as the README says; off in a new account of AWS."""

    def __init__(self) -> None:
        self.is_on = True

    def wants(self, request: Request) -> bool:
        """Whether it is one of the three operations about it."""
        return members(request).get("Action") in _SETS

    def answer(self, request: Request, _own: Callable[[], Answer]) -> Answer:
        """Answer it. All three say how it is afterwards."""
        operation = members(request)["Action"]
        new = _SETS[operation]
        if new is not None:
            self.is_on = new
        return xml(operation, element("ebsEncryptionByDefault", str(self.is_on).lower()))
