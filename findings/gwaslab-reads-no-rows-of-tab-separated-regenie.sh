#!/usr/bin/env bash
# gwaslab 4.2.3 reads no variants of a tab-separated file with fmt="regenie", and raises no error.
#
# Seen 2026-11-30: regenie writes its results with blanks between the columns. The same table with tabs, as most tools
# that merge such results write it, gives a Sumstats of 0 rows; with sep="\t" beside the format it gives all of them.
# Whoever does not count rows goes on with an empty table.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check gwaslab==4.2.3

venv/bin/python - <<'PY'
import random

random.seed(1)
columns = "CHROM GENPOS ID ALLELE0 ALLELE1 A1FREQ N TEST BETA SE CHISQ LOG10P EXTRA".split()
with open("blanks.regenie", "w") as blanks, open("tabs.regenie", "w") as tabs:
    for row in [columns] + [
        ["1", str(1000 * n), f"1:{1000 * n}:A:G", "A", "G", f"{random.uniform(0.05, 0.95):.4f}", "800", "ADD", "0.1",
         "0.05", "4", "1.34", "NA"]
        for n in range(1, 51)
    ]:
        blanks.write(" ".join(row) + "\n")
        tabs.write("\t".join(row) + "\n")
PY

venv/bin/python - <<'PY'
import gwaslab

def rows(file, **options):
    return len(gwaslab.Sumstats(file, fmt="regenie", verbose=False, **options).data)

seen = {
    "blanks": rows("blanks.regenie"),
    "tabs": rows("tabs.regenie"),
    "tabs, sep given": rows("tabs.regenie", sep="\t"),
}
print(seen)
assert seen == {"blanks": 50, "tabs": 0, "tabs, sep given": 50}, "changed"
PY
