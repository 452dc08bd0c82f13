"""Tables of a publish: their descriptions, their Parquet files, and how they hide people."""

from __future__ import annotations

from pathlib import Path

import duckdb

from ingestion.erased import Salt
from ingestion.sql import count_rows, literal, quoted
from orchestration.manifest import PublishedTable

# The row of accounts without a CSM, in the place of an address.
NOBODY = "(unassigned)"


def describe(connection: duckdb.DuckDBPyConnection, table: PublishedTable) -> None:
    """Put the descriptions of the dbt project on the table and its columns."""
    name = quoted(table.name)
    kind = "table" if table.view_of is None else "view"
    connection.execute(f"comment on {kind} {name} is {literal(table.description)}")
    existing = _columns(connection, table)
    for column, description in table.column_descriptions.items():
        if description and column in existing:
            connection.execute(
                f"comment on column {name}.{quoted(column)} is {literal(description)}"
            )


def _columns(connection: duckdb.DuckDBPyConnection, table: PublishedTable) -> set[str]:
    """The columns of a table or view in the file that is being written."""
    if table.view_of is None:
        rows = connection.execute(f"describe {quoted(table.name)}").fetchall()
    else:
        # to describe a view is to work out all that it is made of once more
        rows = connection.execute(
            "select column_name from duckdb_columns()"
            " where database_name = current_database() and table_name = ?",
            [table.name],
        ).fetchall()
    return {row[0] for row in rows}


def export_table(connection: duckdb.DuckDBPyConnection, table: str, folder: Path) -> int:
    """Write a table's Parquet file, in the order of its rows; the number of rows."""
    target = folder / "parquet" / f"{table}.parquet"
    connection.execute(
        f"copy (from {quoted(table)}) to {literal(target)} (format parquet, compression zstd)"
    )
    return count_rows(connection, quoted(table))


def copy_views(connection: duckdb.DuckDBPyConnection, attached: str) -> None:
    """Make the views of an attached published file in the one that is being written."""
    waiting = [
        sql
        for (sql,) in connection.execute(
            "select sql from duckdb_views() where database_name = ? and not internal",
            [attached],
        ).fetchall()
    ]
    # A file does not say in which order they were made: one that selects from another waits for it.
    while waiting:
        left = [sql for sql in waiting if not _is_made(connection, sql)]
        if len(left) == len(waiting):
            connection.execute(left[0])
        waiting = left


def _is_made(connection: duckdb.DuckDBPyConnection, sql: str) -> bool:
    try:
        connection.execute(sql)
    except duckdb.CatalogException:
        return False
    return True


def hashed(value: str, salt: Salt) -> str:
    """The SQL of the salted hash of a text: addresses as they compare, nobody's row as it is."""
    compared = f"case when contains({value}, '@') then lower(trim({value})) else {value} end"
    return (
        f"case when {value} = '{NOBODY}' then {value} when {value} is not null"
        f" then 'hashed-' || left({salt.sql('published', literal(''), compared)}, 24) end"
    )


def hashed_text(value: str, salt: Salt) -> str:
    """The same of a text that is no SQL."""
    compared = value.strip().lower() if "@" in value else value
    return f"hashed-{salt.hash('published', '', compared)[:24]}"
