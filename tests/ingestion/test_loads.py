"""Loads: each file once, changed files again, and nothing ever twice or half."""

from __future__ import annotations

import gzip
import hashlib
import importlib
import json
import os
import signal
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pytest

from ingestion.__main__ import main
from tests.ingestion.conftest import LOADED_AT, Place

ACCOUNTS = "account_id,name,join_date\na,A,2024-01-01\n"


def test_landed_files_tell_what_was_loaded(place: Place) -> None:
    content = gzip.compress(ACCOUNTS.encode())
    place.land("crm/accounts/2024-06-01/2023-01-01.csv.gz", content)
    place.load()
    rows = place.rows("crm.landed_files", order="location")
    columns = place.columns("crm.landed_files")
    assert dict(zip(columns, rows[0], strict=True)) == {
        "entity": "accounts",
        "location": "crm/accounts/2024-06-01/2023-01-01.csv.gz",
        "format": "csv.gz",
        "content_hash": hashlib.sha256(content).hexdigest(),
        "size_bytes": len(content),
        "extract_date": date(2024, 6, 1),
        "load_number": 1,
        "load_id": max(place.rows("crm._dlt_loads", "load_id", order="1")),
        "loaded_at": LOADED_AT.replace(tzinfo=None),
        "rows_read": 1,
        "unparsed_rows": 0,
        "erased_rows": 0,
    }


def test_a_file_is_loaded_once_and_without_dlt_when_nothing_is_new(place: Place) -> None:
    place.land("crm/accounts.csv", ACCOUNTS)
    assert place.load().load_number == 1
    script = (
        "import sys; from ingestion import load_domain; from settings import load_settings;"
        "from datetime import datetime, UTC;"
        "report = load_domain('crm', load_settings(environ={}, home=sys.argv[1]),"
        " datetime(2024, 6, 11, tzinfo=UTC));"
        "print(report.load_number, len(report.files),"
        " [name for name in ('dlt', 'pyarrow', 'pandas') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(place.settings.home)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "None 0 []"
    assert place.rows("crm.accounts", "_load_number") == [1]


def test_a_changed_file_is_loaded_again(place: Place) -> None:
    path = place.land("crm/accounts.csv", ACCOUNTS)
    place.load()
    os.utime(path, (1, 1))
    assert place.load().load_number is None
    place.land("crm/accounts.csv", ACCOUNTS.replace("A", "B"))
    assert place.load().load_number == 2
    place.land("crm/accounts.csv", ACCOUNTS)
    assert place.load().load_number == 3
    assert place.rows("crm.accounts", "name", "_load_number", order="2") == [
        ("A", 1),
        ("B", 2),
        ("A", 3),
    ]
    assert place.rows("crm.landed_files", "load_number", order="1") == [1, 2, 3]


def test_a_change_that_keeps_size_and_time_is_seen(place: Place) -> None:
    path = place.land("crm/accounts.csv", ACCOUNTS)
    status = path.stat()
    place.load()
    place.load()
    path.write_text(ACCOUNTS.replace("A", "B"))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert place.load().load_number == 2


def test_untouched_files_are_not_read_again(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    path = place.land("crm/accounts.csv", ACCOUNTS)
    os.utime(path, (1, 1))
    place.load()
    notes = place.settings.dlt_path / "crm_files.json"
    later = path.stat().st_ctime_ns + 10**10
    os.utime(notes, ns=(later, later))

    def refuse(*_: object) -> None:
        raise AssertionError("the file was read")

    monkeypatch.setattr("hashlib.file_digest", refuse)
    assert place.load().load_number is None
    notes.unlink()
    with pytest.raises(AssertionError, match="the file was read"):
        place.load()
    notes.write_text("damaged")
    with pytest.raises(AssertionError, match="the file was read"):
        place.load()


def test_equal_content_under_two_names_is_two_files(place: Place) -> None:
    place.land("crm/accounts/1.csv", ACCOUNTS)
    place.land("crm/accounts/2.csv", ACCOUNTS)
    assert place.load().rows_read == 2


def test_domains_count_their_loads_apart(place: Place) -> None:
    place.land("crm/accounts.csv", ACCOUNTS)
    assert place.load().load_number == 1
    place.land("tickets/ticket_changes.jsonl", '{"ticket_id":1,"changed_at":2,"field":"x"}')
    assert place.load("tickets").load_number == 1


def test_a_mended_file_is_loaded(place: Place) -> None:
    place.land("crm/accounts.csv", ACCOUNTS)
    place.land("crm/csms.csv", "name\nA\n")
    assert len(place.load().problems) == 1
    place.land("crm/csms.csv", "email\nA\n")
    report = place.load()
    assert report.problems == []
    assert report.load_number == 2


def test_the_working_folder_of_dlt_may_be_lost(place: Place) -> None:
    import shutil

    place.land("crm/accounts/1.csv", ACCOUNTS)
    place.load()
    shutil.rmtree(place.settings.dlt_path)
    assert place.load().load_number is None
    place.land("crm/accounts/2.csv", ACCOUNTS.replace("name", "name,new").replace("A", "A,x"))
    assert place.load().load_number == 2
    assert place.rows("crm.accounts", "new", "_load_number") == [(None, 1), ("x", 2)]


def test_the_warehouse_may_be_lost(new_place: Place) -> None:
    new_place.land("crm/accounts/1.csv", ACCOUNTS)
    new_place.load()
    new_place.settings.warehouse_path.unlink()
    assert new_place.load().load_number == 1
    assert new_place.rows("crm.accounts", "account_id") == ["a"]


class Killed(BaseException):
    """Stands for whatever ends a load."""


def kill(*_: object, **__: object) -> None:
    raise Killed


# Where a load may end by an error: nothing inserted yet; everything inserted but no mark set.
DEATHS = {
    "extracted": ("dlt.pipeline.pipeline", "Pipeline", "normalize"),
    "normalized": ("dlt.pipeline.pipeline", "Pipeline", "load"),
    "unmarked": ("dlt.destinations.impl.duckdb.duck", "DuckDbClient", "complete_load"),
}


@pytest.mark.parametrize("first", [True, False], ids=["first load", "later load"])
@pytest.mark.parametrize("moment", DEATHS)
def test_a_load_that_died_leaves_nothing(
    place: Place, monkeypatch: pytest.MonkeyPatch, moment: str, first: bool
) -> None:
    module, name, method = DEATHS[moment]
    place.land("crm/accounts/1.csv", ACCOUNTS)
    if not first:
        place.load()
    place.land("crm/accounts/2.csv", ACCOUNTS.replace("name", "name,new").replace("A", "A,x"))
    place.land("crm/accounts/3.csv", ACCOUNTS + "bad\n")
    with monkeypatch.context() as patch:
        patch.setattr(getattr(importlib.import_module(module), name), method, kill)
        with pytest.raises(Killed):
            place.load()
    place.land("crm/accounts/4.csv", ACCOUNTS)
    report = place.load()
    assert report.load_number == (1 if first else 2)
    assert len(place.rows("crm.accounts", "name")) == 4
    assert len(place.rows("crm.landed_files", "location", order="1")) == 4
    assert len(place.rows("crm.unparsed_lines", "record")) == 1
    assert place.load().load_number is None
    marks = place.rows("crm._dlt_loads", "load_id", order="1")
    assert len(marks) == len(set(marks))
    assert set(marks) > set(place.rows("crm.landed_files", "load_id", order="1"))


def test_rows_that_only_some_tables_got_are_removed(place: Place) -> None:
    """Any mixture that a kill can leave: rows in one table, a line in `landed_files`, no mark."""
    place.land("crm/accounts/1.csv", ACCOUNTS + "bad\n")
    place.load()
    place.land("crm/accounts/2.csv", ACCOUNTS)
    with duckdb.connect(str(place.settings.warehouse_path)) as connection:
        connection.execute(
            "insert into raw_crm.accounts"
            " select * replace (2 as _load_number) from raw_crm.accounts"
        )
        connection.execute(
            "insert into raw_crm.landed_files select * replace"
            " ('crm/accounts/2.csv' as location, 2 as load_number, 'lost' as load_id)"
            " from raw_crm.landed_files"
        )
    report = place.load()
    assert report.load_number == 2
    assert place.rows("crm.accounts", "_location") == ["crm/accounts/1.csv", "crm/accounts/2.csv"]
    assert len(place.rows("crm.landed_files", "location", order="1")) == 2


KILL = "os.kill(os.getpid(), signal.SIGKILL)"
# While some tables are inserted and others not; before the mark; after it.
KILLS = {
    "some inserted": (
        "from dlt.destinations.job_client_impl import ModelLoadJob as patched; run = patched.run;"
        f"patched.run = lambda job: {KILL} if 'unparsed' in job._file_path else run(job)"
    ),
    "unmarked": (
        "from dlt.destinations.impl.duckdb.duck import DuckDbClient as patched;"
        f"patched.complete_load = lambda *_, **__: {KILL}"
    ),
    "marked": (
        "from dlt.common.storages.load_storage import LoadStorage as patched;"
        f"patched.complete_load_package = lambda *_, **__: {KILL}"
    ),
}


@pytest.mark.parametrize("moment", KILLS)
def test_a_killed_process_leaves_nothing_half(place: Place, moment: str) -> None:
    place.land("crm/accounts.csv", ACCOUNTS + "bad\n")
    script = (
        "import os, signal, sys; from ingestion import load_domain;"
        "from settings import load_settings; from datetime import datetime, UTC;"
        f"{KILLS[moment]};"
        "load_domain('crm', load_settings(environ={}, home=sys.argv[1]),"
        " datetime(2024, 6, 10, tzinfo=UTC))"
    )
    done = subprocess.run([sys.executable, "-c", script, str(place.settings.home)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert list(place.settings.dlt_path.glob("crm_staged/*"))
    assert place.load().load_number == (None if moment == "marked" else 1)
    assert place.rows("crm.accounts", "account_id") == ["a"]
    assert place.rows("crm.unparsed_lines", "record") == ["bad"]
    assert place.load().load_number is None
    assert not list(place.settings.dlt_path.glob("crm_staged"))


def test_a_failed_load_is_an_error_and_can_be_repeated(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dlt.pipeline.exceptions import PipelineStepFailed

    def fail(*_: object) -> None:
        raise duckdb.IOException("disk full")

    place.land("crm/accounts.csv", ACCOUNTS)
    with monkeypatch.context() as patch:
        patch.setattr("dlt.destinations.job_client_impl.ModelLoadJob.run", fail)
        patch.setenv("LOAD__RAISE_ON_MAX_RETRIES", "1")
        with pytest.raises(PipelineStepFailed):
            place.load()
    assert place.load().load_number == 1
    assert place.rows("crm.accounts", "account_id") == ["a"]


def test_paths_with_quotes_and_wildcards_are_only_paths(tmp_path: Path) -> None:
    from settings import load_settings

    place = Place(load_settings(environ={}, home=tmp_path / "it's [a] *home"))
    place.land("crm/accounts/o'clock [1]*.csv", ACCOUNTS)
    place.land_parquet("crm/csms/x.parquet", "select 'a@x' as email")
    assert place.load().problems == []
    assert place.rows("crm.accounts", "_location") == ["crm/accounts/o'clock [1]*.csv"]
    assert place.rows("crm.csms", "email") == ["a@x"]


def test_python_m_ingestion_loads_one_domain(
    place: Place, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in list(os.environ):
        if name.startswith("ACCOUNT360_"):
            monkeypatch.delenv(name)
    elsewhere = place.settings.home.parent / "elsewhere"
    place.land("crm/accounts.csv", ACCOUNTS + "bad\n")
    place.land("crm/csms.csv", "email,shoe\na@x,1\n")
    place.settings.landing.rename(elsewhere)
    arguments = ["crm", "--home", str(place.settings.home), "--landing", str(elsewhere)]
    assert main(arguments) == 0
    printed = capsys.readouterr().out
    assert "crm: load 1, 2 files, 3 records" in printed
    assert "accounts: 1 files, 2 records, 1 of them unparsed" in printed
    assert "unknown column, kept in raw: csms.shoe (first in crm/csms.csv)" in printed
    (elsewhere / "crm" / "tasks.txt").touch()
    assert main(arguments) == 1
    printed = capsys.readouterr().out
    assert "crm: nothing new" in printed
    assert "PROBLEM crm/tasks.txt (crm.tasks): this kind of file cannot be read" in printed


def test_loaded_at_is_kept_in_utc(place: Place) -> None:
    from datetime import timedelta, timezone

    from ingestion import load_domain

    place.land("crm/accounts.csv", ACCOUNTS)
    instant = datetime(2024, 6, 10, 1, 0, tzinfo=timezone(timedelta(hours=5)))
    load_domain("crm", place.settings, instant)
    assert place.rows("crm.landed_files", "loaded_at", order="1") == [datetime(2024, 6, 9, 20, 0)]
    assert instant.astimezone(UTC).hour == 20


def test_nothing_is_sent_anywhere(place: Place, tmp_path: Path) -> None:
    """dlt's telemetry is off whatever the working directory is."""
    place.land("crm/accounts.csv", ACCOUNTS)
    script = (
        "import socket, sys; looked_up = [];"
        "socket.getaddrinfo = lambda *found, **_: looked_up.append(found) or [];"
        "from ingestion.__main__ import main;"
        "code = main(['crm', '--home', sys.argv[1]]); print(code, looked_up)"
    )
    environment = {name: value for name, value in os.environ.items() if "TELEMETRY" not in name}
    done = subprocess.run(
        [sys.executable, "-c", script, str(place.settings.home)],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env=environment,
    )
    assert done.stdout.splitlines()[-1] == "0 []"
    assert done.stderr == ""


def test_an_instant_without_a_zone_is_refused(place: Place) -> None:
    from ingestion import load_domain

    with pytest.raises(ValueError, match="time zone"):
        load_domain("crm", place.settings, datetime(2024, 6, 10))


def test_the_report_survives_json(place: Place) -> None:
    from dataclasses import asdict

    place.land("crm/accounts.csv", ACCOUNTS)
    assert json.dumps(asdict(place.load()), default=str)
