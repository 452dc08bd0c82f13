"""The two text parsers against Python's own, on random content cut into small blocks."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingestion.sources.native import text
from ingestion.sources.native.delimited import csv_parser, cut_csv, read_header
from ingestion.sources.native.jsonl import cut_jsonl, extraction, jsonl_parser
from ingestion.sources.native.text import Block, HashingReader, read_blocks

CELLS = st.text(st.sampled_from('ab1 ,"\n\té😀'), max_size=8)
SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=8)
VALUES = SCALARS | st.lists(SCALARS, max_size=3) | st.dictionaries(st.text(max_size=3), SCALARS)
# Digits and points of every length around that from which a double would not do.
NUMBERS = st.from_regex(r"-?(0|[1-9][0-9]{0,22})(\.[0-9]{1,22})?", fullmatch=True)


@pytest.fixture(autouse=True, scope="module")
def small_blocks() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text, "BLOCK_BYTES", 64)
        yield


@pytest.fixture(scope="module")
def connection() -> Any:
    with duckdb.connect() as opened:
        yield opened


def blocks(content: str, cut: Any) -> list[Block]:
    return list(read_blocks(HashingReader(io.BytesIO(content.encode())), False, cut))  # type: ignore[arg-type]


def parsed_csv(content: str) -> tuple[list[tuple[int, tuple[str | None, ...]]], list[int]]:
    """Records with their lines, and the lines that were refused."""
    first, *others = blocks(content, cut_csv)
    header = read_header(first)
    start = Block(first.data[header.bytes :], first.first_line + header.lines, header.bytes)
    records, refused = [], []
    for block in [start, *others] if start.data else others:
        found = csv_parser(header.columns)(block)
        lines = found.records["_line"].to_pylist()
        cells = zip(*(found.records[name].to_pylist() for name in header.columns), strict=True)
        records += zip(lines, cells, strict=True)
        if found.unparsed is not None:
            refused += found.unparsed["_line"].to_pylist()
    return records, refused


@given(st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=30), st.sampled_from(["\n", "\r\n"]))
@settings(max_examples=150, deadline=None)
def test_csv_is_read_as_python_reads_it(rows: list[tuple[str, ...]], ending: str) -> None:
    written = io.StringIO()
    writer = csv.writer(written, lineterminator=ending)
    writer.writerow(["a", "b", "c"])
    lines = []
    for row in rows:
        lines.append(written.getvalue().count("\n") + 1)
        writer.writerow(row)
    records, refused = parsed_csv(written.getvalue())
    assert refused == []
    expected = [tuple(cell or None for cell in row) for row in rows]
    assert records == list(zip(lines, expected, strict=True))


@given(
    st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=20),
    st.sampled_from(['x,"y"z,w', "one,two", "1,2,3,4", 'a,b"c,d', '"open,b,c']),
    st.integers(0, 20),
)
@settings(max_examples=150, deadline=None)
def test_a_bad_csv_line_costs_no_other_record(
    rows: list[tuple[str, ...]], bad: str, position: int
) -> None:
    """Line breaks in quotes aside: behind an open quote nobody can tell them from line ends."""
    rows = [tuple(" ".join(cell.split()) for cell in row) for row in rows]
    lines = []
    for row in rows:
        written = io.StringIO()
        csv.writer(written, lineterminator="").writerow(row)
        lines.append(written.getvalue())
    position = min(position, len(lines))
    lines.insert(position, bad)
    records, refused = parsed_csv("\n".join(["a,b,c", *lines]))
    assert refused == [position + 2]
    expected = [tuple(cell or None for cell in row) for row in rows]
    assert [cells for _, cells in records] == expected


@given(st.lists(st.dictionaries(st.sampled_from("abcd"), VALUES, min_size=1), max_size=20))
@settings(max_examples=40, deadline=None)
def test_json_lines_are_read_as_python_reads_them(
    connection: Any, objects: list[dict[str, Any]]
) -> None:
    content = "\n".join(json.dumps(found, ensure_ascii=False) for found in objects)
    for large in (False, True):
        records = parsed_jsonl(connection, content, large)
        assert [line for line, _ in records] == list(range(1, len(objects) + 1))
        for (_, record), found in zip(records, objects, strict=True):
            for key, value in found.items():
                assert same(record[key], value)


def same(landed: str | None, value: Any) -> bool:
    if isinstance(value, str) or value is None:
        return landed == value
    return json.loads(landed or "") == value


@given(st.lists(NUMBERS, min_size=1, max_size=30))
@settings(max_examples=60, deadline=None)
def test_json_numbers_keep_their_value(connection: Any, numbers: list[str]) -> None:
    from decimal import Decimal

    content = "\n".join(f'{{"a":{number},"b":[{number}]}}' for number in numbers)
    records = parsed_jsonl(connection, content, False)
    for (_, record), number in zip(records, numbers, strict=True):
        assert Decimal(record["a"] or "") == Decimal(number)
        assert json.loads(record["b"] or "", parse_float=Decimal) == [Decimal(number)]


def parsed_jsonl(
    connection: Any, content: str, large: bool
) -> list[tuple[int, dict[str, str | None]]]:
    records = []
    for block in blocks(content, cut_jsonl):
        found = jsonl_parser(connection, large)(block)
        assert found.unparsed is None
        table = found.records
        if table is None:
            connection.register("held", found.lines)
            table = connection.execute(extraction(found.keys, "held")).to_arrow_table()
        records += [(row.pop("_line"), row) for row in table.to_pylist()]
    return records
