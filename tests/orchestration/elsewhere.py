"""What another process does in a home folder, while a test looks on."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_HOLDS = """
import sys, time
from datetime import date
from pathlib import Path
from orchestration.run_lock import only_run
from settings import load_settings
settings = load_settings(environ={}, home=Path(sys.argv[1]))
with only_run(settings, "account360 run", date(2024, 6, 10)):
    print("held", flush=True)
    sys.stdin.readline()
"""
_OPENS = """
import sys, duckdb
held = duckdb.connect(sys.argv[1])
print("held", flush=True)
sys.stdin.readline()
"""


@contextmanager
def _does(code: str, path: Path) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def held_elsewhere(home: Path):
    """Another process holds the home folder, until it reads a line or is killed."""
    return _does(_HOLDS, home)


def opened_elsewhere(database: Path):
    """Another process has a database open for writing."""
    return _does(_OPENS, database)


def let_go(process: subprocess.Popen[str]) -> None:
    """Have the process go on to its end."""
    assert process.stdin
    process.stdin.write("\n")
    process.stdin.flush()


def a_dead_process() -> str:
    """A process that has ended, as it was known."""
    code = "from orchestration.processes import this_process; print(this_process())"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return told.stdout.strip()
