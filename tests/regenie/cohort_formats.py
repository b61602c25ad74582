"""The simulated cohort of the demo in each genotype format that regenie reads."""

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import numpy as np
import pgenlib
from bgen import BgenWriter

from regenie_stand_in.arrays import Codes
from regenie_stand_in.plink import MISSING, Variant, read_bim

ROOT: Final = Path(__file__).parents[2]
COHORT: Final = ROOT / "examples" / "gwas" / "cohort"
BINARY_PHENOTYPES: Final = ROOT / "tests" / "data" / "gwas" / "phenotypes_binary.txt"

FORMATS: Final = ("bed", "pgen", "bgen")

_PGEN_MISSING: Final = -9
"""What pgenlib takes for a missing genotype."""
_PROBABILITIES: Final = np.array([[0, 0, 1], [0, 1, 0], [1, 0, 0], [np.nan] * 3])
"""Of two, one and no copies of the second allele, by the count of the first; NaN is BGEN's missing."""
_COUNT_OF_CODE: Final = np.array([2, MISSING, 1, 0], np.uint8)
"""Copies of the .bim file's column 5 allele for PLINK 1's codes 00, 01, 10, 11."""


def make_cohort(folder: Path, genotypes: str, names: Mapping[int, int] | None = None) -> None:
    """Fill `folder` with the cohort, its genotypes in one of FORMATS, and its phenotypes and covariates.

    `names`: chromosome -> what it is called instead, in a .bgen file.
    """
    for name in ("phenotypes.txt", "covariates.txt"):
        shutil.copy(COHORT / name, folder)
    shutil.copy(BINARY_PHENOTYPES, folder)
    if genotypes == "bgen":
        _write_bgen(folder, names or {})
    else:
        {"bed": _copy_bed, "pgen": _write_pgen}[genotypes](folder)


def samples() -> list[str]:
    """Family and individual ids are the same in this cohort."""
    return [line.split()[1] for line in (COHORT / "cohort.fam").read_text().splitlines()]


def counted() -> Iterator[tuple[Variant, Codes]]:
    """Each variant, and for each sample the copies of its column 5 allele, or MISSING."""
    variants = read_bim(COHORT / "cohort.bim")
    size = len(samples())
    records = np.frombuffer((COHORT / "cohort.bed").read_bytes()[3:], np.uint8).reshape(len(variants), -1)
    for variant, record in zip(variants, records, strict=True):
        codes = record[:, None] >> np.array([0, 2, 4, 6]) & 3  # the first sample is in the lowest bits
        yield variant, _COUNT_OF_CODE[codes.ravel()[:size]]


def _copy_bed(folder: Path) -> None:
    for suffix in ("bed", "bim", "fam"):
        shutil.copy(COHORT / f"cohort.{suffix}", folder)


def _write_pgen(folder: Path) -> None:
    """The allele that is counted is ALT, the other one REF."""
    ids = samples()
    (folder / "cohort.psam").write_text("#FID\tIID\tSEX\n" + "".join(f"{name}\t{name}\tNA\n" for name in ids))
    variants = list(counted())
    rows = "".join(
        f"{v.chromosome}\t{v.position}\t{v.name}\t{v.other_allele}\t{v.counted_allele}\n" for v, _ in variants
    )
    (folder / "cohort.pvar").write_text(f"#CHROM\tPOS\tID\tREF\tALT\n{rows}")
    path = str(folder / "cohort.pgen").encode()
    with pgenlib.PgenWriter(path, len(ids), variant_ct=len(variants), nonref_flags=False) as writer:
        for _, counts in variants:
            writer.append_biallelic(np.where(counts == MISSING, _PGEN_MISSING, counts).astype(np.int8))


def _write_bgen(folder: Path, names: Mapping[int, int]) -> None:
    """As UK Biobank has it: layout 2, 8 bits, zlib, ids in a .sample file, and bgenix's index beside it."""
    ids = samples()
    rows = "".join(f"{name} {name} 0 NA\n" for name in ids)
    (folder / "cohort.sample").write_text(f"ID_1 ID_2 missing sex\n0 0 0 D\n{rows}")
    with BgenWriter(str(folder / "cohort.bgen"), len(ids), compression="zlib") as writer:
        for variant, counts in counted():
            writer.add_variant(
                varid=variant.name,
                rsid=variant.name,
                chrom=str(names.get(variant.chromosome, variant.chromosome)),
                pos=variant.position,
                alleles=[variant.counted_allele, variant.other_allele],
                genotypes=_PROBABILITIES[counts],
            )
