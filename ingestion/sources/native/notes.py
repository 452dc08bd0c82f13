"""Notes on files that were hashed before, so that a night does not read all of history again.

A note says: when this file had this size and these times, its content had this hash. Times only
decide whether to read a file once more; no figure ever depends on them. A lost note costs one
reading of the file.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from ingestion.whole_files import write_whole

# A file changed in the same tick of the clock in which it was noted would keep its times, so a note
# counts only for files that were already this old when the notes were written (nanoseconds).
_SETTLED = 50_000_000

Stamp = tuple[int, int, int]


def stamp_of(status: os.stat_result) -> Stamp:
    """What is compared: size in bytes, time of modification and of status change in ns."""
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns


class Notes:
    """The notes of one domain: location → stamp and content hash, in one small JSON file."""

    def __init__(self, path: Path) -> None:
        """Read the notes; none where the file is missing or damaged."""
        self._path = path
        self._entries: dict[str, tuple[Stamp, str]] = {}
        self._changed = False
        try:
            written = path.stat().st_mtime_ns
            for location, (*stamp, content_hash) in json.loads(path.read_text("utf-8")).items():
                size, modified, changed = stamp
                if max(modified, changed) < written - _SETTLED:
                    self._entries[location] = ((size, modified, changed), str(content_hash))
        except (OSError, ValueError, TypeError, AttributeError):
            self._entries = {}

    def known_hash(self, location: str, stamp: Stamp) -> str | None:
        """The content hash of a file that has not been touched since it was noted."""
        noted, content_hash = self._entries.get(location, (None, None))
        return content_hash if noted == stamp else None

    def remember(self, location: str, stamp: Stamp, content_hash: str) -> None:
        """Note what was just read."""
        self._entries[location] = (stamp, content_hash)
        self._changed = True

    def save(self) -> None:
        """Write the notes, whole or not at all."""
        if not self._changed:
            return
        entries = {location: [*stamp, known] for location, (stamp, known) in self._entries.items()}
        write_whole(self._path, json.dumps(entries))
