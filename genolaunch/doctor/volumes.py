"""Whether EC2 encrypts volumes by default, which Tibanna's instances depend on."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from genolaunch.doctor.account import Account
from genolaunch.doctor.finding import Check, Finding, mend, ok

if TYPE_CHECKING:
    from stacks.config import StageSettings

_NAME: Final = "EBS encryption by default"


def checks(settings: "StageSettings") -> list[Check]:
    """Of a stage that refuses unencrypted instances."""
    return [Check(_NAME, _encryption)] if settings.tibanna.require_encrypted_volumes else []


def _encryption(account: Account) -> Sequence[Finding]:
    """A setting of an account in a region, off in a new one (Amazon EBS user guide)."""
    region = account.settings.region
    if account.client("ec2").get_ebs_encryption_by_default()["EbsEncryptionByDefault"]:
        return [ok(_NAME, f"on in {region}")]
    text = f"off in {region}: each of Tibanna's instances would be refused, and its launches are rejected"
    return [mend(_NAME, text, f"aws ec2 enable-ebs-encryption-by-default --region {region}")]
