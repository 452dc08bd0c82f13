"""Opening a landing file without ever waiting for it, and telling whether it stayed the same.

Somebody else writes to the landing folder while it is read: a file may vanish, grow or be replaced
at any moment, also by something that is no file and would let a reader wait for ever.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO

from ingestion.sources.native.errors import UnreadableFileError

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
_ADVICE = {
    errno.ENOENT: "It is gone, or links to nothing: land it again, or take the link away.",
    errno.ENOTDIR: "It is gone with its folder: land it again.",
    errno.ELOOP: "It links to itself: land a file in its place, or take the link away.",
    errno.ESTALE: "Its file system is not there: mount it again.",
    errno.EIO: "Its file system fails: look at the disk or the mount, and land it again.",
    errno.ENAMETOOLONG: "Give it a shorter name.",
}


def open_regular(path: Path) -> BinaryIO:
    """Open a file for reading, unbuffered. Raises `UnreadableFileError` where it is no file.

    What a name leads to may change between a look and the opening, so the descriptor is looked at
    again; the opening itself waits for no writer of a pipe.
    """
    _require_regular(path.stat())
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        _require_regular(os.fstat(descriptor))
        return os.fdopen(descriptor, "rb", buffering=0)
    except BaseException:
        os.close(descriptor)
        raise


def is_folder(path: Path) -> bool:
    """Whether a folder stands there; what cannot be looked at is none, and reading it says why."""
    try:
        return stat.S_ISDIR(path.stat().st_mode)
    except OSError:
        return False


def identity_of(path: Path) -> tuple[int, ...]:
    """What changes when a file is written to or replaced."""
    status = path.stat()
    return (
        status.st_dev,
        status.st_ino,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
    )


def advice_for(error: OSError) -> str:
    """What to do about a file that the system would not give."""
    return _ADVICE.get(error.errno or 0, "Make it a file that this user may read.")


def _require_regular(status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        kind = _KINDS.get(stat.S_IFMT(status.st_mode), "something else")
        raise UnreadableFileError(f"not a regular file but {kind}", "Land a file in its place.")
