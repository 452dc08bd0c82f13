"""Personal data as it is published: plain, hashed, and not at all in the second file."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pytest

from orchestration.assignment import AssignmentError, open_book
from orchestration.cli import main
from orchestration.manifest import PublishedTable
from orchestration.publishing import (
    DATABASE,
    WITHOUT_PERSONAL_DATA,
    Lead,
    Publish,
    build_candidate,
    publish_candidate,
)
from settings import Settings

TABLES = [
    PublishedTable(
        "people",
        ("account_id", "email"),
        "One row per person.",
        {"email": "Address."},
        frozenset({"email", "name"}),
    ),
    PublishedTable("teams", ("account_id",), "One row per account.", {}, frozenset({"emails"})),
]
PEOPLE = [
    ("a", "(unassigned)", None, 1),
    ("a", "Ann@x.example", "Ann", 2),
    ("b", "ann@x.example ", "ann", 3),
    ("b", "bob@x.example", None, 4),
]
TEAMS = [("a", ["ann@x.example", "bob@x.example"]), ("b", []), ("c", None)]


@pytest.fixture
def published(settings: Settings) -> Settings:
    """A warehouse with people in it."""
    settings.home.mkdir()
    settings = replace(settings, publish_without_personal_data=True)
    with duckdb.connect(str(settings.warehouse_path)) as connection:
        connection.execute("create schema published")
        connection.execute(
            "create table published.people"
            " (account_id varchar, email varchar, name varchar, seconds bigint)"
        )
        connection.executemany("insert into published.people values (?, ?, ?, ?)", PEOPLE[::-1])
        connection.execute("create table published.teams (account_id varchar, emails varchar[])")
        connection.executemany("insert into published.teams values (?, ?)", TEAMS)
    return settings


def publish(settings: Settings) -> Path:
    build_candidate(settings, TABLES)
    when = datetime(2024, 6, 10, tzinfo=UTC)
    one = Publish(date(2024, 6, 10), "run00001", "1.0", when, ())
    return publish_candidate(settings, one, Lead.BY_DATE).folder


def rows(path: Path, query: str) -> list[tuple]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(query).fetchall()


def test_plain_is_as_it_came(published: Settings) -> None:
    folder = publish(published)
    assert rows(folder / DATABASE, "from people") == PEOPLE
    assert rows(folder / DATABASE, "from teams") == TEAMS


def test_hashed_tells_nobody_and_still_joins(published: Settings) -> None:
    folder = publish(replace(published, publish_personal_data="hashed"))
    people = rows(folder / DATABASE, "select * from people order by seconds")
    nobody, ann, ann_again, bob = people
    assert nobody == PEOPLE[0]
    assert ann[1].startswith("hashed-")
    assert (ann[1], ann[3]) == (ann_again[1], 2)
    assert bob[1] not in (ann[1], None)
    assert bob[2] is None
    # names are compared to the letter, addresses are not
    assert ann[2] != ann_again[2]
    assert rows(folder / DATABASE, "from teams") == [
        ("a", [ann[1], bob[1]]),
        ("b", []),
        ("c", None),
    ]
    # in key order of what is shown, which tells nothing of what was there
    shown = rows(folder / DATABASE, "select account_id, email from people")
    assert shown == sorted(shown)
    parquet = duckdb.sql(f"from read_parquet('{folder}/parquet/people.parquet')").fetchall()
    assert sorted(parquet, key=lambda row: row[3]) == people
    for path in folder.rglob("*"):
        assert path.is_dir() or b"x.example" not in path.read_bytes()


@pytest.mark.parametrize("how", ["plain", "hashed"])
def test_the_second_file_has_the_same_rows_and_nobody_in_them(
    published: Settings, how: str
) -> None:
    folder = publish(replace(published, publish_personal_data=how))
    second = folder / WITHOUT_PERSONAL_DATA
    assert b"x.example" not in second.read_bytes()
    people = rows(second, "select * from people order by seconds")
    assert [(row[0], row[2], row[3]) for row in people] == [
        (row[0], None, row[3]) for row in PEOPLE
    ]
    assert people[1][1] == people[2][1] != people[3][1]
    assert rows(second, "from teams") == [("a", None), ("b", None), ("c", None)]
    assert [row[1] for row in rows(second, "describe teams")] == ["VARCHAR", "VARCHAR[]"]
    assert rows(second, "from audit_publishes") == rows(folder / DATABASE, "from audit_publishes")
    comments = "select comment from duckdb_columns() where column_name = 'email'"
    assert rows(second, comments) == [("Address.",)]


def test_the_second_file_can_be_left_out(published: Settings) -> None:
    folder = publish(replace(published, publish_without_personal_data=False))
    assert not (folder / WITHOUT_PERSONAL_DATA).exists()


def test_csms_are_not_assigned_by_hashes(published: Settings) -> None:
    hashed = replace(published, publish_personal_data="hashed")
    publish(hashed)
    with pytest.raises(AssignmentError, match="as hashes"), open_book(hashed):
        pass


def test_a_person_is_erased_from_hashed_publishes_too(settings: Settings) -> None:
    settings.home.mkdir()
    settings = replace(settings, publish_without_personal_data=True)
    with duckdb.connect(str(settings.warehouse_path)) as connection:
        connection.execute(
            """
            create schema published;
            create table published.account_users as select * from (values
                ('a', 'u1', 'jo@x.example'), ('a', 'u2', 'li@x.example')
            ) as rows (account_id, user_id, email);
            create schema raw_crm;
            create table raw_crm.landed_files (entity varchar, location varchar,
                load_number bigint, erased_rows bigint);
            create table raw_crm.users as select *, 'Jo' as first_name, 'Li' as last_name,
                null::varchar as contact_id, 'x' as _location, 1 as _line, 1 as _load_number
            from published.account_users;
            """
        )
    tables = [
        PublishedTable(
            "account_users", ("account_id", "user_id"), "", {}, frozenset({"user_id", "email"})
        )
    ]
    hashed = replace(settings, publish_personal_data="hashed")
    build_candidate(hashed, tables)
    when = datetime(2024, 6, 10, tzinfo=UTC)
    one = Publish(date(2024, 6, 10), "run00001", "1.0", when, ())
    folder = publish_candidate(hashed, one, Lead.BY_DATE).folder
    before = rows(folder / DATABASE, "select * from account_users order by email")
    assert main(["erase", "--home", str(settings.home), "--user", "a", "u1", "--yes"]) == 0
    for name in (DATABASE, WITHOUT_PERSONAL_DATA):
        users = rows(folder / name, "select user_id, email from account_users order by user_id")
        assert [user[0].partition("-")[0] for user in users] == ["erased", "hashed"]
        assert users[0][1] is None
    kept = rows(folder / DATABASE, "select * from account_users where user_id not like 'erased%'")
    assert set(kept) < set(before)
