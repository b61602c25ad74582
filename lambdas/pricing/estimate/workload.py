"""Measures how much a launch has to compute, as far as that is known before it starts.

How many jobs do it changes the time it takes, and hardly its price.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError

from genolaunch.shared import aws
from lambdas.pricing.rates.money import PriceError
from lambdas.shared.workflow_functions import functions_for

_MOST_PAGES: Final = 100
"""Of a listing of 1,000 objects each: a data set of more is estimated by the first hundred thousand."""


@dataclass(frozen=True, slots=True)
class Workload:
    """What a launch computes."""

    kind: str
    """Only launches of the same kind compare: `regenie/batch-spot`, `snakemake/tibanna/ec2-spot`."""
    gigabytes: float
    """That are read: of genotypes, or of the whole data set."""
    traits: int = 1

    @property
    def size(self) -> float:
        """GB × traits: what the time grows with."""
        return self.gigabytes * self.traits


Measure = Callable[[Mapping[str, Any], str, str], Workload]
"""Of a checked launch config, the s3:// URL of its data set, and its compute service; as `measure`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstPrinciples:
    """What a launch of a workflow costs while none like it has a price (WorkflowFunctions.first_principles)."""

    measure: Measure
    vcpu_hours: Callable[[Workload], float]
    """Of all jobs together."""
    spread: int
    """They may be wrong by this factor, either way."""
    has_file_system: bool = False
    """Its jobs work on FSx for Lustre, which is paid beside them."""


def first_principles(workflow: str) -> FirstPrinciples:
    """Those of a workflow."""
    principles: FirstPrinciples = functions_for(workflow).first_principles()
    return principles


def measure(config: Mapping[str, Any], data_uri: str, compute_service: str) -> Workload:
    """The workload of a checked launch config, whose data set `data_uri` is; asks S3 for sizes.

    Raises:
        PriceError: S3 refuses to say, or has no such data: nothing was measured then. Planning tells the launch's
            author.
    """
    try:
        return first_principles(config["workflow"]).measure(config, data_uri, compute_service)
    except ClientError as error:
        refusal = error.response["Error"]
        raise PriceError(f"The size of {data_uri} is not known: {refusal['Message'].rstrip('.')}.") from error


def size_of(uri: str) -> int:
    """Bytes of one object; 0 if there is none."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    # A listing contains archived objects too, and needs no permission to read them. Keys are sorted: the first matches.
    found = aws.client("s3").list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1).get("Contents", [])
    return sum(each["Size"] for each in found if each["Key"] == key)


def sizes_below(uri: str) -> Iterator[int]:
    """Bytes of each object of a folder, of the first hundred thousand."""
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    pages = aws.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    for number, page in enumerate(pages, 1):
        yield from (each["Size"] for each in page.get("Contents", []))
        if number == _MOST_PAGES:
            return
