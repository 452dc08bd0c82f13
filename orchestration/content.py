"""What a publish holds, as hashes: of its files, and of the content of its tables.

    SHA256SUMS      in the folder of a publish: the bytes of every file, for `sha256sum -c`
    table hashes    in `audit_publishes`: the rows of every table, in whatever file and order

A table's hash is over the number of its rows and the sum of DuckDB's hash of each: it does not hang
on the order, and says the same of the DuckDB file, of Parquet and of the warehouse. DuckDB promises
its hash for one version only, so the version is recorded beside; another one compares bytes alone.
"""

# ruff: noqa: S608 (identifiers and texts in the SQL of this module are quoted)

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb

from ingestion.sql import quoted
from ingestion.whole_files import write_whole
from settings import Settings

SUMS = "SHA256SUMS"

# Tables that tell of runs: two publishes of the same records and date differ in them.
RUN_BEARING = frozenset(
    {"audit_checks", "audit_loads", "audit_publishes", "audit_restatements", "audit_rollbacks"}
)


def engine_version() -> str:
    """The version of DuckDB, within which hashes of content can be compared."""
    return duckdb.__version__


def table_hash(connection: duckdb.DuckDBPyConnection, relation: str) -> str:
    """The hash of the rows of a table, a view or a query in brackets, whatever their order."""
    columns = [row[0] for row in connection.execute(f"describe from {relation}").fetchall()]
    hashed = ", ".join(map(quoted, columns))
    found = connection.execute(f"select count(*), sum(hash({hashed})) from {relation}").fetchone()
    rows, total = found or (0, None)
    said = json.dumps([columns, rows, str(total or 0)])
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def table_hashes(
    connection: duckdb.DuckDBPyConnection, tables: Iterable[str], schema: str = "main"
) -> dict[str, str]:
    """Table → hash of its rows."""
    return {
        name: table_hash(connection, f"{schema}.{quoted(name)}") for name in sorted(set(tables))
    }


def content_hash(hashes: Mapping[str, str]) -> str:
    """The hash of all tables but those that tell of runs: the same for the same content."""
    said = {name: each for name, each in sorted(hashes.items()) if name not in RUN_BEARING}
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:32]


def write_sums(folder: Path, others: Mapping[str, str] | None = None) -> None:
    """Write `SHA256SUMS` of a folder: of its files as they are, or with `others` (name → sum)."""
    sums = file_sums(folder) if others is None else {**read_sums(folder), **others}
    text = "".join(f"{value}  {name}\n" for name, value in sorted(sums.items()))
    write_whole(folder / SUMS, text)


def read_sums(folder: Path) -> dict[str, str]:
    """File, by its path below the folder → what its sum was when it was sealed."""
    lines = (folder / SUMS).read_text(encoding="utf-8").splitlines()
    return {name: value for value, _, name in (line.partition("  ") for line in lines)}


def file_sums(folder: Path) -> dict[str, str]:
    """The same, as the files are now."""
    names = sorted(
        file.relative_to(folder).as_posix()
        for file in folder.rglob("*")
        if file.is_file() and file.name != SUMS and not file.name.startswith(f".{SUMS}.")
    )
    with ThreadPoolExecutor(max_workers=2) as pool:
        return dict(zip(names, pool.map(lambda name: file_sum(folder / name), names), strict=True))


def file_sum(file: Path) -> str:
    """The SHA-256 of a file's bytes."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def note_standing(connection: duckdb.DuckDBPyConnection, publish_id: str) -> None:
    """Note in the warehouse that its schema `published` is what that publish holds."""
    connection.execute(
        "create or replace table run.standing as select ? as publish_id", [publish_id]
    )


def forget_standing(settings: Settings) -> None:
    """Before anything changes in the warehouse: it is what no publish holds from here on."""
    if settings.warehouse_path.exists():
        with duckdb.connect(str(settings.warehouse_path)) as connection:
            connection.execute("drop table if exists run.standing")


def standing(connection: duckdb.DuckDBPyConnection, database: str) -> str | None:
    """The publish that an attached warehouse's schema `published` is, None where it is none."""
    (there,) = connection.execute(
        "select count(*) from duckdb_tables()"
        " where database_name = ? and schema_name = 'run' and table_name = 'standing'",
        [database],
    ).fetchone() or (0,)
    if not there:
        return None
    row = connection.execute(f"select publish_id from {quoted(database)}.run.standing").fetchone()
    return row[0] if row else None
