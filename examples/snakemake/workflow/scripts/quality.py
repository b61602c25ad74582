"""Mean base quality of each position (cycle) of a sample's reads."""

import pysam

qualities: list[int] = []
reads: list[int] = []
with pysam.FastxFile(snakemake.input[0]) as records:  # noqa: F821 - Snakemake gives the script its job by this name
    for record in records:
        for cycle, quality in enumerate(record.get_quality_array()):
            if cycle == len(reads):
                qualities.append(0)
                reads.append(0)
            qualities[cycle] += quality
            reads[cycle] += 1

with open(snakemake.output[0], "w") as table:  # noqa: F821, PTH123
    table.write("cycle\treads\tmean_quality\n")
    for cycle, (total, count) in enumerate(zip(qualities, reads, strict=True), start=1):
        table.write(f"{cycle}\t{count}\t{total / count:.2f}\n")
