"""What to do about an error that a library or the machine told of in its own words."""

from __future__ import annotations

import re

# How the engine says that its file is not what it wrote.
_DAMAGED = (
    "Corrupt database file",
    "Could not read enough bytes from file",
    "is not a valid DuckDB database file",
)


def advice(said: str) -> str:
    """What an error said and, for those with a known way out, the way out."""
    if "Could not set lock on file" in said:
        process = re.search(r"PID (\d+)", said)
        by = f" by process {process.group(1)}" if process else ""
        return f"the warehouse is in use{by}: close what has it open, and run again"
    if "Trying to read a database file with version number" in said:
        return (
            "it was written by a newer version of DuckDB: run the version of account360 that wrote "
            f"it, or build a warehouse anew with another --home ({said})"
        )
    if "DagsterExecutionInterruptedError" in said:
        return "it was stopped before it was done"
    if "No space left on device" in said or "database or disk is full" in said:
        return f"the disk is full: make room, and run again ({said})"
    if any(sign in said for sign in _DAMAGED):
        return (
            "the warehouse is damaged: put a backup of it in its place, or move it away and run "
            f"again, which builds it anew from the landing folder ({said})"
        )
    return said
