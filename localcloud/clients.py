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


OWNER: Final = Keys(ACCESS_KEY, SECRET_KEY)
"""May do everything."""


@cache
def client(service: str, endpoint: str, keys: Keys = OWNER) -> Any:  # noqa: ANN401 - made from the model, without a type
    """A boto3 client of the cloud at `endpoint`, without retries: the caller knows better."""
    import boto3  # takes a while, and not every command needs it
    from botocore.config import Config

    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id=keys.access_key,
        aws_secret_access_key=keys.secret_key,
        aws_session_token=keys.token,
        config=Config(retries={"total_max_attempts": 1}, max_pool_connections=64, s3={"addressing_style": "path"}),
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
