import sys

sys.path.insert(0, str(__import__("pathlib").Path(snakemake.scriptdir)))
from lib.helper import lines

with open(snakemake.output[0], "w") as out:
    out.write(
        "%s\t%d\t%d\n"
        % (snakemake.wildcards.s, lines(snakemake.input[0]) * snakemake.params.scale, lines(snakemake.params.adapters))
    )
