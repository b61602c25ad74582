"""Programs that are written while others may run them."""

import os
import threading
from pathlib import Path


def put_executable(program: Path, script: str) -> None:
    """Put a program into place whole: several processes write the same one, while their neighbours run it.

    Written over, it could be run half written, or not at all (ETXTBSY).
    """
    new = program.with_name(f".{program.name}.{os.getpid()}.{threading.get_ident()}")
    new.write_text(script)
    new.chmod(0o755)
    new.replace(program)
