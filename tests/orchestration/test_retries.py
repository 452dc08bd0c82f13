"""What is tried again: failures that pass by themselves, and nothing else."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from ingestion import LoadReport, Problem, may_pass
from ingestion.report import LoadedFile
from ingestion.sources.native.reading import FileReader
from orchestration.defs import home, raw
from orchestration.progress import Progress
from settings import Settings

# As many tries as in a night, without the waits.
AT_ONCE = dg.RetryPolicy(max_retries=raw.RETRIES.max_retries, delay=0)


@pytest.fixture
def materialize(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], dg.ExecuteInProcessResult]:
    """Materializes the raw tables of crm, in this process."""
    monkeypatch.setattr(raw, "RETRIES", AT_ONCE)
    assets = raw.definitions(settings, Progress()).assets
    [crm] = [
        asset
        for asset in assets or []
        if isinstance(asset, dg.AssetsDefinition) and asset.op.name == "load_crm"
    ]
    return lambda: dg.materialize(
        [crm],
        instance=dg.DagsterInstance.ephemeral(),
        resources=home.definitions(settings).resources,
        raise_on_error=False,
    )


def failing(monkeypatch: pytest.MonkeyPatch, *outcomes: BaseException | LoadReport) -> list[int]:
    """Have loads come to these outcomes one after another; the number of each try is kept."""
    tries: list[int] = []

    def load_domain(*_: object) -> LoadReport:
        tries.append(len(tries) + 1)
        outcome = outcomes[min(len(tries), len(outcomes)) - 1]
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    monkeypatch.setattr(raw, "load_domain", load_domain)
    return tries


def retries(result: dg.ExecuteInProcessResult) -> int:
    return sum(event.event_type_value == "STEP_UP_FOR_RETRY" for event in result.all_events)


def landed(result: dg.ExecuteInProcessResult) -> dict[str, object]:
    [event] = [
        event
        for event in result.get_asset_materialization_events()
        if event.asset_key == dg.AssetKey(["raw_crm", "landed_files"])
    ]
    return {name: value.value for name, value in event.materialization.metadata.items()}


def a_file(location: str) -> LoadedFile:
    return LoadedFile("accounts", location, "csv", "hash", 100, date(2024, 6, 1), 7, 1)


def test_tries_wait_longer_each_time() -> None:
    delays = [raw.RETRIES.calculate_delay(attempt) for attempt in (1, 2, 3)]
    assert (raw.RETRIES.max_retries, delays) == (3, [10, 30, 70])


def test_what_fails_twice_and_then_works_is_loaded(materialize, monkeypatch) -> None:
    stale = OSError(errno.ESTALE, os.strerror(errno.ESTALE))
    locked = duckdb.IOException('IO Error: Could not set lock on file "w": Conflicting lock')
    loaded = LoadReport("crm", 1, [a_file("crm/accounts.csv")])
    tries = failing(monkeypatch, stale, locked, loaded)
    result = materialize()
    assert (result.success, len(tries), retries(result)) == (True, 3, 2)
    assert (landed(result)["files"], landed(result)["records"]) == (1, 7)


def test_what_does_not_pass_fails_with_its_own_words_in_the_end(materialize, monkeypatch) -> None:
    tries = failing(monkeypatch, TimeoutError(errno.ETIMEDOUT, "the share does not answer"))
    result = materialize()
    assert (result.success, len(tries)) == (False, 1 + raw.RETRIES.max_retries)
    [failure] = [event for event in result.all_events if event.is_step_failure]
    error = failure.step_failure_data.error
    while error.cause:
        error = error.cause
    assert "the share does not answer" in error.message


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        PermissionError(errno.EACCES, "Permission denied"),
        FileNotFoundError(errno.ENOENT, "No such file or directory"),
        OSError(errno.EROFS, "Read-only file system"),
        duckdb.IOException('IO Error: Cannot open file "w": No space left on device'),
        duckdb.ConversionException("Could not convert string 'Input/output error' to INT32"),
        ValueError("wrong data"),
        dg.Failure("a check failed"),
    ],
    ids=lambda error: f"{type(error).__name__}: {error}"[:40],
)
def test_what_does_not_pass_by_itself_is_not_tried_again(materialize, monkeypatch, error) -> None:
    tries = failing(monkeypatch, error)
    result = materialize()
    assert (result.success, len(tries), retries(result)) == (False, 1, 0)


def test_what_a_person_stops_is_not_tried_again(materialize, monkeypatch) -> None:
    tries = failing(monkeypatch, KeyboardInterrupt())
    result = materialize()
    assert (result.success, len(tries), retries(result)) == (False, 1, 0)


def test_a_file_that_cannot_be_read_for_now_is_tried_again_beside_those_that_were_loaded(
    materialize, monkeypatch
) -> None:
    passing = Problem("crm", "accounts", "crm/b.csv", "Input/output error", "Wait.", may_pass=True)
    lasting = Problem("crm", "accounts", "crm/c.csv", "no header", "Land it again.")
    tries = failing(
        monkeypatch,
        LoadReport("crm", 1, [a_file("crm/a.csv")], [passing, lasting], seconds=1.0),
        LoadReport("crm", 2, [a_file("crm/b.csv")], [lasting], seconds=0.5),
    )
    result = materialize()
    assert (result.success, len(tries)) == (True, 2)
    seen = landed(result)
    assert (seen["files"], seen["records"], seen["unparsed_lines"]) == (2, 14, 2)
    assert (seen["size_bytes"], seen["seconds"]) == (200, 1.5)
    assert seen["newest_extract"] == "2024-06-01"
    assert seen["problems"] == [str(lasting)]


def test_a_file_that_stays_unreadable_is_a_problem_in_the_end(materialize, monkeypatch) -> None:
    passing = Problem("crm", "accounts", "crm/b.csv", "Input/output error", "Wait.", may_pass=True)
    tries = failing(monkeypatch, LoadReport("crm", None, [], [passing]))
    result = materialize()
    assert (result.success, len(tries)) == (True, 1 + raw.RETRIES.max_retries)
    assert landed(result)["problems"] == [str(passing)]


def test_what_the_first_try_tells_of_an_upgrade_is_told_in_the_end(
    materialize, settings: Settings, monkeypatch
) -> None:
    settings.home.mkdir()
    with duckdb.connect(str(settings.warehouse_path)) as connection:
        connection.execute("create schema raw_crm")
        connection.execute("create table raw_crm.accounts (account_id varchar)")
    failing(monkeypatch, TimeoutError(errno.ETIMEDOUT, "slow"), LoadReport("crm", 1, []))
    result = materialize()
    assert (result.success, retries(result)) == (True, 1)
    [told] = landed(result)["upgrades"]
    assert told.startswith("the warehouse was one without a layout, and is in layout 1 of ")


def test_a_share_that_fails_twice_loses_and_doubles_nothing(
    materialize, settings: Settings, monkeypatch
) -> None:
    (settings.landing / "crm").mkdir(parents=True)
    (settings.landing / "crm" / "accounts.jsonl").write_text(
        '{"account_id": "A", "name": "Acme", "join_date": "2024-01-01"}\n'
    )
    (settings.landing / "crm" / "users.jsonl").write_text('{"account_id": "A", "user_id": "U"}\n')
    read, failures = FileReader.read, [OSError(errno.EIO, os.strerror(errno.EIO))] * 2

    def flaky(self, file, rows):
        if file.entity == "users" and failures:
            raise failures.pop()
        return read(self, file, rows)

    monkeypatch.setattr(FileReader, "read", flaky)
    result = materialize()
    assert (result.success, retries(result)) == (True, 2)
    assert (landed(result)["files"], landed(result)["problems"]) == (2, [])
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as connection:
        for table in ("accounts", "users"):
            found = connection.execute(f"select count(*) from raw_crm.{table}").fetchone()
            assert found == (1,)


def test_a_warehouse_that_another_process_holds_may_be_free_in_a_moment(tmp_path: Path) -> None:
    path = tmp_path / "w.duckdb"
    holding = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('held', flush=True);"
    holder = subprocess.Popen(
        [sys.executable, "-c", f"{holding} sys.stdin.read()", str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(duckdb.IOException) as error:
            duckdb.connect(str(path))
        assert may_pass(error.value)
    finally:
        holder.communicate()
    with pytest.raises(duckdb.IOException) as error:
        duckdb.connect(str(tmp_path / "nowhere" / "w.duckdb"))
    assert not may_pass(error.value)
