"""Runs the suites in a process of its own, which imports Great Expectations while others work.

The process ends when its standard input closes, so none is left behind by a run that is killed.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from expectations.frames import Frame


class ExaminerError(RuntimeError):
    """The process that runs the suites ended; the message holds what it last said."""


@dataclass(frozen=True)
class Finding:
    """What one expectation found: whether it held and, if not, where and what was seen instead.

    frame: the frame that it looked at. subjects: all rows that failed, of which `observed` shows
    the first few.
    """

    expectation: str
    says: str
    blocking: bool
    success: bool
    observed: str
    frame: str = ""
    subjects: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        """One line: what should hold and, where it does not, what was seen."""
        if self.success:
            return self.says
        # sentences begin on a line of their own
        return (
            f"{self.says}; found{':' if self.observed.startswith(chr(10)) else ' '}{self.observed}"
        )


class Examiner:
    """Answers whether frames meet a suite (`arrival` or `release`). Starts importing at once."""

    def __init__(self) -> None:
        """Start the process; `examine` waits for it to be ready."""
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        self._process = subprocess.Popen(
            [sys.executable, "-m", "expectations"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            cwd=Path(__file__).resolve().parent.parent,
            env={**os.environ, "GX_ANALYTICS_ENABLED": "false"},
            text=True,
        )

    def examine(self, suite: str, frames: Mapping[str, Frame]) -> list[Finding]:
        """All findings of one suite over its frames. Raises `ExaminerError` if the process died."""
        request = {
            "suite": suite,
            "frames": {name: asdict(frame) for name, frame in frames.items()},
        }
        answer = self._ask(json.dumps(request))
        if "error" in answer:
            raise ExaminerError(f"suite {suite} could not be run: {answer['error']}")
        return [Finding(**finding) for finding in answer["findings"]]

    def _ask(self, request: str) -> dict[str, Any]:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        try:
            stdin.write(request + "\n")
            stdin.flush()
            line = stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            self._complaints.seek(0)
            said = self._complaints.read().decode(errors="replace").strip()[-2000:]
            raise ExaminerError(
                f"the process that runs Great Expectations ended (code {self._process.poll()}): "
                f"{said or 'it said nothing'}"
            )
        return json.loads(line)

    @property
    def is_alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def close(self) -> None:
        """End the process."""
        if self._process.stdin:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
        self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()
        self._complaints.close()


_examiners: list[Examiner] = []


def current_examiner() -> Examiner:
    """The one examiner of this process, started at the first call and again if it has died."""
    if not _examiners or not _examiners[-1].is_alive:
        _examiners[:] = [Examiner()]
    return _examiners[-1]
