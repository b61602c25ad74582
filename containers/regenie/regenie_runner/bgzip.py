"""Block-compressed gzip (BGZF, SAM specification section 4.1): what `bgzip` writes, and tabix can seek in.

Written here on ISA-L and threads: pysam's writer holds Python's lock while it compresses, so it takes turns with the
reading of the next lines instead of working beside it. Equal text gives equal bytes, however it comes in, on processors
of one kind; ISA-L may choose other bytes of the same text on another kind.
"""

from __future__ import annotations

import struct
from collections import deque
from concurrent.futures import Executor, Future
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
from isal import isal_zlib

_TEXT_OF_A_BLOCK = 0xFF00  # as bgzip cuts; compressed it stays below the format's 64 KiB also if it does not shrink
_BLOCKS_OF_A_TASK = 16
_TASKS_AHEAD = 8  # so that a fast reader does not pile up text
_LEVEL = 1  # files 4 % smaller than zlib's second level makes them, in a quarter of its time (benchmarks/merge.py)
_RAW_DEFLATE = -15
_HEADER = struct.Struct("<4BI2BH2B2H")
_TRAILER = struct.Struct("<2I")


class BgzipWriter:
    """Writes a stream of text to a file that is open for bytes; the threads are the caller's."""

    def __init__(self, file: BinaryIO, threads: Executor) -> None:
        self._file = file
        self._threads = threads
        self._text = bytearray()
        self._tasks: deque[Future[list[bytes]]] = deque()
        self.blocks = [0]
        """Where each block begins in the file, and where the next will; bytes."""

    def write(self, text: bytes) -> None:
        """Take more text."""
        self._text += text
        size = _TEXT_OF_A_BLOCK * _BLOCKS_OF_A_TASK
        whole = len(self._text) // size * size
        for start in range(0, whole, size):
            self._start(bytes(self._text[start : start + size]))
        del self._text[:whole]

    def finish(self) -> None:
        """Write what is left, and the empty block by which readers know that nothing is missing."""
        if self._text:
            self._start(bytes(self._text))
            self._text.clear()
        self._start(b"")
        self._keep(0)

    def _start(self, text: bytes) -> None:
        self._tasks.append(self._threads.submit(_blocks, text))
        self._keep(_TASKS_AHEAD)

    def _keep(self, tasks: int) -> None:
        """Write what was compressed, until no more than so many tasks are left."""
        while len(self._tasks) > tasks:
            for block in self._tasks.popleft().result():
                self._file.write(block)
                self.blocks.append(self.blocks[-1] + len(block))


def compress(text: bytes) -> bytes:
    """Blocks of some text; the end marker, if there is none."""
    return b"".join(_blocks(text))


def whole_file(text: bytes) -> bytes:
    """All of a file with this text, with the end marker."""
    return compress(text) + compress(b"")


def virtual_offsets(places: npt.NDArray[np.int64], blocks: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Where in a compressed file (`blocks`: its writer's) the text's bytes are, as indexes say it.

    That is the block's first byte in the upper 48 bits, and the byte within its text in the lower 16.
    """
    number, within = np.divmod(places, _TEXT_OF_A_BLOCK)
    offsets: npt.NDArray[np.int64] = blocks[number] << 16 | within
    return offsets


def _blocks(text: bytes) -> list[bytes]:
    starts = range(0, len(text), _TEXT_OF_A_BLOCK) if text else (0,)
    return [_block(text[start : start + _TEXT_OF_A_BLOCK]) for start in starts]


def _block(text: bytes) -> bytes:
    data = isal_zlib.compress(text, _LEVEL, _RAW_DEFLATE)
    # gzip with one extra field, "BC", which holds the size of the block less one; no time, so that bytes stay equal.
    size = _HEADER.size + len(data) + _TRAILER.size
    header = _HEADER.pack(31, 139, 8, 4, 0, 0, 255, 6, ord("B"), ord("C"), 2, size - 1)
    return header + data + _TRAILER.pack(isal_zlib.crc32(text), len(text))
