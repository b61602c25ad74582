"""Model of the launch config of `workflow: regenie`, with every key, default and rule."""

from enum import StrEnum
from typing import Annotated, ClassVar, Final, Literal, Self, cast

from pydantic import (
    AfterValidator,
    Field,
    ValidationError,
    ValidationInfo,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    field_validator,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from genolaunch.contract.compute import MOST_ARRAY_JOBS, ComputeService
from genolaunch.contract.workflow import Workflow
from genolaunch.launch_configs.config_base import (
    Count,
    Flag,
    LaunchSection,
    PatternsInWords,
    RelativePath,
    Section,
    fault_at,
    plain_fault,
)
from genolaunch.launch_configs.regenie_keys import chooses_variants
from genolaunch.launch_configs.regenie_options import refusal_of
from genolaunch.launch_configs.regenie_rules import BUILDS, conflicts

GENOTYPE_SUFFIXES: Final = (".bed", ".pgen", ".bgen")

_TRAIT = r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$"
"""A trait becomes the name of folders and files (so it must not be `..`) and the value of an option (so it must not
begin with `-`)."""
_VERSION = r"^[0-9]+(\.[0-9]+){1,3}$"
_LAUNCH_ID = r"^[a-z0-9][a-z0-9-]{0,29}-[0-9]{8}t[0-9]{6}-[0-9a-f]{8}$"
"""The form that registration gives to ids. The id also becomes a part of an S3 key."""
_PAR_REGION = r"^(b36|b37|b38|hg18|hg19|hg38|[0-9]{1,10},[0-9]{1,10})$"
_LEAST_THRESHOLD: Final = 1e-300
_MOST_THRESHOLD: Final = 0.99999
_LAST_POSITION: Final = 2**31 - 1
_VARIANT = r"^[A-Za-z0-9_.:;/<>*-]+$"
_LEVEL = r"^[A-Za-z0-9_.<>=+-]+$"
_PATTERNS_IN_WORDS: Final = {
    _TRAIT: (
        "must be up to 100 letters, digits and _ . - with a letter, digit or _ first",
        "Rename the column, in its file and here; list columns one by one, without ranges.",
    ),
    _VERSION: ("must be a version such as 4.1.2", "Leave it out to use the stage's default version."),
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
"""Pattern of a value -> (problem, remedy). The problem continues a sentence that begins with the key."""


def _check_build(build: object) -> object:
    known = {each.casefold(): each for each in ("NCBI36", "GRCh37", "GRCh38")} | {"grch36": "NCBI36"} | BUILDS
    meant = known.get(build.casefold()) if isinstance(build, str) else None
    if meant and build != meant:
        raise plain_fault(
            f"must be NCBI36, GRCh37 or GRCh38; you gave {build!r}", f"Write {meant}, which is the same assembly."
        )
    return build


def _check_genotypes(path: str) -> str:
    if not path.endswith(GENOTYPE_SUFFIXES):
        raise plain_fault(
            f"must end in {', '.join(GENOTYPE_SUFFIXES)}; you gave {path!r}",
            "Name the genotype file itself; plink2 converts other formats (--make-bed, --make-pgen).",
        )
    return path


def _check_no_comma(path: str | None) -> str | None:
    if path is not None and "," in path:
        raise plain_fault(
            f"must not contain a comma, since regenie separates file names by commas; you gave {path!r}", "Rename it."
        )
    return path


def _check_sample(path: str | None, info: ValidationInfo) -> str | None:
    genotypes = info.data.get("genotypes")
    if path is not None and genotypes is not None and not genotypes.endswith(".bgen"):
        raise plain_fault(f"belongs to .bgen genotypes only, and these are {genotypes!r}", "Leave it out.")
    return path


def _check_threshold(threshold: float) -> float:
    """Return the value, if regenie accepts it as between 0 and 1: its tolerance is 1e-6, and it reads denormal numbers
    as 0."""
    if not _LEAST_THRESHOLD <= threshold <= _MOST_THRESHOLD:
        raise plain_fault(
            f"is too close to {round(threshold)} for regenie; you gave {threshold:g}",
            f"Give {_LEAST_THRESHOLD:g} to {_MOST_THRESHOLD:g}.",
        )
    return threshold


def _check_par_region(region: str | None) -> str | None:
    """Return the region, if regenie's check_build_code accepts it: START from 1, START <= END, 32-bit integers."""
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
    """Check each value, and that none is repeated, and report both kinds of faults at once."""
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
    return plain_fault(f"must name each one once; repeated: {', '.join(repeated)}", "Remove the repetitions.")


GenotypesPath = Annotated[
    RelativePath,
    AfterValidator(_check_genotypes),
    Field(json_schema_extra={"pattern": r"\.(bed|pgen|bgen)$"}),
]
ListPath = Annotated[RelativePath, AfterValidator(_check_no_comma)]
"""Path of a list of samples or variants. Without commas, because regenie takes several lists separated by commas."""
ExternalGenotypesPath = Annotated[GenotypesPath, AfterValidator(_check_no_comma)]
"""Path of genotypes that are read in addition to the tested ones. regenie takes them as FORMAT,FILE."""
JointTest = Literal["minp", "acat", "sbat", "ftest", "gates"]
VarianceTest = Literal["skat", "skato", "skato-acat", "acatv", "acato", "acato-full"]
Positive = Annotated[float, Field(gt=0, le=1000)]
Fraction = Annotated[float, Field(ge=0, le=1)]
BlockSize = Annotated[Count, Field(le=2**31 - 1)]
"""regenie reads it as a 32-bit integer."""
Probability = Annotated[float, Field(gt=0, lt=1), AfterValidator(_check_threshold)]
Trait = Annotated[str, Field(pattern=_TRAIT)]
Columns = Annotated[list[Trait], Field(min_length=1), WrapValidator(_check_unique)]
"""Names of columns of a table."""
VariantId = Annotated[str, Field(pattern=_VARIANT, max_length=200)]


class Resources(Section):
    """Resources of one job of a phase."""

    vcpus: Annotated[Count, Field(le=192)]
    """Virtual CPUs."""
    memory_gib: Annotated[Count, Field(le=1536)]
    """Memory in GiB."""


class PhaseResources(Section):
    """Resources of the phases' jobs, where they differ from the defaults."""

    small: Resources | None = None
    """The jobs that prepare the split of step 1, and that write the report."""
    step1: Resources | None = None
    """Step 1 as a single job (with one block, or with `jobs: 1`, it is not split)."""
    level0: Resources | None = None
    """Each level 0 job of a split step 1."""
    level1: Resources | None = None
    """Each level 1 job of a split step 1 (one for each trait)."""
    step2: Resources | None = None
    """Each step 2 job (one for each chunk of variants)."""
    merge: Resources | None = None
    """Each job that merges the chunks of one trait."""


class VariantQc(Section):
    """Quality control of step 1's variants and samples. The defaults are the thresholds that regenie's authors
    recommend (https://rgcgithub.github.io/regenie/recommendations/, "Exclusion files").
    """

    maf: Annotated[float, Field(ge=0, le=0.5)] = 0.01
    """Lowest minor allele frequency."""
    mac: Annotated[int, Field(strict=True, ge=0)] = 100
    """Lowest minor allele count."""
    geno: Fraction = 0.1
    """Highest share of missing genotypes of a variant."""
    hwe: Fraction = 1e-15
    """Lowest p-value of the exact test of Hardy-Weinberg equilibrium (autosomes only)."""
    mind: Fraction = 0.1
    """Highest share of missing genotypes of a sample."""


def _check_qc(given: object, _: ValidatorFunctionWrapHandler) -> VariantQc | Literal[False] | None:
    """Accept false and null as they are, and check any other value as a VariantQc, so that faults name its keys."""
    return given if given is False or given is None else VariantQc.model_validate(given)


class Step1(Section):
    """Whole-genome regression (regenie's step 1), which makes the predictions that step 2 adjusts for."""

    enabled: Flag = True
    """Whether to run step 1. With false, give either `predictions` of an earlier run or `from_launch`."""
    block_size: BlockSize = 1000
    """Variants in one block (regenie's --bsize)."""
    jobs: Annotated[Count, Field(le=MOST_ARRAY_JOBS)] = 20
    """Number of level 0 jobs, over which the blocks are spread. Lowered to the number of blocks if that is smaller."""
    qc: Annotated[VariantQc | Literal[False] | None, WrapValidator(_check_qc)] = None
    """Quality control of the genotypes before step 1. Default: the thresholds that regenie's authors recommend. Write
    false to skip it."""
    extract: ListPath | None = None
    """File with the ids of the variants to keep, one per line."""
    exclude: ListPath | None = None
    """File with the ids of variants to leave out, one per line."""
    extra: Annotated[list[Annotated[str, _check_extra(1)]], Field(max_length=20)] = Field(default_factory=list)
    """Further options of regenie, each as `--flag` or `--flag value`."""
    from_launch: Annotated[str, Field(pattern=_LAUNCH_ID)] | None = None
    """Id of an earlier launch of this stage (`genolaunch list`) whose step 1 predictions to use; see below."""
    predictions: RelativePath | None = Field(default=None, validate_default=True)
    """The `_pred.list` of an earlier step 1. The .loco files that it names must be in the same folder."""

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
            return path  # another check has already found a fault in one of them
        from_launch = info.data["from_launch"]
        if path is None and from_launch is None:
            raise plain_fault(
                "is required when step 1 is not enabled, but missing",
                "Give the path of an earlier step 1's _pred.list (below data), or the id of an earlier launch as "
                "from_launch, or enable step 1.",
            )
        if path is not None and from_launch is not None:
            raise plain_fault("would be ignored, since from_launch is given", "Give one of the two.")
        return path

    @property
    def quality_control(self) -> VariantQc | None:
        """The thresholds of quality control; None if it is skipped, or if step 1 does not run."""
        if not self.enabled or self.qc is False:
            return None
        return self.qc or VariantQc()

    @property
    def filters_variants(self) -> bool:
        """Whether the launch asks for fewer variants than the genotypes have."""
        return bool(self.qc) or chooses_variants(1, self)


class Dataset(Section):
    """Genotypes to test in step 2."""

    genotypes: GenotypesPath
    """Genotype file (.bed, .pgen or .bgen), with its companion files in the same folder."""
    sample: Annotated[RelativePath | None, AfterValidator(_check_sample)] = None
    """Sample file of .bgen genotypes."""


class GeneTests(Section):
    """Tests of sets of variants, such as the variants of a gene, instead of single variants."""

    annotations: RelativePath
    """File with the annotations of the variants (regenie's --anno-file)."""
    sets: RelativePath
    """File with the sets of variants (regenie's --set-list), one `SET CHROMOSOME POSITION VARIANT,VARIANT,...` per
    line. Not compressed, because it is split between jobs."""
    masks: RelativePath
    """File that says which annotations make up a mask (regenie's --mask-def)."""
    aaf_bins: Annotated[list[Annotated[float, Field(ge=1e-7, le=1)]], Field(min_length=1)] | None = None
    """Upper bounds of the alternative allele frequency in burden masks (regenie's --aaf-bins), at most 12. Default:
    0.01."""
    vc_tests: Annotated[list[VarianceTest], Field(min_length=1), WrapValidator(_check_unique)] | None = None
    """SKAT and ACAT tests to add to the burden tests (regenie's --vc-tests)."""
    vc_max_aaf: Annotated[float, Field(ge=1e-7, le=1)] | None = None
    """Upper bound of the alternative allele frequency in SKAT and ACAT tests (regenie's --vc-maxAAF). Default: 1; with
    `rgc_gene_p`, 0.01."""
    skat_params: Annotated[list[Positive], Field(min_length=2, max_length=2)] | None = None
    """Parameters of the beta distribution that weights the variants of SKAT and ACAT tests by their frequency
    (regenie's --skat-params). Default: 1 and 25."""
    joint: Annotated[list[JointTest], Field(min_length=1), WrapValidator(_check_unique)] | None = None
    """Tests of all masks of a set together (regenie's --joint); sbat and ftest for quantitative traits only."""
    rgc_gene_p: Flag = False
    """Whether to combine burden, SBAT, ACATV and SKATO tests into one p-value of each set, GENE_P (regenie's
    --rgc-gene-p). Its masks go up to 1e-5, 1e-4, 0.001 and 0.01 unless `aaf_bins` are given."""
    build_mask: Literal["max", "sum", "comphet"] | None = None
    """How a mask's genotype follows from those of its variants: the largest (max, the default), their sum, or their sum
    up to 2 (comphet) (regenie's --build-mask)."""
    write_mask_snplist: Flag = True
    """Whether to keep which variants each mask has, in gwas/masks.snplist.gz (regenie's --write-mask-snplist). With
    false the report and the tables of genes do not say how many variants a mask has."""
    sets_per_job: Count = 500
    """Sets in one job."""

    @property
    def variance_tests_by(self) -> str | None:
        """The key that asks for SKAT and ACAT tests; None without them."""
        return "vc_tests" if self.vc_tests else "rgc_gene_p" if self.rgc_gene_p else None

    @property
    def variance_tests_up_to(self) -> float:
        """Their upper bound of the frequency (regenie 4.1.2: Regenie.cpp, vc_maxAAF)."""
        return self.vc_max_aaf or (0.01 if self.rgc_gene_p else 1.0)


class Condition(Section):
    """Variants to condition on: they become covariates, and are not tested themselves."""

    variants: ListPath
    """File with the ids of the variants, one per line."""
    genotypes: ExternalGenotypesPath
    """Genotype file with these variants. Required because each job reads only a part of the tested genotypes."""
    sample: Annotated[RelativePath | None, AfterValidator(_check_sample)] = None
    """Sample file of .bgen genotypes."""


class Interaction(Section):
    """Interaction of the tested variants with a covariate or with another variant."""

    covariate: Trait | None = None
    """Column of the covariate file (gene-by-environment interaction)."""
    baseline: Annotated[str, Field(pattern=_LEVEL)] | None = None
    """Level of a categorical covariate with which the other levels are compared."""
    variant: VariantId | None = None
    """Id of a variant (gene-by-gene interaction)."""
    coding: Literal["add", "dom", "rec", "cat"] | None = None
    """Coding of the variant: additive (the default), dominant, recessive or categorical."""
    genotypes: ExternalGenotypesPath | None = None
    """Genotype file with the variant; required with `variant`, because each job reads only a part of the tested
    genotypes."""
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
    """Correction of a binary trait's test whose p-value is small."""

    FIRTH_APPROX = "firth-approx"
    FIRTH = "firth"
    SPA = "spa"
    NONE = "none"


class Step2(Section):
    """Association tests of every variant."""

    block_size: BlockSize = 400
    """Variants in one block (regenie's --bsize)."""
    variants_per_job: Count = 50_000
    """Variants in one job. A smaller number makes more and shorter jobs."""
    min_mac: Annotated[int, Field(strict=True, ge=1)] = 5
    """Lowest minor allele count of a tested variant (regenie's --minMAC)."""
    binary_test: BinaryTest | None = None
    """Correction of a binary trait's test whose p-value is small: firth-approx (approximate Firth, the default),
    firth (exact Firth, slow), spa (saddlepoint approximation) or none."""
    p_threshold: Probability | None = None
    """p-value below which the correction is applied (regenie's --pThresh). Default: 0.05."""
    extract: ListPath | None = None
    """File with the ids of the variants to test, one per line."""
    exclude: ListPath | None = None
    """File with the ids of variants not to test, one per line."""
    condition: Condition | None = None
    """Variants to condition on."""
    interaction: Interaction | None = None
    """Test of interaction with a covariate or a variant."""
    extra: Annotated[list[Annotated[str, _check_extra(2)]], Field(max_length=20)] = Field(default_factory=list)
    """Further options of regenie, each as `--flag` or `--flag value`."""
    datasets: Annotated[list[Dataset], Field(min_length=1)] | None = None
    """Genotype files to test, one after another. Default: the genotypes of step 1."""
    gene_tests: GeneTests | None = None
    """Test sets of variants instead of single variants."""

    @property
    def filters_variants(self) -> bool:
        """Whether a chunk of the genotypes may contain variants that are not tested."""
        return chooses_variants(2, self)


class LociSettings(Section):
    """How independent signals are found: as by plink1.9 --clump, with the genotypes of the people analysed. Of the
    variants that are significant enough the strongest leads a signal; variants near it that are in linkage
    disequilibrium with it are its members, and lead none."""

    p1: Annotated[float, Field(ge=5e-8, le=1e-3)] = 5e-8
    """Highest p-value of a variant that leads a signal (plink1.9's --clump-p1)."""
    p2: Annotated[float, Field(gt=0, le=1)] = 0.01
    """p-value below which a variant can be a member of a signal (--clump-p2)."""
    r2: Annotated[float, Field(ge=0, lt=1)] = 0.1
    """r² with the leading variant above which a variant is a member (--clump-r2)."""
    window_kb: Annotated[float, Field(ge=1, le=10_000)] = 500
    """Kilobases from the leading variant within which members lie (--clump-kb). A signal as near to a stronger one is a
    secondary signal of its locus."""
    known_kb: Annotated[float, Field(ge=1, le=10_000)] = 500
    """Kilobases from a lead within which a significant association of the GWAS Catalog makes it known, if the stage has
    such a file."""
    known_as: dict[str, Annotated[list[str], Field(min_length=1, max_length=20)]] = Field(default_factory=dict)
    """Trait → words of which the trait of such an association must have one, such as `height: [body height]`. By
    default, associations with any trait count."""

    @field_validator("p2")
    @classmethod
    def _takes_in_leads(cls, p2: float, info: ValidationInfo) -> float:
        if p2 < info.data.get("p1", 0):
            raise plain_fault(f"must not be below p1; you gave {p2:g}", "Give p1 itself or more.")
        return p2


class RegenieParameters(Section):
    """A genome-wide association study with regenie. Paths are below the launch's data."""

    version: Annotated[str, Field(pattern=_VERSION)] | None = None
    """Version of regenie, in quotes. Default: the stage's default version."""
    genotypes: GenotypesPath
    """Genotype file of step 1 (.bed, .pgen or .bgen), with its companion files (.bim and .fam, .pvar and .psam, or
    .bgi) in the same folder."""
    sample: Annotated[RelativePath | None, AfterValidator(_check_sample)] = None
    """Sample file of .bgen genotypes."""
    phenotypes: RelativePath
    """Phenotype file: a header `FID IID trait …`, then one line for each person."""
    covariates: RelativePath | None = None
    """Covariate file: a header `FID IID covariate …`, then one line for each person."""
    covariate_columns: Columns | None = None
    """Columns of the covariate file to use. Default: all columns."""
    categorical_covariates: Columns | None = None
    """Covariates whose values are categories, not numbers."""
    traits: Columns
    """Columns of the phenotype file to analyse. A name has up to 100 letters, digits and _ . - and begins with a
    letter, digit or _."""
    trait_type: Literal["quantitative", "binary"]
    """Type of all the traits: quantitative, or binary (1 for cases, 0 for controls)."""
    apply_rint: Annotated[bool, Field(strict=True, validate_default=True)] = False
    """Whether to apply the rank-based inverse normal transformation to quantitative traits (regenie's --apply-rint)."""
    keep: ListPath | None = None
    """File with the samples to keep, `FID IID` per line, for both steps."""
    remove: ListPath | None = None
    """File with samples to leave out, `FID IID` per line, for both steps. Give `keep` or `remove`, not both."""
    sex: Literal["male", "female"] | None = None
    """Analyse only this sex, as given in the genotypes' sample file (regenie's --sex-specific). Default: both."""
    genome_build: Literal["NCBI36", "GRCh37", "GRCh38"] | None = None
    """Assembly of the genotypes' positions, for the report and the descriptions of the results. It does not set
    regenie's `par_region`."""
    par_region: Annotated[str, Field(pattern=_PAR_REGION), AfterValidator(_check_par_region)] | None = None
    """Genome build that defines the pseudo-autosomal regions of chromosome X (b36, b37, b38, hg18, hg19, hg38), or
    START,END: the first and last position between these regions (regenie's --par-region). Default: hg38."""
    step1: Step1 = Field(default_factory=Step1)
    """Whole-genome regression."""
    step2: Step2 = Field(default_factory=Step2)
    """Association tests."""
    loci: LociSettings = Field(default_factory=LociSettings)
    """How independent signals are found among the significant variants."""
    resources: PhaseResources = Field(default_factory=PhaseResources)
    """Resources of the phases' jobs, where the defaults do not fit."""

    @field_validator("genome_build", mode="before")
    @classmethod
    def _is_called_otherwise(cls, build: object) -> object:
        return _check_build(build)

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

    patterns_in_words: ClassVar[PatternsInWords] = {**LaunchSection.patterns_in_words, **_PATTERNS_IN_WORDS}
    workflow: Literal[Workflow.REGENIE]
    """Workflow to run: regenie."""
    compute: Literal[ComputeService.BATCH_SPOT, ComputeService.BATCH_ON_DEMAND, ComputeService.PARALLELCLUSTER] = (
        ComputeService.BATCH_SPOT
    )
    """Where jobs run: AWS Batch on Spot instances (cheaper; jobs may be interrupted and are then repeated), AWS Batch
    on On-Demand instances, or the stage's Slurm cluster, if it has one."""
    regenie: RegenieParameters
    """Parameters of the workflow."""
