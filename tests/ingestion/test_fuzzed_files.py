"""Whatever becomes of a file on its way, it loads whole or is a problem in words, and every record
is counted.

`FUZZED_FILES=5000 pytest tests/ingestion/test_fuzzed_files.py` tries more files, `FUZZED_SEED=7`
others.
"""

from __future__ import annotations

import gzip
import io
import os
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ingestion import LoadReport
from ingestion.sources.native import reading
from tests.ingestion.conftest import Place
from tests.ingestion.mangled_files import ENTITIES, Draft, mangled

FILES = int(os.environ.get("FUZZED_FILES", "300"))
SEED = int(os.environ.get("FUZZED_SEED", "0"))
_AT_ONCE = 300


@pytest.mark.parametrize("seed", range(SEED, SEED + -(-FILES // _AT_ONCE)))
def test_a_mangled_file_loads_whole_or_is_a_problem_and_every_record_is_counted(
    new_place: Place, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    drafts = mangled(seed, min(FILES, _AT_ONCE))
    # every other seed takes the way of large files
    monkeypatch.setattr(reading, "_LARGE_BYTES", 0 if seed % 2 else 16 << 20)
    paths = {draft.location: new_place.land(draft.location, draft.content) for draft in drafts}
    loads = load_all(new_place)
    for (domain, entity), report in loads.items():
        mine = [draft for draft in drafts if draft.location.startswith(f"{domain}/")]
        check(new_place, f"{domain}.{entity}", report, mine)
    for draft in drafts:  # nobody but the test writes to the landing folder
        assert paths[draft.location].read_bytes() == draft.content
    again = load_all(new_place)
    for name, report in again.items():
        assert report.load_number is None, name
        assert locations(report) == locations(loads[name])


def load_all(place: Place) -> dict[tuple[str, str], LoadReport]:
    return {(domain, entity): place.load(domain) for domain, entity in ENTITIES}


def locations(report: LoadReport) -> list[str]:
    return sorted(problem.location for problem in report.problems)


def check(place: Place, table: str, report: LoadReport, drafts: list[Draft]) -> None:
    domain = table.partition(".")[0]
    files = {file.location: file for file in report.files}
    problems = Counter(problem.location for problem in report.problems)
    for draft in drafts:
        told = (draft.location in files) + problems[draft.location]
        assert told == 1, f"{draft.location} {draft.done}: told {told} times"
    for problem in report.problems:
        assert problem.reason
        assert problem.advice.endswith(".")
        assert "\n" not in str(problem)
    kept = Counter(place.rows(table, "_location"))
    unparsed = Counter(place.rows(f"{domain}.unparsed_lines", "_location"))
    assert set(kept) | set(unparsed) <= set(files)
    for draft in drafts:
        if file := files.get(draft.location):
            assert file.rows_read == kept[file.location] + unparsed[file.location], draft.done
            assert file.unparsed_rows == unparsed[file.location], draft.done
            expected = counted(draft)
            assert expected is None or file.rows_read == expected, (draft.location, draft.done)
    ledger = place.rows(
        f"{domain}.landed_files", "location", "rows_read", "unparsed_rows", order="location"
    )
    assert ledger == sorted((f.location, f.rows_read, f.unparsed_rows) for f in files.values())


def counted(draft: Draft) -> int | None:
    """How many records stand in a file, counted by other means; None where those cannot tell."""
    content = draft.content
    if draft.format.endswith(".gz"):
        content = gzip.decompress(content)
    if draft.text_format == "jsonl":
        lines = content.removeprefix(b"\xef\xbb\xbf").split(b"\n")
        return sum(1 for line in lines if line.strip(b" \t\r"))
    if draft.text_format == "parquet":
        try:
            return pq.read_table(io.BytesIO(content)).num_rows
        except (pa.ArrowException, OSError, KeyError):
            return None
    # of CSV whole lines without quotes are counted, whether they fit the header or not
    lines = content.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    records = [line for line in lines if line.removesuffix(b"\r")]
    return max(len(records) - 1, 0) if b'"' not in content and b" \n" not in content else None


def test_the_same_seed_gives_the_same_files() -> None:
    first, second = mangled(3, 40), mangled(3, 40)
    assert [draft.content for draft in first] == [draft.content for draft in second]
    assert len({draft.content for draft in mangled(4, 40)} & {d.content for d in first}) < 10


HOSTILE: dict[str, bytes] = {
    "quotes": b'"' * 3_000_000,
    "open quote": b'account_id,name,join_date\n"' + b"a\n" * 300_000,
    "line breaks": b"\n" * 2_000_000,
    "blanks": b" " * 5_000_000,
    "commas": b"," * 1_000_000,
    "one long name": b"a" * 5_000_000,
    "nothing but zeros": bytes(5_000_000),
    "open brackets": b"[" * 5_000_000,
    "digits": b'{"account_id":' + b"9" * 3_000_000 + b"}",
    "backslashes": b'{"account_id":"' + b"\\" * 3_000_000 + b'"}',
    "long numbers in a text": b'{"account_id":"' + b"12345678901234567890 " * 100_000 + b'"}',
    "nested": b'{"account_id":' + b"[" * 500_000 + b"]" * 500_000 + b"}",
    "many keys": b"{" + b",".join(b'"k%d":1' % n for n in range(50_000)) + b"}",
    "many headers": b",".join(b"k%d" % n for n in range(50_000)) + b"\n",
}


@pytest.mark.parametrize("format_", ["csv", "jsonl", "parquet", "csv.gz"])
def test_hostile_files_cost_seconds_and_nothing_else(place: Place, format_: str) -> None:
    place.land("crm/accounts.csv", "account_id,name,join_date\na,A,2024-01-01\n")
    for name, content in HOSTILE.items():
        packed = gzip.compress(content, 1) if format_ == "csv.gz" else content
        place.land(f"crm/csms/{name}.{format_}", packed)
    report = place.load()
    told = {f.location for f in report.files} | {p.location for p in report.problems}
    assert len(told) == len(HOSTILE) + 1
    assert place.rows("crm.accounts", "account_id") == ["a"]
    assert len(place.rows("crm.csms")) + len(place.rows("crm.unparsed_lines")) == sum(
        file.rows_read for file in report.files if file.entity == "csms"
    )


def test_more_columns_than_a_table_may_have_are_a_problem(place: Place) -> None:
    """As where ids are taken for names: the rest of the entity loads."""

    def wide(first: int, columns: int) -> str:
        names = ",".join(f"k{number}" for number in range(first, first + columns))
        return f"old_email,email,{names}\na,b{',1' * columns}\n"

    place.land("crm/accounts.csv", "account_id,name,join_date\na,A,2024-01-01\n")
    place.land("crm/csm_aliases/1.csv", wide(0, 600))
    place.land("crm/csm_aliases/2.csv", wide(600, 401))
    place.land("crm/csm_aliases/3.csv", wide(200, 400))
    (problem,) = place.load().problems
    assert str(problem) == (
        "crm/csm_aliases/2.csv (crm.csm_aliases): it has 401 columns that were not agreed, with"
        " which csm_aliases would have 1,001; at most 1,000 are kept. Land what varies as values,"
        " such as a list of {key, value}, not as names of columns."
    )
    assert place.rows("crm.csm_aliases", "_location") == [
        "crm/csm_aliases/1.csv",
        "crm/csm_aliases/3.csv",
    ]
    place.land("crm/csm_aliases/2.csv", wide(600, 400))
    assert place.load().problems == []


def test_a_header_that_is_no_header_is_a_problem(place: Place) -> None:
    place.land("crm/accounts.csv", "account_id,name,join_date\na,A,2024-01-01\n")
    place.land("crm/csm_aliases.csv", "x" * 200_000 + "\n1\n")
    (problem,) = place.load().problems
    assert problem.reason.startswith("the header cannot be read (field larger than")


def test_a_file_of_every_damage_is_among_those_that_are_tried() -> None:
    done = {name for draft in mangled(0, 300) for name in draft.done}
    from tests.ingestion import mangled_files

    assert done >= {damage.__name__ for damage in mangled_files.EARLY + mangled_files.LATE}
    assert "bomb" in done


def test_nothing_outside_the_home_and_the_domain_is_touched(
    new_place: Place, tmp_path: Path
) -> None:
    for draft in mangled(1, 60):
        new_place.land(draft.location, draft.content)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    new_place.load("events")
    after = {path for path in tmp_path.rglob("*") if path.is_file()}
    home = new_place.settings.home
    assert all(path.read_bytes() == content for path, content in before.items())
    assert after - set(before) == {home / "warehouse.duckdb", home / "dlt" / "events_files.json"}
    schemas = new_place.rows(
        "events.landed_files",
        "(select list(distinct schema_name) from duckdb_tables() where schema_name like 'raw%')",
        order="1",
    )
    assert schemas[0] == ["raw_events"]
