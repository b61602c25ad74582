"""cdk-nag's AwsSolutions and HIPAA Security packs over every stage and the pipeline: `make nag`.

A finding is an error unless `checks/explained.py` says, for that finding and that resource, why it may stand. An
explanation that no finding needs any more is an error too.

Without arguments the app is checked with cdk.json's stages, and with those of checks/three_accounts.json, which turn
on what cdk.json's do not.
"""

import argparse
import contextlib
import io
import json
import re
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Final

import aws_cdk as cdk
from aws_cdk import Validations
from cdk_nag import AwsSolutionsChecks, HIPAASecurityChecks

import app
from checks.explained import EXPLAINED
from stacks.settings_files import context_of_cdk_json

_EVERY_OPTION: Final = Path(__file__).with_name("three_accounts.json")
_REPOSITORYS: Final[tuple[Mapping[str, str], ...]] = (
    {"pipeline": "true"},
    {"pipeline": "true", "settings-file": str(_EVERY_OPTION)},
)

_FOREIGN: Final = r"genolaunch-[a-z0-9-]+:ExportsOutput(?:FnGetAtt|Ref)([A-Za-z]+?)[0-9A-F]{8}(?:Arn)?[0-9A-F]{8}"
"""A reference to another stack, as the packs write it: the export's name."""

_OF_NO_STAGE: Final = ("genolaunch-adoption", "genolaunch-product")

_OWN_CHECKS: Final = "CloudFormation Validate"
"""The library's own rules: they fail the synthesis by themselves, and are acknowledged in the stacks."""


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One rule that one resource does not follow."""

    rule: str
    """`AwsSolutions-IAM5[Resource::*]`."""
    path: str
    """The resource's path in the app, without the pipeline and the stage: `data/Key/Resource`."""


def findings(context: Mapping[str, str]) -> list[Finding]:
    """What the packs find in the app that this context asks for."""
    with tempfile.TemporaryDirectory() as folder:
        return findings_in(context, Path(folder))


def findings_in(context: Mapping[str, str], folder: Path) -> list[Finding]:
    """The same; the templates are left in `folder`."""
    skip_bundling: Mapping[str, Any] = {"aws:cdk:bundling-stacks": []}
    made = cdk.App(outdir=str(folder), context={**context_of_cdk_json(), **skip_bundling, **context})
    Validations.of(made).add_plugins(AwsSolutionsChecks(made), HIPAASecurityChecks(made))
    app.build(made)
    # The library raises for what is explained, too.
    with contextlib.suppress(RuntimeError):
        made.synth()
    report = json.loads((folder / "validation-report.json").read_text(encoding="utf-8"))
    return sorted(set(_read(report["pluginReports"])))


def _read(reports: Iterable[Mapping[str, Any]]) -> Iterable[Finding]:
    for report in reports:
        if report["pluginName"] == _OWN_CHECKS:
            continue
        for violation in report["violations"]:
            for construct in violation["violatingConstructs"]:
                yield Finding(_short(violation["ruleName"]), _below_stage(construct["constructPath"]))


def _short(rule: str) -> str:
    """References to other stacks are long, and differ between stages: only what they refer to counts."""
    return re.sub(_FOREIGN, r"{\1}", rule)


def _below_stage(path: str) -> str:
    """Explanations hold for every stage, alone or in the pipeline."""
    parts = path.removeprefix("genolaunch-pipeline/").split("/")
    if parts[0] in _OF_NO_STAGE:
        return "/".join([parts[0].removeprefix("genolaunch-"), *parts[1:]])
    return "/".join(parts[1:] if parts[0].startswith("genolaunch-") else ["pipeline", *parts])


def reason_for(finding: Finding) -> str | None:
    """Why a finding may stand."""
    for reason, places in EXPLAINED.items():
        if any(_matches(finding, rule, path) for rule, path in places):
            return reason
    return None


def _matches(finding: Finding, rule: str, path: str) -> bool:
    return fnmatchcase(finding.rule, _glob(rule)) and fnmatchcase(finding.path, path)


def _glob(rule: str) -> str:
    """`[*]` is a star of the finding itself, `*` stands for anything, and other brackets are the finding's own."""
    return rule.replace("[*]", "\0").replace("[", "[[]").replace("\0", "[*]")


def unneeded(found: Sequence[Finding]) -> list[tuple[str, str]]:
    """Explanations of what is not found any more."""
    places = [place for places in EXPLAINED.values() for place in places]
    return [(rule, path) for rule, path in places if not any(_matches(finding, rule, path) for finding in found)]


def main() -> int:
    """Print what is not explained; 1 if there is anything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--settings-file", metavar="FILE", help="check the stages of this file only")
    parser.add_argument("--stage", help="check this stage only")
    parser.add_argument("--all", action="store_true", help="also print what is explained, with its reason")
    options = parser.parse_args()
    asked = {"settings-file": options.settings_file, "stage": options.stage}
    chosen = {key: value for key, value in asked.items() if value}
    # The library prints all that it finds, also what is explained, and the last of it late.
    unread = io.TextIOWrapper(io.BytesIO())
    with contextlib.redirect_stderr(unread):
        found = sorted({finding for context in ([chosen] if chosen else _REPOSITORYS) for finding in findings(context)})
    sys.stderr = unread
    open_ones = [finding for finding in found if reason_for(finding) is None]
    for finding in found if options.all else open_ones:
        print(f"{finding.rule}\n  {finding.path}\n  {reason_for(finding) or 'NOT EXPLAINED'}")  # noqa: T201
    print(f"{len(found)} findings, {len(open_ones)} of them not explained")  # noqa: T201
    stale = [] if chosen else unneeded(found)
    for rule, path in stale:
        print(f"explained, but not found: {rule} at {path}")  # noqa: T201
    return 1 if open_ones or stale else 0


if __name__ == "__main__":
    sys.exit(main())
