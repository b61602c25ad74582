"""What a bundle of locked packages is known by: the same files in other places are another bundle."""

from pathlib import Path

import pytest

from stacks.constructs.locked_packages import _hash_of


@pytest.fixture
def files(tmp_path: Path) -> Path:
    for name in ("requirements.txt", "a.py", "package/inner.py"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"# {name}\n")
    return tmp_path


def hash_of(files: Path, beside: dict[str, str], identity: str = "python3.13 .") -> str:
    return _hash_of(files / "requirements.txt", {place: files / name for place, name in beside.items()}, identity)


def test_the_same_files_at_the_same_places_are_the_same(files):
    assert hash_of(files, {"a.py": "a.py", "p": "package"}) == hash_of(files, {"a.py": "a.py", "p": "package"})


@pytest.mark.parametrize(
    "other", [{"b.py": "a.py", "p": "package"}, {"a.py": "a.py", "q": "package"}, {"a.py": "a.py"}]
)
def test_another_place_is_another_bundle(files, other):
    assert hash_of(files, other) != hash_of(files, {"a.py": "a.py", "p": "package"})


def test_another_name_in_a_package_is_another_bundle(files):
    before = hash_of(files, {"p": "package"})
    (files / "package" / "inner.py").rename(files / "package" / "other.py")

    assert hash_of(files, {"p": "package"}) != before
