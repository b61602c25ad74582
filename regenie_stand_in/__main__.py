"""`python -m regenie_stand_in <regenie's arguments>`."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from regenie_stand_in import cli, misbehaviour
from regenie_stand_in.errors import RegenieError, UnsupportedError
from regenie_stand_in.log import VERSION, Log

_BLAS_THREADS: Final = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")


def main(arguments: Sequence[str]) -> int:
    """Run one command; the exit code is 0 or 1, regenie has no other."""
    if "--version" in arguments:
        sys.stdout.write(f"{VERSION}\n")
        return 0
    if not arguments or not {"--help", "-h"}.isdisjoint(arguments):
        cli.build_parser().print_help()
        return 0
    try:
        _run(cli.parse(arguments))
    except UnsupportedError as refusal:
        sys.stderr.write(f"{refusal}\n")
        return 1
    except RegenieError as error:
        sys.stderr.write(f"ERROR: {error}\n")
        return 1
    except FileNotFoundError as error:
        sys.stderr.write(f"ERROR: cannot open file : {error.filename}\n")
        return 1
    return 0


def _run(options: cli.Options) -> None:
    # numpy's BLAS reads these once, when it is first imported: hence the imports below, and none of numpy above.
    os.environ.update(dict.fromkeys(_BLAS_THREADS, str(options.threads)))
    from regenie_stand_in import step1, step2

    options = misbehaviour.forget(options)
    with Log(Path(f"{options.out}.log"), options.arguments) as log:
        log.item("# threads", f"[{options.threads}]")
        log.item("block size", f"[{options.block_size}]")
        (step1 if options.step == 1 else step2).run(options, log)
    misbehaviour.spoil_outputs(options)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
