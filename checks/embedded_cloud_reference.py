"""Makes docs/embedded-cloud.md from the tables by which the embedded cloud works (`make reference`)."""

import ast
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

from localcloud import injection, ministack_adapter, stand_ins
from localcloud.assembly import StandIns
from localcloud.glacier import GlacierService
from localcloud.glacier import injection as glacier_injection
from localcloud.iam import needs
from localcloud.interceptor import Interceptor
from localcloud.limits import LIMITS
from localcloud.resources import BATCH_TYPES, SILENT
from localcloud.sdk_names import service_model
from localcloud.sqs import SqsService
from localcloud.validation.exempt import EXEMPT
from localcloud.validation.gate import BOTOCORE_NAMES, WITHOUT_MODEL
from localcloud.validation.tasks import SERVICES as TASKS
from localcloud.validation.templates import CHECKED_TYPES

PAGE: Final = Path(__file__).parents[1] / "docs" / "embedded-cloud.md"

_INTRODUCTION: Final = """# What the embedded cloud covers

The embedded cloud ([localcloud/README.md](../localcloud/README.md)) answers calls of AWS in three ways: a service of
its own answers them, it intercepts single calls of a service that ministack emulates, or ministack answers alone.
`make reference` generates this page from the tables by which the embedded cloud works.

* **Validation.** Every request for a service that botocore has a model of is checked against the model, whoever answers
  it{exempt}.
* **Limits** lists the calls that are also checked against limits that the model does not contain.
* **IAM** (with `--enforce-iam`) lists the calls that have a rule. Every other call needs the action of its name on the
  resource that ministack finds in the request.
* **ministack** lists the calls of the model that ministack {version} names in its code. For `lambda`, `s3` and
  others, whose requests have paths instead of names of calls, only a request shows what ministack answers.
"""

_TEMPLATES: Final = """
## Templates
CloudFormation is ministack's. In addition
* resources of these types are checked as the calls that make them: {checked};
* these types are made by a service of the embedded cloud: {made};
* these types have names and attributes, but do nothing, unless ministack has them: {silent}.

## Tasks of Step Functions
Optimised tasks are checked as the calls that they make: {tasks}. `aws-sdk` tasks are ordinary requests.
"""


def page() -> str:
    """The whole page."""
    exempt = "".join(f" (but for {one.service}'s `{one.shape}`: {one.reason.rstrip('.')})" for one in EXEMPT)
    return "".join(
        [
            _INTRODUCTION.format(exempt=exempt, version=version("ministack")),
            "\n## Services\n",
            *_services(),
            f"\nministack alone also answers for: {_listed(_others())}.\n",
            _TEMPLATES.format(
                checked=_listed(CHECKED_TYPES),
                made=_listed(BATCH_TYPES),
                silent=_listed(SILENT),
                tasks=_listed(TASKS),
            ),
            "\n## Faults on request\n",
            f"{injection.__doc__}",
            f"\n### `glacier`\n{glacier_injection.__doc__}",
        ]
    )


def _services() -> Iterator[str]:
    rules = _by_service(needs.RULES)
    for name in _names():
        rows = {
            "answers itself": _own().get(name, ()),
            "intercepts": _intercepted().get(name, ()),
            "ministack": () if name in _own() else _of_ministack(name),
            "limits": LIMITS.get(name, {}),
            "IAM": rules.get(name, ()),
        }
        yield f"\n### `{name}`\n| | calls |\n| --- | --- |\n"
        yield "".join(f"| {row} | {_listed(calls)} |\n" for row, calls in rows.items() if calls)


@cache
def made() -> StandIns:
    """The services as the server makes them. Nobody calls them, so nothing answers at their endpoint."""
    keys = {"AWS_ACCESS_KEY_ID": "nobody", "AWS_SECRET_ACCESS_KEY": "none"}
    with tempfile.TemporaryDirectory() as folder, patch.dict(os.environ, keys):
        services = stand_ins.make(Path(folder), "http://127.0.0.1:9")
        services.close()
    return services


def _names() -> list[str]:
    """botocore's names of all services that more is known of than that ministack has them."""
    return sorted({*_own(), *_intercepted(), *LIMITS, *_by_service(needs.RULES)})


def _own() -> Mapping[str, Iterable[str]]:
    services: list[Any] = [made().batch, *made().others]
    return {service.name: service.operations for service in services}


def _intercepted() -> Mapping[str, set[str]]:
    found: dict[str, set[str]] = {"s3": set(GlacierService.OPERATIONS)}
    interceptors: tuple[Interceptor, ...] = (*made().interceptors, *SqsService(ministack_adapter).interceptors)
    for each in interceptors:
        found.setdefault(each.service, set()).update(each.operations)
    return found


def _by_service(actions: Iterable[str]) -> Mapping[str, list[str]]:
    """Actions of IAM (`states:SendTaskSuccess`) by botocore's names of their services."""
    found: dict[str, list[str]] = {}
    for action in actions:
        service, _, name = action.partition(":")
        found.setdefault(BOTOCORE_NAMES.get(service, service), []).append(name)
    return found


@cache
def _modules() -> Mapping[str, tuple[str, ...]]:
    """botocore's name of each service of ministack -> its modules."""
    return {
        BOTOCORE_NAMES.get(name, name): modules
        for name, modules in ministack_adapter.services().items()
        if name not in WITHOUT_MODEL
    }


def _of_ministack(service: str) -> set[str]:
    """The operations of a service's model that stand as texts in ministack's modules; none for a service with paths."""
    if service_model(service).resolved_protocol.startswith("rest-"):
        return set()
    texts = {text for module in _modules().get(service, ()) for text in _texts(module)}
    return set(service_model(service).operation_names) & texts


def _texts(module: str) -> Iterator[str]:
    spec = find_spec(f"ministack.services.{module}")
    assert spec is not None
    assert spec.origin is not None
    origin = Path(spec.origin)
    for file in origin.parent.rglob("*.py") if origin.name == "__init__.py" else [origin]:
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def _others() -> list[str]:
    return sorted(_modules().keys() - set(_names()))


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))
