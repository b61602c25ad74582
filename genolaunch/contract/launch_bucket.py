"""Folders of the launch bucket."""

from typing import Final

LAUNCH_PREFIX: Final = "launches/"
SNAKEFILES_PREFIX: Final = "snakefiles/"
"""snakefiles/<name>/Snakefile, or snakefiles/<name>/workflow/Snakefile as in Snakemake's own layout, is launched when
it is dropped, with the defaults; what lies beside it is its sources."""
SNAKEFILE_NAME: Final = "Snakefile"
SNAKEFILE_NAMES: Final = (SNAKEFILE_NAME, "snakefile")
"""By which Snakemake finds it."""
STANDARD_FOLDER: Final = "workflow"
STANDARD_CONFIG: Final = "config"
"""Snakemake's own layout of a project: <project>/workflow/Snakefile, with <project>/config/ beside it. Its rules work
in <project> ("Distribution and Reproducibility" in Snakemake's documentation)."""
SOURCES_PREFIX: Final = "workflows/"
"""Sources of workflows that only launch configs name: nothing here is launched by itself."""
FEEDBACK_PREFIX: Final = "feedback/"
_SCHEMA_PREFIX: Final = "schema/"
SCHEMA_KEY: Final = f"{_SCHEMA_PREFIX}launch.json"
"""JSON Schema of a launch config, in the launch bucket."""
INPUTS_PREFIX: Final = "inputs/"
"""inputs/<launchId>.json in the launch bucket: list of the s3:// URLs that the launch reads."""
RESTORES_PREFIX: Final = "restores/"
"""restores/<launchId>/<attempt>.json in the launch bucket: what a launch waits for. Its event starts the restore."""
REQUESTS_PREFIX: Final = "requests/"
"""requests/<launchId>/<name>.json in the launch bucket: what a person asks of a launch (RequestField). S3 tells who."""
LAUNCH_BUCKET_PREFIXES: Final = (
    LAUNCH_PREFIX,
    REQUESTS_PREFIX,
    SNAKEFILES_PREFIX,
    SOURCES_PREFIX,
    FEEDBACK_PREFIX,
    _SCHEMA_PREFIX,
    INPUTS_PREFIX,
    RESTORES_PREFIX,
)
"""All that belongs in the launch bucket. What is put anywhere else is answered with where it belongs."""


def feedback_key(key: str) -> str:
    """Where the answer to launches/<path>, or to any other <path>, of the launch bucket is.

    The answer to launches/requests/… is not that to requests/…, which may be another person's.
    """
    path = key.removeprefix(LAUNCH_PREFIX)
    return f"{FEEDBACK_PREFIX}{key if path.startswith(LAUNCH_BUCKET_PREFIXES) else path}.json"
