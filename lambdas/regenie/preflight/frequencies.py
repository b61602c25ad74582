"""Checks the frequencies of sets' variants, by a sample of genotypes: masks only use variants up to a bound.

Where no variant is that rare, or none that is carried at all, a gene-based test ends well and has no rows. A .bed file
has a variant's genotypes at a place that follows from its number; .pgen and .bgen files are not looked at.
"""

from collections.abc import Mapping
from typing import Final

from genolaunch.launch_configs.regenie_config import RegenieParameters
from genolaunch.regenie.data_set import DataSet
from genolaunch.regenie.genotypes import GenotypeFiles, GenotypeFormat
from lambdas.regenie.preflight.findings import Findings, examples, text

MOST_VARIANTS: Final = 100
"""Each is one request, of a quarter byte for each person: 12.5 MB for half a million people."""
DEFAULT_BOUND: Final = 0.01
"""regenie's --aaf-bins, unless it is given."""
_WHERE: Final = "regenie.step2.gene_tests.aaf_bins"
_REF_FIRST: Final = "--ref-first"
_HEADER_BYTES: Final = 3
_SAMPLES_PER_BYTE: Final = 4
_ALL_MISSING: Final = bytes([0b01010101])
"""Four missing genotypes. Replaces the missing bytes of a truncated file, which is reported as a fault elsewhere."""
_ALLELES: Final = {0b00: 2, 0b10: 1, 0b11: 0}
"""Two bits of a .bed file -> copies of the .bim file's fifth column; 01 is missing (PLINK 1 binary format)."""


def _of_byte(byte: int) -> tuple[int, int]:
    """Copies of the allele, and people with a genotype, of four people."""
    codes = [byte >> 2 * place & 0b11 for place in range(_SAMPLES_PER_BYTE)]
    return sum(_ALLELES.get(code, 0) for code in codes), sum(code in _ALLELES for code in codes)


_BYTES: Final = [_of_byte(byte) for byte in range(256)]


def check_frequencies(
    data: DataSet,
    files: GenotypeFiles,
    places: Mapping[bytes, int],
    samples: int,
    parameters: RegenieParameters,
    findings: Findings,
) -> None:
    """Warn if no variant is rare enough for the masks.

    Args:
        data: the launch's data.
        files: tested genotypes.
        places: variant of a mask -> its number in the file, from 0; a sample of the masks' variants.
        samples: people of the file.
        parameters: the launch's config.
        findings: get the warning.
    """
    tests = parameters.step2.gene_tests
    if tests is None or not places or files.format is not GenotypeFormat.BED:
        return
    bound = max(tests.aaf_bins or [DEFAULT_BOUND])
    if tests.variance_tests_by:
        bound = max(bound, tests.variance_tests_up_to)
        if bound == 1:
            return  # SKAT and its kin take variants of any frequency, unless they are told otherwise
    chosen = sorted(places.items(), key=lambda each: each[1])[:: -(-len(places) // MOST_VARIANTS)]
    found = {name: _frequency(data, files, place, samples) for name, place in chosen}
    if _REF_FIRST in parameters.step2.extra:
        found = {name: 1 - frequency for name, frequency in found.items()}
    if any(0 < frequency <= bound for frequency in found.values()):
        return
    shown = examples(
        sorted(found.items(), key=lambda each: each[1]), show=lambda each: f"{text(each[0])} {each[1]:.3g}"
    )
    findings.warn(
        _WHERE,
        f"{'takes' if tests.aaf_bins else 'is not given, and masks take'} variants with an alternative allele "
        f"frequency up to {bound:g}, and of {len(found):,} of the sets' variants that were looked at in "
        f"{data.uri(files.path)} none has one above 0 and up to that ({shown})",
        "There may be no rows: give a larger bound, or see which allele is the reference (--ref-first in step2.extra).",
    )


def copies_of(data: DataSet, files: GenotypeFiles, place: int, samples: int) -> list[int | None]:
    """Copies of the .bim file's fifth column that each person has of one variant of a .bed file; None if missing."""
    record = _record(data, files, place, samples)
    return [_ALLELES.get(record[n // _SAMPLES_PER_BYTE] >> 2 * (n % _SAMPLES_PER_BYTE) & 0b11) for n in range(samples)]


def _record(data: DataSet, files: GenotypeFiles, place: int, samples: int) -> bytes:
    length = -(-samples // _SAMPLES_PER_BYTE)
    return data.read(files.path, _HEADER_BYTES + place * length, length).ljust(length, _ALL_MISSING)


def _frequency(data: DataSet, files: GenotypeFiles, place: int, samples: int) -> float:
    """Of the .bim file's fifth column among all genotyped people; 0 where nobody has a genotype."""
    record = _record(data, files, place, samples)
    counts = [(record.count(byte), *_BYTES[byte]) for byte in range(256)]
    padding = len(record) * _SAMPLES_PER_BYTE - samples  # 00, which would be two copies each
    copies = sum(times * alleles for times, alleles, _ in counts) - 2 * padding
    called = sum(times * people for times, _, people in counts) - padding
    return copies / (2 * called) if called else 0.0
