"""What the command line tells a person when something cannot be done: one sentence, no traceback."""


class GenolaunchError(Exception):
    """Something could not be done; the text is one sentence for people."""


def sentence_for(error: Exception) -> str | None:
    """The one sentence that explains `error`, or None if it is nobody's fault but ours (a bug)."""
    if isinstance(error, GenolaunchError):
        return str(error)
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename} cannot be read or written: {error.strerror}."
    # Imported only now: this is the path of failures, and --help must not wait for botocore.
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

    if isinstance(error, ClientError):
        return _refusal(error)
    if isinstance(error, Boto3Error):  # a transfer of several parts
        return f"{' '.join(str(error).split()).rstrip('.')}."
    if isinstance(error, BotoCoreError) and not isinstance(error, ParamValidationError):
        return _unreachable(error)
    return None


def _refusal(error: Exception) -> str:
    response = getattr(error, "response", {}).get("Error", {})
    operation = getattr(error, "operation_name", "the call")
    return f"AWS refused {operation}: {response.get('Message') or 'no reason given'} ({response.get('Code')})."


def _unreachable(error: Exception) -> str:
    text = " ".join(str(error).split()).rstrip(".")
    remedies = {
        "NoRegionError": "set AWS_REGION, or a region in your AWS profile",
        "NoCredentialsError": "sign in (for instance `aws sso login`), or set AWS_PROFILE",
        "EndpointConnectionError": "check the network and AWS_ENDPOINT_URL; `genolaunch local status` tells whether "
        "the embedded cloud runs",
    }
    remedy = remedies.get(type(error).__name__)
    return f"{text}: {remedy}." if remedy else f"{text}."
