"""Numbers with what they count, in sentences for people."""


def counted(number: int, one: str, many: str | None = None) -> str:
    """`1 value`, `2,000 values`; `many` where it is more than `one` with an s: `1 entry`, `1 set has`."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"
