"""Logs, records of runs and the history of Dagster, cleansed of who was erased."""

# ruff: noqa: S608 (identifiers and texts in the SQL of this module are quoted or bound)

from __future__ import annotations

import gzip
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from ingestion.erased import Search
from ingestion.sql import quoted
from orchestration.rollbacks import rollbacks_path
from settings import Settings

_SQLITE = b"SQLite format 3\x00"
_GZIP = b"\x1f\x8b"


def other_files(settings: Settings) -> list[Path]:
    """Every file of the home folder but databases, publishes, landing files and tombstones."""
    apart = [settings.landing, settings.published_path, settings.erasure_path]
    noted = rollbacks_path(settings)
    return [
        path
        for path in sorted(settings.home.rglob("*"))
        if path.is_file()
        and not path.is_symlink()
        and path != settings.warehouse_path
        and not _is_beside_sqlite(path)
        and (path == noted or not any(path.is_relative_to(folder) for folder in apart))
    ]


def _is_beside_sqlite(path: Path) -> bool:
    """Whether a file is SQLite's own, beside a database: opening that takes in what it says."""
    name, mark, kind = path.name.rpartition("-")
    return bool(mark) and kind in ("wal", "shm", "journal") and path.with_name(name).exists()


def texts_of(path: Path) -> Iterator[str]:
    """What a file says: its bytes as text, or what stands in it where it is a database."""
    data = path.read_bytes()
    if data.startswith(_SQLITE):
        # freed pages too
        yield _decoded(data)
        with closing(sqlite3.connect(path)) as connection:
            for table, columns in _sqlite_tables(connection):
                for column in columns:
                    for (value,) in connection.execute(
                        f"select {quoted(column)} from {quoted(table)}"
                    ):
                        if isinstance(value, str | bytes):
                            yield value if isinstance(value, str) else _decoded(value)
        return
    if data.startswith(_GZIP):
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError):
            yield _decoded(data)
            return
    yield _decoded(data)


def _decoded(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def cleanse(path: Path, search: Search) -> bool:
    """Take what was erased out of a file; whether there was anything.

    A file of bytes that are no text cannot be changed and goes: it is a cache of dbt's.
    """
    if not any(search.found_in(text) for text in texts_of(path)):
        return False
    data = path.read_bytes()
    if data.startswith(_SQLITE):
        _cleanse_sqlite(path, search)
        return True
    is_compressed = data.startswith(_GZIP)
    text = gzip.decompress(data) if is_compressed else data
    if b"\x00" in text:
        path.unlink()
        return True
    new = search.scrubbed(_decoded(text)).encode("utf-8", "surrogateescape")
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_bytes(gzip.compress(new) if is_compressed else new)
    shutil.copymode(path, temporary)
    temporary.replace(path)
    return True


def _sqlite_tables(connection: sqlite3.Connection) -> list[tuple[str, list[str]]]:
    names = [
        name
        for (name,) in connection.execute(
            "select name from sqlite_master where type = 'table' and name not like 'sqlite_%'"
        ).fetchall()
    ]
    return [
        (name, [row[1] for row in connection.execute(f"pragma table_info({quoted(name)})")])
        for name in names
    ]


def _cleanse_sqlite(path: Path, search: Search) -> None:
    """Change the texts of Dagster's history, and write the file anew."""
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.create_function("scrubbed", 1, search.scrubbed, deterministic=True)
        for table, columns in _sqlite_tables(connection):
            for column in columns:
                name = quoted(column)
                connection.execute(
                    f"update {quoted(table)} set {name} = scrubbed({name})"
                    f" where typeof({name}) = 'text' and scrubbed({name}) <> {name}"
                )
        connection.commit()
        connection.execute("pragma wal_checkpoint(truncate)")
        connection.execute("vacuum into ?", [str(temporary)])
    for leftover in (path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        leftover.unlink(missing_ok=True)
    temporary.replace(path)
