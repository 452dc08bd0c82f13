"""What the command line takes, refuses and answers; nights themselves are run end to end."""

import subprocess
import sys
from datetime import date

import duckdb
import pytest

from orchestration import cli, night, run_lock
from orchestration.night import NightError, advice
from orchestration.report import NightReport
from tests.orchestration.elsewhere import held_elsewhere


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty home folder with a landing folder; no settings from outside."""
    for name in ("HOME", "LANDING", "REPORTING_TIME_ZONE"):
        monkeypatch.delenv(f"ACCOUNT360_{name}", raising=False)
    (tmp_path / "landing").mkdir()
    return tmp_path


@pytest.fixture
def nights(monkeypatch):
    """What `run` asked for, instead of running it; each night publishes."""
    asked = []

    def run_night(settings, as_of, **options):
        asked.append((settings, as_of, options))
        return NightReport(
            str(as_of), "run", "now", "log", publish_id="p", folder="/p/p", links=["current"]
        )

    monkeypatch.setattr(night, "run_night", run_night)
    return asked


def run(*arguments):
    return cli.main([str(argument) for argument in arguments])


def test_run_passes_its_options_on(home, nights, capsys):
    code = run("run", "--home", home, "--as-of", "2024-06-10", "--full-refresh", "--make-current")
    assert code == 0
    [(settings, as_of, options)] = nights
    assert (settings.home, settings.landing) == (home, home / "landing")
    assert as_of == date(2024, 6, 10)
    assert (options["full_refresh"], options["make_current"]) == (True, True)
    assert "published" in capsys.readouterr().out


def test_run_without_a_date_is_of_today_in_the_reporting_time_zone(home, nights, monkeypatch):
    from orchestration import calendar

    monkeypatch.setattr(calendar, "today", lambda settings: date(2024, 6, 11))
    assert run("run", "--home", home) == 0
    assert nights[0][1] == date(2024, 6, 11)


def test_today_is_that_of_the_reporting_time_zone():
    from datetime import datetime, timedelta
    from zoneinfo import ZoneInfo

    from orchestration.calendar import today
    from settings import load_settings

    west = today(load_settings(environ={}, reporting_time_zone="Etc/GMT+12"))
    east = today(load_settings(environ={}, reporting_time_zone="Etc/GMT-14"))
    # 26 hours lie between them: never the same day, and at times two days.
    assert east - west >= timedelta(days=1)
    assert east == datetime.now(ZoneInfo("Etc/GMT-14")).date()


def test_a_run_that_does_not_publish_ends_with_1(home, monkeypatch, capsys):
    monkeypatch.setattr(night, "run_night", lambda *_, **__: NightReport("d", "r", "s", "the.log"))
    assert run("run", "--home", home) == 1
    out = capsys.readouterr().out
    assert "NOT PUBLISHED" in out
    assert "the.log" in out


def test_a_night_that_cannot_begin_ends_with_1_and_a_message(home, monkeypatch, capsys):
    def refuse(*_, **__):
        raise NightError("another run is under way")

    monkeypatch.setattr(night, "run_night", refuse)
    assert run("run", "--home", home) == 1
    assert capsys.readouterr().err == "account360: another run is under way\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "--as-of", "1999-12-31"], "allowed is 2000-01-01 to "),
        (["run", "--as-of", "2999-01-01"], "today in UTC"),
        (["run", "--landing", "nowhere"], "does not exist"),
    ],
)
def test_what_cannot_be_asked_ends_with_2_and_says_what_can(
    home, nights, capsys, arguments, message
):
    assert run(*arguments, "--home", home) == 2
    assert message in capsys.readouterr().err
    assert nights == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "required"),
        (["fly"], "invalid choice"),
        (["run", "--as-of", "yesterday"], "YYYY-MM-DD"),
        (["run", "--as-of", "2024-02-30"], "no date"),
        (["demo", "--scale", "0"], "no number above 0"),
        (["demo", "--nights", "none"], "from 1 to 366"),
        (["run", "--wait", "long"], "no number of minutes"),
    ],
)
def test_wrong_options_end_with_2(capsys, arguments, message):
    with pytest.raises(SystemExit) as end:
        run(*arguments)
    assert end.value.code == 2
    assert message in capsys.readouterr().err


def test_a_bad_setting_ends_with_2_and_names_it(home, monkeypatch, capsys):
    monkeypatch.setenv("ACCOUNT360_GRACE_DAYS", "soon")
    assert run("status", "--home", home) == 2
    assert "grace_days" in capsys.readouterr().err


def test_help_shows_examples(capsys):
    with pytest.raises(SystemExit) as end:
        run("--help")
    assert end.value.code == 0
    assert "account360 run --as-of 2024-06-10" in capsys.readouterr().out


def test_an_unforeseen_error_leaves_its_traceback_in_a_log(home, monkeypatch, capsys):
    monkeypatch.setattr(night, "run_night", lambda *_, **__: 1 / 0)
    assert run("run", "--home", home) == 1
    err = capsys.readouterr().err
    assert err.startswith("account360: unexpected: ZeroDivisionError")
    assert err.count("\n") == 1
    assert "Traceback" in (home / "logs" / "unexpected.log").read_text()


def test_status_of_a_new_home_says_that_there_is_nothing(home, capsys):
    assert run("status", "--home", home) == 0
    out = capsys.readouterr().out
    assert "Nothing is published" in out
    assert "No night has been run yet." in out


def test_demo_does_not_write_among_other_files(home, capsys):
    (home / "landing" / "crm").mkdir()
    assert run("demo", "--home", home) == 2
    assert "has files already" in capsys.readouterr().err


def test_light_commands_load_nothing_heavy(home):
    code = (
        "import sys; from orchestration.cli import main; "
        f"main(['status', '--home', {str(home)!r}]); "
        "print([m for m in ('dagster', 'dbt', 'dlt', 'great_expectations', 'pandas') "
        "if m in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.splitlines()[-1] == "[]"


def test_a_warehouse_that_is_open_elsewhere_is_a_message(home, capsys, monkeypatch):
    monkeypatch.setattr(run_lock, "_WAREHOUSE_SECONDS", 0)
    warehouse = home / "warehouse.duckdb"
    duckdb.connect(str(warehouse)).close()
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"import duckdb; held = duckdb.connect({str(warehouse)!r})\n"
            "print('open', flush=True); input()",
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout.readline() == "open\n"
        assert run("run", "--home", home, "--as-of", "2024-06-10") == 1
    finally:
        holder.communicate("\n")
    err = capsys.readouterr().err
    assert f"in use by process {holder.pid}" in err


def test_a_warehouse_that_is_no_database_is_a_message(home, capsys):
    (home / "warehouse.duckdb").write_bytes(b"not a database" * 1000)
    assert run("run", "--home", home, "--as-of", "2024-06-10") == 1
    assert "cannot be opened" in capsys.readouterr().err


def test_a_second_run_in_the_same_home_is_refused(home, capsys):
    with held_elsewhere(home):
        assert run("run", "--home", home, "--as-of", "2024-06-10") == 1
        assert run("run", "--home", home, "--as-of", "2024-06-10", "--wait", "0.01") == 1
    at_once, after = capsys.readouterr().err.strip().split("account360: ")[1:]
    assert "another run is under way" in at_once
    assert "after 0.01 minutes of waiting" in after


@pytest.mark.parametrize(
    ("options", "set_to", "minutes"),
    [
        ([], None, None),
        (["--wait"], None, 60),
        (["--wait"], "7", 7),
        (["--wait", "2.5"], "7", 2.5),
    ],
)
def test_how_long_a_run_waits_for_another(home, nights, monkeypatch, options, set_to, minutes):
    if set_to:
        monkeypatch.setenv("ACCOUNT360_WAIT_MINUTES", set_to)
    assert run("run", "--home", home, "--as-of", "2024-06-10", *options) == 0
    assert nights[0][2]["wait_minutes"] == minutes


def test_errors_with_a_way_out_tell_it():
    lock = 'IO Error: Could not set lock on file "w": Conflicting lock is held in x (PID 12).'
    assert advice(lock).startswith("the warehouse is in use by process 12: close")
    assert advice("[Errno 28] No space left on device").startswith("the disk is full: make room")
    assert advice("dagster.DagsterExecutionInterruptedError") == "it was stopped before it was done"
    assert advice("something else") == "something else"
