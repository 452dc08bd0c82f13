"""An erasure of raw records, of a publish and of other files, without a night."""

from __future__ import annotations

import json
import shutil
import sqlite3
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from ingestion import DOMAINS, load_domain
from orchestration import night
from orchestration.cli import main
from orchestration.erasure import Subject, erasing, make_plan
from orchestration.publishes import rollback, verify
from orchestration.publishing import Publish, build_candidate, publish_candidate
from orchestration.rollbacks import read_rollbacks
from orchestration.run_lock import NightError
from settings import Settings, load_settings
from tests.orchestration.elsewhere import held_elsewhere
from tests.orchestration.small_warehouse import TABLES

PUBLISH = "2024-06-10_20240610T030000Z_abcdef12"
LANDED = {
    "crm/accounts.jsonl": [
        {"account_id": "a", "name": "Alpha", "join_date": "2024-01-01"},
        {"account_id": "b", "name": "Beta", "join_date": "2024-01-01", "parent_account_id": "a"},
        {"account_id": "old", "name": "Old", "join_date": "2024-01-01"},
    ],
    "crm/account_aliases.jsonl": [{"old_account_id": "old", "account_id": "a"}],
    "crm/csms.jsonl": [{"email": "csm@x.example", "name": "Cay"}],
    "crm/users.jsonl": [
        {"account_id": "a", "user_id": "u1", "email": "Jo@x.example", "contact_id": "c1"},
        {"account_id": "old", "user_id": "u1", "first_name": "Jo", "last_name": "Lindqvist"},
        {"account_id": "b", "user_id": "u1", "email": "jo@x.example"},
        {"account_id": "b", "user_id": "u2", "email": "csm@x.example"},
    ],
    "crm/contacts.jsonl": [
        {"account_id": "a", "contact_id": "c1", "email": "jo@x.example"},
        {"account_id": "b", "contact_id": "c1", "email": "bo@x.example"},
    ],
    "crm/notes.jsonl": [
        {"note_id": "1", "account_id": "old", "body": "Jo Lindqvist of u1", "created_at": "x"},
        {"note_id": "2", "account_id": "b", "body": "csm@x.example, jo@x.example", "author": "Cay"},
    ],
    "crm/interactions.jsonl": [
        {"interaction_id": "1", "account_id": "a", "occurred_at": "2024-05-01", "type": "phone"}
        | {"contact": "c1", "subject": "private"},
    ],
    "events/events.jsonl": [
        {"account_id": account, "user_id": "u1", "created_at": "2024-05-01T00:00:00Z"}
        | {"action": "feature", "details": {"by": "jo@x.example"}}
        for account in ("a", "old", "b")
    ],
    "billing/invoices.jsonl": [
        {"invoice_id": "i", "account_id": "old", "created_at": "2024-05-01T00:00:00Z"}
    ],
    "billing/invoice_lines.jsonl": [{"invoice_id": "i", "line_number": "1", "amount": "5"}],
    "tickets/tickets.jsonl": [
        {"ticket_id": "t", "account_id": "a", "status": "open", "created_at": "2024-05-01"}
        | {"requester_email": "jo@x.example", "subject": "private"}
    ],
}


def load_all(settings: Settings) -> None:
    for domain in DOMAINS:
        report = load_domain(domain, settings, datetime(2024, 6, 10, tzinfo=UTC))
        assert not report.problems


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with raw records, a publish made by hand, and logs."""
    home = tmp_path_factory.mktemp("loaded") / "home"
    settings = load_settings(environ={}, home=home)
    for location, records in LANDED.items():
        path = settings.landing / location
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(record) + "\n" for record in records))
    load_all(settings)
    folder = home / "published" / PUBLISH
    (folder / "parquet").mkdir(parents=True)
    with duckdb.connect(str(folder / "account360.duckdb")) as connection:
        connection.execute(
            """
            create table account_users as select * from (values
                ('a', 'u1', 'Jo', 'jo@x.example', 'c1'), ('b', 'u2', 'Cay', 'csm@x.example', null)
            ) as rows (account_id, user_id, first_name, email, contact_id);
            create table account_hierarchy as select * from (values
                ('a', 'b', 'a → b'), ('b', 'b', 'b'), ('z', 'b', 'z → a → b'), ('z', 'c', 'z → c')
            ) as rows (account_id, descendant_account_id, path);
            create table audit_rejects as select * from (values
                ('{"account_id":"a","score":"11"}', 'score'), ('{"account_id":"b"}', 'score'),
                ('broken jo@x.example', 'not JSON')
            ) as rows (record, reason);
            create table portfolio_monthly as select date '2024-05-01' as month, 7 as accounts;
            create table audit_publishes as
                select '2024-06-10_20240610T030000Z_abcdef12' as publish_id,
                date '2024-06-10' as as_of_date, 'r' as run_id, 'v' as code_version,
                timestamp '2024-06-10 03:00:00' as published_at, 5::bigint as tables,
                9::bigint as rows, 1::bigint as checks_passed;
            create view people as select user_id, email from account_users;
            comment on table account_users is 'One row per user.';
            comment on column account_users.email is 'Address.';
            """
        )
        for table in ("account_users", "account_hierarchy", "audit_rejects", "portfolio_monthly"):
            connection.execute(f"copy {table} to '{folder}/parquet/{table}.parquet'")
    (home / "published" / "current").symlink_to(PUBLISH)
    (home / "logs").mkdir()
    (home / "logs" / "old.log").write_text("Jo Lindqvist <JO@x.example> failed, csm@x.example\n")
    return home


@pytest.fixture
def home(loaded: Path, tmp_path: Path) -> Path:
    shutil.copytree(loaded, tmp_path / "home", symlinks=True)
    return tmp_path / "home"


def run(home: Path, *arguments: str) -> int:
    return main(["erase", "--home", str(home), *arguments])


def rows(path: Path, query: str) -> list[tuple]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return connection.execute(query).fetchall()


def raw(home: Path) -> dict[str, list[tuple]]:
    """Every record of raw; when and in which load it came is left out."""
    found = {}
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as connection:
        for schema, table in connection.execute(
            "select schema_name, table_name from duckdb_tables() where schema_name like 'raw_%'"
        ).fetchall():
            if not table.startswith("_dlt"):
                left_out = "(load_id, loaded_at)" if table == "landed_files" else "(_load_number)"
                found[f"{schema}.{table}"] = connection.execute(
                    f"select * exclude {left_out} from {schema}.{table} order by all"
                ).fetchall()
    return found


def pseudonym(home: Path, *subject: str) -> str:
    return make_plan(load_settings(environ={}, home=home), Subject(*subject)).replacement


@pytest.mark.parametrize(
    "subject", [("--account", "a"), ("--user", "a", "u1"), ("--contact", "a", "c1")]
)
def test_raw_is_the_same_as_if_all_had_landed_after_the_erasure(
    home: Path, tmp_path: Path, subject: tuple[str, ...]
) -> None:
    assert run(home, *subject, "--yes") == 0
    anew = tmp_path / "anew"
    anew.mkdir()
    for part in ("landing", "erasure"):
        shutil.copytree(home / part, anew / part)
    load_all(load_settings(environ={}, home=anew))
    landed_again, rewritten = raw(load_settings(environ={}, home=anew).home), raw(home)
    assert landed_again.keys() == rewritten.keys()
    for name, found in landed_again.items():
        assert [_zero(name, row) for row in found] == [_zero(name, row) for row in rewritten[name]]


def _zero(table: str, row: tuple) -> tuple:
    """A file of which nothing was left out has no number of that where it landed before."""
    return tuple(0 if value is None else value for value in row) if "landed" in table else row


def test_an_account_goes_with_all_that_hangs_on_it(home: Path, capsys) -> None:
    assert run(home, "--account", "a", "--yes") == 0
    assert "found in no file" in capsys.readouterr().out
    left = {
        name: len(found)
        for name, found in raw(home).items()
        if found and "landed_files" not in name
    }
    assert left == {
        "raw_crm.accounts": 1,
        "raw_crm.csms": 1,
        "raw_crm.users": 2,
        "raw_crm.contacts": 1,
        "raw_crm.notes": 1,
        "raw_events.events": 1,
    }
    warehouse = home / "warehouse.duckdb"
    assert rows(warehouse, "select account_id, parent_account_id from raw_crm.accounts") == [
        ("b", None)
    ]
    assert rows(
        warehouse, "select entity, erased_rows from raw_billing.landed_files order by all"
    ) == [("invoice_lines", 1), ("invoices", 1)]
    assert rows(warehouse, "select erasure, kind, account_id from run.erasures") == [
        (1, "account", None)
    ]


def test_a_person_becomes_one_pseudonym_under_every_id_of_the_account(home: Path) -> None:
    new = pseudonym(home, "a", "u1")
    assert run(home, "--user", "a", "u1", "--yes") == 0
    warehouse = home / "warehouse.duckdb"
    query = "select account_id, user_id, email, last_name from raw_crm.users order by all"
    assert rows(warehouse, query) == [
        ("a", new, None, None),
        ("b", "u1", new, None),
        ("b", "u2", "csm@x.example", None),
        ("old", new, None, None),
    ]
    assert rows(warehouse, "select account_id, contact_id from raw_crm.contacts") == [("b", "c1")]
    assert rows(warehouse, "select account_id, user_id, details from raw_events.events") == [
        (account, user, f'{{"by":"{new}"}}')
        for account, user in (("a", new), ("old", new), ("b", "u1"))
    ]
    assert rows(warehouse, "select body from raw_crm.notes order by note_id") == [
        (f"{new} of u1",),
        (f"csm@x.example, {new}",),
    ]
    assert rows(warehouse, "select contact, subject from raw_crm.interactions") == [(new, None)]
    assert rows(warehouse, "select requester_email, subject from raw_tickets.tickets") == [
        (new, None)
    ]


def test_a_publish_is_written_anew_with_views_comments_and_parquet(home: Path) -> None:
    folder = home / "published" / PUBLISH
    inode = (folder / "parquet" / "portfolio_monthly.parquet").stat().st_ino
    new = pseudonym(home, "a", "u1")
    assert run(home, "--user", "a", "u1", "--yes") == 0
    database = folder / "account360.duckdb"
    people = [("a", new, None, None, None), ("b", "u2", "Cay", "csm@x.example", None)]
    assert rows(database, "from account_users") == people
    assert rows(database, "from people") == [(new, None), ("u2", "csm@x.example")]
    parquet = folder / "parquet" / "account_users.parquet"
    assert duckdb.sql(f"from read_parquet('{parquet}')").fetchall() == people
    assert rows(
        database,
        "select comment from duckdb_tables() where comment is not null union all "
        "select comment from duckdb_columns() where comment is not null order by all",
    ) == [("Address.",), ("One row per user.",)]
    assert rows(database, "select record from audit_rejects") == [
        ('{"account_id":"a","score":"11"}',),
        ('{"account_id":"b"}',),
        (None,),
    ]
    # what held nothing of the person is the file that it was
    assert (folder / "parquet" / "portfolio_monthly.parquet").stat().st_ino == inode
    assert not list(home.glob("published/.erasing*"))


def test_an_account_is_taken_out_of_a_publish(home: Path) -> None:
    assert run(home, "--account", "a", "--yes") == 0
    database = home / "published" / "current" / "account360.duckdb"
    assert rows(database, "select account_id from account_users") == [("b",)]
    assert rows(database, "select path from account_hierarchy") == [("b",), ("z → c",)]
    assert rows(database, "select record from audit_rejects") == [
        ('{"account_id":"b"}',),
        # the address is one of the other account as well
        ("broken jo@x.example",),
    ]
    assert rows(database, "select accounts from portfolio_monthly") == [(7,)]


def test_logs_are_cleansed(home: Path) -> None:
    new = pseudonym(home, "a", "u1")
    assert run(home, "--user", "a", "u1", "--yes") == 0
    said = (home / "logs" / "old.log").read_text()
    assert said == f"{new} <{new}> failed, csm@x.example\n"


def test_the_history_of_dagster_is_cleansed_with_its_log_and_freed_pages(home: Path) -> None:
    """Rows that were deleted stand in freed pages, the newest ones in a log beside the file."""
    path = home / "dagster" / "runs.db"
    path.parent.mkdir()
    history = sqlite3.connect(path)
    history.execute("pragma journal_mode = wal")
    history.execute("create table events (id integer, body text)")
    history.execute("insert into events values (1, 'was jo@x.example'), (2, 'is Jo@x.example')")
    history.commit()
    history.execute("delete from events where id = 1")
    history.commit()
    # as a process leaves it that was killed
    for name in ("runs.db", "runs.db-wal"):
        shutil.copyfile(path.with_name(name), path.with_name(f"kept.{name}"))
    history.close()
    for name in ("runs.db", "runs.db-wal"):
        path.with_name(f"kept.{name}").rename(path.with_name(name))
    new = pseudonym(home, "a", "u1")
    assert run(home, "--user", "a", "u1", "--yes") == 0
    assert [file.name for file in path.parent.iterdir()] == ["runs.db"]
    assert b"jo@x.example" not in path.read_bytes().lower()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("select body from events").fetchall() == [(f"is {new}",)]


def test_a_csm_who_is_a_user_keeps_the_address_that_is_the_csms(home: Path, capsys) -> None:
    assert run(home, "--user", "b", "u2", "--yes") == 0
    assert "csm@x.example is a CSM's address, and stays" in capsys.readouterr().out
    warehouse = home / "warehouse.duckdb"
    assert rows(warehouse, "select email from raw_crm.csms") == [("csm@x.example",)]
    query = "select email from raw_crm.users where account_id = 'b' order by user_id"
    assert rows(warehouse, query) == [(None,), ("jo@x.example",)]


def test_the_same_address_elsewhere_is_named(home: Path, capsys) -> None:
    assert run(home, "--user", "a", "u1", "--dry-run") == 0
    assert "erase --user b u1" in capsys.readouterr().out


@pytest.mark.parametrize("step", ["rewrite_warehouse", "rewrite_publish", "cleanse", "still_found"])
def test_an_erasure_that_was_cut_short_is_brought_to_its_end(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys, step: str
) -> None:
    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(erasing, step, die)
        assert run(home, "--user", "a", "u1", "--yes") == 130
    settings = load_settings(environ={}, home=home)
    with pytest.raises(NightError, match="--resume"):
        night.run_night(settings, datetime(2024, 6, 10, tzinfo=UTC).date())
    assert run(home, "--resume") == 0
    assert "found in no file" in capsys.readouterr().out
    assert not (home / "erasure" / "pending.json").exists()
    database = home / "published" / PUBLISH / "account360.duckdb"
    assert rows(database, "select count(*) from account_users where first_name = 'Jo'") == [(0,)]
    assert "Lindqvist" not in (home / "logs" / "old.log").read_text()
    assert run(home, "--resume") == 2


def test_another_erasure_finishes_what_was_cut_short(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(erasing, "rewrite_publish", die)
        assert run(home, "--user", "a", "u1", "--yes") == 130
    assert run(home, "--user", "b", "u2", "--yes") == 0
    assert "Lindqvist" not in (home / "logs" / "old.log").read_text()
    assert not (home / "erasure" / "pending.json").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--account", "A"), "no record is of account 'A'"),
        (("--user", "a", "u2"), "no record is of user 'u2' of account a"),
        (("--contact", "b", "c2"), "no record is of contact 'c2' of account b"),
        (("--account", "old"), "was merged into a"),
        (("--account", "a", "--user", "a", "u1"), "--account A, or --user A U"),
        (("--user", "a", "u1", "--contact", "b", "c1"), "both of one account"),
        ((), "name whom to erase"),
        (("--resume", "--account", "a"), "name nobody else"),
        (("--resume",), "nothing to resume"),
        (("--account", "a"), "--yes"),
    ],
)
def test_what_cannot_be_erased_is_said_and_nothing_is_touched(
    home: Path, capsys, arguments: tuple[str, ...], message: str
) -> None:
    before = (home / "warehouse.duckdb").read_bytes()
    assert run(home, *arguments) == 2
    assert message in capsys.readouterr().err
    assert (home / "warehouse.duckdb").read_bytes() == before


def test_what_is_typed_has_to_be_the_id(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    answers = iter(["yes", "u1"])
    monkeypatch.setattr("builtins.input", lambda _: next(answers))
    assert run(home, "--user", "a", "u1") == 2
    assert "nothing was erased" in capsys.readouterr().err
    assert run(home, "--user", "a", "u1") == 0


def test_no_erasure_while_a_night_is_under_way(home: Path, capsys) -> None:
    with held_elsewhere(home) as holder:
        assert run(home, "--account", "a", "--yes") == 1
    assert f"process {holder.pid} (account360 run as of" in capsys.readouterr().err


def test_erasing_again_changes_nothing_more(home: Path) -> None:
    assert run(home, "--account", "a", "--yes") == 0
    before = raw(home)
    assert run(home, "--account", "a", "--yes") == 0
    assert raw(home) == before


@pytest.mark.parametrize("second_file", [False, True])
def test_what_is_kept_of_a_publish_is_renewed_where_it_is_written_anew(
    home: Path, second_file: bool
) -> None:
    """Hashes, sums and counts of rows; a rollback's reason is searched like any other text."""
    settings = load_settings(environ={}, home=home, publish_without_personal_data=second_file)
    with duckdb.connect(str(settings.warehouse_path)) as connection:
        connection.execute(
            """
            create schema published;
            create table published.account_360 as select * from (values ('a'), ('b'))
                as rows (account_id), (values (date '2024-06-10')) as dates (as_of_date);
            create table published.account_months as
                select account_id, date '2024-05-01' as month, as_of_date
                from published.account_360;
            """
        )
    folders = []
    for number in (1, 2):
        build_candidate(settings, TABLES)
        at = datetime(2024, 6, 10, 3, number, tzinfo=UTC)
        publish = Publish(at.date(), f"run{number:05}", "1.0", at, ())
        folders.append(publish_candidate(settings, publish, False).folder)
    rollback(settings, "previous", "asked for by jo@x.example")
    before = [row_of(folder) for folder in folders]

    assert run(home, "--account", "a", "--yes") == 0
    after = [row_of(folder) for folder in folders]
    for folder, old, new in zip(folders, before, after, strict=True):
        assert new["rows"] == old["rows"] - 2
        assert new["content_hash"] != old["content_hash"]
        assert verify(settings, folder).differences == []
        [history] = rows(
            settings.warehouse_path,
            f"select rows, table_hashes from run.publishes where publish_id = '{folder.name}'",
        )
        assert history == (new["rows"], new["table_hashes"])
        if second_file:
            other = folder / "account360_without_personal_data.duckdb"
            told = "select rows, content_hash from audit_publishes where publish_id = "
            assert rows(other, f"{told}'{folder.name}'") == [(new["rows"], new["content_hash"])]
    assert after[0]["content_hash"] == after[1]["content_hash"]
    assert run(home, "--user", "b", "u1", "--yes") == 0
    assert "jo@x" not in (home / "published" / "rollbacks.jsonl").read_text()
    assert len(read_rollbacks(settings)) == 1


def row_of(folder: Path) -> dict[str, object]:
    with duckdb.connect(str(folder / "account360.duckdb"), read_only=True) as connection:
        cursor = connection.execute(
            f"select * from audit_publishes where publish_id = '{folder.name}'"
        )
        names = [column[0] for column in cursor.description]
        return dict(zip(names, cursor.fetchone(), strict=True))
