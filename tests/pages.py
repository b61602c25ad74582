"""What tests look for in pages that people open on phones."""

from html.parser import HTMLParser
from typing import Any


class _Boxes(HTMLParser):
    """Which tables and plots are in no box that scrolls by itself."""

    def __init__(self) -> None:
        super().__init__()
        self._open: list[bool] = []
        self.outside: list[str] = []

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        classes = (dict(attrs).get("class") or "").split()
        if tag == "div":
            self._open.append("scroll" in classes)
        elif tag in ("table", "svg") and not any(self._open):
            self.outside.append(f"{tag} {' '.join(classes)}".strip())

    def handle_endtag(self, tag: str) -> None:
        if tag == "div":
            self._open.pop()


def outside_boxes(page: str) -> list[str]:
    """Tables and drawings of a page that make all of it scroll where they are wider than the screen."""
    boxes = _Boxes()
    boxes.feed(page)
    return boxes.outside
