"""The file that rollbacks are noted in: one line of JSON each, appended and never changed.

It stands beside the publishes and not in the warehouse, which a night may have open. The next
publish tells what is in it, in its table `audit_rollbacks`.
"""

from __future__ import annotations

import json
import os
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from settings import Settings


class Rollback(NamedTuple):
    """Who led readers back to a publish, when, from which one and why. The instant is in UTC."""

    rolled_back_at: datetime
    rolled_back_by: str
    from_publish: str | None
    to_publish: str
    reason: str | None


def rollbacks_path(settings: Settings) -> Path:
    """Where they are noted."""
    return settings.published_path / "rollbacks.jsonl"


def note_rollback(settings: Settings, rollback: Rollback) -> None:
    """Append a rollback, and have the disk hold it. The caller holds the links."""
    path = rollbacks_path(settings)
    said = {**rollback._asdict(), "rolled_back_at": rollback.rolled_back_at.isoformat()}
    with path.open("ab+") as file:
        # the line of one that was killed while it wrote has no end
        is_whole = file.tell() == 0 or path.read_bytes().endswith(b"\n")
        line = json.dumps(said, ensure_ascii=False)
        file.write((("" if is_whole else "\n") + line + "\n").encode())
        file.flush()
        os.fsync(file.fileno())


def read_rollbacks(settings: Settings) -> list[Rollback]:
    """All that were noted, in order; a line that was not written to its end is none."""
    path = rollbacks_path(settings)
    if not path.exists():
        return []
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            said = json.loads(line)
            found.append(
                Rollback(
                    **{**said, "rolled_back_at": datetime.fromisoformat(said["rolled_back_at"])}
                )
            )
        except (ValueError, TypeError, KeyError):
            continue
    return found
