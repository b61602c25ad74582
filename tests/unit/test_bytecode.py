"""Bytecode that goes with the functions' sources: used without a look at the source, the same for the same source."""

import importlib.util
import marshal
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from stacks.constructs.bytecode import Compiler, compiler_of, own_compiler

SOURCE = '''
"""A module."""
NAMES = {"b", "a", "c"}
KNOWN = frozenset(("z", "y", "x"))


def fail():
    raise ValueError(sorted(NAMES))
'''
HEADER = 16
"""Bytes before the code: magic number, flags, hash of the source (PEP 552)."""
TAG = sys.implementation.cache_tag


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    folder = tmp_path / "bundle"
    write(folder)
    return folder


def write(folder: Path) -> None:
    for name in ("package/__init__.py", "package/inner.py", "module.py"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(SOURCE)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def run(folder: Path, script: str) -> str:
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-v", "-c", f"import sys; sys.path.insert(0, {str(folder)!r})\n{script}"],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout + done.stderr


def test_every_module_has_bytecode(bundle):
    own_compiler().compile(bundle, "/var/task")

    assert {name for name in contents(bundle) if name.endswith(".pyc")} == {
        f"package/__pycache__/__init__.{TAG}.pyc",
        f"package/__pycache__/inner.{TAG}.pyc",
        f"__pycache__/module.{TAG}.pyc",
    }


def test_python_takes_it_though_the_times_of_the_sources_differ(bundle):
    own_compiler().compile(bundle, "/var/task")
    for path in bundle.rglob("*.py"):
        os.utime(path, (1, 1))

    said = run(bundle, "import module, package.inner")

    cached = importlib.util.cache_from_source(str(bundle / "module.py"))
    assert f"# code object from '{cached}'" in said
    assert f"# code object from {bundle}" not in said  # what -v says of a source that was compiled


def test_it_names_files_where_lambda_has_them(bundle):
    own_compiler().compile(bundle, "/var/task")

    (compiled,) = (bundle / "package" / "__pycache__").glob("inner.*.pyc")
    assert marshal.loads(compiled.read_bytes()[HEADER:]).co_filename == "/var/task/package/inner.py"


def test_two_runs_in_two_folders_give_the_same_bytes(bundle, tmp_path):
    other = tmp_path / "elsewhere" / "deeper"
    write(other)
    for folder in (bundle, other):
        own_compiler().compile(folder, "/var/task")

    assert contents(bundle) == contents(other)


def test_another_version_of_python_passes_over_it(bundle):
    own_compiler().compile(bundle, "/var/task")
    for path in bundle.rglob("*.pyc"):
        path.with_name(path.name.replace(str(TAG), "cpython-999")).write_bytes(b"of no Python")
        path.unlink()

    said = run(bundle, "import module\nprint(sorted(module.NAMES))")

    assert "['a', 'b', 'c']" in said
    assert f"# code object from {bundle}" in said


def test_a_module_that_does_not_compile_is_left_alone(bundle, capfd):
    (bundle / "template.py").write_text("{{ not Python }} !")

    own_compiler().compile(bundle, "/var/task")

    assert f"__pycache__/module.{TAG}.pyc" in contents(bundle)
    assert "template.py" in capfd.readouterr().err


def test_an_interpreter_that_compiles_nothing_is_told(bundle):
    broken = Compiler(shutil.which("false") or "false", "3.14.3")
    with pytest.raises(RuntimeError, match=r"Python 3\.14\.3\) compiled none of the modules"):
        broken.compile(bundle, "/var/task")


def test_what_has_no_modules_needs_no_bytecode(tmp_path):
    own_compiler().compile(tmp_path, "/opt")
    assert contents(tmp_path) == {}


def test_an_interpreter_is_found_by_its_version(monkeypatch, tmp_path):
    version = "{}.{}".format(*sys.version_info)
    (tmp_path / f"python{version}").symlink_to(Path(sys.executable).resolve())
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    compiler_of.cache_clear()

    found = compiler_of(version)

    assert found is not None
    assert found.version == own_compiler().version
    assert found.identity == own_compiler().identity


@pytest.mark.parametrize("refuses", [False, True])
def test_one_that_is_not_there_or_does_not_start_is_no_error(monkeypatch, tmp_path, refuses):
    if refuses:  # as pyenv's python3.14 does where another version is chosen
        program = tmp_path / "python3.14"
        program.write_text("#!/bin/sh\nexit 127\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{Path(shutil.which('sh') or '/bin/sh').parent}")
    monkeypatch.setenv("UV_PYTHON_INSTALL_DIR", str(tmp_path / "none"))
    compiler_of.cache_clear()

    assert compiler_of("3.14") is None


def test_bytecode_of_another_release_is_another():
    assert Compiler("python3.14", "3.14.3").identity != Compiler("python3.14", "3.14.4").identity
