"""What calls of IAM itself need: whose role it is about, by its path, and what limits the role already.

Service Authorization Reference, "Actions, resources, and condition keys for AWS Identity and Access Management".
"""

from typing import Final

from localcloud.clients import ACCOUNT
from localcloud.iam.model import Call, Cloud, Context, Need, Rule, passing

_BOUNDARY: Final = "iam:permissionsboundary"
_POLICY: Final = "iam:policyarn"


def _param(call: Call, name: str) -> str:
    value = call.params.get(name, "")
    return str(value[0] if isinstance(value, list) and value else value or "")


def _new_role(call: Call, cloud: Cloud) -> list[Need]:
    """`iam:PermissionsBoundary` is the one that the role is to have. Whoever tags it must be allowed to."""
    del cloud
    role = f"arn:aws:iam::{ACCOUNT}:role{_param(call, 'Path') or '/'}{_param(call, 'RoleName')}"
    asked = {_BOUNDARY: _param(call, "PermissionsBoundary") or None}
    tagging = [Need("iam:TagRole", role, call.context)] if any(".Key" in name for name in call.params) else []
    return [Need(call.action, role, {**call.context, **asked}), *tagging]


def _role(call: Call, cloud: Cloud) -> list[Need]:
    return [Need(call.action, cloud.role_arn(_param(call, "RoleName")), _of_role(call, cloud))]


def _of_role(call: Call, cloud: Cloud) -> Context:
    """What is asked of the role, and what it has: of a call that changes its boundary, the one that it is to have."""
    role = cloud.role_arn(_param(call, "RoleName"))
    boundary = _param(call, "PermissionsBoundary") or cloud.boundary_of(_param(call, "RoleName"))
    tags = {f"aws:resourcetag/{name}".lower(): value for name, value in cloud.tags(role).items()}
    return {**call.context, **tags, _BOUNDARY: boundary, _POLICY: _param(call, "PolicyArn") or None}


def _new_profile(call: Call, cloud: Cloud) -> list[Need]:
    del cloud
    path, name = _param(call, "Path") or "/", _param(call, "InstanceProfileName")
    return [Need(call.action, f"arn:aws:iam::{ACCOUNT}:instance-profile{path}{name}", call.context)]


def _profile(call: Call, cloud: Cloud) -> list[Need]:
    return [Need(call.action, cloud.profile_arn(_param(call, "InstanceProfileName")), call.context)]


def _fill_profile(call: Call, cloud: Cloud) -> list[Need]:
    """Needs: "The caller of this operation must be granted the PassRole permission" (API reference)."""
    return [*_profile(call, cloud), *passing([cloud.role_arn(_param(call, "RoleName"))])]


_ON_ROLES: Final = (
    *("GetRole", "DeleteRole", "UpdateRole", "UpdateAssumeRolePolicy", "TagRole", "UntagRole", "ListRoleTags"),
    *("PutRolePolicy", "GetRolePolicy", "DeleteRolePolicy", "ListRolePolicies"),
    *("AttachRolePolicy", "DetachRolePolicy", "ListAttachedRolePolicies", "ListInstanceProfilesForRole"),
    *("PutRolePermissionsBoundary", "DeleteRolePermissionsBoundary"),
)

RULES: Final[dict[str, Rule]] = {
    "iam:CreateRole": _new_role,
    **{f"iam:{action}": _role for action in _ON_ROLES},
    "iam:CreateInstanceProfile": _new_profile,
    "iam:AddRoleToInstanceProfile": _fill_profile,
    **{
        f"iam:{action}": _profile
        for action in ("GetInstanceProfile", "DeleteInstanceProfile", "RemoveRoleFromInstanceProfile")
    },
}
