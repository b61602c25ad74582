"""The part of ministack's adapter that lets it refuse what AWS refuses: requests, tasks, resources, executions."""

import json
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, Final

from ministack import app
from ministack.services import backup, cloudformation, ecr, iam, stepfunctions
from ministack.services.cloudformation import changesets, handlers, provisioners, stacks

from localcloud.ministack_adapter import TaskError
from localcloud.sdk_names import Value
from localcloud.wire import Answer, Request

USED: Final[tuple[tuple[Any, tuple[str, ...]], ...]] = (
    (app, ("SERVICE_HANDLERS",)),
    (backup, ("_vaults",)),
    (ecr, ("_repositories",)),
    (iam, ("_policies", "_roles")),
    (
        stepfunctions,
        (
            "_SERVICE_DISPATCH",
            "_add_event",
            "_error_matches",
            "_fail_execution",
            "_invoke_resource",
            "_state_machines",
        ),
    ),
    (changesets, ("_IMPORT_LOOKUPS", "_parse_template")),
    (cloudformation, ("_exports", "_stacks")),
    (handlers, ("_imported_export_names", "_parse_template")),
    (provisioners, ("_RESOURCE_HANDLERS",)),
    (stacks, ("_resolve_stack_outputs",)),
)
"""The names of each module that are used here. A test holds that they exist."""

Properties = dict[str, Any]

_PROPERTIES_AT: Final = {"create": 1, "update": 2}
"""Where among a resource handler's arguments the (new) properties are."""


def check_requests(refusal_of: Callable[[str, Request], Answer | None]) -> None:
    """Let `refusal_of(service, request)` answer a request first. Call it when all services have been added."""
    for name, handle in app.SERVICE_HANDLERS.items():
        app.SERVICE_HANDLERS[name] = _checked(name, handle, refusal_of)


def _checked(name: str, handle: Callable[..., Any], refusal_of: Callable[[str, Request], Answer | None]) -> Any:  # noqa: ANN401
    async def wrapped(method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]) -> Answer:
        refused = refusal_of(name, Request(method, path, headers, body, query))
        answer: Answer = refused or await handle(method, path, headers, body, query)
        return answer

    return wrapped


def check_tasks(refusal_of: Callable[[str, Value], tuple[str, str] | None]) -> None:
    """Let `refusal_of(resource, arguments)` say with which error and cause a task fails that needs no request."""
    for prefix, run in stepfunctions._SERVICE_DISPATCH.items():
        stepfunctions._SERVICE_DISPATCH[prefix] = _checked_task(run, refusal_of)


def _checked_task(
    run: Callable[..., Value], refusal_of: Callable[[str, Value], tuple[str, str] | None]
) -> Callable[..., Value]:
    @wraps(run)
    def wrapped(resource: str, arguments: Value) -> Value:
        refused = refusal_of(resource, arguments)
        if refused:
            raise TaskError(*refused)
        return run(resource, arguments)

    return wrapped


def check_resources(types: frozenset[str], check: Callable[[str, Properties], None]) -> None:
    """Let `check(type, properties)` raise for a template's resource before it is made or changed."""
    for resource_type in types & provisioners._RESOURCE_HANDLERS.keys():
        verbs = provisioners._RESOURCE_HANDLERS[resource_type]
        for verb in _PROPERTIES_AT.keys() & verbs.keys():
            verbs[verb] = _checked_resource(resource_type, verbs[verb], _PROPERTIES_AT[verb], check)


def _checked_resource(
    resource_type: str, provision: Callable[..., Value], position: int, check: Callable[[str, Properties], None]
) -> Callable[..., Value]:
    @wraps(provision)
    def wrapped(*args: Value, **kwargs: Value) -> Value:
        check(resource_type, args[position])
        return provision(*args, **kwargs)

    return wrapped


def refuse_taken_names(names: Mapping[str, str]) -> None:
    """Let a stack not make what is there already.

    Args: `names` has for a type the property that names the resource.
    """
    for resource_type, member in names.items():
        verbs = provisioners._RESOURCE_HANDLERS[resource_type]
        verbs["create"] = _creating_anew(resource_type, member, verbs["create"])


_THERE: Final[Mapping[str, Callable[[str], bool]]] = {
    "AWS::Backup::BackupVault": lambda name: name in backup._vaults,
    "AWS::ECR::Repository": lambda name: name in ecr._repositories,
    # AWS's own policies have no account: their names are nobody's.
    "AWS::IAM::ManagedPolicy": lambda name: any(
        arn.endswith(f"/{name}") and not arn.startswith("arn:aws:iam::aws:") for arn in iam._policies
    ),
    "AWS::StepFunctions::StateMachine": lambda name: any(
        arn.endswith(f":stateMachine:{name}") for arn in stepfunctions._state_machines
    ),
}
"""Type -> whether one of this name is there, for types that ministack imports into no stack."""


def _is_there(resource_type: str, name: str) -> bool:
    if resource_type in _THERE:
        return _THERE[resource_type](name)
    _, problem_of = changesets._IMPORT_LOOKUPS[resource_type]
    return problem_of(name) is None


def _creating_anew(resource_type: str, member: str, create: Callable[..., Value]) -> Callable[..., Value]:

    @wraps(create)
    def wrapped(logical_id: str, properties: Properties, *more: Value) -> Value:
        name = properties.get(member)
        if name and _is_there(resource_type, name):
            identifier = json.dumps({f"/properties/{member}": name}, separators=(",", ":"))
            raise ValueError(
                f"Resource handler returned message: \"Resource of type '{resource_type}' with identifier "
                f"'{identifier}' already exists.\" (HandlerErrorCode: AlreadyExists)"
            )
        return create(logical_id, properties, *more)

    return wrapped


def inline_policies(role: str) -> Mapping[str, Any]:
    """The documents of a role's inline policies, by their names."""
    found: Mapping[str, Any] = (iam._roles.get(role) or {}).get("InlinePolicies", {})
    return found


def check_templates(check: Callable[[str, Mapping[str, Any]], None]) -> None:
    """Let `check(text, template)` raise for a template that has too much in it."""
    for module in (changesets, handlers):
        module._parse_template = _checked_template(module._parse_template, check)


def _checked_template(
    parse: Callable[[str], dict[str, Any]], check: Callable[[str, Mapping[str, Any]], None]
) -> Callable[[str], dict[str, Any]]:
    @wraps(parse)
    def wrapped(body: str) -> dict[str, Any]:
        template = parse(body)
        check(body, template)
        return template

    return wrapped


ExportsCheck = Callable[[Mapping[str, str], Mapping[str, str], Mapping[str, str], Callable[[str], Sequence[str]]], None]


def check_exports(check: ExportsCheck) -> None:
    """Let `check(exported, before, owners, importers)` raise for what a stack is about to export.

    All by the exports' names: its own values after and before, the stacks of others' exports, who imports one.
    """
    stacks._resolve_stack_outputs = _checked_exports(stacks._resolve_stack_outputs, check)


def _checked_exports(resolve: Callable[..., Any], check: ExportsCheck) -> Callable[..., Any]:
    @wraps(resolve)
    def wrapped(*args: Value) -> Any:  # noqa: ANN401
        outputs, exports = resolve(*args)
        stack_id = args[-1]
        known = dict(cloudformation._exports.items())
        check(
            {name: export["Value"] for name, export in exports.items()},
            {name: export["Value"] for name, export in known.items() if export["StackId"] == stack_id},
            {name: export["StackId"] for name, export in known.items() if export["StackId"] != stack_id},
            _importers,
        )
        return outputs, exports

    return wrapped


def _importers(export: str) -> list[str]:
    return [
        name
        for name, stack in cloudformation._stacks.items()
        if stack["StackStatus"] != "DELETE_COMPLETE" and export in handlers._imported_export_names(stack, name)
    ]


def limit_executions(most_payload: int, most_events: int) -> None:
    """End executions with data or a history that are too large, in bytes and events.

    ministack's histories have fewer events than AWS's: what passes here may not there.
    """
    stepfunctions._add_event = _within(stepfunctions._add_event, most_payload, most_events)
    stepfunctions._invoke_resource = _returning_little(stepfunctions._invoke_resource, most_payload)
    stepfunctions._error_matches = _not_by_all(stepfunctions._error_matches)


TOO_LARGE: Final = "States.DataLimitExceeded"
"""Only a Retry or Catch that names it sees it, not States.ALL (Developer guide, "Handling errors")."""

_ENDINGS: Final = ("ExecutionFailed", "ExecutionAborted", "ExecutionTimedOut")
_TOO_LONG: Final = "The execution reached the maximum number of history events ({})."


def _within(add_event: Callable[..., Value], most_payload: int, most_events: int) -> Callable[..., Value]:
    @wraps(add_event)
    def wrapped(execution: dict[str, Any], event_type: str, details: Value = None) -> Value:
        if event_type not in _ENDINGS:
            if len(execution["events"]) + 1 >= most_events:
                raise TaskError("States.Runtime", _TOO_LONG.format(most_events))
            for part in (details or {}).values():
                for member in ("input", "output") if isinstance(part, dict) else ():
                    _check_size(part.get(member), f"state '{part.get('name', '')}'", member, most_payload)
        return add_event(execution, event_type, details)

    return wrapped


def _returning_little(invoke: Callable[..., Value], most_payload: int) -> Callable[..., Value]:
    @wraps(invoke)
    def wrapped(resource: str, arguments: Value) -> Value:
        _check_size(json.dumps(arguments, default=str), f"task '{resource}'", "input", most_payload)
        result = invoke(resource, arguments)
        _check_size(json.dumps(result, default=str), f"task '{resource}'", "output", most_payload)
        return result

    return wrapped


def _check_size(text: str | None, where: str, what: str, most: int) -> None:
    """The text is ministack's, with spaces and escapes that AWS does not count."""
    if text is None or len(text) <= most // 4:
        return
    size = len(json.dumps(json.loads(text), separators=(",", ":"), ensure_ascii=False).encode())
    if size > most:
        raise TaskError(TOO_LARGE, f"The {where} has an {what} with a size exceeding the maximum number of bytes.")


def _not_by_all(matches: Callable[[list[str], str], bool]) -> Callable[[list[str], str], bool]:
    @wraps(matches)
    def wrapped(wanted: list[str], error: str) -> bool:
        return error in wanted if error == TOO_LARGE else matches(wanted, error)

    return wrapped
