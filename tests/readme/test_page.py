"""What the README tells people to type exists and is run by a test, and its links lead somewhere."""

import re
import shlex

import pytest
from typer.testing import CliRunner

from genolaunch.cli import app
from tests.readme import test_newcomer, test_operator
from tests.readme.page import REPOSITORY, TUTORIALS, blocks, commands

ALL_COMMANDS = [*commands(), *(line for page in TUTORIALS.values() for line in commands(page=page))]

PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").rglob("*.md"))]


def words(command: str) -> list[str]:
    """A command's words, without the variables set before it, and that of `eval "$(…)"`."""
    inner = re.fullmatch(r'eval "\$\((.*)\)"', command)
    parts = shlex.split(inner.group(1) if inner else command)
    while parts and re.match(r"[A-Z_]+=", parts[0]):
        parts.pop(0)
    return parts


def test_every_target_of_make_exists():
    targets = set(re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
    asked = {parts[1] for parts in map(words, ALL_COMMANDS) if parts[0] == "make"}

    assert {"demo", "test", "deploy"} <= asked
    assert asked <= targets


def test_every_command_is_run_by_a_test():
    """Each section's commands are run as they stand there; a new section needs a test of its own."""
    sections = {block.section for block in blocks() if block.language == "bash"}

    newcomers = {test_newcomer.LOOK_AROUND, test_newcomer.GWAS, test_newcomer.SNAKEMAKE}
    assert sections == {"", *newcomers, test_operator.DEPLOY, test_operator.REGENIE, test_operator.CHECKS}
    assert commands("") == ["make demo", "make test"]
    assert "make test" in (REPOSITORY / ".ci" / "run").read_text().splitlines()


def test_every_line_is_of_a_known_kind():
    assert {words(command)[0] for command in commands()} <= {"make", "genolaunch", "source"}
    assert {words(command)[0] for command in ALL_COMMANDS} <= {"make", "genolaunch", "source", "curl"}


def test_there_is_a_tutorial_for_each_role_and_the_readme_leads_to_it():
    assert set(TUTORIALS) == {"scientist", "bioinformatician", "engineer"}
    readme = (REPOSITORY / "README.md").read_text()
    assert all(f"(docs/tutorials/{role}.md)" in readme for role in TUTORIALS)


def genolaunch_calls() -> list[str]:
    """Each call by itself, of a line with `||` both."""
    return [call.strip() for line in ALL_COMMANDS for call in line.split("||") if words(call)[0] == "genolaunch"]


@pytest.mark.parametrize("command", genolaunch_calls())
def test_every_genolaunch_command_is_understood(command):
    # `--help` ends before anything is done, and after all words before it have been read
    answer = CliRunner().invoke(app, [*words(command)[1:], "--help"])

    assert answer.exit_code == 0, answer.output


def test_a_command_that_does_not_exist_would_be_noticed():
    assert CliRunner().invoke(app, ["launch", "--help"]).exit_code != 0
    assert CliRunner().invoke(app, ["list", "--nonsense", "--help"]).exit_code != 0


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_links_within_the_repository_lead_somewhere(page):
    targets = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text())

    assert [t for t in targets if not t.startswith(("http", "mailto")) and not (page.parent / t).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_pictures_are_small_and_say_what_they_show(page):
    for text, target in re.findall(r"!\[([^\]]*)\]\(([^)]+)\)", page.read_text()):
        assert len(text.split()) > 3
        assert (page.parent / target).stat().st_size < 200_000


def test_pages_name_keys_of_launch_configs_as_they_are():
    """`containerImage` is of the run sheet (docs/architecture/launcher.md); a config has container_image."""
    keys = re.compile(r"`(containerImage|snakeFile|dataPath): ")

    assert [page.name for page in PAGES if keys.search(page.read_text())] == []
