"""cdk-nag's AwsSolutions and HIPAA Security packs over every stage and the pipeline: `make nag`.

A finding is an error unless `checks/explained.py` says, for that finding and that resource, why it may stand. An
explanation that no finding needs any more is an error too.
"""

import argparse
import contextlib
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
        skip_bundling: Mapping[str, Any] = {"aws:cdk:bundling-stacks": []}
        made = cdk.App(outdir=folder, context={**app.context_of_cdk_json(), **skip_bundling, **context})
        Validations.of(made).add_plugins(AwsSolutionsChecks(made), HIPAASecurityChecks(made))
        app.build(made)
        # The library prints and raises for what is explained, too.
        with contextlib.suppress(RuntimeError):
            made.synth()
        report = json.loads(Path(folder, "validation-report.json").read_text(encoding="utf-8"))
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
    return re.sub(r'\{"Fn::GetStackOutput":.*?FnGetAtt([A-Za-z]+?)[0-9A-F]{8}Arn[0-9A-F]{8}"\}\}', r"{\1}", rule)


def _below_stage(path: str) -> str:
    """Explanations hold for every stage, alone or in the pipeline."""
    parts = path.removeprefix("genolaunch-pipeline/").split("/")
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
    parser.add_argument("--pipeline", action="store_true", help="the pipeline with all its stages, not one stage")
    parser.add_argument("--all", action="store_true", help="also print what is explained, with its reason")
    options = parser.parse_args()
    found = findings({"pipeline": "true"} if options.pipeline else {"stage": "prod"})
    open_ones = [finding for finding in found if reason_for(finding) is None]
    for finding in found if options.all else open_ones:
        print(f"{finding.rule}\n  {finding.path}\n  {reason_for(finding) or 'NOT EXPLAINED'}")  # noqa: T201
    print(f"{len(found)} findings, {len(open_ones)} of them not explained")  # noqa: T201
    stale = unneeded(found) if options.pipeline else []
    for rule, path in stale:
        print(f"explained, but not found: {rule} at {path}")  # noqa: T201
    return 1 if open_ones or stale else 0


if __name__ == "__main__":
    sys.exit(main())
