"""Database files as an erasure reads them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from ingestion.sql import literal


@contextmanager
def attached(path: Path, name: str = "warehouse") -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection of its own that can read a database file."""
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(f"attach {literal(str(path))} as {name} (read_only)")
        yield connection


def tables_of(
    connection: duckdb.DuckDBPyConnection, database: str
) -> list[tuple[str, str, list[str]]]:
    """Schema, table and columns of the tables of an attached database."""
    rows = connection.execute(
        "select tables.schema_name, tables.table_name,"
        " list(columns.column_name order by columns.column_index)"
        " from duckdb_tables() as tables inner join duckdb_columns() as columns"
        " using (database_name, schema_name, table_name)"
        " where tables.database_name = ? group by all order by all",
        [database],
    ).fetchall()
    return [(schema, table, columns) for schema, table, columns in rows]
