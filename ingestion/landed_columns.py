"""What the columns of every file looked like: kept in `run.landed_columns` when a file is loaded.

Arrival compares the columns of the newest files with those of the files before, and this is what
spares it a look at all of raw: one row per file, column and form of value, counted over the first
records of each file. It keeps no values, so that there is nothing in it to erase.
"""

# ruff: noqa: S608 (identifiers and texts in the SQL of this module are quoted)

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING

from ingestion.report import LoadedFile
from ingestion.sql import literal, quoted
from ingestion.tables import dataset_name

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# Records that a load's columns are told by: so many of an entity, from the start of each file.
_SAMPLE = 5_000
_LEAST_LINES = 20
_LONG = 400

_TABLE = """
create table if not exists run.landed_columns (
    domain varchar, entity varchar, location varchar, load_number bigint, column_name varchar,
    form varchar, records bigint
)
"""

# The form of a value, by its letters alone; `expectations.arrival.drift` says which forms are
# values of which type. The first that fits.
FORMS = {
    "nothing": "text is null or text = ''",
    "list or object": "(text like '{%' or text like '[%') and json_valid(text)",
    "0 or 1": "text in ('0', '1')",
    "epoch milliseconds": r"regexp_full_match(text, '-?\d{11,14}')",
    "number": r"regexp_full_match(text, '[+-]?\d+')",
    "epoch milliseconds ending in .0": r"regexp_full_match(text, '-?\d{11,14}[.]0+')",
    "number ending in .0": r"regexp_full_match(text, '[+-]?\d+[.]0+')",
    "decimal number": r"regexp_full_match(text, '[+-]?(\d+[.]?\d*|[.]\d+)([eE][+-]?\d+)?')",
    "true or false": "lower(text) in ('true', 'false', 't', 'f', 'yes', 'no', 'y', 'n')",
    "date": r"regexp_full_match(text, '\d{4}-\d{2}-\d{2}') and try_cast(text as date) is not null",
    "timestamp": r"regexp_full_match(text,"
    r" '\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}([.]\d+)?)? ?(Z|z|UTC|[+-]\d{2}(:?\d{2})?)')"
    " and try_cast(left(text, 16) as timestamp) is not null",
    "timestamp without an offset": r"regexp_full_match(text,"
    r" '\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}([.]\d+)?)?')"
    " and try_cast(text as timestamp) is not null",
    "three letters": "regexp_full_match(text, '[A-Za-z]{3}')",
}
OTHER_FORM = "text"


def form_of_text() -> str:
    """The SQL for the form of a column `text`."""
    cases = " ".join(f"when {condition} then {literal(form)}" for form, condition in FORMS.items())
    return f"case {cases} else {literal(OTHER_FORM)} end"


def note_columns(
    connection: DuckDBPyConnection, domain: str, load_number: int, files: Iterable[LoadedFile]
) -> None:
    """Note the columns of the files of one load, which is finished."""
    by_entity: dict[str, list[LoadedFile]] = defaultdict(list)
    for file in files:
        if file.columns and file.rows_read > file.unparsed_rows:
            by_entity[file.entity].append(file)
    connection.execute("create schema if not exists run")
    connection.execute(_TABLE)
    connection.execute(
        f"delete from run.landed_columns where domain = {literal(domain)}"
        f" and load_number >= {load_number:d}"
    )
    for entity, mine in by_entity.items():
        _note_entity(connection, domain, entity, load_number, mine)


def _note_entity(
    connection: DuckDBPyConnection,
    domain: str,
    entity: str,
    load_number: int,
    files: list[LoadedFile],
) -> None:
    import pyarrow as pa

    of_files = pa.table(
        {
            "_location": [file.location for file in files for _ in file.columns],
            "_column": [column for file in files for column in file.columns],
        }
    )
    columns = ", ".join(quoted(column) for column in sorted(set().union(*_columns_of(files))))
    lines = max(_LEAST_LINES, _SAMPLE // len(files))
    connection.register("columns_of_files", of_files)
    try:
        # `_load_number` and `_line` first: blocks without such records are not read at all
        connection.execute(
            f"""
            insert into run.landed_columns
            select
                {literal(domain)}, {literal(entity)}, _location, {load_number:d}, _column,
                {form_of_text()} as form, count(*)
            from (
                select
                    _location,
                    _column,
                    -- no pattern is for long texts, which would only keep them busy
                    case
                        when length(_value) > {_LONG} and left(_value, 1) not in ('{{', '[')
                            then {literal(OTHER_FORM)}
                        else _value
                    end as text
                from (
                    select _location, {columns}
                    from {quoted(dataset_name(domain))}.{quoted(entity)}
                    where _load_number = {load_number:d} and _line <= {lines:d}
                ) unpivot include nulls (_value for _column in ({columns}))
            )
            semi join columns_of_files using (_location, _column)
            group by all
            """
        )
    finally:
        connection.unregister("columns_of_files")


def _columns_of(files: Iterable[LoadedFile]) -> list[set[str]]:
    return [set(file.columns) for file in files]
