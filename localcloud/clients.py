"""How this package's parts, and the user's tools, talk to the embedded cloud as to AWS.

Each cloud has keys of its own, made at its start and kept in its state folder for its owner's eyes only: functions and
jobs are processes of whoever started it, so that who may call it may run anything in that person's name.
"""

import json
import os
import secrets
import string
import urllib.request
from functools import cache
from http.client import HTTPResponse
from pathlib import Path
from typing import Any, Final, NamedTuple

REGION: Final = "us-east-1"
ACCOUNT: Final = "000000000000"


class Keys(NamedTuple):
    """What a request is signed with."""

    access_key: str
    secret_key: str
    token: str | None = None


_LAST_RESORT: Final = 900
"""Seconds. No answer is lost on the way within one machine; one that does much else may be slow to give it."""

_ATTEMPTS: Final = 3
"""Of a request (AWS SDKs and Tools reference guide, "Retry behavior": standard mode). A server that is busy closes
connections, here as well."""

KEYS_FILE: Final = "keys.json"
"""In the state folder: the owner's keys, who may do everything."""

KEY_HEADER: Final = "x-localcloud-key"
"""Has the access key in requests that AWS does not know, and that nobody signs. No page of another site can set it."""

_KEY_CHARACTERS: Final = string.ascii_uppercase + "234567"
_KEY_LENGTH: Final = 16


def make_owner(state_dir: Path) -> Keys:
    """Make new keys for a cloud and keep them where nobody else may read them."""
    keys = Keys("AKIA" + "".join(secrets.choice(_KEY_CHARACTERS) for _ in range(_KEY_LENGTH)), secrets.token_hex(20))
    file = state_dir / KEYS_FILE
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as target:
        json.dump(keys._asdict(), target)
    return keys


def owner_of(state_dir: Path) -> Keys:
    """The keys of the cloud in this folder."""
    return Keys(**json.loads((state_dir / KEYS_FILE).read_text()))


def owner() -> Keys:
    """The keys of the cloud that this process is, or belongs to."""
    return Keys(os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"])


def ask(endpoint: str, path: str, keys: Keys, body: Any = None, method: str | None = None) -> HTTPResponse:  # noqa: ANN401 - any JSON
    """Send a request that AWS does not know: POST with a body, GET without. Raises HTTPError for a refusal."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", KEY_HEADER: keys.access_key}
    request = urllib.request.Request(f"{endpoint}{path}", data, headers, method=method)  # noqa: S310 - this machine's
    answer: HTTPResponse = urllib.request.urlopen(request, timeout=_LAST_RESORT)  # noqa: S310 - as above
    return answer


@cache
def client(service: str, endpoint: str, keys: Keys | None = None, attempts: int = _ATTEMPTS) -> Any:  # noqa: ANN401 - made from the model, without a type
    """A boto3 client of the cloud at `endpoint`, without `keys` with the owner's.

    `attempts`: of a request, 1 if the caller itself tries again.
    """
    import boto3  # takes a while, and not every command needs it
    from botocore.config import Config

    keys = keys or owner()
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id=keys.access_key,
        aws_secret_access_key=keys.secret_key,
        aws_session_token=keys.token,
        config=Config(
            retries={"total_max_attempts": attempts, "mode": "standard"},
            read_timeout=_LAST_RESORT,
            max_pool_connections=64,
            s3={"addressing_style": "path"},
        ),
    )


def client_environment(endpoint: str, keys: Keys | None = None) -> dict[str, str]:
    """Environment by which AWS's tools and SDKs talk to the cloud at `endpoint`, without `keys` as its owner."""
    keys = keys or owner()
    return {
        **({"AWS_SESSION_TOKEN": keys.token} if keys.token else {}),
        "AWS_ENDPOINT_URL": endpoint,
        # Set for S3 as well, the CDK CLI puts the bucket into the path.
        "AWS_ENDPOINT_URL_S3": endpoint,
        "AWS_ACCESS_KEY_ID": keys.access_key,
        "AWS_SECRET_ACCESS_KEY": keys.secret_key,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
    }
