"""The engine's process for Snakemake 9: its own command line, in a folder that Git knows, with one fault mended.

`python -m snakemake_launcher.engines.snakemake9 ARGUMENTS` is `snakemake ARGUMENTS`. It runs in the environment of
Snakemake 9, which has nothing of the launcher's but this package.
"""

import subprocess

from snakemake import __version__
from snakemake.cli import main as snakemake
from snakemake_storage_plugin_s3 import StorageObject

from snakemake_launcher.engines.signals import listen_to_sigint_only
from snakemake_launcher.events import emit


def put_under_git() -> None:
    """Let Git know every file of the working directory: these are what Snakemake sends to the jobs.

    Without Git it sends rules, their scripts and config files, and a job whose Snakefile reads `samples.tsv` fails.
    Nothing is committed: Snakemake asks for the names only, and packs the files as they are.
    """
    for command in (["git", "init", "--quiet"], ["git", "add", "--all", "--force"]):
        subprocess.run(command, check=True)


def look_again_for_folders() -> None:
    """The S3 storage plugin (0.3.6) remembers that a folder is not there, and so never finds what a job made of it.

    A checkpoint, or a rule with `directory()`, would fail with "Missing files" after its job has succeeded.
    """
    exists = StorageObject.exists

    def looking_again(folder: StorageObject) -> bool:
        if not folder._is_dir:
            folder._is_dir = None
        found: bool = exists(folder)
        return found

    StorageObject.exists = looking_again


def main() -> None:
    """Snakemake's main, which exits by itself."""
    listen_to_sigint_only()
    put_under_git()
    look_again_for_folders()
    emit("started", version=__version__)
    snakemake()


if __name__ == "__main__":
    main()
