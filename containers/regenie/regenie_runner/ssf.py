"""The GWAS Catalog's summary statistics format, GWAS-SSF 1.0: a table, and a description beside it.

Source: https://github.com/EBISPOT/gwas-summary-statistics-standard (tables 1 and 2; version 1.1 adds nothing that is
used here). The eight mandatory columns come first, in this order, and none of them may lack a value.
"""

from __future__ import annotations

import datetime
import hashlib
import itertools
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from regenie_runner.chromosomes import chromosome_number
from regenie_runner.kinds_of_test import SINGLE_VARIANT
from regenie_runner.rows import NOT_NUMBERS, Columns, Rows, joined

FILE_TYPE = "GWAS-SSF v1.0"
TABLE_SUFFIX = ".gwas-ssf.tsv.gz"
DESCRIPTION_SUFFIX = "-meta.yaml"  # behind the table's name
NOT_REPORTED = "NR"

_MANDATORY = (
    "chromosome",
    "base_pair_location",
    "effect_allele",
    "other_allele",
    "beta",
    "standard_error",
    "effect_allele_frequency",
    "neg_log_10_p_value",
)
_NUMBERS = ("BETA", "SE", "A1FREQ", "LOG10P")
_NUCLEOTIDES = b"ACGT"
_DIGITS = b"0123456789"
_ABSENT = b"#NA"


def header(columns: Columns) -> bytes:
    """The first line of the table. `id` is regenie's own name of a variant, for which the format has no column.

    No `variant_id`: it names the reference allele, which genotypes of PLINK need not know.
    """
    return ("\t".join((*_MANDATORY, "rsid", "n", *_info(columns), "id")) + "\n").encode()


def table(rows: Rows, tests: frozenset[str] = SINGLE_VARIANT) -> bytes:
    """Lines of the table, without those that lack a mandatory value or have alleles other than A, C, G, T.

    `tests`: names of column TEST that have lines. What else regenie tests is no row of this format.
    """
    chromosomes = itertools.chain.from_iterable(
        itertools.repeat(b"%d" % chromosome_number(name), stretch.stop - stretch.start)
        for name, stretch in rows.chromosomes
    )
    ids = rows.column("ID")
    columns = [
        list(chromosomes),
        *map(rows.column, ("GENPOS", "ALLELE1", "ALLELE0", "BETA", "SE", "A1FREQ", "LOG10P")),
        [name if name.rstrip(_DIGITS) == b"rs" != name else _ABSENT for name in ids],
        rows.column("N"),
        *([_score(value) for value in rows.column("INFO")] for _ in _info(rows.columns)),
        ids,
    ]
    fitting = _fitting(rows, tests)
    if fitting is not None:
        columns = [list(itertools.compress(column, fitting)) for column in columns]
    return joined(columns, b"\t") if columns[0] else b""


def _score(info: bytes) -> bytes:
    """An info score, if the format takes it: from 0 to 1. regenie's is a ratio of variances, and may be above 1."""
    return info if info != b"NA" and 0 <= float(info) <= 1 else _ABSENT


def _info(columns: Columns) -> tuple[str, ...]:
    return ("info",) if "INFO" in columns else ()


def _fitting(rows: Rows, tests: frozenset[str]) -> list[bool] | None:
    """Which lines the format can hold; None for all. Most blocks need no look at the single lines."""
    refused = {
        **{name: NOT_NUMBERS.intersection(rows.column(name)) for name in _NUMBERS},
        **{
            name: {allele for allele in set(rows.column(name)) if allele.strip(_NUCLEOTIDES)}
            for name in ("ALLELE0", "ALLELE1")
        },
    }
    if "TEST" in rows.columns:
        refused["TEST"] = set(rows.column("TEST")) - {test.encode() for test in tests}
    faults = {name: values for name, values in refused.items() if values}
    if not faults:
        return None
    fitting = [True] * rows.count
    for name, values in faults.items():
        fitting = [fits and value not in values for fits, value in zip(fitting, rows.column(name), strict=True)]
    return fitting


class Study(NamedTuple):
    """What the description says of a trait's analysis; None is not known."""

    trait: str
    samples: int | None
    genome_build: str | None
    is_binary: bool
    cases: int | None
    controls: int | None
    software: str | None
    covariates: tuple[str, ...]


def description(study: Study, data_file: Path, name: str, today: datetime.date) -> str:
    """The YAML beside the table, in the order of the standard's example.

    What a run cannot know (ancestry, genotyping technology) is NR, for people to fill in before they submit.
    """
    sample: dict[str, Any] = {
        "sample_ancestry_category": [NOT_REPORTED],
        "sample_size": study.samples,
        "case_control_study": study.is_binary,
        "case_count": study.cases,
        "control_count": study.controls,
    }
    return "---\n" + _yaml(
        {
            "author_notes": "Made by Genolaunch. NR (not reported) is for the authors to fill in.",
            "date_metadata_last_modified": today,
            "trait_description": [study.trait],
            "genome_assembly": study.genome_build or NOT_REPORTED,
            "coordinate_system": "1-based",
            "genotyping_technology": [NOT_REPORTED],
            "samples": [{key: value for key, value in sample.items() if value is not None}],
            "data_file_name": name,
            "file_type": FILE_TYPE,
            "data_file_md5sum": _md5(data_file),
            "analysis_software": study.software,
            "adjusted_covariates": list(study.covariates) or None,
            "is_harmonised": False,
            "is_sorted": True,
        }
    )


def _md5(path: Path) -> str:
    digest = hashlib.md5(usedforsecurity=False)  # the standard asks for this one
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _yaml(values: Mapping[str, Any], indent: str = "") -> str:
    """Block-style YAML of mappings, lists and plain values; None is left out. Texts are quoted as in JSON."""
    return "".join(line for key, value in values.items() for line in _entry(key, value, indent))


def _entry(key: str, value: Any, indent: str) -> Iterable[str]:  # noqa: ANN401 - any plain value
    if value is None:
        return
    if not isinstance(value, list):
        yield f"{indent}{key}: {_scalar(value)}\n"
        return
    yield f"{indent}{key}:\n"
    for item in value:
        if isinstance(item, Mapping):
            inner = _yaml(item, indent + "    ")
            yield f"{indent}  - {inner.lstrip()}"
        else:
            yield f"{indent}  - {_scalar(item)}\n"


def _scalar(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime.date) else json.dumps(value, ensure_ascii=False)
