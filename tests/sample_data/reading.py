"""Reads landing files back for the tests, as plain as possible and not as the ingestion does."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq


def text_of(path: Path) -> str:
    content = path.read_bytes()
    return (gzip.decompress(content) if path.name.endswith(".gz") else content).decode()


def columns_of(path: Path) -> set[str]:
    if path.name.endswith(".parquet"):
        return set(pq.read_schema(path).names)
    if ".csv" in path.name:
        return set(next(csv.reader(text_of(path).splitlines())))
    return {name for record in records_of(path) for name in record}


def records_of(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the records of a file; lines that are no record are left out."""
    if path.name.endswith(".parquet"):
        yield from pq.read_table(path).to_pylist()
    elif ".csv" in path.name:
        for row in csv.DictReader(text_of(path).splitlines(keepends=True)):
            if None not in row:
                yield {name: value or None for name, value in row.items()}
    else:
        for line in text_of(path).splitlines():
            try:
                record = json.loads(line)
            except json.JSONDecodeError:
                continue
            yield record


def instant(value: Any) -> datetime | None:
    """Return an instant in UTC, or None for what is not one (dates count as their midnight)."""
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    if isinstance(value, int) or str(value).isdigit():
        return datetime.fromtimestamp(int(value) / 1000, UTC)
    try:
        parsed = datetime.fromisoformat(value)
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
