"""Whether the stage's zones exist, and offer what it runs on."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from genolaunch.doctor.account import Account
from genolaunch.doctor.finding import Check, Finding, mend, ok, unknown

if TYPE_CHECKING:
    from stacks.config import StageSettings

_ZONES: Final = "zones"
_TYPES: Final = "instance types"
_LUSTRE: Final = "FSx for Lustre in the region"
_LUSTRE_ZONES: Final = "FSx for Lustre in the zones"

# Public parameters of Systems Manager (user guide, "Calling public parameters for AWS services, Regions, …").
_LUSTRE_REGIONS: Final = "/aws/service/global-infrastructure/services/fsx-lustre/regions"


def checks(settings: "StageSettings") -> list[Check]:
    """Of every stage."""
    del settings
    return [
        Check(_ZONES, _zones),
        Check(_TYPES, _instance_types),
        Check(_LUSTRE, _lustre),
        Check(_LUSTRE_ZONES, _lustre_zones),
    ]


def _zones(account: Account) -> Sequence[Finding]:
    settings = account.settings
    found = account.client("ec2").describe_availability_zones()["AvailabilityZones"]
    there = [zone["ZoneName"] for zone in found if zone["State"] == "available"]
    missing = [zone for zone in settings.zones if zone not in there]
    if missing:
        text = f"not to be had in this account: {', '.join(missing)}; there are: {', '.join(there)}"
        return [mend(_ZONES, text, account.edit("zones"))]
    return [ok(_ZONES, ", ".join(settings.zones))]


def _instance_types(account: Account) -> Sequence[Finding]:
    """Batch takes families and types; one that a zone lacks is no fault where the zone has another."""
    asked = account.settings.batch.instance_types
    offered = _offered(account)
    nowhere = [name for name in asked if not any(_has(types, name) for types in offered.values())]
    empty = [zone for zone, types in offered.items() if not any(_has(types, name) for name in asked)]
    if nowhere or empty:
        faults = [f"{name} is offered in none of the zones" for name in nowhere]
        faults += [f"none of {', '.join(asked)} is offered in {zone}" for zone in empty]
        return [mend(_TYPES, "; ".join(faults), account.edit("batch.instance_types"))]
    gaps = [f"{name} not in {zone}" for zone, types in offered.items() for name in asked if not _has(types, name)]
    return [ok(_TYPES, f"{', '.join(asked)}" + (f" ({'; '.join(gaps)})" if gaps else ""))]


def _offered(account: Account) -> Mapping[str, frozenset[str]]:
    zones = account.settings.zones
    pages = (
        account.client("ec2")
        .get_paginator("describe_instance_type_offerings")
        .paginate(LocationType="availability-zone", Filters=[{"Name": "location", "Values": list(zones)}])
    )
    found = [(each["Location"], each["InstanceType"]) for page in pages for each in page["InstanceTypeOfferings"]]
    return {zone: frozenset(type_ for place, type_ in found if place == zone) for zone in zones}


def _has(types: frozenset[str], name: str) -> bool:
    return name in types or any(type_.startswith(f"{name}.") for type_ in types)


def _lustre(account: Account) -> Sequence[Finding]:
    region = account.settings.region
    pages = account.client("ssm").get_paginator("get_parameters_by_path").paginate(Path=_LUSTRE_REGIONS)
    regions = sorted(parameter["Value"] for page in pages for parameter in page["Parameters"])
    if not regions:
        return [unknown(_LUSTRE, f"Systems Manager has nothing below {_LUSTRE_REGIONS}")]
    if region not in regions:
        text = f"not offered in {region}; it is in: {', '.join(regions)}"
        return [mend(_LUSTRE, text, account.edit("region"))]
    return [ok(_LUSTRE, f"offered in {region}")]


def _lustre_zones(account: Account) -> Sequence[Finding]:
    del account
    text = "no call of AWS tells it before CreateFileSystem is asked by a launch"
    return [unknown(_LUSTRE_ZONES, text)]
