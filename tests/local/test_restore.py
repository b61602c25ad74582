"""Archived inputs on the embedded cloud: launches wait for them, and go on by themselves."""

from collections.abc import Mapping
from typing import Any

import pytest

from contract import Parameter
from tests.local.platform_client import COHORT, PlatformClient, gwas_config

pytestmark = pytest.mark.local


def upload(platform: PlatformClient, prefix: str, classes: Mapping[str, str]) -> None:
    """Puts the cohort below the prefix, each file in the storage class that its suffix has in `classes`."""
    for path in COHORT.iterdir():
        platform.s3.upload_file(
            str(path),
            platform.name(Parameter.DATA_BUCKET),
            prefix + path.name,
            ExtraArgs={"StorageClass": classes.get(path.suffix, "STANDARD")},
        )


def launch(platform: PlatformClient, prefix: str, **changes: Any) -> str:
    config = {**gwas_config(traits=["height"]), "name": "archived", "data": prefix, **changes}
    answer = platform.drop(config)
    assert answer["accepted"], answer
    launch_id: str = answer["launchId"]
    return launch_id


def test_a_launch_waits_for_its_archived_cohort_and_goes_on_by_itself(platform):
    upload(platform, "frozen/", dict.fromkeys((".bed", ".bim", ".fam", ".txt"), "GLACIER"))

    launch_id = launch(platform, "frozen/")

    waiting = platform.wait_for(launch_id, "WAITING", "FAILED", "REJECTED", "COMPLETE")
    assert waiting["status"] == "WAITING"
    assert waiting["statusReason"] == "5 objects, 285 kB, Bulk: ready in 5 to 12 hours"
    done = platform.wait_for(launch_id)
    assert done["status"] == "COMPLETE", done
    assert done["attempt"] == 2
    assert "statusReason" not in done
    platform.assert_clean(launch_id)
