"""Where a data set's variants lie, in each format."""

from types import SimpleNamespace

import pytest

from genolaunch.regenie.genotypes import GenotypeFiles
from genolaunch.shared.input_error import UnusableInputError
from lambdas.regenie.variants import variant_names, variant_positions
from tests.unit.regenie_planning.conftest import MemoryDataSet, add_bgen, bgi, bim


def test_a_bim_gives_chromosome_and_position_of_each_line(data: MemoryDataSet):
    data.files["a.bim"] = bim(("1", 186), ("chr2", 99), ("X", 5), ("PAR1", 7))

    assert list(variant_positions(data, GenotypeFiles("a.bed"))) == [(1, 186), (2, 99), (23, 5), (23, 7)]


def test_a_pvar_with_header_has_its_position_in_the_second_column(data: MemoryDataSet):
    data.files["a.pvar"] = b"##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\n1\t186\trs1\tA\tG\n22\t7\trs2\tC\tT\n"

    assert list(variant_positions(data, GenotypeFiles("a.pgen"))) == [(1, 186), (22, 7)]


def test_the_columns_of_a_pvar_are_found_by_their_names(data: MemoryDataSet):
    data.files["a.pvar"] = b"##source=x\n#CHROM\tID\tPOS\tREF\tALT\tINFO\n1\t77\t186\tA\tG\t.\n22\t78\t7\tC\tT\t.\n"

    assert list(variant_positions(data, GenotypeFiles("a.pgen"))) == [(1, 186), (22, 7)]
    assert list(variant_names(data, GenotypeFiles("a.pgen"))) == [(1, b"77"), (22, b"78")]


@pytest.mark.parametrize("start", [b"", b"#CHROM POS ID REF\n", b"##fileformat=VCFv4.2\n\n", b"CHROM POS ID REF ALT\n"])
def test_a_pvar_without_the_header_that_regenie_needs_is_refused(data: MemoryDataSet, start: bytes):
    data.files["a.pvar"] = start + bim(("1", 186))

    with pytest.raises(UnusableInputError, match="without a header line #CHROM POS ID REF ALT"):
        list(variant_positions(data, GenotypeFiles("a.pgen")))


def test_variants_of_three_alleles_are_refused_in_each_format(data: MemoryDataSet):
    data.files["a.bim"] = b"1 rs1 0 5 A,T G\n"
    data.files["a.pvar"] = b"#CHROM POS ID REF ALT\n1 5 rs1 G A,T\n"
    data.files["a.bgen.bgi"] = bgi(("1", 5), alleles=3)

    for name, words in (("a.bed", "several alternative"), ("a.pgen", "several alternative"), ("a.bgen", "than two")):
        with pytest.raises(UnusableInputError, match=words):
            list(variant_positions(data, GenotypeFiles(name)))


def test_a_bgen_index_gives_chromosomes_in_the_order_of_the_file(data: MemoryDataSet):
    data.files["a.bgen"] = bytes(99)
    data.files["a.bgen.bgi"] = bgi(("02", 30), ("02", 20), ("10", 5), ("X", 1))

    assert list(variant_positions(data, GenotypeFiles("a.bgen"))) == [(2, 20), (2, 30), (10, 5), (23, 1)]


def test_a_missing_bgen_index_is_named(data: MemoryDataSet):
    with pytest.raises(UnusableInputError, match=r"s3://data/cohort/a\.bgen\.bgi, which does not exist"):
        list(variant_positions(data, GenotypeFiles("a.bgen")))


def test_a_bgen_index_that_is_no_database_is_refused(data: MemoryDataSet):
    data.files["a.bgen.bgi"] = b"not SQLite" * 100

    with pytest.raises(UnusableInputError, match="cannot be read"):
        list(variant_positions(data, GenotypeFiles("a.bgen")))


@pytest.mark.parametrize(
    ("name", "why"),
    [
        *((name, "does not know") for name in ("MT", "0", "24", "25", "GL000192.1")),
        *((name, "counts as X") for name in ("Y", "chrY")),
        *((name, "would take for chromosome 1") for name in ("chr1_KI270706v1_random", "1_alt")),
    ],
)
def test_a_chromosome_that_regenie_refuses_or_takes_for_another_is_named(data: MemoryDataSet, name: str, why: str):
    data.files["a.bim"] = bim(("1", 1), (name, 5))

    with pytest.raises(UnusableInputError, match=f"chromosome {name} .*{why}"):
        list(variant_positions(data, GenotypeFiles("a.bed")))


@pytest.mark.parametrize(
    "line",
    [b"1 rs1 0", b"1 rs1 0 five A G", b"1 rs1 0 -5 A G", b"1 rs1 0 5 A", b"", b"1  rs1 0 5 A G", b"1 rs1 0 010 A G"],
)
def test_a_line_that_regenie_would_refuse_or_misread_is_shown(data: MemoryDataSet, line: bytes):
    data.files["a.bim"] = bim(("1", 1)) + line + b"\n"

    with pytest.raises(UnusableInputError, match="a line lacks one of 6 columns, or its position"):
        list(variant_positions(data, GenotypeFiles("a.bed")))


@pytest.mark.parametrize(
    ("name", "lines", "columns"),
    [
        ("a.bim", b"1 rs1 0 5 A G\n1 rs1009 dup 0 3266057 A G\n", "line 2 has 7 columns instead of 6"),
        ("a.bim", b"1\trs1\t0\t5\tA\tG\n1\trs 2\t0\t7\tA\tG\n", "line 2 has 7 columns instead of 6"),
        ("a.bim", b"1 rs1 dup 0 5 A G\n1 rs2 0 7 A G\n", "line 2 has 6 columns instead of 7"),
        ("a.bim", b"1 rs 1 0 51 A G\n1 rs 2 0 72 A G\n", "line 1 has the number 51 for an allele"),
        ("a.pvar", b"#CHROM POS ID REF ALT\n1 5 rs 1 G A\n", "line 2 has 6 columns instead of 5"),
        ("a.pvar", b"#CHROM\tID\tPOS\tREF\tALT\n1\t4 7\t5\tG\tA\n", "line 2 has 6 columns instead of 5"),
    ],
)
def test_a_blank_within_an_id_is_refused(data: MemoryDataSet, name: str, lines: bytes, columns: str):
    """regenie 4.1.2 takes another column for the position, and tells nothing."""
    data.files[name] = lines
    files = GenotypeFiles(name.replace(".bim", ".bed").replace(".pvar", ".pgen"))

    for read in (variant_positions, variant_names):
        with pytest.raises(UnusableInputError, match=columns) as refusal:
            list(read(data, files))
        assert "ids without a blank" in refusal.value.remedy


def test_blanks_behind_what_regenie_reads_are_taken(data: MemoryDataSet):
    data.files["a.pvar"] = b"#CHROM\tPOS\tID\tREF\tALT\tINFO\n1\t5\trs1\tG\tA\tin silico call\n"
    data.files["b.bim"] = b"1 rs1 0 5 A G \n1\trs2\t0\t7\tA\tG\t\n"
    data.files["c.bim"] = b"1 rs1 0 5 A G TP53\n1\trs2\t0\t7\tA\tG\t\tBRCA2\n"  # regenie passes over the seventh

    assert list(variant_names(data, GenotypeFiles("a.pgen"))) == [(1, b"rs1")]
    for path in ("b.bed", "c.bed"):
        assert list(variant_names(data, GenotypeFiles(path))) == [(1, b"rs1"), (1, b"rs2")]


def test_an_index_that_does_not_fit_beside_what_is_there_is_refused_before_it_is_copied(
    data: MemoryDataSet, monkeypatch: pytest.MonkeyPatch
):
    add_bgen(data, ("1", 10), name="imputed")
    size = len(data.files["imputed.bgen.bgi"])
    files = GenotypeFiles("imputed.bgen", "imputed.sample")

    def free(share: float) -> None:
        usage = SimpleNamespace(free=int(size / share))
        monkeypatch.setattr("shutil.disk_usage", lambda _folder: usage)

    free(0.89)
    assert list(variant_positions(data, files)) == [(1, 10)]
    free(0.91)
    monkeypatch.setattr(MemoryDataSet, "download", None)
    with pytest.raises(UnusableInputError, match="more than planning can hold") as refusal:
        list(variant_positions(data, files))
    assert "Split the .bgen file by chromosome" in refusal.value.remedy
