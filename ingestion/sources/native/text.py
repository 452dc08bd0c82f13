"""Reading text files in blocks of whole records: decompression, hashing, UTF-8, lines in parallel.

A block is a few megabytes of bytes that end where a record ends. The calling thread reads, hashes
and cuts; threads turn blocks into Arrow tables, and the results come back in the file's order.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, BinaryIO, TypeVar

from ingestion.sources.native.errors import UnreadableFileError

BLOCK_BYTES = 8 << 20
# Most files are small, and a large buffer costs more than they do.
_FIRST_BLOCK_BYTES = 64 << 10
# Arrow counts the bytes of a text column in 32 bits; far below that nobody writes one line.
_LONGEST_RECORD = 512 << 20
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"

Result = TypeVar("Result")


@dataclass(frozen=True)
class Block:
    """Whole records of a text file. `first_line` counts from 1, `offset` in bytes from 0."""

    data: bytearray
    first_line: int
    offset: int


class HashingReader(io.RawIOBase):
    """A raw file that hashes what is read from it, so that one reading is enough."""

    def __init__(self, raw: BinaryIO) -> None:
        """Read from `raw`, an unbuffered binary file."""
        super().__init__()
        self._raw = raw
        self._hash = hashlib.sha256()

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        """Read into `buffer` and hash it; 0 at the end."""
        count = self._raw.readinto(buffer) or 0  # type: ignore[attr-defined]
        self._hash.update(memoryview(buffer)[:count])
        return count

    def content_hash(self) -> str:
        """The SHA-256 of everything read so far, in hexadecimal."""
        return self._hash.hexdigest()


def read_blocks(
    stream: HashingReader, compressed: bool, cut: Callable[[bytearray], int]
) -> Iterator[Block]:
    """Yield a file's blocks. `cut` tells where the last whole record of some bytes ends (0: none).

    A byte order mark at the start is left out. Raises `UnreadableFileError` on damaged compression
    and on a record without an end.
    """
    source: Any = stream
    if compressed:
        source = gzip.GzipFile(fileobj=io.BufferedReader(stream, 1 << 20))
    rest, line, offset, size, more = bytearray(), 1, 0, _FIRST_BLOCK_BYTES, True
    while more:
        data, more = _read(source, rest, min(size, BLOCK_BYTES), offset)
        size *= 4
        if offset == 0 and data.startswith(_BYTE_ORDER_MARK):
            del data[: len(_BYTE_ORDER_MARK)]
            offset = len(_BYTE_ORDER_MARK)
        end = cut(data)
        rest = data[end:]
        if end:
            del data[end:]
            yield Block(data, line, offset)
            line += data.count(b"\n")
            offset += end
        if len(rest) > _LONGEST_RECORD:
            raise UnreadableFileError(
                f"the record that starts on line {line} is longer than 512 MB",
                "Land one record per line.",
            )
    if rest:
        yield Block(rest, line, offset)


def _read(source: Any, rest: bytearray, size: int, offset: int) -> tuple[bytearray, bool]:
    """What was left over and the next `size` bytes, and whether there may be more."""
    data = bytearray(len(rest) + size)
    data[: len(rest)] = rest
    filled = len(rest)
    try:
        with memoryview(data) as view:
            while filled < len(data) and (count := source.readinto(view[filled:])):
                filled += count
        more = filled == len(data)
        del data[filled:]
        return data, more
    except EOFError:
        reason = f"the compressed file is cut off (after byte {offset + filled:,} of its text)"
    except (gzip.BadGzipFile, zlib.error) as error:
        reason = f"the compression is damaged ({error})"
    raise UnreadableFileError(reason, "Land the file again, whole, under the same name.")


def require_utf8(block: Block) -> None:
    """Raise `UnreadableFileError` naming line and byte where a block is not UTF-8."""
    if block.data.isascii():
        return
    try:
        block.data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = block.first_line + block.data.count(b"\n", 0, error.start)
        raise UnreadableFileError(
            f"not UTF-8: byte {block.offset + error.start:,} (line {line:,}) is"
            f" 0x{block.data[error.start]:02x}",
            "Convert the file to UTF-8 and land it again.",
        ) from error


def in_order(work: Callable[[Block], Result], blocks: Iterator[Block]) -> Iterator[Result]:
    """Apply `work` to every block, several at a time, and yield the results in order.

    A file of one block, the usual case, is worked on in the calling thread.
    """
    first = next(blocks, None)
    second = next(blocks, None)
    if first is None:
        return
    if second is None:
        yield work(first)
        return
    workers = os.cpu_count() or 1
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            waiting.extend((pool.submit(work, first), pool.submit(work, second)))
            for block in blocks:
                waiting.append(pool.submit(work, block))
                if len(waiting) > workers + 1:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
