"""CSV as RFC 4180 has it: commas, quotes doubled within quotes, a header, line breaks in quotes.

Arrow parses a block at a time. Arrow alone forgives broken quotes and fails on a wrong number of
fields, so quoting is checked on the bytes first, and a block in which something is wrong is taken
apart line by line: its good records go back to Arrow, the others are unparsed.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ingestion.sources.native.columns import column_name
from ingestion.sources.native.errors import UnreadableFileError
from ingestion.sources.native.text import BLOCK_BYTES, Block, require_utf8

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

# How many lines a record may span when it has to be found again after broken quotes.
_LONGEST_SPAN = 500
_FIELD = rb'(?:"[^"]*(?:""[^"]*)*"|[^",\r\n]*)'
_RECORD = re.compile(_FIELD + rb"(?:," + _FIELD + rb")*")


@dataclass(frozen=True)
class Header:
    """The columns of a file, and how much of it the header takes."""

    columns: tuple[str, ...]
    bytes: int
    lines: int


@dataclass(frozen=True)
class Parsed:
    """What a block held: records, and the lines that are no records."""

    records: pa.Table
    unparsed: pa.Table | None


def cut_csv(data: bytearray) -> int:
    """Where the last record ends: the last line break outside quotes.

    Where quotes were broken none may be found; beyond two blocks any line break has to do.
    """
    inside = data.count(b'"') % 2
    end = data.rfind(b"\n")
    before = len(data)
    while end >= 0:
        inside ^= data.count(b'"', end, before) % 2
        if not inside:
            return end + 1
        before, end = end, data.rfind(b"\n", 0, end)
    return data.rfind(b"\n") + 1 if len(data) > 2 * BLOCK_BYTES else 0


def read_header(block: Block) -> Header:
    """The header at the start of a file's first block; no columns where there are only blanks.

    Raises `UnreadableFileError` where it cannot be read, or two headers are one column.
    """
    require_utf8(block)
    first = re.match(rb"\s*", block.data).end()  # type: ignore[union-attr]
    if first == len(block.data):
        return Header((), len(block.data), block.data.count(b"\n"))
    end = block.data.find(b"\n", first) + 1 or len(block.data)
    while block.data.count(b'"', first, end) % 2 and end < len(block.data):
        end = block.data.find(b"\n", end) + 1 or len(block.data)
    try:
        names = next(csv.reader(io.StringIO(block.data[first:end].decode("utf-8"))))
    except (csv.Error, StopIteration) as error:
        raise UnreadableFileError(
            f"the header cannot be read ({error or 'it has no columns'})",
            "Write the file again with a CSV library (RFC 4180) and land it.",
        ) from error
    columns: dict[str, str] = {}
    for position, name in enumerate(names, start=1):
        column = column_name(name.strip()) if name.strip() else f"column_{position}"
        if column in columns:
            raise UnreadableFileError(
                f"the headers {columns[column]!r} and {name!r} are both the column {column}",
                "Rename one of them and land the file again.",
            )
        columns[column] = name
    return Header(tuple(columns), end, block.data.count(b"\n", 0, end))


def csv_parser(columns: tuple[str, ...]) -> Callable[[Block], Parsed]:
    """A function that parses one block of records; safe to call from several threads."""

    def parse(block: Block) -> Parsed:
        require_utf8(block)
        lines = _record_lines(block)
        if lines is not None:
            table = _arrow_table(block.data, columns)
            if table is not None and table.num_rows == len(lines):
                return Parsed(_numbered(table, lines), None)
        return _parse_line_by_line(block, columns)

    return parse


def _record_lines(block: Block) -> np.ndarray | None:
    """The line on which each record starts, blank lines left out; None where quotes are broken."""
    import numpy as np

    data = np.frombuffer(block.data, np.uint8)
    breaks = np.flatnonzero(data == ord("\n"))
    if not block.data.endswith(b"\n"):
        breaks = np.append(breaks, len(data))
    ends = breaks
    if b'"' in block.data:
        quotes = np.flatnonzero(data == ord('"'))
        if not _well_quoted(data, quotes):
            return None
        ends = breaks[np.searchsorted(quotes, breaks) % 2 == 0]
    starts = np.concatenate(([0], ends[:-1] + 1))
    lengths = ends - starts
    filled = (lengths > 1) | ((lengths == 1) & (data[np.minimum(starts, len(data) - 1)] != 13))
    starts = starts[filled]
    if len(ends) == len(breaks):
        return np.flatnonzero(filled) + block.first_line
    return np.searchsorted(breaks, starts) + block.first_line


def _well_quoted(data: np.ndarray, quotes: np.ndarray) -> bool:
    """Whether every quote opens a field, closes one, or is doubled within one."""
    import numpy as np

    if len(quotes) % 2:
        return False
    opening, closing = quotes[::2], quotes[1::2]
    separators = np.zeros(256, bool)
    separators[[ord(","), ord("\n")]] = True
    before = separators[data[opening - 1]]
    before[0] |= opening[0] == 0
    doubled = np.zeros(len(opening), bool)
    doubled[1:] = opening[1:] == closing[:-1] + 1
    separators[ord("\r")] = True
    after = separators[data[np.minimum(closing + 1, len(data) - 1)]]
    after[-1] |= closing[-1] == len(data) - 1
    after[:-1] |= doubled[1:]
    return bool((before | doubled).all() and after.all())


def _arrow_table(data: bytes | bytearray, columns: tuple[str, ...]) -> pa.Table | None:
    """Records as text columns, an empty field as null; None where a record does not fit."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    try:
        return arrow_csv.read_csv(
            pa.BufferReader(data),
            read_options=arrow_csv.ReadOptions(
                column_names=list(columns), use_threads=False, block_size=len(data) + 1
            ),
            parse_options=arrow_csv.ParseOptions(newlines_in_values=True),
            convert_options=arrow_csv.ConvertOptions(
                column_types={column: pa.string() for column in columns},
                null_values=[""],
                strings_can_be_null=True,
                check_utf8=False,
            ),
        )
    except pa.ArrowInvalid:
        return None


def _numbered(table: pa.Table, lines: np.ndarray | list[int]) -> pa.Table:
    import pyarrow as pa

    return table.append_column("_line", pa.array(lines, pa.int64()))


def _parse_line_by_line(block: Block, columns: tuple[str, ...]) -> Parsed:
    """Find the good records of a block in which something is wrong."""
    import pyarrow as pa

    good, bad = _sort_out(block.data.split(b"\n"), block.first_line, len(columns))
    schema = pa.schema([(column, pa.string()) for column in columns])
    table = _arrow_table(b"\n".join(record for _, record in good), columns) if good else None
    if good and (table is None or table.num_rows != len(good)):
        raise UnreadableFileError(
            f"the records from line {good[0][0]} to line {good[-1][0]} cannot be told apart",
            "Write the file again with a CSV library (RFC 4180) and land it.",
        )
    unparsed = pa.table(
        {
            "reason": [reason for _, _, reason in bad],
            "record": [record.decode("utf-8") for _, record, _ in bad],
            "_line": pa.array([line for line, _, _ in bad], pa.int64()),
        }
    )
    records = schema.empty_table() if table is None else table
    return Parsed(_numbered(records, [line for line, _ in good]), unparsed)


def _sort_out(
    lines: list[bytes], first_line: int, fields: int
) -> tuple[list[tuple[int, bytes]], list[tuple[int, bytes, str]]]:
    """Good records and bad lines, each with its line number."""
    good: list[tuple[int, bytes]] = []
    bad: list[tuple[int, bytes, str]] = []
    position = 0
    while position < len(lines):
        line = lines[position].removesuffix(b"\r")
        record, span = line, 1
        if line.count(b'"') % 2:
            record, span = _joined(lines, position)
        reason = _fault(record, fields)
        if reason and span > 1:
            record, span = line, 1
            reason = _fault(line, fields) or reason
        if reason:
            bad.append((first_line + position, record, reason))
        elif record:
            good.append((first_line + position, record))
        position += span
    return good, bad


def _joined(lines: list[bytes], position: int) -> tuple[bytes, int]:
    """A line that opens a quote, together with the lines up to the one that closes it."""
    for end in range(position + 1, min(position + _LONGEST_SPAN, len(lines))):
        if lines[end].count(b'"') % 2:
            return b"\n".join(lines[position : end + 1]).removesuffix(b"\r"), end + 1 - position
    return lines[position].removesuffix(b"\r"), 1


def _fault(record: bytes, fields: int) -> str | None:
    """What is wrong with a record; None for a good one and for a blank line."""
    if not record:
        return None
    if not _RECORD.fullmatch(record):
        return "broken quotes"
    found = sum(1 for _ in re.finditer(rb"(?:^|,)" + _FIELD, record))
    if found != fields:
        return f"{found} fields where the header has {fields}"
    return None
