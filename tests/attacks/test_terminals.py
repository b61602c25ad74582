"""Keys, ids, names, reasons and log lines that would act on a terminal, a page or in a mail show themselves only."""

import ast
import json
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from rich.table import Table
from rich.text import Text

from genolaunch.commands.output import print_json, print_json_line, say, say_text
from genolaunch.contract.launch import Status
from genolaunch.job_logs import LogLine
from genolaunch.render import screen
from genolaunch.render.logs import log_line
from genolaunch.render.words import shown
from lambdas.shared.launch import Launch
from lambdas.shared.notifications import subject, text
from regenie_runner import report as regenie_report
from snakemake_launcher import report as snakemake_report
from tests.attacks.guarantees import guarantee

SHOWN = (
    "Nothing of a key, an id, a name, a reason or a log line does anything on a terminal, in JSON, on a page or in a"
)
HOSTILE = {
    "colour": "\x1b[31mred\x1b[0m",
    "cleared screen": "\x1b[2J\x1b[H",
    "title": "\x1b]0;owned\x07",
    "link": "\x1b]8;;https://example.org\x1b\\report.html\x1b]8;;\x1b\\",
    "clipboard": "\x1b]52;c;ZWNobw==\x07",
    "eight-bit sequence": "\x9b2J",
    "overwritten line": "FAILED\rCOMPLETE",
    "erased": "FAILED\b\b\b\b\b\bDONE",
    "another line": "a\nCOMPLETE launch-2",
    "another line of Unicode": "a\u2028b\x85c",
    "order of reading": "a\u202etxt.exe",
    "isolated": "\u2067abc\u2069",
    "nothing to see": "a\u200b\u2060b",
    "markup": "[red]x[/red]",
    "markup that ends nothing": "[/]",
    "markup that links": "[link=https://example.org]x[/link]",
    "emoji code": ":smile:",
    "script": "<script>alert(1)</script>",
}
WRITERS = ("print", "typer.echo", "click.echo", "Console")


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch):
    """Given: a terminal with colours; what was written to it."""
    console = screen.console()
    written = StringIO()
    monkeypatch.setattr(console, "file", written)

    def show(*renderables):
        console.print(*renderables, soft_wrap=True)
        return written.getvalue()

    return show


@guarantee(SHOWN)
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_line(capsys, text):
    say(f"Launch {text} was cancelled.")
    say(text, err=True)

    out, err = capsys.readouterr()
    assert out.removesuffix("\n").isprintable()
    assert err.removesuffix("\n").isprintable()


@guarantee(SHOWN)
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_json(capsys, text):
    print_json({text: [text]})
    print_json_line({"reason": text})
    say_text(f"one\n{text}")

    whole = capsys.readouterr().out
    assert whole.replace("\n", "").isprintable()
    assert json.loads(whole.splitlines()[-1 - whole.splitlines()[::-1].index(next(
        line for line in whole.splitlines()[::-1] if line.startswith('{"reason"')
    ))]) == {"reason": text}  # fmt: skip


@guarantee(SHOWN)
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_table(seen, text):
    table = Table("Key", "Reason")
    table.add_row(text, Text(text))
    table.add_row(shown(text, "bold"), shown(text))

    whole = seen(table, text)

    assert whole.replace("\n", "").isprintable()
    if "[" in text and "\x1b" not in text:
        assert text in whole  # markup is text
    if text == ":smile:":
        assert text in whole


@guarantee(SHOWN)
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_log_line_is_its_jobs_own(seen, text):
    whole = seen(log_line(LogLine("step2[3]", datetime(2026, 11, 21, tzinfo=UTC), text)))

    first, *more = whole.removesuffix("\n").split("\n")
    assert first.isprintable()
    assert all(line.startswith("    ") and line.isprintable() for line in more)


@guarantee(SHOWN)
@guarantee(
    "A notice's subject is one line of printable ASCII with less than 100 characters, whatever a launch is called."
)
@pytest.mark.parametrize("name", [*HOSTILE.values(), "x" * 500, ""], ids=[*HOSTILE, "long", "empty"])
def test_a_mail(name):
    launch = Launch(
        f"id-{name}",
        name,
        Status.HELD,
        "2026",
        status_reason=name,
        config_uri=f"s3://b/launches/{name}",
        requested_by=name,
    )

    line = subject(launch, "test")
    assert line.isascii()
    assert line.isprintable()
    assert len(line) < 100
    assert line[0].isalnum()  # Amazon SNS API reference, Publish: it begins with a letter, number or punctuation mark
    body = text(launch)
    assert body.replace("\n", "").isprintable()
    assert "\nCOMPLETE" not in body


@guarantee(SHOWN)
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_page(text):
    for page in (regenie_report._environment(), snakemake_report.environment()):
        whole = page.from_string("<p>{{ text }}</p>").render(text=text)

        assert whole.replace("\n", "").isprintable()
        assert whole.count("<") == 2


@guarantee(SHOWN)
def test_nothing_else_of_the_command_line_writes_to_a_terminal():
    """`print`, `typer.echo` and consoles of rich's own know no such rule."""
    folder = Path(__file__).parents[2] / "genolaunch"
    allowed = {folder / "commands" / "output.py", folder / "render" / "screen.py"}
    found = []
    for file in sorted(set(folder.rglob("*.py")) - allowed):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in (
                "print",
                "typer.echo",
                "click.echo",
                "Console",
            ):
                found.append(f"{file.relative_to(folder)}:{node.lineno}")
    assert found == []
