"""What logs, traces and state machines hear of an error."""

import io
import json
import logging

import pytest
from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from genolaunch.shared.errors import MissingRequiredParametersError, StatusConflictError
from genolaunch.shared.faults import Fault
from genolaunch.shared.input_error import LaunchInputError, UnusableInputError
from genolaunch.shared.launch_item import LaunchItemError
from genolaunch.shared.public_errors import private_errors, public_text, redacted
from lambdas.shared.observability import PublicFormatter
from lambdas.snakemake.make_roles import CapacityUnavailableError

MARK = "MARKEDID123"
FAULT = Fault("regenie.traits", f"names {MARK}", f"Remove {MARK}.")


class Model(BaseModel):
    age: int


def raised_by(do):
    try:
        do()
    except Exception as error:
        return error
    raise AssertionError("nothing was raised")


def _raise(error):
    raise error


QUOTING = {
    "inputs": lambda: _raise(LaunchInputError([FAULT])),
    "config": lambda: _raise(MissingRequiredParametersError([FAULT])),
    "one input": lambda: _raise(UnusableInputError(f"names {MARK}", "Mend it.")),
    "pydantic": lambda: Model.model_validate({"age": MARK}),
    "pydantic with a quotation mark": lambda: Model.model_validate({"age": f"it's \"{MARK}"}),
    "key": lambda: dict[str, str]()[MARK],
    "number": lambda: int(MARK),
    "decimal": lambda: float(f"it's {MARK}"),
    "json": lambda: json.loads(MARK),
    "unknown library": lambda: _raise(type("OtherError", (Exception,), {"__module__": "lib"})(MARK)),
    "key of S3": lambda: _raise(ClientError({"Error": {"Code": "x", "Message": f's3://b/a "{MARK}" x'}}, "GetObject")),
    "object of S3": lambda: _raise(
        ClientError(
            {"Error": {"Code": "AccessDenied", "Message": f'on resource: "arn:aws:s3:::data/{MARK} b.txt" because'}},
            "GetObject",
        )
    ),
}


@pytest.mark.parametrize("do", QUOTING.values(), ids=QUOTING)
def test_a_function_raises_no_data(do):
    raised = raised_by(do)
    told = raised_by(lambda: private_errors(lambda event, context: do())({}, None))

    assert type(told).__name__ == type(raised).__name__  # state machines know errors by their names
    assert MARK not in f"{told} {told!r} {told.args} {vars(told)} {told.__cause__} {told.__context__}"


@pytest.mark.parametrize("do", QUOTING.values(), ids=QUOTING)
def test_the_log_has_no_data(do):
    stream = io.StringIO()
    logger = Logger(service=f"test-{id(do)}", stream=stream, logger_formatter=PublicFormatter())
    try:
        do()
    except Exception as error:
        logger.exception("It broke")
        logger.warning("It broke", extra={"reason": error, "reasons": [error]})

    assert MARK not in stream.getvalue()
    assert stream.getvalue().count("\n") == 2
    assert "test_public_errors.py" in stream.getvalue()  # where it was raised is told


def test_an_error_behind_another_one_is_not_told():
    def fail(event, context):
        try:
            int(MARK)
        except ValueError as error:
            raise StatusConflictError("launch-1 is RUNNING.") from error

    stream = io.StringIO()
    logger = Logger(service="behind", stream=stream, logger_formatter=PublicFormatter())
    told = raised_by(lambda: private_errors(fail)({}, None))
    logger.error("It broke", exc_info=told)

    assert str(told) == "launch-1 is RUNNING."
    assert told.__cause__ is None
    assert MARK not in stream.getvalue()


def test_what_a_caller_lacks_is_told_but_for_the_name_of_the_object():
    message = 'User: arn:aws:sts::1:assumed-role/r/f is not authorized to perform: s3:GetObject on resource: "{}"'
    error = ClientError(
        {"Error": {"Code": "AccessDenied", "Message": message.format("arn:aws:s3:::data/a.txt")}}, "Get"
    )

    assert "on resource: arn:aws:s3:::data/…" in public_text(error)


@given(st.text(), st.text())
def test_nothing_between_quotes_is_left(before, within):
    assert redacted(f"'{within}'") == "…"
    mark = f"{MARK}{within}{MARK}"
    assert MARK not in redacted(f"{before} '{mark}' and \"{mark}\"".replace(f"{MARK} ", MARK))


def test_lines_of_the_log_stay_lines():
    stream = io.StringIO()
    logger = Logger(service="lines", stream=stream, logger_formatter=PublicFormatter())

    logger.info("Read", extra={"uri": "s3://b/a\x1b[31m\u202e\x9bb", "name\x1b": ["\x07"]})

    line = stream.getvalue().removesuffix("\n")
    assert line.isprintable()
    assert json.loads(line)["uri"] == "s3://b/a\\x1b[31m\\u202e\\x9bb"


def test_logging_itself_is_the_one_that_functions_have():
    from lambdas.shared.observability import logger

    assert isinstance(logging.getLogger(logger.name).handlers[0].formatter, PublicFormatter)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (LaunchItemError("launch-1", {"status": "a status"}), "The item of launch launch-1 cannot be read"),
        (CapacityUnavailableError("No room: 1000 roles."), "No room: 1000 roles."),
    ],
    ids=lambda value: type(value).__name__,
)
def test_an_error_that_quotes_nobody_is_told_whole(error, told):
    assert public_text(error).startswith(told)
