"""Finds the archived inputs of a launch before any compute is made for it, and lets it wait for them."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from genolaunch.contract.launch import LaunchField, Status
from genolaunch.contract.restore import RetrievalTier
from genolaunch.shared import aws
from lambdas.restore import wording
from lambdas.restore.estimate import Amount, Estimate, choose_tier, estimate, hours_of
from lambdas.restore.found import Found
from lambdas.restore.policy import Policy, least_days, least_left
from lambdas.restore.restore_config import RestoreConfig
from lambdas.restore.scan import Cursor, scan
from lambdas.shared.announcement import announce
from lambdas.shared.clock import timestamp
from lambdas.shared.function import function
from lambdas.shared.kept_errors import keeping_faults
from lambdas.shared.launch import Launch
from lambdas.shared.launch_inputs import read_inputs_list
from lambdas.shared.launch_repository import LaunchRepository
from lambdas.shared.settings import settings_of

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext
    from types_boto3_s3.client import S3Client

_LAST_MINUTE: Final = 60_000
"""Remaining milliseconds at which the scan continues in the next invocation. A page takes at most some seconds."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Environment of this function."""

    stage: str
    launch_table: str
    task_table: str
    launch_bucket: str
    restore_policy: str
    notification_topic: str
    event_bus: str


settings = settings_of(Settings)


@dataclass(frozen=True, slots=True)
class Wish:
    """The launch config's settings of restores."""

    tier: RetrievalTier | None
    days: int | None
    policy: Policy = field(default_factory=lambda: Policy.read(settings().restore_policy))

    @classmethod
    def of(cls, launch: Launch) -> "Wish":
        """Read it from a launch's config."""
        given = launch.config.get("restore") or {}
        tier = given.get("tier")
        return cls(RetrievalTier(tier) if tier else None, given.get("days"))

    @property
    def copy_days(self) -> int:
        """Days for which restored copies are kept."""
        return self.days or self.policy.days


@function
@keeping_faults(lambda: settings().task_table)
def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, Any]:
    """`{launchId, executionArn, inputs?, scan?}` -> `{decision, scan?}`.

    `inputs` is the key in the launch bucket of the list of URLs that the launch reads; without it, it reads all of
    its data. The decision is START (nothing to wait for), WAITING, HELD (the launch has this status now), or CONTINUE:
    ask again with the `scan` of this answer.

    Raises LaunchInputError when a prefix cannot be listed.
    """
    repository = LaunchRepository(settings().launch_table)
    launch = repository.get(event["launchId"])
    if launch is None:
        raise LookupError(f"There is no launch {event['launchId']}.")
    urls = _urls(launch, event.get("inputs"))
    wish = Wish.of(launch)
    so_far = event.get("scan") or {}
    found = Found.read(so_far.get("found"))
    needed_until = datetime.now(UTC) + least_left(wish.copy_days)
    for page in scan(urls, Cursor.read(so_far.get("cursor"))):
        found.add(item for item in page.objects if not item.is_readable(needed_until))
        if page.next and context.get_remaining_time_in_millis() < _LAST_MINUTE:
            return {"decision": "CONTINUE", "scan": {"cursor": page.next.as_dict(), "found": found.as_dict()}}
    if not found.total.objects:
        return {"decision": "START"}
    return {"decision": _wait(repository, launch, event["executionArn"], urls, found, wish)}


def _urls(launch: Launch, inputs_key: str | None) -> tuple[str, ...]:
    if inputs_key:
        return read_inputs_list(settings().launch_bucket, inputs_key)
    assert launch.data_path is not None  # every registered launch has one
    return (launch.data_path,)


def _wait(
    repository: LaunchRepository, launch: Launch, execution_arn: str, urls: tuple[str, ...], found: Found, wish: Wish
) -> str:
    tier = choose_tier(wish.tier, found.archives, wish.policy.mixed_tier)
    days = max(wish.copy_days, least_days(hours_of(found.archives, tier)[1]))
    price = estimate(found.retrieved, found.joined, tier, days)
    config = RestoreConfig(launch.launch_id, launch.attempt, urls, tier, days, price.hours[1])
    allowed = wish.policy.allows(found.to_retrieve, price) or _is_approved(launch, found.to_retrieve, price)
    reason = (
        wording.waiting_for(found.total, tier, price)
        if allowed
        else wording.held_for(found.to_retrieve, tier, price, wish.policy.limits)
    )
    changed = repository.change_status(
        launch.launch_id,
        Status.WAITING if allowed else Status.HELD,
        execution_arn=execution_arn,
        attempt=launch.attempt,
        fields={LaunchField.STATUS_REASON: reason, LaunchField.RESTORE: _summary(found, config, price)},
    )
    if allowed:
        # After the status: the restore may be over as soon as this object is there.
        _client().put_object(Bucket=settings().launch_bucket, Key=config.key, Body=config.as_json().encode())
    announce(changed, settings())
    return changed.status


def _is_approved(launch: Launch, some: Amount, price: Estimate) -> bool:
    """Whether a person approved this amount, which may have grown since."""
    given = launch.approved_restore
    return given is not None and some.bytes <= given["bytes"] and price.usd <= Decimal(str(given["usd"]))


def _summary(found: Found, config: RestoreConfig, price: Estimate) -> dict[str, object]:
    """LaunchField.RESTORE; bytes and usd are what a person approves, objects and size what is waited for."""
    return {
        "attempt": config.attempt,
        "objects": found.total.objects,
        "size": found.total.bytes,
        "bytes": found.to_retrieve.bytes,
        "usd": price.usd,
        "tier": str(config.tier),
        "days": config.days,
        "expectedAt": timestamp(datetime.now(UTC) + timedelta(hours=price.hours[1])),
    }


def _client() -> "S3Client":
    client: S3Client = aws.client("s3")
    return client
