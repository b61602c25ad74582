"""What Snakemake notes of how files were made goes with the data from run to run."""

import json

import pytest
from botocore.exceptions import ClientError

from snakemake_launcher.provenance import Provenance
from snakemake_launcher.run_sheet import RunSheet
from snakemake_launcher.storage import Storage
from tests.unit.snakemake_launcher.sheets import sheet

SHEET = RunSheet.parse(json.dumps(sheet()))
URI = f"s3://{SHEET.remote_prefix}/.snakemake/metadata-{SHEET.engine}.tar.gz"


class FakeStorage(Storage):
    def __init__(self):
        self.objects = {}
        self.refuses = False

    def read_if_there(self, uri):
        return self.objects.get(uri)

    def write_bytes(self, uri, content):
        if self.refuses:
            raise ClientError({"Error": {"Code": "SlowDown"}}, "PutObject")
        self.objects[uri] = content


def note(folder, name="b3V0"):
    path = folder / ".snakemake" / "metadata" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('{"code": "cp"}')


@pytest.fixture
def storage():
    return FakeStorage()


def test_the_next_run_finds_the_notes_where_snakemake_looks(tmp_path, storage):
    first, second = tmp_path / "first", tmp_path / "second"
    note(first)
    second.mkdir()

    Provenance(SHEET, storage, first).keep(1)
    Provenance(SHEET, storage, second).fetch()

    assert list(storage.objects) == [URI]
    assert (second / ".snakemake" / "metadata" / "b3V0").read_text() == '{"code": "cp"}'


def test_without_notes_there_is_nothing(tmp_path, storage):
    Provenance(SHEET, storage, tmp_path).fetch()

    assert list(tmp_path.iterdir()) == []


def test_a_run_without_a_job_keeps_the_notes_as_they_are(tmp_path, storage):
    Provenance(SHEET, storage, tmp_path).keep(0)

    assert storage.objects == {}


def test_notes_that_cannot_be_read_end_no_run(tmp_path, storage, capsys):
    storage.objects[URI] = b"no archive"

    Provenance(SHEET, storage, tmp_path).fetch()

    assert "how files were made is not known" in capsys.readouterr().err


def test_what_s3_does_not_take_is_kept_with_the_next_look(tmp_path, storage, monkeypatch):
    note(tmp_path)
    provenance = Provenance(SHEET, storage, tmp_path)
    monkeypatch.setattr("snakemake_launcher.provenance._KEEP_SECONDS", -1.0)
    storage.refuses = True
    provenance.keep_if_due(1)
    storage.refuses = False

    provenance.keep_if_due(1)

    assert list(storage.objects) == [URI]


def test_a_note_never_lies_outside_the_folder(tmp_path, storage):
    import io
    import tarfile

    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        archive.addfile(tarfile.TarInfo("../../outside"), io.BytesIO())
    storage.objects[URI] = packed.getvalue()
    folder = tmp_path / "work" / "workflow"
    folder.mkdir(parents=True)

    Provenance(SHEET, storage, folder).fetch()

    assert not (tmp_path / "outside").exists()
    assert not (tmp_path / "work" / "outside").exists()
