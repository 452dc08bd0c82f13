"""Pieces of SQL that every room writes: names, texts, counts, rows."""

# ruff: noqa: S608 (relations in the SQL of this module are quoted by who gives them)

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def quoted(identifier: str) -> str:
    """An identifier as SQL."""
    return '"' + identifier.replace('"', '""') + '"'


def literal(text: str | Path) -> str:
    """A text as SQL, for the places that take no bound value (table functions, model files)."""
    return "'" + str(text).replace("'", "''") + "'"


def count_rows(connection: DuckDBPyConnection, relation: str) -> int:
    """Rows of a relation, given as SQL."""
    row = connection.execute(f"select count(*) from {relation}").fetchone()
    return int(row[0]) if row else 0


def insert_rows(
    connection: DuckDBPyConnection, table: str, rows: Sequence[tuple[Any, ...]]
) -> None:
    """Insert rows as one list per column: bound one by one each would take a millisecond."""
    if not rows:
        return
    kinds = [row[1] for row in connection.execute(f"describe {table}").fetchall()]
    lists = ", ".join(f"unnest(?::{kind}[])" for kind in kinds)
    connection.execute(
        f"insert into {table} select {lists}",
        [[row[position] for row in rows] for position in range(len(kinds))],
    )
