"""Runs one attempt of a Snakemake launch: `python3 -m snakemake_launcher`, in the launcher's container.

The environment variables that it needs are those of `settings.Settings`; what it is to run is the run sheet, a JSON
object in S3 (docs/architecture/launcher.md).
"""
