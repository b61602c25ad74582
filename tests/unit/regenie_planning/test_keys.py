"""The table of keys that set regenie's options, against the model of a config and the commands."""

import re
from pathlib import Path
from typing import Any

import pytest

from genolaunch.launch_configs.models import launch_schema
from genolaunch.launch_configs.regenie_keys import KEYS
from genolaunch.launch_configs.regenie_options import _PLATFORMS_OWN, ALLOWED, key_of
from tests.unit.regenie_planning.conftest import parameters

GOLDEN = Path(__file__).with_name("golden_commands.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", [key.path for key in KEYS])
def test_every_path_is_a_key_of_the_model(path):
    definitions = launch_schema()["$defs"]
    section: Any = definitions["RegenieParameters"]
    *above, last = path.split(".")
    for name in above:
        (reference,) = re.findall(r"#/\$defs/(\w+)", str(section["properties"][name]))
        section = definitions[reference]

    assert last in section["properties"]


@pytest.mark.parametrize(
    ("step", "given", "chooses"),
    [
        (1, {}, False),
        (1, {"extract": "array.txt"}, True),
        (1, {"block_size": 100}, False),
        (2, {"min_mac": 20}, False),
        (2, {"exclude": "array.txt"}, True),
        (2, {"condition": {"variants": "hits.txt", "genotypes": "cohort.bed"}}, True),
    ],
)
def test_keys_that_choose_variants_are_known_by_the_table(step: int, given: dict[str, Any], chooses: bool):
    section = getattr(parameters(**{f"step{step}": given}), f"step{step}")

    assert section.filters_variants == chooses


def test_every_option_of_the_commands_has_a_key_or_is_the_platforms():
    options = set(re.findall(r"(?<= )--[\w-]+", GOLDEN))

    assert options
    assert {
        option
        for option in options
        if key_of(option, 2) is None and option not in _PLATFORMS_OWN and option not in {**ALLOWED[1], **ALLOWED[2]}
    } == set()
