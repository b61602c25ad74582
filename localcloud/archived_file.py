"""How a file that is archived in S3 looks in a stand-in file system: FSx makes it, and `lfs` asks for it."""

from typing import Final

ARCHIVED_LINK: Final = "ARCHIVED-IN-S3--restore-the-object-first"
"""Target of the dangling link that stands for an archived file: reading it fails, and a listing says why."""
