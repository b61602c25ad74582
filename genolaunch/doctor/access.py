"""Whose credentials, which region, and whether the CDK can deploy there."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from genolaunch.doctor.account import Account
from genolaunch.doctor.finding import Check, Finding, mend, ok

if TYPE_CHECKING:
    from stacks.config import StageSettings

BOOTSTRAP_VERSION: Final = 6
"""The least that the stage's stacks ask for (`requiresBootstrapStackVersion` of their assembly; a test compares)."""

_CREDENTIALS: Final = "credentials"
_REGION: Final = "region"
_BOOTSTRAP: Final = "CDK bootstrap"


def checks(settings: "StageSettings") -> list[Check]:
    """All but CREDENTIALS, without which the others make no sense."""
    del settings
    return [Check(_REGION, _region), Check(_BOOTSTRAP, _bootstrap)]


def _credentials(account: Account) -> Sequence[Finding]:
    caller = account.client("sts").get_caller_identity()
    wanted = account.settings.account
    if caller["Account"] == wanted:
        return [ok(_CREDENTIALS, f"{caller['Arn']} of the account {wanted}")]
    text = f"these are of the account {caller['Account']}; the stage's is {wanted} ({caller['Arn']})"
    return [mend(_CREDENTIALS, text, f"export AWS_PROFILE=<a profile of the account {wanted}>")]


CREDENTIALS: Final = Check(_CREDENTIALS, _credentials)


def _region(account: Account) -> Sequence[Finding]:
    """An opt-in region is off until an account turns it on (AWS Account Management reference guide)."""
    wanted = account.settings.region
    found = account.client("ec2").describe_regions(AllRegions=True)["Regions"]
    status = {region["RegionName"]: region.get("OptInStatus") for region in found}
    if wanted not in status:
        known = ", ".join(sorted(status))
        return [mend(_REGION, f"EC2 knows no region {wanted}, but: {known}", account.edit("region"))]
    if status[wanted] == "not-opted-in":
        command = f"aws account enable-region --region-name {wanted}"
        return [mend(_REGION, f"{wanted} is not enabled in this account", command)]
    environment = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    if environment and environment != wanted:
        text = f"the environment names {environment}, where the other commands would look for the stage of {wanted}"
        return [mend(_REGION, text, f"export AWS_REGION={wanted}")]
    return [ok(_REGION, wanted)]


def _bootstrap(account: Account) -> Sequence[Finding]:
    from botocore.exceptions import ClientError

    name = f"/cdk-bootstrap/{account.qualifier}/version"
    command = f"make bootstrap STAGE={account.settings.name}"
    try:
        version = int(account.client("ssm").get_parameter(Name=name)["Parameter"]["Value"])
    except ClientError as error:
        if error.response["Error"]["Code"] != "ParameterNotFound":
            raise
        return [mend(_BOOTSTRAP, f"there is no parameter {name}: the CDK was never used here", command)]
    if version < BOOTSTRAP_VERSION:
        return [mend(_BOOTSTRAP, f"version {version}; the stage needs {BOOTSTRAP_VERSION}", command)]
    return [ok(_BOOTSTRAP, f"version {version} (at least {BOOTSTRAP_VERSION})")]
