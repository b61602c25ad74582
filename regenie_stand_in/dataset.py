"""What both steps read: genotypes, and the samples with their traits."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from regenie_stand_in.arrays import Bools
from regenie_stand_in.cli import Options
from regenie_stand_in.log import Log
from regenie_stand_in.plink import Bed, Variant, read_bim, read_fam, read_males, select_variants
from regenie_stand_in.samples import Cohort, read_cohort


@dataclass(frozen=True)
class Dataset:
    """A bed/bim/fam trio; `variants` are those that the command line selects, `ids` all samples (FID_IID).

    `males` is as long as `ids`.
    """

    bed: Bed
    variants: list[Variant]
    ids: list[str]
    males: Bools

    @classmethod
    def open(cls, options: Options, log: Log) -> Self:
        """Raises RegenieError when files disagree or no variant is selected."""
        bim, fam, bed = (Path(f"{options.bed}.{suffix}") for suffix in ("bim", "fam", "bed"))
        everything = read_bim(bim)
        log.item("bim", f"[{bim}] n_snps = {len(everything)}")
        ids = read_fam(fam)
        log.item("fam", f"[{fam}] n_samples = {len(ids)}")
        log.item("bed", f"[{bed}]")
        selected = select_variants(
            everything,
            chromosomes=options.chromosomes,
            within=options.range,
            names=_listed(options.extract, _variant),
            without=_listed(options.exclude, _variant) or frozenset(),
        )
        if len(selected) < len(everything):
            log(f"   -number of variants remaining in the analysis = {len(selected)}")
        return cls(Bed(bed, variants=len(everything), samples=len(ids)), selected, ids, read_males(fam))

    def cohort(self, options: Options, log: Log, traits: Collection[str] | None = None) -> Cohort:
        """The analysed samples; `traits` overrides the command line's."""
        return read_cohort(
            ids=self.ids,
            keep=_listed(options.keep, _sample),
            remove=_listed(options.remove, _sample) or frozenset(),
            phenotype_file=Path(options.phenotype_file),
            covariate_file=Path(options.covariate_file) if options.covariate_file else None,
            traits=options.traits if traits is None else traits,
            covariates=options.covariates,
            categories=options.categories,
            apply_rint=options.apply_rint,
            log=log,
        )


def _listed(paths: Collection[str], name: Callable[[str], str]) -> frozenset[str] | None:
    """What is in any of the lists; None without a list."""
    if not paths:
        return None
    lines = (line for path in paths for line in Path(path).read_text(encoding="utf-8").splitlines())
    return frozenset(name(line) for line in lines if line.strip())


def _variant(line: str) -> str:
    return line.split(maxsplit=1)[0]


def _sample(line: str) -> str:
    return "_".join(line.split(maxsplit=2)[:2])
