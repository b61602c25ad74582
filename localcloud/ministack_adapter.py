"""Every use of ministack's private names: nothing else in this package imports it, but ministack_iam
and ministack_limits.

ministack (its version is pinned) is the embedded cloud's engine; what it lacks is added here, before it serves. The
rest of the package speaks to it through the functions of this module. Environment variables that ministack reads when
it is imported must be set before this module is imported.
"""

import asyncio
import contextlib
import contextvars
import json
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import wraps
from pathlib import Path
from typing import Any, Final

from ministack import app
from ministack.core import lambda_runtime, responses, router
from ministack.services import cloudwatch_logs, dynamodb, eventbridge, lambda_svc, pipes, s3, sqs, stepfunctions
from ministack.services.cloudformation import provisioners

from localcloud import lambda_worker
from localcloud.endpoint import Endpoint
from localcloud.forked_workers import Parents, forking_subprocess
from localcloud.jsonata_record import Evaluation
from localcloud.sdk_names import Value
from localcloud.unpacked_code import sharing_zipfile
from localcloud.wire import Answer, Request

USED: Final[tuple[tuple[Any, tuple[str, ...]], ...]] = (
    (app, ("SERVICE_HANDLERS", "SERVICE_REGISTRY", "_handle_post_body_shortcuts", "app", "main")),
    (router, ("SERVICE_PATTERNS", "detect_service", "extract_access_key_id")),
    (responses, ("_request_account_id", "_request_region", "now_iso")),
    (
        lambda_runtime,
        (
            *("Worker", "_PYTHON_WORKER_SCRIPT", "subprocess", "zipfile"),
            *("acquire_worker", "ensure_spawned", "release_worker", "reset"),
        ),
    ),
    (lambda_svc, ("_execute_function_warm", "_get_func_record_for_ref")),
    (cloudwatch_logs, ("_filter_log_events", "_log_groups", "_subscription_pattern_matches")),
    (dynamodb, ("_emit_stream_event", "stream_start_position", "stream_end_position", "stream_records_since")),
    (eventbridge, ("_compiled_pattern", "_dispatch_event", "_matches_detail", "_put_events")),
    (
        s3,
        (
            "_RESTORE_DELAY_SECONDS",
            "_buckets",
            "_deliver_event_to_sqs",
            "_fire_s3_event",
            "_get_object",
            "_invalid_object_state",
            "_object_response_headers",
            "_restore_expiry_iso",
            "_restore_object",
            "_schedule_restore_completed",
            "_schedule_restore_expiry",
            "_sync_restore",
        ),
    ),
    (sqs, ("_queue_by_arn", "_queues")),
    (pipes, ("_pipes", "_positions", "_ensure_poller", "_iter_all_pipes", "_dynamodb_stream_source")),
    (
        stepfunctions,
        (
            "_SERVICE_DISPATCH",
            "_SFN_WAIT_SCALE",
            "_ExecutionError",
            "_add_event",
            "_apply_jsonata_output",
            "_apply_jsonata_template",
            "_apply_output_path",
            "_apply_state_assign",
            "_emit_execution_status_event",
            "_evaluate_jsonata",
            "_execute_task",
            "_executions",
            "_fail_execution",
            "_invoke_aws_sdk_integration",
            "_invoke_nested_start_execution_sync",
            "_invoke_resource",
            "_invoke_resource_with_timeout",
            "_register_sfn_jsonata_functions",
            "_run_execution",
            "_scaled_sleep",
            "_start_execution",
            "time",
            "_state_machines",
            "_state_query_language",
        ),
    ),
    (provisioners, ("_RESOURCE_HANDLERS", "_physical_name")),
)
"""The names of each module that are used here. A test holds that they exist."""

logger = logging.getLogger("localcloud")

TaskError = stepfunctions._ExecutionError
"""TaskError(error, cause): ends a task's attempt; Retry and Catch see `error`."""

Attributes = dict[str, Any]
Properties = dict[str, Any]


class ExecutionStopped(BaseException):
    """The execution ended while one of its tasks was under way. No Retry or Catch sees it, and it ends the thread."""


def run() -> None:
    """Serve until a signal says stop; from then on executions start nothing more."""
    sys.argv = sys.argv[:1]  # ministack has a command line of its own
    try:
        app.main()
    finally:
        _stopping.set()
        _warm_up.shutdown(cancel_futures=True)


def end_functions() -> None:
    """End the processes of all functions."""
    lambda_runtime.reset()
    _parents.close()


def put_before_it(door: Callable[..., Any], refuse_keys: Callable[[str, Request], Answer]) -> None:
    """Let `door(inside, access_key=, unknown=)` (see Door) decide which requests come in.

    `refuse_keys(service, request)` is how a service of this name refuses keys.
    """

    def unknown(request: Request) -> Answer:
        service = router.detect_service(request.method, request.path, dict(request.headers), dict(request.query))
        return refuse_keys(service, request)

    app.app = door(app.app, access_key=router.extract_access_key_id, unknown=unknown)


# --- Services ------------------------------------------------------------------------------------------------------
def serve(name: str, endpoint: Endpoint) -> None:
    """Answer the requests for a service, in place of ministack's own service of that name."""

    async def handle(method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]) -> Answer:
        request = Request(method, path, headers, body, query)
        # A service may call this cloud (FSx reads from S3): the event loop must be free to answer.
        return await asyncio.to_thread(endpoint.answer, request)

    app.SERVICE_HANDLERS[name] = handle
    if endpoint.target_prefix:
        router.SERVICE_PATTERNS[name] = {"target_prefixes": [endpoint.target_prefix], "credential_scope": name}


_interceptors: Final = ThreadPoolExecutor(max_workers=32, thread_name_prefix="intercept")
"""Threads of their own: what intercepts one service may call another one that is intercepted too."""


def match_logs_by(matches: Callable[[str, str], bool]) -> None:
    """Let `matches(pattern, message)` decide which lines of a log a subscription gets."""
    cloudwatch_logs._subscription_pattern_matches = matches


def search_streams_by_prefix() -> None:
    """Let FilterLogEvents heed `logStreamNamePrefix`: without, a launch's lines get lost among the first 10,000."""
    search = cloudwatch_logs._filter_log_events

    @wraps(search)
    def searching(request: dict[str, Any]) -> Any:  # noqa: ANN401 - ministack's answer
        prefix = request.get("logStreamNamePrefix")
        streams = cloudwatch_logs._log_groups.get(request.get("logGroupName"), {}).get("streams", {})
        if prefix is None or not streams:
            return search(request)
        # No stream is none of them, and not all of them.
        names = [name for name in list(streams) if name.startswith(prefix)] or [""]
        return search({**request, "logStreamNames": names})

    cloudwatch_logs._filter_log_events = searching


def services() -> dict[str, tuple[str, ...]]:
    """Name of each service that ministack has -> its modules in ministack.services."""
    return {name: (entry["module"], *entry.get("sub_modules", ())) for name, entry in app.SERVICE_REGISTRY.items()}


def intercept(
    name: str, wants: Callable[[Request], bool], answer: Callable[[Request, Callable[[], Answer]], Answer]
) -> None:
    """Let `answer(request, own)` answer the requests for a service that `wants` picks.

    `own()` gives ministack's own answer, to be changed or handed on; all other requests go to ministack directly.
    `wants` runs on the event loop and must be quick. The one who intercepted last is asked first.
    """
    handle_own = app.SERVICE_HANDLERS[name]

    async def handle(method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]) -> Answer:
        request = Request(method, path, headers, body, query)
        if not wants(request):
            result: Answer = await handle_own(method, path, headers, body, query)
            return result
        loop = asyncio.get_running_loop()

        def own() -> Answer:
            answered = asyncio.run_coroutine_threadsafe(handle_own(method, path, headers, body, query), loop)
            result: Answer = answered.result()
            return result

        run_in_scope = contextvars.copy_context().run  # the request's account and region
        return await loop.run_in_executor(_interceptors, run_in_scope, answer, request, own)

    app.SERVICE_HANDLERS[name] = handle


def serve_path(prefix: str, answer: Callable[[Request], Answer]) -> None:
    """Answer the requests whose path begins with `prefix`, which no service has."""
    handle_special = app._handle_post_body_shortcuts

    @wraps(handle_special)
    async def wrapped(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any], request_id: str
    ) -> Answer | None:
        if path.startswith(prefix):
            return await asyncio.to_thread(answer, Request(method, path, headers, body, query))
        special: Answer | None = await handle_special(method, path, headers, body, query, request_id)
        return special

    app._handle_post_body_shortcuts = wrapped


# --- Step Functions ------------------------------------------------------------------------------------------------
_execution: contextvars.ContextVar[str | None] = contextvars.ContextVar("execution", default=None)
_task_timeout: contextvars.ContextVar[float | None] = contextvars.ContextVar("task_timeout", default=None)
_stopping: Final = threading.Event()
_ended_listeners: list[Callable[[str], None]] = []


def scale_waits(scale: float) -> None:
    """Make Wait states and the pauses between retries last `scale` times as long as they say."""
    stepfunctions._SFN_WAIT_SCALE = scale


def add_task(resource: str, run_task: Callable[[str, Value], Value]) -> None:
    """Run tasks whose resource begins with `resource`: `run_task(resource, arguments)` returns the result."""
    stepfunctions._SERVICE_DISPATCH[resource] = run_task


def replace_aws_sdk_tasks(run_task: Callable[[str, Value], Value]) -> None:
    """Run all `aws-sdk:` tasks."""
    stepfunctions._invoke_aws_sdk_integration = run_task


def replace_nested_executions(run_task: Callable[[str, Value], Value]) -> None:
    """Run `states:startExecution.sync` and `.sync:2`."""
    stepfunctions._invoke_nested_start_execution_sync = run_task


def current_execution() -> str:
    """ARN of the execution that the task of this thread belongs to."""
    arn = _execution.get()
    if arn is None:
        raise RuntimeError("No task runs on this thread.")
    return arn


_role: contextvars.ContextVar[str | None] = contextvars.ContextVar("role", default=None)


@contextlib.contextmanager
def acting_as(role_arn: str | None) -> Iterator[None]:
    """What is called within is called in this role's name."""
    token = _role.set(role_arn)
    try:
        yield
    finally:
        _role.reset(token)


def acting_role() -> str | None:
    """ARN of the role in whose name this thread works: the one of `acting_as`, or the execution's state machine's."""
    arn = _execution.get()
    if _role.get() or arn is None:
        return _role.get()
    return str(stepfunctions._state_machines[stepfunctions._executions[arn]["stateMachineArn"]]["roleArn"])


_PATIENCE: Final = 10
"""Time-outs of functions and tasks are for machines of AWS's. Here everything shares one machine, with whatever else
it does: they last so many times as long. That what hangs is ended takes longer to see, and nothing healthy is."""


def current_task_timeout() -> float | None:
    """How long the task of this thread may take in seconds, if its state has TimeoutSeconds."""
    return _task_timeout.get()


def is_running(execution_arn: str) -> bool:
    """Whether an execution has not ended. None runs any longer when the server stops."""
    if _stopping.is_set():
        return False
    execution = stepfunctions._executions.get(execution_arn)
    return execution is not None and execution["status"] == "RUNNING"


def on_execution_end(listener: Callable[[str], None]) -> None:
    """Call `listener` with the ARN of every execution that ends, however it does."""
    _ended_listeners.append(listener)


_PAUSE_BEFORE_EXECUTION: Final = 0.15
"""Seconds that ministack waits before it runs an execution's first state."""


class _Clock:
    """The module `time` as ministack's Step Functions sees it, without that pause: a launch has nine executions."""

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever `time` has
        return getattr(time, name)

    def sleep(self, seconds: float) -> None:
        if seconds != _PAUSE_BEFORE_EXECUTION:
            time.sleep(seconds)


def _wait(seconds: float) -> None:
    """Let a state or a retrier wait, scaled.

    Past `_Clock`: a wait of 15 seconds at the scale 0.01 is as long as the pause, and must not be left out with it,
    else whoever polls every 15 seconds spins.
    """
    scaled = seconds * stepfunctions._SFN_WAIT_SCALE
    if scaled > 0:
        time.sleep(scaled)


def mend_executions() -> None:
    """Make executions end as on AWS.

    Once stopped, an execution stays ABORTED and starts no further task; a state machine's own TimeoutSeconds ends its
    executions; starting a running execution again under its name and input answers with that execution; the
    Output of a Succeed state counts; and what a state assigns is seen by the next state, not by its own expressions.
    """
    stepfunctions._apply_state_assign = _assign_at_once
    stepfunctions.time = _Clock()
    stepfunctions._scaled_sleep = _wait
    stepfunctions._apply_output_path = _with_output_of_succeed(stepfunctions._apply_output_path)
    stepfunctions._execute_task = _in_execution(stepfunctions._execute_task)
    stepfunctions._invoke_resource = _unless_stopped(stepfunctions._invoke_resource)
    stepfunctions._invoke_resource_with_timeout = _knowing_timeout(stepfunctions._invoke_resource_with_timeout)
    stepfunctions._run_execution = _quiet_when_stopped(stepfunctions._run_execution)
    stepfunctions._fail_execution = _only_if_running(stepfunctions._fail_execution)
    stepfunctions._emit_execution_status_event = _telling_listeners(stepfunctions._emit_execution_status_event)
    stepfunctions._start_execution = _starting_once(stepfunctions._start_execution)


def _with_output_of_succeed(apply: Callable[..., Value]) -> Callable[..., Value]:
    @wraps(apply)
    def wrapped(state: dict[str, Any], data: Value, context: Value = None) -> Value:
        if state["Type"] == "Succeed" and stepfunctions._state_query_language(state, context) == "JSONata":
            return stepfunctions._apply_jsonata_output(state, data, context, default=data)
        return apply(state, data, context)

    return wrapped


def _assign_at_once(
    state: dict[str, Any], data: Value, context: dict[str, Any], result: Value = None, error_output: Value = None
) -> None:
    """Assign what a state says, all of it evaluated on the values from before the state.

    So does Step Functions (its guide, "Passing data between states with variables": evaluation order).
    """
    if "Assign" not in state or stepfunctions._state_query_language(state, context) != "JSONata":
        return
    values = stepfunctions._apply_jsonata_template(state["Assign"], data, context, result, error_output)
    context.setdefault("variables", {}).update(values)


def on_jsonata_evaluation(listener: Callable[[Evaluation], None]) -> None:
    """Call `listener` with every evaluation of an expression."""
    evaluate = stepfunctions._evaluate_jsonata

    @wraps(evaluate)
    def wrapped(expression: str, data: Value, *rest: Value) -> Value:
        seen = _scope_of(expression, data, *rest)
        try:
            value = evaluate(expression, data, *rest)
        except TaskError as failure:
            listener(replace(seen, error=failure.cause))
            raise
        listener(replace(seen, result=value))
        return value

    stepfunctions._evaluate_jsonata = wrapped


def evaluate_jsonata(scope: Evaluation) -> Any:  # noqa: ANN401 - whatever the expression gives
    """What this cloud gives for an expression. Raises TaskError where an execution would fail."""
    states = scope.states
    context = {**states.get("context", {}), "variables": scope.variables}
    return stepfunctions._evaluate_jsonata(
        scope.expression, states.get("input"), context, states.get("result"), states.get("errorOutput")
    )


@contextlib.contextmanager
def jsonata_functions(functions: Mapping[str, Callable[..., Any]]) -> Iterator[None]:
    """Within, expressions call these in place of the engine's own of the same names."""
    register = stepfunctions._register_sfn_jsonata_functions

    @wraps(register)
    def wrapped(expression: Value) -> None:
        register(expression)
        for name, function in functions.items():
            expression.register_lambda(name, function)

    stepfunctions._register_sfn_jsonata_functions = wrapped
    try:
        yield
    finally:
        stepfunctions._register_sfn_jsonata_functions = register


def _scope_of(
    expression: str, data: Value, context: Value = None, result: Value = None, error_output: Value = None
) -> Evaluation:
    context = context or {}
    kept_apart = ("variables", "QueryLanguage")  # ministack's own, which no context object has on AWS
    states = {"input": data, "context": {key: value for key, value in context.items() if key not in kept_apart}}
    present = {"result": result, "errorOutput": error_output}
    return Evaluation(
        machine=context.get("StateMachine", {}).get("Name", ""),
        state=context.get("State", {}).get("Name", ""),
        expression=expression,
        states=states | {key: value for key, value in present.items() if value is not None},
        variables=dict(context.get("variables", {})),
    )


def _in_execution(execute_task: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(execute_task)
    def wrapped(state: Value, data: Value, execution: dict[str, Any], context: Value) -> Value:
        token = _execution.set(execution["executionArn"])
        try:
            return execute_task(state, data, execution, context)
        finally:
            _execution.reset(token)

    return wrapped


def _unless_stopped(invoke: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(invoke)
    def wrapped(resource: str, arguments: Value) -> Value:
        if not is_running(current_execution()):
            raise ExecutionStopped
        return invoke(resource, arguments)

    return wrapped


def _knowing_timeout(invoke: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(invoke)
    def wrapped(resource: str, arguments: Value, timeout: float) -> Value:
        patience = _PATIENCE * timeout
        token = _task_timeout.set(patience)
        try:
            return invoke(resource, arguments, patience)
        finally:
            _task_timeout.reset(token)

    return wrapped


def _quiet_when_stopped(run_execution: Callable[[str], None]) -> Callable[[str], None]:
    @wraps(run_execution)
    def wrapped(execution_arn: str) -> None:
        with contextlib.suppress(ExecutionStopped):
            run_execution(execution_arn)

    return wrapped


def _only_if_running(fail: Callable[..., None]) -> Callable[..., None]:
    @wraps(fail)
    def wrapped(execution: dict[str, Any], error: str, cause: str) -> None:
        if is_running(execution["executionArn"]):
            fail(execution, error, cause)

    return wrapped


def _telling_listeners(emit: Callable[..., None]) -> Callable[..., None]:
    @wraps(emit)
    def wrapped(execution: dict[str, Any]) -> None:
        emit(execution)
        if execution["status"] != "RUNNING":
            for listener in _ended_listeners:
                listener(execution["executionArn"])

    return wrapped


def _starting_once(start: Callable[..., Answer]) -> Callable[..., Answer]:
    @wraps(start)
    def wrapped(request: dict[str, Any]) -> Answer:
        running = _running_twin(request)
        if running:
            body = {"executionArn": running["executionArn"], "startDate": running["startDate"]}
            return 200, {"Content-Type": "application/x-amz-json-1.0"}, json.dumps(body).encode()
        answer = start(request)
        if answer[0] == 200:
            _arm_timeout(json.loads(answer[2])["executionArn"])
        return answer

    return wrapped


def _running_twin(request: dict[str, Any]) -> dict[str, Any] | None:
    for execution in list(stepfunctions._executions.values()) if request.get("name") else []:
        same = all(execution[key] == request.get(key) for key in ("stateMachineArn", "name"))
        if same and execution["status"] == "RUNNING" and execution["input"] == request.get("input", "{}"):
            return dict(execution)
    return None


def _arm_timeout(execution_arn: str) -> None:
    execution = stepfunctions._executions[execution_arn]
    definition = json.loads(stepfunctions._state_machines[execution["stateMachineArn"]]["definition"])
    if "TimeoutSeconds" not in definition:
        return
    run_in_scope = contextvars.copy_context().run
    timer = threading.Timer(definition["TimeoutSeconds"], run_in_scope, (_time_out, execution))
    timer.daemon = True
    timer.start()


def _time_out(execution: dict[str, Any]) -> None:
    if execution["status"] != "RUNNING":
        return
    execution.update(status="TIMED_OUT", stopDate=responses.now_iso())
    stepfunctions._add_event(execution, "ExecutionTimedOut", {"executionTimedOutEventDetails": {}})
    stepfunctions._emit_execution_status_event(execution)


# --- Lambda --------------------------------------------------------------------------------------------------------
def use_own_lambda_worker() -> None:
    """Run Python functions in `lambda_worker`, so that failures carry the exception's class as on AWS."""
    lambda_runtime._PYTHON_WORKER_SCRIPT = Path(lambda_worker.__file__).read_text()
    lambda_svc._execute_function_warm = _naming_errors(lambda_svc._execute_function_warm)


def be_patient_with_functions() -> None:
    """Let a function's process go on beyond its Timeout, as long as a busy machine may need. It sees its own."""
    lambda_runtime.Worker.__init__ = _with_patience(lambda_runtime.Worker.__init__)


def _with_patience(init: Callable[..., None]) -> Callable[..., None]:
    @wraps(init)
    def wrapped(self: Value, name: str, config: dict[str, Any], *args: Value, **kwargs: Value) -> None:
        timeout = config.get("Timeout", 3)
        seen = {**config.get("Environment", {}).get("Variables", {}), lambda_worker.TIMEOUT: str(timeout)}
        patient = {**config, "Timeout": _PATIENCE * timeout, "Environment": {"Variables": seen}}
        init(self, name, patient, *args, **kwargs)

    return wrapped


def unpack_functions_once() -> None:
    """Let all processes of all functions with the same code use the same files."""
    lambda_runtime.zipfile = sharing_zipfile()


_parents: Final = Parents()


def fork_functions() -> None:
    """Fork the processes of functions of one that has imported what they all import. Layers are to be unpacked once."""
    lambda_runtime.subprocess = forking_subprocess(_parents)


def _naming_errors(execute: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    @wraps(execute)
    def wrapped(function: Value, event: Value, request_id: str) -> dict[str, Any]:
        result = execute(function, event, request_id)
        body = result.get("body")
        if isinstance(body, dict) and lambda_worker.ERROR_KEY in body:
            return result | {"body": body[lambda_worker.ERROR_KEY], "error": True}
        return result

    return wrapped


_PROCESSES_OF_A_FUNCTION: Final = max(2, os.cpu_count() or 1)


def limit_function_processes() -> None:
    """Let an invocation wait for one of a function's processes to be free, once there are a few.

    A process is about 60 MB and half a second of work to start: a burst of launches would start a thousand of them,
    and every one of its invocations be late for it. A function that invokes itself would wait for itself; none does.
    """
    lambda_svc._execute_function_warm = _waiting_for_a_process(lambda_svc._execute_function_warm)


def _waiting_for_a_process(execute: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    free: dict[str, threading.Semaphore] = {}

    @wraps(execute)
    def wrapped(function: Value, event: Value, request_id: str) -> dict[str, Any]:
        config = function.get("config") or function
        with free.setdefault(config.get("FunctionName", ""), threading.Semaphore(_PROCESSES_OF_A_FUNCTION)):
            return execute(function, event, request_id)

    return wrapped


_warm_up: Final = ThreadPoolExecutor(max_workers=1, thread_name_prefix="warm-up")


def warm_up_functions() -> None:
    """Start a process for each function that a stack makes or changes, so that its first event need not wait for it."""
    handlers = provisioners._RESOURCE_HANDLERS["AWS::Lambda::Function"]
    for verb in ("create", "update"):
        handlers[verb] = _warming(handlers[verb])


def _warming(provision: Callable[..., tuple[str, Attributes]]) -> Callable[..., tuple[str, Attributes]]:
    @wraps(provision)
    def wrapped(*args: Value, **kwargs: Value) -> tuple[str, Attributes]:
        name, attributes = provision(*args, **kwargs)
        _warm_up.submit(contextvars.copy_context().run, _start_worker, name)
        return name, attributes

    return wrapped


def _start_worker(function_name: str) -> None:
    function, config, name = lambda_svc._get_func_record_for_ref(function_name)
    if not function or not config or not function.get("code_zip"):
        return
    worker, _ = lambda_runtime.acquire_worker(name, config, function["code_zip"], qualifier="$LATEST")
    try:
        lambda_runtime.ensure_spawned(worker)
    except RuntimeError as broken:
        logger.warning("Function %s does not start: %s", name, broken)
    finally:
        lambda_runtime.release_worker(worker)


# --- S3 ------------------------------------------------------------------------------------------------------------
def name_who_puts_objects(principal_id: Callable[[], str]) -> None:
    """Let notifications to queues say who put the object, as S3 does; ministack says nothing of it."""
    deliver = s3._deliver_event_to_sqs

    @wraps(deliver)
    def wrapped(queue: str, payload: dict[str, Any], *args: Value, **kwargs: Value) -> None:
        for record in payload.get("Records", []):  # a test event has none
            record["userIdentity"] = {"principalId": principal_id()}
        deliver(queue, payload, *args, **kwargs)

    s3._deliver_event_to_sqs = wrapped


StoredObject = dict[str, Any]
"""ministack's record of an object: `storage_class`, `size`, `restore` (while there is one) …"""

ARCHIVE_STATUS: Final = "archive_status"
"""Our key of that record: the archive tier of Intelligent-Tiering that the object is in."""


def stored_object(bucket: str, key: str) -> StoredObject | None:
    """The record of an object, to be read and changed."""
    found = s3._buckets.get(bucket)
    record: StoredObject | None = found["objects"].get(key) if found else None
    return record


def stored_content(bucket: str, key: str) -> bytes | None:
    """The bytes of an object, without a request; None where only a request tells what is to be had of it."""
    record = stored_object(bucket, key)
    if record is None or ARCHIVE_STATUS in record or record.get("storage_class") in s3._ARCHIVE_STORAGE_CLASSES:
        return None
    content: bytes | None = s3._get_object_data(bucket, key)
    return content


Own = Callable[[], Answer]
OwnRestore = Callable[[float], Answer]


def replace_restores(
    answer: Callable[[str, str, bytes, OwnRestore], Answer],
    at: Callable[[float, Callable[[], None]], None],
) -> None:
    """Let `answer(bucket, key, body, own)` answer RestoreObject, and `at(moment, do)` do later what a restore needs.

    `own(seconds)` is ministack's answer, for a restore that takes so long. ministack would start two threads for each
    object, and let them sleep until it is restored and until its copy goes.
    """
    restore_object = s3._restore_object

    def wrapped(bucket: str, key: str, body: bytes) -> Answer:
        def own(seconds: float) -> Answer:
            s3._RESTORE_DELAY_SECONDS = seconds  # requests are handled one after another
            result: Answer = restore_object(bucket, key, body)
            return result

        return answer(bucket, key, body, own)

    def later(moment: float, do: Callable[..., object], *args: Value) -> None:
        run_in_scope = contextvars.copy_context().run  # the request's account and region

        def do_in_scope() -> None:
            run_in_scope(do, *args)

        at(moment, do_in_scope)

    def schedule_completion(bucket: str, key: str, requested_at: float) -> None:
        record = stored_object(bucket, key)
        if record:
            later(record["restore"]["available_at"], complete_restore, bucket, key, requested_at)

    def schedule_expiry(bucket: str, key: str, expires_at: float) -> None:
        later(expires_at, lambda: s3._sync_restore(bucket, key, stored_object(bucket, key)))

    s3._restore_object = wrapped
    s3._schedule_restore_completed = schedule_completion
    s3._schedule_restore_expiry = schedule_expiry


def begin_restore(bucket: str, key: str, restore: dict[str, Any]) -> None:
    """Begin a restore that ministack does not know: its record, from `requested_at` to `available_at`."""
    record = stored_object(bucket, key)
    if record is not None:
        record["restore"] = restore
        s3._schedule_restore_completed(bucket, key, restore["requested_at"])


def complete_restore(bucket: str, key: str, requested_at: float) -> None:
    """A restore has come to its end, unless its object was replaced meanwhile: tell of it."""
    record = stored_object(bucket, key)
    restore = record.get("restore") if record else None
    if not record or not restore or restore["requested_at"] != requested_at:
        return
    restore["completed_fired"] = True
    if record.pop(ARCHIVE_STATUS, None):  # no copy: the object itself is back
        record.pop("restore")
    s3._fire_s3_event(
        bucket,
        key,
        "s3:ObjectRestore:Completed",
        size=record["size"],
        etag=record["etag"],
        restore_event_data={
            "lifecycleRestorationExpiryTime": restore_expiry(record),
            "lifecycleRestoreStorageClass": record.get("storage_class"),
        },
    )


def restore_expiry(record: StoredObject) -> str | None:
    """When the restored copy of an object goes, as events say it."""
    restore = record.get("restore")
    return str(s3._restore_expiry_iso(restore["expires_at"])) if restore else None


def hold_back_archived_tiers() -> None:
    """Objects with an ARCHIVE_STATUS cannot be read, and say it."""
    s3._get_object = _refusing_archived(s3._get_object)
    s3._object_response_headers = _saying_archive_status(s3._object_response_headers)


def _refusing_archived(get: Callable[..., Answer]) -> Callable[..., Answer]:
    @wraps(get)
    def wrapped(bucket: str, key: str, *args: Value, **kwargs: Value) -> Answer:
        record = stored_object(bucket, key)
        if record and ARCHIVE_STATUS in record:
            refusal: Answer = s3._invalid_object_state(bucket, key, record["storage_class"])
            return refusal
        return get(bucket, key, *args, **kwargs)

    return wrapped


def _saying_archive_status(headers_of: Callable[..., dict[str, str]]) -> Callable[..., dict[str, str]]:
    @wraps(headers_of)
    def wrapped(record: StoredObject, *args: Value, **kwargs: Value) -> dict[str, str]:
        headers = headers_of(record, *args, **kwargs)
        return headers | {"x-amz-archive-status": record[ARCHIVE_STATUS]} if ARCHIVE_STATUS in record else headers

    return wrapped


# --- SQS -----------------------------------------------------------------------------------------------------------
MessageQueue = dict[str, Any]
"""ministack's record of a queue: `name`, `url`, `attributes`, `messages` …"""


def message_queue(arn: str) -> MessageQueue | None:
    """The record of a queue, to be read and changed."""
    found: MessageQueue | None = sqs._queue_by_arn(arn)
    return found


def message_queues() -> list[MessageQueue]:
    """The records of all queues."""
    return list(sqs._queues.values())


# --- EventBridge ---------------------------------------------------------------------------------------------------
def put_service_event(source: str, detail_type: str, detail: Mapping[str, Any], resources: Sequence[str]) -> None:
    """Put an event of an AWS service (`aws.…`, which PutEvents refuses) on the default bus."""
    entry = {"Source": source, "DetailType": detail_type, "Detail": json.dumps(detail), "Resources": [*resources]}
    eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)


Event = dict[str, Any]
"""An event on its way to the rules: `DetailType`, `Detail` (JSON text) …"""


def deliver_events_through(deliver: Callable[[Event, Callable[[Event], None]], None]) -> None:
    """Let `deliver(event, own)` hand events on by `own(event)`: changed, later, twice, or not at all."""
    dispatch = eventbridge._dispatch_event

    @wraps(dispatch)
    def wrapped(event: Event, *args: Value, **kwargs: Value) -> None:
        run_in_scope = contextvars.copy_context().run
        deliver(event, lambda given: run_in_scope(dispatch, given, *args, **kwargs))

    eventbridge._dispatch_event = wrapped


# --- EventBridge Pipes ---------------------------------------------------------------------------------------------
stream_written: Final = threading.Event()
"""Set whenever a DynamoDB stream gets a record. Whoever waits for it clears it."""


def replace_pipe_poller(start: Callable[[], None]) -> None:
    """Let `start` begin to deliver, when the first pipe is made, in place of ministack's own poller."""
    dynamodb._emit_stream_event = _waking_pipes(dynamodb._emit_stream_event)
    pipes._ensure_poller = start
    handlers = provisioners._RESOURCE_HANDLERS["AWS::Pipes::Pipe"]
    handlers["create"] = _keeping_parameters(handlers["create"], 1)
    handlers["update"] = _keeping_parameters(handlers["update"], 2)


def running_pipes() -> Iterator[dict[str, Any]]:
    """The running pipes that read a table's stream, each with SourceParameters and TargetParameters."""
    for account_id, region, pipe in pipes._iter_all_pipes():
        if pipe["CurrentState"] == "RUNNING" and pipes._dynamodb_stream_source(pipe["Source"]):
            with _scope(account_id, region):
                yield pipe


def next_records(pipe: dict[str, Any]) -> list[dict[str, Any]]:
    """The stream's records that the pipe has not passed. Call within running_pipes()."""
    table = pipes._dynamodb_stream_source(pipe["Source"])[1]
    start = _position(pipe, table)
    return list(dynamodb.stream_records_since(table, start, dynamodb.stream_end_position(table) - start))


def pass_records(pipe: dict[str, Any], count: int) -> None:
    """Put the pipe's position `count` records further. Call within running_pipes()."""
    table = pipes._dynamodb_stream_source(pipe["Source"])[1]
    pipes._positions[pipe["Arn"]] = _position(pipe, table) + count


def matches(pattern: str, record: dict[str, Any]) -> bool:
    """Whether EventBridge's pattern (JSON text) matches a record. A pattern that AWS would refuse matches nothing."""
    alternatives = eventbridge._compiled_pattern(pattern) or []
    return any(eventbridge._matches_detail(record, alternative) for alternative in alternatives)


def _position(pipe: dict[str, Any], table: str) -> int:
    return max(int(pipes._positions.get(pipe["Arn"], 0)), int(dynamodb.stream_start_position(table)))


def _waking_pipes(emit: Callable[..., None]) -> Callable[..., None]:
    @wraps(emit)
    def wrapped(*args: Value, **kwargs: Value) -> None:
        emit(*args, **kwargs)
        stream_written.set()

    return wrapped


def _keeping_parameters(provision: Callable[..., tuple[str, Attributes]], position: int) -> Callable[..., Any]:
    """Store what ministack drops; `position` is that of the properties among the arguments."""

    @wraps(provision)
    def wrapped(*args: Value, **kwargs: Value) -> tuple[str, Attributes]:
        name, attributes = provision(*args, **kwargs)
        properties = args[position]
        for key in ("SourceParameters", "TargetParameters"):
            pipes._pipes[name][key] = properties.get(key) or {}
        return name, attributes

    return wrapped


@contextlib.contextmanager
def _scope(account_id: str, region: str) -> Iterator[None]:
    account_token = responses._request_account_id.set(account_id)
    region_token = responses._request_region.set(region)
    try:
        yield
    finally:
        responses._request_region.reset(region_token)
        responses._request_account_id.reset(account_token)


# --- CloudFormation ------------------------------------------------------------------------------------------------
def add_resource_type(
    resource_type: str,
    create: Callable[[str, Properties], tuple[str, Attributes]],
    update: Callable[[str, Properties], tuple[str, Attributes]],
    delete: Callable[[str], None],
) -> None:
    """Let templates use a resource type.

    `create(name, properties)` gets a name that no other resource has and returns what Ref and Fn::GetAtt give;
    `update(physical_id, properties)` likewise; `delete(physical_id)` ends it.
    """

    def create_named(logical_id: str, properties: Properties, stack: str) -> tuple[str, Attributes]:
        return create(provisioners._physical_name(stack, logical_id, max_len=64), properties)

    def update_in_place(physical_id: str, _old: Properties, new: Properties, _stack: str) -> tuple[str, Attributes]:
        return update(physical_id, new)

    provisioners._RESOURCE_HANDLERS[resource_type] = {
        "create": create_named,
        "update": update_in_place,
        "delete": lambda physical_id, _properties: delete(physical_id),
    }


def knows_resource_type(resource_type: str) -> bool:
    """Whether templates can use a resource type."""
    return resource_type in provisioners._RESOURCE_HANDLERS
