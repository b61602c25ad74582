"""What calls of EC2 need."""

from typing import Final

from localcloud.clients import ACCOUNT, REGION
from localcloud.iam.model import Call, Cloud, Context, Need, Rule, passing, tagged, tagging


def _ec2_arn(kind: str, id_: str) -> str:
    account = "" if kind == "image" else ACCOUNT
    return f"arn:aws:ec2:{REGION}:{account}:{kind}/{id_}"


def _one(call: Call, name: str) -> str | None:
    value = call.params.get(name)
    return value[0] if isinstance(value, list) else value


def _numbered(call: Call, name: str) -> list[str]:
    """`InstanceId.1`, `InstanceId.2` … of a query."""
    return [str(_one(call, key)) for key in call.params if key.startswith(f"{name}.") and key.count(".") == 1]


def _run_instances(call: Call, cloud: Cloud) -> list[Need]:
    made = [_ec2_arn(kind, "new") for kind in ("instance", "volume", "network-interface")]
    groups: list[str | None] = [
        str(_one(call, key)) for key in call.params if key.startswith("SecurityGroupId.") or ".SecurityGroupId." in key
    ]
    used: dict[str, list[str | None]] = {
        "image": [_one(call, "ImageId")],
        "subnet": [_one(call, "SubnetId") or _one(call, "NetworkInterface.1.SubnetId")],
        "security-group": groups,
        "launch-template": [_one(call, "LaunchTemplate.LaunchTemplateId")],
        "key-pair": [_one(call, "KeyName")],
    }
    type_ = {"ec2:instancetype": _one(call, "InstanceType")}
    profile = _one(call, "IamInstanceProfile.Arn") or _one(call, "IamInstanceProfile.Name")
    role = cloud.role_of_profile(profile) if profile else None
    mappings = [key for key in call.params if key.startswith("BlockDeviceMapping.") and key.endswith(".Ebs.Encrypted")]
    encryption = _encryption([str(_one(call, key)).lower() == "true" for key in mappings], cloud)
    return [
        *(
            Need(call.action, arn, {**call.context, **type_, **(encryption if ":volume/" in arn else {})})
            for arn in made
        ),
        *(tagged(call, _ec2_arn(kind, id_), cloud, type_) for kind, ids in used.items() for id_ in ids if id_),
        *tagging(call, "ec2:CreateTags", made[0], {"ec2:createaction": "RunInstances"}),
        *passing([role] if role else [], "ec2.amazonaws.com"),
    ]


_TEMPLATE: Final = "LaunchTemplateConfigs.1.LaunchTemplateSpecification"
_OVERRIDE: Final = "LaunchTemplateConfigs.1.Overrides.1"


def _create_fleet(call: Call, cloud: Cloud) -> list[Need]:
    """A fleet of type `instant` runs its instances in the caller's name (EC2 user guide, "EC2 Fleet prerequisites")."""
    name = _one(call, f"{_TEMPLATE}.LaunchTemplateName") or _one(call, f"{_TEMPLATE}.LaunchTemplateId") or ""
    template = cloud.launch_template(name)
    made = [_ec2_arn(kind, "new") for kind in ("fleet", "instance", "volume")]
    used = _ec2_arn("launch-template", name)
    return [
        # Of the optional ones, those that the overrides name (Service Authorization Reference, CreateFleet).
        *(Need(call.action, arn, call.context) for arn in (*made, used, *_named_in_overrides(call))),
        *tagging(call, "ec2:CreateTags", made[0], {"ec2:createaction": "CreateFleet"}),
        *_instance_of(
            template, cloud, subnet=_one(call, f"{_OVERRIDE}.SubnetId"), image=_one(call, f"{_OVERRIDE}.ImageId")
        ),
        Need("ec2:RunInstances", used),
    ]


def _named_in_overrides(call: Call) -> list[str]:
    kinds = {"ImageId": "image", "SubnetId": "subnet"}
    members = ((key.rpartition(".")[2], key) for key in call.params if ".Overrides." in key)
    return sorted({_ec2_arn(kinds[name], str(_one(call, key))) for name, key in members if name in kinds})


def _instance_of(template: Context, cloud: Cloud, *, subnet: str | None, image: str | None) -> list[Need]:
    run, tag = "ec2:RunInstances", "ec2:CreateTags"
    tags = {
        f"aws:requesttag/{each['Key']}".lower(): each["Value"]
        for specification in template.get("TagSpecifications", [])
        if specification["ResourceType"] == "instance"
        for each in specification["Tags"]
    }
    instance = _ec2_arn("instance", "new")
    profile = template.get("IamInstanceProfile", {})
    role = cloud.role_of_profile(profile.get("Arn") or profile.get("Name") or "")
    mappings = template.get("BlockDeviceMappings", [])
    asked = [each["Ebs"].get("Encrypted") is True for each in mappings if "Ebs" in each]
    named = {"subnet": [subnet], "image": [image], "security-group": template.get("SecurityGroupIds", [])}
    return [
        Need(run, instance, tags),
        Need(run, _ec2_arn("volume", "new"), _encryption(asked, cloud)),
        Need(run, _ec2_arn("network-interface", "new")),
        *(Need(run, _ec2_arn(kind, id_)) for kind, ids in named.items() for id_ in ids if id_),
        *([Need(tag, instance, {**tags, "ec2:createaction": "RunInstances"})] if tags else []),
        *passing([role] if role else [], "ec2.amazonaws.com"),
    ]


def _encryption(asked: list[bool], cloud: Cloud) -> Context:
    """`ec2:Encrypted` of an instance's volumes: each that asks for it is, or all of them by the account's default."""
    is_encrypted = cloud.encrypts_volumes() or (bool(asked) and all(asked))
    return {"ec2:encrypted": str(is_encrypted).lower()}


def _existing_fleets(call: Call, cloud: Cloud) -> list[Need]:
    return [tagged(call, _ec2_arn("fleet", id_), cloud) for id_ in _numbered(call, "FleetId")]


def _existing_instances(call: Call, cloud: Cloud) -> list[Need]:
    return [_on_instance(call, id_, cloud) for id_ in _numbered(call, "InstanceId")]


def _on_instance(call: Call, id_: str, cloud: Cloud) -> Need:
    arn = _ec2_arn("instance", id_)
    tags = {f"ec2:resourcetag/{name}".lower(): value for name, value in cloud.tags(arn).items()}
    return tagged(call, arn, cloud, {**tags, "ec2:instanceprofile": cloud.profile_of_instance(id_)})


def _existing_launch_template(call: Call, cloud: Cloud) -> list[Need]:
    return [tagged(call, _ec2_arn("launch-template", _one(call, "LaunchTemplateId") or ""), cloud)]


_EC2_KINDS: Final = {"i": "instance", "vol": "volume", "lt": "launch-template", "eni": "network-interface"}


def _create_tags(call: Call, cloud: Cloud) -> list[Need]:
    ids = _numbered(call, "ResourceId")
    return [tagged(call, _ec2_arn(_EC2_KINDS.get(id_.partition("-")[0], "*"), id_), cloud) for id_ in ids]


def _create_launch_template(call: Call, cloud: Cloud) -> list[Need]:
    del cloud
    made = _ec2_arn("launch-template", "lt-new")
    return [
        Need(call.action, made, call.context),
        *tagging(call, "ec2:CreateTags", made, {"ec2:createaction": "CreateLaunchTemplate"}),
    ]


RULES: Final[dict[str, Rule]] = {
    "ec2:CreateFleet": _create_fleet,
    "ec2:DeleteFleets": _existing_fleets,
    "ec2:RunInstances": _run_instances,
    "ec2:TerminateInstances": _existing_instances,
    "ec2:DeleteLaunchTemplate": _existing_launch_template,
    "ec2:CreateLaunchTemplate": _create_launch_template,
    "ec2:CreateTags": _create_tags,
}
