"""The launch config: what a scientist may write, with every default and every rule.

The models are the one source of the rules: reading a config (config_reader), the published JSON Schema and the
reference in docs/launch-config.md follow them. `python -m lambdas.shared.config_model` prints the schema.
"""

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Final, Literal, Self, cast

from pydantic import (
    AfterValidator,
    Field,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    field_validator,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from contract.compute import MOST_ARRAY_JOBS, ComputeService
from contract.workflow import Workflow
from lambdas.shared.config_base import (
    NAME_IN_WORDS,
    Count,
    Flag,
    LaunchSection,
    RelativePath,
    Section,
    fault_at,
    plain_fault,
)
from lambdas.shared.regenie_options import refusal_of
from lambdas.shared.regenie_rules import conflicts
from lambdas.shared.snakemake_config import SNAKEMAKE_PATTERNS_IN_WORDS, SnakemakeLaunch

GENOTYPE_SUFFIXES: Final = (".bed", ".pgen", ".bgen")

_TRAIT = r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$"
"""A trait names folders and files (`..` would be the folder above) and follows an option (`-x` would be one)."""
_VERSION = r"^[0-9]+(\.[0-9]+){1,3}$"
_LAUNCH_ID = r"^[a-z0-9][a-z0-9-]{0,29}-[0-9]{8}t[0-9]{6}-[0-9a-f]{8}$"
"""As registration makes them; it also becomes a part of an S3 key."""
_PAR_REGION = r"^(b36|b37|b38|hg18|hg19|hg38|[0-9]{1,10},[0-9]{1,10})$"
_LEAST_THRESHOLD: Final = 1e-300
_MOST_THRESHOLD: Final = 0.99999
_LAST_POSITION: Final = 2**31 - 1
_VARIANT = r"^[A-Za-z0-9_.:;/<>*-]+$"
_LEVEL = r"^[A-Za-z0-9_.<>=+-]+$"
PATTERNS_IN_WORDS: Final = {
    **NAME_IN_WORDS,
    **SNAKEMAKE_PATTERNS_IN_WORDS,
    _TRAIT: (
        "must be up to 100 letters, digits and _ . - with a letter, digit or _ first",
        "Rename the column, in the phenotype file and here.",
    ),
    _VERSION: ("must be a version such as 4.1.2", "Leave it out to take the image's own."),
    _LAUNCH_ID: (
        "must be the id of a launch, such as height-gwas-20261121t040000-1a2b3c4d",
        "`genolaunch list` shows the ids.",
    ),
    _PAR_REGION: (
        "must be b36, b37, b38, hg18, hg19, hg38 or START,END",
        "GRCh36 is b36, GRCh37 is b37, GRCh38 is b38.",
    ),
    _VARIANT: (
        "must be a variant's id of letters, digits and _ . - : ; / < > *",
        "Write the id as the genotype file's list of variants has it.",
    ),
    _LEVEL: (
        "must be a level of letters, digits and _ . - < > = +",
        "Write it as the covariate file has it; rename levels with other characters there.",
    ),
}
"""What a pattern of a launch config asks for, to read on from the key, and the remedy."""


def _check_genotypes(path: str) -> str:
    if not path.endswith(GENOTYPE_SUFFIXES):
        raise plain_fault(
            f"must end in {', '.join(GENOTYPE_SUFFIXES)}; you gave {path!r}",
            "Name the genotype file itself; plink2 makes one of other formats (--make-bed, --make-pgen).",
        )
    return path


def _check_no_comma(path: str | None) -> str | None:
    if path is not None and "," in path:
        raise plain_fault(f"must not contain a comma, at which regenie parts names; you gave {path!r}", "Rename it.")
    return path


def _check_sample(path: str | None, info: ValidationInfo) -> str | None:
    genotypes = info.data.get("genotypes")
    if path is not None and genotypes is not None and not genotypes.endswith(".bgen"):
        raise plain_fault(f"belongs to .bgen genotypes only, and these are {genotypes!r}", "Leave it out.")
    return path


def _check_threshold(threshold: float) -> float:
    """The value, if regenie takes it for one between 0 and 1: its tolerance is 1e-6, denormal numbers are 0 to it."""
    if not _LEAST_THRESHOLD <= threshold <= _MOST_THRESHOLD:
        raise plain_fault(
            f"is too near to {round(threshold)} for regenie; you gave {threshold:g}",
            f"Give {_LEAST_THRESHOLD:g} to {_MOST_THRESHOLD:g}.",
        )
    return threshold


def _check_par_region(region: str | None) -> str | None:
    """The bounds as regenie's check_build_code takes them: from 1 on, in their order, as 32-bit integers."""
    if region is None or not region[0].isdigit():
        return region
    start, end = map(int, region.split(","))
    if not 1 <= start <= end <= _LAST_POSITION:
        raise plain_fault(
            f"must be START,END with 1 <= START <= END; you gave {region!r}",
            "Give the first and the last position between the pseudo-autosomal regions, or a build.",
        )
    return region


def _check_extra(step: int) -> AfterValidator:
    def check(option: str) -> str:
        refusal = refusal_of(option, step)
        if refusal:
            raise plain_fault(refusal.problem, refusal.remedy)
        return " ".join(option.split())

    return AfterValidator(check)


def _check_unique(values: list[str], check_each: ValidatorFunctionWrapHandler) -> list[str]:
    """Check that nothing is repeated, also when single values are at fault: both are said at once."""
    repetition = _repetition(values)
    try:
        checked: list[str] = check_each(values)
    except ValidationError as error:
        if repetition is None:
            raise
        faults = [cast(InitErrorDetails, fault) for fault in error.errors(include_url=False)]
        faults.append(InitErrorDetails(type=repetition, loc=(), input=values))
        raise ValidationError.from_exception_data(error.title, faults) from error
    if repetition is not None:
        raise repetition
    return checked


def _repetition(values: object) -> PydanticCustomError | None:
    texts = [value for value in values if isinstance(value, str)] if isinstance(values, list) else []
    repeated = sorted({text for text in texts if texts.count(text) > 1})
    if not repeated:
        return None
    return plain_fault(f"must name each one once; repeated: {', '.join(repeated)}", "Take the repetitions out.")


GenotypesPath = Annotated[
    RelativePath,
    AfterValidator(_check_genotypes),
    Field(json_schema_extra={"pattern": r"\.(bed|pgen|bgen)$"}),
]
ListPath = Annotated[RelativePath, AfterValidator(_check_no_comma)]
"""A list of samples or variants: regenie takes several, separated by commas."""
ExternalGenotypesPath = Annotated[GenotypesPath, AfterValidator(_check_no_comma)]
"""Genotypes that are read beside others: regenie takes them as FORMAT,FILE."""
VarianceTest = Literal["skat", "skato", "skato-acat", "acatv", "acato", "acato-full"]
Fraction = Annotated[float, Field(ge=0, le=1)]
BlockSize = Annotated[Count, Field(le=2**31 - 1)]
"""regenie reads it as a 32-bit integer."""
Probability = Annotated[float, Field(gt=0, lt=1), AfterValidator(_check_threshold)]
Trait = Annotated[str, Field(pattern=_TRAIT)]
Columns = Annotated[list[Trait], Field(min_length=1), WrapValidator(_check_unique)]
"""Names of columns of a table."""
VariantId = Annotated[str, Field(pattern=_VARIANT, max_length=200)]


class Resources(Section):
    """What one job of a phase gets."""

    vcpus: Annotated[Count, Field(le=192)]
    """Virtual CPUs."""
    memory_gib: Annotated[Count, Field(le=1536)]
    """Memory in GiB."""


class PhaseResources(Section):
    """Resources of the phases' jobs, where the defaults do not fit."""

    small: Resources | None = None
    """A job that plans the split or writes the report."""
    step1: Resources | None = None
    """Step 1 as one job (it is not split when there is one block or one job)."""
    level0: Resources | None = None
    """A level 0 job of a split step 1."""
    level1: Resources | None = None
    """A level 1 job of a split step 1: one for each trait."""
    step2: Resources | None = None
    """A step 2 job: one for each chunk of variants."""
    merge: Resources | None = None
    """The job that merges one trait's chunks."""


class VariantQc(Section):
    """Which variants and samples step 1 takes: the thresholds of regenie's authors, unless others are given
    (https://rgcgithub.github.io/regenie/recommendations/, "Exclusion files").
    """

    maf: Annotated[float, Field(ge=0, le=0.5)] = 0.01
    """Least minor allele frequency."""
    mac: Annotated[int, Field(strict=True, ge=0)] = 100
    """Least minor allele count."""
    geno: Fraction = 0.1
    """Largest share of samples without a genotype of the variant."""
    hwe: Fraction = 1e-15
    """Least p-value of the exact test of Hardy-Weinberg equilibrium (autosomes)."""
    mind: Fraction = 0.1
    """Largest share of variants without a genotype of the sample."""


def _check_qc(given: object, _: ValidatorFunctionWrapHandler) -> VariantQc | Literal[False] | None:
    """false is a value of its own; the faults of all else are those of the thresholds."""
    return given if given is False or given is None else VariantQc.model_validate(given)


class Step1(Section):
    """Whole-genome regression: the predictions that step 2 corrects with."""

    enabled: Flag = True
    """false goes straight to step 2, with `predictions` of an earlier run or those `from_launch`: one of them is
    required."""
    block_size: BlockSize = 1000
    """Variants of one block (regenie's --bsize)."""
    jobs: Annotated[Count, Field(le=MOST_ARRAY_JOBS)] = 20
    """Level 0 jobs the blocks are spread over; lowered to the number of blocks."""
    qc: Annotated[VariantQc | Literal[False] | None, WrapValidator(_check_qc)] = None
    """Quality control of the genotypes first: by the thresholds of regenie's authors, unless others are given; false
    does without."""
    extract: ListPath | None = None
    """List of variants to keep (one id a line), below data."""
    exclude: ListPath | None = None
    """List of variants to leave out, in the same form."""
    extra: Annotated[list[Annotated[str, _check_extra(1)]], Field(max_length=20)] = Field(default_factory=list)
    """Further options of regenie, each as `--flag` or `--flag value`."""
    from_launch: Annotated[str, Field(pattern=_LAUNCH_ID)] | None = None
    """Id of an earlier launch of this stage (`genolaunch list`) whose step 1 predictions are used, see below."""
    predictions: RelativePath | None = Field(default=None, validate_default=True)
    """Path below data of an earlier step 1's `_pred.list`, with the .loco files it names beside it."""

    @field_validator("qc", "extract", "exclude", "extra")
    @classmethod
    def _belongs_to_enabled_step(cls, value: object, info: ValidationInfo) -> object:
        if info.data.get("enabled") is False and value:
            raise plain_fault("would be ignored, since step 1 is not enabled", "Leave it out, or enable step 1.")
        return value

    @field_validator("from_launch", "predictions")
    @classmethod
    def _belongs_to_skipped_step(cls, given: str | None, info: ValidationInfo) -> str | None:
        if info.data.get("enabled") is True and given is not None:
            raise plain_fault("would be ignored, since step 1 is enabled", "Leave it out, or set enabled: false.")
        return given

    @field_validator("predictions")
    @classmethod
    def _are_given_once(cls, path: str | None, info: ValidationInfo) -> str | None:
        if info.data.get("enabled") is not False or "from_launch" not in info.data:
            return path  # one of them is a fault already
        from_launch = info.data["from_launch"]
        if path is None and from_launch is None:
            raise plain_fault(
                "is required when step 1 is not enabled, but missing",
                "Give the path below data of an earlier step 1's _pred.list, or the id of an earlier launch as "
                "from_launch, or enable step 1.",
            )
        if path is not None and from_launch is not None:
            raise plain_fault("would be ignored, since from_launch is given", "Give one of the two.")
        return path

    @property
    def quality_control(self) -> VariantQc | None:
        """What genotypes have to be like; None if they are taken as they are, or none are."""
        if not self.enabled or self.qc is False:
            return None
        return self.qc or VariantQc()

    @property
    def filters_variants(self) -> bool:
        """Whether the launch asks for fewer variants than the genotypes have."""
        return bool(self.qc or self.extract or self.exclude)


class Dataset(Section):
    """Genotypes to test in step 2."""

    genotypes: GenotypesPath
    """Genotype file below data: .bed, .pgen or .bgen, with its companion files beside it."""
    sample: Annotated[RelativePath | None, AfterValidator(_check_sample)] = None
    """Sample file of .bgen genotypes."""


class GeneTests(Section):
    """Tests of sets of variants, such as those of a gene, instead of single ones."""

    annotations: RelativePath
    """Annotations of the variants (regenie's --anno-file), below data."""
    sets: RelativePath
    """List of the sets (regenie's --set-list), `SET CHROMOSOME POSITION VARIANT,VARIANT,...` a line, below data; not
    compressed, since it is cut into jobs."""
    masks: RelativePath
    """Which annotations make a mask (regenie's --mask-def), below data."""
    aaf_bins: Annotated[list[Annotated[float, Field(ge=1e-7, le=1)]], Field(min_length=1)] | None = None
    """Upper bounds of the alternative allele frequency in burden masks (regenie's --aaf-bins), 12 at most; 0.01 by
    default."""
    vc_tests: Annotated[list[VarianceTest], Field(min_length=1), WrapValidator(_check_unique)] | None = None
    """SKAT and ACAT tests to add to the burden tests (regenie's --vc-tests)."""
    sets_per_job: Count = 500
    """Sets of one job."""


class Condition(Section):
    """Variants that are added to the covariates, and not tested themselves."""

    variants: ListPath
    """List of the variants (one id a line), below data."""
    genotypes: ExternalGenotypesPath
    """Genotype file that holds them: a job reads a range of the tested genotypes only."""
    sample: Annotated[RelativePath | None, AfterValidator(_check_sample)] = None
    """Sample file of .bgen genotypes."""


class Interaction(Section):
    """What the tested variants' effect may depend on: a covariate, or another variant."""

    covariate: Trait | None = None
    """A column of the covariate file (gene by environment)."""
    baseline: Annotated[str, Field(pattern=_LEVEL)] | None = None
    """Level of a categorical covariate that the others are compared with."""
    variant: VariantId | None = None
    """A variant's id (gene by gene)."""
    coding: Literal["add", "dom", "rec", "cat"] | None = None
    """Coding of the variant: additive by default, dominant, recessive or categorical."""
    genotypes: ExternalGenotypesPath | None = None
    """Genotype file that holds the variant: a job reads a range of the tested genotypes only."""
    sample: Annotated[RelativePath | None, AfterValidator(_check_sample)] = None
    """Sample file of .bgen genotypes."""

    @model_validator(mode="after")
    def _is_of_one_kind(self) -> Self:
        if (self.covariate is None) == (self.variant is None):
            raise plain_fault("must have either a covariate or a variant", "Give one of them.")
        needless = ("coding", "genotypes", "sample") if self.variant is None else ("baseline",)
        for key in needless:
            if getattr(self, key) is not None:
                kind = "variant" if self.variant is None else "covariate"
                raise fault_at(key, plain_fault(f"belongs to a {kind}", "Leave it out."), getattr(self, key))
        if self.variant is not None and self.genotypes is None:
            remedy = "Give the genotype file that holds the variant."
            raise fault_at("genotypes", plain_fault("is required with a variant, but missing", remedy), None)
        return self


class BinaryTest(StrEnum):
    """What is done again where a binary trait's test has a small p-value."""

    FIRTH_APPROX = "firth-approx"
    FIRTH = "firth"
    SPA = "spa"
    NONE = "none"


class Step2(Section):
    """Association tests of every variant."""

    block_size: BlockSize = 400
    """Variants of one block (regenie's --bsize)."""
    variants_per_job: Count = 50_000
    """Variants of one job: fewer make more, shorter jobs."""
    min_mac: Annotated[int, Field(strict=True, ge=1)] = 5
    """Least minor allele count of a variant that is tested (regenie's --minMAC)."""
    binary_test: BinaryTest | None = None
    """What is done where a binary trait's test has a small p-value: firth-approx (approximate Firth, the default),
    firth (exact, slow), spa (saddlepoint approximation) or none."""
    p_threshold: Probability | None = None
    """p-value below which that is done, 0.05 by default."""
    extract: ListPath | None = None
    """List of variants to test (one id a line), below data."""
    exclude: ListPath | None = None
    """List of variants not to test, in the same form."""
    condition: Condition | None = None
    """Variants to condition on."""
    interaction: Interaction | None = None
    """Test of interaction with a covariate or a variant."""
    extra: Annotated[list[Annotated[str, _check_extra(2)]], Field(max_length=20)] = Field(default_factory=list)
    """Further options of regenie, each as `--flag` or `--flag value`."""
    datasets: Annotated[list[Dataset], Field(min_length=1)] | None = None
    """Genotypes to test, one after another; by default those of step 1."""
    gene_tests: GeneTests | None = None
    """Test sets of variants instead of single variants."""

    @property
    def filters_variants(self) -> bool:
        """Whether a range of the genotypes may hold variants that are not tested."""
        return bool(self.extract or self.exclude or self.condition)


class RegenieParameters(Section):
    """A genome-wide association study with regenie. Paths are below the launch's data."""

    version: Annotated[str, Field(pattern=_VERSION)] | None = None
    """Version of regenie, as text (in quotes); by default the image's own."""
    genotypes: GenotypesPath
    """Genotype file of step 1: .bed, .pgen or .bgen, with its companion files (.bim and .fam, .pvar and .psam, .bgi)
    beside it."""
    sample: Annotated[RelativePath | None, AfterValidator(_check_sample)] = None
    """Sample file of .bgen genotypes."""
    phenotypes: RelativePath
    """Phenotype file: a header `FID IID trait …`, then one line for each person."""
    covariates: RelativePath | None = None
    """Covariate file, in the same form."""
    covariate_columns: Columns | None = None
    """Columns of the covariate file to use; all by default."""
    categorical_covariates: Columns | None = None
    """Which of them are categories rather than numbers."""
    traits: Columns
    """Columns of the phenotype file to analyse; up to 100 letters, digits and _ . - with a letter, digit or _ first."""
    trait_type: Literal["quantitative", "binary"]
    """What the traits are: quantitative, or binary (1 for cases, 0 for controls)."""
    apply_rint: Annotated[bool, Field(strict=True, validate_default=True)] = False
    """Transform quantitative traits to normal ranks first (regenie's --apply-rint)."""
    keep: ListPath | None = None
    """List of the samples to keep (FID and IID a line), below data; for both steps."""
    remove: ListPath | None = None
    """List of samples to leave out, in the same form; for both steps. regenie takes `keep` or `remove`, not both."""
    sex: Literal["male", "female"] | None = None
    """Analyse one sex only, as the genotypes' sample file has it (regenie's --sex-specific); both by default."""
    genome_build: Literal["NCBI36", "GRCh37", "GRCh38"] | None = None
    """Assembly of the genotypes' positions. The report and the descriptions of the results state it; regenie is not
    told, so for chromosome X give `par_region` too."""
    par_region: Annotated[str, Field(pattern=_PAR_REGION), AfterValidator(_check_par_region)] | None = None
    """Build that bounds the pseudo-autosomal regions of X (b36, b37, b38, hg18, hg19, hg38), or the bounds of what is
    between them as START,END; regenie's default is hg38."""
    step1: Step1 = Field(default_factory=Step1)
    """Whole-genome regression."""
    step2: Step2 = Field(default_factory=Step2)
    """Association tests."""
    resources: PhaseResources = Field(default_factory=PhaseResources)
    """Resources of the phases' jobs, where the defaults do not fit."""

    @field_validator("apply_rint")
    @classmethod
    def _is_for_quantitative_traits(cls, apply: bool, info: ValidationInfo) -> bool:
        if apply and info.data.get("trait_type") == "binary":
            raise plain_fault("is for quantitative traits only", "Leave it out.")
        return apply

    @field_validator("covariate_columns", "categorical_covariates")
    @classmethod
    def _belong_to_a_covariate_file(cls, columns: list[str] | None, info: ValidationInfo) -> list[str] | None:
        if columns and "covariates" in info.data and info.data["covariates"] is None:
            raise plain_fault("needs a covariate file", "Give it as covariates.")
        return columns

    @field_validator("categorical_covariates")
    @classmethod
    def _are_used(cls, columns: list[str] | None, info: ValidationInfo) -> list[str] | None:
        used = info.data.get("covariate_columns")
        unused = [column for column in columns or [] if used is not None and column not in used]
        if unused:
            raise plain_fault(f"names {', '.join(unused)}, not among covariate_columns", "Add them there too.")
        return columns

    @field_validator("step2")
    @classmethod
    def _correct_binary_traits_only(cls, step2: Step2, info: ValidationInfo) -> Step2:
        if info.data.get("trait_type") == "quantitative":
            for key in ("binary_test", "p_threshold"):
                if getattr(step2, key) is not None:
                    raise fault_at(key, plain_fault("is for binary traits only", "Leave it out."), None)
        if step2.binary_test == BinaryTest.NONE and step2.p_threshold is not None:
            raise fault_at("p_threshold", plain_fault("would be ignored without a correction", "Leave it out."), None)
        return step2

    @field_validator("step2")
    @classmethod
    def _interact_with_a_covariate_in_use(cls, step2: Step2, info: ValidationInfo) -> Step2:
        covariate = step2.interaction.covariate if step2.interaction else None
        used = info.data.get("covariate_columns")
        if covariate and info.data.get("covariates", "at fault") is None:
            raise fault_at("interaction", plain_fault("needs a covariate file", "Give it as covariates."), None)
        if covariate and used is not None and covariate not in used:
            problem = f"names the covariate {covariate}, not among covariate_columns"
            raise fault_at("interaction", plain_fault(problem, "Add it there too."), None)
        return step2

    @model_validator(mode="after")
    def _test_step_1s_genotypes_by_default(self) -> Self:
        if self.step2.datasets is None:
            self.step2.datasets = [Dataset(genotypes=self.genotypes, sample=self.sample)]
        return self

    @model_validator(mode="after")
    def _go_together(self) -> Self:
        faults = [
            InitErrorDetails(type=plain_fault(*refusal), loc=place, input=None) for place, refusal in conflicts(self)
        ]
        if faults:
            raise ValidationError.from_exception_data("settings", faults)
        return self


class RegenieLaunch(LaunchSection):
    """A launch of regenie."""

    workflow: Literal[Workflow.REGENIE]
    """What to run: regenie."""
    compute: Literal[ComputeService.BATCH_SPOT, ComputeService.BATCH_ON_DEMAND, ComputeService.PARALLELCLUSTER] = (
        ComputeService.BATCH_SPOT
    )
    """Where to run it: AWS Batch on Spot capacity (cheap, may be interrupted and repeated) or on demand, or the stage's
    Slurm cluster, if it has one."""
    regenie: RegenieParameters
    """What regenie is to do."""


LaunchConfig = RegenieLaunch | SnakemakeLaunch
"""Any launch config."""

LAUNCH_MODELS: Final[Mapping[Workflow, type[LaunchConfig]]] = {
    Workflow.REGENIE: RegenieLaunch,
    Workflow.SNAKEMAKE: SnakemakeLaunch,
}
"""The workflows that a stage runs, each with the model of its launch config."""


def launch_schema() -> dict[str, Any]:
    """JSON Schema of a launch config, by which editors complete and check it."""
    schema = TypeAdapter(Annotated[LaunchConfig, Field(discriminator="workflow")]).json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "Genolaunch launch config"}


if __name__ == "__main__":
    print(json.dumps(launch_schema(), indent=2))  # noqa: T201 - this is the command's output
