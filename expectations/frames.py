"""The small tables that the suites look at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import duckdb

# The column of every frame that says what a row is about: an entity, a table, a column.
SUBJECT = "subject"


@dataclass(frozen=True)
class Frame:
    """A few rows under named columns, the first of which is `subject`. Plain JSON values only."""

    columns: list[str]
    rows: list[list[Any]]

    @classmethod
    def from_query(
        cls, connection: duckdb.DuckDBPyConnection, sql: str, parameters: Any = None
    ) -> Frame:
        """The result of a query; decimals become doubles, dates and timestamps ISO text."""
        cursor = connection.execute(sql, parameters)
        columns = [column[0] for column in cursor.description]
        return cls(columns, [[_plain(value) for value in row] for row in cursor.fetchall()])


def _plain(value: Any) -> Any:
    # Great Expectations walks the call stack for every Decimal: 5,000 of them take six seconds.
    if isinstance(value, Decimal):
        return float(value)
    return value.isoformat() if isinstance(value, date | datetime) else value


def quoted(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'
