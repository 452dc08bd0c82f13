"""One run at a time in a home folder: who holds it, who waits, and what a killed one leaves."""

import fcntl
import json
import signal
import threading
import time
from datetime import date

import duckdb
import pytest

from orchestration import run_lock
from orchestration.processes import this_process
from orchestration.run_lock import (
    Holder,
    RunLockedError,
    is_held,
    only_run,
    patience,
    refuse_locked,
)
from settings import load_settings
from tests.orchestration.elsewhere import held_elsewhere, let_go, opened_elsewhere


@pytest.fixture
def home(settings):
    settings.home.mkdir()
    return settings


def test_a_second_run_is_refused_at_once_and_told_who_holds_the_folder(home):
    with held_elsewhere(home.home) as holder:
        started = time.monotonic()
        with pytest.raises(RunLockedError) as refused, only_run(home, "account360 run"):
            pass
        assert time.monotonic() - started < 1
    said = str(refused.value)
    assert f"process {holder.pid} (account360 run as of 2024-06-10, since 20" in said
    assert "Nothing was done; run again when it has ended" in said
    assert "--wait" in said


def test_a_run_that_waits_goes_on_when_the_other_one_has_ended(home):
    told = []
    with held_elsewhere(home.home) as holder:
        threading.Timer(0.7, let_go, [holder]).start()
        with only_run(home, "account360 run", wait_minutes=1, tell=told.append):
            assert holder.wait(timeout=5) == 0
    assert told == [
        f"waiting for process {holder.pid} (account360 run as of 2024-06-10, since "
        f"{told[0].partition('since ')[2][:23]}): 0 of 1 minutes"
    ]


def test_a_run_that_waits_gives_up_after_its_minutes(home):
    with (
        held_elsewhere(home.home),
        pytest.raises(RunLockedError, match=r"after 0\.01 minutes of waiting: process"),
        only_run(home, "account360 run", wait_minutes=0.01),
    ):
        pass


def test_a_killed_run_leaves_no_lock_and_its_text_stops_nobody(home):
    with held_elsewhere(home.home) as holder:
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        assert str(holder.pid) in (home.home / "run.lock").read_text()
        with only_run(home, "account360 erase"):
            assert json.loads((home.home / "run.lock").read_text())["process"] == this_process()
    assert (home.home / "run.lock").read_text() == ""


@pytest.mark.parametrize("text", ["", "12345", "{", json.dumps({"process": "x"}), "[]"])
def test_text_that_nobody_wrote_is_not_told_as_the_holder(home, text):
    (home.home / "run.lock").write_text(text)
    with (home.home / "run.lock").open() as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(RunLockedError, match="has not said yet"), only_run(home, "run"):
            pass
    with only_run(home, "run"):
        pass


def test_the_text_of_a_process_that_is_gone_is_not_told_as_the_holder(home):
    with held_elsewhere(home.home) as gone:
        text = (home.home / "run.lock").read_text()
    assert str(gone.pid) in text
    (home.home / "run.lock").write_text(text)
    with (home.home / "run.lock").open() as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(RunLockedError, match="has not said yet"), only_run(home, "run"):
            pass


def test_a_holder_on_another_machine_is_named_with_it():
    process = "another-host 7 4711"
    holder = Holder(process, "account360 run", "2024-06-10 03:00:00 UTC", "2024-06-10")
    assert str(holder) == (
        "process 7 on another-host (account360 run as of 2024-06-10, since 2024-06-10 03:00:00 UTC)"
    )


def test_who_holds_it_may_take_it_again_and_lets_go_once(home):
    def is_free() -> bool:
        with (home.home / "run.lock").open() as other:
            try:
                fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

    with only_run(home, "account360 run", date(2024, 6, 10)):
        with pytest.raises(ZeroDivisionError), only_run(home, "run of Dagster"):
            1 / 0  # noqa: B018
        assert not is_free()
        assert json.loads((home.home / "run.lock").read_text())["command"] == "account360 run"
    assert is_free()


def test_whether_it_is_held_is_asked_of_the_system_and_refuses_no_run(home):
    assert not is_held(home.home)
    with held_elsewhere(home.home) as holder:
        assert is_held(home.home)
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    assert (home.home / "run.lock").read_text()
    assert not is_held(home.home)
    asks = (home.home / "run.lock").open()
    fcntl.flock(asks, fcntl.LOCK_SH)
    threading.Timer(0.05, asks.close).start()
    with only_run(home, "account360 run"):
        assert is_held(home.home)


def test_a_run_that_fails_lets_go(home):
    with pytest.raises(ZeroDivisionError), only_run(home, "account360 run"):
        1 / 0  # noqa: B018
    with only_run(home, "account360 run"):
        pass


def test_a_warehouse_that_somebody_is_about_to_close_is_waited_for(home):
    duckdb.connect(str(home.warehouse_path)).close()
    told = []
    with opened_elsewhere(home.warehouse_path) as holder:
        threading.Timer(0.7, holder.kill).start()
        refuse_locked(home.warehouse_path, told.append)
    assert told == [
        f"the warehouse is in use by process {holder.pid}: waiting a few seconds for it"
    ]


def test_a_warehouse_that_stays_open_is_refused(home, monkeypatch):
    monkeypatch.setattr(run_lock, "_WAREHOUSE_SECONDS", 0.2)
    duckdb.connect(str(home.warehouse_path)).close()
    with (
        opened_elsewhere(home.warehouse_path) as holder,
        pytest.raises(RunLockedError, match=f"in use by process {holder.pid}: close what has it"),
    ):
        refuse_locked(home.warehouse_path)


def test_what_a_killed_run_laid_out_of_memory_does_not_fill_the_disk(home, monkeypatch):
    duckdb.connect(str(home.warehouse_path)).close()
    with duckdb.connect(str(home.warehouse_path)) as connection:
        spills = connection.execute("select current_setting('temp_directory')").fetchone()[0]
    left = home.home / "warehouse.duckdb.tmp"
    assert spills == str(left)
    left.mkdir()
    (left / "duckdb_temp_storage_DEFAULT-0.tmp").write_bytes(b"x" * 1000)
    monkeypatch.setattr(run_lock, "_WAREHOUSE_SECONDS", 0)
    with opened_elsewhere(home.warehouse_path), pytest.raises(RunLockedError):
        refuse_locked(home.warehouse_path)
    assert left.exists()
    refuse_locked(home.warehouse_path)
    assert not left.exists()


@pytest.mark.parametrize(("set_to", "minutes"), [(None, 60), (0, 0), (5, 5)])
def test_how_long_a_run_waits_that_nobody_looks_at(tmp_path, set_to, minutes):
    settings = load_settings(environ={}, home=tmp_path, **{"wait_minutes": set_to})
    assert patience(settings) == minutes
