"""What calls of Batch need."""

from typing import Final

from localcloud.iam.model import Call, Cloud, Need, Rule, arn, passing, tagged, tagging


def _submit_job(call: Call, cloud: Cloud) -> list[Need]:
    about = (
        arn("batch", "job-definition", call.params.get("jobDefinition", "")),
        arn("batch", "job-queue", call.params.get("jobQueue", "")),
    )
    share = {"batch:shareidentifier": call.params.get("shareIdentifier")}
    needs = [tagged(call, arn, cloud, share) for arn in about]
    made = arn("batch", "job", "new")
    return [*needs, Need(call.action, made, {**call.context, **share}), *tagging(call, "batch:TagResource", made)]


def _register_definition(call: Call, cloud: Cloud) -> list[Need]:
    del cloud
    definition = arn("batch", "job-definition", call.params.get("jobDefinitionName", ""))
    container = call.params.get("containerProperties") or {}
    asked = {
        "batch:image": container.get("image"),
        "batch:privileged": str(container.get("privileged", False)).lower(),
        "batch:user": container.get("user"),
    }
    roles = [container[member] for member in ("jobRoleArn", "executionRoleArn") if container.get(member)]
    return [
        Need(call.action, definition, {**call.context, **asked}),
        *tagging(call, "batch:TagResource", definition),
        *passing(roles),
    ]


def _existing_job(call: Call, cloud: Cloud) -> list[Need]:
    return [tagged(call, arn("batch", "job", call.params.get("jobId", "")), cloud)]


def _existing_definition(call: Call, cloud: Cloud) -> list[Need]:
    return [tagged(call, arn("batch", "job-definition", call.params.get("jobDefinition", "")), cloud)]


RULES: Final[dict[str, Rule]] = {
    "batch:SubmitJob": _submit_job,
    "batch:RegisterJobDefinition": _register_definition,
    "batch:DeregisterJobDefinition": _existing_definition,
    "batch:TerminateJob": _existing_job,
    "batch:CancelJob": _existing_job,
}
