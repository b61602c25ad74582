"""Searches of a Snakefile that find nothing, as the engine's process tells of them."""

import json

import pytest

from snakemake_launcher.engines.sources import Searches
from snakemake_launcher.events import FILE_VARIABLE
from snakemake_launcher.genolaunch_job import S3Listing


class CountingListing(S3Listing):
    """Data with one file, below raw/."""

    def __init__(self):
        self.asked = 0

    def kind(self, path):
        self.asked += 1
        return "folder" if path in ("", "raw") else ""

    def names(self, folder, most):
        self.asked += 1
        return ["a.txt"] if folder == "raw" else ["raw/"]


@pytest.fixture
def events(tmp_path, monkeypatch):
    file = tmp_path / "events.jsonl"
    monkeypatch.setenv(FILE_VARIABLE, str(file))
    return lambda: [json.loads(line) for line in file.read_text().splitlines()]


def test_a_search_that_finds_nothing_is_told_once_with_what_there_is(events, capsys):
    searches = Searches("data/run42", CountingListing())

    for _ in range(2):
        searches.tell('glob("raw/*.bam")', "raw", found=False)

    (event,) = events()
    assert event["message"].startswith(
        'glob("raw/*.bam") in the Snakefile found nothing: s3://data/run42/raw/ holds a.txt'
    )
    assert event["message"] in capsys.readouterr().err


def test_of_a_thousand_searches_only_the_first_few_ask_s3_and_are_logged(events, capsys):
    listing = CountingListing()
    searches = Searches("data/run42", listing)

    for number in range(1000):
        searches.tell(f'glob("raw/s{number}/*.bam")', f"raw/s{number}", found=False)

    assert listing.asked <= 20
    logged = capsys.readouterr().err.splitlines()
    assert len(logged) == 6
    assert logged[-1] == "Warning: more searches of the Snakefile found nothing: the launch's warnings say how many."
    assert len({event["search"] for event in events()}) == 1000
    assert events()[-1]["message"] == 'glob("raw/s999/*.bam") in the Snakefile found nothing.'


def test_what_was_found_later_is_taken_back_whether_it_was_described_or_not(events):
    searches = Searches("data/run42", CountingListing())
    calls = [f'glob("raw/s{number}/*.bam")' for number in range(10)]

    for found in (False, True):
        for call in calls:
            searches.tell(call, "raw", found=found)

    assert [event["search"] for event in events() if not event["message"]] == calls
