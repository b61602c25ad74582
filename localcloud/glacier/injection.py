"""Archive tiers and failures of restores on request.

`POST /_localcloud/inject/glacier` with one of

- `{"archive": {"bucket", "key", "tier"}}`: an object of Intelligent-Tiering moves to ARCHIVE_ACCESS or
  DEEP_ARCHIVE_ACCESS, as it would after months;
- `{"throttle": n}`: the next n RestoreObject are refused (SlowDown);
- `{"loseEvents": n}`, `{"repeatEvents": n}`, `{"shuffleEvents": n}`: the next n completions are not delivered,
  delivered twice, or held back and delivered in another order;
- `{"scale": x}`: restores take x times as long from now on.
"""

from collections.abc import Callable, Mapping
from typing import Any

from localcloud.glacier.service import ARCHIVE_TIERS, GlacierService
from localcloud.injection import BadInjectionError, Injector


def glacier_injector(archives: GlacierService) -> Injector:
    """What can be asked of the archives."""
    faults = archives.faults
    counted: Mapping[str, Callable[[int], None]] = {
        "throttle": faults.throttle,
        "loseEvents": faults.lose,
        "repeatEvents": faults.repeat,
        "shuffleEvents": faults.shuffle,
    }

    def inject(body: Mapping[str, Any]) -> None:
        if len(body) != 1 or not body.keys() <= {*counted, "archive", "scale"}:
            raise BadInjectionError(f"The body must have exactly one of {', '.join([*counted, 'archive', 'scale'])}.")
        ((key, value),) = body.items()
        if key == "archive":
            _archive(archives, value)
        elif not isinstance(value, int | float) or isinstance(value, bool) or value < 0:
            raise BadInjectionError(f"{key} must be a number that is not negative, not {value!r}.")
        elif key == "scale":
            archives.take_times(value)
        else:
            counted[key](int(value))

    return inject


def _archive(archives: GlacierService, given: object) -> None:
    if not isinstance(given, Mapping) or set(given) != {"bucket", "key", "tier"}:
        raise BadInjectionError("archive must have bucket, key and tier.")
    if given["tier"] not in ARCHIVE_TIERS:
        raise BadInjectionError(f"tier must be one of {', '.join(ARCHIVE_TIERS)}.")
    if not archives.archive(given["bucket"], given["key"], given["tier"]):
        raise BadInjectionError(f"There is no {given['key']} of INTELLIGENT_TIERING in {given['bucket']}.")
