"""Makes the table of docs/costs.md: the cost of an idle stage, counted in its templates (`make reference`)."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from checks.diagrams import Template

PAGE: Final = Path(__file__).parents[1] / "docs" / "costs.md"

_TABLE: Final = re.compile(r"(<!-- idle -->\n).*?(<!-- end -->)", re.DOTALL)
_HEAD: Final = "| what | how many | USD each | USD a month |\n| --- | --- | --- | --- |\n"

_HOURS: Final = 730
"""Of a month, as AWS's own calculator has it."""

_MINUTES: Final = _HOURS * 60

_POLLS_A_MINUTE: Final = 5 * 3
"""Of each queue by Lambda: five long polls of 20 seconds at once while it is empty (Lambda developer guide, "Using
Lambda with Amazon SQS")."""

Resource = Mapping[str, Any]
Count = Callable[[Resource], int]


@dataclass(frozen=True)
class Line:
    """A price in USD of us-east-1, as published on 2026-11-21, for each resource of a type and `unit`."""

    what: str
    type: str
    each: Decimal
    unit: str
    month: Decimal
    """Units a month, of each that is counted."""
    count: Count = lambda _: 1


def _zones(endpoint: Resource) -> int:
    properties = endpoint["Properties"]
    return len(properties["SubnetIds"]) if properties.get("VpcEndpointType") == "Interface" else 0


def _minutes_between(rule: Resource) -> int | None:
    found = re.fullmatch(r"rate\((\d+) (minute|hour)s?\)", rule["Properties"].get("ScheduleExpression", ""))
    return int(found.group(1)) * (60 if found.group(2) == "hour" else 1) if found else None


def _calls_a_month(rule: Resource) -> int:
    minutes = _minutes_between(rule)
    return _MINUTES // minutes * len(rule["Properties"]["Targets"]) if minutes else 0


_ONE: Final = Decimal(1)
_MILLIONTH: Final = Decimal("0.000001")

LINES: Final = (
    Line("NAT gateway", "AWS::EC2::NatGateway", Decimal("0.045"), "hour", Decimal(_HOURS)),
    Line("its public address", "AWS::EC2::EIP", Decimal("0.005"), "hour", Decimal(_HOURS)),
    Line("interface endpoint, in each zone", "AWS::EC2::VPCEndpoint", Decimal("0.01"), "hour", Decimal(_HOURS), _zones),
    Line("alarm", "AWS::CloudWatch::Alarm", Decimal("0.10"), "month", _ONE),
    Line("dashboard (an account's first three are free)", "AWS::CloudWatch::Dashboard", Decimal(3), "month", _ONE),
    Line("KMS key (1 more for each of its first two rotations)", "AWS::KMS::Key", _ONE, "month", _ONE),
    Line("secret", "AWS::SecretsManager::Secret", Decimal("0.40"), "month", _ONE),
    Line(
        "queue that Lambda polls",
        "AWS::Lambda::EventSourceMapping",
        Decimal("0.40"),
        "million polls",
        _POLLS_A_MINUTE * _MINUTES * _MILLIONTH,
    ),
    Line(
        "call of a function by the clock, of a second and 512 MB",
        "AWS::Events::Rule",
        Decimal("6.87"),  # 0.20 for the requests, 0.0000133334 for each GB-second on Arm
        "million calls",
        _MILLIONTH,
        _calls_a_month,
    ),
)


def with_table(page: str, templates: Mapping[str, Template]) -> str:
    """The page with its table, for the templates of a stage."""
    resources = [each for template in templates.values() for each in template["Resources"].values()]
    rows, total = [], Decimal(0)
    for line in LINES:
        number = sum(line.count(each) for each in resources if each["Type"] == line.type)
        month = number * line.each * line.month
        total += month
        rows.append(f"| {line.what} | {number:,} | {line.each} per {line.unit} | {month:.2f} |\n")
    rows.append(f"| together | | | {total:.2f} |\n")
    return _TABLE.sub(lambda found: found.group(1) + _HEAD + "".join(rows) + found.group(2), page)
