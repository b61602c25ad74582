"""Lines of a plan as one short text, "3,17,20-25", for a job's environment (TASK_INDICES)."""

from collections.abc import Iterable, Iterator, Sequence


def expand(indices: str) -> list[int]:
    """The lines, in the order of the text: array index n does the n-th of them."""
    lines: list[int] = []
    for part in indices.split(","):
        first, _, last = part.partition("-")
        lines += range(int(first), int(last or first) + 1)
    return lines


def compact(lines: Iterable[int], longest: int) -> Iterator[str]:
    """As few texts as may be, of at most `longest` characters each, that name all `lines` in ascending order."""
    text = ""
    for run in _runs(sorted(set(lines))):
        part = str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}"
        if text and len(text) + 1 + len(part) > longest:
            yield text
            text = ""
        text = f"{text},{part}" if text else part
    if text:
        yield text


def _runs(lines: Sequence[int]) -> Iterator[Sequence[int]]:
    """Neighbours together."""
    start = 0
    for end in range(1, len(lines) + 1):
        if end == len(lines) or lines[end] != lines[end - 1] + 1:
            yield lines[start:end]
            start = end
