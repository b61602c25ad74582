"""What regenie has been seen to do wrong with exit code 0, on request, so that tests can show that it is noticed.

The requests are environment variables, which a job gets by `POST /_localcloud/inject/batch` (see injection).
"""

import fnmatch
import os
from dataclasses import replace
from pathlib import Path
from typing import Final

from regenie_stand_in.cli import Options

FORGET_TRAIT: Final = "LOCALCLOUD_REGENIE_FORGET_TRAIT"
"""A trait that the list of predictions is read without: regenie warns, and goes on with the others."""
EMPTY_OUTPUT: Final = "LOCALCLOUD_REGENIE_EMPTY_OUTPUT"
"""Glob of names of outputs that are left empty, as after a crash while they were written (rgcgithub/regenie #172)."""


def forget(options: Options) -> Options:
    """The options with a list of predictions that lacks a trait, if that is asked for."""
    trait = os.environ.get(FORGET_TRAIT)
    if trait is None or options.predictions is None:
        return options
    lines = Path(options.predictions).read_text().splitlines(keepends=True)
    shortened = Path(f"{options.predictions}.short")
    shortened.write_text("".join(line for line in lines if line.split()[0] != trait))
    return replace(options, predictions=str(shortened))


def spoil_outputs(options: Options) -> None:
    """Empty what has been written, if that is asked for."""
    glob = os.environ.get(EMPTY_OUTPUT)
    if glob is None:
        return
    out = Path(options.out)
    for path in out.parent.glob(f"{out.name}*"):
        if fnmatch.fnmatchcase(path.name, glob):
            path.write_bytes(b"")
