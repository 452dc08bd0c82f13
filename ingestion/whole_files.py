"""Files that are there whole or not at all, also where the process or the machine goes down."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def write_whole(path: Path, content: str | bytes, *, is_private: bool = False) -> None:
    """Write a file beside its place, have the disk hold it, and put it there in one step.

    Until then its name ends in `.tmp`, which no load takes for a landing file; it is another one
    for whoever else writes the same file. A private one only its owner may read, at any time.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    try:
        with os.fdopen(os.open(unfinished, flags, 0o600 if is_private else 0o666), "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
