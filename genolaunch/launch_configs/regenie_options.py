"""regenie's further options: which a launch may hand on as they are, and what to say of all others.

The names are those of regenie 4.1.2 (`regenie --helpFull`, https://rgcgithub.github.io/regenie/options/). Only options
that neither name a file (files lie below a launch's data, and have keys of their own), nor change which files are
written, nor cut the work otherwise than it was planned are handed on.
"""

import math
import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Final, NamedTuple

from genolaunch.launch_configs.regenie_keys import KEYS, Key


class Refusal(NamedTuple):
    """Why an option is not handed on, to read on from the key that holds it."""

    problem: str
    remedy: str


class Value(NamedTuple):
    """What an option takes: its form, and the range that regenie's option parser (Regenie.cpp) or its method admits."""

    form: re.Pattern[str]
    least: float = -math.inf
    most: float = math.inf
    exclusive: bool = False
    """Whether the ends of the range are out of it."""

    def takes(self, text: str) -> bool:
        """Whether the text has the form, and each of its numbers lies in the range."""
        if not self.form.fullmatch(text):
            return False
        if (self.least, self.most) == (-math.inf, math.inf):
            return True
        numbers = map(float, text.split(","))
        if self.exclusive:
            return all(self.least < number < self.most for number in numbers)
        return all(self.least <= number <= self.most for number in numbers)

    @property
    def words(self) -> str:
        """The form and the range, to read on from "takes"."""
        if self.form is _NAMES_OF_TESTS:
            return self.form.pattern.replace("|", ", ")
        kind = {_WHOLE: "a whole number", _NUMBER: "a number", _NUMBERS: "numbers, separated by commas,"}[self.form]
        if math.isinf(self.most):
            return kind if math.isinf(self.least) else f"{kind} of at least {self.least:g}"
        between, until = ("between", "and") if self.exclusive else ("from", "to")
        return f"{kind} {between} {self.least:g} {until} {self.most:g}"


_WHOLE: Final = re.compile(r"[0-9]{1,9}")
_NUMBER: Final = re.compile(r"[0-9]+(\.[0-9]+)?([eE]-?[0-9]{1,2})?")
_NUMBERS: Final = re.compile(rf"{_NUMBER.pattern}(,{_NUMBER.pattern})*")
_NAMES_OF_TESTS: Final = re.compile("additive|dominant|recessive")

_FLAG: Final = Value(re.compile(""))
_COUNT: Final = Value(_WHOLE, least=1)
_ANY_NUMBER: Final = Value(_NUMBER)
_CLOSEST_TO_0: Final = 1e-99
"""The least number that the form admits: 0 itself has no logarithm."""

_BOTH_STEPS: Final[Mapping[str, Value]] = {
    "--strict": _FLAG,
    "--force-qt": _FLAG,
    "--ref-first": _FLAG,
    "--verbose": _FLAG,
    "--skip-dosage-comp": _FLAG,
    "--minCaseCount": Value(_WHOLE),
    "--maxCatLevels": _COUNT,
    "--niter": _COUNT,
}

_STEP1: Final[Mapping[str, Value]] = {
    **_BOTH_STEPS,
    "--cv": Value(_WHOLE, least=2),
    "--loocv": _FLAG,
    # Fewer than two ridge parameters are refused, and all lie between 0 and 1.
    "--l0": Value(_WHOLE, least=2),
    "--l1": Value(_WHOLE, least=2),
    "--setl0": Value(_NUMBERS, 0, 1, exclusive=True),
    "--setl1": Value(_NUMBERS, 0, 1, exclusive=True),
    "--l1-full": _FLAG,
    "--print-prs": _FLAG,
    "--use-adam": _FLAG,
}

_STEP2: Final[Mapping[str, Value]] = {
    **_BOTH_STEPS,
    "--test": Value(_NAMES_OF_TESTS),
    "--minHOMs": _ANY_NUMBER,
    "--minINFO": Value(_NUMBER, 0, 1),
    "--af-cc": _FLAG,
    "--force-impute": _FLAG,
    "--apply-rerint": _FLAG,
    "--apply-rerint-cov": _FLAG,
    "--firth-se": _FLAG,
    "--skip-fast-firth": _FLAG,
    "--maxstep-null": _COUNT,
    "--maxiter-null": _COUNT,
    "--prs-cov": _FLAG,
    "--force-ltco": Value(_WHOLE, 1, 23),
    "--max-condition-vars": _COUNT,
    "--no-condtl": _FLAG,
    "--force-condtl": _FLAG,
    "--rare-mac": _ANY_NUMBER,
    "--force-robust": _FLAG,
    "--force-hc4": _FLAG,
    "--no-robust": _FLAG,
    "--hlm-novquad": _FLAG,
    "--mcc": _FLAG,
    # 0 would be every trait, which is what --mcc alone says.
    "--mcc-skew": Value(_NUMBER, least=_CLOSEST_TO_0),
    "--mcc-thr": Value(_NUMBER, _CLOSEST_TO_0, 1),
}

ALLOWED: Final[Mapping[int, Mapping[str, Value]]] = {1: _STEP1, 2: _STEP2}
"""Step -> option -> what it takes."""

_OWN_KEYS: Final[Mapping[str, tuple[Key, ...]]] = {
    option: tuple(key for key in KEYS if option in key.options) for each in KEYS for option in each.options
}
"""Option -> the config keys that say the same."""

_PLATFORMS_OWN: Final[Mapping[str, str]] = {
    "--out": "Outputs have their places, and are exported from there.",
    "--pred": "Step 2 gets step 1's predictions; those of an earlier run go to step1.predictions.",
    "--ignore-pred": "Step 2 always corrects with step 1's predictions.",
    "--use-prs": "Step 2 corrects with the predictions that leave the tested chromosome out.",
    "--chr": "Jobs are cut by ranges, and --chr beside a range is ignored on BGEN input.",
    "--chrList": "Jobs are cut by ranges; step2.extract chooses variants.",
    "--range": "Every job has a range of its own; step2.extract chooses variants.",
    "--starting-block": "A retry already resumes where results are missing.",
    "--nb": "It switches the spreading of step 1 over jobs off.",
    "--force-step1": "Step 1 is meant for about 500,000 variants: choose them with step1.qc or step1.extract.",
    "--split-l0": "Step 1 is spread over step1.jobs.",
    "--run-l0": "Step 1 is spread over step1.jobs.",
    "--run-l1": "Step 1 is spread over step1.jobs.",
    "--l1-phenoList": "Step 1 is spread over step1.jobs.",
    "--keep-l0": "Step 1 is spread over step1.jobs.",
    "--lowmem": "Step 1 always has it.",
    "--lowmem-prefix": "Step 1 always has --lowmem, with a place of its own.",
    "--gz": "Chunks are joined into one compressed file a trait; they live on the file system only.",
    "--no-split": "Results are one file a trait.",
    "--htp": "Merge and report read regenie's own format.",
    "--use-relative-path": "Predictions are listed for each job.",
    "--cc12": "Code controls as 0 and cases as 1 in the phenotype file.",
    "--seed": "Tests that draw numbers (SBAT) always have the same one, so that a retry makes the same.",
    "--write-samples": "What it writes beside a chunk's results is not exported.",
    "--t2e": "Time-to-event traits are not offered.",
    "--ct": "Counts are not offered.",
}
"""Option -> why it does not pass."""


def refusal_of(option: str, step: int) -> Refusal | None:
    """What is wrong with a line of step1.extra or step2.extra (`--flag`, or `--flag value`); None if nothing is."""
    name, _, value = option.strip().partition(" ")
    takes = ALLOWED[step].get(name)
    if takes is None:
        return Refusal(f"does not hand on {name!r} to step {step}", _remedy(name, step))
    if takes.takes(value.strip()):
        return None
    if takes is _FLAG:
        return Refusal(f"has a value for {name}, which takes none; you gave {option!r}", f"Write {name} alone.")
    return Refusal(
        f"has no usable value for {name}; you gave {option!r}", f"Write it as '{name} VALUE'; it takes {takes.words}."
    )


def key_of(option: str, step: int) -> str | None:
    """Path, below `regenie`, of the config key that says the same as the option of this step, if there is one."""
    keys = _OWN_KEYS.get(option)
    return next((key.path for key in keys if step in key.steps), keys[0].path) if keys else None


def name_of(option: str) -> str:
    """The option's name, without its value."""
    return option.split(maxsplit=1)[0]


def words_of(option: str) -> list[str]:
    """The option as words of a command line."""
    return option.split()


_ALIKE: Final = 0.75
"""Least likeness (difflib) of an option that is suggested: --verbose is none for --bogus."""


def _remedy(name: str, step: int) -> str:
    if key := key_of(name, step):
        return f"The key {key} says it."
    if name in _PLATFORMS_OWN:
        return _PLATFORMS_OWN[name]
    others = [str(other) for other in ALLOWED if name in ALLOWED[other]]
    if others:
        return f"It belongs to step {others[0]}."
    own = [option for option, keys in _OWN_KEYS.items() if any(step in key.steps for key in keys)]
    alike = get_close_matches(name, [*ALLOWED[step], *own], n=1, cutoff=_ALIKE)
    if alike:
        meant = f"Did you mean {alike[0]}?"
        return meant if alike[0] in ALLOWED[step] else f"{meant} The key {key_of(alike[0], step)} says it."
    return f"Known here: {', '.join(sorted(ALLOWED[step]))}."
