"""Quality control leaves the very variants and samples that plink2 leaves by the same thresholds."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.unit.regenie_runner.test_qc import Genotypes

PLINK2 = shutil.which("plink2")

pytestmark = [
    pytest.mark.full,
    pytest.mark.skipif(PLINK2 is None, reason="there is no plink2 on PATH (Debian has it as plink2)"),
]


def plink2(folder: Path, **thresholds: float) -> tuple[list[str], list[str]]:
    """Variants and samples that it keeps of cohort.bed; the command of regenie's authors."""
    options = [word for name, value in thresholds.items() for word in (f"--{name}", f"{value:g}")]
    command = [str(PLINK2), "--bfile", str(folder / "cohort"), *options, "--write-snplist", "--write-samples"]
    command += ["--no-id-header", "--threads", "1", "--out", str(folder / "kept")]
    subprocess.run(command, check=True, capture_output=True)
    samples = (" ".join(line.split()) for line in (folder / "kept.id").read_text().splitlines())
    return (folder / "kept.snplist").read_text().split(), list(samples)


@pytest.mark.parametrize(
    "thresholds",
    [
        {"maf": 0.01, "mac": 100, "geno": 0.1, "hwe": 1e-15, "mind": 0.1},
        {"maf": 0.05, "mac": 20, "geno": 0.03, "hwe": 1e-3, "mind": 0.06},
        {"maf": 0.2, "mac": 1, "geno": 0.05, "hwe": 0.05, "mind": 0.08},
    ],
)
def test_it_is_what_plink2_leaves(tmp_path: Path, thresholds: dict[str, float]):
    # Given: 700 people and 600 variants, of all frequencies, some far from equilibrium, some with many missing values
    random = np.random.default_rng(7)
    genotypes = Genotypes(tmp_path)
    frequency = random.uniform(0, 0.5, 600)[:, None]
    values = random.binomial(2, np.broadcast_to(frequency, (600, 700)))
    values[:80] = 2 * (values[:80] > 0)  # nobody is heterozygous
    missing = random.random((600, 700)) < random.choice([0, 0.02, 0.05, 0.15], (600, 1))
    missing[:, :60] |= random.random((600, 60)) < random.uniform(0, 0.2, 60)
    rows = [
        [None if gap else int(value) for value, gap in zip(*pair, strict=True)]
        for pair in zip(values, missing, strict=True)
    ]
    genotypes.write(rows)

    given: dict[str, Any] = {**thresholds}
    variants, samples = genotypes.control(**given)

    expected_variants, expected_samples = plink2(genotypes.workspace.data, **thresholds)
    assert 0 < len(expected_variants) < 600
    assert len(expected_samples) < 700
    assert (variants, samples) == (expected_variants, expected_samples)
