"""Compares genotype files with each other: the same people, and the same names of chromosomes."""

from collections.abc import Mapping, Sequence
from typing import Final

from genolaunch.launch_configs.regenie_config import RegenieParameters
from genolaunch.regenie.data_set import DataSet
from genolaunch.regenie.genotypes import GenotypeFiles, GenotypeFormat
from genolaunch.shared.input_error import UnusableInputError
from lambdas.regenie.preflight.bgen_header import read_bgen_header, unsigned
from lambdas.regenie.preflight.findings import Examples, Findings, text
from lambdas.regenie.preflight.samples import GIVE_ONCE, SEX_NAMES, id_file, own_ids, sample_ids, samples, sex_column

_PREFIX: Final = b"chr"
_PROBE_BYTES: Final = 1 << 16
"""Enough for the meta-information lines of most .pvar files and the first variant of any file."""


def check_same_people(
    data: DataSet,
    sexes: dict[bytes, int],
    other: GenotypeFiles,
    where: str,
    parameters: RegenieParameters,
    findings: Findings,
) -> None:
    """Compare another data set's samples, and their sexes if one is chosen, with those of the first (`sexes`).

    Raises:
        UnusableInputError: the ids cannot be read, or are all others.
    """
    places = {person: place for place, person in enumerate(sexes)}
    seen = bytearray(len(places))
    strangers: set[bytes] = set()
    repeated, of_other_sex = Examples(), Examples()
    for person, sex in samples(data, other):
        place = places.get(person)
        if seen[place] if place is not None else person in strangers:
            repeated.add(person)
        elif place is None:
            strangers.add(person)
        else:
            seen[place] = 1
            if sex != sexes[person]:
                of_other_sex.add(person)
    uri, shared = data.uri(id_file(other)), seen.count(1)
    unknown, absent = Examples(), Examples()
    unknown.update(strangers)
    absent.update(person for person, place in places.items() if not seen[place])
    if repeated.total:
        findings.add(where, f"has samples more than once in {uri}: {repeated} (as FID_IID)", GIVE_ONCE)
    if not shared:
        raise UnusableInputError(
            f"has none of the samples of the first genotype file: {uri} has {unknown}, that one has {absent}",
            "Both FID and IID must be the same in all files.",
        )
    if of_other_sex.total and parameters.sex:
        findings.add(
            where,
            f"has another sex than the first genotype file for {of_other_sex.total:,} people ({uri}: {of_other_sex}), "
            "and each step chooses people by its own file",
            "Give all files the same sexes: plink2 --update-sex.",
        )
    if strangers or absent.total:
        findings.warn(
            where,
            f"has {shared:,} of the {len(places):,} samples of the first genotype file ({uri}); "
            f"only there: {absent.total:,}{_in_brackets(absent)}; only here: {unknown.total:,}{_in_brackets(unknown)}",
            "Only people in both are tested here.",
        )


def check_sex_column(
    data: DataSet, files: GenotypeFiles, where: str, parameters: RegenieParameters, findings: Findings
) -> None:
    """What regenie takes for the sex in a .sample file is called so: it goes by the place of the column alone."""
    name = sex_column(data, files)
    if name is None or name.casefold() in SEX_NAMES:
        return
    problem = f"has a sample file, {data.uri(id_file(files))}, whose fourth column, {name!r}, regenie takes for the sex"
    remedy = "Put a column `sex` there, of type D, with 0 where it is not known (ID_1 ID_2 missing sex ...)."
    if parameters.sex:
        findings.add(where, f"{problem}, by which the launch chooses people", remedy)
    else:
        findings.warn(where, f"{problem}: on X it doubles what males carry", remedy)


def check_sample_order(data: DataSet, files: GenotypeFiles, where: str, findings: Findings) -> None:
    """The lines of a .sample file are in the order of the .bgen's own ids: regenie goes by the lines alone.

    Some files have ids of their own that are nobody's: these say nothing.

    Raises:
        UnusableInputError: the ids cannot be read.
    """
    if files.sample is None:
        return
    own_names = list(own_ids(data, files))
    others = [
        (own, person)
        for own, person in zip(own_names, sample_ids(data, files), strict=False)
        if own != person and not person.endswith(b"_" + own) and not person.startswith(own + b"_")
    ]
    known = {name for _, person in others for name in _names(person)}
    moved = Examples()
    moved.update(own for own, _ in others if own in known)
    if moved.total:
        # Numbers in sequence may be a converter's, and nobody's, though somebody is called by such a number.
        tell = findings.warn if _are_numbered(own_names) else findings.add
        tell(
            where,
            f"has {moved.total:,} samples in other lines of {data.uri(files.sample)} than {data.uri(files.path)} has "
            f"them: {moved}; regenie goes by the lines, and would give people the genotypes of others",
            "Give the sample file that was made with the .bgen file, or none: the .bgen file has ids of its own.",
        )


def _names(person: bytes) -> tuple[bytes, ...]:
    """What a .bgen file may call a `FID_IID`: all of it, the FID, or the IID; there may be a _ in either."""
    first, _, rest = person.partition(b"_")
    before, _, last = person.rpartition(b"_")
    return person, first, rest, before, last


def _are_numbered(names: Sequence[bytes]) -> bool:
    """From 0 or 1 on, one after the other."""
    return any(all(name == b"%d" % number for number, name in enumerate(names, start)) for start in (0, 1))


def warn_of_chromosome_names(data: DataSet, genotypes: Mapping[GenotypeFiles, str], findings: Findings) -> None:
    """Warn where some files say chr6 and others 6. Reads the first variant of each; `genotypes` name the keys."""
    names = {files: first_chromosome(data, files) for files in genotypes}
    with_prefix = [files for files, name in names.items() if name.startswith(_PREFIX)]
    without = [files for files, name in names.items() if name and not name.startswith(_PREFIX)]
    if with_prefix and without:
        one, other = with_prefix[0], without[0]
        findings.warn(
            genotypes[other],
            f"has chromosomes named like {text(names[other])} ({data.uri(other.path)}), while others are named like "
            f"{text(names[one])} ({data.uri(one.path)})",
            "regenie takes both for the same and writes numbers, but lists of variants must have each file's ids.",
        )


def first_chromosome(data: DataSet, files: GenotypeFiles) -> bytes:
    """The name of the first variant's chromosome; empty if it is not where it is looked for.

    Raises:
        UnusableInputError: the file cannot be read.
    """
    if files.format is GenotypeFormat.BGEN:
        return _first_in_bgen(data, files.path)
    head = data.head(files.variant_list, _PROBE_BYTES)
    return next((line.split(None, 1)[0] for line in head.split(b"\n") if line.strip() and line[:1] != b"#"), b"")


def _first_in_bgen(data: DataSet, path: str) -> bytes:
    """Behind the sample identifiers: [samples, in layout 1,] id, rsid, chromosome, each with its length (BGEN 1.x)."""
    header = read_bgen_header(data, path)
    variant = data.read(path, header.first_variant, _PROBE_BYTES)
    offset = 4 if header.layout == 1 else 0
    for _ in range(2):
        offset += 2 + unsigned(variant[offset : offset + 2])
    size = unsigned(variant[offset : offset + 2])
    return variant[offset + 2 : offset + 2 + size]


def _in_brackets(examples: Examples) -> str:
    return f" ({examples})" if examples.total else ""
