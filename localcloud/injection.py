"""Failures on request, for tests and demos that run in another process: `POST /_localcloud/inject/<service>`.

- `batch`: `{"jobNameGlob": "launch-*-level0:1", "statusReason"?, "reason"?, "exitCode"?, "times"?}`: the next `times`
  attempts (1 by default) of jobs with such a name fail so without running; by default they lose their Spot instance, or
  with a `reason` as the ECS agent gives it (`DockerTimeoutError: ...`, `CannotStartContainerError: ...`) do not start.
  With `"blockedBy": "UNDETERMINED - ..."` (alone) such jobs stay RUNNABLE for that reason.
  With `"environment": {"NAME": "value"}` they run, with these variables in addition.
- `ec2`: `{"reclaimSpot": "*-rule-trim", "times"?}`: the next `times` Spot instances for Tibanna's jobs of
  such a name are taken back while the job runs; `{"refuseSpot": "<the same>", "code"?, "times"?}`: the next `times`
  Spot fleets for them get no instance, for lack of capacity by default; `{"refuseFleet": "<the same>", "code"?,
  "times"?}`: the next `times` fleets of any kind, by default since the account's quota of vCPUs is used up.
- `fsx`: `{"failNextFileSystem": "<message>"}`, `{"refuseNextFileSystem": "<message>"}` (the quota is used up) or
  `{"failNextExport": "<glob of paths>"}`.
- `glacier`: see localcloud/glacier/injection.py.
- `ecs`: `{"code"?, "reason", "times"?}`: the next calls of RunTask are refused with that error, or without `code` have
  that reason among their failures; or `{"startedByGlob", "exitCode"?, "seconds"?, "stoppedReason"?, "vanishes"?,
  "times"?}`: the next tasks that are started by such a name run no container, but end so (see ecs.TaskInjection).
- `pricing`: `{"code": "ThrottlingException", "times"?}`: the next `times` calls of the Price List are refused so;
  without `code` they find no product.
- `offers`: `{"lustreRegions": "us-west-2 eu-west-1"}`: FSx for Lustre is offered there, and nowhere else.
- `service-quotas`: `{"serviceCode", "quotaCode", "value"}`: the account has this value of a quota, a number with a
  fraction (`5.0`).

The answer is 200, or 400 with a sentence that says what is wrong with the request.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from localcloud.batch import BatchService
from localcloud.ec2 import Injections
from localcloud.ecs import EcsService, TaskInjection
from localcloud.fsx import FsxService
from localcloud.offers import OffersService
from localcloud.pricing import PricingService
from localcloud.quotas import QuotasService
from localcloud.wire import Answer, Request

PREFIX: Final = "/_localcloud/inject/"

Injector = Callable[[Mapping[str, Any]], None]
"""Arranges the failure that a request's body asks for. Raises BadInjectionError."""

_BATCH_KEYS: Final[Mapping[str, tuple[str, type]]] = {
    "statusReason": ("status_reason", str),
    "reason": ("reason", str),
    "exitCode": ("exit_code", int),
    "times": ("times", int),
    "environment": ("environment", dict),
}
"""The optional keys of a request: the argument of BatchService.inject and its type."""


_WANTED: Final = {
    bool: "true or false",
    dict: "an object of texts",
    float: "a number with a fraction",
    int: "a whole number",
    str: "text",
}


class BadInjectionError(Exception):
    """The request cannot be understood. The message is a sentence."""


def batch_injector(batch: BatchService) -> Injector:
    """Failures of job attempts."""

    def inject(body: Mapping[str, Any]) -> None:
        _refuse_unknown(
            body, {"jobNameGlob", *_BATCH_KEYS} if "blockedBy" not in body else {"jobNameGlob", "blockedBy"}
        )
        glob = _value(body, "jobNameGlob", str)
        if "blockedBy" in body:
            batch.hold_back(glob, _value(body, "blockedBy", str))
            return
        arguments = {name: _value(body, key, kind) for key, (name, kind) in _BATCH_KEYS.items() if key in body}
        if arguments.get("times", 1) < 1:
            raise BadInjectionError("times must be at least 1.")
        batch.inject(glob, **arguments)

    return inject


def fsx_injector(fsx: FsxService) -> Injector:
    """Failures of file systems and exports."""
    fail: Mapping[str, Callable[[str], None]] = {
        "failNextFileSystem": fsx.fail_next_file_system,
        "refuseNextFileSystem": fsx.refuse_next_file_system,
        "failNextExport": fsx.fail_next_export,
    }

    def inject(body: Mapping[str, Any]) -> None:
        _refuse_unknown(body, set(fail))
        if len(body) != 1:
            raise BadInjectionError(f"The body must have exactly one of {' and '.join(fail)}.")
        (key,) = body
        fail[key](_value(body, key, str))

    return inject


def ec2_injector(misfortunes: Injections) -> Injector:
    """What becomes of Tibanna's Spot instances."""

    def inject(body: Mapping[str, Any]) -> None:
        _refuse_unknown(body, {"reclaimSpot", "refuseSpot", "refuseFleet", "code", "times"})
        times = _value({"times": 1, **body}, "times", int)
        if "reclaimSpot" in body:
            misfortunes.reclaim_spot(_value(body, "reclaimSpot", str), times)
        elif "refuseFleet" in body:
            code = _value({"code": "VcpuLimitExceeded", **body}, "code", str)
            misfortunes.refuse_fleet(_value(body, "refuseFleet", str), times, code)
        else:
            code = _value({"code": "InsufficientInstanceCapacity", **body}, "code", str)
            misfortunes.refuse_spot(_value(body, "refuseSpot", str), times, code)

    return inject


_TASK_KEYS: Final[Mapping[str, tuple[str, type]]] = {
    "exitCode": ("exit_code", int),
    "seconds": ("seconds", float),
    "stoppedReason": ("stopped_reason", str),
    "vanishes": ("vanishes", bool),
    "times": ("times", int),
}
"""The optional keys of a request: the field of TaskInjection and its type."""


def ecs_injector(tasks: EcsService) -> Injector:
    """Refusals of RunTask, and endings of tasks."""

    def inject(body: Mapping[str, Any]) -> None:
        if "startedByGlob" in body:
            _refuse_unknown(body, {"startedByGlob", *_TASK_KEYS})
            glob = _value(body, "startedByGlob", str)
            fields = {name: _value(body, key, kind) for key, (name, kind) in _TASK_KEYS.items() if key in body}
            tasks.injections.add_task(TaskInjection(glob, **fields))
            return
        _refuse_unknown(body, {"code", "reason", "times"})
        code = _value(body, "code", str) if "code" in body else None
        tasks.refuse(code=code, reason=_value(body, "reason", str), times=_value({"times": 1, **body}, "times", int))

    return inject


def pricing_injector(prices: PricingService) -> Injector:
    """Refusals of the Price List."""

    def inject(body: Mapping[str, Any]) -> None:
        _refuse_unknown(body, {"code", "times"})
        times = _value({"times": 1, **body}, "times", int)
        if "code" in body:
            prices.fail(_value(body, "code", str), times)
        else:
            prices.answer_nothing(times)

    return inject


def offers_injector(offers: OffersService) -> Injector:
    """Where FSx for Lustre is offered."""

    def inject(body: Mapping[str, Any]) -> None:
        _refuse_unknown(body, {"lustreRegions"})
        offers.lustre_regions = _value(body, "lustreRegions", str).split()

    return inject


def quota_injector(quotas: QuotasService) -> Injector:
    """What the account may have."""

    def inject(body: Mapping[str, Any]) -> None:
        _refuse_unknown(body, {"serviceCode", "quotaCode", "value"})
        service, code = _value(body, "serviceCode", str), _value(body, "quotaCode", str)
        try:
            quotas.apply(service, code, _value(body, "value", float))
        except KeyError as unknown:
            raise BadInjectionError(f"This cloud does not know the quota {unknown.args[0]}.") from unknown

    return inject


class InjectionEndpoint:
    """The HTTP side of the injectors."""

    def __init__(self, injectors: Mapping[str, Injector]) -> None:
        """`injectors` by the name of their service in the path."""
        self._injectors = injectors

    def answer(self, request: Request) -> Answer:
        """Answer one request below PREFIX."""
        try:
            self._inject(request)
        except BadInjectionError as error:
            return _answer(400, {"message": str(error)})
        return _answer(200, {})

    def _inject(self, request: Request) -> None:
        injector = self._injectors.get(request.path.removeprefix(PREFIX))
        if injector is None or request.method != "POST":
            known = " and ".join(f"POST {PREFIX}{name}" for name in self._injectors)
            raise BadInjectionError(f"{request.method} {request.path} is unknown; known: {known}.")
        try:
            body = json.loads(request.body)
        except ValueError as error:
            raise BadInjectionError(f"The body is not JSON: {error}.") from error
        if not isinstance(body, dict):
            raise BadInjectionError("The body must be a JSON object.")
        injector(body)


def _refuse_unknown(body: Mapping[str, Any], known: set[str]) -> None:
    unknown = sorted(body.keys() - known)
    if unknown:
        raise BadInjectionError(f"Unknown: {', '.join(unknown)}. Known: {', '.join(sorted(known))}.")


def _value(body: Mapping[str, Any], key: str, kind: type) -> Any:  # noqa: ANN401 - of the type that is asked for
    value = body.get(key)
    texts = value.values() if isinstance(value, dict) else ()
    is_one = isinstance(value, kind) and isinstance(value, bool) == (kind is bool) and value != ""
    if not is_one or not all(isinstance(text, str) for text in texts):
        raise BadInjectionError(f"{key} must be {_WANTED[kind]}, not {json.dumps(value)}.")
    return value


def _answer(status: int, body: Mapping[str, str]) -> Answer:
    return status, {"Content-Type": "application/json"}, json.dumps(body).encode()
