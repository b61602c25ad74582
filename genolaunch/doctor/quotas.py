"""Quotas: what the stage may take at its busiest, what others have of it already, and what the account may have.

Codes are those of Service Quotas (`aws service-quotas list-service-quotas --service-code …`); the limits are asked for:
GetServiceQuota answers what was applied for the account, GetAWSDefaultServiceQuota what everybody has.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from genolaunch.doctor import usage
from genolaunch.doctor.account import Account
from genolaunch.doctor.finding import Check, Finding, mend, ok, unknown

if TYPE_CHECKING:
    from stacks.config import StageSettings

CONSUMERS: Final = 33
"""Functions that queues may have running at once: `MaximumConcurrency` of the stage's mappings (a test adds up)."""

ROLES: Final = 80
"""IAM roles of a stage with everything on, and some more (a test counts them)."""

BUILDS_AT_ONCE: Final = 2
"""Of the pipeline: one of its own, and the daily audit beside it."""

PARALLEL_BUILDS: Final = 20
"""Of a pipeline with `parallel_publishing`: one for each asset of a stage, and some more (a test counts them)."""

_BUILDS: Final = ("codebuild", "L-4DDC4A99")
"""“Concurrently running builds for Linux/Large environment”: all builds here are BUILD_GENERAL1_LARGE (a test looks).
AWS's page lists no codes; `aws service-quotas list-service-quotas --service-code codebuild` does, and public copies of
its answer agree on this one."""

SMALLEST_FILE_SYSTEM_GIB: Final = 1200
"""Of FSx for Lustre on SSD; most launches need no larger one (FSx API reference, CreateFileSystem)."""


@dataclass(frozen=True)
class Quota:
    """A quota, and how it is measured."""

    name: str
    service: str
    code: str
    need: float
    """Of the stage, at its busiest."""
    used: Callable[[Account], float]
    """By others than the stage."""
    unit: str


_FILE_SYSTEMS: Final = {
    "SCRATCH_2": ("Scratch", "L-C48231E5", "L-AD2FC696"),
    "PERSISTENT_2": ("Persistent_2", "L-FD6F2F22", "L-8F1B9C74"),
}
"""Deployment type -> what Service Quotas calls it, codes of “Lustre … file systems” and “Lustre … storage capacity”."""

_VCPUS: Final = {
    "Standard": ("acdhimrtz", "L-1216C47A", "L-34B43A08"),
    "G and VT": ("gv", "L-DB2E81BA", "L-3819A6DF"),
    "P": ("p", "L-417A185B", "L-7212CCBC"),
    "X": ("x", "L-7295265B", "L-E3A00192"),
}
"""Group of families -> their first letters, codes of “Running On-Demand … instances” and “All … Spot Instance Requests”
(EC2 user guide, "Amazon EC2 On-Demand Instance quotas")."""


def checks(settings: "StageSettings") -> list[Check]:
    """One line a quota."""
    return [
        Check("quota: On-Demand vCPUs", lambda account: _vcpus(account, is_spot=False)),
        Check("quota: Spot vCPUs", lambda account: _vcpus(account, is_spot=True)),
        *(_check(quota) for quota in (*_of_launches(settings), *_of_network(settings))),
        Check("quota: Batch", _batch),
        Check("quota: IAM roles", _roles),
        Check("quota: CodeBuild", _builds),
    ]


def _of_launches(settings: "StageSettings") -> list[Quota]:
    kind, count, capacity = _FILE_SYSTEMS[settings.file_system]
    launches = settings.launches_at_once
    return [
        Quota(
            f"quota: Lustre {kind} file systems",
            *("fsx", count, launches),
            lambda account: usage.file_systems(account)[0],
            "one a launch",
        ),
        Quota(
            f"quota: Lustre {kind} storage",
            *("fsx", capacity, launches * SMALLEST_FILE_SYSTEM_GIB),
            lambda account: usage.file_systems(account)[1],
            f"GiB, at least {SMALLEST_FILE_SYSTEM_GIB} a launch",
        ),
        Quota(
            "quota: Lambda concurrency",
            *("lambda", "L-B99A9384", launches + CONSUMERS),
            usage.reserved_concurrency,
            "functions at once; others: what is reserved",
        ),
        Quota(
            "quota: Fargate",
            *("fargate", "L-3032A538", launches * settings.snakemake.cpu / 1024),
            usage.nothing_known,
            "vCPUs of Snakemake's launchers; others are not counted",
        ),
    ]


def _of_network(settings: "StageSettings") -> list[Quota]:
    gateways = settings.network.nat_gateways
    return [
        Quota("quota: VPCs", "vpc", "L-F678F1CE", 1, usage.vpcs, "in the region"),
        Quota("quota: internet gateways", "vpc", "L-A4707A72", 1, usage.internet_gateways, "in the region"),
        Quota(
            "quota: NAT gateways of a zone",
            *("vpc", "L-FE5A380F", math.ceil(gateways / len(settings.zones))),
            usage.nat_gateways,
            "in the fullest of the zones",
        ),
        Quota("quota: elastic IPs", "ec2", "L-0263D0A3", gateways, usage.addresses, "of NAT gateways"),
    ]


def _check(quota: Quota) -> Check:
    def examine(account: Account) -> Sequence[Finding]:
        need, used = quota.need, quota.used(account)
        limit = _limit(account, quota.service, quota.code)
        text = f"needs {need:g}, others use {used:g}, the limit is {limit:g} ({quota.unit})"
        if need + used <= limit:
            return [ok(quota.name, text)]
        return [mend(quota.name, text, _raise_to(account, quota.service, quota.code, need + used))]

    return Check(quota.name, examine)


def _builds(account: Account) -> Sequence[Finding]:
    """A new account may run no build at all, regardless of the default. Only a value applied to the account is
    reliable."""
    name, need = "quota: CodeBuild", account.builds
    if not need:
        return [ok(name, "neither the pipeline nor the product builds in this account and region")]
    quotas = account.client("service-quotas")
    service, code = _BUILDS
    try:
        answer = quotas.get_service_quota(ServiceCode=service, QuotaCode=code)
    except quotas.exceptions.NoSuchResourceException:
        return [
            unknown(
                name,
                f"needs {need} builds at once; no value was applied to this account, and a new one may have 0 or 1 "
                "regardless of the default. See aws service-quotas list-service-quotas --service-code "
                f"{service} --region {account.settings.region}, and ask for {need}: "
                f"{_raise_to(account, service, code, need)}",
            )
        ]
    limit = float(answer["Quota"]["Value"])
    text = f"needs {need}, the limit is {limit:g} (builds at once, Linux/Large; others are not counted)"
    return [ok(name, text)] if need <= limit else [mend(name, text, _raise_to(account, service, code, need))]


def _limit(account: Account, service: str, code: str) -> float:
    quotas = account.client("service-quotas")
    try:
        answer = quotas.get_service_quota(ServiceCode=service, QuotaCode=code)
    except quotas.exceptions.NoSuchResourceException:  # never raised for this account: the default holds
        answer = quotas.get_aws_default_service_quota(ServiceCode=service, QuotaCode=code)
    return float(answer["Quota"]["Value"])


def _raise_to(account: Account, service: str, code: str, value: float) -> str:
    return (
        f"aws service-quotas request-service-quota-increase --region {account.settings.region} "
        f"--service-code {service} --quota-code {code} --desired-value {math.ceil(value)}"
    )


def group_of(family: str) -> str | None:
    """The group of an instance family or type (`m6i`, `m6i.large`) by which EC2 counts vCPUs; None: a rarer one."""
    letters = family.partition(".")[0]
    letters = letters[: next((at for at, sign in enumerate(letters) if sign.isdigit()), len(letters))]
    if letters in ("inf", "trn", "dl", "hpc", "mac", "u", "u-", "f"):
        return None
    return next((group for group, (first, *_) in _VCPUS.items() if letters[:1] in first), None)


def _places(account: Account) -> int:
    """With queues of their own: the zones, and one for jobs of Snakemake launches."""
    return len(account.settings.zones) + 1


def _vcpus(account: Account, *, is_spot: bool) -> Sequence[Finding]:
    """All groups of the stage's families together: Batch takes what it gets."""
    name = f"quota: {'Spot' if is_spot else 'On-Demand'} vCPUs"
    settings = account.settings
    groups = {group_of(family) for family in settings.batch.instance_types}
    if None in groups:
        return [
            unknown(name, f"of {', '.join(settings.batch.instance_types)} some are in groups that are not known here")
        ]
    known = sorted(group for group in groups if group)
    codes = {group: _VCPUS[group][2 if is_spot else 1] for group in known}
    limit = sum(_limit(account, "ec2", code) for code in codes.values())
    used = usage.vcpus(account, lambda family: group_of(family) in groups, is_spot=is_spot)
    need = settings.batch.max_vcpus * _places(account)
    text = (
        f"needs {need}, others use {used:g}, the limit is {limit:g} "
        f"({', '.join(known)}; {settings.batch.max_vcpus} for each of {len(settings.zones)} zones, and for Snakemake)"
    )
    if need + used <= limit:
        return [ok(name, text)]
    group = known[0]
    others = sum(_limit(account, "ec2", codes[other]) for other in known[1:])
    return [mend(name, text, _raise_to(account, "ec2", codes[group], need + used - others))]


def _batch(account: Account) -> Sequence[Finding]:
    """Service Quotas does not have them; the Batch user guide, "Service quotas", says 50 of each in a region."""
    most, places = 50, _places(account)
    findings = []
    for what, need, used in (
        ("job queues", 4 * places, usage.job_queues(account)),
        ("compute environments", 2 * places, usage.compute_environments(account)),
    ):
        text = f"needs {need} {what}, others use {used}, the limit is {most}"
        is_enough = need + used <= most
        command = "delete what nobody uses, or name fewer zones: " + account.edit("zones")
        findings.append(ok("quota: Batch", text) if is_enough else mend("quota: Batch", text, command))
    return findings


def _roles(account: Account) -> Sequence[Finding]:
    """IAM has one quota for all regions, and tells it itself (GetAccountSummary)."""
    name = "quota: IAM roles"
    summary = account.client("iam").get_account_summary()["SummaryMap"]
    if "Roles" not in summary or "RolesQuota" not in summary:
        return [unknown(name, "IAM's summary of the account lacks them")]
    used, limit = summary["Roles"], summary["RolesQuota"]
    text = f"needs up to {ROLES}, {used} are there (the stage's own, too), the limit is {limit}"
    # The service and its quotas of IAM are in us-east-1 alone (IAM user guide, "IAM and AWS STS quotas").
    if used + ROLES <= limit or usage.is_deployed(account):
        return [ok(name, text)]
    command = (
        "aws service-quotas request-service-quota-increase --region us-east-1 --service-code iam "
        f"--quota-code L-FE177D64 --desired-value {used + ROLES}"
    )
    return [mend(name, text, command)]
