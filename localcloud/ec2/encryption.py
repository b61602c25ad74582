"""Encryption of EBS volumes by default: a setting of the account in its region, which Tibanna's instances depend on."""

from typing import Final

from localcloud.ec2_query import element, members, xml
from localcloud.interceptor import Own
from localcloud.wire import Answer, Request

_SETS: Final = {
    "EnableEbsEncryptionByDefault": True,
    "DisableEbsEncryptionByDefault": False,
    "GetEbsEncryptionByDefault": None,
}
"""Operation -> what it sets; None: it only asks."""


class EncryptionByDefault:
    """On from the start, as in an account that is prepared for it; off in a new account of AWS."""

    OPERATIONS: Final = frozenset(_SETS)

    def __init__(self) -> None:
        self.is_on = True

    def answer(self, request: Request, _own: Own) -> Answer:
        """Answer it. All three say how it is afterwards."""
        operation = members(request)["Action"]
        new = _SETS[operation]
        if new is not None:
            self.is_on = new
        return xml(operation, element("ebsEncryptionByDefault", str(self.is_on).lower()))
