"""What reference files say of leads, and what is said where they are missing or strange."""

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
