"""Writing drafts as landing files: JSONL, CSV and Parquet, plain or gzipped, always the same bytes.

Gzip goes through pyarrow's own zlib: it writes no time, and the same version gives the same bytes
on every machine, which the interpreter's zlib does not promise.
"""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zlib import crc32

import pyarrow as pa
import pyarrow.parquet as pq

from sample_data.calendar import HISTORY
from sample_data.contract import LAYOUTS, Layout
from sample_data.drafts import Draft, Drafts, Record

_INSTANT = pa.timestamp("ms", tz="UTC")
_TYPES: dict[str, dict[str, pa.DataType]] = {
    "users": {"product_join_date": pa.date32(), "is_active": pa.bool_()},
    "interactions": {
        "occurred_at": _INSTANT,
        "added_at": _INSTANT,
        "updated_at": _INSTANT,
        "is_completed": pa.bool_(),
    },
    "subscriptions": {
        "start_date": pa.date32(),
        "end_date": pa.date32(),
        "expiration_date": pa.date32(),
        "cycle_length": pa.int32(),
        "total_revenue": pa.decimal128(18, 2),
        "is_renewal": pa.bool_(),
        "is_end": pa.bool_(),
    },
}
"""Entity → the columns of its Parquet files that are not text."""

_NUMBER_COLUMNS = frozenset({("accounts", "current_mrr"), ("deals", "amount")})
"""Amounts that the source sends as JSON numbers; all others are decimal text."""


@dataclass(frozen=True)
class WrittenFile:
    """One landing file: where it stands, its records, and the line of every draft in it."""

    entity: str
    slot: int
    location: str
    records: int
    rejects: int
    size_bytes: int
    lines: tuple[int, ...]


def instant_text(moment: datetime, style: str) -> str | int:
    """Return a UTC instant in a style: 'z', 'bare' (no offset), 'epoch' (ms), or as an offset."""
    if style == "epoch":
        return (moment - datetime(1970, 1, 1)) // timedelta(milliseconds=1)
    precision = "milliseconds" if moment.microsecond else "seconds"
    if style in ("z", "bare"):
        return moment.isoformat(timespec=precision) + ("Z" if style == "z" else "")
    hours, minutes = int(style[1:3]), int(style[4:6])
    shift = timedelta(hours=hours, minutes=minutes) * (-1 if style[0] == "-" else 1)
    return (moment + shift).isoformat(timespec=precision) + style


def write_files(drafts: Drafts, landing: Path) -> list[WrittenFile]:
    """Write every slot of every entity that has something; return the files in order."""
    written: list[WrittenFile] = []
    for entity, layout in LAYOUTS.items():
        for slot in range(HISTORY, drafts.calendar.nights):
            found = drafts.of(entity, slot)
            table = drafts.tables.get(entity) if slot == HISTORY else None
            if not found and table is None:
                continue
            extension = (
                layout.history if slot == HISTORY else layout.nightly[slot % len(layout.nightly)]
            )
            day = drafts.calendar.night_date(slot).isoformat()
            name = f"{day}-history" if slot == HISTORY else day
            folder = landing / layout.domain / entity
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / f"{name}.{extension}"
            lines = _write(path, entity, layout, found, table)
            count = len(found) if table is None else table.num_rows
            rejects = sum(draft.is_reject for draft in found)
            written.append(_describe(landing, path, entity, slot, count, rejects, lines))
            if (entity, slot) in drafts.redelivered:
                again = folder / f"{name}_redelivered.{extension}"
                again.write_bytes(path.read_bytes())
                written.append(_describe(landing, again, entity, slot, count, rejects, ()))
    return written


def _describe(
    landing: Path,
    path: Path,
    entity: str,
    slot: int,
    records: int,
    rejects: int,
    lines: tuple[int, ...],
) -> WrittenFile:
    location = path.relative_to(landing).as_posix()
    return WrittenFile(entity, slot, location, records, rejects, path.stat().st_size, lines)


def _write(
    path: Path, entity: str, layout: Layout, found: list[Draft], table: pa.Table | None
) -> tuple[int, ...]:
    """Write one file; return the line (text) or row (Parquet) of each draft."""
    if path.name.endswith(".parquet"):
        whole = _table(entity, layout, found) if table is None else table
        pq.write_table(whole, path, compression="snappy", row_group_size=250_000)
        return tuple(range(1, len(found) + 1))
    is_csv = ".csv" in path.name
    rows = _csv_rows(entity, layout, found) if is_csv else _json_rows(entity, layout, found)
    content = "".join(rows).encode()
    if path.name.endswith(".gz"):
        content = pa.compress(content, codec="gzip", asbytes=True)
    path.write_bytes(content)
    return _line_numbers(rows, is_csv=is_csv)


def _line_numbers(rows: list[str], *, is_csv: bool) -> tuple[int, ...]:
    numbers: list[int] = []
    line = 1
    for row in rows:
        numbers.append(line)
        line += row.count("\n")
    return tuple(numbers[1:] if is_csv else numbers)


def _style(record: Record, layout: Layout) -> str:
    """Return how this record's instants are written: the same for equal records."""
    if len(layout.styles) == 1:
        return layout.styles[0]
    names = layout.key or ("account_id", "user_id", "user_email")
    identity = "|".join(str(record.get(name)) for name in names)
    return layout.styles[crc32(identity.encode()) % len(layout.styles)]


def _plain(entity: str, column: str, value: Any, style: str) -> Any:
    """Return a value as JSON knows it."""
    if isinstance(value, datetime):
        return instant_text(value, style)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        # The shortest text of the nearest double is the decimal itself at this many digits.
        return float(value) if (entity, column) in _NUMBER_COLUMNS else str(value)
    return value


def _json_rows(entity: str, layout: Layout, found: list[Draft]) -> list[str]:
    rows: list[str] = []
    for draft in found:
        if draft.raw is not None:
            rows.append(draft.raw + "\n")
            continue
        style = _style(draft.record, layout)
        kept = {
            name: _plain(entity, name, value, style)
            for name, value in draft.record.items()
            if value is not None or name in layout.required
        }
        rows.append(json.dumps(kept, ensure_ascii=False) + "\n")
    return rows


class _Rows:
    """A file for the csv writer that keeps every row as one string."""

    def __init__(self) -> None:
        self.rows: list[str] = []

    def write(self, row: str) -> None:
        """Keep a row."""
        self.rows.append(row)


def _csv_rows(entity: str, layout: Layout, found: list[Draft]) -> list[str]:
    """Return the header and a row for each draft."""
    target = _Rows()
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(layout.columns)
    for draft in found:
        if draft.raw is not None:
            target.write(draft.raw + "\n")
            continue
        style = _style(draft.record, layout)
        record = draft.record
        writer.writerow(
            [_cell(_plain(entity, name, record.get(name), style)) for name in layout.columns]
        )
    return target.rows


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value


def _table(entity: str, layout: Layout, found: list[Draft]) -> pa.Table:
    """Return drafts as a typed table; instants and lists in text columns become text."""
    types = _TYPES[entity]
    columns: dict[str, pa.Array] = {}
    for name in layout.columns:
        values = [draft.record.get(name) for draft in found]
        if name not in types:
            values = [_cell(_plain(entity, name, value, "z")) for value in values]
        columns[name] = pa.array(values, types.get(name, pa.string()))
    return pa.table(columns)
