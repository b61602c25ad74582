# Snakemake gives the variables.
echo "${snakemake_wildcards[sample]} $(wc -l < "${snakemake_input[0]}")" > "${snakemake_output[0]}"
