"""What a person reads: progress while a night runs, its summary, and status."""

import io
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from orchestration.progress import Progress
from orchestration.report import DomainLoad, NightReport, Remark, load_last, render, save
from orchestration.status import status

GOOD = NightReport(
    as_of="2024-06-10",
    run_id="abc",
    started_at="2024-06-11T01:00:00+00:00",
    log="/home/logs/one.log",
    seconds=20.0,
    publish_id="2024-06-10_20240611T010019Z_abc",
    folder="/home/published/2024-06-10_20240611T010019Z_abc",
    links=["current"],
    tables=10,
    rows=1234,
    loads=[
        DomainLoad("crm", 2, 1500, ["accounts.mood (crm/accounts.csv)"]),
        DomainLoad("events", 0, 0),
    ],
    conservation=[
        {
            "domain": "crm",
            "entity": "accounts",
            "records_read": 1500,
            "current_rows": 1490,
            "superseded": 0,
            "duplicates": 4,
            "unattributed": 1,
            "rejected": 5,
            "erased": 0,
            "difference": 0,
        },
        {
            "domain": "crm",
            "entity": "csms",
            "records_read": 0,
            "current_rows": 0,
            "unattributed": 0,
            "rejected": 0,
            "difference": 0,
        },
    ],
    stations={"preparing": 3.0, "landing crm": 1.0, "landing events": 0.5, "dbt": 12.0},
)

BAD = NightReport(
    as_of="2024-06-10",
    run_id="abc",
    started_at="2024-06-11T01:00:00+00:00",
    log="/home/logs/one.log",
    seconds=2.0,
    failures=[
        Remark(
            "dbt test unique_accounts",
            "Got 2 results",
            ["account_id = a1, n = 2", "account_id = a2, n = 3"],
            "/home/dbt/compiled/unique_accounts.sql",
        )
    ],
    warnings=[Remark("arrived_as_usual on raw_crm.landed_files", "has a remark", ["8 days old"])],
)


def test_the_summary_of_a_night_that_published():
    assert render(GOOD) == (
        """\
Night of 2024-06-10: published in 20.0 s.
  file       /home/published/current/account360.duckdb
  parquet    /home/published/current/parquet
  publish    2024-06-10_20240611T010019Z_abc: 10 tables, 1,234 rows
  log        /home/logs/one.log

Loaded
  crm     2  files        1,500  records
  events     nothing new
  unknown column, kept in raw: crm.accounts.mood (crm/accounts.csv)

Records, over all loads
  entity         read  current  duplicates  unattributed  rejected
  crm.accounts  1,500    1,490           4             1         5

Time
  preparing   3.0 s
  landing     1.5 s
  dbt        12.0 s
  Dagster     3.5 s"""
    )


def test_the_summary_of_a_night_that_failed_says_which_rows_and_where_to_look():
    text = render(BAD)
    assert "NOT PUBLISHED" in text.splitlines()[0]
    assert (
        """\
Failed
  dbt test unique_accounts: Got 2 results
      account_id = a1, n = 2
      account_id = a2, n = 3
      see /home/dbt/compiled/unique_accounts.sql

Worth a look
  arrived_as_usual on raw_crm.landed_files: has a remark
      8 days old"""
        in text
    )


def test_a_publish_beside_says_that_current_stays():
    beside = NightReport(**{**vars(GOOD), "links": ["as_of=2024-06-10"]})
    text = render(beside)
    assert "/home/published/as_of=2024-06-10/account360.duckdb" in text
    assert "--make-current would move it" in text


@pytest.mark.parametrize("report", [GOOD, BAD])
def test_the_last_night_is_kept(settings, report):
    assert load_last(settings) is None
    save(report, settings)
    assert load_last(settings) == report


def test_status_tells_publish_and_failed_checks_of_the_last_night(settings):
    folder = settings.published_path / "2024-06-10_20240611T010019Z_abcdefgh"
    folder.mkdir(parents=True)
    settings.current_path.symlink_to(folder.name)
    with duckdb.connect(str(folder / "account360.duckdb")) as connection:
        connection.execute(
            f"""
            create table audit_publishes as select
                '{folder.name}' as publish_id, date '2024-06-10' as as_of_date, 'abc' as run_id,
                '0.1.0' as code_version, timestamp '2024-06-11 01:00:19' as published_at,
                2 as tables, 3 as rows, 41 as checks_passed;
            create table account_360 as select
                'a1' as account_id, date '2024-06-09' as crm_data_through,
                null::date as billing_data_through;
            """
        )
    save(BAD, settings)
    text = status(settings)
    for fact in (
        "2024-06-11 01:00:19 UTC",
        "checks passed         41",
        "crm data through      2024-06-09",
        "billing data through  no data",
        "account_360      1  rows",
        "Last night, of 2024-06-10: NOT PUBLISHED",
        "failed: dbt test unique_accounts: Got 2 results",
        "account_id = a2, n = 3",
    ):
        assert fact in text


class Terminal(io.StringIO):
    def isatty(self):
        return True


def told(stream):
    progress = Progress(stream)
    with progress.station("dbt"):
        for done in range(1, 101):
            progress.step("dbt", done, 100)
        progress.note("100 models")
    with pytest.raises(ZeroDivisionError), progress.station("publish"):
        raise ZeroDivisionError
    return progress


def test_progress_without_a_terminal_is_lines_without_control_characters():
    stream = io.StringIO()
    progress = told(stream)
    lines = [line.partition("] ")[2] for line in stream.getvalue().splitlines()]
    assert lines[:4] == ["dbt …", "dbt … 25 of 100", "dbt … 50 of 100", "dbt … 75 of 100"]
    assert lines[4].startswith("dbt: done in 0.")
    assert lines[4].endswith("s (100 models)")
    assert lines[6].startswith("publish: failed after 0.")
    assert "\x1b" not in stream.getvalue()
    assert set(progress.seconds) == {"dbt", "publish"}


def test_progress_on_a_terminal_rewrites_its_line():
    stream = Terminal()
    told(stream)
    assert stream.getvalue().count("\n") == 2
    assert "\r\x1b[K" in stream.getvalue()


def test_progress_to_nowhere_measures():
    assert set(told(None).seconds) == {"dbt", "publish"}


def test_a_log_takes_what_the_process_prints_and_the_person_still_hears(tmp_path: Path, capfd):
    import subprocess
    import sys

    from orchestration.night import _output_to, _own_stream

    log = tmp_path / "night.log"
    with _own_stream(sys.stderr) as person, _output_to(log):
        print("from python")
        subprocess.run([sys.executable, "-c", "print('from a child')"], check=True)
        print("to the person", file=person, flush=True)
    assert log.read_text().splitlines() == ["from python", "from a child"]
    captured = capfd.readouterr()
    assert captured.out == ""
    assert "to the person" in captured.err


def test_status_tells_drift_in_sentences_on_lines_of_their_own(settings):
    settings.logs_path.mkdir(parents=True)
    drift = "columns come as before; found:\ncrm.accounts.tier: missing since b.csv.\ncrm.x: new."
    save(
        replace(GOOD, warnings=[Remark("arrived_as_usual", "has a remark", [drift])]),
        settings,
    )
    assert status(settings).splitlines()[-3:] == [
        "  worth a look: arrived_as_usual: columns come as before; found:",
        "      crm.accounts.tier: missing since b.csv.",
        "      crm.x: new.",
    ]
