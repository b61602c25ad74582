"""`make lint` misses no settings file of the repository, and each template is looked at for its own region."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from checks import templates
from stacks.config import InvalidSettingsError, read_stages
from stacks.settings_files import read_settings_file

ROOT = Path(__file__).parents[2]


def tracked(pattern: str) -> list[Path]:
    listed = subprocess.run(["git", "ls-files", pattern], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / name for name in listed.stdout.split()]


def is_settings_file(path: Path) -> bool:
    if path.name == "cdk.json" or not isinstance(json.loads(path.read_text()), Mapping):
        return False
    try:
        read_stages(read_settings_file(path)["stages"])
    except InvalidSettingsError:
        return False
    return True


def test_every_settings_file_is_built():
    found = {str(path.relative_to(ROOT)) for path in tracked("*.json") if is_settings_file(path)}

    assert found == {context["settings-file"] for context in templates.CONTEXTS.values() if "settings-file" in context}
    assert {} in templates.CONTEXTS.values()  # cdk.json's own


@pytest.fixture
def assembly(tmp_path: Path) -> Path:
    """Given: a template that is right in the one region, and not in the other, which lacks the resource's type."""
    template = {"Resources": {"Any": {"Type": "AWS::CodeBuild::Fleet", "Properties": {}}}}
    (tmp_path / "any.template.json").write_text(json.dumps(template))
    return tmp_path


def test_a_template_is_looked_at_for_its_region(assembly: Path, capfd):
    template = [assembly / "any.template.json"]

    assert templates.lint("eu-west-1", template) == 0
    assert templates.lint("eu-west-3", template) != 0
    assert "AWS::CodeBuild::Fleet" in capfd.readouterr().out
