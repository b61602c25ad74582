"""How this package's parts, and the user's tools, talk to the embedded cloud as to AWS."""

from functools import cache
from typing import Any, Final, NamedTuple

REGION: Final = "us-east-1"
ACCOUNT: Final = "000000000000"
ACCESS_KEY: Final = "test"
SECRET_KEY: Final = "test"  # noqa: S105 - what this cloud accepts


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

OWNER: Final = Keys(ACCESS_KEY, SECRET_KEY)
"""May do everything."""


@cache
def client(service: str, endpoint: str, keys: Keys = OWNER, attempts: int = _ATTEMPTS) -> Any:  # noqa: ANN401 - made from the model, without a type
    """A boto3 client of the cloud at `endpoint`. `attempts`: of a request, 1 if the caller itself tries again."""
    import boto3  # takes a while, and not every command needs it
    from botocore.config import Config

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


def client_environment(endpoint: str, keys: Keys = OWNER) -> dict[str, str]:
    """Environment by which AWS's tools and SDKs talk to the cloud at `endpoint`."""
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
