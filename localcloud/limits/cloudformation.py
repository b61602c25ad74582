"""AWS CloudFormation (User guide, "Understand CloudFormation quotas")."""

from collections.abc import Mapping
from typing import Any, Final

from localcloud.limits.sizes import MIB, bytes_in, refuse

MOST_BODY_BYTES: Final = 51_200
"""Of a template in the request."""

MOST_TEMPLATE_BYTES: Final = MIB
"""Of a template in a bucket."""

MOST_PARTS: Final = {"Resources": 500, "Outputs": 200, "Parameters": 200, "Mappings": 200}
"""Of one template."""


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


_WITH_TEMPLATE: Final = ("CreateStack", "UpdateStack", "CreateChangeSet", "ValidateTemplate", "GetTemplateSummary")

LIMITS: Final = dict.fromkeys(_WITH_TEMPLATE, (_body,))
