"""Text of others never does anything but show itself."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genolaunch.shared.printable import json_text, one_line_ascii, printable
from regenie_runner.console import printable as runners

HOSTILE = {
    "escape": "\x1b[31mred\x1b[0m",
    "link": "\x1b]8;;https://example.org\x1b\\click\x1b]8;;\x1b\\",
    "eight-bit escape": "\x9b31m",
    "bell": "\x07",
    "overwrites": "done\rfailed",
    "erases": "ab\b\bcd\x7f",
    "line": "one\ntwo",
    "lines of Unicode": "one\u2028two\u2029three\x85four",
    "turned": "abc\u202egnp.exe",
    "isolates": "\u2066abc\u2069",
    "hidden": "a\u200bb\ufeffc\U000e0041",
    "half": "\ud800",
}
TEXTS = st.text(st.characters(), max_size=40) | st.sampled_from(sorted(HOSTILE.values()))


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_it_is_escaped(text):
    assert not text.isprintable()
    assert printable(text).isprintable()


@given(TEXTS)
def test_any_text_becomes_printable_and_stays_so(text):
    shown = printable(text)

    assert shown.isprintable()
    assert printable(shown) == shown
    assert runners(text) == shown  # the copy in the image of regenie


@given(st.text(st.characters(categories=("L", "N", "P", "S")), max_size=40))
def test_what_people_write_stays_as_it_is(text):
    assert printable(text) == text


@given(st.dictionaries(TEXTS, TEXTS | st.lists(TEXTS), max_size=5), st.sampled_from([None, 2]))
def test_json_is_printable_and_says_the_same(document, indent):
    shown = json_text(document, indent=indent)

    assert shown.replace("\n", "").isprintable()
    assert json.loads(shown) == document


@given(TEXTS)
def test_a_subject_is_one_short_line_of_ascii(text):
    shown = one_line_ascii(text, 50)

    assert shown.isascii()
    assert shown.isprintable() or not shown
    assert len(shown) <= 50
