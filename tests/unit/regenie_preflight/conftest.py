"""Preflight of a small cohort: 24 people, two traits, two covariates, nothing wrong with it."""

from collections.abc import Callable
from typing import Any

import pytest

from genolaunch.shared.faults import Fault
from genolaunch.shared.input_error import LaunchInputError
from genolaunch.shared.public_errors import public_text, published
from lambdas.regenie import inputs
from lambdas.regenie.images import Images
from tests.unit.regenie_planning.conftest import MemoryDataSet, bim, parameters, table

PEOPLE = 24
IMAGES = Images({"4.1.2": "regenie:4.1.2"}, "4.1.2")

Check = Callable[..., inputs.Inputs]


def fam(people: range, name: str = "f{0} i{0}") -> bytes:
    """A .fam file of these people."""
    return "".join(f"{name.format(n)} 0 0 1 -9\n" for n in people).encode()


@pytest.fixture
def cohort() -> MemoryDataSet:
    """Given: a cohort that regenie takes without a murmur."""
    data = MemoryDataSet("data", "cohort/")
    data.files.update(
        {
            "cohort.bed": b"\x6c\x1b\x01" + bytes(2 * PEOPLE // 4),
            "cohort.bim": bim(("1", 10), ("1", 20)),
            "cohort.fam": fam(range(PEOPLE)),
            "phenotypes.txt": table("height ldl t2d", ((n % 5 - 2, n % 7 - 3, n % 2) for n in range(PEOPLE))),
            "covariates.txt": table("age sex", ((40 + n, n // 2 % 2) for n in range(PEOPLE))),
        }
    )
    return data


def change(data: MemoryDataSet, path: str, old: str, new: str, times: int = 1) -> None:
    """Given: a file in which something is different."""
    before = data.files[path]
    data.files[path] = before.replace(old.encode(), new.encode(), times)
    assert data.files[path] != before


def checked(data: MemoryDataSet, **given: Any) -> inputs.Inputs:
    """When: the inputs are checked, and are found usable."""
    return inputs.read_inputs(data, parameters(**{"traits": ["height", "ldl"], **given}), IMAGES)


def warnings(data: MemoryDataSet, **given: Any) -> str:
    """What is said of inputs that are found usable."""
    return "\n".join(checked(data, **given).warnings)


def faults(data: MemoryDataSet, **given: Any) -> list[Fault]:
    """When: the inputs are checked, and are refused. Each fault says what to do about it."""
    with pytest.raises(LaunchInputError) as refusal:
        checked(data, **given)
    assert all(fault.remedy for fault in refusal.value.faults)
    count = len(refusal.value.faults)
    # Whatever the faults quote, this is all that logs, traces and state machines hear (public_errors.py).
    told = f"The launch's inputs have {count} fault{'' if count == 1 else 's'}."
    assert (public_text(refusal.value), str(published(refusal.value))) == (told, told)
    return list(refusal.value.faults)


def the_fault(data: MemoryDataSet, **given: Any) -> Fault:
    """As `faults`, where there is exactly one."""
    (fault,) = faults(data, **given)
    return fault


@pytest.fixture
def data() -> MemoryDataSet:
    """Given: an empty data set at s3://data/cohort/."""
    return MemoryDataSet("data", "cohort/")
