"""What a launch leaves: files below results/<launchId>/ in the results bucket, which regenie's jobs see as /work."""

from typing import Final

RESULTS_PREFIX: Final = "results/"
"""results/<launchId>/ in the results bucket is linked to /work of a launch's file system."""


def results_prefix(launch_id: str) -> str:
    """Key prefix in the results bucket that a launch's file system shows as /work."""
    return f"{RESULTS_PREFIX}{launch_id}/"


WORK_CHANGED: Final = "inputs-changed"
"""Folder with <attempt>.json of each attempt whose inputs changed: what it made is of nobody knows which files."""
WORK_VERIFIED: Final = "verified.json"
"""Written last: the attempt whose inputs were the same until its end, and the predictions that it left."""
WORK_REPORT: Final = "report.html"
WORK_SUMSTATS: Final = "gwas"
WORK_WARNINGS: Final = f"{WORK_SUMSTATS}/warnings.json"
"""`{warnings: [...], findings: [...]}`: what planning and the results say to their readers, and how much of the results
is significant. The launch's item has the same from its end on."""
WORK_PREDICTIONS: Final = "step1/predictions"
WORK_QC: Final = "step1/qc"
"""What quality control left for step 1, and in summary.json why it left out the others."""
WORK_COST: Final = "cost"
"""results/<launchId>/cost/attempt-<n>.json and .html: an attempt's bill, written when it is priced."""
COST_SECTION: Final = ("<!-- cost -->", "<!-- /cost -->")
"""Marks of a report's part that tells the cost: the pricing replaces what stands between them."""
