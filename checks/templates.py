"""The templates of every settings file of this repository, each through cfn-lint for the region that it goes to.

Part of `make lint`. cfn-lint looks at us-east-1 unless it is told otherwise, and regions differ in their types of
resources and in what these take. Its specification is as new as its locked version (requirements-dev.txt, renewed by
`make lock`): it asks nobody.
"""

import json
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import aws_cdk as cdk

import app
from stacks.settings_files import context_of_cdk_json

ROOT: Final = Path(__file__).parents[1]

CFN_LINT: Final = Path(sys.executable).with_name("cfn-lint")
"""The locked one, and not what else may be on the PATH: an older specification knows fewer properties."""

CONTEXTS: Final[Mapping[str, Mapping[str, str]]] = {
    "cdk": {},
    "three-accounts": {"settings-file": "checks/three_accounts.json"},
    "embedded": {"settings-file": "genolaunch/local_stage/stage.json"},
    "pipeline": {"pipeline": "true"},
    "pipeline-three-accounts": {"pipeline": "true", "settings-file": "checks/three_accounts.json"},
}
"""What is built of which file; without a file of cdk.json. A test holds that no settings file is missing."""

Templates = dict[str, list[Path]]
"""By the region that they are for."""


def synthesize(context: Mapping[str, str], folder: Path) -> Templates:
    """Write the templates that this context asks for, without bundling anything; those of a pipeline's stages only
    there, since the stages are built by themselves too.
    """
    skip_bundling: Mapping[str, Any] = {"aws:cdk:bundling-stacks": []}
    made = cdk.App(outdir=str(folder), context={**context_of_cdk_json(), **skip_bundling, **context})
    app.build(made)
    made.synth()
    is_pipeline = "pipeline" in context
    found: Templates = defaultdict(list)
    for manifest in [folder / "manifest.json"] if is_pipeline else sorted(folder.rglob("manifest.json")):
        for region, template in _stacks_of(manifest):
            found[region].append(template)
    return found


def _stacks_of(manifest: Path) -> Iterator[tuple[str, Path]]:
    for artifact in json.loads(manifest.read_text(encoding="utf-8"))["artifacts"].values():
        if artifact["type"] == "aws:cloudformation:stack":
            region = artifact["environment"].rpartition("/")[2]
            yield region, manifest.parent / artifact["properties"]["templateFile"]


def lint(region: str, templates: list[Path]) -> int:
    """The exit status of cfn-lint, which prints what it finds."""
    command = [str(CFN_LINT), "--regions", region, "--template", *map(str, templates)]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def main() -> int:
    """Lint everything; 1 if something was found."""
    with tempfile.TemporaryDirectory() as folder:
        by_region: Templates = defaultdict(list)
        for name, context in CONTEXTS.items():
            for region, templates in synthesize(context, Path(folder) / name).items():
                by_region[region] += templates
        statuses = [lint(region, templates) for region, templates in by_region.items()]
    for region, templates in by_region.items():
        print(f"cfn-lint: {len(templates)} templates for {region}")  # noqa: T201
    return int(any(statuses))


if __name__ == "__main__":
    sys.exit(main())
