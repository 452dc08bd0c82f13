"""Which process this is, and whether another one still lives: numbers of processes come again.

A process is known by its host, its number, and the tick since boot that it was started at, where
the system tells; `?` stands for a tick that is not known.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path


def this_process() -> str:
    """This process, in words by which it is known again: host, number, start."""
    return f"{socket.gethostname()} {os.getpid()} {_started_at(os.getpid()) or '?'}"


def is_gone(process: str) -> bool:
    """Whether a process of this host ended. Of another host it is not known, and not said."""
    host, _, rest = process.partition(" ")
    number, _, started = rest.partition(" ")
    if host != socket.gethostname() or not number.isdecimal():
        return False
    if not is_alive(int(number)):
        return True
    now = _started_at(int(number))
    return started != "?" and now is not None and now != started


def is_alive(number: int) -> bool:
    """Whether some process of this host has that number now."""
    try:
        os.kill(number, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def _started_at(number: int) -> str | None:
    try:
        said = Path(f"/proc/{number}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The second field is the program's name in brackets, and may hold anything.
    return said.rpartition(")")[2].split()[19]
