"""Lists that match nothing, or little, and ids that several variants share: never passed over in silence.

What regenie 4.1.2 does of each was run with it on small files, or read in its sources.
"""

import gzip
from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.regenie_planning.conftest import MemoryDataSet, add_bgen, add_pgen, bim, loco, table
from tests.unit.regenie_preflight.conftest import PEOPLE, change, checked, fam, faults, the_fault, warnings

LISTED = [
    ({"step1": {"extract": "list.txt"}}, "regenie.step1.extract"),
    ({"step1": {"exclude": "list.txt"}}, "regenie.step1.exclude"),
    ({"step2": {"extract": "list.txt"}}, "regenie.step2.extract"),
    ({"step2": {"exclude": "list.txt"}}, "regenie.step2.exclude"),
]


@pytest.mark.parametrize("key", ["keep", "remove"])
@pytest.mark.parametrize("content", [b"0 i6\n0 i7\n", b"i6 i6\n", b"f6 I6\n"])
def test_a_list_of_people_in_other_ids_is_refused(cohort: MemoryDataSet, key: str, content: bytes):
    cohort.files["list.txt"] = content

    fault = the_fault(cohort, **{key: "list.txt"})

    assert fault.where == f"regenie.{key}"
    assert "none is among the genotyped people" in fault.problem
    assert "they have f0_i0" in fault.problem


@pytest.mark.parametrize("key", ["keep", "remove"])
@pytest.mark.parametrize(
    ("form", "genotyped", "words"),
    [
        ("0 i{0}", "f{0} i{0}", "24 of 24 of them would be known with other FIDs"),
        ("i{0} i{0}", "f{0} i{0}", "would be known with other FIDs"),
        ("i{0} f{0}", "f{0} i{0}", "FID and IID exchanged"),
        ("f{0} I{0}", "f{0} i{0}", "other upper and lower case"),
        ("f i{0}", "f i00{0}", "leading zeros"),
        ("f{0} x{0}", "f{0} i{0}", ""),
        ("7 {0}", "007 00{0}", "leading zeros"),
    ],
)
def test_a_list_of_people_in_other_ids_is_told_how_they_would_be_known(
    cohort: MemoryDataSet, key: str, form: str, genotyped: str, words: str
):
    cohort.files["cohort.fam"] = fam(range(PEOPLE), genotyped)
    cohort.files["list.txt"] = "".join(f"{form.format(n)}\n" for n in range(PEOPLE)).encode()

    (remedy,) = (fault.remedy for fault in faults(cohort, **{key: "list.txt"}) if fault.where == f"regenie.{key}")

    assert words in remedy
    assert ("would be known" in remedy) == bool(words)


def test_a_list_of_which_less_than_half_is_known_is_warned_of_with_numbers(cohort: MemoryDataSet):
    cohort.files["list.txt"] = b"f6 i6\nx1 x1\nx2 x2\n"

    found = checked(cohort, remove="list.txt")

    assert "of whose 3 entries 1 is among the genotyped people" in "\n".join(found.warnings)
    listed = found.samples.lists["regenie.remove"].as_dict()
    assert (listed["listed"], listed["matched"]) == (3, 1)
    assert sorted(str(listed["unmatched"]).split(", ")) == ["x1_x1", "x2_x2"]
    assert found.samples.traits["height"].analysed == PEOPLE - 1


def test_a_list_that_is_known_is_counted_and_not_warned_of(cohort: MemoryDataSet):
    cohort.files["list.txt"] = b"f6 i6\nf7 i7\n"

    found = checked(cohort, remove="list.txt")

    assert "list.txt" not in "\n".join(found.warnings)
    assert found.samples.lists["regenie.remove"].as_dict() == {"listed": 2, "matched": 2, "unmatched": ""}


def test_people_whom_a_list_leaves_out_are_not_called_not_genotyped(cohort: MemoryDataSet):
    cohort.files["list.txt"] = b"".join(b"f%d i%d\n" % (n, n) for n in range(12))

    assert "not genotyped" not in warnings(cohort, keep="list.txt")


@pytest.mark.parametrize(("given", "where"), LISTED)
@pytest.mark.parametrize("content", [b"rs1\nrs2\n", b"chr1:10\n", b"1:10:A:G\n"])
def test_a_list_of_variants_in_other_ids_is_refused(
    cohort: MemoryDataSet, given: dict[str, Any], where: str, content: bytes
):
    cohort.files["list.txt"] = content

    fault = the_fault(cohort, **given)

    assert fault.where == where
    assert "none is among the variants" in fault.problem


@pytest.mark.parametrize(("given", "where"), LISTED)
@pytest.mark.parametrize("content", [b"1 5 15\n", b"6 25000000 35000000 HLA\n", b"1\t5\t15\tR1\n"])
def test_a_list_of_plinks_ranges_is_refused_as_that(
    cohort: MemoryDataSet, given: dict[str, Any], where: str, content: bytes
):
    cohort.files["list.txt"] = content

    fault = the_fault(cohort, **given)

    assert (fault.where, "a list of ranges" in fault.problem) == (where, True)
    assert "--extract range" in fault.remedy


@pytest.mark.parametrize("format", ["bed", "pgen", "bgen"])
def test_lists_are_compared_with_all_data_sets_together(cohort: MemoryDataSet, format: str):
    # Given: two data sets, of which the second has the variant of the list
    people = PEOPLE
    cohort.files.update({f"two.{kind}": cohort.files[f"cohort.{kind}"] for kind in ("fam",)})
    cohort.files["two.bed"] = cohort.files["cohort.bed"]
    cohort.files["two.bim"] = bim(("2", 10), ("2", 20))
    if format == "pgen":
        add_pgen(cohort, ("2", 10), ("2", 20), name="two", samples=people)
    if format == "bgen":
        add_bgen(cohort, ("2", 10), ("2", 20), name="two", samples=people)
    cohort.files["list.txt"] = b"2:20\n"
    dataset = {"genotypes": f"two.{format}", **({"sample": "two.sample"} if format == "bgen" else {})}

    found = checked(cohort, step2={"extract": "list.txt", "datasets": [{"genotypes": "cohort.bed"}, dataset]})

    assert found.samples.lists["regenie.step2.extract"].matched == 1


def test_a_compressed_list_is_unpacked_where_regenie_unpacks_it(cohort: MemoryDataSet):
    cohort.files["list.txt.gz"] = gzip.compress(b"1:10\n")
    assert checked(cohort, step2={"exclude": "list.txt.gz"}).samples.lists["regenie.step2.exclude"].matched == 1

    cohort.files["list.txt"] = gzip.compress(b"1:10\n")
    assert "compressed" in the_fault(cohort, step2={"exclude": "list.txt"}).problem

    cohort.files["list.txt.gz"] = gzip.compress(b"1:10\n")[:-6]
    assert "not whole" in the_fault(cohort, step2={"exclude": "list.txt.gz"}).problem


class TestSharedIds:
    @pytest.fixture
    def dots(self, cohort: MemoryDataSet) -> MemoryDataSet:
        """Given: a cohort whose variants are called `.`, as in many VCF files, all but one."""
        cohort.files["cohort.bed"] += bytes(6)
        cohort.files["cohort.bim"] = b"1 . 0 10 A G\n1 . 0 20 A G\n1 b 0 30 A G\n"
        cohort.files["list.txt"] = b".\n"
        return cohort

    @pytest.mark.parametrize(
        ("given", "words"),
        [
            ({"step1": {"qc": {"mac": 1}}}, "step1.qc chooses"),
            ({"step1": {"extract": "list.txt"}}, "step 1 chooses"),
            ({"step1": {"block_size": 1}}, "step 1 is split"),
            ({"step2": {"exclude": "list.txt"}}, "step 2 chooses"),
        ],
    )
    def test_are_refused_where_ids_choose(self, dots: MemoryDataSet, given: dict[str, Any], words: str):
        fault = the_fault(dots, **given)

        assert fault.where == "regenie.genotypes"
        assert words in fault.problem
        assert "has 1 id that several variants share" in fault.problem

    @pytest.mark.parametrize("given", [{}, {"step1": {"block_size": 1, "jobs": 1}}])
    def test_are_no_matter_where_nothing_goes_by_ids(self, dots: MemoryDataSet, given: dict[str, Any]):
        assert checked(dots, **given)

    def test_on_different_chromosomes_are_no_matter_to_step_2(self, cohort: MemoryDataSet):
        cohort.files["cohort.bim"] = b"1 a 0 10 A G\n2 a 0 20 A G\n"
        cohort.files["list.txt"] = b"a\n"

        assert checked(cohort, step1={"jobs": 1}, step2={"extract": "list.txt"})

    @pytest.mark.parametrize(
        "step1",
        [{}, {"jobs": 1, "extract": "list.txt"}, {"jobs": 1, "exclude": "list.txt"}, {"jobs": 1, "qc": {"mac": 1}}],
    )
    def test_on_different_chromosomes_are_dropped_by_step_1(self, cohort: MemoryDataSet, step1: dict[str, Any]):
        """It reads all chromosomes in one command (regenie 4.1.2: a split level 0 ends, lists lose the second one)."""
        cohort.files["cohort.bed"] += bytes(6)
        cohort.files["cohort.bim"] = b"1 a 0 10 A G\n2 a 0 20 A G\n2 b 0 30 A G\n"
        cohort.files["list.txt"] = b"a\n"

        assert "has 1 id that several variants share, such as a" in the_fault(cohort, step1=step1).problem

    def test_are_shown(self, cohort: MemoryDataSet):
        cohort.files["cohort.bed"] += bytes(6 * 2)
        cohort.files["cohort.bim"] = b"1 a 0 1 A G\n1 b 0 2 A G\n1 a 0 3 A G\n1 b 0 4 A G\n"
        cohort.files["list.txt"] = b"a\n"

        assert "has 2 ids" in the_fault(cohort, step2={"extract": "list.txt"}).problem


class TestNamedVariants:
    @pytest.mark.parametrize(
        ("step2", "where"),
        [
            (
                {"condition": {"variants": "hits.txt", "genotypes": "cohort.bed"}},
                "regenie.step2.condition.variants",
            ),
            (
                {"interaction": {"variant": "1:15", "genotypes": "cohort.bed"}},
                "regenie.step2.interaction.variant",
            ),
        ],
    )
    def test_that_are_absent_are_refused(self, cohort: MemoryDataSet, step2: dict[str, Any], where: str):
        cohort.files["hits.txt"] = b"1:10\n1:15\n"

        fault = the_fault(cohort, step2=step2)

        assert fault.where == where
        assert "1:15" in fault.problem
        assert "1:10" in fault.problem

    def test_that_are_there_are_taken(self, cohort: MemoryDataSet):
        cohort.files["hits.txt"] = b"1:10\n"

        assert checked(cohort, step2={"condition": {"variants": "hits.txt", "genotypes": "cohort.bed"}})


class TestSex:
    def test_nobody_of_the_chosen_sex_is_a_fault(self, cohort: MemoryDataSet):
        fault = the_fault(cohort, sex="female")

        assert (fault.where, "0 of 24 have no sex" in fault.problem) == ("regenie.sex", True)

    def test_without_sexes_nobody_is_left(self, cohort: MemoryDataSet):
        cohort.files["cohort.fam"] = cohort.files["cohort.fam"].replace(b" 0 0 1 ", b" 0 0 0 ")

        assert "24 of 24 have no sex" in the_fault(cohort, sex="male").problem

    def test_cases_are_counted_in_the_chosen_sex(self, cohort: MemoryDataSet):
        # Given: all cases of t2d (odd numbers) are male
        for n in range(0, PEOPLE, 2):
            change(cohort, "cohort.fam", f"f{n} i{n} 0 0 1", f"f{n} i{n} 0 0 2")

        assert "0 cases and 12 controls" in the_fault(cohort, traits=["t2d"], trait_type="binary", sex="female").problem

    def test_the_fourth_column_of_a_sample_file_is_the_sex_whatever_it_is_called(self, cohort: MemoryDataSet):
        add_bgen(cohort, ("1", 10), ("1", 20), name="b", samples=PEOPLE)
        people = "".join(f"f{n} i{n} 0 {n % 2 + 1} 1\n" for n in range(PEOPLE))
        cohort.files["b.sample"] = f"ID_1 ID_2 missing disease sex\n0 0 0 B D\n{people}".encode()
        given = {"genotypes": "b.bgen", "sample": "b.sample"}

        assert "fourth column, 'disease', regenie takes for the sex" in warnings(cohort, **given)
        assert "by which the launch chooses people" in the_fault(cohort, **given, sex="male").problem

    def test_another_data_set_with_other_sexes_is_refused_where_one_is_chosen(self, cohort: MemoryDataSet):
        cohort.files.update({f"two.{kind}": cohort.files[f"cohort.{kind}"] for kind in ("bed", "bim", "fam")})
        change(cohort, "two.fam", "f3 i3 0 0 1", "f3 i3 0 0 2")
        step2 = {"datasets": [{"genotypes": "two.bed"}]}

        assert warnings(cohort, step2=step2) == ""
        assert (
            "another sex than the first genotype file for 1 people"
            in the_fault(cohort, step2=step2, sex="male").problem
        )


@pytest.mark.parametrize(
    ("path", "old", "new", "words"),
    [
        ("cohort.fam", "f3 i3 0 0 1 -9", "f3 i3 0 0 -9 -9", "'-9' where regenie reads the sex (line 4)"),
        ("cohort.fam", "f3 i3 0 0 1 -9", "f3 i3 0 0 M -9", "'M' where regenie reads the sex (line 4)"),
        ("cohort.fam", "f3 i3 0 0 1 -9", "f3 i3 0 0 1", "5 columns in line 4, where regenie reads 6"),
        ("cohort.fam", "f3 i3 0 0 1 -9\n", "f3 i3 0 0 1 -9\n\n", "0 columns in line 5"),
        ("cohort.bim", "1\t1:20", "\n1\t1:20", "a line lacks one of 6 columns"),
    ],
)
def test_samples_and_variants_that_regenie_ends_at_are_refused(
    cohort: MemoryDataSet, path: str, old: str, new: str, words: str
):
    change(cohort, path, old, new)

    assert words in faults(cohort)[0].problem


def test_chromosomes_of_plink_files_have_to_ascend(cohort: MemoryDataSet):
    cohort.files["cohort.bim"] = bim(("2", 10), ("1", 20))
    assert "chromosome 1 behind chromosome 2" in the_fault(cohort).problem

    add_bgen(cohort, ("2", 10), ("1", 20), name="b", samples=PEOPLE)
    assert checked(cohort, genotypes="b.bgen", sample="b.sample")


@pytest.mark.parametrize(
    ("header", "words"), [(b"#FID #IID SEX\n", "it has #FID #IID"), (b"#IID SEX\n", "without a header line")]
)
def test_a_psam_by_its_header(cohort: MemoryDataSet, header: bytes, words: str):
    add_pgen(cohort, ("1", 10), ("1", 20), name="p", samples=PEOPLE)
    cohort.files["p.psam"] = cohort.files["p.psam"].replace(b"#FID IID SEX\n", header)

    fault = the_fault(cohort, genotypes="p.pgen")

    assert words in fault.problem
    assert "cols=fid,sex" in fault.remedy
    assert "psam-cols" not in fault.remedy


class TestCovariates:
    def levels(self, cohort: MemoryDataSet, *levels: str) -> dict[str, Any]:
        """Given: a categorical covariate with these levels, of which the second person has none."""
        rows = [[levels[n % len(levels)]] for n in range(PEOPLE)]
        cohort.files["covariates.txt"] = table("smoking", rows)
        return {"categorical_covariates": ["smoking"]}

    def test_a_baseline_that_is_no_level_is_refused_with_the_levels(self, cohort: MemoryDataSet):
        given = self.levels(cohort, "never", "past", "now")
        change(cohort, "covariates.txt", "f3 i3 never", "f3 i3 NA")

        fault = the_fault(cohort, **given, step2={"interaction": {"covariate": "smoking", "baseline": "Never"}})

        assert fault.where == "regenie.step2.interaction.baseline"
        assert "never (7), past (8), now (8)" in fault.problem

    def test_a_baseline_is_looked_for_among_those_who_are_analysed(self, cohort: MemoryDataSet):
        given = self.levels(cohort, "past", "now")
        change(cohort, "covariates.txt", "f2 i2 past", "f2 i2 never")
        change(cohort, "covariates.txt", "f4 i4 past", "f4 i4 never")
        cohort.files["out.txt"] = b"f2 i2\nf4 i4\n"
        step2 = {"interaction": {"covariate": "smoking", "baseline": "never"}}

        assert checked(cohort, **given, step2=step2)
        assert "never" in the_fault(cohort, **given, step2=step2, remove="out.txt").problem

    def test_more_levels_than_regenie_takes_are_refused(self, cohort: MemoryDataSet):
        given = self.levels(cohort, *(f"site{n}" for n in range(11)))
        assert "11 levels" in the_fault(cohort, **given).problem

        more = {"extra": ["--maxCatLevels 11"]}
        assert checked(cohort, **given, step1=more, step2=more)
        given = self.levels(cohort, *(f"site{n}" for n in range(10)))
        assert checked(cohort, **given, traits=["ldl"])  # height is the same in all people of a site

    def test_one_level_is_warned_of_and_refused_as_an_interaction(self, cohort: MemoryDataSet):
        given = self.levels(cohort, "never")

        assert "has one level" in warnings(cohort, **given)
        step2 = {"interaction": {"covariate": "smoking"}}
        assert the_fault(cohort, **given, step2=step2).where == "regenie.step2.interaction.covariate"

    def test_one_file_for_traits_and_covariates_has_its_traits_left_out_of_these(self, cohort: MemoryDataSet):
        # Given: a file with everything, and a trait that half the people lack
        rows = [[n % 5, "NA" if n < 2 else n % 7, n % 2, 40 + n] for n in range(PEOPLE)]
        cohort.files["all.txt"] = table("height ldl sex age", rows)

        found = checked(cohort, phenotypes="all.txt", covariates="all.txt")

        assert "lack a covariate" not in "\n".join(found.warnings)
        assert found.samples.with_covariates == PEOPLE
        assert found.analysed.covariate_columns == ("sex", "age")
        assert found.covariates == 2


class TestGivenPredictions:
    def given(self, cohort: MemoryDataSet, content: bytes) -> dict[str, Any]:
        cohort.files.update({"p.list": b"height h.loco\nldl l.loco\n", "h.loco": content, "l.loco": loco(PEOPLE)})
        return {"step1": {"enabled": False, "predictions": "p.list"}}

    def test_people_without_one_are_counted_out_of_the_trait(self, cohort: MemoryDataSet):
        found = checked(cohort, **self.given(cohort, loco(10)))

        assert found.samples.traits["height"].analysed == 10
        assert found.samples.traits["ldl"].analysed == PEOPLE
        assert "for 10 of the 24 people who are analysed (less than half)" in "\n".join(found.warnings)

    def test_a_missing_prediction_is_none(self, cohort: MemoryDataSet):
        found = checked(cohort, **self.given(cohort, loco(PEOPLE, missing=1)))

        assert found.samples.traits["height"].analysed == PEOPLE - 1

    def test_predictions_of_other_people_are_refused(self, cohort: MemoryDataSet):
        fault = the_fault(cohort, **self.given(cohort, loco(PEOPLE).replace(b" f", b" g")))

        assert fault.where == "regenie.step1.predictions"
        assert "for none of the 24 people" in fault.problem

    @pytest.mark.parametrize("chromosome", [1, 2, 23])
    @pytest.mark.parametrize("word", ["nan", "NaN", "NAN", "N", "-inf", "abc", "1-2", "--", "1e+"])
    def test_a_prediction_that_is_no_number_is_refused(self, cohort: MemoryDataSet, chromosome: int, word: str):
        """regenie 4.1.2 takes it for missing: it leaves the person out, or ends in step 2 (both run)."""
        lines = loco(PEOPLE).decode().splitlines()
        words = lines[chromosome].split()
        lines[chromosome] = " ".join([*words[:3], word, *words[4:]])

        fault = the_fault(cohort, **self.given(cohort, "\n".join([*lines, ""]).encode()))

        assert fault.where == "regenie.step1.predictions"
        assert f"has '{word}' for f2_i2 on chromosome {chromosome}, which is no prediction" in fault.problem

    def test_predictions_that_are_all_0_are_warned_of(self, cohort: MemoryDataSet):
        zeros = loco(PEOPLE, missing=1).replace(b"0.5", b"0")

        assert "in which every prediction of height is 0" in warnings(cohort, **self.given(cohort, zeros))
        zeros = zeros.replace(b" 0\n", b" 0.1\n", 1)
        assert "every prediction" not in warnings(cohort, **self.given(cohort, zeros))

    @pytest.mark.parametrize("value", [b"0.5", b"-1.5e-05", b"+2", b"1E3"])
    def test_numbers_and_tabs_of_other_tools_are_read(self, cohort: MemoryDataSet, value: bytes):
        tabs = loco(PEOPLE, missing=1).replace(b"0.5", value).replace(b" ", b"\t")

        assert "every prediction" not in warnings(cohort, **self.given(cohort, tabs))

    @pytest.mark.parametrize("content", [b"", b"FID_IID\n", b"FID_IID f0_i0\n1 0.5 0.5\n", b"f0_i0\n0.5\n"])
    def test_what_is_no_loco_file_is_refused(self, cohort: MemoryDataSet, content: bytes):
        assert "no file of LOCO predictions" in the_fault(cohort, **self.given(cohort, content)).problem

    def test_a_compressed_file_is_read_as_regenie_reads_it(self, cohort: MemoryDataSet):
        given = self.given(cohort, loco(PEOPLE))
        cohort.files["p.list"] = b"height h.loco.gz\nldl l.loco\n"
        cohort.files["h.loco.gz"] = gzip.compress(loco(10))

        assert checked(cohort, **given).samples.traits["height"].analysed == 10

    @pytest.mark.parametrize(
        ("spoil", "words"),
        [
            (lambda whole: b"\n".join(whole.split(b"\n")[:2] + whole.split(b"\n")[3:]), "line 3 has not chromosome 2"),
            (lambda whole: whole[: len(whole) * 2 // 3], "no whole file"),
            (lambda whole: b"\n".join(whole.split(b"\n")[:12]) + b"\n", "ends at chromosome 11"),
            (lambda whole: whole.replace(b"\n9 0.5", b"\n9 NA"), "line 10 has not chromosome 9"),
            (lambda whole: whole.replace(b"f1_i1", b"f0_i0"), "people more than once"),
        ],
    )
    def test_a_file_at_which_step_2_would_end_is_refused(
        self, cohort: MemoryDataSet, spoil: Callable[[bytes], bytes], words: str
    ):
        assert words in the_fault(cohort, **self.given(cohort, spoil(loco(PEOPLE)))).problem

    @pytest.mark.parametrize("listed", [{}, {"extract": "few.txt"}, {"exclude": "few.txt"}])
    def test_predictions_must_reach_the_last_tested_chromosome(self, cohort: MemoryDataSet, listed: dict[str, str]):
        # Given: predictions up to 22, as other tools write them, and variants of X
        cohort.files["cohort.bim"] = bim(("1", 10), ("23", 20))
        cohort.files["few.txt"] = b"1:10\n"
        up_to_22 = b"".join(loco(PEOPLE).splitlines(keepends=True)[:23])
        given = {**self.given(cohort, up_to_22), "step2": listed}
        cohort.files["l.loco"] = up_to_22

        if listed:  # no variant of X may be left: regenie reads the line of a chromosome when it tests one
            checked(cohort, **given)
        else:
            problems = [fault.problem for fault in faults(cohort, **given)]
            assert len(problems) == 2
            assert all("ends at chromosome 22, but step 2 tests chromosome 23" in problem for problem in problems)

    def test_a_trait_twice_is_refused_as_regenie_does(self, cohort: MemoryDataSet):
        given = self.given(cohort, loco(PEOPLE))
        cohort.files["p.list"] += b"height l.loco\n"

        assert "has height more than once" in the_fault(cohort, **given).problem


@pytest.mark.parametrize("key", ["remove", "keep"])
def test_an_empty_list_of_whom_to_leave_out_is_no_fault(cohort: MemoryDataSet, key: str):
    cohort.files["list.txt"] = b""

    if key == "remove":
        assert "is empty and leaves nothing out" in warnings(cohort, remove="list.txt")
    else:
        assert "list.txt, which is empty" in the_fault(cohort, keep="list.txt").problem


def test_ids_with_numbers_behind_them_are_no_ranges(cohort: MemoryDataSet):
    cohort.files["list.txt"] = b"1:10 1 10\n1:20 1 20\n"

    assert checked(cohort, step2={"extract": "list.txt"}).samples.lists["regenie.step2.extract"].matched == 2


@pytest.mark.parametrize(("trait_type", "value"), [("quantitative", "."), ("binary", "-9")])
def test_values_of_people_who_lack_a_covariate_are_looked_at_too(cohort: MemoryDataSet, trait_type: str, value: str):
    """regenie parses them, and ends: "could not convert value to double", "a phenotype value is not 0/1/NA"."""
    trait = "t2d" if trait_type == "binary" else "height"
    new = f"f7 i7 {value} -3 1" if trait == "height" else f"f7 i7 0 -3 {value}"
    change(cohort, "phenotypes.txt", "f7 i7 0 -3 1", new)
    change(cohort, "covariates.txt", "f7 i7 47", "f7 i7 NA")

    fault = the_fault(cohort, traits=[trait], trait_type=trait_type)

    assert fault.where == "regenie.traits"
    assert value in fault.problem or "value other than 0 and 1" in fault.problem


@pytest.mark.parametrize(
    ("format", "old", "new", "words"),
    [
        (".fam", "f3 i3", "f3 i3 jr", "7 columns instead of 6 in line 4"),
        (".psam", "f3 i3", "f 3 i3", "4 columns instead of 3 in line 5"),
        (".sample", "f3 i3", "f3 i3 jr", "4 columns instead of 3 in line 6"),
    ],
)
def test_a_blank_within_a_samples_id_is_refused(cohort: MemoryDataSet, format: str, old: str, new: str, words: str):
    given: dict[str, Any] = {}
    if format == ".psam":
        add_pgen(cohort, ("1", 10), ("1", 20), name="cohort", samples=PEOPLE)
        given = {"genotypes": "cohort.pgen"}
    elif format == ".sample":
        add_bgen(cohort, ("1", 10), ("1", 20), name="cohort", samples=PEOPLE)
        given = {"genotypes": "cohort.bgen", "sample": "cohort.sample"}
    change(cohort, f"cohort{format}", f"{old} ", f"{new} ")

    found = faults(cohort, **given)

    assert any(words in fault.problem and "ids without a blank" in fault.remedy for fault in found)


@pytest.mark.parametrize("more", [b" 1.5", b" 1.5 NA", b"  -9", b" "])
def test_more_columns_of_every_person_are_passed_over_as_by_regenie(cohort: MemoryDataSet, more: bytes):
    cohort.files["cohort.fam"] = b"".join(line + more + b"\n" for line in cohort.files["cohort.fam"].splitlines())

    assert checked(cohort).samples.genotyped == PEOPLE


def test_a_blank_within_the_first_samples_id_is_refused(cohort: MemoryDataSet):
    change(cohort, "cohort.fam", "f0 i0 ", "f0 i0 jr ")

    assert any("6 columns instead of 7 in line 2" in fault.problem for fault in faults(cohort))


@pytest.mark.parametrize("step", ["step1", "step2"])
@pytest.mark.parametrize("qc", [True, False])
def test_a_list_that_leaves_out_every_variant_is_refused(cohort: MemoryDataSet, step: str, qc: bool):
    cohort.files["out.txt"] = b"1:10\n1:20\n1:30\n"
    given: dict[str, dict[str, Any]] = {"step1": {"qc": {"mac": 1} if qc else False}}
    given.setdefault(step, {})["exclude"] = "out.txt"

    fault = the_fault(cohort, **given)

    assert fault.where == f"regenie.{step}.exclude"
    assert "leaves out every variant of these genotypes" in fault.problem
    assert f"{step}.extract" in fault.remedy


def test_lists_that_leave_few_variants_to_step_1_are_warned_of(cohort: MemoryDataSet):
    cohort.files["in.txt"] = b"1:10\n"

    assert "leaves 1 variant for step 1" in warnings(cohort, step1={"extract": "in.txt"})
    assert "for step 1" not in warnings(cohort, step2={"extract": "in.txt"})


def test_lists_that_leave_a_block_of_variants_to_step_1_are_not(cohort: MemoryDataSet):
    cohort.files["cohort.bed"] = b"\x6c\x1b\x01" + bytes(6 * 101)
    cohort.files["cohort.bim"] = bim(*(("1", 10 + number) for number in range(101)))
    cohort.files["out.txt"] = b"1:10\n"

    assert "for step 1" not in warnings(cohort, step1={"exclude": "out.txt"})


@pytest.mark.parametrize("step", ["step1", "step2"])
def test_two_lists_that_leave_nothing_together_are_refused(cohort: MemoryDataSet, step: str):
    cohort.files["in.txt"] = b"1:10\n"
    cohort.files["out.txt"] = b"1:10\n"

    fault = the_fault(cohort, **{step: {"extract": "in.txt", "exclude": "out.txt"}})

    assert fault.where == f"regenie.{step}.exclude"
    assert f"leaves out whatever {step}.extract chooses (1 variant)" in fault.problem


def test_lists_of_step_2_have_to_leave_a_variant_of_one_file_only(cohort: MemoryDataSet):
    cohort.files["out.txt"] = b"1:10\n1:20\n"
    add_pgen(cohort, ("2", 5), name="two", samples=PEOPLE)

    checked(cohort, step2={"exclude": "out.txt", "datasets": [{"genotypes": "cohort.bed"}, {"genotypes": "two.pgen"}]})
    cohort.files["out.txt"] += b"2:5\n"
    fault = the_fault(
        cohort, step2={"exclude": "out.txt", "datasets": [{"genotypes": "cohort.bed"}, {"genotypes": "two.pgen"}]}
    )

    assert fault.where == "regenie.step2.exclude"
