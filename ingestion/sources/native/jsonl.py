"""Newline-delimited JSON: one object per line, every value as the text that stood there.

DuckDB's JSON functions do the parsing, a block of lines at a time. They push a number through a
double, so a number of more digits than a double keeps is put in quotes before they see it. The
lines of a large file are only checked here and taken apart while they are inserted, which spares
writing them down once more.
"""

# ruff: noqa: S608 (identifiers and texts in the SQL of this module are quoted)

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ingestion.sources.native.columns import spellings
from ingestion.sources.native.errors import UnreadableFileError
from ingestion.sources.native.text import Block, require_utf8
from ingestion.sql import literal, quoted

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from duckdb import DuckDBPyConnection

# A double keeps 15 significant digits; a number of more is a run of 16 digits and points.
_LONG = 16
# Far more than a table may have columns; taking a line apart into so many already takes seconds.
_MOST_KEYS = 5000
_STRING_OR_LONG_NUMBER = r'("(?:[^"\\]|\\.)*")|(-?[0-9][0-9.eE+-]{15,})'


@dataclass(frozen=True)
class Parsed:
    """What a block held: `keys`, and records, or the lines for them; lines that are no records."""

    keys: set[str]
    records: pa.Table | None
    lines: pa.Table | None
    unparsed: pa.Table | None


def cut_jsonl(data: bytearray) -> int:
    """Where the last whole line ends."""
    return data.rfind(b"\n") + 1


def jsonl_parser(connection: DuckDBPyConnection, large: bool) -> Callable[[Block], Parsed]:
    """A function that parses one block; safe to call from several threads.

    Where the file is `large`, the lines are handed on as they are if nothing is special in them.
    """

    def parse(block: Block) -> Parsed:
        require_utf8(block)
        cursor = connection.cursor()
        try:
            return _parse(cursor, block, large)
        finally:
            cursor.close()

    return parse


def _lines(block: Block) -> pa.Table:
    """The block as a table: text (line break included), line, long (holds a long number)."""
    import numpy as np
    import pyarrow as pa

    data = np.frombuffer(block.data, np.uint8)
    ends = np.flatnonzero(data == ord("\n"))
    if not block.data.endswith(b"\n"):
        ends = np.append(ends, len(data))
    offsets = np.concatenate(([0], ends + 1)).astype(np.int32)
    offsets[-1] = len(data)
    text = pa.StringArray.from_buffers(len(ends), pa.py_buffer(offsets), pa.py_buffer(block.data))
    table = pa.table(
        {
            "text": text,
            "line": np.arange(block.first_line, block.first_line + len(ends)),
            "long": _has_long_number(data, ends),
        }
    )
    lengths = ends - offsets[:-1]
    blank = (lengths == 0) | ((lengths == 1) & (data[offsets[:-1]] == ord("\r")))
    return table.filter(pa.array(~blank)) if blank.any() else table


def _has_long_number(data: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """For each line whether 16 digits or points follow one another in it, in or out of a string.

    Every run of 16 covers four neighbours among every fourth byte, thus 13 bytes from the first to
    the last of them, and three more before or after. Only there is it looked at closely.
    """
    import numpy as np

    def is_digit(some: np.ndarray) -> np.ndarray:
        return (some - ord(".")) < 12  # . / 0 … 9, in unsigned arithmetic

    samples = is_digit(data[::4])
    pairs = samples[:-1] & samples[1:]
    found = 4 * np.flatnonzero(pairs[:-2] & pairs[2:])
    for step in (1, 2, 3, 5, 6, 7, 9, 10, 11):
        found = found[is_digit(data[found + step])]
    more = np.zeros(len(found), np.int8)
    for steps in ((-1, -2, -3), (13, 14, 15)):
        unbroken = np.ones(len(found), bool)
        for step in steps:
            unbroken &= is_digit(data[np.clip(found + step, 0, len(data) - 1)])
            more += unbroken
    long = np.zeros(len(ends), bool)
    long[np.searchsorted(ends, found[more >= _LONG - 13])] = True
    return long


def _parse(cursor: DuckDBPyConnection, block: Block, large: bool) -> Parsed:
    import duckdb

    lines, unparsed = _lines(block), None
    cursor.register("lines", lines)
    try:
        keys = _keys(cursor)
        # SQL ends at a zero character: no name that holds one can be asked for
        all_objects = () not in keys and not any("\0" in name for names in keys for name in names)
    except (duckdb.Error, UnicodeDecodeError):
        # the engine's message quotes the line: cut within a character, it is none of its errors
        all_objects = False
    if not all_objects:
        lines, unparsed = _objects_and_others(cursor)
        cursor.register("lines", lines)
        keys = _keys(cursor)
    names = {key for names in keys for key in names}
    if len(names) > _MOST_KEYS:
        raise UnreadableFileError(
            f"its objects have {len(names):,} different names from line {block.first_line:,} on",
            "Land what varies as values, such as a list of {key, value}, not as names of columns.",
        )
    any_long = bool(lines["long"].to_numpy(zero_copy_only=False).any())
    if large and not any_long:
        return Parsed(names, None, lines.select(["text", "line"]), unparsed)
    # Quotes that were put around a number are known by the hash of the block, which is not in it.
    mark = hashlib.sha256(block.data).hexdigest() if any_long else ""
    records = cursor.execute(extraction(names, "lines", mark)).to_arrow_table()
    return Parsed(names, records, None, unparsed)


def _keys(cursor: DuckDBPyConnection) -> set[tuple[str, ...]]:
    """The distinct lists of keys. An empty one may be `{}` or no object at all."""
    rows = cursor.execute(
        "select any_value(keys) from (select json_keys(text) as keys from lines)"
        " group by hash(keys)"
    ).fetchall()
    return {tuple(keys) for (keys,) in rows}


def _objects_and_others(cursor: DuckDBPyConnection) -> tuple[pa.Table, pa.Table]:
    """Split the lines into those that hold an object and the rest, with reasons."""
    checked = (
        "select *, case when kind = 'OBJECT' then"
        " len(list_filter(json_keys(text), lambda name: contains(name, chr(0)))) = 0"
        " else false end as is_read from"
        " (select *, case when json_valid(text) then json_type(text) end as kind from lines)"
    )
    objects = cursor.execute(
        f"select text, line, long from ({checked}) where is_read"
    ).to_arrow_table()
    others = cursor.execute(
        "select case when kind = 'OBJECT' then 'a name in it holds a zero character (\\u0000)'"
        " else coalesce('a JSON ' || lower(kind) || ' where an object is expected',"
        " 'not valid JSON') end as reason,"
        " rtrim(text, chr(13) || chr(10)) as record, line as _line"
        f" from ({checked}) where not is_read"
        " and trim(text, ' ' || chr(9) || chr(10) || chr(13)) <> ''"
    ).to_arrow_table()
    return objects, others


def extraction(keys: set[str], source: str, mark: str = "", others: tuple[str, ...] = ()) -> str:
    """The query that turns lines into text columns, `_line` and the `others`.

    A column takes the first of its spellings that has a value. With a `mark`, which occurs nowhere
    in the lines, the long numbers of the lines that are `long` keep their digits.
    """
    columns = spellings(sorted(keys))
    names = [name for found in columns.values() for name in found]
    index = {name: position for position, name in enumerate(names, start=1)}
    selected = [
        f"{_as_written([f'found[{index[name]}]' for name in found], mark)} as {quoted(column)}"
        for column, found in columns.items()
    ]
    pointers = ", ".join(literal(_pointer(name)) for name in names)
    text = f"case when long then {_long_numbers_quoted(mark)} else text end" if mark else "text"
    found = f"json_extract_string({text}, [{pointers}])" if names else "null"
    return (
        f"select {', '.join([*selected, 'line as _line', *others])}"
        f" from (select {found} as found, line from {source})"
    )


def _long_numbers_quoted(mark: str) -> str:
    """`text` with every long number in quotes, and the mark within them.

    Every string comes out as itself and every long number as such. Control characters tell which
    is which: a JSON text holds none.
    """
    found = literal(_STRING_OR_LONG_NUMBER)
    return (
        f"replace(replace(replace(regexp_replace(text, {found},"
        r" '\1' || chr(1) || '\2' || chr(2), 'g'),"
        f""" chr(1) || chr(2), ''), chr(1), '"{mark}<'), chr(2), '>{mark}"')"""
    )


def _as_written(values: list[str], mark: str) -> str:
    """The first value that is not null, freed of the quotes that were put around long numbers."""
    value = f"coalesce({', '.join(values)})" if len(values) > 1 else values[0]
    # Within a nested value the quotes are still there, around a value they are gone already.
    for put in (f'"{mark}<', f'>{mark}"', f"{mark}<", f">{mark}") if mark else ():
        value = f"replace({value}, '{put}', '')"
    return value


def _pointer(key: str) -> str:
    """The JSON pointer to a key of the object."""
    return "/" + key.replace("~", "~0").replace("/", "~1")
