"""What calls of ECS need."""

from typing import Any, Final

from localcloud.iam.model import Call, Cloud, Context, Need, Rule, arn, passing, tagged, tagging


def _in_cluster(call: Call) -> Context:
    return {"ecs:cluster": arn("ecs", "cluster", _member(call, "cluster") or "default")}


def _member(call: Call, name: str) -> Any:  # noqa: ANN401 - whatever the request holds
    """A member as ECS spells it, or as Step Functions does."""
    return call.params.get(name, call.params.get(name[:1].upper() + name[1:]))


def _run_task(call: Call, cloud: Cloud) -> list[Need]:
    definition = str(_member(call, "taskDefinition") or "")
    overrides = _member(call, "overrides") or {}
    roles = {role for member in ("taskRoleArn", "executionRoleArn") if (role := overrides.get(member))}
    cluster = _in_cluster(call)
    made = arn("ecs", "task", f"{cluster['ecs:cluster'].rpartition('/')[2]}/new")
    return [
        Need(call.action, arn("ecs", "task-definition", definition), {**call.context, **cluster}),
        *tagging(call, "ecs:TagResource", made, {**cluster, "ecs:createaction": "RunTask"}),
        *passing({*roles, *cloud.roles_of_task(definition)}, "ecs-tasks.amazonaws.com"),
    ]


def _existing_task(call: Call, cloud: Cloud) -> list[Need]:
    named = _member(call, "tasks") or [_member(call, "task")]
    cluster = _in_cluster(call)
    short = cluster["ecs:cluster"].rpartition("/")[2]
    arns = [str(one) if str(one).startswith("arn:") else arn("ecs", "task", f"{short}/{one}") for one in named]
    return [tagged(call, one, cloud, cluster) for one in arns]


def _list_tasks(call: Call, cloud: Cloud) -> list[Need]:
    del cloud
    # Checked on container instances, of which Fargate has none: the cluster is what a policy can name.
    return [Need(call.action, "*", {**call.context, **_in_cluster(call)})]


def _container_instances(call: Call, cloud: Cloud) -> list[Need]:
    del cloud
    named = _member(call, "containerInstances") or []
    return [Need(call.action, str(one), {**call.context, **_in_cluster(call)}) for one in named]


RULES: Final[dict[str, Rule]] = {
    "ecs:RunTask": _run_task,
    "ecs:StopTask": _existing_task,
    "ecs:DescribeTasks": _existing_task,
    "ecs:ListTasks": _list_tasks,
    "ecs:DescribeContainerInstances": _container_instances,
}
