"""AWS IAM (User guide, "IAM and AWS STS quotas"). Spaces between the parts of a policy do not count."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from localcloud.limits.sizes import compact, refuse

MOST_INLINE: Final = 10_240
"""Characters of all inline policies of a role together."""

MOST_MANAGED: Final = 6_144
"""Characters of a managed policy."""

MOST_TRUST: Final = 2_048
"""Characters of a role's trust policy (default; 4,096 on request)."""

MOST_ROLES: Final = 1_000
"""In an account (default; 5,000 on request)."""

MOST_PROFILES: Final = 1_000
"""Instance profiles in an account (default; 5,000 on request)."""

MOST_ATTACHED: Final = 10
"""Managed policies of a role (default; 20 on request)."""


def policy_size(document: Any) -> int:  # noqa: ANN401 - JSON text, or what it says
    """Characters of a policy that count."""
    if isinstance(document, str):
        try:
            document = json.loads(document)
        except ValueError:
            return len(document)
    return len(compact(document))


def check_inline(role: str, documents: Iterable[Any]) -> None:
    """Refuse a role all of whose inline policies these are."""
    if sum(map(policy_size, documents)) > MOST_INLINE:
        refuse("LimitExceeded", f"Maximum policy size of {MOST_INLINE} bytes exceeded for role {role}", 409)


def check_attached(count: int) -> None:
    """Refuse a role with so many managed policies."""
    if count > MOST_ATTACHED:
        refuse("LimitExceeded", f"Cannot exceed quota for PoliciesPerRole: {MOST_ATTACHED}", 409)


def _inline(params: Mapping[str, Any]) -> None:
    check_inline(str(params.get("RoleName", "")), [params.get("PolicyDocument", "")])


def _managed(params: Mapping[str, Any]) -> None:
    if policy_size(params.get("PolicyDocument", "")) > MOST_MANAGED:
        refuse("LimitExceeded", f"Cannot exceed quota for PolicySize: {MOST_MANAGED}", 409)


def _trust(params: Mapping[str, Any]) -> None:
    document = params.get("AssumeRolePolicyDocument") or params.get("PolicyDocument") or ""
    if policy_size(document) > MOST_TRUST:
        refuse("LimitExceeded", f"Cannot exceed quota for ACLSizePerRole: {MOST_TRUST}", 409)


def _role_of_template(params: Mapping[str, Any]) -> None:
    """A role in a template has its inline and managed policies with it."""
    check_inline(str(params.get("RoleName", "")), [one.get("PolicyDocument", "") for one in params.get("Policies", [])])
    check_attached(len(params.get("ManagedPolicyArns", [])))


LIMITS: Final = {
    "CreatePolicy": (_managed,),
    "CreatePolicyVersion": (_managed,),
    "CreateRole": (_trust, _role_of_template),
    "PutRolePolicy": (_inline,),
    "UpdateAssumeRolePolicy": (_trust,),
}
