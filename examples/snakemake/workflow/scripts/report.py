"""One line a sample: reads before and after trimming, and the mean quality of their bases."""

import json

job = snakemake  # noqa: F821 - Snakemake gives the script its job by this name


def mean_quality(path: str) -> float:
    """Of all bases in a table of qualities by cycle."""
    with open(path) as table:  # noqa: PTH123
        rows = [line.split("\t") for line in table.read().splitlines()[1:]]
    bases = sum(int(count) for _, count, _ in rows)
    return sum(int(count) * float(quality) for _, count, quality in rows) / bases


with open(job.output[0], "w") as report:  # noqa: PTH123
    report.write("sample\treads\tkept\tmean_quality\n")
    for sample, counts, quality in zip(job.params.samples, job.input.counts, job.input.quality, strict=True):
        with open(counts) as file:  # noqa: PTH123
            read_counts = json.load(file)["read_counts"]
        report.write(f"{sample}\t{read_counts['input']}\t{read_counts['output']}\t{mean_quality(quality):.2f}\n")
