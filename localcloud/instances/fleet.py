"""Instances that come when a job needs one, take the jobs that fit, and go soon after the last one.

They bear no load: what a job may take of this machine is the Batch stand-in's to say. They are there for jobs to have
something to be priced by.
"""

import secrets
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from localcloud.batch.events import Notifier
from localcloud.instances import instance_event
from localcloud.pricing import InstanceType, RecordedPrices

IDLE_SECONDS: Final = 2.0
"""AWS keeps an idle instance for some minutes."""

VISIBLE: Final = timedelta(seconds=60)
"""How long a terminated instance is still told of; about an hour on AWS."""

_AGENTS_PART: Final = Decimal("0.06")
"""Of an instance's memory, what its system keeps and containers cannot have (ECS_AL2023, roughly)."""

TAKEN_BACK: Final = "Server.SpotInstanceTermination"
STOPPED_BY_USER: Final = "Client.UserInitiatedShutdown"

Listener = Callable[[dict[str, Any]], None]
"""Takes an event of EC2 as EventBridge tells it: `detail-type`, `resources` and `detail`."""


@dataclass(frozen=True, slots=True)
class HostSettings:
    """What a compute environment says about its instances."""

    cluster: str
    """Name of its ECS cluster."""
    types: Sequence[str]
    """Families or types."""
    is_spot: bool
    zone: str
    tags: Mapping[str, str]
    volume_gib: int


@dataclass(eq=False, slots=True)
class Instance:
    """An instance and what jobs have of it."""

    id: str
    arn: str
    """Of the ECS container instance."""
    type: InstanceType
    settings: HostSettings
    volume_id: str
    launched_at: datetime
    state: str = "running"
    stopped_at: datetime | None = None
    reason: str = ""
    vcpus_taken: Decimal = Decimal(0)
    memory_taken: Decimal = Decimal(0)
    jobs: int = 0
    timer: threading.Timer | None = field(default=None, repr=False)

    @property
    def memory_mib(self) -> int:
        """What containers can have of its memory."""
        return int(self.type.memory_mib * (1 - _AGENTS_PART))

    def has_room(self, vcpus: Decimal, memory_mib: Decimal) -> bool:
        """Whether a job fits beside those that run."""
        return (
            self.state == "running"
            and self.vcpus_taken + vcpus <= self.type.vcpus
            and self.memory_taken + memory_mib <= self.memory_mib
        )


class Fleet:
    """All instances of all compute environments."""

    def __init__(
        self,
        prices: RecordedPrices,
        *,
        region: str,
        account: str,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self._prices = prices
        self._arn_prefix = f"arn:aws:ecs:{region}:{account}:container-instance"
        self._idle_seconds = idle_seconds
        self._lock = threading.RLock()
        self._instances: dict[str, Instance] = {}
        self._listeners: list[Listener] = []
        self._notifier = Notifier()
        self._closing = False

    def subscribe(self, listener: Listener) -> None:
        """Call `listener` with each change of an instance's state, in order, on a thread of the fleet."""
        self._listeners.append(listener)

    def place(self, settings: HostSettings, vcpus: Decimal, memory_mib: Decimal) -> Instance:
        """An instance for a job: one that has room, or a new one of the cheapest type that the job fits."""
        with self._lock:
            instance = next(
                (
                    each
                    for each in self._instances.values()
                    if each.settings == settings and each.has_room(vcpus, memory_mib)
                ),
                None,
            ) or self._launch(settings, vcpus, memory_mib)
            if instance.timer:
                instance.timer.cancel()
                instance.timer = None
            instance.vcpus_taken += vcpus
            instance.memory_taken += memory_mib
            instance.jobs += 1
            return instance

    def release(self, instance: Instance, vcpus: Decimal, memory_mib: Decimal) -> None:
        """A job has ended there; the last one's end starts the clock of the instance's own."""
        with self._lock:
            instance.vcpus_taken -= vcpus
            instance.memory_taken -= memory_mib
            instance.jobs -= 1
            if instance.jobs == 0 and instance.state == "running" and not self._closing:
                instance.timer = threading.Timer(self._idle_seconds, self._retire, (instance,))
                instance.timer.daemon = True
                instance.timer.start()

    def take_back(self, instance: Instance) -> None:
        """EC2 needs a Spot instance itself."""
        self._post(instance_event.interruption_warning(instance.id, instance.settings.zone))
        self._terminate(instance, TAKEN_BACK)

    def visible(self, ids: Iterable[str] | None = None) -> list[Instance]:
        """Instances that AWS would still tell of, all or those of these ids."""
        gone = datetime.now(UTC) - VISIBLE
        with self._lock:
            shown = [each for each in self._instances.values() if each.stopped_at is None or each.stopped_at > gone]
        wanted = None if ids is None else set(ids)
        return [each for each in shown if wanted is None or each.id in wanted]

    def close(self) -> None:
        """Forget the clocks."""
        with self._lock:
            self._closing = True
            for instance in self._instances.values():
                if instance.timer:
                    instance.timer.cancel()
        self._notifier.close()

    def _launch(self, settings: HostSettings, vcpus: Decimal, memory_mib: Decimal) -> Instance:
        instance = Instance(
            id=f"i-0{secrets.token_hex(8)}",
            arn=f"{self._arn_prefix}/{settings.cluster}/{secrets.token_hex(16)}",
            type=self._type(settings, vcpus, memory_mib),
            settings=settings,
            volume_id=f"vol-0{secrets.token_hex(8)}",
            launched_at=datetime.now(UTC),
        )
        self._instances[instance.id] = instance
        self._tell(instance, "running")
        return instance

    def _type(self, settings: HostSettings, vcpus: Decimal, memory_mib: Decimal) -> InstanceType:
        allowed = [
            each
            for each in self._prices.types.values()
            if each.name in settings.types or each.family in settings.types or "optimal" in settings.types
        ] or list(self._prices.types.values())
        fitting = [
            each for each in allowed if each.vcpus >= vcpus and int(each.memory_mib * (1 - _AGENTS_PART)) >= memory_mib
        ]
        # AWS would leave a job that fits nowhere RUNNABLE; what it runs on here makes no difference to it.
        return min(fitting, key=_price) if fitting else max(allowed, key=_price)

    def _retire(self, instance: Instance) -> None:
        with self._lock:
            idle = instance.jobs == 0 and instance.timer is not None
        if idle and not self._closing:
            self._terminate(instance, STOPPED_BY_USER)

    def _terminate(self, instance: Instance, reason: str) -> None:
        with self._lock:
            if instance.state == "terminated":
                return
            instance.state, instance.reason, instance.stopped_at = "terminated", reason, datetime.now(UTC)
        self._tell(instance, "shutting-down")
        self._tell(instance, "terminated")

    def _tell(self, instance: Instance, state: str) -> None:
        self._post(instance_event.state_change(instance.id, state))

    def _post(self, event: dict[str, Any]) -> None:
        for listener in self._listeners:
            self._notifier.post(listener, event)


def _price(each: InstanceType) -> Decimal:
    return each.usd_per_hour
