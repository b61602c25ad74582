"""What is planned for the jobs of a regenie launch, by files below the folder that they see as /work."""

from typing import Final

WORK_LAUNCH: Final = "launch.json"
"""The launch's config and ids, below /work: also the sentinel by which a job knows its file system is mounted."""
WORK_PLAN: Final = "plan"
"""Folder below /work with <phase>.jsonl: one line for each array index."""
WORK_FETCH: Final = f"{WORK_PLAN}/fetch.txt"
"""Paths below data that a launch on a cluster reads, one a line: what its fetch phase copies."""
WORK_ANALYSED: Final = f"{WORK_PLAN}/analysed.txt"
"""1 or 0 for each sample of step 1's genotypes, in their order: whether the launch analyses it. Quality control of
step 1 counts genotypes of those."""
WORK_INPUTS: Final = "inputs.json"
"""Every file that the launch was planned for: where it lies, its size, ETag and so on. Jobs and verify_inputs look."""
