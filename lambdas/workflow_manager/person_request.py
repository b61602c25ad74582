"""Reads a person's request about a launch from the launch bucket (RequestField)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from genolaunch.contract.launch_bucket import REQUESTS_PREFIX
from genolaunch.contract.requests import RequestAction, RequestField
from genolaunch.launch_configs.config_text import read_text
from genolaunch.shared.errors import MissingRequiredParametersError
from genolaunch.shared.faults import Fault

LONGEST_REASON: Final = 500
"""Characters: a sentence or two, which stay with the launch."""

_MEMBERS: Final = (RequestField.ACTION, RequestField.REASON, RequestField.CONFIG, RequestField.ATTEMPT)
_TAKE_CONFIG: Final = (RequestAction.RETRY, RequestAction.EDIT)


@dataclass(frozen=True, slots=True)
class PersonRequest:
    """A request, checked by itself."""

    action: RequestAction
    reason: str | None = None
    config: Mapping[str, Any] | None = None
    """A JSON merge patch (RFC 7396) of the launch's config."""
    attempt: int | None = None
    """The launch's attempt that the person saw."""


def launch_of_request(key: str) -> str | None:
    """The launch id of the key requests/<launchId>/<name>.json; None for another key."""
    launch_id, slash, name = key.removeprefix(REQUESTS_PREFIX).partition("/")
    is_request = key.startswith(REQUESTS_PREFIX) and launch_id and slash and name.endswith(".json") and "/" not in name
    return launch_id if is_request else None


def read_request(content: bytes) -> PersonRequest:
    """The request.

    Raises:
        MissingRequiredParametersError: naming every fault.
    """
    values = read_text(content, is_json=True)
    if not isinstance(values, dict):
        raise MissingRequiredParametersError([Fault("the request", "must be a JSON object", _LIKE)])
    faults = list(_faults(values))
    if faults:
        raise MissingRequiredParametersError(faults)
    return PersonRequest(
        action=RequestAction(values[RequestField.ACTION]),
        reason=values.get(RequestField.REASON),
        config=values.get(RequestField.CONFIG),
        attempt=values.get(RequestField.ATTEMPT),
    )


_LIKE: Final = 'Write for example {"action": "retry", "reason": "more memory"}.'


def _faults(values: Mapping[str, Any]) -> Iterator[Fault]:
    action, reason = values.get(RequestField.ACTION), values.get(RequestField.REASON)
    known = [str(each) for each in RequestAction]
    if not isinstance(action, str) or action not in known:
        yield Fault("action", f"must be one of {', '.join(known)}", _LIKE)
    if reason is not None and not _is_sentence(reason):
        yield Fault("reason", f"must be text of 1 to {LONGEST_REASON} printable characters", "Write it in one line.")
    if action == RequestAction.EDIT and reason is None:
        yield Fault("reason", "is required to edit a launch", "Say why.")
    config = values.get(RequestField.CONFIG)
    if config is not None and not isinstance(config, dict):
        yield Fault("config", "must be a JSON object: the keys that change", "null takes a key out.")
    if config is not None and action not in _TAKE_CONFIG:
        yield Fault("config", "is for retry and edit only", "Leave it out.")
    if action == RequestAction.EDIT and not config:
        yield Fault("config", "is required to edit a launch", "Write the keys that change.")
    attempt = values.get(RequestField.ATTEMPT)
    if attempt is not None and (not isinstance(attempt, int) or isinstance(attempt, bool)):
        yield Fault("attempt", "must be a whole number", "Leave it out, or write the launch's attempt.")
    for name in sorted(set(map(str, values)) - set(_MEMBERS)):
        yield Fault(ascii(name)[1:-1][:60], "is not a member of a request", f"Known are {', '.join(_MEMBERS)}.")


def _is_sentence(reason: object) -> bool:
    return isinstance(reason, str) and 0 < len(reason) <= LONGEST_REASON and reason.isprintable()


def merged(config: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """The config with a JSON merge patch (RFC 7396, section 2): null removes a key, a list is replaced as a whole."""
    result = dict(config)
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, Mapping):
            inner = result.get(key)
            result[key] = merged(inner if isinstance(inner, Mapping) else {}, value)
        else:
            result[key] = value
    return result


def changed_keys(before: Any, after: Any, place: str = "") -> list[str]:  # noqa: ANN401 - any JSON value
    """Dotted keys whose values differ; a list is one value."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        return [
            found
            for key in sorted({*before, *after})
            for found in changed_keys(before.get(key), after.get(key), f"{place}.{key}" if place else key)
        ]
    return [] if before == after else [place]
