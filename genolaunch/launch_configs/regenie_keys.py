"""Keys of a launch config that set options of regenie, as one table.

Commands, the files that a launch reads, the comparison with an earlier launch, the refusal of an option in `extra` that
has a key, and the table of docs/launch-config.md come from it.
"""

from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from genolaunch.launch_configs.regenie_config import RegenieParameters


class File(StrEnum):
    """What a key that names a file below the data names."""

    TABLE = "table"
    LIST = "list"
    """Of people or variants: the file may be another key's, too."""


class Earlier(StrEnum):
    """What it means if a launch that takes an earlier launch's predictions has another value than that one had."""

    FAULT = "refused"
    """The predictions would be those of something else."""
    PEOPLE = "warned of: other people"
    STEP1 = "warned of: step 1 was run otherwise"
    TRAITS = "refused, if that launch has no predictions of one"
    CONTENT = "refused, if other data is analysed"
    NOTHING = "no matter"
    """It has no part in step 1, or in predictions that stay good ones."""


class Rows(StrEnum):
    """How a key changes which rows the results have, for the same genotypes.

    With fewer people more variants are below the lowest minor allele count.
    """

    SAME = "the same"
    CHOSEN = "fewer: those that it chooses"
    """A job cannot count them by its list of variants."""
    COUNTED = "fewer: regenie's log counts what is left out"
    MORE = "more: several of a variant"
    SETS = "one of a mask, not of a variant"
    TESTS = "others: those of the masks and tests that it asks for"


class Key(NamedTuple):
    """One key, and what follows from it."""

    path: str
    """Below `regenie`."""
    options: tuple[str, ...]
    """Of regenie, that say the same."""
    steps: tuple[int, ...] = (1, 2)
    """To which they are given."""
    file: File | None = None
    earlier: Earlier = Earlier.NOTHING
    words: "Callable[[RegenieParameters], list[str]] | None" = None
    """Of a command; None where these need more than the config, such as the job's chunk (commands.py)."""
    rows: Rows = Rows.SAME

    def value(self, parameters: "RegenieParameters") -> object:
        """As a config has it; None where its section is missing."""
        return _value(parameters, self.path)


def _value(section: object, path: str) -> object:
    """What a section has at a path below it; None where a section on the way is missing."""
    for name in path.split("."):
        section = getattr(section, name, None)
    return section


def _covariates(parameters: "RegenieParameters") -> list[str]:
    """Columns that are categories are named apart from the others, and never alone beside a selection.

    Without --covarColList regenie takes all columns, so a selection of nothing but categories has to name them twice.
    """
    if not parameters.covariates:
        return []
    categorical = parameters.categorical_covariates or []
    chosen = parameters.covariate_columns or []
    numeric = [column for column in chosen if column not in categorical] or chosen
    return [
        *("--covarFile", f"{{data}}/{parameters.covariates}"),
        *(["--covarColList", ",".join(numeric)] if numeric else []),
        *(["--catCovarList", ",".join(categorical)] if categorical else []),
    ]


KEYS: Final = (
    Key("genotypes", ("--bed", "--pgen", "--bgen")),
    Key("sample", ("--sample",)),
    Key(
        "phenotypes",
        ("--phenoFile",),
        file=File.TABLE,
        earlier=Earlier.CONTENT,
        words=lambda launch: ["--phenoFile", f"{{data}}/{launch.phenotypes}"],
    ),
    Key(
        "traits",
        ("--phenoColList", "--phenoCol", "--phenoExcludeList"),
        earlier=Earlier.TRAITS,
        words=lambda launch: ["--phenoColList", ",".join(launch.traits)],
    ),
    Key("covariates", ("--covarFile",), file=File.TABLE, earlier=Earlier.CONTENT, words=_covariates),
    Key("covariate_columns", ("--covarColList", "--covarCol", "--covarExcludeList"), earlier=Earlier.CONTENT),
    Key("categorical_covariates", ("--catCovarList",), earlier=Earlier.FAULT),
    Key(
        "trait_type",
        ("--qt", "--bt"),
        earlier=Earlier.FAULT,
        words=lambda launch: ["--bt" if launch.trait_type == "binary" else "--qt"],
    ),
    Key(
        "apply_rint",
        ("--apply-rint",),
        earlier=Earlier.FAULT,
        words=lambda launch: ["--apply-rint"] if launch.apply_rint else [],
    ),
    Key(
        "sex",
        ("--sex-specific",),
        earlier=Earlier.PEOPLE,
        words=lambda launch: ["--sex-specific", launch.sex] if launch.sex else [],
        rows=Rows.COUNTED,
    ),
    Key(
        "par_region",
        ("--par-region",),
        earlier=Earlier.STEP1,
        words=lambda launch: ["--par-region", launch.par_region] if launch.par_region else [],
    ),
    Key("step2.gene_tests.annotations", ("--anno-file",), (2,), File.TABLE, rows=Rows.SETS),
    Key("step2.gene_tests.sets", ("--set-list", "--extract-sets"), (2,), File.TABLE, rows=Rows.SETS),
    Key("step2.gene_tests.masks", ("--mask-def",), (2,), File.TABLE, rows=Rows.SETS),
    Key("step2.gene_tests.aaf_bins", ("--aaf-bins",), (2,), rows=Rows.TESTS),
    Key("step2.gene_tests.vc_tests", ("--vc-tests",), (2,), rows=Rows.TESTS),
    Key("step2.gene_tests.vc_max_aaf", ("--vc-maxAAF",), (2,), rows=Rows.TESTS),
    Key("step2.gene_tests.skat_params", ("--skat-params",), (2,)),
    Key("step2.gene_tests.joint", ("--joint",), (2,), rows=Rows.TESTS),
    Key("step2.gene_tests.rgc_gene_p", ("--rgc-gene-p",), (2,), rows=Rows.TESTS),
    Key("step2.gene_tests.build_mask", ("--build-mask",), (2,)),
    Key("step2.gene_tests.write_mask_snplist", ("--write-mask-snplist",), (2,)),
    Key("step1.predictions", (), (2,), File.TABLE),
    Key("keep", ("--keep",), file=File.LIST, earlier=Earlier.PEOPLE, rows=Rows.COUNTED),
    Key("remove", ("--remove",), file=File.LIST, earlier=Earlier.PEOPLE, rows=Rows.COUNTED),
    Key("step1.extract", ("--extract",), (1,), File.LIST, rows=Rows.CHOSEN),
    Key("step1.exclude", ("--exclude",), (1,), File.LIST, rows=Rows.CHOSEN),
    Key("step2.extract", ("--extract",), (2,), File.LIST, rows=Rows.CHOSEN),
    Key("step2.exclude", ("--exclude",), (2,), File.LIST, rows=Rows.CHOSEN),
    Key("step2.condition.variants", ("--condition-list",), (2,), File.LIST, rows=Rows.CHOSEN),
    Key("step1.block_size", ("--bsize",), (1,)),
    Key("step2.block_size", ("--bsize",), (2,)),
    Key("step2.min_mac", ("--minMAC",), (2,), rows=Rows.COUNTED),
    Key("step2.binary_test", ("--firth", "--approx", "--spa"), (2,)),
    Key("step2.p_threshold", ("--pThresh",), (2,)),
    Key("step2.condition", ("--condition-file", "--condition-file-sample"), (2,), rows=Rows.CHOSEN),
    Key(
        "step2.interaction",
        ("--interaction", "--interaction-snp", "--interaction-file", "--interaction-file-sample"),
        (2,),
        rows=Rows.MORE,
    ),
    Key("resources", ("--threads",)),
    Key("step1.enabled", ("--step",)),
)
"""In the order of the words of a command."""


def words_for_both_steps(parameters: "RegenieParameters") -> list[str]:
    """What every command says of the config, in the table's order."""
    return [word for key in KEYS if key.words for word in key.words(parameters)]


def keys_with(earlier: Earlier) -> Iterator[Key]:
    """Those of which a difference from an earlier launch means this."""
    return (key for key in KEYS if key.earlier is earlier)


def chooses_variants(step: int, section: object) -> bool:
    """Whether keys of a step choose among the variants.

    Args:
        step: 1 or 2.
        section: the config's section of the step, with one attribute for each key.
    """
    above = f"step{step}."
    chosen = (key.path for key in KEYS if key.rows is Rows.CHOSEN and key.path.startswith(above))
    return any(_value(section, path.removeprefix(above)) for path in chosen)


def files_of(parameters: "RegenieParameters", kind: File) -> Iterator[tuple[str, str]]:
    """(path of the key, path below the data) of each file of this kind that a config names."""
    for key in KEYS:
        path = key.value(parameters) if key.file is kind else None
        if isinstance(path, str):
            yield key.path, path
