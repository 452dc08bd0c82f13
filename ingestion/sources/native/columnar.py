"""Parquet: typed columns become the text that a text file would have had.

DuckDB reads it. A large file is not written a second time: it is read once to prove it whole, and
dlt then inserts what a `select` over it gives.
"""

# ruff: noqa: S608 (identifiers and texts in the SQL of this module are quoted)

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ingestion.sources.native.columns import column_name
from ingestion.sources.native.errors import UnreadableFileError
from ingestion.sources.native.stage import FileRows
from ingestion.sql import literal, quoted

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_ZONED = "TIMESTAMP WITH TIME ZONE"


@dataclass(frozen=True)
class _Column:
    name: str
    type: str
    raw: str

    @property
    def is_nested(self) -> bool:
        return self.type.startswith(("STRUCT(", "MAP(", "UNION(")) or self.type.endswith("]")

    def as_text(self) -> str:
        """The column as text: exact decimals, the shortest text of a double, ISO instants."""
        name = quoted(self.name)
        if self.is_nested:
            return f"cast(to_json({name}) as varchar)"
        if self.type == _ZONED:
            return f"replace(cast(timezone('UTC', {name}) as varchar), ' ', 'T') || 'Z'"
        return f"cast({name} as varchar)"


def read_parquet(connection: DuckDBPyConnection, copy: Path, rows: FileRows, large: bool) -> None:
    """Read `copy`, our own copy of a landed file, into `rows`.

    Raises `UnreadableFileError` where it is no whole Parquet file or two columns are one.
    """
    import duckdb
    import pyarrow as pa

    source = f"read_parquet({literal(str(copy))}, file_row_number = true, binary_as_string = true)"
    try:
        columns = _columns(connection, source)
        names = {column.raw for column in columns}
        selected = ", ".join(f"{column.as_text()} as {quoted(column.raw)}" for column in columns)
        line = "file_row_number + 1"
        if not large or _needs_session(columns):
            query = f"select {selected}, {line} as _line from {source}"
            reader = connection.execute(query).to_arrow_reader(1_000_000)
            for batch in reader:
                rows.add(pa.Table.from_batches([batch]), names)
            return
        count = _count_whole(connection, source, columns)
    except (duckdb.Error, UnicodeDecodeError) as error:
        # the second where the engine's message is cut within a character
        raise UnreadableFileError(
            f"not a whole Parquet file ({str(error).splitlines()[0]})",
            "Land the file again, whole, under the same name.",
        ) from error
    rows.add_selection(
        f"select {', '.join([selected, f'{line} as _line', *rows.provenance()])} from {source}",
        count,
        names,
    )


def _columns(connection: DuckDBPyConnection, source: str) -> list[_Column]:
    described = connection.execute(
        f"describe select * exclude (file_row_number) from {source}"
    ).fetchall()
    columns: dict[str, _Column] = {}
    for name, type_, *_ in described:
        column = _Column(name, type_, column_name(name))
        if other := columns.get(column.raw):
            raise UnreadableFileError(
                f"the columns {other.name!r} and {name!r} are both the column {column.raw}",
                "Rename one of them and land the file again.",
            )
        columns[column.raw] = column
    return list(columns.values())


def _needs_session(columns: list[_Column]) -> bool:
    """Whether the text of a value hangs on the session's time zone, which dlt's is not ours."""
    return any(column.is_nested and _ZONED in column.type for column in columns)


def _count_whole(connection: DuckDBPyConnection, source: str, columns: list[_Column]) -> int:
    """Decode every page of the file (`count` of a column would not) and count its rows."""
    read = ", ".join(f"any_value({quoted(column.name)})" for column in columns)
    row = connection.execute(f"select count(*), {read} from {source}").fetchone()
    return row[0] if row else 0
