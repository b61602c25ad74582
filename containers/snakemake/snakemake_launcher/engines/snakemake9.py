"""The engine's process for Snakemake 9: its own command line, in a folder that Git knows.

`python -m snakemake_launcher.engines.snakemake9 ARGUMENTS` is `snakemake ARGUMENTS`. It runs in the environment of
Snakemake 9, which has nothing of the launcher's but this package.
"""

import subprocess

from snakemake.cli import main as snakemake

from snakemake_launcher.engines.signals import listen_to_sigint_only


def put_under_git() -> None:
    """Let Git know every file of the working directory: these are what Snakemake sends to the jobs.

    Without Git it sends rules, their scripts and config files, and a job whose Snakefile reads `samples.tsv` fails.
    Nothing is committed: Snakemake asks for the names only, and packs the files as they are.
    """
    for command in (["git", "init", "--quiet"], ["git", "add", "--all", "--force"]):
        subprocess.run(command, check=True)


def main() -> None:
    """Snakemake's main, which exits by itself."""
    listen_to_sigint_only()
    put_under_git()
    snakemake()


if __name__ == "__main__":
    main()
