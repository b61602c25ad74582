"""Configs that would reach other files, a shell, or much memory."""

import ast
import json
from pathlib import Path
from typing import Any

import pytest

from genolaunch.launch_configs.config_reader import read_config
from genolaunch.launch_configs.regenie_config import RegenieLaunch
from genolaunch.shared.errors import MissingRequiredParametersError
from tests.attacks.guarantees import guarantee

ROOT = Path(__file__).parents[2]
GOOD: dict[str, Any] = {
    "name": "height-gwas",
    "workflow": "regenie",
    "data": "cohort",
    "regenie": {
        "genotypes": "cohort.bed",
        "phenotypes": "phenotypes.txt",
        "covariates": "covariates.txt",
        "traits": ["height"],
        "trait_type": "quantitative",
    },
}
PATHS = [
    "../other/cohort.bed",
    "a/../../other.bed",
    "/etc/passwd",
    "s3://other/cohort.bed",
    "file:///etc/passwd",
    "a/./../../b.bed",
    "..",
    "",
    "a//b.bed",
    "a\x00.bed",
    "a\nb.bed",
    "\x1b[31m.bed",
]
KEYS = ["genotypes", "phenotypes", "covariates", "keep", "remove"]
SHELL = [
    "$(id)",
    "`id`",
    "a;id",
    "a|id",
    "a&&id",
    "a>b",
    "a b",
    "'a",
    '"a',
    "a\nid",
    "-x",
    "--out=/tmp/x",
    "${HOME}",
    "*",
    "a\\",
]


def faults(text: str | bytes, *, is_json: bool = False) -> list[str]:
    with pytest.raises(MissingRequiredParametersError) as refusal:
        read_config(text.encode() if isinstance(text, str) else text, is_json=is_json)
    return [str(fault) for fault in refusal.value.faults]


def given(**regenie: Any) -> str:
    return json.dumps({**GOOD, "regenie": {**GOOD["regenie"], **regenie}})


@guarantee("A config names files below its data, and no others")
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("key", KEYS)
def test_a_file_elsewhere(key, path):
    assert any(f"regenie.{key}" in fault for fault in faults(given(**{key: path})))


BOMBS = {
    "anchors": "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: [*c, *c]",
    "an anchor of itself": "a: &a [*a]",
    "merged keys": "base: &base {x: 1}\nname:\n  <<: *base",
    "a tag of Python": "name: !!python/object/apply:os.system [id]",
    "a tag of its own": "name: !include /etc/passwd",
    "a standard tag": "name: !!binary aGVpZ2h0",
    "a key twice": "name: a\nname: b",
    "two documents": "name: a\n---\nname: b",
    "depth": "[" * 5_000 + "]" * 5_000,
    "depth by indentation": "\n".join(" " * n + "a:" for n in range(500)),
    "a long number": "name: 1" + "0" * 10_000,
    "a byte-order mark of another encoding": "name: a".encode("utf-16"),
    "a NUL": "name: a\x00b",
    "no text": b"\xff\xfe\x00",
    "a mapping as a key": "{a: 1}: b",
    "size": "a: " + "x" * 2_000_000,
}


@guarantee(
    "A config is data: no tag, anchor, alias or second key of YAML means anything but a fault, and neither depth"
)
@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS)
def test_a_bomb_of_yaml(text):
    assert faults(text)


JSON_BOMBS = {
    "depth": "[" * 5_000 + "]" * 5_000,
    "depth of mappings": '{"a":' * 3_000 + "1" + "}" * 3_000,
    "a key twice": '{"name": "a", "name": "b"}',
    "no number": '{"name": NaN}',
    "infinite": '{"name": Infinity}',
    "a long number": '{"name": 1' + "0" * 10_000 + "}",
    "half a character": '{"name": "\\ud800"}',
    "comments": "{/* a */}",
    "more than one": "{} {}",
}


@guarantee(
    "A config is data: no tag, anchor, alias or second key of YAML means anything but a fault, and neither depth"
)
@pytest.mark.parametrize("text", JSON_BOMBS.values(), ids=JSON_BOMBS)
def test_a_bomb_of_json(text):
    assert faults(text, is_json=True)


@guarantee("What a config says reaches a command as one word, and no shell.")
@pytest.mark.parametrize("text", SHELL)
@pytest.mark.parametrize("key", ["traits", "genotypes", "phenotypes", "name", "extra"])
def test_words_of_a_shell(key, text):
    """Refused; or one argument of a command that no shell reads (regenie_runner/command.py)."""
    if key == "name":
        config = json.dumps({**GOOD, "name": text})
    else:
        config = given(**{key: [text] if key == "traits" else {"--x": text} if key == "extra" else text})
    try:
        launch = read_config(config.encode(), is_json=True)
    except MissingRequiredParametersError:
        return
    assert isinstance(launch, RegenieLaunch)
    assert key in ("genotypes", "phenotypes")  # files' names may have spaces and the like


@guarantee("What a config says reaches a command as one word, and no shell.")
def test_no_program_of_the_platform_asks_a_shell():
    found = []
    for file in (file for folder in ("containers", "lambdas", "genolaunch") for file in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                asks = any(word.arg == "shell" and ast.unparse(word.value) != "False" for word in node.keywords)
                if asks or ast.unparse(node.func) in ("os.system", "os.popen", "subprocess.getoutput"):
                    found.append(f"{file.relative_to(ROOT)}:{node.lineno}")
    assert found == []


LOOK_ALIKES = [
    "ｈeight-gwas", "hеight", "height\u200b", "\u202eheight", "HEIGHT\u0301", "height gwas", "", "-",
    "a" * 300, "../x", "a/b", "con\x00",
]  # fmt: skip


@guarantee("A config is data")
@pytest.mark.parametrize("name", LOOK_ALIKES)
def test_a_name_that_looks_like_another(name):
    try:
        launch = read_config(json.dumps({**GOOD, "name": name}).encode(), is_json=True)
    except MissingRequiredParametersError:
        return
    assert launch.name.isascii()
    assert launch.name.isprintable()
    assert "/" not in launch.name
