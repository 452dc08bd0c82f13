"""dbt ends with the run that started it, however that ends."""

import os
import signal
import subprocess
import sys
import time

import pytest

from orchestration import dbt_process

# A run that starts a child which ends with it, tells its id, and goes on for a minute.
_RUN = """
import os, subprocess, sys, time
environment = {{**os.environ, "ACCOUNT360_DBT_PARENT": str(os.getpid())}}
child = subprocess.Popen([sys.executable, "-c", {child!r}], env=environment)
print(child.pid, flush=True)
time.sleep(60)
"""
_CHILD = """
from orchestration import dbt_process
import ctypes, sys, time
if {without_kernel}:
    sys.platform = "another"
dbt_process.end_with_parent()
print("ready", flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("without_kernel", [False, True])
def test_a_killed_run_leaves_no_dbt(without_kernel):
    child = _CHILD.format(without_kernel=without_kernel)
    run = subprocess.Popen(
        [sys.executable, "-c", _RUN.format(child=child)], stdout=subprocess.PIPE, text=True
    )
    with run:
        assert run.stdout
        pid = int(run.stdout.readline())
        assert run.stdout.readline() == "ready\n"
        run.send_signal(signal.SIGKILL)
        run.wait()
        killed = time.monotonic()
        while is_alive(pid):
            assert time.monotonic() - killed < 2
            time.sleep(0.05)


def is_alive(pid):
    """Whether a process runs; one that has ended and that nobody asked after does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True)
    return not state.stdout.startswith("Z") and bool(state.stdout.strip())


def test_a_dbt_whose_run_was_gone_before_it_was_there_ends_at_once():
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    code = "from orchestration.dbt_process import end_with_parent as end; end(); print('went on')"
    environment = {**os.environ, dbt_process.PARENT_VARIABLE: str(gone.pid)}
    ended = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True)
    assert (ended.returncode, ended.stdout) == (1, b"")


def test_a_dbt_that_a_person_starts_goes_on():
    code = "from orchestration.dbt_process import end_with_parent as end; end(); print('went on')"
    environment = {k: v for k, v in os.environ.items() if k != dbt_process.PARENT_VARIABLE}
    ended = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True)
    assert (ended.returncode, ended.stdout) == (0, b"went on\n")
