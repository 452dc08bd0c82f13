"""dbt in a process that ends when the one that started it does: `python -m` this and dbt's words.

A night that is killed would otherwise leave a dbt that goes on building, and that shuts the next
night out of the warehouse until it is done.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def end_with_parent() -> None:
    """Have Linux kill this process when its parent ends; elsewhere it ends by itself, later."""
    if not sys.platform.startswith("linux"):
        return
    parent = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended while we were asking
        sys.exit(1)


def main() -> None:
    """Run dbt with the arguments of this process."""
    end_with_parent()
    from dbt.cli.main import cli

    cli(prog_name="dbt")


if __name__ == "__main__":
    main()
