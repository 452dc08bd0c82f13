"""What a person sees while a night runs: which station, how far, how long."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

_STEP_PERCENT = 25
_REFRESH_SECONDS = 0.2


class Progress:
    """Tells on a stream what goes on, and keeps the seconds of each station.

    On a terminal the line of the station under way is rewritten; elsewhere each fact is one line,
    without control characters. Without a stream it only measures.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        """`stream`: where to tell; None for nowhere."""
        self._stream = stream
        self._rewrites = bool(stream and stream.isatty())
        self._started = time.monotonic()
        self._refreshed = 0.0
        self._told_percent = 0
        self._note = ""
        self.seconds: dict[str, float] = {}

    @contextmanager
    def station(self, name: str) -> Iterator[None]:
        """One station of the night, from its start to its end."""
        started = time.monotonic()
        self._note, self._told_percent = "", 0
        self._tell(f"{name} …", unfinished=True)
        word = "failed after"
        try:
            yield
            word = "done in"
        finally:
            took = time.monotonic() - started
            self.seconds[name] = self.seconds.get(name, 0.0) + took
            note = f" ({self._note})" if self._note else ""
            self._tell(f"{name}: {word} {took:.1f} s{note}")

    def note(self, text: str) -> None:
        """What the line that ends the station under way says in brackets."""
        self._note = text

    def step(self, name: str, done: int, total: int) -> None:
        """`done` of `total` parts of a station are done."""
        if self._rewrites:
            now = time.monotonic()
            if now - self._refreshed >= _REFRESH_SECONDS:
                self._refreshed = now
                self._tell(f"{name} … {done} of {total}", unfinished=True)
            return
        percent = 100 * done // max(total, 1)
        if percent < 100 and percent // _STEP_PERCENT > self._told_percent // _STEP_PERCENT:
            self._told_percent = percent
            self._tell(f"{name} … {done} of {total}", unfinished=True)

    def tell(self, text: str) -> None:
        """A line of its own, of what belongs to no station."""
        self._tell(text)

    def total_seconds(self) -> float:
        """Seconds since this was made."""
        return time.monotonic() - self._started

    def _tell(self, text: str, unfinished: bool = False) -> None:
        if self._stream is None:
            return
        line = f"[{self.total_seconds():6.1f} s] {text}"
        if self._rewrites:
            self._stream.write(f"\r\x1b[K{line}" + ("" if unfinished else "\n"))
        else:
            self._stream.write(f"{line}\n")
        self._stream.flush()
