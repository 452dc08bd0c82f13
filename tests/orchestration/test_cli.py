"""What the command line takes, refuses and answers; nights themselves are run end to end."""

import subprocess
import sys
from datetime import date

import duckdb
import pytest

from orchestration import cli, night, run_lock
from orchestration.advice import advice
from orchestration.publishing import Lead
from orchestration.report import NightReport, Remark, save
from orchestration.run_lock import NightError
from settings import ALERT_WEBHOOK_URL, load_settings
from tests.orchestration.elsewhere import held_elsewhere
from tests.orchestration.receivers import webhook


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
    assert (options["full_refresh"], options["lead"]) == (True, Lead.CURRENT)
    assert "published" in capsys.readouterr().out


def test_run_passes_on_what_is_accepted_and_why(home, nights):
    rows, mrr = "drift.account_360.rows", "drift.account_360.ending_mrr_reporting.total"
    date_and_home = ("--home", home, "--as-of", "2024-06-10")
    assert run("run", *date_and_home, "--accept", rows, "--accept", mrr, "--reason", "moved") == 0
    assert run("run", *date_and_home) == 0
    assert [options["accepted"] for _, _, options in nights] == [{rows: "moved", mrr: "moved"}, {}]


def test_what_cannot_be_accepted_is_refused_before_anything_runs(home, nights, capsys):
    assert run("run", "--home", home, "--accept", "release_complete", "--reason", "x") == 2
    assert "release_complete cannot be accepted" in capsys.readouterr().err
    assert run("run", "--home", home, "--accept", "drift.account_360.rows") == 2
    assert "--accept needs a reason" in capsys.readouterr().err
    assert nights == []


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


@pytest.fixture
def backfilled(monkeypatch):
    """The nights that a backfill ran, instead of running them; those of `failing` fail."""
    from orchestration import backfill

    asked, failing = [], set()

    def run_night(settings, as_of, *, full_refresh, lead, tell):
        asked.append((str(as_of), full_refresh, lead))
        report = NightReport(str(as_of), "run", "now", "the.log", seconds=1.0)
        if str(as_of) in failing:
            report.failures.append(Remark("dbt a_test", "Got 1 result\nmore"))
        else:
            report.publish_id, report.links = "p", [f"as_of={as_of}"]
        return report

    monkeypatch.setattr(backfill, "run_night", run_night)
    return asked, failing


def test_a_backfill_runs_its_dates_in_order_each_beside_what_readers_see(home, backfilled, capsys):
    asked, _ = backfilled
    assert run("backfill", "2024-02-28", "2024-03-01", "--home", home, "--full-refresh") == 0
    assert asked == [
        ("2024-02-28", True, Lead.BESIDE),
        ("2024-02-29", False, Lead.BESIDE),
        ("2024-03-01", False, Lead.BESIDE),
    ]
    *lines, summary = capsys.readouterr().out.splitlines()
    assert lines[1] == (
        f"2024-02-29  published in 1.0 s  {home}/published/as_of=2024-02-29/account360.duckdb"
    )
    assert summary == "Backfilled 3 of 3 dates; published/current was left as it is."


@pytest.mark.parametrize(("options", "nights", "published"), [([], 2, 1), (["--keep-going"], 3, 2)])
def test_a_backfill_ends_at_the_first_night_that_fails_unless_told_otherwise(
    home, backfilled, capsys, options, nights, published
):
    asked, failing = backfilled
    failing.add("2024-06-02")
    assert run("backfill", "2024-06-01", "2024-06-03", "--home", home, *options) == 1
    assert len(asked) == nights
    out = capsys.readouterr().out.splitlines()
    assert out[1] == "2024-06-02  FAILED after 1.0 s  dbt a_test: Got 1 result; log the.log"
    assert out[-1].startswith(f"Backfilled {published} of 3 dates")


def test_a_backfill_tells_of_a_night_that_could_not_begin(home, monkeypatch, capsys):
    from orchestration import backfill

    def refuse(*_, **__):
        raise NightError("another run is under way")

    monkeypatch.setattr(backfill, "run_night", refuse)
    assert run("backfill", "2024-06-01", "2024-06-01", "--home", home) == 1
    assert "FAILED after 0.0 s  another run is under way" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("dates", "said"),
    [
        (["2024-06-02", "2024-06-01"], "FROM 2024-06-02 is after TO 2024-06-01"),
        (["1999-12-31", "2024-06-01"], "FROM 1999-12-31 cannot be: allowed is 2000-01-01 to"),
        (["2024-06-01", "2999-01-01"], "TO 2999-01-01 cannot be"),
    ],
)
def test_a_backfill_of_dates_that_cannot_be_is_refused(home, capsys, dates, said):
    assert run("backfill", *dates, "--home", home) == 2
    assert said in capsys.readouterr().err


def test_a_failed_night_is_told_and_one_that_nobody_hears_of_fails_no_other_way(
    home, monkeypatch, capsys
):
    failed = NightReport("2024-06-10", "r", "s", "the.log", failures=[Remark("check", "failed")])
    monkeypatch.setattr(night, "run_night", lambda *_, **__: failed)
    with webhook() as hook:
        monkeypatch.setenv(ALERT_WEBHOOK_URL, hook.url)
        assert run("run", "--home", home) == 1
        assert "the night of 2024-06-10 did not publish" in hook.bodies[0].decode()
        hook.answers = [400]
        monkeypatch.setattr(night, "run_night", _not_begun)
        assert run("run", "--home", home) == 1
    err = capsys.readouterr().err
    assert "the alert did not go out by webhook: the receiver answered 400" in err
    assert "account360: another run is under way" in err
    assert hook.url not in err


def _not_begun(*_, **__):
    raise NightError("another run is under way")


def test_status_check_ends_with_1_where_something_is_to_be_said(home, capsys):
    assert run("status", "--home", home) == 0
    capsys.readouterr()
    assert run("status", "--check", "--home", home) == 1
    assert capsys.readouterr().out.endswith(f"stale: nothing is published in {home} yet\n")
    settings = load_settings(environ={}, home=home)
    save(NightReport("2024-06-10", "r", "s", "l", failures=[Remark("dbt x", "y")]), settings)
    assert run("status", "--check", "--home", home) == 1
    assert "failed: the last night, of 2024-06-10, did not publish: dbt x: y" in (
        capsys.readouterr().out
    )
    assert run("status", "--alert", "--home", home) == 2


def test_the_folder_of_dagsters_services_is_written_and_named(home, monkeypatch, capsys):
    monkeypatch.delenv("ACCOUNT360_DAGSTER_POSTGRES_URL", raising=False)
    assert run("dagster-home", "--home", home) == 0
    assert capsys.readouterr().out == f"{home}/dagster\n"
    assert (home / "dagster" / "dagster.yaml").exists()
    monkeypatch.setenv("ACCOUNT360_DAGSTER_STORAGE", "postgres")
    for command in ("dagster-home", "ui"):
        assert run(command, "--home", home) == 2
        assert "ACCOUNT360_DAGSTER_POSTGRES_URL is not set" in capsys.readouterr().err
