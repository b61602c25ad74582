"""Functions' code is unpacked once, not once for each process of each function.

All functions of a capability have the same bundle of some 700 files. To unpack it forty times costs a deployment
seconds, and to remove it forty times let the cloud take longer to stop than it is given.
"""

import hashlib
import os
import tempfile
import threading
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Final

_FOLDER: Final = "unpacked"
_lock: Final = threading.Lock()


class UnpackedOnce(zipfile.ZipFile):
    """An archive whose files are unpacked into one folder for all who ask: each gets a link to it.

    Nobody may write there. No function can on AWS.
    """

    def extractall(
        self, path: "str | os.PathLike[str] | None" = None, members: object = None, pwd: object = None
    ) -> None:
        """Make `path`, an empty folder, a link to the files."""
        assert path is not None
        assert members is None
        assert pwd is None
        assert self.filename is not None
        digest = hashlib.sha256(Path(self.filename).read_bytes()).hexdigest()
        files = Path(tempfile.gettempdir()) / _FOLDER / digest
        with _lock:
            if not files.exists():
                unfinished = files.with_suffix(".unfinished")
                super().extractall(unfinished)
                unfinished.rename(files)
        target = Path(path)
        target.rmdir()
        target.symlink_to(files)


def sharing_zipfile() -> SimpleNamespace:
    """Module zipfile, but for ZipFile."""
    return SimpleNamespace(**{**vars(zipfile), "ZipFile": UnpackedOnce})
