"""What the log of a failed job says: a job is a call of Snakemake, whichever engine runs it."""


def telling_line(log: str) -> str:
    """The line of a job's log that says most about its failure: above Snakemake's own report of the failed rule."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    starts = [number for number, line in enumerate(lines) if line.startswith(("Error in rule ", "RuleException"))]
    if not starts:
        return lines[-1] if lines else ""
    said = [line for line in lines[: starts[0]] if not _is_snakemakes(line)]
    return said[-1] if said else lines[starts[0]]


def _is_snakemakes(line: str) -> bool:
    """Whether it only gives the time, or what the rule is: `[Sat Nov 21 07:10:11 2026]`, `output: x`."""
    words = ("input:", "output:", "log:", "jobid:", "reason:", "wildcards:", "resources:", "threads:", "priority:")
    return line.startswith(("[", "#", "Waiting at most", *words)) or line.endswith(".snakemake.log")
