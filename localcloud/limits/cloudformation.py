"""AWS CloudFormation (User guide, "Understand CloudFormation quotas")."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from localcloud.limits.sizes import MIB, bytes_in, refuse

MOST_BODY_BYTES: Final = 51_200
"""Of a template in the request."""

MOST_TEMPLATE_BYTES: Final = MIB
"""Of a template in a bucket."""

MOST_PARTS: Final = {"Resources": 500, "Outputs": 200, "Parameters": 200, "Mappings": 200}
"""Of one template."""

NAMED: Final = {
    "AWS::Backup::BackupVault": "BackupVaultName",
    "AWS::DynamoDB::Table": "TableName",
    "AWS::ECR::Repository": "RepositoryName",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
    "AWS::IAM::Role": "RoleName",
    "AWS::KMS::Alias": "AliasName",
    "AWS::Lambda::Function": "FunctionName",
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::SSM::Parameter": "Name",
    "AWS::StepFunctions::StateMachine": "StateMachineName",
}
"""Types and the properties that name them, where a stack would otherwise take over what is there.

CloudFormation makes it fail with AlreadyExists (CloudFormation CLI user guide, "Resource type handler error codes").
"""


def _body(params: Mapping[str, Any]) -> None:
    body = params.get("TemplateBody")
    if bytes_in(body) > MOST_BODY_BYTES:
        refuse(
            "ValidationError",
            "1 validation error detected: Value '…' at 'templateBody' failed to satisfy constraint: "
            f"Member must have length less than or equal to {MOST_BODY_BYTES}",
        )


def check_template(body: str, template: Mapping[str, Any]) -> None:
    """Refuse a template with too much in it."""
    if bytes_in(body) > MOST_TEMPLATE_BYTES:
        refuse("ValidationError", f"Template may not exceed {MOST_TEMPLATE_BYTES} bytes in size.")
    for part, most in MOST_PARTS.items():
        count = len(template.get(part) or {})
        if count > most:
            refuse(
                "ValidationError",
                f"Template format error: Number of {part.lower()}, {count}, is greater than maximum allowed, {most}",
            )


def check_exports(
    exported: Mapping[str, str],
    before: Mapping[str, str],
    owners: Mapping[str, str],
    importers: Callable[[str], Sequence[str]],
) -> None:
    """Refuse an update that changes or removes what other stacks import, and names that other stacks export.

    "After another stack imports an output value, you can't delete the stack that is exporting the output value or
    modify the exported output value"; a region has a name once (Template reference, "Fn::ImportValue").

    Args: `exported` and `before` are the stack's own values by their names, after and before; `owners` are the names of
    other stacks' exports with the stack; `importers` gives the stacks that import a name.
    """
    for name in exported.keys() & owners.keys():
        refuse("ValidationError", f"Export with name {name} is already exported by stack {owners[name]}.")
    for name, value in before.items():
        if exported.get(name) != value and (users := importers(name)):
            change = "updated" if name in exported else "deleted"
            refuse("ValidationError", f"Export {name} cannot be {change} as it is in use by {' and '.join(users)}")


_WITH_TEMPLATE: Final = ("CreateStack", "UpdateStack", "CreateChangeSet", "ValidateTemplate", "GetTemplateSummary")

LIMITS: Final = dict.fromkeys(_WITH_TEMPLATE, (_body,))
