"""What bad input gets: a line that is no record, and every kind of file that cannot be read."""

from __future__ import annotations

import gzip
import os
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ingestion import LoadReport
from ingestion.sources.native import opening, reading
from ingestion.sources.native.errors import UnreadableFileError
from settings import load_settings
from tests.ingestion.conftest import Place

ACCOUNTS = "account_id,name,join_date\na,A,2024-01-01\n"


def only_problem(report: LoadReport) -> str:
    assert len(report.problems) == 1, report.problems
    return str(report.problems[0])


@pytest.mark.parametrize("large", [False, True], ids=["small", "large"])
def test_lines_that_are_no_json_object_go_to_unparsed_lines(
    place: Place, monkeypatch: pytest.MonkeyPatch, large: bool
) -> None:
    monkeypatch.setattr(reading, "_LARGE_BYTES", 0 if large else 1 << 30)
    place.land("crm/accounts.csv", ACCOUNTS)
    place.land(
        "crm/csm_aliases.jsonl",
        '{"old_email":"a","email":"b"}\n{"old_email":\r\n[1,2]\nnull\n"x"\n{}\n'
        '{"old_email":"c","email":"d"} trailing\n{"old_email":"e","email":"f"}\n',
    )
    report = place.load()
    assert report.problems == []
    assert place.rows("crm.csm_aliases", "_line", "email") == [(1, "b"), (6, None), (8, "f")]
    assert place.rows("crm.unparsed_lines", "_line", "entity", "reason", "record") == [
        (2, "csm_aliases", "not valid JSON", '{"old_email":'),
        (3, "csm_aliases", "a JSON array where an object is expected", "[1,2]"),
        (4, "csm_aliases", "a JSON null where an object is expected", "null"),
        (5, "csm_aliases", "a JSON varchar where an object is expected", '"x"'),
        (7, "csm_aliases", "not valid JSON", '{"old_email":"c","email":"d"} trailing'),
    ]
    (file,) = [file for file in report.files if file.entity == "csm_aliases"]
    assert (file.rows_read, file.unparsed_rows) == (8, 5)
    assert place.rows("crm.landed_files", "rows_read", "unparsed_rows", order="location") == [
        (1, 0),
        (8, 5),
    ]


def test_csv_lines_that_do_not_fit_go_to_unparsed_lines(place: Place) -> None:
    place.land("crm/accounts.csv", ACCOUNTS)
    place.land(
        "crm/csm_aliases.csv",
        "old_email,email\n"
        "a,b\n"
        "too,many,fields\n"
        "few\n"
        '"in "the" middle",x\n'
        'open,"no end\n'
        "c,d\n"
        '"two\nlines","of\ntext"\n'
        '5" pipe,x\n'
        "e,f\n"
        'last,"open',
    )
    report = place.load()
    assert report.problems == []
    assert place.rows("crm.csm_aliases", "_line", "old_email", "email") == [
        (2, "a", "b"),
        (7, "c", "d"),
        (8, "two\nlines", "of\ntext"),
        (12, "e", "f"),
    ]
    assert place.rows("crm.unparsed_lines", "_line", "reason", "record") == [
        (3, "3 fields where the header has 2", "too,many,fields"),
        (4, "1 fields where the header has 2", "few"),
        (5, "broken quotes", '"in "the" middle",x'),
        (6, "broken quotes", 'open,"no end'),
        (11, "broken quotes", '5" pipe,x'),
        (13, "broken quotes", 'last,"open'),
    ]


DAMAGED = bytearray(gzip.compress(b"old_email,email\na,b\n" * 99))
DAMAGED[-6] ^= 0xFF

BAD_FILES = {
    "csm_aliases.txt": (b"hello", "this kind of file cannot be read"),
    "csm_aliases.xlsx": (b"PK", "this kind of file cannot be read"),
    "csm_aliases/cut.csv.gz": (gzip.compress(b"old_email,email\na,b\n" * 99)[:-9], "cut off"),
    "csm_aliases/damaged.csv.gz": (bytes(DAMAGED), "the compression is damaged"),
    "csm_aliases/empty.parquet": (b"", "not a whole Parquet file"),
    "csm_aliases/latin.csv": (
        b"old_email,email\na,b\nc,\xe9\n",
        "not UTF-8: byte 22 (line 3) is 0xe9",
    ),
    "csm_aliases/latin.jsonl": (b'{"old_email":"\xff"}', "not UTF-8: byte 14 (line 1) is 0xff"),
    "csm_aliases/missing.csv": (
        b"old_email,name\na,b\n",
        "required column email missing; found: name, old_email",
    ),
    "csm_aliases/missing.jsonl": (
        b'{"x":1}',
        "required columns old_email, email missing; found: x",
    ),
    "csm_aliases/notes.doc": (b"hello", "this kind of file cannot be read"),
    "csm_aliases/plain.jsonl.gz": (b'{"x":1}', "the compression is damaged"),
    "csm_aliases/text.parquet": (b"old_email,email\na,b\n", "not a whole Parquet file"),
    "csm_aliases/twice.csv": (
        b"old_email,E-Mail,oldEmail\na,b,c\n",
        "the headers 'old_email' and 'oldEmail' are both the column old_email",
    ),
    "csm_aliases/wide.csv": ("old_email".encode("utf-16"), "not UTF-8: byte 0 (line 1)"),
}


def test_unreadable_files_are_problems_and_load_nothing(place: Place) -> None:
    place.land("crm/accounts.csv", ACCOUNTS)
    for name, (content, _) in BAD_FILES.items():
        place.land(f"crm/{name}", content)
    for _ in range(2):  # they stay problems until they are mended
        problems = sorted(place.load().problems, key=lambda problem: problem.location)
        assert [problem.location for problem in problems] == [f"crm/{name}" for name in BAD_FILES]
        for problem, (_, reason) in zip(problems, BAD_FILES.values(), strict=True):
            assert reason in problem.reason
            assert str(problem).startswith(f"{problem.location} (crm.csm_aliases): ")
            assert str(problem).endswith(problem.advice)
    assert place.rows("crm.accounts", "account_id") == ["a"]
    assert place.rows("crm.csm_aliases") == []
    assert place.rows("crm.unparsed_lines") == []
    assert place.rows("crm.landed_files", "location", order="1") == ["crm/accounts.csv"]


def test_a_parquet_file_cut_in_the_middle_is_a_problem(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "_LARGE_BYTES", 0)
    place.land("crm/accounts.csv", ACCOUNTS)
    path = place.land_parquet(
        "crm/csm_aliases.parquet",
        "select hash(range)::varchar as old_email, 'b' as email from range(50000)",
    )
    content = bytearray(path.read_bytes())
    content[5000:6000] = bytes(1000)
    path.write_bytes(content)
    assert "not a whole Parquet file" in only_problem(place.load())
    assert place.rows("crm.csm_aliases") == []


def test_a_file_on_which_the_engine_gives_up_spoils_no_other(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a fatal error an instance of the engine refuses every query."""
    plain = reading.read_parquet
    given_up: list[object] = []

    def give_up(connection: duckdb.DuckDBPyConnection, copy: Path, *rest: Any) -> None:
        if not given_up:
            given_up.append(connection)
            try:
                raise duckdb.FatalException("FATAL Error: it cannot be")
            except duckdb.Error as error:
                raise UnreadableFileError("not a whole Parquet file", "Land it again.") from error
        assert connection is not given_up[0]
        plain(connection, copy, *rest)

    monkeypatch.setattr(reading, "read_parquet", give_up)
    place.land("crm/accounts.csv", ACCOUNTS)
    for name in ("1", "2"):
        place.land_parquet(
            f"crm/csm_aliases/{name}.parquet", "select 'a' as old_email, 'b' as email"
        )
    assert "crm/csm_aliases/1.parquet" in only_problem(place.load())
    assert place.rows("crm.csm_aliases", "_location") == ["crm/csm_aliases/2.parquet"]


def test_two_parquet_columns_that_are_one_are_a_problem(place: Place) -> None:
    place.land("crm/accounts.csv", ACCOUNTS)
    place.land_parquet(
        "crm/csm_aliases.parquet",
        "select 'a' as old_email, 'b' as email, 'c' as \"E mail\", 'd' as eMail_",
    )
    assert place.load().problems == []
    place.land_parquet(
        "crm/csm_aliases.parquet", "select 'a' as old_email, 'b' as email, 'c' as \"Old Email\""
    )
    assert "are both the column old_email" in only_problem(place.load())


def test_a_long_line_of_other_letters_is_a_line_that_is_no_json(place: Place) -> None:
    """The engine quotes the beginning of it, wherever that ends: within a letter as well."""
    place.land("crm/accounts.csv", ACCOUNTS)
    lines = ["a" * shift + "日" * 200 for shift in range(3)]
    for line in lines:
        place.land(f"crm/csm_aliases/{len(line)}.jsonl", f"{line}\n")
    assert place.load().problems == []
    unparsed = place.rows("crm.unparsed_lines", "reason", "record", order="length(record)")
    assert unparsed == [("not valid JSON", line) for line in lines]


@pytest.mark.parametrize("is_large", [False, True])
def test_a_name_with_a_zero_character_is_of_a_line_that_cannot_be_read(
    place: Place, monkeypatch: pytest.MonkeyPatch, is_large: bool
) -> None:
    monkeypatch.setattr(reading, "_LARGE_BYTES", 0 if is_large else 16 << 20)
    place.land("crm/accounts.csv", ACCOUNTS)
    odd = r'{"old_email":"c","\u0000":"d"}'
    whole = r'{"old_email":"a","email":"b\u0000"}'
    place.land("crm/csm_aliases.jsonl", f"{odd}\n{whole}\n")
    assert place.load().problems == []
    assert place.rows("crm.csm_aliases", "old_email", "email", "_line") == [("a", "b\0", 2)]
    reason = r"a name in it holds a zero character (\u0000)"
    assert place.rows("crm.unparsed_lines", "reason", "record", "_line") == [(reason, odd, 1)]


def test_an_error_late_in_a_large_file_leaves_nothing_of_it(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ingestion.sources.native import stage, text

    monkeypatch.setattr(text, "BLOCK_BYTES", 2000)
    monkeypatch.setattr(stage, "_SPILL_BYTES", 1000)
    monkeypatch.setattr(stage, "_ROW_GROUP", 10)
    place.land("crm/accounts.csv", ACCOUNTS)
    place.land("crm/csm_aliases/1.csv", b"old_email,email\n" + b"a,b\n" * 5000 + b"\xff,x\n")
    place.land("crm/csm_aliases/2.csv", b"old_email,email\n" + b"c,d\n" * 5000)
    assert "line 5,002" in only_problem(place.load())
    assert set(place.rows("crm.csm_aliases", "old_email")) == {"c"}
    assert len(place.rows("crm.csm_aliases", "old_email")) == 5000


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_a_problem(place: Place) -> None:
    place.land("crm/accounts.csv", ACCOUNTS)
    place.land("crm/csm_aliases.csv", "old_email,email\na,b\n").chmod(0)
    assert "Permission denied" in only_problem(place.load())


def test_a_refused_file_is_a_problem(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.land("crm/accounts.csv", ACCOUNTS)
    place.land("crm/csm_aliases.csv", "old_email,email\na,b\n")
    plain = os.open

    def refuse(path: object, *args: Any, **kwargs: Any) -> int:
        if str(path).endswith("csm_aliases.csv"):
            raise PermissionError(13, "Permission denied")
        return plain(path, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(opening.os, "open", refuse)
    problem = only_problem(place.load())
    assert "crm/csm_aliases.csv (crm.csm_aliases): the file cannot be read" in problem


def test_a_link_to_nowhere_is_a_problem(place: Place) -> None:
    place.land("crm/accounts.csv", ACCOUNTS)
    (place.settings.landing / "crm" / "csms.csv").symlink_to("/nowhere/at/all.csv")
    assert "No such file" in only_problem(place.load())


def test_a_pipe_is_a_problem(place: Place) -> None:
    place.land("crm/accounts.csv", ACCOUNTS)
    os.mkfifo(place.settings.landing / "crm" / "csms.csv")
    assert "not a regular file" in only_problem(place.load())


def test_accounts_must_have_landed_once(place: Place) -> None:
    place.land("crm/csm_aliases.csv", "old_email,email\na,b\n")
    problem = only_problem(place.load())
    assert problem.startswith("crm/accounts (crm.accounts): no file of accounts has ever landed")
    assert place.rows("crm.csm_aliases", "email") == ["b"]
    accounts = place.land("crm/accounts.csv", ACCOUNTS)
    assert place.load().problems == []
    accounts.unlink()
    assert place.load().problems == []
    assert place.load("billing").problems == []


def test_a_landing_folder_that_does_not_exist_is_named(place: Place) -> None:
    assert "the landing folder" in only_problem(place.load())


def test_a_full_extract_needs_a_date(place: Place, tmp_path: Path) -> None:
    place.settings = load_settings(
        environ={}, home=place.settings.home, full_extract_entities="accounts"
    )
    place.land("crm/accounts.csv", ACCOUNTS)
    problem = only_problem(place.load())
    assert "a full extract without a date" in problem
    assert "crm/accounts/2024-06-01.csv" in problem
    (place.settings.landing / "crm/accounts.csv").unlink()
    place.land("crm/accounts/extract of 2024-06-01/part 1.csv", ACCOUNTS)
    assert place.load().problems == []


def test_what_nobody_reads_is_listed(place: Place) -> None:
    place.land("crm/accounts.csv", ACCOUNTS)
    for location in (
        "crm/acounts.csv",
        "crm/wishes/1.csv",
        "crm/csms/1.csv.tmp",
        "crm/csms.jsonl.part",
        "crm/.hidden.csv",
        "crm/csms/.hidden.csv",
        "payroll/salaries.csv",
        "readme.txt",
        ".hidden",
    ):
        place.land(location, "x")
    report = place.load()
    assert report.problems == []
    assert report.ignored == [
        "crm/acounts.csv",
        "crm/csms.jsonl.part",
        "crm/csms/1.csv.tmp",
        "crm/wishes/",
        "payroll/",
        "readme.txt",
    ]
    assert place.load("billing").ignored == []


def test_unknown_domains_are_refused(place: Place) -> None:
    with pytest.raises(ValueError, match="allowed are crm, billing, events, tickets"):
        place.load("payroll")
