"""What calls of IAM need: by a role's path, its boundary, and the policy that is attached."""

from typing import Any

from localcloud.iam.iam_rules import RULES
from localcloud.iam.model import Call
from tests.unit.localcloud.test_iam_needs import Cloud

PATH = "/genolaunch/dev/launches/own/1/"
ROLE = f"arn:aws:iam::000000000000:role{PATH}own-1"


def needs(action: str, **params: Any) -> list[tuple[str, str, dict[str, Any]]]:
    call = Call(f"iam:{action}", "*", {name: [value] for name, value in params.items()}, {})
    return [(each.action, each.resource, dict(each.context)) for each in RULES[f"iam:{action}"](call, Cloud())]


def test_a_new_role_is_named_with_its_path_and_brings_its_boundary():
    (create,) = needs("CreateRole", RoleName="own-1", Path=PATH, PermissionsBoundary="boundary")

    assert create == ("iam:CreateRole", ROLE, {"iam:permissionsboundary": "boundary"})


def test_a_new_role_without_a_boundary_brings_none():
    ((_, _, context),) = needs("CreateRole", RoleName="own-1", Path=PATH)

    assert context == {"iam:permissionsboundary": None}


def test_whoever_makes_a_role_with_tags_must_be_allowed_to_tag_it():
    made = needs("CreateRole", RoleName="own-1", Path=PATH, **{"Tags.member.1.Key": "stage"})

    assert [(action, resource) for action, resource, _ in made] == [("iam:CreateRole", ROLE), ("iam:TagRole", ROLE)]


def test_a_policy_is_attached_to_a_role_within_its_boundary():
    ((action, resource, context),) = needs("AttachRolePolicy", RoleName="own-1", PolicyArn="policy")

    assert (action, resource) == ("iam:AttachRolePolicy", "role:own-1")
    assert (context["iam:permissionsboundary"], context["iam:policyarn"]) == ("boundary-of-own-1", "policy")


def test_a_role_is_handed_on_with_its_profile():
    fill = needs("AddRoleToInstanceProfile", RoleName="own-1", InstanceProfileName="own-1")

    assert [(action, resource) for action, resource, _ in fill] == [
        ("iam:AddRoleToInstanceProfile", "profile:own-1"),
        ("iam:PassRole", "role:own-1"),
    ]
