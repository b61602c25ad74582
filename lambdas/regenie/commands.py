"""Every regenie command line that a launch runs.

The words may hold {data}, {work} and {output}, which the job expands. Options and their traps: regenie's documentation
(https://rgcgithub.github.io/regenie/options/), and what was measured on regenie 4.1.2:

* Every command names all traits: regenie finds a trait's level 0 file by its place among them.
* All commands of step 1 have the same block size and filters, or the parts do not fit together.
* `--ref-first` is given only if the launch says so: by default the last allele is the reference, which is what PLINK
  writes. It decides which allele is called ALLELE1, in every row and on both sides of the frequency, and nothing else.
* `--range` alone, never with `--chr`: BGEN input would ignore the chromosome. Sets go by `--chr`, without a range.
* A variant to condition on or to interact with comes with a genotype file of its own: it may lie outside the range.
"""

from collections.abc import Sequence
from typing import Final

from genolaunch.contract.results import WORK_QC
from genolaunch.launch_configs.regenie_config import BinaryTest, Condition, GeneTests, Interaction, RegenieParameters
from genolaunch.launch_configs.regenie_keys import words_for_both_steps
from genolaunch.launch_configs.regenie_options import words_of
from genolaunch.regenie.genotypes import GenotypeFiles, GenotypeFormat
from lambdas.regenie.chunks import Chunk, SetChunk

Command = list[str]

SPLIT_PREFIX: Final = "{work}/step1/split/l0"
"""The master file holds it as it is written here, and later phases read what it names: it has to be absolute."""
MASTER: Final = f"{SPLIT_PREFIX}.master"
STEP1_STEM: Final = "step1"
CHUNK_STEM: Final = "chunk"
SETS_FILE: Final = "sets.txt"
"""In the output folder of a job of gene-based tests: the names of its sets, one a line."""

QC_VARIANTS: Final = f"{{work}}/{WORK_QC}/variants.txt"
QC_SAMPLES: Final = f"{{work}}/{WORK_QC}/samples.txt"
"""What quality control leaves for step 1: it has applied the launch's own lists already."""

_P_THRESHOLD: Final = 0.05
"""Below it a binary trait's test is corrected: regenie's default, said in so many words."""
_SEED: Final = 1
_BINARY_TESTS: Final = {
    BinaryTest.FIRTH_APPROX: ("--firth", "--approx"),
    BinaryTest.FIRTH: ("--firth",),
    BinaryTest.SPA: ("--spa",),
    BinaryTest.NONE: (),
}


def level0_prefix(job: int) -> str:
    """Prefix of the files of a level 0 job, whose number counts from 1."""
    return f"{SPLIT_PREFIX}_job{job}"


def split_level0(parameters: RegenieParameters, *, jobs: int, threads: int) -> Command:
    """Write the master file, and a list of variants for each of `jobs` level 0 jobs (at least 2)."""
    return [*_step1(parameters, threads), "--split-l0", f"{SPLIT_PREFIX},{jobs}", "--out", SPLIT_PREFIX]


def run_level0(parameters: RegenieParameters, *, job: int, threads: int) -> Command:
    """Ridge regressions of the blocks of one level 0 job, for all traits."""
    return [*_step1(parameters, threads), "--run-l0", f"{MASTER},{job}", "--out", level0_prefix(job)]


def run_level1(parameters: RegenieParameters, *, trait: str, threads: int) -> Command:
    """Combine the blocks' predictors for one trait; without --keep-l0 it would delete what other traits still need."""
    return [
        *_step1(parameters, threads),
        *("--run-l1", MASTER),
        *("--l1-phenoList", trait),
        "--keep-l0",
        *("--out", f"{{output}}/{STEP1_STEM}"),
    ]


def run_step1(parameters: RegenieParameters, *, threads: int) -> Command:
    """Step 1 as one command."""
    return [*_step1(parameters, threads), "--out", f"{{output}}/{STEP1_STEM}"]


def run_step2(
    parameters: RegenieParameters, genotypes: GenotypeFiles, chunk: Chunk | SetChunk, *, threads: int
) -> Command:
    """Test the variants, or the sets of variants, of a chunk against all traits."""
    step2 = parameters.step2
    return [
        *_common(2, parameters, genotypes, step2.block_size, threads),
        *_lists(keep=parameters.keep, remove=parameters.remove, extract=step2.extract, exclude=step2.exclude),
        *_binary_test(parameters),
        *_condition(step2.condition),
        *_interaction(step2.interaction),
        *(word for option in step2.extra for word in words_of(option)),
        *("--minMAC", str(step2.min_mac)),
        *_selection(parameters, chunk),
        *("--pred", "{output}/pred.list"),
        *("--out", f"{{output}}/{CHUNK_STEM}"),
    ]


def _selection(parameters: RegenieParameters, chunk: Chunk | SetChunk) -> Command:
    """What a job tests: a range, or the sets that its file names, of which it reads one chromosome's genotypes."""
    tests = parameters.step2.gene_tests
    if tests is None or isinstance(chunk, Chunk):
        return ["--range", chunk.range]
    return [
        *("--chr", str(chunk.chromosome)),
        *("--anno-file", f"{{data}}/{tests.annotations}"),
        *("--set-list", f"{{data}}/{tests.sets}"),
        *("--mask-def", f"{{data}}/{tests.masks}"),
        *_tests_of_sets(tests, parameters.trait_type),
        *("--extract-sets", f"{{output}}/{SETS_FILE}"),
    ]


def _tests_of_sets(tests: GeneTests, trait_type: str) -> Command:
    """What is tested of each set. SBAT draws weights by chance, from a clock's seed unless one is given."""
    draws = trait_type == "quantitative" and (tests.rgc_gene_p or "sbat" in (tests.joint or ()))
    return [
        *_numbers("--aaf-bins", tests.aaf_bins),
        *(["--vc-tests", ",".join(tests.vc_tests)] if tests.vc_tests else []),
        *_numbers("--vc-maxAAF", [tests.vc_max_aaf] if tests.vc_max_aaf else None),
        *_numbers("--skat-params", tests.skat_params),
        *(["--joint", ",".join(tests.joint)] if tests.joint else []),
        *(["--rgc-gene-p"] if tests.rgc_gene_p else []),
        *(["--seed", str(_SEED)] if draws else []),
        *(["--build-mask", tests.build_mask] if tests.build_mask else []),
        *(["--write-mask-snplist"] if tests.write_mask_snplist else []),
    ]


def _numbers(option: str, values: Sequence[float] | None) -> Command:
    return [option, ",".join(f"{value:g}" for value in values)] if values else []


def _step1(parameters: RegenieParameters, threads: int) -> Command:
    genotypes = GenotypeFiles(parameters.genotypes, parameters.sample)
    step1 = parameters.step1
    if step1.quality_control:
        lists = ["--keep", QC_SAMPLES, "--extract", QC_VARIANTS]
    else:
        lists = _lists(keep=parameters.keep, remove=parameters.remove, extract=step1.extract, exclude=step1.exclude)
    further = [word for option in step1.extra for word in words_of(option)]
    return [*_common(1, parameters, genotypes, step1.block_size, threads), *lists, *further, "--lowmem"]


def _common(
    step: int, parameters: RegenieParameters, genotypes: GenotypeFiles, block_size: int, threads: int
) -> Command:
    return [
        *("regenie", "--step", str(step)),
        *_genotype_options(genotypes),
        *words_for_both_steps(parameters),
        *("--bsize", str(block_size)),
        *("--threads", str(threads)),
    ]


def _genotype_options(genotypes: GenotypeFiles) -> Command:
    """PLINK files go by their prefix, a .bgen by its name; its index beside it is found by itself."""
    if genotypes.format is GenotypeFormat.BGEN:
        sample = ["--sample", f"{{data}}/{genotypes.sample}"] if genotypes.sample else []
        return ["--bgen", f"{{data}}/{genotypes.path}", *sample]
    return [f"--{genotypes.format.removeprefix('.')}", f"{{data}}/{genotypes.prefix}"]


def _lists(**paths: str | None) -> Command:
    """Options that name a list of samples or variants below the data."""
    return [word for option, path in paths.items() if path for word in (f"--{option}", f"{{data}}/{path}")]


def _binary_test(parameters: RegenieParameters) -> Command:
    if parameters.trait_type != "binary":
        return []
    step2 = parameters.step2
    correction = _BINARY_TESTS[step2.binary_test or BinaryTest.FIRTH_APPROX]
    threshold = _P_THRESHOLD if step2.p_threshold is None else step2.p_threshold
    return [*correction, "--pThresh", f"{threshold:g}"] if correction else []


def _condition(condition: Condition | None) -> Command:
    if condition is None:
        return []
    return [
        *("--condition-list", f"{{data}}/{condition.variants}"),
        *_external("condition", GenotypeFiles(condition.genotypes, condition.sample)),
    ]


def _interaction(interaction: Interaction | None) -> Command:
    if interaction is None:
        return []
    if interaction.covariate is not None:
        baseline = f"[{interaction.baseline}]" if interaction.baseline else ""
        return ["--interaction", interaction.covariate + baseline]
    assert interaction.variant is not None  # the config has one of both
    assert interaction.genotypes is not None
    coding = f"[{interaction.coding}]" if interaction.coding else ""
    return [
        *("--interaction-snp", interaction.variant + coding),
        *_external("interaction", GenotypeFiles(interaction.genotypes, interaction.sample)),
    ]


def _external(what: str, genotypes: GenotypeFiles) -> Command:
    """A genotype file beside the tested one: `FORMAT,PREFIX` for PLINK files, `bgen,FILE`."""
    path = genotypes.path if genotypes.format is GenotypeFormat.BGEN else genotypes.prefix
    sample = [f"--{what}-file-sample", f"{{data}}/{genotypes.sample}"] if genotypes.sample else []
    return [f"--{what}-file", f"{genotypes.format.removeprefix('.')},{{data}}/{path}", *sample]
