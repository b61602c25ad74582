"""regenie's command line, as far as the stand-in supports it, read into one frozen value.

Nothing here imports numpy: the number of threads must be known before numpy is.
"""

import argparse
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn

from regenie_stand_in.chromosomes import chromosome_number
from regenie_stand_in.errors import RegenieError, UnsupportedError

DEFAULT_MIN_MAC: Final = 5.0
_LEAST_MIN_MAC: Final = 0.5
_LARGEST: Final = 2**31 - 1
_TESTS: Final = 2
_STEPS: Final = (1, _TESTS)
_RANGE = re.compile(r"(?P<chromosome>[^:]+):(?P<start>\d+)-(?P<end>\d+)")


@dataclass(frozen=True)
class Range:
    """Positions `start` to `end` of a chromosome, both included."""

    chromosome: int
    start: int
    end: int


@dataclass(frozen=True)
class Numbered:
    """`--split-l0 PREFIX,JOBS` and `--run-l0 MASTER,JOB`: a path as it was typed, and a number."""

    path: str
    number: int


@dataclass(frozen=True)
class Options:
    """A checked command line. Paths are as typed; None means that the option was not given."""

    arguments: tuple[str, ...]
    step: int
    bed: str
    phenotype_file: str
    covariate_file: str | None
    traits: frozenset[str] | None
    covariates: frozenset[str] | None
    categories: frozenset[str]
    apply_rint: bool
    block_size: int
    out: str
    threads: int
    keep: tuple[str, ...]
    remove: tuple[str, ...]
    extract: tuple[str, ...]
    exclude: tuple[str, ...]
    chromosomes: frozenset[int] | None
    range: Range | None
    gzip: bool
    low_memory: bool
    low_memory_prefix: str | None
    force_step1: bool
    relative_paths: bool
    split_level0: Numbered | None
    run_level0: Numbered | None
    run_level1: str | None
    level1_traits: frozenset[str] | None
    keep_level0: bool
    predictions: str | None
    min_mac: float


class _Parser(argparse.ArgumentParser):
    """argparse that raises instead of exiting with code 2, which regenie never does."""

    def error(self, message: str) -> NoReturn:
        raise RegenieError(f"{message}.")


def build_parser() -> argparse.ArgumentParser:
    """The options that the stand-in knows, under regenie's names."""
    parser = _Parser(
        prog="regenie",
        allow_abbrev=False,
        add_help=False,
        description="A numpy stand-in for regenie v4.1.2: quantitative traits on bed/bim/fam files.",
    )
    about = parser.add_argument_group("about")
    about.add_argument("--help", "-h", action="store_true", help="print this text")
    about.add_argument("--version", action="store_true", help="print the version of regenie that is imitated")

    both = parser.add_argument_group("both steps")
    both.add_argument("--step", type=int, metavar="1|2")
    both.add_argument("--bed", metavar="PREFIX", help="prefix of the bed/bim/fam files")
    both.add_argument("--phenoFile", "-p", metavar="FILE")
    both.add_argument("--covarFile", "-c", metavar="FILE")
    both.add_argument("--phenoColList", metavar="A,B", help="traits to keep; all by default")
    both.add_argument("--phenoCol", metavar="A", action="append", default=[])
    both.add_argument("--covarColList", metavar="A,B", help="covariates to keep; all by default")
    both.add_argument("--covarCol", metavar="A", action="append", default=[])
    both.add_argument("--catCovarList", metavar="A,B", help="covariates whose values are categories")
    both.add_argument("--apply-rint", action="store_true", help="make traits normal by their ranks")
    both.add_argument("--qt", action="store_true", help="traits are quantitative (the only kind here)")
    both.add_argument("--bsize", "-b", type=int, metavar="N", help="variants in a block")
    both.add_argument("--out", "-o", metavar="PREFIX")
    both.add_argument("--threads", type=int, metavar="N")
    both.add_argument("--keep", metavar="FILE,FILE", help="lists of samples to keep (FID IID)")
    both.add_argument("--remove", metavar="FILE,FILE", help="lists of samples to leave out")
    both.add_argument("--extract", metavar="FILE,FILE", help="lists of variants to keep")
    both.add_argument("--exclude", metavar="FILE,FILE", help="lists of variants to leave out")
    both.add_argument("--chr", action="append", default=[], metavar="C")
    both.add_argument("--chrList", metavar="C,D")
    both.add_argument("--range", metavar="C:START-END", help="both ends included")
    both.add_argument("--gz", action="store_true", help="compress what is written")

    step1 = parser.add_argument_group("step 1")
    step1.add_argument("--lowmem", action="store_true", help="keep level 0 predictions in files")
    step1.add_argument("--lowmem-prefix", metavar="PREFIX")
    step1.add_argument("--force-step1", action="store_true", help="allow more than 1,000,000 variants")
    step1.add_argument("--use-relative-path", action="store_true")
    step1.add_argument("--split-l0", metavar="PREFIX,JOBS")
    step1.add_argument("--run-l0", metavar="MASTER,JOB")
    step1.add_argument("--run-l1", metavar="MASTER")
    step1.add_argument("--l1-phenoList", metavar="A,B")
    step1.add_argument("--keep-l0", action="store_true")

    step2 = parser.add_argument_group("step 2")
    step2.add_argument("--pred", metavar="LIST", help="step 1's list of prediction files")
    step2.add_argument("--minMAC", type=float, default=DEFAULT_MIN_MAC, metavar="COUNT")
    return parser


def known_options() -> list[str]:
    """Names of all supported options, as in its help."""
    return sorted(set(re.findall(r"--[A-Za-z][\w-]*", build_parser().format_help())))


def parse(arguments: Sequence[str]) -> Options:
    """Check a command line that is meant to run something.

    Raises UnsupportedError for an option that only regenie itself has, RegenieError for a wrong one.
    """
    given, unknown = build_parser().parse_known_args(arguments)
    if unknown:
        raise UnsupportedError(f"'{unknown[0]}'")
    _refuse(given)
    options = Options(
        arguments=tuple(arguments),
        step=given.step,
        bed=given.bed,
        phenotype_file=given.phenoFile,
        covariate_file=given.covarFile,
        traits=_names(given.phenoColList, given.phenoCol),
        covariates=_names(given.covarColList, given.covarCol),
        categories=_names(given.catCovarList, []) or frozenset(),
        apply_rint=given.apply_rint,
        block_size=given.bsize,
        out=given.out,
        threads=given.threads or max(1, (os.cpu_count() or 1) - 1),
        keep=_files(given.keep),
        remove=_files(given.remove),
        extract=_files(given.extract),
        # A level 0 job has its own list of variants, from which these are missing already (as in regenie).
        exclude=() if given.run_l0 else _files(given.exclude),
        chromosomes=_chromosomes(_names(given.chrList, given.chr)),
        range=_range(given.range),
        gzip=given.gz,
        low_memory=given.lowmem,
        low_memory_prefix=given.lowmem_prefix,
        force_step1=given.force_step1,
        relative_paths=given.use_relative_path,
        split_level0=_numbered("--split-l0", given.split_l0),
        run_level0=_numbered("--run-l0", given.run_l0),
        run_level1=given.run_l1,
        level1_traits=_names(given.l1_phenoList, []),
        keep_level0=given.keep_l0,
        predictions=given.pred,
        min_mac=given.minMAC,
    )
    _check_files(options)
    return options


def _refuse(given: argparse.Namespace) -> None:
    """What regenie's option parser refuses, in its words and in its order."""
    refusals = (
        (given.out is None, "You must provide an output prefix using '--out'"),
        (given.bed is None, "must use either --bed,--bgen or --pgen."),
        (given.step not in _STEPS, "specify which mode regenie should be running using option --step."),
        (given.step == _TESTS and given.minMAC < _LEAST_MIN_MAC, "minimum MAC must be at least 0.5."),
        (given.bsize is None, "must specify the block size using '--bsize'."),
        (given.bsize is not None and given.bsize > _LARGEST, f"Argument ‘{given.bsize}’ failed to parse"),
        (given.bsize is not None and given.bsize < 1, "block size must be at least 1."),
        (given.keep and given.remove, "cannot use both --keep and --remove."),
        (
            given.step == _TESTS and given.pred is None,
            "must specify --pred if using --step 2 (otherwise use --ignore-pred).",
        ),
        (
            not given.covarFile and (given.covarColList or given.covarCol or given.catCovarList),
            "you specified covariates without specifying a covariate file (using --covarFile).",
        ),
        (given.phenoFile is None, "Invalid argument (=' ') specified for option --phenoFile"),
    )
    for is_so, sentence in refusals:
        if is_so:
            raise RegenieError(sentence)


def _check_files(options: Options) -> None:
    """regenie looks for these before it begins."""
    genotypes = [f"{options.bed}.{suffix}" for suffix in ("bed", "bim", "fam")]
    master = options.run_level0.path if options.run_level0 else options.run_level1
    wanted = {
        "bed": genotypes,
        "phenoFile": [options.phenotype_file],
        "covarFile": [options.covariate_file] if options.covariate_file else [],
        "keep": options.keep,
        "remove": options.remove,
        "extract": options.extract,
        "exclude": options.exclude,
        "run-l0/l1": [master] if master else [],
    }
    for option, paths in wanted.items():
        for path in paths:
            if not Path(path).is_file():
                raise RegenieError(f"{path} doesn't exist for option --{option}")


def _names(comma_separated: str | None, single: Sequence[str]) -> frozenset[str] | None:
    names = frozenset(filter(None, [*(comma_separated or "").split(","), *single]))
    return names or None


def _files(comma_separated: str | None) -> tuple[str, ...]:
    return tuple(filter(None, (comma_separated or "").split(",")))


def _chromosomes(names: frozenset[str] | None) -> frozenset[int] | None:
    refusal = "invalid chromosome specified by --chr/--chrList."
    return None if names is None else frozenset(_known_chromosome(name, refusal) for name in names)


def _known_chromosome(name: str, refusal: str) -> int:
    number = chromosome_number(name)
    if number is None:
        raise RegenieError(refusal)
    return number


def _range(text: str | None) -> Range | None:
    if text is None:
        return None
    match = _RANGE.fullmatch(text)
    if match is None:
        raise RegenieError("wrong format for --range (must be CHR:MINPOS-MAXPOS).")
    chromosome = _known_chromosome(match["chromosome"], "unrecognized chromosome in --range.")
    return Range(chromosome, int(match["start"]), int(match["end"]))


def _numbered(option: str, text: str | None) -> Numbered | None:
    if text is None:
        return None
    path, _, number = text.rpartition(",")
    if not path or not number.isdecimal():
        raise RegenieError(f"wrong format for {option} (must be FILE,INT).")
    if option == "--run-l0" and int(number) < 1:
        raise RegenieError("invalid job number for --run-l0 (must be >=1).")
    return Numbered(path, int(number))
