"""Looks after restores that no event moves: late ones, and those whose index or whose last event was lost.

A launch never stays WAITING for something that will not come: S3 is asked what became of its objects, what was never
asked for is asked for again, and after the tier's deadline the launch fails with the names of what is missing.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools.metrics import MetricUnit
from botocore.exceptions import ClientError

from genolaunch.contract.launch import Status
from genolaunch.contract.project import run_name
from genolaunch.contract.restore import RESTORE_FAILED, RESTORE_PENDING
from genolaunch.shared import aws
from lambdas.restore.archive import ArchivedObject
from lambdas.restore.deadlines import CHECK_EVERY, INDEXING_AT_MOST
from lambdas.restore.ending import Endings
from lambdas.restore.request_queue import Request, send
from lambdas.restore.restore_config import RestoreConfig, restore_config_key
from lambdas.restore.restore_model import Counts, OpenRestore, WantedObject
from lambdas.restore.scan import head
from lambdas.shared.function import function
from lambdas.shared.launch import Launch
from lambdas.shared.observability import logger, metrics
from lambdas.shared.one_by_one import OneByOne
from lambdas.shared.settings import settings_of

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext
    from types_boto3_s3.client import S3Client
    from types_boto3_stepfunctions.client import SFNClient

_AT_A_TIME: Final = 10
"""HeadObjects: as many as botocore keeps connections."""

_TOGETHER: Final = 990
"""Objects that are asked about before the answers are written down: ten transactions."""

_LAST_MINUTE: Final = 60_000
"""Milliseconds left when the rest is left to the next round."""

_GONE: Final = {"404": "does not exist any more", "403": "may not be read by this stage (access denied)"}
"""HeadObject's refusals have the HTTP status for a code."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Environment of this function."""

    stage: str
    launch_table: str
    task_table: str
    launch_bucket: str
    restore_queue: str
    restore_state_machine: str
    notification_topic: str
    event_bus: str


settings = settings_of(Settings)


@function
def handler(_event: dict[str, Any], context: "LambdaContext") -> dict[str, int]:
    """Anything (a schedule) -> `{late: n}`: restores that S3 was asked about, or whose index was begun again."""
    keeper = Keeper(
        Endings.at(settings()),
        datetime.now(UTC),
        lambda: context.get_remaining_time_in_millis() > _LAST_MINUTE,
    )
    late = keeper.look_after_all()
    metrics.add_metric(name="RestoresLate", unit=MetricUnit.Count, value=late)
    keeper.one_by_one.raise_if_any()  # the next round tries again
    return {"late": late}


@dataclass(frozen=True, slots=True)
class Keeper:
    """One round."""

    endings: Endings
    now: datetime
    has_time: Callable[[], bool]
    """Whether to go on: a function without arguments."""
    one_by_one: OneByOne = field(default_factory=lambda: OneByOne("A restore could not be looked after"))

    def look_after_all(self) -> int:
        """Every launch that waits, and every restore that is still looked for; how many were late."""
        known = {restore.launch_id: restore for restore in self.endings.items.open_restores()}
        late = sum(self._is_done(id_, partial(self._look_after, restore)) for id_, restore in known.items())
        return late + sum(
            self._is_done(launch.launch_id, partial(self._begin_again_if_old, launch))
            for launch in list(self.endings.repository.with_status(Status.WAITING))
            if launch.launch_id not in known
        )

    def _is_done(self, launch_id: str, look: Callable[[], bool]) -> bool:
        """What `look` says; a launch that cannot be looked after must not keep the others from it."""
        with self.one_by_one.launch(launch_id):
            return look()
        return False

    def _look_after(self, restore: OpenRestore) -> bool:
        launch = self.endings.repository.get(restore.launch_id)
        if launch is None or launch.status is not Status.WAITING or launch.attempt != restore.attempt:
            self.endings.items.forget(restore)
            return False
        counts = self.endings.items.counts(restore)
        if counts is None or not counts.indexed:
            quiet_since = counts.updated_at if counts else launch.updated_at
            return _is_before(quiet_since, self.now - INDEXING_AT_MOST) and self._begin_again(
                restore.launch_id, restore.attempt
            )
        if counts.failed:  # whoever found that out did not come to end the launch
            reasons = dict(self.endings.items.of_status(restore, RESTORE_FAILED))
            self.endings.end_for(restore, reasons)
            return True
        if self.endings.go_on_if_over(restore) or not _is_before(counts.check_at, self.now):
            return False
        self._reconcile(restore, counts)
        return True

    def _begin_again_if_old(self, launch: Launch) -> bool:
        """Begin again a restore that should have begun long ago: the event of its restore config was lost."""
        is_old = _is_before(launch.updated_at, self.now - INDEXING_AT_MOST)
        return is_old and self._begin_again(launch.launch_id, launch.attempt)

    def _begin_again(self, launch_id: str, attempt: int) -> bool:
        """Start the restore state machine as the event does; once an hour is enough."""
        client: SFNClient = aws.client("stepfunctions")
        source = {"bucket": {"name": settings().launch_bucket}}
        source["object"] = {"key": restore_config_key(launch_id, attempt)}
        try:
            client.start_execution(
                stateMachineArn=settings().restore_state_machine,
                name=f"{run_name(launch_id, attempt)}-again-{self.now:%d%H}",
                input=json.dumps({"detail": source}),
            )
        except client.exceptions.ExecutionAlreadyExists:
            return False
        logger.warning("A restore is begun again", extra={"launchId": launch_id, "attempt": attempt})
        return True

    def _reconcile(self, restore: OpenRestore, counts: Counts) -> None:
        """Ask S3 what became of the objects, and do what follows from it."""
        logger.warning("A restore is late", extra={"launchId": restore.launch_id, "pending": counts.pending})
        config = _config(restore)
        pending = (item for item, _ in self.endings.items.of_status(restore, RESTORE_PENDING))
        has_time = True
        while has_time and (batch := list(islice(pending, _TOGETHER))):
            if not self._settle(restore, config, batch):
                return
            has_time = self.has_time()
        if self.endings.go_on_if_over(restore):
            return
        if _is_before(counts.give_up_at, self.now):
            self._give_up(restore)
        elif has_time:  # else the next round goes on
            self.endings.items.check_again_at(restore, self.now + CHECK_EVERY)

    def _settle(self, restore: OpenRestore, config: RestoreConfig, batch: list[WantedObject]) -> bool:
        """Write down what S3 says of some objects; False if that ended the launch."""
        with ThreadPoolExecutor(_AT_A_TIME) as pool:
            answers = dict(zip(batch, pool.map(_state, batch), strict=True))
        self.endings.items.mark_restored(restore, [item for item, found in answers.items() if found is None])
        gone = {item: found for item, found in answers.items() if isinstance(found, str)}
        if gone:
            self.endings.fail(restore, gone)
            return False
        send(settings().restore_queue, config, [Request.of(found) for found in _unrequested(answers.values())])
        return True

    def _give_up(self, restore: OpenRestore) -> None:
        """Some are recorded and named, and the others counted: of a million there is no room for all."""
        missing = (item for item, _ in self.endings.items.of_status(restore, RESTORE_PENDING))
        reasons = dict.fromkeys(islice(missing, _TOGETHER), "was not restored in time")
        counts = self.endings.items.counts(restore)
        if reasons and counts:
            self.endings.fail(restore, reasons, besides=max(0, counts.pending - len(reasons)))


def _state(item: WantedObject) -> ArchivedObject | str | None:
    """None if it can be read; a text says why it never will."""
    try:
        found = head(item.bucket, item.key)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code in _GONE:
            return _GONE[code]
        raise
    return None if found is None or (found.expires and not found.is_restoring) else found


def _unrequested(answers: Iterable[ArchivedObject | str | None]) -> Iterator[ArchivedObject]:
    for found in answers:
        if isinstance(found, ArchivedObject) and not found.is_restoring:
            yield found


def _config(restore: OpenRestore) -> RestoreConfig:
    client: S3Client = aws.client("s3")
    answer = client.get_object(Bucket=settings().launch_bucket, Key=restore.config_key)
    return RestoreConfig.read(answer["Body"].read())


def _is_before(moment: str | None, other: datetime) -> bool:
    return moment is not None and datetime.fromisoformat(moment) <= other
