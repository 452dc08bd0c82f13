"""How fast files land in raw, beside DuckDB reading the same files into a table.

Writes events (12 columns, the same rows each time) as Parquet, JSON lines and CSV, and then in
turn, in one process: lands each file with `load_domain`, provenance and all, in a fresh home; lets
DuckDB read the same file into a table of a fresh database file with its own type detection and
storage format; and lets DuckDB read it into what raw keeps, every value as text beside its file,
line and load. The ratio is DuckDB's seconds over ours: 1.0 would mean that landing costs nothing on
top of reading.
"""

from __future__ import annotations

import shutil
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from ingestion import load_domain
from settings import Settings, load_settings

_READERS = {"parquet": "read_parquet", "jsonl": "read_json", "csv": "read_csv"}
_COLUMNS = (
    *("account_id", "user_id", "created_at", "action", "session_id", "product", "module"),
    *("feature", "active_duration", "time_spent", "total", "details"),
)
# How a reader is told to number lines, and to read text where it can.
_AS_TEXT = {
    "parquet": ("file_row_number = true", "file_row_number + 1"),
    "jsonl": (
        f"columns = {{{', '.join(f'{name}: varchar' for name in _COLUMNS)}}}",
        "row_number() over ()",
    ),
    "csv": ("all_varchar = true", "row_number() over ()"),
}
_LOADED_AT = datetime(2024, 7, 1, tzinfo=UTC)


def measure(folder: Path, rows: int, rounds: int) -> Iterator[tuple[str, float, float, float]]:
    """Format, our seconds, DuckDB's, and DuckDB's as text: medians of `rounds`, in turn.

    The first thousand events of each are not measured: they import dlt and Arrow.
    """
    small = folder / "small"
    small.mkdir()
    generate(folder, rows)
    generate(small, 1000)
    for format_ in _READERS:
        ways = (land, read, read_as_text)
        for way in ways:
            way(small, format_)
        seconds = [[timed(way, folder, format_) for way in ways] for _ in range(rounds)]
        ours, theirs, as_text = map(statistics.median, zip(*seconds, strict=True))
        yield format_, ours, theirs, as_text


def generate(folder: Path, rows: int) -> None:
    """Write `rows` events as Parquet, JSON lines and CSV; the same rows in each, and each time."""
    with duckdb.connect() as connection:
        connection.execute(
            """
            create table events as
            with drawn as (
                select range as number, hash(range) as one, hash(range * 7 + 1) as two
                from range(?)
            )
            select
                'acc-' || (one % 5000) as account_id,
                'user-' || (two % 60000) as user_id,
                1704067200000 + (number * 7)::bigint as created_at,
                case one % 7
                    when 0 then 'identifyUser'
                    when 1 then 'sessionSync'
                    when 2 then 'moduleEnd'
                    when 3 then 'pageViewEnd'
                    else 'feature'
                end as action,
                's' || (two % 400000) as session_id,
                'app' as product,
                'module ' || (one % 12) as module,
                case when one % 7 > 3 then 'feature ' || (two % 80) end as feature,
                case when one % 7 in (1, 2) then (two % 600000)::bigint end as active_duration,
                case when one % 7 in (2, 3) then (two % 900000)::bigint end as time_spent,
                case when one % 7 > 3 then (two % 9 + 1)::integer end as total,
                {'plan': 'p' || (one % 4), 'browser': 'b' || (two % 6)} as details,
            from drawn
            """,
            [rows],
        )
        connection.execute(f"copy events to '{folder / 'events.parquet'}' (format parquet)")
        connection.execute(f"copy events to '{folder / 'events.jsonl'}' (format json)")
        connection.execute(
            "copy (select * replace (to_json(details) as details) from events)"
            f" to '{folder / 'events.csv'}' (format csv, header)"
        )


def timed(work: Callable[[Path, str], None], folder: Path, format_: str) -> float:
    """Seconds of one call."""
    started = time.perf_counter()
    work(folder, format_)
    return time.perf_counter() - started


def land(folder: Path, format_: str) -> None:
    """Our way: `load_domain` of a landing folder with the one file into a fresh home."""
    home = folder / "home"
    shutil.rmtree(home, ignore_errors=True)
    (home / "landing" / "events").mkdir(parents=True)
    (home / "landing" / "events" / f"events.{format_}").hardlink_to(folder / f"events.{format_}")
    report = load_domain("events", _settings(home), _LOADED_AT)
    if report.problems or not report.rows_read:
        raise SystemExit(f"nothing landed: {report}")


def read(folder: Path, format_: str) -> None:
    """DuckDB's way: a table from the file, in a fresh database file."""
    file = folder / f"events.{format_}"
    _create(folder, f"select * from {_READERS[format_]}('{file}')")


def read_as_text(folder: Path, format_: str) -> None:
    """The same with what raw keeps: text, and where it stood. Not exact: numbers in JSON pass
    through a double, and bad lines stop it."""
    file = folder / f"events.{format_}"
    option, line = _AS_TEXT[format_]
    columns = ", ".join(f"cast({name} as varchar) as {name}" for name in _COLUMNS)
    _create(
        folder,
        f"select {columns}, '{file.name}' as _location, {line} as _line, 1::bigint as _load_number"
        f" from {_READERS[format_]}('{file}', {option})",
    )


def _create(folder: Path, query: str) -> None:
    database = folder / "plain.duckdb"
    database.unlink(missing_ok=True)
    with duckdb.connect(str(database)) as connection:
        connection.execute(f"create table events as {query}")


def _settings(home: Path) -> Settings:
    return replace(load_settings(environ={}), home=home, landing=home / "landing")
