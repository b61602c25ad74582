"""Entry point of `python3 -m snakemake_launcher`."""

import sys

from snakemake_launcher.cli import main

if __name__ == "__main__":
    sys.exit(main())
