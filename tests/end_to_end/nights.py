"""Lands files, runs `account360` as a person would, and reads what a night published.

Tables are written and compared as text, columns apart by blanks, so that what lands and what is
expected can be read and checked by hand: `-` is no value, amounts come without trailing zeros.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

Record = Mapping[str, Any]

# Tables that tell of runs; every other one is a function of the records and the as-of date.
RUN_BEARING = {
    "audit_checks",
    "audit_loads",
    "audit_publishes",
    "audit_restatements",
    "audit_rollbacks",
}

COMMAND = Path(sys.executable).with_name("account360")
_FOREIGN_VARIABLES = ("ACCOUNT360_", "DAGSTER_", "DBT_")


def written(table: str) -> list[list[str]]:
    """The cells of a table written as text, its header first."""
    return [line.split() for line in table.strip().splitlines()]


def records(table: str) -> list[dict[str, str | None]]:
    """A table written as text as records: the header has the columns, `-` is no value."""
    header, *rows = written(table)
    return [
        {column: None if cell == "-" else cell for column, cell in zip(header, row, strict=True)}
        for row in rows
    ]


def land(landing: Path, location: str, content: bytes | str | Iterable[Record | str]) -> None:
    """Write a landing file: bytes or text as they are, records as the extension says.

    A text among records is a line of its own, as it is (JSONL and CSV).
    """
    path = landing / location
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif isinstance(content, str):
        path.write_text(content, encoding="utf-8")
    elif path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist([dict(record) for record in content]), path)
    else:
        lines = _csv_lines(list(content)) if ".csv" in path.name else _json_lines(content)
        data = "".join(f"{line}\n" for line in lines).encode()
        path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)


def _json_lines(content: Iterable[Record | str]) -> list[str]:
    return [
        each if isinstance(each, str) else json.dumps(dict(each), default=str) for each in content
    ]


def _csv_lines(content: Sequence[Record | str]) -> list[str]:
    columns = list(next(each for each in content if not isinstance(each, str)))
    lines = [",".join(columns)]
    for each in content:
        if isinstance(each, str):
            lines.append(each)
            continue
        row = io.StringIO()
        csv.writer(row, lineterminator="").writerow([each.get(column) for column in columns])
        lines.append(row.getvalue())
    return lines


def account360(
    *arguments: object, timeout: float = 400, **settings: object
) -> subprocess.CompletedProcess[str]:
    """Call the command line, with `settings` as variables and none left over from outside."""
    return call(COMMAND, *arguments, timeout=timeout, **settings)


def call(
    *command: object, timeout: float = 400, **settings: object
) -> subprocess.CompletedProcess[str]:
    """Run a program with `settings` as variables and none of ours left over from outside."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN_VARIABLES)
    }
    ours = {f"ACCOUNT360_{name.upper()}": str(value) for name, value in settings.items()}
    return subprocess.run(
        [str(part) for part in command],
        env=environment | ours,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def run(
    home: Path, landing: Path, as_of: object, *options: str, **settings: object
) -> subprocess.CompletedProcess[str]:
    """Run the night of `as_of` in a home folder."""
    return account360(
        *("run", "--home", home, "--landing", landing, "--as-of", as_of), *options, **settings
    )


@dataclass(frozen=True)
class Night:
    """A night that was run: how it ended, what it said, and a copy of `published` after it."""

    exit_code: int
    out: str
    err: str
    published: Path

    @property
    def database(self) -> Path:
        """The file that readers open."""
        return self.published / "current" / "account360.duckdb"

    @property
    def publish_id(self) -> str:
        """The publish that `current` leads to."""
        return (self.published / "current").readlink().name

    def beside(self, as_of: object) -> Path:
        """The file of an as-of date before the current one's."""
        return self.published / f"as_of={as_of}" / "account360.duckdb"

    def shows(self, query: str, **values: object) -> list[list[str]]:
        """The rows of a query over the published file as text, the names of its columns first."""
        return shows(self.database, query, **values)


def shows(database: Path, query: str, **values: object) -> list[list[str]]:
    """The rows of a query as text, the names of its columns first."""
    with duckdb.connect(str(database), read_only=True) as connection:
        cursor = connection.execute(query, values or None)
        names = [column[0] for column in cursor.description]
        return [names, *([cell(value) for value in row] for row in cursor.fetchall())]


def cell(value: object) -> str:
    """A value as it stands in a table written as text."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return f"{value.normalize():f}" if value else "0"
    if isinstance(value, datetime):
        return value.isoformat()
    return value.isoformat() if isinstance(value, date) else str(value)


def contents(database: Path, leave_out: Iterable[str] = RUN_BEARING) -> dict[str, list[tuple]]:
    """The rows of every table but those left out, in the order in which they stand."""
    with duckdb.connect(str(database), read_only=True) as connection:
        stored = connection.execute("select table_name from duckdb_tables()").fetchall()
        names = {name for (name,) in stored}
        return {
            name: connection.execute(f"from {name}").fetchall()
            for name in sorted(names - set(leave_out))
        }


def parquet_contents(
    database: Path, leave_out: Iterable[str] = RUN_BEARING
) -> dict[str, list[tuple]]:
    """The same, of the Parquet files that stand beside a published file."""
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        return {
            file.stem: connection.execute(f"from read_parquet('{file}')").fetchall()
            for file in sorted((database.parent / "parquet").glob("*.parquet"))
            if file.stem not in leave_out
        }


def differences(left: Path, right: Path, but: str = "no table") -> dict[str, list[tuple]]:
    """Tables in which two published files differ, `but…` left out, with some of the rows."""
    ours, theirs = contents(left), contents(right)
    names = {name for name in ours.keys() | theirs.keys() if not name.startswith(but)}
    return {
        name: sorted(set(ours.get(name, [])) ^ set(theirs.get(name, [])), key=repr)[:6]
        for name in sorted(names)
        if ours.get(name) != theirs.get(name)
    }


class Home:
    """A home folder that begins empty, but for what dbt has parsed for its path before."""

    def __init__(self, path: Path, snapshots: Path) -> None:
        """Empty the folder; copies of what its nights publish go below `snapshots`."""
        path.mkdir(parents=True, exist_ok=True)
        for entry in path.iterdir():
            if entry.name == "dbt":
                continue
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()
        self.path = path
        self.landing = path / "landing"
        self.landing.mkdir()
        self._snapshots = snapshots
        self._nights = 0

    def land(self, files: Mapping[str, bytes | str | Iterable[Record | str]]) -> None:
        """Put files into the landing folder."""
        for location, content in files.items():
            land(self.landing, location, content)

    def night(self, as_of: object, *options: str, **settings: object) -> Night:
        """Run the night of `as_of`, whatever comes of it."""
        ended = run(self.path, self.landing, as_of, *options, **settings)
        self._nights += 1
        copy = self._snapshots / f"night_{self._nights}"
        published = self.path / "published"
        if published.exists():
            shutil.copytree(published, copy, symlinks=True)
        return Night(ended.returncode, ended.stdout, ended.stderr, copy)
