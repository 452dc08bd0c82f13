"""`python -m tests.drill.doomed POINT …`: the command line, killed where POINT says.

Nothing in the product knows of it: this module listens to what Python tells of files and processes
(audit events), and to the stations of the night. POINT is JSON:

    {"trace": FILE}                                kill nothing, write down the stations and events
    {"station": S, "event": n}                     before the n-th event of a station, from 0
    {"station": S, "of": EVENT}                    before the first event that begins with this
    {"station": S, "step": n}                      after the n-th node of dbt
    {"station": S, "after": seconds}               so long after its beginning, or at its end

The station before the first is "begin", what comes between two is "after <the one before>".
"""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# What changes files, or starts a process.
_EVENTS = {
    *("os.rename", "os.symlink", "os.remove", "os.mkdir", "os.rmdir", "shutil.rmtree"),
    "subprocess.Popen",
}
_AT_NO_FOLDER = -1
_PUBLISH = re.compile(r"\d{4}-\d{2}-\d{2}_\d{8}T\d{6}Z_\w{8}")


class Doom:
    """Follows a run, and ends it at its point."""

    def __init__(self, point: dict[str, Any], home: Path) -> None:
        """`home`: events elsewhere are not counted."""
        self._point = point
        self._home = str(home)
        self._station = "begin"
        self._seen = 0
        self._started = time.monotonic()
        self._trace: list[dict[str, Any]] = []
        self._enter("begin")

    def listen(self) -> None:
        """From here on."""
        from orchestration.progress import Progress

        sys.addaudithook(self._event)
        station, step = Progress.station, Progress.step

        @contextmanager
        def followed(progress: Progress, name: str) -> Iterator[None]:
            self._enter(name)
            try:
                with station(progress, name):
                    yield
            finally:
                if "after" in self._point and self._point["station"] == name:
                    self._die()
                self._enter(f"after {name}")

        def followed_step(progress: Progress, name: str, done: int, total: int) -> None:
            step(progress, name, done, total)
            self._trace[-1]["steps"] = total
            if self._point.get("station") == name and self._point.get("step") == done:
                self._die()

        Progress.station = followed
        Progress.step = followed_step

    def _enter(self, name: str) -> None:
        now = time.monotonic()
        if self._trace:
            self._trace[-1]["seconds"] = now - self._started
        self._station, self._seen, self._started = name, 0, now
        self._trace.append({"station": name, "events": [], "steps": 0, "seconds": 0.0})
        if "after" in self._point and self._point["station"] == name:
            timer = threading.Timer(self._point["after"], self._die)
            timer.daemon = True
            timer.start()

    def _event(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event not in _EVENTS:
            return
        # what is removed with a folder is named within it
        is_within = event in ("os.remove", "os.rmdir") and arguments[1] != _AT_NO_FOLDER
        if not (event == "subprocess.Popen" or is_within or self._home in str(arguments)):
            return
        told = f"{event} {self._place(event, arguments)}"
        self._trace[-1]["events"].append(told)
        if self._point.get("station") == self._station:
            is_it = self._point.get("event") == self._seen
            if is_it or ("of" in self._point and told.startswith(self._point["of"])):
                self._die()
        self._seen += 1

    def _place(self, event: str, arguments: tuple[Any, ...]) -> str:
        # of a link, where it stands; of anything else, what it is done to
        path = arguments[1] if event == "os.symlink" else arguments[0]
        return _PUBLISH.sub("<publish>", Path(os.fsdecode(path)).name)

    def _die(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def write(self, file: Path) -> None:
        """What an undisturbed run did, station by station."""
        self._enter("end")
        file.write_text(json.dumps(self._trace, indent=1))


def main() -> int:
    """Run the command line with the arguments behind the point."""
    point, arguments = json.loads(sys.argv[1]), sys.argv[2:]
    home = Path(arguments[arguments.index("--home") + 1])
    doom = Doom(point, home)
    doom.listen()
    from orchestration.cli import main as account360

    code = account360(arguments)
    if "trace" in point:
        doom.write(Path(point["trace"]))
    return code


if __name__ == "__main__":
    sys.exit(main())
