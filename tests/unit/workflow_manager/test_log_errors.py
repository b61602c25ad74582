"""Errors that only a log names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genolaunch.contract.errors import ErrorType
from lambdas.shared.log_errors import error_in_log


@pytest.mark.parametrize(
    ("line", "error_type"),
    [
        ("tee: /work/step2: No space left on device", ErrorType.NO_SPACE_LEFT),
        ("OSError: [Errno 28] No space left on device: 'chunk'", ErrorType.NO_SPACE_LEFT),
        ("terminate called after throwing an instance of 'std::bad_alloc'", ErrorType.OUT_OF_MEMORY),
        ("numpy.core._exceptions._ArrayMemoryError: Unable", ErrorType.OUT_OF_MEMORY),
        ("MemoryError", ErrorType.OUT_OF_MEMORY),
        ("fatal error: An error occurred (AccessDenied) when calling the GetObject operation", ErrorType.ACCESS_DENIED),
        ("ERROR: no variant left to include in analysis.", None),
        ("", None),
    ],
)
def test_a_line_names_its_error(line, error_type):
    assert error_in_log(f"starting\n{line}\nregenie ended with exit code 1") == error_type


def test_what_came_last_counts():
    log = "AccessDenied: tried another way\nNo space left on device"
    assert error_in_log(log) is ErrorType.NO_SPACE_LEFT


@given(st.text())
def test_any_log_can_be_read(log):
    error_in_log(log)
