"""Checks ids of variants: lists that select by ids, and ids that several variants share.

Every id of a genotype file is read once where a launch chooses by ids; else none is. Memory: the lists, and 8 bytes for
each variant of a chromosome; of step 1's genotypes, which one command reads, each variant of the file.
"""

from array import array
from collections.abc import Mapping, Sequence, Set
from functools import partial
from itertools import groupby
from operator import itemgetter
from typing import Final, NamedTuple

from genolaunch.launch_configs.regenie_config import RegenieParameters
from genolaunch.regenie.data_set import DataSet
from genolaunch.regenie.genotypes import GenotypeFiles
from genolaunch.regenie.input_files import step1_genotypes, step2_genotypes
from genolaunch.shared.counted import counted
from lambdas.regenie.gene_sets import GeneSet
from lambdas.regenie.preflight.annotations import ANNOTATIONS, SETS, Annotated, read_annotated
from lambdas.regenie.preflight.findings import Examples, Findings, more_than_once
from lambdas.regenie.preflight.frequencies import check_frequencies
from lambdas.regenie.preflight.lists import WARN_BELOW, ListMatch, check_match, match, read_variants
from lambdas.regenie.variants import variant_names

_VARIANTS: Final = "variants of these genotypes"
_MAKE_UNIQUE: Final = (
    "Give each variant an id of its own, in all files (plink2 --set-all-var-ids '@:#:$r:$a'), and write the lists anew."
)
_FEW_OF_STEP1: Final = 100
"""Variants of one block of regenie's smallest example; its authors advise about 500,000 (its documentation, "How many
variants to use in step 1?")."""
_STEPS: Final = ("regenie.step1", "regenie.step2")
_SPLITS_FROM: Final = 2
"""Blocks and jobs from which on step 1 is split, each job reading a list of ids of its own."""


def check_variant_ids(
    data: DataSet,
    parameters: RegenieParameters,
    blocks: Mapping[GenotypeFiles, int],
    findings: Findings,
    *,
    sets: Sequence[GeneSet] = (),
    samples: Mapping[GenotypeFiles, int],
) -> dict[str, ListMatch]:
    """Compare the lists with the genotypes that they are for, and refuse repeated ids where ids choose.

    Args:
        data: the launch's data.
        parameters: its config.
        blocks: the genotype files that can be read, and into how many blocks step 1 would cut each.
        findings: get the faults and warnings.
        sets: the sets to test; none where their list has a fault.

        samples: how many people each of these files has.

    Returns:
        Config key of each list -> what was counted, where it could be.
    """
    lists = {
        where: names
        for where, path in _lists(parameters).items()
        if (names := findings.attempt(where, partial(read_variants, data, path), None)) is not None
    }
    tests = parameters.step2.gene_tests
    annotated = read_annotated(data, tests, findings, sets=sets) if tests else None
    search = _Search(data, parameters, lists, annotated, samples)
    for files, wheres in _chosen_by(parameters).items():
        search.look(files, [where for where in wheres if where in lists], blocks, findings)
    counted = search.counted()
    _check_some_left(data, search, counted, findings)
    for where, each in counted.items():
        uri = data.uri(_paths(parameters)[where])
        # Annotations are often of the whole genome, and the tested genotypes of a chromosome.
        warn_below = WARN_BELOW if where in lists else 0.0
        check_match(each, _VARIANTS, search.example.get(where, b"none"), where, uri, findings, warn_below=warn_below)
    if annotated and counted.keys() >= annotated.ids.keys():
        annotated.check(search.chromosomes, findings)
    return {where: each for where, each in counted.items() if where in lists}


class _Choice(NamedTuple):
    """What a step's lists leave of the variants, in one set."""

    names: Set[bytes]
    keeps: bool
    """Whether the names are those that are left, or those that are left out."""

    @classmethod
    def of(cls, step: str, lists: Mapping[str, Set[bytes]]) -> "_Choice":
        """Of `regenie.step1` or `regenie.step2`, whose lists are there."""
        excluded = lists.get(f"{step}.exclude", frozenset())
        extracted = lists.get(f"{step}.extract")
        return cls(excluded, keeps=False) if extracted is None else cls(extracted - excluded, keeps=True)


class _Search:
    """What the genotype files have of the ids that a launch names."""

    def __init__(
        self,
        data: DataSet,
        parameters: RegenieParameters,
        lists: Mapping[str, set[bytes]],
        annotated: Annotated | None,
        samples: Mapping[GenotypeFiles, int],
    ) -> None:
        """`lists` are by config key, `samples` how many people a genotype file has."""
        self._samples = samples
        self._data = data
        self._parameters = parameters
        self._annotated = annotated
        self.paths = _lists(parameters)
        """Config key -> path of each list."""
        self._names = {**lists, **(annotated.ids if annotated else {})}
        self._found: dict[str, set[bytes]] = {where: set() for where in self._names}
        self._choices = {
            step: _Choice.of(step, lists) for step in _STEPS if _lists_of(step, parameters) <= lists.keys()
        }
        self.left: dict[str, int] = {}
        """Step with lists -> how many variants of its genotypes these leave; without those that could not be read."""
        self._not_seen: set[str] = set()
        self.example: dict[str, bytes] = {}
        """Config key -> an id of the genotypes that it is compared with."""
        self.chromosomes: dict[bytes, int] = {}
        """Variant -> bits (1 << number) of the chromosomes on which the tested genotypes have it."""

    def look(
        self, files: GenotypeFiles, by_ids: list[str], blocks: Mapping[GenotypeFiles, int], findings: Findings
    ) -> None:
        """Read a genotype file's ids, if `by_ids` (keys of lists that are for it) or something else needs them."""
        is_tested = files in step2_genotypes(self._parameters)
        of_sets = self._annotated if is_tested else None
        by_ids = [*by_ids, *(of_sets.ids if of_sets else ())]
        repeats, is_whole = _keeps_ids(self._parameters, files, blocks.get(files, 0))
        if not by_ids and not repeats:
            return
        key = _key(self._parameters, files)
        wanted = set().union(*(self._names[where] for where in by_ids), of_sets.wanted if of_sets else ())
        placed = of_sets.of_masks() if of_sets else frozenset()
        choices = {
            step: choice for step, choice in self._choices.items() if any(where.startswith(step) for where in by_ids)
        }
        scan = partial(
            _scan, self._data, files, wanted, placed, [*choices.values()], whole=bool(blocks.get(files)) and is_whole
        )
        scanned = findings.attempt(key, scan, None) if files in blocks else None
        if scanned is None:
            self._not_seen.update(by_ids)
            return
        first, known, repeated, places, left = scanned
        for step, variants in zip(choices, left, strict=True):
            self.left[step] = self.left.get(step, 0) + variants
        if of_sets and files in self._samples:
            check = partial(
                check_frequencies, self._data, files, places, self._samples[files], self._parameters, findings
            )
            findings.attempt(key, check, None)
        for where in by_ids:
            self._found[where] |= known.keys()
            self.example.setdefault(where, first)
        for name, bits in known.items() if is_tested else ():
            self.chromosomes[name] = self.chromosomes.get(name, 0) | bits
        if repeats and repeated.total:
            findings.add(
                key,
                f"has {counted(repeated.total, 'id')} that several variants share, such as {repeated} "
                f"({self._data.uri(files.variant_list)}), and {repeats}: regenie drops all but the first variant of "
                "each",
                _MAKE_UNIQUE,
            )

    def counted(self) -> dict[str, ListMatch]:
        """Of each key whose genotypes could all be read."""
        return {
            where: match(names, self._found[where])
            for where, names in self._names.items()
            if where not in self._not_seen
        }


def _check_some_left(data: DataSet, search: _Search, matches: Mapping[str, ListMatch], findings: Findings) -> None:
    """Refuse lists that leave no variant of all genotypes of their step; one that names none of them is told of alone.

    regenie ends with "no variant left to include in analysis" (4.1.2's sources: Geno.cpp).
    """
    _warn_of_few(search, matches, findings)
    for step, left in search.left.items():
        extract, exclude = f"{step}.extract", f"{step}.exclude"
        found = {where: matches[where] for where in (extract, exclude) if where in matches}
        if left or exclude not in found or not all(each.matched for each in found.values()):
            continue
        name = step.removeprefix("regenie.")
        uri = data.uri(search.paths[exclude])
        if extract in found:
            findings.add(
                exclude,
                f"names {uri}, which leaves out whatever {name}.extract chooses "
                f"({counted(found[extract].matched, 'variant')}): none is left",
                f"Leave {name}.exclude out, or list fewer variants there, or others in {name}.extract.",
            )
        else:
            findings.add(
                exclude,
                f"names {uri}, which leaves out every variant of these genotypes: none is left",
                f"List fewer variants there; give {name}.extract if these are the ones to take.",
            )


def _warn_of_few(search: _Search, matches: Mapping[str, ListMatch], findings: Findings) -> None:
    left = search.left.get("regenie.step1", 0)
    where = next((key for key in ("regenie.step1.extract", "regenie.step1.exclude") if key in matches), None)
    if where and 0 < left < _FEW_OF_STEP1:
        findings.warn(
            where,
            f"leaves {counted(left, 'variant')} for step 1: of so few the predictions explain little, and take up "
            "little of population structure and relatedness",
            "Give about 500,000 variants of the whole genome, if this is not intended.",
        )


def _lists_of(step: str, parameters: RegenieParameters) -> set[str]:
    return {where for where in _lists(parameters) if where.startswith(step)}


def _lists(parameters: RegenieParameters) -> dict[str, str]:
    """Config key -> path of each list that chooses variants to fit or to test."""
    step1, step2 = parameters.step1, parameters.step2
    given = {
        "regenie.step1.extract": step1.extract if step1.enabled else None,
        "regenie.step1.exclude": step1.exclude if step1.enabled else None,
        "regenie.step2.extract": step2.extract,
        "regenie.step2.exclude": step2.exclude,
    }
    return {where: path for where, path in given.items() if path}


def _paths(parameters: RegenieParameters) -> dict[str, str]:
    """Config key -> path of each file that names variants."""
    tests = parameters.step2.gene_tests
    return {**_lists(parameters), **({ANNOTATIONS: tests.annotations, SETS: tests.sets} if tests else {})}


def _chosen_by(parameters: RegenieParameters) -> dict[GenotypeFiles, list[str]]:
    """Genotype file -> keys of the lists that are applied to it."""
    lists = _lists(parameters)
    chosen: dict[GenotypeFiles, list[str]] = {}
    if parameters.step1.enabled:
        chosen[step1_genotypes(parameters)] = [where for where in lists if ".step1." in where]
    for files in step2_genotypes(parameters):
        chosen.setdefault(files, []).extend(where for where in lists if ".step2." in where)
    return chosen


def _keeps_ids(parameters: RegenieParameters, files: GenotypeFiles, blocks: int) -> tuple[str, bool]:
    """Why regenie tells this file's variants by their ids, to read on from "and", empty if it does not; and whether in
    one command for all chromosomes, as step 1 does.
    """
    reason = _of_step1(parameters, files, blocks)
    return (reason, True) if reason else (_of_step2(parameters, files), False)


def _of_step1(parameters: RegenieParameters, files: GenotypeFiles, blocks: int) -> str:
    step1 = parameters.step1
    if step1.enabled and files == step1_genotypes(parameters):
        if step1.quality_control:
            return "step1.qc chooses variants by their ids (qc: false does without)"
        if step1.extract or step1.exclude:
            return "step 1 chooses variants by a list of ids"
        if min(step1.jobs, blocks) >= _SPLITS_FROM:
            return "step 1 is split into jobs by lists of ids (step1.jobs: 1 does without)"
    return ""


def _of_step2(parameters: RegenieParameters, files: GenotypeFiles) -> str:
    step2 = parameters.step2
    if files in step2_genotypes(parameters):
        if step2.extract or step2.exclude:
            return "step 2 chooses variants by a list of ids"
        if step2.condition:
            return "step 2 takes the variants to condition on out by their ids"
        if step2.gene_tests:
            return "sets name variants by their ids"
    return ""


def _key(parameters: RegenieParameters, files: GenotypeFiles) -> str:
    """The config key that names a genotype file."""
    if parameters.step1.enabled and files == step1_genotypes(parameters):
        return "regenie.genotypes"
    return f"regenie.step2.datasets[{step2_genotypes(parameters).index(files)}].genotypes"


def _scan(
    data: DataSet,
    files: GenotypeFiles,
    wanted: set[bytes],
    placed: Set[bytes],
    choices: Sequence[_Choice],
    *,
    whole: bool,
) -> tuple[bytes, dict[bytes, int], Examples, dict[bytes, int], list[int]]:
    """The first id, where the wanted are (bits 1 << chromosome), ids that a chromosome (or the file, if it is read as a
    `whole`) has more than once, the numbers in the file of those that are to be `placed`, which are wanted too, and how
    many variants each of the `choices` leaves.

    Ids are compared by their hashes (64 bits), and those whose hash is repeated by themselves in a second reading.
    """
    first = b""
    known: dict[bytes, int] = {}
    places: dict[bytes, int] = {}
    number, hashes = -1, array("q")
    repeated: set[int] = set()
    left = [0] * len(choices)
    for chromosome, variants in groupby(variant_names(data, files), key=itemgetter(0)):
        hashes = hashes if whole else array("q")
        for _, name in variants:
            number += 1
            hashes.append(hash(name))
            if name in wanted:
                known[name] = known.get(name, 0) | 1 << chromosome
                if name in placed:
                    places.setdefault(name, number)
            for place, choice in enumerate(choices):
                left[place] += (name in choice.names) == choice.keeps
            first = first or name
        if not whole:
            repeated |= more_than_once(hashes)
    if whole:
        repeated = more_than_once(hashes)
    twice = _names_of(data, files, repeated, whole=whole) if repeated else Examples()
    return first, known, twice, places, left


def _names_of(data: DataSet, files: GenotypeFiles, hashes: set[int], *, whole: bool) -> Examples:
    """The ids of these hashes that a chromosome (or the whole file) really has twice, each once."""
    found: dict[bytes, None] = {}
    seen: set[bytes] = set()
    for _, variants in groupby(variant_names(data, files), key=itemgetter(0)):
        seen = seen if whole else set()
        for _, name in variants:
            if hash(name) in hashes:
                if name in seen:
                    found[name] = None
                seen.add(name)
    examples = Examples()
    examples.update(found)
    return examples
