"""Errors of the command line, shown as one sentence without a traceback."""

import errno


class GenolaunchError(Exception):
    """Something could not be done; the text is one sentence for people."""


class WrongArgumentError(GenolaunchError):
    """The command line is wrong, regardless of the stage's state."""


_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

_SIGN_IN = "sign in (for instance `aws sso login`), or set AWS_PROFILE"


def sentence_for(error: Exception) -> str | None:
    """The one sentence that explains `error`, or None if it is a bug of this program."""
    if isinstance(error, GenolaunchError):
        return str(error)
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename} cannot be read or written: {error.strerror}."
    if isinstance(error, OSError) and error.errno in _FULL:
        return f"The output cannot be written: {error.strerror}."
    # Imported only now: this is the path of failures, and --help must not wait for botocore.
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

    if isinstance(error, ClientError):
        return _refusal(error)
    if isinstance(error, Boto3Error):  # a transfer of several parts
        return f"{' '.join(str(error).split()).rstrip('.')}."
    if isinstance(error, BotoCoreError) and not isinstance(error, ParamValidationError):
        return _unreachable(error)
    if isinstance(error, ValueError) and str(error).startswith("Invalid endpoint"):  # botocore has no class for it
        return f"{error}: AWS_ENDPOINT_URL must be a URL such as http://127.0.0.1:4566, or not be set."
    return None


def _refusal(error: Exception) -> str:
    response = getattr(error, "response", {}).get("Error", {})
    operation = getattr(error, "operation_name", "the call")
    message, code = (response.get("Message") or "no reason given").rstrip("."), response.get("Code")
    # Codes of expired and unknown credentials (AWS's Common Error Types, and S3's own).
    stale = code in ("ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException")
    remedy = f": {_SIGN_IN}" if stale else ""
    return f"AWS refused {operation}: {message} ({code}){remedy}."


def _unreachable(error: Exception) -> str:
    text = " ".join(str(error).split()).rstrip(".")
    network = "check the network and AWS_ENDPOINT_URL; `genolaunch local status` tells whether the embedded cloud runs"
    remedies = {
        "NoRegionError": "set AWS_REGION, or a region in your AWS profile; for the embedded cloud of this machine, "
        'type eval "$(genolaunch local env)"',
        "NoCredentialsError": _SIGN_IN,
        "ProfileNotFound": "set AWS_PROFILE to one of `aws configure list-profiles`",
        "EndpointConnectionError": network,
        "ConnectTimeoutError": network,
    }
    remedy = remedies.get(type(error).__name__)
    return f"{text}: {remedy}." if remedy else f"{text}."
