"""Small reference files, made as docs/references.md tells, with what the true loci of the simulated cohort are near."""

from pathlib import Path
from typing import Final

import pysam

NAMES: Final = {
    "genes": "genes.gff3.gz",
    "rsids": "dbsnp.vcf.gz",
    "recombination": "rates.txt.gz",
    "known": "associations.tsv",
}

GENES: Final = """##gff-version 3
1\thavana\tgene\t4990000\t5010000\t.\t+\t.\tID=gene:ENSG1;Name=TALL1;biotype=protein_coding
1\thavana\tmRNA\t4990000\t5010000\t.\t+\t.\tID=transcript:1;Parent=gene:ENSG1
1\thavana\tCDS\t4999900\t5000100\t.\t+\t0\tParent=transcript:1
1\thavana\tncRNA_gene\t5299000\t5301000\t.\t+\t.\tID=gene:ENSG2;Name=NEAR-RNA;biotype=lncRNA
1\thavana\tgene\t5312345\t5350000\t.\t-\t.\tID=gene:ENSG3;Name=TALL2;biotype=protein_coding
7\thavana\tgene\t20003000\t20100000\t.\t+\t.\tID=gene:ENSG4;Name=SEVEN%2C1;biotype=protein_coding
"""
VARIANTS: Final = """##fileformat=VCFv4.2
#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO
NC_000001.11\t4999999\trs1\tA\tG\t.\t.\t.
NC_000001.11\t5000000\trs5\tA\tC\t.\t.\t.
NC_000001.11\t5000000\trs50\tG\tA,T\t.\t.\t.
NC_000007.14\t20000000\trs7\tA\tG\t.\t.\t.
"""
RATES: Final = "chr\tposition\trate\tmap\n" + "".join(
    f"chr{chromosome}\t{position}\t{40 if position % 100_000 == 0 else 0.2}\t0\n"
    for chromosome in (1, 7)
    for position in range(4_000_000 if chromosome == 1 else 19_000_000, 21_000_000, 20_000)
    if chromosome == 7 or position < 6_000_000
)
ASSOCIATIONS: Final = """PUBMEDID\tDISEASE/TRAIT\tCHR_ID\tCHR_POS\tSNPS\tP-VALUE\tMAPPED_TRAIT
1\tHeight\t7\t20030000\trs700\t3E-12\tbody height
1\tHeight\t7\t20400000\trs701\t3E-300\tbody height
2\tSchizophrenia\t1\t5001000\trs800\t1E-9\tschizophrenia
3\tHeight\t1\t5002000\trs801\t2E-6\tbody height
4\tHeight\t\t\trs802\t1E-20\tbody height
5\tHeight x smoking interaction\t1 x 2\t5000000 x 7\trs803 x rs804\t1E-20\tbody height
"""


def make_references(folder: Path) -> None:
    """All of NAMES, with the indexes."""
    for kind, text in (("genes", GENES), ("rsids", VARIANTS), ("recombination", RATES)):
        plain = folder / NAMES[kind].removesuffix(".gz")
        plain.write_text(text)
        pysam.tabix_compress(str(plain), str(folder / NAMES[kind]), force=True)
        plain.unlink()
    pysam.tabix_index(str(folder / NAMES["genes"]), preset="gff", force=True)
    pysam.tabix_index(str(folder / NAMES["rsids"]), preset="vcf", force=True)
    pysam.tabix_index(str(folder / NAMES["recombination"]), seq_col=0, start_col=1, end_col=1, line_skip=1, force=True)
    (folder / NAMES["known"]).write_text(ASSOCIATIONS)
