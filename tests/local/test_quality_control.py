"""A launch with quality control: step 1 takes what it leaves, step 2 tests everything, and the report says so."""

import gzip
import json
import re

import pytest

from genolaunch.contract.results import WORK_WARNINGS
from tests.local.platform_client import PlatformClient, gwas_config

pytestmark = pytest.mark.local


def test_step_1_takes_the_variants_that_pass_and_what_was_left_out_is_told(platform: PlatformClient):
    config = gwas_config(step1={"block_size": 100, "jobs": 2, "qc": {"mac": 400}}, step2={"variants_per_job": 1000})

    launch_id = platform.drop(config)["launchId"]
    platform.complete(launch_id)

    # Then: the summary and the lists are among the results
    summary = json.loads(platform.result(launch_id, "step1/qc/summary.json"))
    kept = platform.result(launch_id, "step1/qc/variants.txt").decode().split()
    left_out = summary["variants"]["leftOut"]["mac"]
    assert 0 < len(kept) == summary["variants"]["kept"] < 1000
    assert len(kept) + sum(summary["variants"]["leftOut"].values()) == 1000
    # And: regenie's own log of step 1 counts the same variants, while all of them are tested in step 2
    master = platform.job_log(launch_id, "split")
    assert re.search(rf"number of variants remaining in the analysis = {len(kept)}\b", master), master
    tested = gzip.decompress(platform.result(launch_id, "gwas/height.regenie.gz")).splitlines()[1:]
    assert len(tested) == 1000
    # And: the report tells it
    report = platform.result(launch_id, "report.html").decode()
    assert f"Step 1 was fitted to {len(kept):,} variants and 800 of 800 samples" in report
    assert re.search(rf'minor allele count below 400</th><td class="number">{left_out}<', report)
    # And: what the results say to their readers is in the launch's item from its end on, as it is beside them
    told = json.loads(platform.result(launch_id, WORK_WARNINGS))
    warnings, item = told["warnings"], platform.launch(launch_id)
    assert (item["warnings"], item["findings"]) == (warnings, told["findings"])
    assert any("genome-wide significance (p = 5e-8) in ADD (1 df)" in finding for finding in item["findings"])
    assert any(f"quality control left {len(kept):,} of 1,000 variants" in warning for warning in warnings), warnings
