"""One run at a time in a home folder, whichever process it runs in.

A run holds a lock of the system (flock) on `run.lock` in the home folder: the system lets go of it
however the process ends, so that none is ever left behind. What stands in the file is for people:
who holds it. Text that a killed run left there says nothing and stops nobody.

The runs of the command line, those that Dagster starts (each in a process of its own) and erasures
hold it from their beginning to their end. A process that holds it already may take it again: a
night of the command line is a run of Dagster's as well.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import re
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TextIO

import duckdb

from orchestration.advice import advice
from orchestration.processes import is_gone, this_process
from orchestration.upgrades import WarehouseVersionError, refuse_newer
from settings import Settings

# How long a run waits for another one where nobody says: on the command line not at all, in a run
# that Dagster starts, which nobody looks at, rather long than lose the night.
DEFAULT_WAIT_MINUTES = 60

_LOOKS_EVERY_SECONDS = 0.5
# Who only asks whether it is held has it for an instant, for which no run is to be refused.
_ASKED_SECONDS = 0.1
_TELLS_EVERY_SECONDS = 60.0
# dbt ends with the run that started it, but a second later.
_WAREHOUSE_SECONDS = 5.0

# File → how often this process holds it.
_held: dict[Path, int] = {}


class NightError(RuntimeError):
    """A night that could not begin, or be told of; the message says what to do."""


class RunLockedError(NightError):
    """The home folder or its warehouse is in use; the message says by whom, and what to do."""


@dataclass(frozen=True)
class Holder:
    """Who holds a home folder: a process, what it does, since when and for which as-of date."""

    process: str
    command: str
    since: str
    as_of: str | None = None

    def __str__(self) -> str:
        """As it stands in a message."""
        host, _, rest = self.process.partition(" ")
        of = f" as of {self.as_of}" if self.as_of else ""
        where = "" if host == socket.gethostname() else f" on {host}"
        return f"process {rest.partition(' ')[0]}{where} ({self.command}{of}, since {self.since})"


@contextlib.contextmanager
def only_run(
    settings: Settings,
    command: str,
    as_of: date | None = None,
    *,
    wait_minutes: float = 0,
    tell: Callable[[str], None] | None = None,
) -> Iterator[None]:
    """Hold the home folder, to do `command` in it; the system lets go however the process ends.

    Where another process holds it, wait up to `wait_minutes` and `tell` so each minute; raises
    `RunLockedError` when it is still held then, at once with 0.
    """
    path = _lock(settings.home).resolve()
    if path in _held:
        _held[path] += 1
        try:
            yield
        finally:
            _held[path] -= 1
        return
    with path.open("a+", encoding="utf-8") as file:
        _wait_for(file, settings.home, wait_minutes, tell)
        since = f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
        said = Holder(this_process(), command, since, str(as_of) if as_of else None)
        file.truncate(0)
        file.write(json.dumps(asdict(said)) + "\n")
        file.flush()
        _held[path] = 1
        try:
            yield
        finally:
            del _held[path]
            file.truncate(0)


def _lock(home: Path) -> Path:
    return home / "run.lock"


def _wait_for(
    file: TextIO, home: Path, wait_minutes: float, tell: Callable[[str], None] | None
) -> None:
    seconds = max(60 * wait_minutes, _ASKED_SECONDS)
    started = time.monotonic()
    told = -_TELLS_EVERY_SECONDS
    while not _is_taken(file):
        waited = time.monotonic() - started
        by = _holder(home) or "a process that has not said yet what it does"
        if waited >= seconds:
            after = f", after {wait_minutes:g} minutes of waiting" if wait_minutes else ""
            raise RunLockedError(
                f"another run is under way in {home}{after}: {by}. Nothing was done; run again "
                "when it has ended, or have the run wait for it (--wait, or the setting "
                "wait_minutes)"
            )
        if tell and wait_minutes and waited - told >= _TELLS_EVERY_SECONDS:
            told = waited
            tell(f"waiting for {by}: {waited // 60:.0f} of {wait_minutes:g} minutes")
        time.sleep(min(_LOOKS_EVERY_SECONDS, seconds - waited))


def _is_taken(file: TextIO) -> bool:
    """Take the lock if nobody has it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(home: Path) -> Holder | None:
    """Who holds a home folder that is held, by the word of its file.

    None where that is of a run that was killed: the one that holds it now has not written yet.
    """
    try:
        said = json.loads(_lock(home).read_text(encoding="utf-8"))
        holder = Holder(str(said["process"]), said["command"], said["since"], said["as_of"])
    except (OSError, ValueError, TypeError, LookupError):
        return None
    return None if is_gone(holder.process) else holder


def is_ours(home: Path) -> bool:
    """Whether this process has a home folder."""
    return _lock(home).resolve() in _held


def is_held(home: Path) -> bool:
    """Whether a run has a home folder now, on whatever machine: the system says."""
    try:
        with _lock(home).open(encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def refuse_locked(warehouse: Path, tell: Callable[[str], None] | None = None) -> None:
    """Raise `NightError` where the warehouse cannot be written, before anything is started.

    A process that has it open is waited for, for seconds: it may be the dbt of a run that was
    killed, which is about to end.
    """
    if not warehouse.exists():
        return
    until = time.monotonic() + _WAREHOUSE_SECONDS
    has_told = False
    while True:
        try:
            with duckdb.connect(str(warehouse)) as connection:
                refuse_newer(connection, warehouse)
            # what the engine laid out of memory for a run that was killed; nobody else has it open
            shutil.rmtree(warehouse.with_name(f"{warehouse.name}.tmp"), ignore_errors=True)
            return
        except WarehouseVersionError as error:
            raise NightError(str(error)) from None
        except duckdb.IOException as error:
            process = re.search(r"PID (\d+)", str(error))
            if "Could not set lock on file" not in str(error):
                raise NightError(f"{warehouse} cannot be opened: {advice(str(error))}") from None
            by = f" by process {process.group(1)}" if process else ""
            if time.monotonic() >= until:
                raise RunLockedError(
                    f"{warehouse} cannot be opened: the warehouse is in use{by}: close what has "
                    "it open, and run again"
                ) from None
            if tell and not has_told:
                tell(f"the warehouse is in use{by}: waiting a few seconds for it")
                has_told = True
            time.sleep(_LOOKS_EVERY_SECONDS)


def patience(settings: Settings) -> float:
    """Minutes that a run waits which nobody looks at, or which was told to wait: as set."""
    return DEFAULT_WAIT_MINUTES if settings.wait_minutes is None else settings.wait_minutes
