"""The group of all commands: reports any error of a command in one sentence, and by an exit code."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, NoReturn

import typer
from typer._click.exceptions import NoArgsIsHelpError, UsageError  # typer exports these nowhere else
from typer.core import TyperGroup

from genolaunch.commands.exit_codes import COULD_NOT, NOBODY_READS, NOT_UNDERSTOOD
from genolaunch.commands.options import Settings
from genolaunch.commands.output import say
from genolaunch.errors import WrongArgumentError, sentence_for


class OneSentenceGroup(TyperGroup):
    """Tells what could not be done in one sentence on standard error; with --debug, by the traceback."""

    def main(self, *arguments: Any, **more: Any) -> Any:  # noqa: ANN401 - typer's own signature
        """Help is written while the words are read, by a console of typer's, which tells of a closed pipe by code 1."""
        try:
            return super().main(*arguments, **more)
        except SystemExit as end:
            if isinstance(end.__context__, BrokenPipeError):
                raise SystemExit(NOBODY_READS) from None
            raise

    def make_context(self, *arguments: Any, **more: Any) -> Any:  # noqa: ANN401 - typer's own signature
        """What stands before the command is read here."""
        with _wrong_usage_told():
            return super().make_context(*arguments, **more)

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 - likewise
        """The command's own words are read, and it is done."""
        try:
            with _wrong_usage_told():
                answer = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            _leave_in_silence()
        except Exception as error:
            sentence = sentence_for(error)
            if sentence is None or (isinstance(ctx.obj, Settings) and ctx.obj.debug):
                raise
            _discard_output()
            _tell(sentence, NOT_UNDERSTOOD if isinstance(error, WrongArgumentError) else COULD_NOT)
        return answer


@contextmanager
def _wrong_usage_told() -> Iterator[None]:
    try:
        yield
    except NoArgsIsHelpError:  # its message is the help
        raise
    except UsageError as error:
        problem = " ".join(error.format_message().split()).replace("Value error, ", "").rstrip(".")
        command = error.ctx.command_path if error.ctx else "genolaunch"
        _tell(f"{problem} (see `{command} --help`).", NOT_UNDERSTOOD)


def _tell(sentence: str, code: int) -> NoReturn:
    say(f"genolaunch: {sentence}", err=True)
    raise typer.Exit(code)


def _leave_in_silence() -> NoReturn:
    """Whoever read the output, such as `head`, has had enough: not an error that anybody wants to read about."""
    _discard_output()
    raise typer.Exit(NOBODY_READS)


def _discard_output() -> None:
    """What could not be written must not be tried again, and complained about, when the interpreter ends."""
    try:
        sys.stdout.flush()
    except OSError:
        with suppress(OSError, ValueError):  # ValueError: a test's standard output has no descriptor
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
