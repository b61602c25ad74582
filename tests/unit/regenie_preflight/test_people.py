"""Who is in which file."""

import gzip
import statistics
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genolaunch.regenie.genotypes import GenotypeFiles
from lambdas.regenie.preflight.samples import sample_ids
from lambdas.regenie.preflight.table import People
from tests.unit.regenie_planning.conftest import MemoryDataSet, bgi, table
from tests.unit.regenie_preflight.conftest import PEOPLE, change, checked, fam, faults, the_fault, warnings

IDS = st.text("ab12._-", min_size=1, max_size=4).map(str.encode)


def bgen(*ids: bytes, chromosome: bytes = b"1") -> bytes:
    """A BGEN 1.2 file with embedded ids, up to the first variant's chromosome."""
    block = b"".join(struct.pack("<H", len(name)) + name for name in ids)
    header = struct.pack("<III", 20, 1, len(ids)) + b"bgen" + struct.pack("<I", 1 << 31 | 2 << 2 | 1)
    samples = struct.pack("<II", 8 + len(block), len(ids)) + block
    variant = b"".join(struct.pack("<H", len(name)) + name for name in (b"v1", b"rs1", chromosome))
    return struct.pack("<I", len(header) + len(samples)) + header + samples + variant + bytes(10)


def test_a_cohort_without_oddities_gives_counts_and_no_warning(cohort: MemoryDataSet):
    found = checked(cohort, traits=["t2d"], trait_type="binary")

    assert found.warnings == ()
    assert found.samples.as_dict() == {
        "genotyped": PEOPLE,
        "chosen": PEOPLE,
        "phenotyped": PEOPLE,
        "withCovariates": PEOPLE,
        "analysed": PEOPLE,
        "traits": {"t2d": {"analysed": PEOPLE, "missing": 0, "cases": PEOPLE // 2, "controls": PEOPLE // 2}},
        "lists": {},
    }


@pytest.mark.parametrize(
    ("genotypes", "path", "content"),
    [
        (GenotypeFiles("a.bed"), "a.fam", b"f1 i1 0 0 1 -9\nf2\ti2\t0 0 2 -9\n"),
        (GenotypeFiles("a.pgen"), "a.psam", b"##x\n#FID\tIID\tSEX\nf1\ti1\t1\nf2\ti2\t2\n"),
        (GenotypeFiles("a.bgen", "a.sample"), "a.sample", b"ID_1 ID_2 missing\n0 0 0\nf1  i1 0\nf2\ti2 0\n"),
        (GenotypeFiles("a.bgen"), "a.bgen", bgen(b"f1_i1", b"f2_i2")),
    ],
)
def test_ids_are_read_as_regenie_makes_them(data: MemoryDataSet, genotypes: GenotypeFiles, path: str, content: bytes):
    data.files[path] = content

    assert list(sample_ids(data, genotypes)) == [b"f1_i1", b"f2_i2"]


def test_people_who_differ_are_counted_with_examples(cohort: MemoryDataSet):
    # Given: two people under other names in the phenotype file, and one without a covariate
    change(cohort, "phenotypes.txt", "f3 i3 ", "f3 j3 ")
    change(cohort, "phenotypes.txt", "f5 i5 ", "0 i5 ")
    change(cohort, "covariates.txt", "f7 i7 47", "f7 i7 NA")

    found = checked(cohort)

    told = "\n".join(found.warnings)
    assert "lists 22 of 24 genotyped people" in told
    assert "not in it: 2 (f3_i3, f5_i5)" in told
    assert "not genotyped: 2 (f3_j3, 0_i5)" in told
    assert "1 of 24 genotyped people lack a covariate" in told
    assert found.samples.with_covariates == 23
    assert found.samples.traits["height"].analysed == 21
    assert found.samples.analysed.decode() == "".join("0" if n in (3, 5, 7) else "1" for n in range(PEOPLE))


def test_who_has_no_value_of_any_trait_is_not_analysed(cohort: MemoryDataSet):
    # Given: a person without both traits, one without one of them, and one who is removed
    change(cohort, "phenotypes.txt", "f2 i2 0 -1 ", "f2 i2 NA NA ")
    change(cohort, "phenotypes.txt", "f3 i3 1 ", "f3 i3 NA ")
    cohort.files["withdrawn.txt"] = b"f4 i4\n"

    found = checked(cohort, remove="withdrawn.txt")

    assert found.samples.analysed.decode() == "".join("0" if n in (2, 4) else "1" for n in range(PEOPLE))


def test_a_traits_values_are_described(cohort: MemoryDataSet):
    counts = checked(cohort).samples.as_dict()["traits"]["height"]

    values = [n % 5 - 2 for n in range(PEOPLE)]
    assert counts == {
        "analysed": PEOPLE,
        "missing": 0,
        "mean": pytest.approx(statistics.mean(values)),
        "deviation": pytest.approx(statistics.stdev(values)),
    }


@pytest.mark.parametrize(
    ("path", "where"), [("phenotypes.txt", "regenie.phenotypes"), ("covariates.txt", "regenie.covariates")]
)
def test_a_table_of_other_people_is_refused_with_ids_of_both_sides(cohort: MemoryDataSet, path: str, where: str):
    change(cohort, path, "\nf", "\n0", times=-1)

    fault = the_fault(cohort)

    assert fault.where == where
    assert "lists nobody who is genotyped: it has 00_i0" in fault.problem
    assert "the genotypes have f0_i0" in fault.problem


@pytest.mark.parametrize("path", ["phenotypes.txt", "covariates.txt"])
def test_a_person_twice_in_a_table_is_refused(cohort: MemoryDataSet, path: str):
    change(cohort, path, "f4 i4 ", "f3 i3 ")

    assert "people more than once: f3_i3" in the_fault(cohort).problem


def test_a_sample_twice_in_the_genotypes_is_refused(cohort: MemoryDataSet):
    change(cohort, "cohort.fam", "f4 i4 ", "f3 i3 ")

    assert "samples more than once in s3://data/cohort/cohort.fam: f3_i3" in the_fault(cohort).problem


def test_a_sample_list_of_another_file_is_refused(cohort: MemoryDataSet):
    cohort.files["p.pgen"] = b"\x6c\x1b\x10" + struct.pack("<II", 2, PEOPLE) + bytes(20)
    cohort.files["p.pvar"] = b"#CHROM POS ID REF ALT\n1 10 a A G\n1 20 b A G\n"
    cohort.files["p.psam"] = b"#FID IID PAT MAT SEX PHENO1\n" + fam(range(PEOPLE - 4))

    fault = the_fault(cohort, genotypes="p.pgen")

    assert "has 20 samples in s3://data/cohort/p.psam, but the genotype file holds 24" in fault.problem


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"#IID\tSEX\ni1\t1\n", "#FID IID"),
        (b"FID IID\nf1 i1\n", "#FID IID"),
    ],
)
def test_a_psam_that_regenie_cannot_read_is_refused(cohort: MemoryDataSet, content: bytes, words: str):
    cohort.files["p.pgen"] = b"\x6c\x1b\x10" + struct.pack("<II", 2, PEOPLE) + bytes(20)
    cohort.files["p.pvar"] = b"#CHROM POS ID REF ALT\n1 10 a A G\n1 20 b A G\n"
    cohort.files["p.psam"] = content

    assert words in the_fault(cohort, genotypes="p.pgen").problem


def test_other_data_sets_are_compared_with_the_first(cohort: MemoryDataSet):
    cohort.files["two.bed"], cohort.files["two.bim"] = cohort.files["cohort.bed"], cohort.files["cohort.bim"]
    cohort.files["two.fam"] = fam(range(4, PEOPLE + 4))
    datasets = {"datasets": [{"genotypes": "two.bed"}]}

    assert "only there: 4 (f0_i0, f1_i1, f2_i2, f3_i3); only here: 4 (" in warnings(cohort, step2=datasets)

    cohort.files["two.fam"] = fam(range(PEOPLE), "{0} {0}")
    assert "has none of the samples of the first genotype file" in the_fault(cohort, step2=datasets).problem


def test_chromosomes_named_otherwise_are_warned_of(cohort: MemoryDataSet):
    cohort.files.update({f"two.{kind}": cohort.files[f"cohort.{kind}"] for kind in ("bed", "bim", "fam")})
    datasets = {"datasets": [{"genotypes": "two.bed"}]}
    assert warnings(cohort, step2=datasets) == ""

    change(cohort, "two.bim", "1\t1:", "chr1\t1:", times=2)

    told = warnings(cohort, step2=datasets)
    assert "named like 1 (s3://data/cohort/cohort.bed), while others are named like chr1 (s3://data/cohort/two" in told


def test_a_bgen_without_index_or_ids_is_refused_with_the_command_that_helps(cohort: MemoryDataSet):
    cohort.files["a.bgen"] = bgen(b"f0_i0")

    fault = the_fault(cohort, genotypes="a.bgen")

    assert "a.bgen.bgi, which does not exist" in fault.problem
    assert "bgenix -g a.bgen -index" in fault.remedy


def test_every_fault_of_every_file_is_named_at_once(cohort: MemoryDataSet):
    change(cohort, "cohort.fam", "f4 i4 ", "f3 i3 ")
    change(cohort, "phenotypes.txt", "f6 i6 -1", "f6 i6 tall")
    change(cohort, "covariates.txt", "f8 i8 48", "f8 i8 old")

    found = faults(cohort, traits=["height", "absent"], step2={"datasets": [{"genotypes": "nowhere.bed"}]})

    assert [fault.where for fault in found] == [
        *["regenie.step2.datasets[0].genotypes"] * 3,
        "regenie.traits",
        "regenie.genotypes",
        "regenie.covariates",
        "regenie.traits",
    ]


@given(genotyped=st.lists(IDS, unique=True), listed=st.lists(IDS))
def test_comparing_ids_is_comparing_sets(genotyped: list[bytes], listed: list[bytes]):
    people = People({person: place for place, person in enumerate(genotyped)})

    first_rows = [person for person in listed if people.place(person) is not None]

    assert set(first_rows) == set(genotyped) & set(listed)
    assert len(first_rows) == people.in_both == len(set(first_rows))
    assert people.not_listed().total == len(set(genotyped) - set(listed))
    assert people.not_genotyped.total == sum(person not in genotyped for person in listed)
    assert people.repeated.total == len(listed) - people.in_both - people.not_genotyped.total


@pytest.mark.parametrize(
    ("key", "listed", "analysed"),
    [("keep", [n for n in range(20) if n != 6], 19), ("remove", [6], 23)],
)
def test_people_whom_a_list_leaves_out_are_nobodys_business(
    cohort: MemoryDataSet, key: str, listed: list[int], analysed: int
):
    # Given: a word for somebody whom the list leaves out
    change(cohort, "phenotypes.txt", "f6 i6 -1", "f6 i6 tall")
    cohort.files["list.txt"] = b"".join(b"f%d i%d\n" % (n, n) for n in listed)

    found = checked(cohort, **{key: "list.txt"})

    assert found.samples.traits["height"].analysed == analysed


def test_a_list_of_other_people_is_refused(cohort: MemoryDataSet):
    cohort.files["keep.txt"] = b"0 i0\n"

    assert the_fault(cohort, keep="keep.txt").where == "regenie.keep"


@pytest.mark.parametrize("key", ["keep", "remove"])
def test_a_list_of_samples_with_windows_line_ends_is_refused(cohort: MemoryDataSet, key: str):
    """regenie would find nobody in it: whom the list removes would be analysed."""
    cohort.files["list.txt"] = b"f6 i6\r\nf7 i7\r\n"

    fault = the_fault(cohort, **{key: "list.txt"})

    assert fault.where == f"regenie.{key}"
    assert "Windows line endings" in fault.problem
    assert "dos2unix" in fault.remedy


def test_a_carriage_return_far_down_a_list_of_samples_is_seen(cohort: MemoryDataSet):
    cohort.files["list.txt"] = b"f99 i99\n" * 10_000 + b"f7 i7\r\n"

    assert "Windows line endings" in the_fault(cohort, remove="list.txt").problem


def test_an_empty_line_in_a_list_of_samples_is_refused_since_regenie_stops_there(cohort: MemoryDataSet):
    cohort.files["list.txt"] = b"f6 i6\n\nf7 i7\n"

    assert "line 2" in the_fault(cohort, remove="list.txt").problem


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ({"step2": {"exclude": "list.txt"}}, "regenie.step2.exclude"),
        ({"step2": {"extract": "list.txt"}}, "regenie.step2.extract"),
        ({"step1": {"extract": "list.txt"}}, "regenie.step1.extract"),
        ({"step1": {"exclude": "list.txt"}}, "regenie.step1.exclude"),
    ],
)
def test_a_list_of_variants_with_windows_line_ends_is_refused(cohort: MemoryDataSet, given: dict[str, Any], where: str):
    cohort.files["list.txt"] = b"rs1\r\nrs2\r\n"

    fault = the_fault(cohort, **given)

    assert (fault.where, "Windows line endings" in fault.problem) == (where, True)


def test_a_bim_file_with_windows_line_ends_is_refused_before_they_get_into_the_results(cohort: MemoryDataSet):
    cohort.files["cohort.bim"] = cohort.files["cohort.bim"].replace(b"\n", b"\r\n")

    fault = the_fault(cohort)

    assert (fault.where, "cohort.bim" in fault.problem) == ("regenie.genotypes", True)


def test_lists_that_are_compressed_or_have_unix_line_ends_are_taken(cohort: MemoryDataSet):
    cohort.files["cohort.bed"] += bytes(6)
    cohort.files["cohort.bim"] = b"1 1:10 0 10 A G\n1 1:20 0 20 A G\n1 1:30 0 30 A G\n"
    cohort.files["list.txt"] = b"1:10\n1:20\n"
    cohort.files["list.txt.gz"] = gzip.compress(b"1:10\n") + gzip.compress(b"1:20\n")

    assert checked(cohort, step1={"exclude": "list.txt"}, step2={"exclude": "list.txt.gz"})


@pytest.mark.parametrize(
    ("start", "words"), [(b"\x1f\x8b", "which is compressed"), (b"\xef\xbb\xbf", "an invisible byte-order mark")]
)
@pytest.mark.parametrize(("path", "key"), [("phenotypes.txt", "phenotypes"), ("covariates.txt", "covariates")])
def test_a_table_whose_first_bytes_cannot_be_seen_is_refused_in_words(
    cohort: MemoryDataSet, start: bytes, words: str, path: str, key: str
):
    cohort.files[path] = start + cohort.files[path]

    fault = the_fault(cohort)

    assert fault.where == f"regenie.{key}"
    assert words in fault.problem
    assert len(fault.problem) < 300


@pytest.mark.parametrize(
    ("path", "start", "words"),
    [
        ("list.txt", b"\xef\xbb\xbf", "an invisible byte-order mark"),
        ("list.txt", b"\x1f\x8b", "which is compressed"),
        ("list.txt.gz", b"\x1f\x8b", "damaged or not whole"),
    ],
)
def test_a_list_whose_first_person_regenie_or_preflight_would_miss_is_refused(
    cohort: MemoryDataSet, path: str, start: bytes, words: str
):
    cohort.files[path] = start + b"f6 i6\n"

    assert words in the_fault(cohort, remove=path).problem


@pytest.mark.parametrize(
    ("given", "is_fault"),
    [
        ({"step1": {"extra": [f"--cv {PEOPLE + 1}"]}}, True),
        ({"step1": {"extra": [f"--cv {PEOPLE}"]}}, False),
        ({"step1": {"extra": ["--loocv"]}}, False),
        ({"step1": {"extra": [f"--cv {PEOPLE + 1}"]}, "trait_type": "binary", "traits": ["t2d"]}, False),
    ],
)
def test_folds_are_as_many_as_people_at_most(cohort: MemoryDataSet, given: dict[str, Any], is_fault: bool):
    if is_fault:
        assert "refuses more folds than people" in the_fault(cohort, **given).problem
    else:
        checked(cohort, **given)


def test_four_people_are_too_few_for_the_five_folds_that_nobody_asked_for(cohort: MemoryDataSet):
    cohort.files["keep.txt"] = b"".join(b"f%d i%d\n" % (n, n) for n in range(4))

    assert "has not another number than --cv 5, and 4 people" in str(
        the_fault(cohort, keep="keep.txt", step2={"min_mac": 4})
    )


@pytest.mark.parametrize("path", ["phenotypes.txt", "covariates.txt"])
@pytest.mark.parametrize("end", [b"", b"\n"])
def test_a_table_of_a_header_only_is_refused(cohort: MemoryDataSet, path: str, end: bytes):
    cohort.files[path] = cohort.files[path].partition(b"\n")[0] + end

    assert f"{path}, which has a header and no rows" in the_fault(cohort).problem


def test_a_last_row_without_a_line_end_is_a_row(cohort: MemoryDataSet):
    cohort.files["phenotypes.txt"] = cohort.files["phenotypes.txt"].rstrip(b"\n")

    assert checked(cohort).samples.traits["height"].analysed == PEOPLE


def test_a_table_of_those_who_are_left_out_is_refused(cohort: MemoryDataSet):
    cohort.files["keep.txt"] = b"f0 i0\nf1 i1\nf2 i2\n"
    change(cohort, "phenotypes.txt", "f0 i0 -2 -3 0\nf1 i1 -1 -2 1\nf2 i2 0 -1 0\n", "")

    assert "lists only genotyped people whom the launch leaves out" in the_fault(cohort, keep="keep.txt").problem


@pytest.mark.parametrize(
    ("genotyped", "listed", "words"),
    [
        ("f{n} i{n}", "i{n} f{n}", "FID and IID exchanged"),
        ("0 i{n}", "i{n} i{n}", "0 for the FID"),
        ("i{n} i{n}", "0 i{n}", "the IID for the FID, too"),
        ("f{n} f{n}", "f{n} i{n}", "the FID for the IID, too"),
        ("f{n}_i{n} f{n}_i{n}", "f{n} i{n}", "both ids in each of the two"),
        ("f{n} i{n}", "f{n}_i{n} f{n}_i{n}", "one id for both columns"),
        ("f{n} i{n}", "0 i{n}", "other FIDs"),
        ("000{n} 000{n}", "{n} {n}", "leading zeros"),
        ("F{n} I{n}", "f{n} i{n}", "other upper and lower case"),
    ],
)
@pytest.mark.parametrize("known", [0, 3])
def test_ids_in_another_form_are_refused_with_the_form(
    cohort: MemoryDataSet, genotyped: str, listed: str, words: str, known: int
):
    # Given: genotypes and traits of 24 people, of whom all but `known` are written otherwise in the two
    cohort.files["cohort.fam"] = "".join(f"{genotyped.format(n=n)} 0 0 1 -9\n" for n in range(10, 34)).encode()
    names = [(genotyped if n < 10 + known else listed).format(n=n) for n in range(10, 34)]
    for path, columns in (("phenotypes.txt", "height ldl t2d"), ("covariates.txt", "age sex")):
        rows = (
            f"{name} {' '.join(str((place * step) % 7) for step in range(1, len(columns.split()) + 1))}"
            for place, name in enumerate(names)
        )
        cohort.files[path] = f"FID IID {columns}\n{chr(10).join(rows)}\n".encode()

    first, *_ = found = faults(cohort)

    assert {fault.where for fault in found} >= {"regenie.phenotypes"}
    assert words in first.remedy
    assert f"{24 - known} of {24 - known} of them would be known with" in first.remedy


def test_too_few_people_are_told_with_who_was_matched(cohort: MemoryDataSet):
    # Given: traits of 30 people, of whom 3 are genotyped
    names = [f"f{n} i{n}" for n in range(3)] + [f"x{n} y{n}" for n in range(27)]
    rows = "".join(f"{name} {n % 5 - 2} {n % 7 - 3} 0\n" for n, name in enumerate(names))
    cohort.files["phenotypes.txt"] = f"FID IID height ldl t2d\n{rows}".encode()

    first, *others = faults(cohort, step1={"qc": {}})

    assert first.where == "regenie.phenotypes"
    assert "lists 3 of 24 genotyped people; not in it: 21 (f3_i3" in first.problem
    assert "in it but not genotyped: 27 (x0_y0" in first.problem
    assert "FID" in first.remedy
    assert [fault.where for fault in others] == [
        "regenie.covariates",
        "regenie.step1.extra",
        "regenie.step1.qc",
        "regenie.step2.min_mac",
    ]


@pytest.fixture
def imputed(cohort: MemoryDataSet) -> MemoryDataSet:
    """Given: the cohort as a .bgen file with ids of its own, and a sample file."""
    cohort.files["b.bgen"] = bgen(*(b"f%d_i%d" % (n, n) for n in range(PEOPLE)))
    cohort.files["b.bgen.bgi"] = bgi(("1", 10))
    lines = "".join(f"f{n} i{n} 0 1\n" for n in range(PEOPLE))
    cohort.files["b.sample"] = f"ID_1 ID_2 missing sex\n0 0 0 D\n{lines}".encode()
    return cohort


IMPUTED = {"genotypes": "b.bgen", "sample": "b.sample"}


class TestOrderOfASampleFile:
    """regenie 4.1.2 goes by the lines of the file that --sample names, whatever ids the .bgen has."""

    @pytest.mark.parametrize("own", [b"f%d_i%d", b"i%d", b"f%d", b"anon%d"])
    def test_ids_in_the_same_order_or_of_nobody_are_taken(self, imputed: MemoryDataSet, own: bytes):
        names = (own % ((n,) * own.count(b"%")) for n in range(PEOPLE))
        imputed.files["b.bgen"] = bgen(*names)

        assert "other lines" not in warnings(imputed, **IMPUTED)

    @pytest.mark.parametrize("own", [b"f%d_i%d", b"i%d", b"f%d"])
    def test_another_order_is_refused(self, imputed: MemoryDataSet, own: bytes):
        order = [*range(PEOPLE - 2), PEOPLE - 1, PEOPLE - 2]
        imputed.files["b.bgen"] = bgen(*(own % ((n,) * own.count(b"%")) for n in order))

        fault = the_fault(imputed, **IMPUTED)

        assert fault.where == "regenie.genotypes"
        assert "has 2 samples in other lines of s3://data/cohort/b.sample" in fault.problem

    @pytest.mark.parametrize("start", [0, 1])
    def test_numbers_in_sequence_may_be_nobodys(self, imputed: MemoryDataSet, start: int):
        # Given: people who are called by numbers, in another order than those of the .bgen
        lines = "".join(f"{n} {n} 0 1\n" for n in reversed(range(PEOPLE)))
        imputed.files["b.sample"] = f"ID_1 ID_2 missing sex\n0 0 0 D\n{lines}".encode()
        imputed.files["b.bgen"] = bgen(*(b"%d" % (n + start) for n in range(PEOPLE)))
        imputed.files["phenotypes.txt"] = (
            table("height ldl", ((n % 5, n % 7) for n in range(PEOPLE))).replace(b"\nf", b"\n").replace(b" i", b" ")
        )
        imputed.files["covariates.txt"] = (
            table("age", ((40 + n % 9,) for n in range(PEOPLE))).replace(b"\nf", b"\n").replace(b" i", b" ")
        )

        assert "in other lines" in warnings(imputed, **IMPUTED)

    def test_a_line_too_many_moves_all_that_follow(self, imputed: MemoryDataSet):
        change(imputed, "b.sample", "f3 i3 0 1\n", "")
        change(imputed, "b.sample", "f20 i20 0 1\n", "f20 i20 0 1\nnew new 0 1\n")

        assert "has 17 samples in other lines" in the_fault(imputed, **IMPUTED).problem

    def test_step_2s_files_are_looked_at_too(self, imputed: MemoryDataSet):
        imputed.files["b.bgen"] = bgen(*(b"i%d" % n for n in reversed(range(PEOPLE))))

        fault = the_fault(imputed, step2={"datasets": [IMPUTED]})

        assert fault.where == "regenie.step2.datasets[0].genotypes"
