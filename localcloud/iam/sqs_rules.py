"""What calls of SQS need that move messages.

Whoever starts a move must be allowed all that it does: receive and delete there, and send here (Amazon SQS developer
guide, "Troubleshoot Amazon SQS dead-letter queue and DLQ redrive issues"). Where messages go that no destination is
given for, is not checked here.
"""

from typing import Final

from localcloud.iam.key_rules import with_key
from localcloud.iam.model import Call, Cloud, Need, Rule


def _start_move(call: Call, cloud: Cloud) -> list[Need]:
    source, destination = str(call.params.get("SourceArn", "")), call.params.get("DestinationArn")
    return [
        Need(call.action, source, call.context),
        *(
            need
            for action in ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
            for need in with_key(f"sqs:{action}", source, cloud)
        ),
        *(with_key("sqs:SendMessage", str(destination), cloud) if destination else []),
    ]


def _list_moves(call: Call, cloud: Cloud) -> list[Need]:
    del cloud
    source = str(call.params.get("SourceArn", ""))
    return [Need(call.action, source, call.context), Need("sqs:GetQueueAttributes", source)]


RULES: Final[dict[str, Rule]] = {
    "sqs:StartMessageMoveTask": _start_move,
    "sqs:ListMessageMoveTasks": _list_moves,
}
