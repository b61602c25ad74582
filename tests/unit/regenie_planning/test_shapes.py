"""What planning writes and jobs read has one shape (genolaunch/contract/plan.py): the docs tell all of it."""

import ast
from pathlib import Path

import pytest

from genolaunch.contract import plan

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "architecture" / "regenie-job.md").read_text(encoding="utf-8")
SINCE_3_11 = {"LiteralString", "Never", "NotRequired", "Required", "Self", "Unpack", "assert_never"}


@pytest.mark.parametrize("shape", ["AnalysedFiles", "LaunchFile", "QualityControl", "RunSheet", "Task"])
def test_the_page_of_shapes_names_every_key(shape):
    keys = sorted(getattr(plan, shape).__required_keys__ | getattr(plan, shape).__optional_keys__)

    assert keys
    assert [key for key in keys if f'"{key}"' not in PAGE and f"`{key}`" not in PAGE] == []


def test_what_jobs_read_needs_nothing_newer_than_the_images_python():
    tree = ast.parse(
        (ROOT / "genolaunch" / "contract" / "plan.py").read_text(encoding="utf-8"), feature_version=(3, 10)
    )
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    imported = {node.module: {each.name for each in node.names} for node in imports}

    assert set(imported) <= {"collections.abc", "typing"}
    assert imported["typing"].isdisjoint(SINCE_3_11)
