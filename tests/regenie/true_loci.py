"""A simulated cohort whose true loci are known: three variants with an effect, two of them 300 kb apart; and a gene.

The gene's rare variants have an effect, which no single one shows. Around each true locus lie variants in linkage
disequilibrium with it, and many others that are not.
"""

from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from tests.unit.regenie_runner.simulated_regions import Cohort, write_plink

PEOPLE: Final = 2_000
TRUE: Final = {"1:5000000": ("1", 5_000_000), "1:5300000": ("1", 5_300_000), "7:20000000": ("7", 20_000_000)}
"""Variants with an effect; the second lies 300 kb from the first, which is the stronger one."""
_EFFECTS: Final = {"1:5000000": 0.55, "1:5300000": 0.45, "7:20000000": -0.5}
RARE_CHROMOSOME: Final = "11"
RARE_GENE: Final = "RARE3"
GENES: Final = {
    f"RARE{gene}": [30_000_000 + 200_000 * gene + 500 * variant for variant in range(20)] for gene in range(8)
}
"""Positions of the rare variants of each."""
_RARE_FREQUENCY, _RARE_EFFECT = 0.004, 0.7
_PROXIES: Final = 6
"""In linkage disequilibrium with a true one, to either side of it."""
_OTHERS: Final = 60
"""Further variants of each region, by itself."""


def make_true_loci(folder: Path, chromosomes: tuple[str, ...] = ("1", "2", "7", "11")) -> None:
    """cohort.bed with its companions, phenotypes.txt (height; t2d, a binary trait) and covariates.txt."""
    random = np.random.default_rng(20_261_201)
    positions: list[tuple[str, int]] = []
    rows: list[npt.NDArray[np.int8]] = []
    rare = _rare_variants()
    score = _RARE_EFFECT * sum(rare[position] for position in GENES[RARE_GENE])
    for chromosome in chromosomes:
        here: list[tuple[int, npt.NDArray[np.int8]]] = []
        for name, (on, position) in TRUE.items():
            if on == chromosome:
                alleles = random.random((2, PEOPLE)) < 0.3
                here.append((position, _copies(alleles)))
                score += _EFFECTS[name] * here[-1][1]
                for step in range(1, _PROXIES + 1):
                    for side in (-1, 1):
                        is_other = random.random((2, PEOPLE)) < 0.1 * step
                        near = np.where(is_other, random.random((2, PEOPLE)) < 0.3, alleles)
                        here.append((position + side * step * 7_001, _copies(near)))
        for centre in (5_000_000, 20_000_000):
            for position in random.integers(centre - 900_000, centre + 900_000, _OTHERS).tolist():
                here.append((position, _copies(random.random((2, PEOPLE)) < random.uniform(0.08, 0.5))))
        for position, copies in rare.items() if chromosome == RARE_CHROMOSOME else ():
            here.append((position, copies))
        here.sort(key=lambda each: each[0])
        positions += [(chromosome, position) for position, _ in here]
        rows += [copies for _, copies in here]
    calls = np.array(rows)
    calls[random.random(calls.shape) < 0.004] = -9
    names = [f"{chromosome}:{position}" for chromosome, position in positions]
    males = random.random(PEOPLE) < 0.5
    numbers = np.array([position for _, position in positions])
    write_plink(Cohort("1", numbers, names, calls, males, np.zeros(len(names))), folder / "cohort")
    bim = "".join(f"{on}\t{name}\t0\t{at}\tA\tG\n" for (on, at), name in zip(positions, names, strict=True))
    (folder / "cohort.bim").write_text(bim)
    age = random.integers(30, 70, PEOPLE)
    height = 0.02 * age + score + random.normal(size=PEOPLE)
    height -= height.mean()
    t2d = (2 * score + random.logistic(size=PEOPLE) > 2 * np.median(score)).astype(int)
    people = [f"p{number} p{number}" for number in range(PEOPLE)]
    values = zip(people, height.tolist(), t2d.tolist(), strict=True)
    (folder / "phenotypes.txt").write_text(
        "FID IID height t2d\n" + "".join(f"{person} {value:.6f} {case}\n" for person, value, case in values)
    )
    ages = zip(people, age.tolist(), strict=True)
    (folder / "covariates.txt").write_text("FID IID age\n" + "".join(f"{person} {years}\n" for person, years in ages))


def _rare_variants() -> dict[int, npt.NDArray[np.int8]]:
    """Of all genes, by position; by random numbers of their own."""
    random = np.random.default_rng(20_261_202)
    return {
        position: _copies(random.random((2, PEOPLE)) < _RARE_FREQUENCY)
        for positions in GENES.values()
        for position in positions
    }


def make_gene_lists(folder: Path) -> None:
    """sets.txt, annotations.txt and masks.txt, as regenie wants them."""
    names = {gene: [f"{RARE_CHROMOSOME}:{position}" for position in positions] for gene, positions in GENES.items()}
    (folder / "sets.txt").write_text(
        "".join(f"{gene} {RARE_CHROMOSOME} {GENES[gene][0]} {','.join(variants)}\n" for gene, variants in names.items())
    )
    (folder / "annotations.txt").write_text(
        "".join(f"{variant} {gene} lof\n" for gene, variants in names.items() for variant in variants)
    )
    (folder / "masks.txt").write_text("M1 lof\n")


def _copies(alleles: npt.NDArray[np.bool_]) -> npt.NDArray[np.int8]:
    copies: npt.NDArray[np.int8] = alleles.sum(axis=0, dtype=np.int8)
    return copies
