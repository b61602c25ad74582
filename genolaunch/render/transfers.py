"""Progress of uploads and downloads."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn

from genolaunch.render.words import shown, size_text
from genolaunch.shared.printable import printable


@contextmanager
def byte_progress(screen: Console, verb: str) -> Iterator[Callable[[str, int], Callable[[int], None]]]:
    """Show the progress of transfers. Call the result with a name and a size in bytes; call what it returns with bytes
    done."""
    if not screen.is_terminal:
        yield lambda name, size: _announced(screen, f"{verb} {name} ({size_text(size)})")
        return
    with Progress(TextColumn("{task.description}"), BarColumn(), DownloadColumn(), console=screen) as progress:
        yield lambda name, size: _advancing(
            progress, progress.add_task(f"{verb} {escape(printable(name))}", total=size)
        )


def _announced(screen: Console, line: str) -> Callable[[int], None]:
    screen.print(shown(line))
    return lambda _: None


def _advancing(progress: Progress, task: TaskID) -> Callable[[int], None]:
    return lambda count: progress.advance(task, count)
