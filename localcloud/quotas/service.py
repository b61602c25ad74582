"""Service Quotas: what an account may have. Everybody's values, unless a test lowers one for this account."""

from typing import Any, Final

from localcloud.clients import ACCOUNT, REGION
from localcloud.service import ServiceError, operation_of

Document = dict[str, Any]

_DEFAULTS: Final = {
    ("ec2", "L-1216C47A"): ("Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances", 5),
    ("ec2", "L-34B43A08"): ("All Standard (A, C, D, H, I, M, R, T, Z) Spot Instance Requests", 5),
    ("ec2", "L-0263D0A3"): ("EC2-VPC Elastic IPs", 5),
    ("fsx", "L-C48231E5"): ("Lustre Scratch file systems", 100),
    ("fsx", "L-AD2FC696"): ("Lustre Scratch storage capacity", 100_800),
    ("fsx", "L-FD6F2F22"): ("Lustre Persistent_2 file systems", 100),
    ("fsx", "L-8F1B9C74"): ("Lustre Persistent_2 storage capacity", 100_800),
    ("codebuild", "L-4DDC4A99"): ("Concurrently running builds for Linux/Large environment", 1),
    ("lambda", "L-B99A9384"): ("Concurrent executions", 1000),
    ("fargate", "L-3032A538"): ("Fargate On-Demand vCPU resource count", 6),
    ("vpc", "L-F678F1CE"): ("VPCs per Region", 5),
    ("vpc", "L-A4707A72"): ("Internet gateways per Region", 5),
    ("vpc", "L-FE5A380F"): ("NAT gateways per Availability Zone", 5),
}
"""(service, code) -> name and default ("… endpoints and quotas" of each service, AWS General Reference, 2026)."""

_RAISED: Final = {
    ("ec2", "L-1216C47A"): 1152.0,
    ("ec2", "L-34B43A08"): 1152.0,
    ("fargate", "L-3032A538"): 1000.0,
}
"""What was applied for this account: as for one that the account check was heeded in."""


class QuotasService:
    """Implements localcloud.service.Service."""

    name = "service-quotas"

    def __init__(self) -> None:
        self._applied = dict(_RAISED)
        self.operations = {
            "GetServiceQuota": self._get_applied,
            "GetAWSDefaultServiceQuota": self._get_default,
        }

    def call(self, operation: str, params: Document) -> Document:
        """Answer one operation. Raises ServiceError."""
        return operation_of("Service Quotas", self.operations, operation)(params)

    def apply(self, service: str, code: str, value: float) -> None:
        """Let the account have another value."""
        if (service, code) not in _DEFAULTS:
            raise KeyError(f"{service} {code}")
        self._applied[service, code] = value

    def _get_applied(self, params: Document) -> Document:
        key = (params["ServiceCode"], params["QuotaCode"])
        if key not in self._applied:  # as AWS answers for a quota that was never changed for the account
            raise _missing()
        return _answer(key, self._applied[key])

    def _get_default(self, params: Document) -> Document:
        key = (params["ServiceCode"], params["QuotaCode"])
        if key not in _DEFAULTS:
            raise _missing()
        return _answer(key, float(_DEFAULTS[key][1]))


def _missing() -> ServiceError:
    return ServiceError("NoSuchResourceException", "The request failed because the specified service does not exist.")


def _answer(key: tuple[str, str], value: float) -> Document:
    service, code = key
    return {
        "Quota": {
            "ServiceCode": service,
            "QuotaCode": code,
            "QuotaArn": f"arn:aws:servicequotas:{REGION}:{ACCOUNT}:{service}/{code}",
            "QuotaName": _DEFAULTS[key][0],
            "Value": value,
            "Unit": "None",
            "Adjustable": True,
            "GlobalQuota": False,
        }
    }
