"""Refuses a deployment in which subnets would take each other's addresses (`make deploy`, before it changes anything).

A subnet's zone and addresses never change: CloudFormation makes a new one before it deletes the old one (template
reference, AWS::EC2::Subnet, "Update requires: Replacement"), and EC2 refuses addresses that are taken. So a stage whose
zones come in another order, or of which not the last was dropped, is rolled back half-way.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Final

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from genolaunch.contract.project import PROJECT

_SYNTHESIS: Final = Path("cdk.out")
_STACK_TAG: Final = "aws:cloudformation:stack-name"
_ID_TAG: Final = "aws:cloudformation:logical-id"
"""CloudFormation gives them to whatever takes tags (user guide, "Resource tag")."""


@dataclass(frozen=True, order=True)
class Subnet:
    """Where a subnet is."""

    addresses: str
    zone: str


Subnets = Mapping[str, Subnet]
"""By their logical ids in the template of the network."""


def planned(synthesis: Path, stack: str) -> tuple[str, Subnets]:
    """The region of a stack that was synthesized, and its subnets."""
    region, template = _template(synthesis, stack)
    return region, {
        id_: Subnet(resource["Properties"]["CidrBlock"], resource["Properties"]["AvailabilityZone"])
        for id_, resource in template["Resources"].items()
        if resource["Type"] == "AWS::EC2::Subnet"
    }


def deployed(ec2: Any, stack: str) -> Subnets:  # noqa: ANN401 - its types are not among the development requirements
    """The subnets of a stack that are there, if any."""
    pages = ec2.get_paginator("describe_subnets").paginate(Filters=[{"Name": f"tag:{_STACK_TAG}", "Values": [stack]}])
    return {
        tag["Value"]: Subnet(each["CidrBlock"], each["AvailabilityZone"])
        for page in pages
        for each in page["Subnets"]
        for tag in each["Tags"]
        if tag["Key"] == _ID_TAG
    }


def refusal(stage: str, before: Subnets, after: Subnets) -> str | None:
    """What would move, and what to write instead; None if everything stays where it is."""
    moved = [
        f"  {subnet.zone} {subnet.addresses} -> {after[id_].zone} {after[id_].addresses}"
        for id_, subnet in sorted(before.items(), key=lambda item: ip_network(item[1].addresses))
        if id_ in after and after[id_] != subnet
    ]
    if not moved:
        return None
    zones, instead = _zones(before), _zones(after)
    mends = []
    if zones[: len(instead)] != instead[: len(zones)]:
        mends.append(
            f'"zones" begins with {json.dumps(zones)} in this order: others are added at the end, and only the last '
            "can be dropped"
        )
    if {each.addresses for each in before.values()}.isdisjoint(each.addresses for each in after.values()):
        mends.append('"network.cidr" stays as it was')
    return "\n".join(
        [
            f"Subnets of the stage {stage} would move, which AWS refuses half-way:",
            *moved,
            f"Mend its settings: {'; '.join(mends) or 'subnets stay where they are'}. Anything else is a new stage "
            '(docs/runbook.md, "A deployment that other stacks forbid").',
        ]
    )


def main() -> int:
    """0: nothing moves, or it cannot be told; 1: something does, and nothing was deployed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stage")
    stage = parser.parse_args().stage
    stack = f"{PROJECT}-{stage}-network"
    region, after = planned(_SYNTHESIS, stack)
    try:
        before = deployed(boto3.client("ec2", region_name=region), stack)
    except (BotoCoreError, ClientError) as error:
        # Whoever deploys may do so by roles of the CDK alone.
        sys.stderr.write(f"Whether subnets of {stage} would move cannot be told: {error}\n")
        return 0
    if reason := refusal(stage, before, after):
        sys.stderr.write(f"{reason}\nNothing was deployed.\n")
        return 1
    return 0


def _zones(subnets: Subnets) -> Sequence[str]:
    """In the order of the settings, in which the network gives addresses to them."""
    ordered = sorted(subnets.values(), key=lambda each: ip_network(each.addresses))
    return list(dict.fromkeys(each.zone for each in ordered))


def _template(synthesis: Path, stack: str) -> tuple[str, Mapping[str, Any]]:
    for assembly, artifact in _artifacts(synthesis):
        if artifact.get("properties", {}).get("stackName") == stack:
            file = assembly / artifact["properties"]["templateFile"]
            return artifact["environment"].rpartition("/")[2], json.loads(file.read_text(encoding="utf-8"))
    raise SystemExit(f"{stack} was not synthesized into {synthesis}")


def _artifacts(assembly: Path) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """What is in a cloud assembly, with its folder. A folder that no manifest names is left of another synthesis."""
    manifest = json.loads((assembly / "manifest.json").read_text(encoding="utf-8"))
    for artifact in manifest["artifacts"].values():
        yield assembly, artifact
        if artifact["type"] == "cdk:cloud-assembly":
            yield from _artifacts(assembly / artifact["properties"]["directoryName"])


if __name__ == "__main__":
    sys.exit(main())
