"""Puts the embedded cloud together: ministack, the stand-ins, and what connects them."""

import getpass
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from localcloud import container_roles, injection, log_patterns, ministack_iam, ministack_limits
from localcloud import ministack_adapter as ministack
from localcloud.door import CALLERS_KEY, Door
from localcloud.endpoint import Endpoint
from localcloud.glacier import GlacierService, glacier_injector
from localcloud.iam.guard import Guard
from localcloud.injection import InjectionEndpoint, Injector
from localcloud.interceptor import Interceptor
from localcloud.jsonata_engine import behave_like_reference
from localcloud.jsonata_record import FOLDER, Recorder
from localcloud.limits.cloudformation import NAMED, check_exports, check_template
from localcloud.limits.stepfunctions import MOST_EVENTS, MOST_PAYLOAD
from localcloud.pipe_delivery import Deliverer, Poller
from localcloud.resources import add_resource_types
from localcloud.sdk_tasks import SdkTasks
from localcloud.service import Batch, Service
from localcloud.sqs import SqsService
from localcloud.sync_tasks import SyncTasks
from localcloud.validation.gate import check_request, refuse_keys
from localcloud.validation.tasks import refusal_of_task
from localcloud.validation.templates import CHECKED_TYPES, check_resource

EventListener = Callable[[dict[str, Any]], None]
"""Takes `{"detail-type", "resources", "detail"}` of an event."""


@dataclass(frozen=True)
class StandIns:
    """The services that this package brings, and how to end what they run."""

    batch: Batch
    others: tuple[Service, ...]
    close: Callable[[], None]
    injectors: Mapping[str, Injector] = field(default_factory=dict)
    """Make a service fail on request, by the service's name."""
    interceptors: tuple[Interceptor, ...] = ()
    subscribe_ecs: Callable[[EventListener], None] | None = None
    """Lets a listener hear of ECS's events."""
    subscribe_ec2: Callable[[EventListener], None] | None = None
    """Lets a listener hear of EC2's events."""
    encrypts_volumes: Callable[[], bool] = lambda: True
    """Whether a volume is encrypted for which nobody asked for it."""


MakeStandIns = Callable[[Path, str], StandIns]
"""From the folder for their state and this cloud's endpoint."""


def run(
    make_stand_ins: MakeStandIns, state_dir: Path, endpoint: str, wait_scale: float, *, enforce_iam: bool = False
) -> None:
    """Serve at `endpoint` until told to stop; jobs and functions end with it."""
    stand_ins = make_stand_ins(state_dir, endpoint)
    services = {service.name: service for service in (stand_ins.batch, *stand_ins.others)}
    for service in services.values():
        ministack.serve(service.name, Endpoint(service))
    archives = GlacierService()
    archives.install()
    injectors = {**stand_ins.injectors, "glacier": glacier_injector(archives)}
    ministack.serve_path(injection.PREFIX, InjectionEndpoint(injectors).answer)
    if stand_ins.subscribe_ecs:
        stand_ins.subscribe_ecs(partial(_announce, "aws.ecs"))
    guard = Guard(services, endpoint, stand_ins.encrypts_volumes) if enforce_iam else None
    sdk = SdkTasks(endpoint, guard.keys) if guard else SdkTasks(endpoint)
    stand_ins.batch.subscribe(partial(_announce, "aws.batch"))
    for each in (*stand_ins.interceptors, *SqsService(ministack).interceptors):
        ministack.intercept(each.service, each.wants, each.answer)
    if stand_ins.subscribe_ec2:
        stand_ins.subscribe_ec2(partial(_announce, "aws.ec2"))
    ministack.match_logs_by(log_patterns.matches)
    ministack.search_streams_by_prefix()
    ministack.use_own_lambda_worker()
    ministack.unpack_functions_once()
    ministack.fork_functions()
    ministack.be_patient_with_functions()
    ministack_iam.name_linked_roles()
    ministack.limit_function_processes()
    ministack.warm_up_functions()
    ministack_iam.name_senders()
    ministack_iam.give_functions_keys_of_their_roles()
    container_roles.give_keys(
        lambda role, _agent, _logs, session: ministack_iam.session_environment(endpoint, role, session)
    )
    ministack.name_who_puts_objects(lambda: ministack_iam.principal_id(CALLERS_KEY.get(), getpass.getuser()))
    ministack_limits.check_tasks(refusal_of_task)  # those that are added from here on are requests
    _connect_step_functions(sdk, stand_ins.batch, wait_scale)
    if FOLDER in os.environ:
        ministack.on_jsonata_evaluation(Recorder(Path(os.environ[FOLDER])).write)
    _connect_pipes(sdk, guard)
    add_resource_types(stand_ins.batch)
    _refuse_what_aws_refuses()
    ministack.put_before_it(
        partial(Door, port=urlsplit(endpoint).port or 80, is_known=ministack_iam.is_known), refuse_keys
    )
    if guard:
        guard.install()
        ministack.serve_path(guard.PATH, guard.answer)
    try:
        ministack.run()
    finally:
        stand_ins.close()
        ministack.end_functions()


def _refuse_what_aws_refuses() -> None:
    ministack_limits.check_requests(check_request)
    ministack_limits.check_resources(
        CHECKED_TYPES, lambda kind, properties: check_resource(kind, properties, ministack_limits.inline_policies)
    )
    ministack_limits.refuse_taken_names(NAMED)
    ministack_limits.check_templates(check_template)
    ministack_limits.check_exports(check_exports)
    ministack_limits.limit_executions(MOST_PAYLOAD, MOST_EVENTS)


def _connect_step_functions(sdk: SdkTasks, batch: Batch, wait_scale: float) -> None:
    tasks = SyncTasks(sdk, batch)
    ministack.mend_executions()
    behave_like_reference()
    ministack.scale_waits(wait_scale)
    ministack.on_execution_end(tasks.on_execution_end)
    ministack.replace_aws_sdk_tasks(sdk.run)
    ministack.replace_nested_executions(tasks.start_execution)
    ministack.add_task("arn:aws:states:::batch:submitJob", tasks.submit_job)
    ministack.add_task("arn:aws:states:::athena:startQueryExecution", tasks.run_query)


def _connect_pipes(sdk: SdkTasks, guard: Guard | None) -> None:
    deliverer = Deliverer(ministack, lambda arn, text: _send(sdk, arn, text))

    def deliver_all() -> None:
        for pipe in ministack.running_pipes():
            with ministack.acting_as(pipe.get("RoleArn")):
                if guard is None or guard.allows_pipe(pipe):
                    deliverer.deliver(pipe)

    ministack.replace_pipe_poller(Poller(deliver_all, ministack.stream_written).start)


def _announce(source: str, event: Mapping[str, Any]) -> None:
    ministack.put_service_event(source, event["detail-type"], event["detail"], event["resources"])


def _send(sdk: SdkTasks, arn: str, text: str) -> None:
    """Hand a pipe's batch to its target: a state machine, a function, a topic, or a queue (one message a record)."""
    service, resource = arn.split(":")[2], arn.rpartition(":")[2]
    if service == "states":
        sdk.call("stepfunctions", "StartExecution", {"StateMachineArn": arn, "Input": text})
    elif service == "sns":
        sdk.call("sns", "Publish", {"TopicArn": arn, "Message": text})
    elif service == "sqs":
        url = sdk.call("sqs", "GetQueueUrl", {"QueueName": resource})["QueueUrl"]
        payload = json.loads(text)
        for record in payload if isinstance(payload, list) else [payload]:
            body = record if isinstance(record, str) else json.dumps(record)
            sdk.call("sqs", "SendMessage", {"QueueUrl": url, "MessageBody": body})
    else:
        raise ValueError(f"Pipes deliver to Step Functions, SQS and SNS here, not to {arn}.")
