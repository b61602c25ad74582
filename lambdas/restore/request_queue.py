"""Messages of the restore queue: objects of one launch that S3 is to be asked for."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from genolaunch.contract.restore import RetrievalTier
from genolaunch.shared import aws
from lambdas.restore.archive import Archive, ArchivedObject
from lambdas.restore.restore_config import RestoreConfig
from lambdas.restore.restore_model import OpenRestore, WantedObject

if TYPE_CHECKING:
    from types_boto3_sqs.client import SQSClient

_MOST_OBJECTS: Final = 100
"""Of one message: at 50 ms for each and ten at a time, half a second of work."""

_MOST_CHARACTERS: Final = 150_000
"""Of one message's objects; Amazon SQS takes 262,144 bytes, and a key may have several for a character."""


@dataclass(frozen=True, slots=True)
class Request:
    """An object to ask for."""

    item: WantedObject
    archive: Archive

    @classmethod
    def of(cls, found: ArchivedObject) -> "Request":
        """The request for an object that was found."""
        return cls(WantedObject(found.bucket, found.key, found.size), found.archive)


@dataclass(frozen=True, slots=True)
class Message:
    """Objects that a launch waits for."""

    restore: OpenRestore
    tier: RetrievalTier
    days: int
    requests: tuple[Request, ...]
    tries: int = 0
    """How often some of them were put off."""

    @classmethod
    def read(cls, text: str) -> "Message":
        """Read a message's body."""
        given = json.loads(text)
        return cls(
            OpenRestore(given["launchId"], given["attempt"], "", ""),
            RetrievalTier(given["tier"]),
            given["days"],
            tuple(
                Request(WantedObject(bucket, key, size), Archive(archive))
                for bucket, key, size, archive in given["objects"]
            ),
            given["tries"],
        )


def send(queue_url: str, config: RestoreConfig, requests: Sequence[Request]) -> None:
    """Queue requests for objects of a restore."""
    about = {"launchId": config.launch_id, "attempt": config.attempt, "tier": str(config.tier), "days": config.days}
    for batch in _batches(requests):
        _send(queue_url, {**about, "tries": 0}, batch, delay=0)


def send_again(queue_url: str, message: Message, requests: Sequence[Request], *, delay: int) -> None:
    """Put off some of a message's requests, for `delay` seconds (at most 900)."""
    restore = message.restore
    about = {
        "launchId": restore.launch_id,
        "attempt": restore.attempt,
        "tier": str(message.tier),
        "days": message.days,
        "tries": message.tries + 1,
    }
    _send(queue_url, about, requests, delay=delay)


def _send(queue_url: str, about: dict[str, Any], requests: Sequence[Request], *, delay: int) -> None:
    objects = [(each.item.bucket, each.item.key, each.item.size, str(each.archive)) for each in requests]
    client: SQSClient = aws.client("sqs")
    client.send_message(QueueUrl=queue_url, MessageBody=json.dumps({**about, "objects": objects}), DelaySeconds=delay)


def _batches(requests: Iterable[Request]) -> Iterator[list[Request]]:
    batch: list[Request] = []
    characters = 0
    for request in requests:
        length = len(json.dumps(request.item.uri))
        if batch and (len(batch) == _MOST_OBJECTS or characters + length > _MOST_CHARACTERS):
            yield batch
            batch, characters = [], 0
        batch.append(request)
        characters += length
    if batch:
        yield batch
