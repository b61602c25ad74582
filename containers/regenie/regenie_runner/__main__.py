"""`python3 -m regenie_runner <phase>`."""

import sys

from regenie_runner.cli import main

sys.exit(main(sys.argv[1:]))
