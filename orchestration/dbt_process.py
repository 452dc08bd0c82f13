"""dbt in a process that ends when the one that started it does: `python -m` this and dbt's words.

A night that is killed would otherwise leave a dbt that goes on building, and that shuts the next
night out of the warehouse until it is done. What it was in the middle of is as if it had not been:
DuckDB commits each model whole.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import signal
import sys
import threading
import time

from orchestration.processes import is_alive

# Set by who starts dbt: its own process.
PARENT_VARIABLE = "ACCOUNT360_DBT_PARENT"

_PR_SET_PDEATHSIG = 1
_LOOKS_EVERY_SECONDS = 0.25


def end_with_parent() -> None:
    """Have this process end as soon as the one that started it has.

    A thread looks who the parent is: an orphan is given another one. On Linux the kernel kills it
    at once, which the thread need not have noticed. Ends now where the parent is gone already.
    """
    parent = os.getppid()
    named = os.environ.get(PARENT_VARIABLE, "")
    if named.isdecimal() and int(named) != parent and not is_alive(int(named)):
        os._exit(1)  # it ended while this was started
    if sys.platform.startswith("linux"):
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOKS_EVERY_SECONDS)
    # not sys.exit: nothing more is to be written
    os._exit(1)


def main() -> None:
    """Run dbt with the arguments of this process."""
    end_with_parent()
    # Walking dbt's manifest again and again takes a seventh of its time; what it does not find
    # to throw away is 140 MB at most.
    gc.disable()
    from dbt.cli.main import cli

    cli(prog_name="dbt")


if __name__ == "__main__":
    main()
