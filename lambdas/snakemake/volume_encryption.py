"""Whether EC2 encrypts the volumes of instances that do not ask for it, as Tibanna's do not."""

from genolaunch.contract.workflow import SnakemakeEngine
from genolaunch.launch_configs.snakemake_config import SnakemakeLaunch
from genolaunch.shared import aws
from genolaunch.shared.input_error import FaultCollector


def check_volumes_are_encrypted(config: SnakemakeLaunch, faults: FaultCollector) -> None:
    """Note a launch whose every instance would be refused for the condition `ec2:Encrypted` (stacks/tibanna.py).

    Encryption by default is a setting of an account in a region, off in a new one (Amazon EC2 API reference,
    GetEbsEncryptionByDefault; Amazon EBS user guide, "Enable Amazon EBS encryption by default").
    """
    if config.snakemake.engine is not SnakemakeEngine.TIBANNA:
        return
    client = aws.client("ec2")
    if client.get_ebs_encryption_by_default()["EbsEncryptionByDefault"]:
        return
    faults.add(
        "snakemake.engine",
        "is tibanna, whose instances are refused here: this account does not encrypt EBS volumes by default in "
        f"{client.meta.region_name}",
        "The people who run this stage turn it on with `aws ec2 enable-ebs-encryption-by-default --region "
        f"{client.meta.region_name}`; then launch again. Or use another engine.",
    )
