"""How much a launch has to compute, as far as that can be told before it starts.

A regenie launch's time grows with samples × variants × traits. The size of a genotype file stands for samples ×
variants: a .bed has two bits for each genotype, exactly; of .pgen and .bgen it is what is left after compression. A
Snakemake launch's work is the size of its data. How many jobs do it changes the time it takes, and hardly its price.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError

from contract.workflow import Workflow
from lambdas.benchmark.pricing.money import PriceError
from lambdas.shared import aws

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


def measure(config: Mapping[str, Any], data_uri: str, compute_service: str) -> Workload:
    """The workload of a checked launch config, whose data set `data_uri` is; asks S3 for sizes.

    Raises:
        PriceError: S3 refuses to say, or has no such data: nothing was measured then. Planning tells the launch's
            author.
    """
    try:
        return _measure(config, data_uri, compute_service)
    except ClientError as error:
        raise PriceError(f"The size of {data_uri} cannot be told: {error}") from error


def _measure(config: Mapping[str, Any], data_uri: str, compute_service: str) -> Workload:
    workflow = config["workflow"]
    if workflow == Workflow.REGENIE:
        regenie = config[Workflow.REGENIE]
        sizes = [_size_of(data_uri + path) for path in _genotypes(regenie)]
        missing = [path for path, size in zip(_genotypes(regenie), sizes, strict=True) if not size]
        if missing:
            raise PriceError(
                f"No cost can be told without the data: {data_uri} has no {', '.join(dict.fromkeys(missing))}"
            )
        return Workload(f"{workflow}/{compute_service}", sum(sizes) / 1e9, len(regenie["traits"]))
    engine = config[workflow].get("engine", "")
    size = sum(_sizes_below(data_uri))
    if not size:
        raise PriceError(f"No cost can be told without the data: {data_uri} is empty")
    return Workload(f"{workflow}/{engine}/{compute_service}", size / 1e9)


def _genotypes(regenie: Mapping[str, Any]) -> Iterator[str]:
    """Each genotype file as often as it is read: by step 1, and by step 2."""
    if regenie.get("step1", {}).get("enabled", True):
        yield regenie["genotypes"]
    data_sets = regenie.get("step2", {}).get("datasets") or [{"genotypes": regenie["genotypes"]}]
    yield from (each["genotypes"] for each in data_sets)


def _size_of(uri: str) -> int:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    # A listing tells of archived objects too, and needs no right to read them. Keys come in order: the first is it.
    found = aws.client("s3").list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1).get("Contents", [])
    return sum(each["Size"] for each in found if each["Key"] == key)


def _sizes_below(uri: str) -> Iterator[int]:
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    pages = aws.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    for number, page in enumerate(pages, 1):
        yield from (each["Size"] for each in page.get("Contents", []))
        if number == _MOST_PAGES:
            return
