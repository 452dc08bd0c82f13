"""Every format lands the same text, with the line or row it came from."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal

import pytest

from ingestion.sources.native import reading, text
from tests.ingestion.conftest import Place

CSV = "old_email,email,note\na@x,b@x,\n"
JSONL = '{"old_email":"a@x","email":"b@x","note":null}\n'


TEXT_FILES = [
    ("csm_aliases.csv", CSV.encode(), 2),
    ("csm_aliases.jsonl", JSONL.encode(), 1),
    ("csm_aliases.csv.gz", gzip.compress(CSV.encode()), 2),
    ("csm_aliases.jsonl.gz", gzip.compress(JSONL.encode()), 1),
    ("csm_aliases/blank lines first.csv", b"\n\r\n" + CSV.encode(), 4),
    ("csm_aliases/capitals.CSV", CSV.encode(), 2),
    ("csm_aliases/folder/within.jsonl", JSONL.encode(), 1),
    ("csm_aliases/mark.csv", b"\xef\xbb\xbf" + CSV.replace("\n", "\r\n").encode(), 2),
    ("csm_aliases/mark.jsonl", b"\xef\xbb\xbf" + JSONL.replace("\n", "\r\n").encode(), 1),
    ("csm_aliases/open end.csv", CSV.strip().encode(), 2),
    ("csm_aliases/open end.jsonl", JSONL.strip().encode(), 1),
]


def test_all_formats_land_the_same_record_and_may_be_mixed(place: Place) -> None:
    for name, content, _ in TEXT_FILES:
        place.land(f"crm/{name}", content)
    place.land_parquet(
        "crm/csm_aliases/typed.parquet", "select 'a@x' as old_email, 'b@x' as email, null as note"
    )
    expected = sorted(
        (f"crm/{name}", line, "a@x", "b@x", None, 1)
        for name, _, line in [*TEXT_FILES, ("csm_aliases/typed.parquet", b"", 1)]
    )
    report = place.load()
    assert [file.location for file in report.files] == [location for location, *_ in expected]
    assert {file.rows_read for file in report.files} == {1}
    columns = ("_location", "_line", "old_email", "email", "note", "_load_number")
    assert place.rows("crm.csm_aliases", *columns) == expected


@pytest.mark.parametrize("large", [False, True], ids=["small", "large"])
@pytest.mark.parametrize(
    "digits", ["12345678901234.1234", "0.1234567890123456789", "-9007199254740993.5"]
)
@pytest.mark.parametrize("format_", ["jsonl", "csv", "parquet"])
def test_amounts_keep_their_digits(
    place: Place, monkeypatch: pytest.MonkeyPatch, format_: str, digits: str, large: bool
) -> None:
    monkeypatch.setattr(reading, "_LARGE_BYTES", 0 if large else 1 << 30)
    if format_ == "jsonl":
        content = f'{{"invoice_id":"i","line_number":1,"amount":{digits},"n":{{"v":[{digits}]}}}}\n'
        place.land("billing/invoice_lines.jsonl", content)
    elif format_ == "csv":
        content = f"invoice_id,line_number,amount,n\ni,1,{digits},{digits}\n"
        place.land("billing/invoice_lines.csv", content)
    else:
        scale = -Decimal(digits).as_tuple().exponent
        place.land_parquet(
            "billing/invoice_lines.parquet",
            "select 'i' as invoice_id, 1 as line_number,"
            f" '{digits}'::decimal(38, {scale}) as amount,"
            f" {{'v': ['{digits}'::decimal(38, {scale})]}} as n",
        )
    place.load("billing")
    ((amount, nested),) = place.rows("billing.invoice_lines", "amount", "n")
    assert amount == digits
    assert digits in nested


def test_long_numbers_are_told_from_texts_and_keep_their_neighbours(place: Place) -> None:
    records = [
        {"old_email": "1234567890123456789.5", "email": 'a "1234567890123456789" \\', "x": 0.5},
        {"old_email": "short", "email": "b", "x": 12, "y": {"z": "1234567890123456789"}},
    ]
    lines = [json.dumps(record) for record in records]
    lines.append(
        '{"old_email":1234567890123456789.50,"email":"c","y":{"z":[-1.2345678901234567e-5]}}'
    )
    place.land("crm/csm_aliases.jsonl", "\n".join(lines))
    place.load()
    assert place.rows("crm.csm_aliases", "old_email", "email", "x", "y") == [
        ("1234567890123456789.5", 'a "1234567890123456789" \\', "0.5", None),
        ("short", "b", "12", '{"z":"1234567890123456789"}'),
        ("1234567890123456789.50", "c", None, '{"z":[-1.2345678901234567e-5]}'),
    ]


def test_long_numbers_are_found_wherever_they_stand(place: Place) -> None:
    numbers = ["1234567890.123456", "123456789012345", "12345678901234567", "-1.5", "0.25e-7"]
    lines = [
        f'{{"old_email":"{"x" * before}","email":{number}}}'
        for before in range(20)
        for number in numbers
    ]
    place.land("crm/csm_aliases.jsonl", "\n".join(lines))
    place.load()
    found = place.rows("crm.csm_aliases", "email")
    assert [Decimal(number) for number in found] == [Decimal(number) for number in numbers] * 20
    assert [number for number in found if len(number) > 14] == numbers[:3] * 20


def test_json_values_land_as_their_text(place: Place) -> None:
    record = (
        '{"old_email":"","email":null,"a":true,"b":[1,{"c":"é"}],"c":{"d":null},"e":12345.0,'
        '"f":"0012","g":1704067200000,"h":"line\\nbreak","i":" x "}'
    )
    place.land("crm/csm_aliases.jsonl", record)
    place.load()
    columns = ("old_email", "email", "a", "b", "c", "e", "f", "g", "h", "i")
    assert place.rows("crm.csm_aliases", *columns) == [
        (
            "",
            None,
            "true",
            '[1,{"c":"é"}]',
            '{"d":null}',
            "12345.0",
            "0012",
            "1704067200000",
            "line\nbreak",
            " x ",
        )
    ]


def test_csv_values_land_as_their_text(place: Place) -> None:
    place.land(
        "crm/csm_aliases.csv",
        'old_email,email,a,b,c\r\n0012, x ,"say ""hi"", you","two\r\nlines",""\r\n'
        "NULL,nan,1.10,é,\r\n",
    )
    place.load()
    assert place.rows("crm.csm_aliases", "old_email", "email", "a", "b", "c", "_line") == [
        ("0012", " x ", 'say "hi", you', "two\r\nlines", None, 2),
        ("NULL", "nan", "1.10", "é", None, 4),
    ]


@pytest.mark.parametrize("large", [False, True], ids=["small", "large"])
def test_parquet_values_land_as_text(
    place: Place, monkeypatch: pytest.MonkeyPatch, large: bool
) -> None:
    monkeypatch.setattr(reading, "_LARGE_BYTES", 0 if large else 1 << 30)
    values = {
        "email": "'b@x'",
        "an_integer": "12345",
        "a_decimal": "1.10::decimal(18, 2)",
        "a_double": "0.1::double",
        "a_date": "date '2024-06-01'",
        "a_naive_time": "timestamp '2024-06-01 10:00:00.5'",
        "a_zoned_time": "timestamptz '2024-06-01 10:00:00+02:00'",
        "a_flag": "true",
        "a_list": "[{'key': 'k', 'value': 1.50::decimal(9, 2)}]",
        "a_blob": "'text'::blob",
        "nothing": "null::integer",
        "an_empty_text": "''",
    }
    columns = ", ".join(f"{value} as {name}" for name, value in values.items())
    place.land_parquet(
        "crm/csm_aliases.parquet",
        f"select 'a@x' as old_email, {columns} union all by name select 'z' as old_email",
    )
    place.load()
    rows = place.rows("crm.csm_aliases", "old_email", "_line", *values)
    assert rows[0] == (
        "a@x",
        1,
        "b@x",
        "12345",
        "1.10",
        "0.1",
        "2024-06-01",
        "2024-06-01 10:00:00.5",
        "2024-06-01T08:00:00Z",
        "true",
        '[{"key":"k","value":1.5}]',
        "text",
        None,
        "",
    )
    assert rows[1] == ("z", 2, *[None] * len(values))


def test_lines_are_the_true_ones(place: Place) -> None:
    place.land(
        "crm/csm_aliases/1.jsonl",
        '\n{"old_email":"3","email":"x"}\n   \n{"old_email":"5","email":"x"}\n\n\n'.replace(
            "\n", "\n", 1
        ),
    )
    place.land(
        "crm/csm_aliases/2.csv",
        'old_email,email\n2,x\n\n4,"a\nb\n\nc"\n8,x\n\r\n10,"\n"\n12,"x"',
    )
    place.load()
    assert place.rows("crm.csm_aliases", "_location", "old_email", "_line") == [
        ("crm/csm_aliases/1.jsonl", "3", 2),
        ("crm/csm_aliases/1.jsonl", "5", 4),
        *[("crm/csm_aliases/2.csv", str(line), line) for line in (2, 4, 8, 10, 12)],
    ]


@pytest.mark.parametrize("format_", ["jsonl", "csv", "jsonl.gz", "csv.gz"])
def test_files_of_many_blocks_land_whole_and_in_order(
    place: Place, monkeypatch: pytest.MonkeyPatch, format_: str
) -> None:
    monkeypatch.setattr(text, "BLOCK_BYTES", 5000)
    monkeypatch.setattr(reading, "_LARGE_BYTES", 0)
    if format_.startswith("jsonl"):
        lines = [json.dumps({"old_email": str(n), "email": "é" * (n % 90)}) for n in range(1, 2001)]
        lines[700] = "not json"
        first = 1
    else:
        lines = ["old_email,email"]
        lines += [f'{n},"{"é" * (n % 90)}"' for n in range(2, 2001)]
        lines[700] = "one,field,too many"
        first = 2
    content = "\n".join(lines).encode()
    place.land(
        f"crm/csm_aliases.{format_}",
        gzip.compress(content) if format_.endswith("gz") else content,
    )
    report = place.load()
    assert report.problems == [] or report.problems[0].entity == "accounts"
    found = place.rows("crm.csm_aliases", "_line", "old_email")
    assert found == [(n, str(n)) for n in range(first, 2001) if n != 701]
    assert place.rows("crm.unparsed_lines", "_line", "record") == [(701, lines[700])]
    assert report.rows_read == 2001 - first


def test_empty_files_have_no_records_and_are_no_problem(place: Place) -> None:
    contents = {
        "nothing.jsonl": b"",
        "blank lines.jsonl": b"\n\n",
        "a mark.jsonl": b"\xef\xbb\xbf",
        "nothing.csv": b"",
        "a line.csv": b"\n",
        "a header.csv": b"old_email,email\n",
        "another header.csv": b"something,else",
        "nothing.jsonl.gz": gzip.compress(b""),
        "nothing at all.csv.gz": b"",
    }
    for name, content in contents.items():
        place.land(f"crm/csm_aliases/{name}", content)
    place.land("crm/accounts.csv", "account_id,name,join_date\na,A,2024-01-01\n")
    report = place.load()
    assert report.problems == []
    assert len(report.files) == 1 + len(contents)
    assert report.rows_read == 1
    assert place.load().load_number is None


def test_the_same_records_land_whatever_the_format(place: Place) -> None:
    """The shape of the benchmark's events: nested details, nulls, numbers."""
    select = """
        select
            'a' || (range % 7) as account_id, 'u' || range as user_id,
            1704067200000 + range as created_at, 'feature' as action,
            case when range % 3 = 0 then range end as total, {'plan': 'p' || range} as details
        from range(5000)
    """
    place.land_parquet("events/events/1.parquet", select)
    csv = place.land_parquet("events/events/2.csv", "select 1")
    jsonl = place.land_parquet("events/events/3.jsonl", "select 1")
    import duckdb

    with duckdb.connect() as connection:
        connection.execute(f"create table events as {select}")
        connection.execute(
            "copy (select * replace (to_json(details) as details) from events)"
            f" to '{csv}' (format csv, header)"
        )
        connection.execute(f"copy events to '{jsonl}' (format json)")
    assert place.load("events").rows_read == 15000
    columns = ("account_id", "user_id", "created_at", "action", "total", "details")
    rows = place.rows("events.events", *columns)
    assert rows[:5000] == rows[5000:10000] == rows[10000:]
    assert rows[3] == ("a3", "u3", "1704067200003", "feature", "3", '{"plan":"p3"}')


def test_large_and_small_files_of_one_load_may_have_different_columns(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a large file brings does not have to stand in the small ones, nor the other way."""
    monkeypatch.setattr(reading, "_LARGE_BYTES", 1000)
    aliases = [{"old_email": f"a{n}", "email": "b", "only_large": "1"} for n in range(50)]
    place.land("crm/accounts.csv", "account_id,name,join_date\na,A,2024-01-01\n")
    place.land("crm/csm_aliases/large.jsonl", "".join(json.dumps(a) + "\n" for a in aliases))
    place.land("crm/csm_aliases/small.jsonl", '{"old_email":"x","email":"y","only_small":"2"}\n')
    assert place.load().problems == []
    assert set(place.rows("crm.csm_aliases", "_location", "only_large", "only_small")) == {
        ("crm/csm_aliases/large.jsonl", "1", None),
        ("crm/csm_aliases/small.jsonl", None, "2"),
    }
