"""How a file looks in a stand-in file system whose object is archived in S3, or was deleted.

FSx makes it, and `lfs` asks for it.
"""

from typing import Final

ARCHIVED_LINK: Final = "ARCHIVED-IN-S3--restore-the-object-first"
"""Target of the dangling link that stands for an archived file: reading it fails, and a listing says why."""
DELETED_LINK: Final = "DELETED-IN-S3--its-content-was-never-loaded"
"""The same for a file whose object was deleted after its import."""
