"""What reference files say of leads, and what is said where they are missing or strange."""

import gzip
from pathlib import Path
from typing import Any, Literal

import pysam
import pytest

from regenie_runner.annotations import NOTHING, Annotator, Place
from regenie_runner.references import Genes, Known, NoReferenceError, Rates, Variants
from tests.regenie.reference_files import NAMES, make_references

LEAD = Place("1", 5_000_000, frozenset("AG"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_references(tmp_path)
    return tmp_path


def references(**more: Any) -> Any:
    return {"files": NAMES, "why_not": "", "known_kb": 500.0, "known_as": [], **more}


def tabixed(path: Path, text: str, preset: Literal["gff", "vcf"]) -> Path:
    """Of a plain text."""
    path.with_suffix("").write_text(text)
    pysam.tabix_compress(str(path.with_suffix("")), str(path), force=True)
    pysam.tabix_index(str(path), preset=preset, force=True)
    return path


def test_every_file_has_its_part(folder):
    annotator = Annotator(references(), folder, [LEAD])
    assert annotator.annotation(LEAD) == {
        "rsid": "rs50",
        "genes": "TALL1",
        "gene_distance": 0,
        "consequence": "coding sequence",
        "known": True,
        "known_variant": "rs800",
        "known_traits": "Schizophrenia",
        "known_distance": 1_000,
    }
    around = annotator.around("1", 4_750_000, 5_320_000)
    assert [gene["name"] for gene in around.genes] == ["TALL1", "TALL2"]
    assert around.recombination[:2] == [(4_750_000, 0.2), (4_760_000, 0.2)]
    assert (5_000_000, 40.0) in around.recombination
    assert annotator.missing == []


@pytest.mark.parametrize(
    ("name", "words", "lost"),
    [
        ("genes.gff3.gz", "genes", ("genes", "gene_distance", "consequence")),
        ("genes.gff3.gz.tbi", "genes", ("genes", "gene_distance", "consequence")),
        ("dbsnp.vcf.gz", "rsIDs", ("rsid",)),
        ("dbsnp.vcf.gz.tbi", "rsIDs", ("rsid",)),
        ("rates.txt.gz.tbi", "recombination rates", ()),
        ("associations.tsv", "known associations", ("known", "known_variant", "known_traits", "known_distance")),
    ],
)
def test_a_missing_file_costs_its_part_and_a_sentence(folder, name, words, lost):
    (folder / name).unlink()
    annotator = Annotator(references(), folder, [LEAD])
    assert annotator.missing == [f"Not shown, because {name} is not among the stage's reference files: {words}."]
    found = annotator.annotation(LEAD)
    assert {key for key, value in found.items() if value is None} == set(lost)


def test_without_files_the_reason_is_told_once(folder):
    annotator = Annotator(references(files={}, why_not="the launch does not state its genome_build"), folder, [LEAD])
    assert annotator.annotation(LEAD) == NOTHING
    assert annotator.missing == [
        "Not shown, because the launch does not state its genome_build: "
        "rsIDs, genes, known associations, recombination rates."
    ]


def test_without_leads_or_references_nothing_is_opened(tmp_path):
    for annotator in (Annotator(references(), tmp_path, []), Annotator(None, tmp_path, [LEAD])):
        assert annotator.missing == []
        assert annotator.annotation(LEAD) == NOTHING


@pytest.mark.parametrize("reader", [Genes, Variants, Rates])
def test_what_is_no_indexed_file_is_told(tmp_path, reader):
    (tmp_path / "x.gz").write_text("no gzip")
    (tmp_path / "x.gz.tbi").write_text("no index")
    with pytest.raises(NoReferenceError, match=r"x\.gz is no file that bgzip and tabix made"):
        reader(tmp_path / "x.gz")


@pytest.mark.parametrize(
    ("contig", "build", "expected"),
    [
        ("NC_000001.10", "GRCh38", "NC_000001.11"),
        ("NC_000001.11", "GRCh37", "NC_000001.10"),
        ("NC_000007.14", "GRCh37", "NC_000007.13"),
        ("NC_000014.7", "GRCh37", "NC_000014.8"),
        ("NC_000023.10", "NCBI36", "NC_000023.9"),
        ("NC_000024.9", "GRCh38", "NC_000024.10"),
    ],
)
@pytest.mark.parametrize("kind", ["genes", "recombination"])
def test_a_file_of_another_build_is_not_used(tmp_path, kind, contig, build, expected):
    line = f"{contig}\tx\tgene\t100\t200\t.\t-\t.\tID=x\n"
    tabixed(tmp_path / "g.gz", line, "gff")
    lead = Place("1", 150, frozenset("AG"))
    annotator = Annotator(references(files={kind: "g.gz"}, genome_build=build, why_not="x"), tmp_path, [lead])
    assert annotator.of == []
    assert any(
        f"because g.gz is not of {build}: it has {contig} instead of {expected}:" in m for m in annotator.missing
    )

    right = line.replace(contig, expected)
    tabixed(tmp_path / "g.gz", right, "gff")
    annotator = Annotator(references(files={kind: "g.gz"}, genome_build=build, why_not="x"), tmp_path, [lead])
    assert annotator.of == [kind]


@pytest.mark.parametrize("contig", ["1", "chr1", "NC_012920.1", "NT_187361.1", "NC_060925.1"])
def test_names_that_tell_no_build_are_no_reason(tmp_path, contig):
    line = f"{contig}\tx\tgene\t100\t200\t.\t-\t.\tID=x\n"
    assert Genes(tabixed(tmp_path / "g.gff3.gz", line, "gff"), "GRCh38")


@pytest.mark.parametrize(
    ("attributes", "kind", "name", "coding"),
    [
        ("ID=gene:E1;Name=A1BG;biotype=protein_coding", "gene", "A1BG", True),  # Ensembl
        ("ID=gene:E1;biotype=lncRNA", "ncRNA_gene", "gene:E1", False),
        ("ID=E1.2;gene_type=protein_coding;gene_name=A1BG", "gene", "A1BG", True),  # GENCODE
        ("ID=gene-A1BG;Name=A1BG;gene_biotype=protein_coding", "gene", "A1BG", True),  # NCBI
        ("ID=gene-P;Name=P;pseudo=true", "pseudogene", "P", False),
        ("ID=x", "gene", "x", True),
    ],
)
def test_genes_of_each_publisher(tmp_path, attributes, kind, name, coding):
    line = f"NC_000023.11\tx\t{kind}\t100\t200\t.\t-\t.\t{attributes}\n"
    genes = Genes(tabixed(tmp_path / "g.gff3.gz", line, "gff"))
    (feature,) = genes.features(23, 150, 150)
    assert feature.gene is not None
    assert (feature.gene.name, feature.gene.coding, feature.gene.distance(90)) == (name, coding, 10)


@pytest.mark.parametrize(
    ("position", "words"),
    [
        (1_000, "5′ UTR"),
        (1_200, "coding sequence"),
        (1_500, "intron"),
        (1_990, "exon, not coding"),
        (900, "downstream"),  # the gene is read from right to left
        (7_000, "upstream"),
        (7_002, "between genes"),
    ],
)
def test_where_a_position_lies(tmp_path, position, words):
    features = [
        ("gene", 1_000, 2_001, "ID=g;Name=G;biotype=protein_coding"),
        ("five_prime_UTR", 1_000, 1_100, "Parent=t"),
        ("exon", 1_000, 1_300, "Parent=t"),
        ("CDS", 1_101, 1_300, "Parent=t"),
        ("exon", 1_980, 2_001, "Parent=t"),
    ]
    text = "".join(f"1\tx\t{kind}\t{start}\t{end}\t.\t-\t.\t{more}\n" for kind, start, end, more in features)
    tabixed(tmp_path / "g.gff3.gz", text, "gff")
    lead = Place("chr1", position, frozenset("AG"))
    annotator = Annotator(references(files={"genes": "g.gff3.gz"}), tmp_path, [lead])
    assert annotator.annotation(lead)["consequence"] == words


@pytest.mark.parametrize("transcripts", [True, False])
@pytest.mark.parametrize(
    ("position", "words"),
    [(1_500, "intron"), (1_050, "coding sequence"), (2_500, "in another gene")],
)
def test_parts_of_genes_that_are_not_named_do_not_count(tmp_path, transcripts, position, words):
    """An RNA's exon lies in an intron of the nearest gene, and goes on behind it."""
    features = [
        ("gene", 1_000, 2_000, "+", "ID=g;Name=G;biotype=protein_coding"),
        ("mRNA", 1_000, 2_000, "+", "ID=t;Parent=g"),
        ("exon", 1_000, 1_100, "+", "Parent=t"),
        ("CDS", 1_000, 1_100, "+", "Parent=t"),
        ("ncRNA_gene", 1_040, 3_000, "-", "ID=r;Name=R;biotype=lncRNA"),
        ("lnc_RNA", 1_040, 3_000, "-", "ID=rt;Parent=r"),
        ("exon", 1_400, 2_600, "-", "Parent=rt"),
    ]
    text = "".join(
        f"1\tx\t{kind}\t{start}\t{end}\t.\t{side}\t.\t{more}\n"
        for kind, start, end, side, more in features
        if transcripts or "RNA" not in kind or kind == "ncRNA_gene"
    )
    tabixed(tmp_path / "g.gff3.gz", text, "gff")
    lead = Place("1", position, frozenset("AG"))
    found = Annotator(references(files={"genes": "g.gff3.gz"}), tmp_path, [lead]).annotation(lead)
    assert (found["genes"], found["consequence"]) == ("G", words)


@pytest.mark.parametrize("parents", ["t", "u,t"])
def test_a_part_may_be_of_several_transcripts(tmp_path, parents):
    features = ["gene\t10\t90\tID=a;Name=A", "mRNA\t10\t90\tID=t;Parent=a", "gene\t10\t95\tID=b;Name=B;biotype=lncRNA"]
    features += ["lnc_RNA\t10\t95\tID=u;Parent=b", f"exon\t20\t30\tParent={parents}"]
    lines = ["1\tx\t{}\t{}\t{}\t.\t+\t.\t{}\n".format(*each.split("\t")) for each in features]
    tabixed(tmp_path / "g.gff3.gz", "".join(lines), "gff")
    lead = Place("1", 25, frozenset("AG"))
    found = Annotator(references(files={"genes": "g.gff3.gz"}), tmp_path, [lead]).annotation(lead)
    assert (found["genes"], found["consequence"]) == ("A", "exon, not coding")


@pytest.mark.parametrize(
    ("alleles", "name"),
    [(("G", "A"), "rs50"), (("T", "G"), "rs50"), (("A", "C"), "rs5"), (("A", "T"), None), (("G", "C"), None)],
)
def test_an_rsid_is_of_the_same_alleles(folder, alleles, name):
    assert Variants(folder / NAMES["rsids"]).name(1, 5_000_000, frozenset(alleles)) == name


def test_known_are_significant_associations_in_the_window_with_the_trait(folder):
    def known(position: int, window: int, *traits: str) -> list[str]:
        found = Known(folder / NAMES["known"], {7: [position]}, window, traits).nearest(7, position)
        return [each.variant for each in found]

    assert known(20_000_000, 500_000) == ["rs700"]
    assert known(20_000_000, 30_000) == []
    assert known(20_000_000, 30_001) == ["rs700"]
    assert known(20_300_000, 500_000, "BODY height") == ["rs701"]
    assert known(20_000_000, 500_000, "asthma") == []


def test_a_table_without_its_columns_is_told(tmp_path):
    (tmp_path / "known.tsv").write_text("SNP\tP\n")
    with pytest.raises(NoReferenceError, match=r"known\.tsv has no column CHR_ID"):
        Known(tmp_path / "known.tsv", {1: [5]}, 500, ())


def test_a_file_that_is_cut_short_is_told(folder):
    genes = folder / NAMES["genes"]
    genes.write_bytes(genes.read_bytes()[:-40])
    annotator = Annotator(references(), folder, [LEAD])
    assert annotator.missing == [
        "Not shown, because genes.gff3.gz is cut short: it does not end as bgzip ends a file: genes."
    ]
    assert annotator.annotation(LEAD)["genes"] is None


def test_packed_associations_that_are_cut_short_are_told(folder):
    lines = (folder / NAMES["known"]).read_bytes() + b"".join(b"%d\n" % (number**3) for number in range(50_000))
    packed = gzip.compress(lines)
    (folder / "known.tsv.gz").write_bytes(packed[: len(packed) - 20])
    annotator = Annotator(references(files={**NAMES, "known": "known.tsv.gz"}), folder, [LEAD])
    (told,) = annotator.missing
    assert told.startswith("Not shown, because known.tsv.gz is damaged or of another format (EOFError: ")
    assert told.endswith("): known associations.")
    assert (annotator.annotation(LEAD)["known"], annotator.annotation(LEAD)["genes"]) == (None, "TALL1")


def associations_with_a_long_field(folder: Path) -> None:
    (folder / NAMES["known"]).write_bytes((folder / NAMES["known"]).read_bytes() + b"x" * 200_000 + b"\n")


def rewritten(folder: Path, kind: str, preset: Literal["gff", "vcf"], line: str) -> None:
    """With a single line, of the lead's place."""
    tabixed(folder / NAMES[kind], line, preset)


BARE_VARIANT, BARE_GENE = "1\t5000000\trs1\tA\n", "1\tx\tgene\t5000000\t5000001\n"
DAMAGE: dict[str, tuple[str, str, Any]] = {
    "a field beyond all bounds": ("known", "Error: field larger", associations_with_a_long_field),
    "a variant of four columns": ("rsids", "IndexError", lambda at: rewritten(at, "rsids", "vcf", BARE_VARIANT)),
    "a gene of five columns": ("genes", "IndexError", lambda at: rewritten(at, "genes", "gff", BARE_GENE)),
    "a folder": ("known", "", lambda at: ((at / NAMES["known"]).unlink(), (at / NAMES["known"]).mkdir())),
}


@pytest.mark.parametrize(("kind", "error", "do"), DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_file_costs_its_part_only(folder, capfd, kind, error, do):
    whole: Any = Annotator(references(), folder, [LEAD]).annotation(LEAD)
    do(folder)

    annotator = Annotator(references(), folder, [LEAD])
    found: Any = annotator.annotation(LEAD)
    around = annotator.around("1", 4_900_000, 5_100_000)

    (told,) = annotator.missing
    assert NAMES[kind] in told
    assert error in told
    assert kind not in annotator.of
    of_kind = {"known": "known", "rsids": "rsid", "genes": "genes"}
    assert found[of_kind[kind]] is None
    for other in set(of_kind) - {kind}:
        assert found[of_kind[other]] == whole[of_kind[other]]
    assert (around.genes == []) == (kind == "genes")
    assert around.recombination
    assert not error or error.split(":")[0] in capfd.readouterr().err


VCF = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
ELSEWHERE = Place("23", 5_000_000, frozenset("AG"))


def test_a_chromosome_that_files_lack_is_told_and_no_answer(folder):
    annotator = Annotator(references(), folder, [LEAD, ELSEWHERE])

    nothing = annotator.annotation(ELSEWHERE)
    around = annotator.around("23", 4_900_000, 5_100_000)

    assert {nothing[key] for key in ("rsid", "genes", "gene_distance", "consequence")} == {None}
    assert (around.genes, around.recombination) == ([], [])
    assert annotator.missing == [
        "Not shown, because dbsnp.vcf.gz has nothing of chromosome X: rsIDs.",
        "Not shown, because genes.gff3.gz has nothing of chromosome X: genes.",
        "Not shown, because rates.txt.gz has nothing of chromosome X: recombination rates.",
    ]
    assert annotator.annotation(LEAD)["genes"] == "TALL1"  # other chromosomes have theirs


def test_associations_without_any_place_are_told(folder):
    table = folder / NAMES["known"]
    header, *rows = table.read_text().splitlines()
    table.write_text("\n".join([header, *(row.replace("\t", "\t\t", 1) for row in rows)]) + "\n")

    annotator = Annotator(references(), folder, [LEAD])

    assert annotator.annotation(LEAD)["known"] is None
    assert "associations.tsv has no row with a chromosome and a position" in annotator.missing[0]


def test_a_rate_that_is_no_number_costs_the_rates(folder):
    rates = folder / NAMES["recombination"]
    rates.with_suffix("").write_text("1\t4900000\tnan\n")
    pysam.tabix_compress(str(rates.with_suffix("")), str(rates), force=True)
    pysam.tabix_index(str(rates), seq_col=0, start_col=1, end_col=1, force=True)
    annotator = Annotator(references(), folder, [LEAD])

    assert annotator.around("1", 4_750_000, 5_320_000).recombination == []
    assert "recombination rates" in annotator.missing[0]


def test_a_variant_that_has_an_id_further_down_is_named(tmp_path):
    text = VCF + "".join(f"1\t100\t{name}\tA\tG\t.\t.\t.\n" for name in (".", "rs5"))

    assert Variants(tabixed(tmp_path / "v.vcf.gz", text, "vcf")).name(1, 100, frozenset("AG")) == "rs5"


def test_a_chromosome_may_have_two_names(tmp_path):
    text = VCF + "1\t100\trs1\tA\tG\t.\t.\t.\nchr1\t200\trs2\tA\tG\t.\t.\t.\n"
    variants = Variants(tabixed(tmp_path / "v.vcf.gz", text, "vcf"))

    assert [variants.name(1, at, frozenset("AG")) for at in (100, 200)] == ["rs1", "rs2"]
