"""Good landing files of every format, and what can become of them on their way.

Everything hangs on a seed: the same one gives the same files on every machine. A mangled file is
made of a sound one by a few of the `DAMAGES`, each of which is something that happens: a transfer
that is cut off, a tool that writes other types, a column that is renamed, a disk that flips bits.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

Record = dict[str, Any]
FORMATS = ("jsonl", "jsonl.gz", "csv", "csv.gz", "parquet")


@dataclass
class Draft:
    """A file under way: its records while they are such, its bytes from `encode` on."""

    format: str
    records: list[Record]
    columns: list[str]
    location: str = ""
    content: bytes = b""
    done: list[str] = field(default_factory=list)

    @property
    def text_format(self) -> str:
        """`jsonl`, `csv` or `parquet`."""
        return self.format.partition(".")[0]


def account(random_: random.Random, n: int) -> Record:
    return {
        "account_id": f"a-{n}",
        "name": random_.choice(["Acme", 'Ab "quoted", Inc', "Zürich\nAG", "名前"]),
        "join_date": "2024-01-01",
        "csm_score": random_.choice([0, 50, 99.5, None]),
        "custom_label_dimensions": [{"key": "k", "value": "v"}],
        "is_deleted": False,
        "updated_at": "2024-06-01T00:00:00Z",
    }


def event(random_: random.Random, n: int) -> Record:
    return {
        "account_id": f"a-{n % 7}",
        "user_id": f"u-{n % 11}",
        "created_at": random_.choice([1717200000000 + n, "2024-06-01T10:00:00+02:00"]),
        "action": random_.choice(["feature", "sessionSync", "moduleEnd"]),
        "feature": "export",
        "total": random_.choice([1, None, 3]),
        "details": {"page": n, "deep": {"er": [1, 2.5, "x"]}},
    }


def subscription(random_: random.Random, n: int) -> Record:
    return {
        "subscription_id": f"s-{n}",
        "account_id": f"a-{n % 7}",
        "start_date": "2024-01-01",
        "cycle_length": 1,
        "cycle_unit": "month",
        "total_revenue": random_.choice(["1234.5678", 99, "0.10", 12345678901234.1234]),
        "currency": "USD",
        "is_renewal": random_.choice([True, False, None]),
    }


def ticket(random_: random.Random, n: int) -> Record:
    return {
        "ticket_id": f"t-{n}",
        "account_id": f"a-{n % 7}",
        "subject": random_.choice(["Help!", "a, b", 'say "hi"', ""]),
        "status": "open",
        "created_at": "2024-06-01T10:00:00Z",
    }


ENTITIES: dict[tuple[str, str], Callable[[random.Random, int], Record]] = {
    ("crm", "accounts"): account,
    ("events", "events"): event,
    ("billing", "subscriptions"): subscription,
    ("tickets", "tickets"): ticket,
}

ODD_VALUES: Sequence[Any] = (
    "",
    " ",
    "x" * 100_000,
    "9" * 400,
    int("9" * 400),
    -(10**30),
    1e308,
    float("inf"),
    float("nan"),
    "1e999",
    "NaN",
    "\u0000",
    "a\u0000b",
    "line\r\nbreak",
    "\u2028\u2029\u0085",
    "\ufeff",
    "'; drop table accounts; --",
    '"',
    "{}",
    "[",
    True,
    None,
    [],
    {},
    [[[]]],
    {"a": {"b": [None, 1.5, "x"]}},
    1717200000000,
    "1717200000000.0",
    99999999999999,
    "-99999999999999",
    "9999999999999.99995",
    9223372036854775807,
    "9223372036854775808",
    "999999999999.9999",
    "0001-01-01",
    "0000-00-00",
    "0001-01-01T00:00:00+14:00",
    "-99999999999999.00",
    "9999-12-31T23:59:59.999999999Z",
    "2024-02-30",
    -1,
    0,
    "０１２",
    "🦆" * 50,
)
TYPED_VALUES: Sequence[Any] = (
    datetime(2024, 6, 1, 12, 30, 15, 123456),
    datetime(2024, 6, 1, tzinfo=UTC),
    datetime(1, 1, 1),
    datetime(9999, 12, 31, 23, 59, 59),
    date(2024, 2, 29),
    time(23, 59, 59, 999999),
    timedelta(days=400),
    Decimal("12345678901234567890.123456789"),
    Decimal("-0.0001"),
    b"text in bytes",
    b"\xff\xfe\x00",
    {"at": datetime(2024, 6, 1, tzinfo=UTC), "of": [Decimal("1.5")]},
    [{"key": "k", "value": b"\xff"}],
    [None],
    float("-inf"),
)
ODD_NAMES: Sequence[str] = (
    "",
    " ",
    "account_id",
    "Account ID",
    "accountId",
    "_location",
    "_line",
    "_dlt_id",
    "x" * 300,
    'quo"te',
    "semi;colon",
    "名前",
    "select",
    "a.b",
    "a/b~c",
    "1",
    "\u0000",
    "new\nline",
)


def drop_column(draft: Draft, random_: random.Random) -> None:
    column = random_.choice(draft.columns)
    draft.columns = [each for each in draft.columns if each != column]
    for record in draft.records:
        record.pop(column, None)


def rename_column(draft: Draft, random_: random.Random) -> None:
    column, name = random_.choice(draft.columns), random_.choice(ODD_NAMES)
    draft.columns = [name if each == column else each for each in draft.columns]
    draft.records = [
        {name if key == column else key: value for key, value in record.items()}
        for record in draft.records
    ]


def duplicate_column(draft: Draft, random_: random.Random) -> None:
    draft.columns.append(random_.choice(draft.columns))


def widen(draft: Draft, random_: random.Random) -> None:
    """Many columns that nobody agreed on, as where ids are used for names."""
    names = [f"wide_{number}" for number in range(random_.choice([50, 300, 3000]))]
    draft.columns += names
    for record in draft.records[:3]:
        record.update(dict.fromkeys(names, "1"))


def odd_value(draft: Draft, random_: random.Random) -> None:
    if draft.records and draft.columns:
        record = random_.choice(draft.records)
        record[random_.choice(draft.columns)] = random_.choice(ODD_VALUES)


def odd_column(draft: Draft, random_: random.Random) -> None:
    column, value = random_.choice(draft.columns), random_.choice(ODD_VALUES)
    for record in draft.records:
        record[column] = value


def deep_value(draft: Draft, random_: random.Random) -> None:
    """JSON of ten thousand levels; as text, since Python's own writer would not go so deep."""
    depth = random_.choice([100, 10_000])
    opened, closed = random_.choice([("[", "]"), ('{"a":', "}")])
    record = random_.choice(draft.records or [{}])
    record[random_.choice(draft.columns)] = _Raw(opened * depth + "1" + closed * depth)


def odd_type(draft: Draft, random_: random.Random) -> None:
    """Types that only Parquet has; elsewhere they come as the text that a tool makes of them."""
    column, value = random_.choice(draft.columns), random_.choice(TYPED_VALUES)
    for number, record in enumerate(draft.records):
        if draft.format == "parquet":
            record[column] = value if number % 3 else None
        else:
            record[column] = str(value)


def no_records(draft: Draft, random_: random.Random) -> None:
    draft.records = []


def repeat_key(draft: Draft, random_: random.Random) -> None:
    for record in draft.records:
        record["\u0001again"] = random_.choice(draft.columns)


class _Raw(str):
    """JSON text that stands as it is."""


# What happens to records before they are written.
EARLY = (
    drop_column,
    rename_column,
    duplicate_column,
    widen,
    odd_value,
    odd_value,
    odd_value,
    odd_column,
    deep_value,
    odd_type,
    no_records,
    repeat_key,
)


def flip_bytes(draft: Draft, random_: random.Random) -> None:
    content = bytearray(draft.content)
    for _ in range(random_.choice([1, 1, 3, 20])):
        if content:
            content[random_.randrange(len(content))] = random_.randrange(256)
    draft.content = bytes(content)


def truncate(draft: Draft, random_: random.Random) -> None:
    draft.content = draft.content[: random_.randrange(len(draft.content) + 1)]


def cut_out(draft: Draft, random_: random.Random) -> None:
    start = random_.randrange(len(draft.content) + 1)
    draft.content = draft.content[:start] + draft.content[start + random_.randrange(200) :]


def repeat_part(draft: Draft, random_: random.Random) -> None:
    start = random_.randrange(len(draft.content) + 1)
    draft.content = draft.content[:start] + draft.content[max(start - 300, 0) :]


def zeros(draft: Draft, random_: random.Random) -> None:
    """What a file system leaves after a power cut."""
    start = random_.randrange(len(draft.content) + 1)
    size = random_.choice([1, 16, 4096])
    draft.content = draft.content[:start] + bytes(size) + draft.content[start + size :]


def line_ends(draft: Draft, random_: random.Random) -> None:
    lines = draft.content.split(b"\n")
    ends = [b"\n", b"\r\n", b"\r", b"\n\n", b" \n"]
    draft.content = b"".join(line + random_.choice(ends) for line in lines)


def encoding(draft: Draft, random_: random.Random) -> None:
    text = draft.content.decode("utf-8", "replace")
    codec = random_.choice(["utf-16", "utf-16-le", "utf-32", "latin-1", "utf-8-sig", "cp037"])
    draft.content = text.encode(codec, "replace")


def other_extension(draft: Draft, random_: random.Random) -> None:
    draft.format = random_.choice(FORMATS)


def compress(draft: Draft, random_: random.Random) -> None:
    draft.content = gzip.compress(draft.content, mtime=0)


def bomb(draft: Draft, random_: random.Random) -> None:
    """A few kilobytes that become 20 MB: blanks, or one line without an end."""
    draft.format = random_.choice(["jsonl.gz", "csv.gz"])
    filling = random_.choice([b" ", b"\n", b"a", b"[", b'"'])
    draft.content = gzip.compress(filling * 20_000_000, mtime=0)


def two_members(draft: Draft, random_: random.Random) -> None:
    draft.content += gzip.compress(draft.content[:200], mtime=0)


def empty_file(draft: Draft, random_: random.Random) -> None:
    draft.content = b""


# What happens to the bytes of a file.
LATE = (
    flip_bytes,
    flip_bytes,
    flip_bytes,
    truncate,
    truncate,
    cut_out,
    repeat_part,
    zeros,
    line_ends,
    encoding,
    other_extension,
    compress,
    two_members,
    empty_file,
)


def mangled(seed: int, count: int, bombs: int = 1) -> list[Draft]:
    """`count` files, each of an entity and a format in turn, mangled in one to three ways."""
    drafts = []
    kinds = [(entity, format_) for entity in ENTITIES for format_ in FORMATS]
    for number in range(count):
        random_ = random.Random(f"{seed}:{number}")
        entity, format_ = kinds[number % len(kinds)]
        drafts.append(_mangled(random_, entity, format_, number, number < bombs))
    return drafts


def _mangled(
    random_: random.Random, entity: tuple[str, str], format_: str, number: int, is_bomb: bool
) -> Draft:
    make = ENTITIES[entity]
    records = [make(random_, n) for n in range(random_.choice([1, 5, 40]))]
    draft = Draft(format_, records, list(records[0]))
    damages = [random_.choice(EARLY + LATE) for _ in range(random_.choice([1, 1, 2, 3]))]
    for damage in damages:
        if damage in EARLY and draft.columns:
            _do(damage, draft, random_)
    late = [bomb] if is_bomb else [damage for damage in damages if damage not in EARLY]
    if draft.format.endswith(".gz") and random_.random() < 0.5:
        # harmed before it was compressed: the compression is whole
        draft.format = draft.text_format
        draft.content = encode(draft)
        for damage in late:
            _do(damage, draft, random_)
        if draft.format in ("jsonl", "csv"):
            draft.format += ".gz"
            draft.content = gzip.compress(draft.content, mtime=0)
    else:
        draft.content = encode(draft)
        for damage in late:
            _do(damage, draft, random_)
    domain, name = entity
    draft.location = f"{domain}/{name}/{number:05}.{draft.format}"
    return draft


def _do(
    damage: Callable[[Draft, random.Random], None], draft: Draft, random_: random.Random
) -> None:
    draft.done.append(damage.__name__)
    damage(draft, random_)


def encode(draft: Draft) -> bytes:
    """The records as a file of their format."""
    if draft.text_format == "parquet":
        return _parquet(draft)
    data = _jsonl(draft) if draft.text_format == "jsonl" else _csv(draft)
    return gzip.compress(data, mtime=0) if draft.format.endswith(".gz") else data


def _jsonl(draft: Draft) -> bytes:
    lines = []
    for record in draft.records:
        again = record.get("\u0001again")
        pairs = [
            f"{json.dumps(key)}:{value if isinstance(value, _Raw) else json.dumps(value)}"
            for key, value in record.items()
            if key != "\u0001again"
        ]
        pairs += [f'{json.dumps(again)}:"again"'] if again else []
        lines.append("{" + ",".join(pairs) + "}\n")
    return "".join(lines).encode("utf-8", "surrogatepass")


def _csv(draft: Draft) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n", escapechar="\\")
    writer.writerow(draft.columns)
    for record in draft.records:
        writer.writerow([_as_text(record.get(column)) for column in draft.columns])
    return text.getvalue().encode("utf-8", "surrogatepass")


def _parquet(draft: Draft) -> bytes:
    """Typed columns where their values allow it, else text; equal names beside each other."""
    names, arrays = [], []
    for column in draft.columns:
        values = [record.get(column) for record in draft.records]
        try:
            array = pa.array(values)
            if pa.types.is_null(array.type) or (
                pa.types.is_struct(array.type) and not array.type.num_fields
            ):
                raise pa.ArrowInvalid
            pq.write_table(pa.table({"column": array}), io.BytesIO())
        except (pa.ArrowException, OverflowError):
            array = pa.array([_as_text(value) for value in values], pa.string())
        names.append(column)
        arrays.append(array)
    if not arrays:
        names, arrays = ["nothing"], [pa.array([], pa.string())]
    target = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(arrays, names=names), target)
    return target.getvalue()


def _as_text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, default=str)
