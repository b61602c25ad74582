"""The part of ministack's adapter that concerns IAM: its callers' keys, and what each of their calls is checked for.

ministack checks requests (it was started with AUTH=true), but lets what it does itself in a role's name happen
unchecked: tasks of state machines, targets of rules, polling for functions. Those are checked here as well.
"""

import contextvars
import hmac
import json
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, Final

from ministack import app
from ministack.core import iam_actions, iam_evaluator, lambda_runtime, router
from ministack.services import (
    athena,
    dynamodb,
    ec2,
    ecs,
    eventbridge,
    glue,
    iam,
    lambda_svc,
    s3,
    sqs,
    stepfunctions,
    sts,
)
from ministack.services.cloudformation import provisioners

from localcloud.clients import ACCOUNT, REGION, Keys, client_environment, owner
from localcloud.iam.conditions import conditions_met, resources_match
from localcloud.iam.model import Call, Need, params_of
from localcloud.limits.iam import MOST_PROFILES, MOST_ROLES
from localcloud.ministack_adapter import TaskError, acting_role, current_execution
from localcloud.sdk_names import Value

USED: Final[tuple[tuple[Any, tuple[str, ...]], ...]] = (
    (iam_actions, ("SERVICE_TO_IAM_NAMESPACE", "extract_resource_arn")),
    (app, ("SERVICE_HANDLERS",)),
    (
        iam_evaluator,
        (
            "_action_matches",
            "_first_match",
            "_request_origin",
            "_resolve_condition_key",
            "enforce",
            "is_root_access_key",
        ),
    ),
    (router, ("extract_access_key_id",)),
    (athena, ("_executions",)),
    (dynamodb, ("_tables",)),
    (ec2, ("_instances", "_launch_templates", "_tags")),
    (ecs, ("_tags", "_task_defs")),
    (eventbridge, ("_invoke_target",)),
    (glue, ("_tables",)),
    (iam, ("_IAM_HANDLERS", "_access_keys", "_error", "_instance_profiles", "_p", "_roles", "_users")),
    (lambda_runtime, ("execution_credentials",)),
    (lambda_svc, ("_execute_function_warm", "_run_sqs_batch", "execution_credentials")),
    (s3, ("_buckets",)),
    (sqs, ("_build_send_sys_attrs",)),
    (
        stepfunctions,
        (
            "_SERVICE_DISPATCH",
            "_call_lambda",
            "_executions",
            "_invoke_nested_start_execution",
            "_invoke_nested_start_execution_sync",
            "_invoke_with_callback",
        ),
    ),
    (sts, ("_sessions", "register_session")),
    (provisioners, ("_RESOURCE_HANDLERS",)),
)
"""The names of each module that are used here. A test holds that they exist."""

Check = Callable[[str, list[Need]], str | None]
"""From a role's ARN and what it needs: why it may not, or None."""


# --- Keys of roles -------------------------------------------------------------------------------------------------
def keys_of_role(role_arn: str, session: str) -> Keys:
    """Keys by which calls are made as this role, as AssumeRole would give to the service that the role trusts."""
    digest = hmac.new(owner().secret_key.encode(), f"{role_arn} {session}".encode(), "sha256").hexdigest()
    keys = Keys(f"ASIA{digest[:16].upper()}", digest[16:56], digest[24:])
    name = role_arn.rpartition("/")[2]
    sts.register_session(
        keys.access_key,
        {
            "Arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/{session}",
            "UserId": f"{name}:{session}",
            "SecretAccessKey": keys.secret_key,
            "SessionToken": keys.token,
        },
    )
    return keys


def is_known(access_key: str) -> bool:
    """Whether a key is the owner's, a session's, or a user's of this cloud."""
    return (
        access_key == owner().access_key
        or access_key in sts._sessions
        or iam._access_keys.get_scoped(ACCOUNT, None, access_key) is not None
    )


def give_functions_keys_of_their_roles() -> None:
    """Let functions call as their roles, by keys that nobody can work out; ministack's follow from the ARNs."""

    def credentials(config: Mapping[str, Any]) -> dict[str, str]:
        keys = keys_of_role(config["Role"], config["FunctionName"])
        return {
            "AWS_ACCESS_KEY_ID": keys.access_key,
            "AWS_SECRET_ACCESS_KEY": keys.secret_key,
            "AWS_SESSION_TOKEN": keys.token or "",
        }

    lambda_runtime.execution_credentials = credentials
    lambda_svc.execution_credentials = credentials


def session_environment(endpoint: str, role_arn: str | None, session: str) -> dict[str, str]:
    """Environment of a container that calls as its role, if it has one: allowed everything, but known by its name."""
    return client_environment(endpoint, keys_of_role(role_arn, session)) if role_arn else {}


def principal_id(access_key: str, owner_name: str) -> str:
    """Who has a key, as S3's notifications name them: `AWS:<id of the role>:<session>`, or `AWS:<id of the user>`.

    The owner of the cloud is known by their name on this machine.
    """
    session = sts._sessions.get(access_key)
    if session is not None:
        return f"AWS:{session['UserId']}"
    key = iam._access_keys.get_scoped(ACCOUNT, None, access_key)
    user = iam._users.get_scoped(ACCOUNT, None, key["UserName"]) if key else None
    return f"AWS:{user['UserId']}" if user else f"AWS:{owner_name}"


# --- Who sends messages --------------------------------------------------------------------------------------------
_sender: contextvars.ContextVar[str] = contextvars.ContextVar("sender", default="")


def name_senders() -> None:
    """Let `SenderId` of a message be its sender's `<role>:<session>`, as SQS has it; ministack says the account."""
    handle, build, run = app.SERVICE_HANDLERS["sqs"], sqs._build_send_sys_attrs, lambda_svc._run_sqs_batch

    @wraps(handle)
    async def handling(method: str, path: str, headers: Value, body: bytes, query: Value) -> Value:
        session = sts._sessions.get(router.extract_access_key_id(headers, query), {})
        _sender.set(session.get("UserId", ""))
        return await handle(method, path, headers, body, query)

    @wraps(build)
    def building(*arguments: Value) -> dict[str, Any]:
        built: dict[str, Any] = build(*arguments)
        return {**built, "SenderId": _sender.get() or built["SenderId"]}

    @wraps(run)
    def running(mapping: Value, function: Value, event: Value, batch: Value, *more: Value) -> Value:
        senders = {message["id"]: message["sys"]["SenderId"] for message in batch if "sys" in message}
        for record in event["Records"]:
            record["attributes"]["SenderId"] = senders.get(record["messageId"], record["attributes"]["SenderId"])
        return run(mapping, function, event, batch, *more)

    app.SERVICE_HANDLERS["sqs"] = handling
    sqs._build_send_sys_attrs = building
    lambda_svc._run_sqs_batch = running


# --- TLS ----------------------------------------------------------------------------------------------------------
class _OverTls:
    """Where requests come from, as ministack's IAM reads it: this machine, and as if by TLS.

    The cloud serves plain HTTP on the loopback interface; resources' policies refuse that, as they must on AWS.
    """

    def get(self) -> tuple[str, bool]:
        return "127.0.0.1", True

    def set(self, _origin: tuple[str, bool]) -> None:
        """What a request's connection says does not count."""


_LINKED_ROLES: Final = {
    "autoscaling.amazonaws.com": "AutoScaling",
    "batch.amazonaws.com": "Batch",
    "ec2fleet.amazonaws.com": "EC2Fleet",
    "ecs.amazonaws.com": "ECS",
    "fsx.amazonaws.com": "AmazonFSx",
    "spot.amazonaws.com": "EC2Spot",
}
"""Service -> end of its role's name, which does not follow from the service's (each service's user guide)."""


def name_linked_roles() -> None:
    """Give service-linked roles the names that AWS gives them."""
    create = iam._IAM_HANDLERS["CreateServiceLinkedRole"]

    @wraps(create)
    def wrapped(params: Value) -> Value:
        service = iam._p(params, "AWSServiceName")
        given = f"AWSServiceRoleFor{service.partition('.')[0].capitalize()}"
        name = f"AWSServiceRoleFor{_LINKED_ROLES[service]}" if service in _LINKED_ROLES else given
        if name in iam._roles:
            taken = f"Service role name {name} has been taken in this account, please try a different suffix."
            return iam._error(400, "InvalidInput", taken, ns="iam")
        answer = create(params)
        if name != given and given in iam._roles:
            role = iam._roles.pop(given)
            iam._roles[name] = {**role, "RoleName": name, "Arn": role["Arn"].replace(given, name)}
            status, headers, body = answer
            return status, headers, body.replace(given.encode(), name.encode())
        return answer

    iam._IAM_HANDLERS["CreateServiceLinkedRole"] = wrapped


def count_as_tls() -> None:
    """Let policies that demand TLS be met."""
    iam_evaluator._request_origin = _OverTls()


# --- Requests ------------------------------------------------------------------------------------------------------
_request: contextvars.ContextVar[Mapping[str, Any]] = contextvars.ContextVar("request")
_checked: contextvars.ContextVar[set[tuple[str, str]]] = contextvars.ContextVar("checked")
"""Actions on tables that the request's transaction was checked for: ministack asks again for each of its items."""
_enforce: Final = iam_evaluator.enforce


def know_service(service: str, namespace: str) -> None:
    """Check the requests for a service that ministack's IAM does not know."""
    iam_actions.SERVICE_TO_IAM_NAMESPACE[service] = namespace


def check_requests(needs_of: Callable[[Call], list[Need]], told: Callable[[str, Need, bool], None]) -> None:
    """Let every request's caller be checked for all that `needs_of` says; `told(role, need, allowed)` hears of it."""
    extract = iam_actions.extract_resource_arn

    @wraps(extract)
    def noting(service: str, method: str, path: str, headers: Value, body: bytes, query: Value, *where: str) -> str:
        _request.set(params_of(body, query))
        _checked.set(set())
        return str(extract(service, method, path, headers, body, query, *where))

    @wraps(_enforce)
    def wrapped(
        access_key: str, action: str, service: str, region: str, resource_arn: str = "*", service_context: Value = None
    ) -> Value:
        if iam_evaluator.is_root_access_key(access_key):
            return _enforce(access_key, action, service, region, resource_arn, service_context)
        caller = sts._sessions.get(access_key, {}).get("Arn", "")
        call = Call(action, resource_arn, _request.get({}), service_context or {})
        checked = _checked.get(set())
        if (action, resource_arn) in checked:
            return None
        if "TransactItems" in call.params:
            checked.add((action, resource_arn))
        for need in needs_of(call):
            refused = _evaluate(access_key, need, region)
            told(caller, need, refused is None)
            if refused is not None:
                if need.action != action and hasattr(refused, "principal_arn"):
                    refused.principal_arn = _blame(caller, need)
                return refused
        return None

    iam_actions.extract_resource_arn = noting
    iam_evaluator.enforce = wrapped


def _evaluate(access_key: str, need: Need, region: str = REGION) -> Value:
    context = {name: value for name, value in need.context.items() if value is not None}
    return _enforce(access_key, need.action, need.action.split(":")[0], region, need.resource, context)


def _blame(caller: str, need: Need) -> str:
    """ministack's message names the call's own action after the caller: the one that is missing comes before it."""
    return f"{caller} is not authorized to perform: {need.action} on resource: {need.resource}, and so"


def is_allowed(role_arn: str, session: str, need: Need) -> bool:
    """Whether a role's policies allow what is needed."""
    return _evaluate(keys_of_role(role_arn, session).access_key, need) is None


# --- Conditions ----------------------------------------------------------------------------------------------------
def read_policies_as_aws() -> None:
    """Let statements be read by localcloud.iam.conditions: variables, set operators, and what is not known closes."""

    def first(context: Value, statements: Value, effect: str) -> Value:
        def value_of(key: str) -> Value:
            return iam_evaluator._resolve_condition_key(key, context)

        for statement in statements:
            if (
                statement.effect == effect
                and iam_evaluator._action_matches(context.action, statement.actions, statement.not_actions)
                and resources_match(context.resource_arn, statement.resources, statement.not_resources, value_of)
                and conditions_met(statement.conditions, value_of, effect)
            ):
                return statement
        return None

    iam_evaluator._first_match = first


# --- What ministack does in a role's name --------------------------------------------------------------------------
def check_tasks(needs_of_task: Callable[[str, Mapping[str, Any]], list[Need]], check: Check) -> None:
    """Check the tasks that run without a request. Call it when all tasks have been added."""

    def checked(run: Callable[..., Value]) -> Callable[..., Value]:
        @wraps(run)
        def wrapped(resource: str, arguments: Value, *more: Value) -> Value:
            _refuse(check, needs_of_task(resource, arguments))
            return run(resource, arguments, *more)

        return wrapped

    for prefix, handler in stepfunctions._SERVICE_DISPATCH.items():
        stepfunctions._SERVICE_DISPATCH[prefix] = checked(handler)
    for name in ("_invoke_nested_start_execution", "_invoke_nested_start_execution_sync"):
        setattr(stepfunctions, name, checked(getattr(stepfunctions, name)))
    call_lambda = stepfunctions._call_lambda

    @wraps(call_lambda)
    def calling(function: str, event: Value) -> Value:
        _refuse(check, needs_of_task("arn:aws:states:::lambda:invoke", {"FunctionName": function}))
        return call_lambda(function, event)

    stepfunctions._call_lambda = calling


def _refuse(check: Check, needs: list[Need]) -> None:
    role = acting_role()
    assert role is not None  # a task runs in an execution, whose state machine has a role
    refusal = check(role, needs)
    if refusal:
        raise TaskError("States.Permissions", refusal)


def check_rule_targets(check: Check) -> None:
    """Check what rules start with a role (state machines); other targets have policies of their own."""
    invoke = eventbridge._invoke_target

    @wraps(invoke)
    def wrapped(target: dict[str, Any], event: Value, rule: Value, view: Value = None) -> None:
        role = target.get("RoleArn") or rule.get("RoleArn")
        if (
            role
            and target["Arn"].split(":")[2] == "states"
            and check(role, [Need("states:StartExecution", target["Arn"])])
        ):
            return
        invoke(target, event, rule, view)

    eventbridge._invoke_target = wrapped


_POLLING: Final = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")


def check_functions(key_of: Callable[[str], str | None], check: Check) -> None:
    """Check what Lambda does with a function's role around its code: polling its queue, its log, its traces."""
    poll, execute = lambda_svc._run_sqs_batch, lambda_svc._execute_function_warm

    @wraps(poll)
    def polling(mapping: dict[str, Any], function: dict[str, Any], *more: Value) -> Value:
        queue = mapping["EventSourceArn"]
        needs = [Need(action, queue) for action in _POLLING]
        if key := key_of(queue):
            needs.append(Need("kms:Decrypt", key))
        if check(function["config"]["Role"], needs):
            return None
        return poll(mapping, function, *more)

    @wraps(execute)
    def executing(function: dict[str, Any], event: Value, request_id: str) -> Value:
        config = function.get("config") or function
        check(config["Role"], _around_the_code(config))
        return execute(function, event, request_id)

    lambda_svc._run_sqs_batch = polling
    lambda_svc._execute_function_warm = executing


def _around_the_code(config: Mapping[str, Any]) -> list[Need]:
    group = (config.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{config['FunctionName']}"
    stream = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}:log-stream:new"
    needs = [Need(f"logs:{action}", stream) for action in ("CreateLogStream", "PutLogEvents")]
    if (config.get("TracingConfig") or {}).get("Mode") == "Active":
        needs += [Need(f"xray:{action}", "*") for action in ("PutTraceSegments", "PutTelemetryRecords")]
    return needs


# --- What rules of needs ask about resources -----------------------------------------------------------------------
_keys: Final[dict[str, str]] = {}


def remember_keys() -> None:
    """Keep the customer's key of each bucket, table, queue and topic that a stack makes: ministack drops most."""
    for resource_type, find in _KEY_IN.items():
        handlers = provisioners._RESOURCE_HANDLERS[resource_type]
        handlers["create"] = _remembering(handlers["create"], find)


def _remembering(create: Callable[..., Value], find: Callable[[Value], Value]) -> Callable[..., Value]:
    @wraps(create)
    def wrapped(logical_id: str, properties: dict[str, Any], *more: Value) -> Value:
        made = create(logical_id, properties, *more)
        key = find(properties)
        if key:
            _keys[_name_in(made[0])] = key
        return made

    return wrapped


def _name_in(reference: str) -> str:
    """The name in a queue's URL, a topic's ARN, or what is a name already."""
    return reference.rpartition("/")[2].rpartition(":")[2]


def _key_of_bucket(properties: Value) -> Value:
    rules = (properties.get("BucketEncryption") or {}).get("ServerSideEncryptionConfiguration") or [{}]
    return (rules[0].get("ServerSideEncryptionByDefault") or {}).get("KMSMasterKeyID")


_KEY_IN: Final[Mapping[str, Callable[[Value], Value]]] = {
    "AWS::S3::Bucket": _key_of_bucket,
    "AWS::DynamoDB::Table": lambda properties: (properties.get("SSESpecification") or {}).get("KMSMasterKeyId"),
    "AWS::SQS::Queue": lambda properties: properties.get("KmsMasterKeyId"),
    "AWS::SNS::Topic": lambda properties: properties.get("KmsMasterKeyId"),
}
"""Where a template says it."""


def key_of(arn: str) -> str | None:
    """ARN of the customer's key of a bucket (or of an object's), queue, topic or table (or its stream's)."""
    service, resource = arn.split(":")[2] if ":" in arn else "", ":".join(arn.split(":")[5:])
    name = resource.removeprefix("table/").partition("/")[0]
    key = _keys.get(name) if service in ("s3", "dynamodb", "sqs", "sns") else None
    return f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{key}" if key and not key.startswith("arn:") else key


def tags_of(arn: str) -> dict[str, str]:
    """The tags of what ministack itself keeps of EC2 and ECS."""
    id_ = arn.rpartition("/")[2]
    role = iam._roles.get(id_) if ":role/" in arn else None
    tags = (role or {}).get("Tags") or ec2._tags.get(id_) or ecs._tags.get(arn) or []
    return {str(tag.get("Key", tag.get("key"))): str(tag.get("Value", tag.get("value"))) for tag in tags}


def hash_key(arn: str) -> str:
    """Name of the partition key of a table, or of the index that the ARN names; "" of an unknown one."""
    table, _, index = arn.rpartition(":")[2].removeprefix("table/").partition("/index/")
    found = dynamodb._tables.get(table) or {}
    indexes = [*(found.get("GlobalSecondaryIndexes") or []), *(found.get("LocalSecondaryIndexes") or [])]
    schemas = (
        [each["KeySchema"] for each in indexes if each["IndexName"] == index] if index else [found.get("KeySchema")]
    )
    names = [key["AttributeName"] for schema in schemas for key in schema or [] if key["KeyType"] == "HASH"]
    return str(names[0]) if names else ""


def roles_of_task(definition: str) -> list[str]:
    """The roles that a task definition (ARN, family or family:revision) hands to ECS."""
    name = definition.rpartition("/")[2]
    for key, found in ecs._task_defs.items():
        if name in (key, found.get("family"), str(found.get("taskDefinitionArn", "")).rpartition("/")[2]):
            return [found[member] for member in ("taskRoleArn", "executionRoleArn") if found.get(member)]
    return []


def role_arn(name: str) -> str:
    """ARN of a role by its name, with its path if it is there."""
    found = iam._roles.get(name) or {}
    return str(found.get("Arn") or f"arn:aws:iam::{ACCOUNT}:role/{name}")


def boundary_of(name: str) -> str | None:
    """ARN of a role's permissions boundary."""
    return (iam._roles.get(name) or {}).get("PermissionsBoundary") or None


def profile_arn(name: str) -> str:
    """ARN of an instance profile by its name, with its path if it is there."""
    found = iam._instance_profiles.get(name) or {}
    return str(found.get("Arn") or f"arn:aws:iam::{ACCOUNT}:instance-profile/{name}")


def trusts(role: str, service: str) -> bool:
    """Whether there is a role (ARN) that this service may assume."""
    found = iam._roles.get(role.rpartition("/")[2])
    if found is None or found["Arn"] != role:
        return False
    document = found["AssumeRolePolicyDocument"]
    trust = json.loads(document) if isinstance(document, str) else document
    statements = trust["Statement"] if isinstance(trust["Statement"], list) else [trust["Statement"]]
    return any(each["Effect"] == "Allow" and service in _services_in(each.get("Principal", {})) for each in statements)


def _services_in(principal: Value) -> list[str]:
    services = principal.get("Service", []) if isinstance(principal, dict) else []
    return services if isinstance(services, list) else [services]


def has_object(arn: str) -> bool:
    """Whether there is such an object in S3 (`arn:aws:s3:::bucket/key`)."""
    bucket, _, key = arn.rpartition(":")[2].partition("/")
    return key in (s3._buckets.get(bucket) or {}).get("objects", {})


def keep_quotas() -> None:
    """Let IAM take no more roles and instance profiles than an account has room for."""
    for operation, kept, most, name in (
        ("CreateRole", iam._roles, MOST_ROLES, "RolesPerAccount"),
        ("CreateInstanceProfile", iam._instance_profiles, MOST_PROFILES, "InstanceProfilesPerAccount"),
    ):
        iam._IAM_HANDLERS[operation] = _within(iam._IAM_HANDLERS[operation], kept, most, name)


def _within(create: Callable[[Value], Value], kept: Value, most: int, name: str) -> Callable[[Value], Value]:
    @wraps(create)
    def wrapped(params: Value) -> Value:
        if len(kept) >= most:
            return iam._error(409, "LimitExceeded", f"Cannot exceed quota for {name}: {most}", ns="iam")
        return create(params)

    return wrapped


def role_of_profile(profile: str) -> str | None:
    """ARN of the role of an instance profile, by name or ARN."""
    found = iam._instance_profiles.get(profile.rpartition("/")[2]) or {}
    roles = found.get("Roles") or []
    role = roles[0] if roles else None
    name = role.get("RoleName") if isinstance(role, dict) else role
    return role_arn(name) if name else None


def profile_of_instance(instance_id: str) -> str | None:
    """ARN of the instance profile of an instance."""
    profile = (ec2._instances.get(instance_id) or {}).get("IamInstanceProfile") or {}
    return profile.get("Arn")


def launch_template(name: str) -> Mapping[str, Any]:
    """What a launch template, by name or id, says of instances."""
    for id_, template in ec2._launch_templates.items():
        if name in (id_, template["LaunchTemplateName"]):
            data: Mapping[str, Any] = template["Versions"][-1]["LaunchTemplateData"]
            return data
    return {}


def glue_table(database: str, table: str) -> Mapping[str, Any]:
    """What the Data Catalog says of a table; nothing if there is none."""
    return glue._tables.get(f"{database}/{table}") or {}


def work_group_of_query(query_id: str) -> str:
    """The work group that a query of Athena runs in; "" of an unknown one."""
    return str((athena._executions.get(query_id) or {}).get("WorkGroup", ""))


_machines: Final[dict[str, str]] = {}


def machine_of_token(token: str) -> str | None:
    """The state machine whose task waits with this token, if one does."""
    return _machines.get(token)


def remember_tokens() -> None:
    """Keep which state machine each task token belongs to."""
    invoke = stepfunctions._invoke_with_callback

    @wraps(invoke)
    def wrapped(resource: str, data: Value, token: str, state: Value) -> Value:
        _machines[token] = stepfunctions._executions[current_execution()]["stateMachineArn"]
        try:
            return invoke(resource, data, token, state)
        finally:
            _machines.pop(token, None)

    stepfunctions._invoke_with_callback = wrapped
