"""A file is compared with an object by the SHA-256 that S3 keeps, of one part or of several."""

import base64
import hashlib

import pytest

from genolaunch import contents
from genolaunch.contents import is_content_of, part_size

MIB = 1 << 20


def digest(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


def as_written(value: bytes) -> str:
    return base64.b64encode(value).decode()


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    """Parts of ten bytes, read three at a time."""
    monkeypatch.setattr(contents, "_SMALLEST_PART", 10)
    monkeypatch.setattr(contents, "_BLOCK", 3)


@pytest.mark.parametrize("size", [0, 1, 9, 10, 11, 20, 25])
def test_one_part_has_the_digest_of_its_bytes(tmp_path, size):
    content = bytes(range(size))
    file = tmp_path / "file"
    file.write_bytes(content)

    assert is_content_of(file, as_written(digest(content)))
    assert not is_content_of(file, as_written(digest(content + b"x")))


@pytest.mark.parametrize(("size", "parts"), [(10, 1), (11, 2), (20, 2), (25, 3)])
def test_several_parts_have_the_digest_of_their_digests(tmp_path, size, parts):
    """S3 user guide, "Checking object integrity": of the parts' digests one after another, `-` and their number."""
    content = bytes(range(size))
    file = tmp_path / "file"
    file.write_bytes(content)
    together = digest(b"".join(digest(content[at : at + 10]) for at in range(0, size, 10)))
    read: list[int] = []

    assert is_content_of(file, f"{as_written(together)}-{parts}", read.append)
    assert sum(read) == size
    file.write_bytes(content[:-1] + b"x")
    assert not is_content_of(file, f"{as_written(together)}-{parts}")


@pytest.mark.parametrize("parts", [1, 3, 4])
def test_an_object_of_other_parts_cannot_be_told(tmp_path, parts):
    content = bytes(range(20))
    file = tmp_path / "file"
    file.write_bytes(content)
    cut = -(-20 // parts)
    together = digest(b"".join(digest(content[at : at + cut]) for at in range(0, 20, cut)))

    assert not is_content_of(file, f"{as_written(together)}-{parts}")


@pytest.mark.parametrize("size", [0, 10, 99_999, 100_001, 5 * MIB])
def test_no_upload_has_more_parts_than_s3_takes(size):
    assert -(-size // part_size(size)) <= 10_000
