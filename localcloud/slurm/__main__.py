"""`python -m localcloud.slurm <program> [arguments]`."""

import sys

from localcloud.slurm.programs import PROGRAMS

sys.exit(PROGRAMS[sys.argv[1]](sys.argv[2:]))
