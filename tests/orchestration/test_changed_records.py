"""Records that are others than they were when the publish before was made, and no other."""

from __future__ import annotations

from datetime import date, datetime

import duckdb
import pytest

from ingestion.entities import ENTITIES
from orchestration.changed_records import OLDER_ACCOUNTS, write_changed_records
from orchestration.comparison import Side

BEFORE = date(2024, 6, 10)
OLD, NEW = ("old.csv", 1), ("new.csv", 1)
DOMAIN_OF = {entity: domain for domain, entities in ENTITIES.items() for entity in entities}
STAGED = {
    "location": "varchar",
    "line": "bigint",
    "load_number": "bigint",
    "file_version": "bigint",
    "version_at": "timestamp",
    "version_date": "date",
    "record_status": "varchar",
    "reason": "varchar",
    "is_dated_after": "boolean",
    "deleted_on": "date",
    "account_id": "varchar",
    "source_account_id": "varchar",
}
TYPED = {"is_deleted": "boolean", "total_revenue": "decimal(18, 4)"}


class Records:
    """A warehouse of one entity, and what two publishes knew of its files."""

    def __init__(self, entity):
        self.entity, self.domain = entity, DOMAIN_OF[entity]
        self.connection = duckdb.connect()
        self.connection.execute("attach ':memory:' as warehouse; create schema warehouse.staging")
        kinds = dict.fromkeys(ENTITIES[self.domain][entity].columns, "varchar") | STAGED
        kinds |= {name: kind for name, kind in TYPED.items() if name in kinds}
        columns = ", ".join(f'"{name}" {kind}' for name, kind in kinds.items())
        self.table = f"warehouse.staging.stg_native__{entity}"
        self.connection.execute(f"create table {self.table} ({columns})")
        for side in ("previous", "candidate"):
            self.connection.execute(f"attach ':memory:' as {side}")
            self.connection.execute(
                f"create table {side}.audit_loads (domain varchar, entity varchar,"
                " location varchar, content_hash varchar, file_version bigint, extract_date date)"
            )
        self.loaded("old.csv", "previous", "candidate")
        self.loaded("new.csv", "candidate")

    def loaded(self, location, *sides, hash=None, version=1, extract=None):
        for side in sides:
            self.connection.execute(
                f"insert into {side}.audit_loads values (?, ?, ?, ?, ?, ?)",
                [self.domain, self.entity, location, hash or location, version, extract],
            )

    def has(self, file, status="current", dated=None, **values):
        location, version = file
        row = {
            "location": location,
            "file_version": version,
            "line": 7,
            "load_number": 1 if location == "old.csv" else 2,
            "record_status": status,
            "is_dated_after": False,
            "version_at": dated and datetime(dated.year, dated.month, dated.day),
            "version_date": dated,
            **values,
        }
        if self.entity != "accounts" and "account_id" in row:
            row.setdefault("source_account_id", row["account_id"])
        marks = ", ".join("?" for _ in row)
        self.connection.execute(
            f"insert into {self.table} ({', '.join(row)}) values ({marks})", list(row.values())
        )

    def changed(self):
        """(account, record, change, changed columns, what is said), in order."""
        sides = [Side(name, BEFORE, {}, {}) for name in ("previous", "candidate")]
        write_changed_records(self.connection, *sides, [f"{self.domain}.{self.entity}"])
        return self.connection.execute(
            "select account_id, record, change, changed_columns, said"
            " from temp.changed order by all"
        ).fetchall()


@pytest.fixture
def subscriptions():
    return Records("subscriptions")


def subscription(amount, **more):
    return {
        "subscription_id": "s",
        "start_date": "2024-01-01",
        "account_id": "a",
        "total_revenue": amount,
        **more,
    }


def test_a_key_that_was_not_there_appeared(subscriptions):
    subscriptions.has(NEW, **subscription(10))
    assert subscriptions.changed() == [("a", "s 2024-01-01", "appeared", None, None)]


def test_a_later_version_changed_what_is_named(subscriptions):
    subscriptions.has(OLD, "superseded", date(2024, 6, 1), **subscription(10, plan_code="x"))
    subscriptions.has(NEW, "current", date(2024, 6, 9), **subscription(12, plan_code="y"))
    assert subscriptions.changed() == [
        (
            "a",
            "s 2024-01-01",
            "changed",
            ["plan_code", "total_revenue"],
            ["plan_code", "total_revenue 10.0000 → 12.0000"],
        )
    ]


def test_a_complete_extract_that_says_the_same_changes_nothing(subscriptions):
    subscriptions.has(OLD, "superseded", date(2024, 6, 1), **subscription(10))
    subscriptions.has(NEW, "current", date(2024, 6, 9), **subscription(10, updated_at="later"))
    assert subscriptions.changed() == []


def test_an_older_version_that_came_late_changes_nothing(subscriptions):
    subscriptions.has(OLD, "current", date(2024, 6, 5), **subscription(10))
    subscriptions.has(NEW, "superseded", date(2024, 6, 1), **subscription(5))
    assert subscriptions.changed() == []


def test_a_record_that_is_sent_again_changes_nothing(subscriptions):
    subscriptions.has(OLD, "duplicate", date(2024, 6, 1), **subscription(10))
    subscriptions.has(NEW, "current", date(2024, 6, 1), **subscription(10))
    assert subscriptions.changed() == []


def test_what_was_refused_or_lies_ahead_is_no_change(subscriptions):
    subscriptions.has(NEW, "rejected", reason="no amount", **subscription(None))
    subscriptions.has(NEW, is_dated_after=True, dated=date(2024, 7, 1), **subscription(20))
    assert subscriptions.changed() == []


def test_a_version_that_lay_ahead_counts_when_its_day_has_come(subscriptions):
    subscriptions.has(OLD, "superseded", date(2024, 6, 1), **subscription(10))
    subscriptions.has(OLD, "current", BEFORE, **subscription(20))
    assert [row[2:4] for row in subscriptions.changed()] == [("changed", ["total_revenue"])]


def test_a_key_that_an_extract_no_longer_lists_vanished(subscriptions):
    subscriptions.has(OLD, dated=date(2024, 6, 1), deleted_on=date(2024, 6, 9), **subscription(1))
    subscriptions.loaded("extract.csv", "candidate", extract=date(2024, 6, 9))
    assert subscriptions.changed() == [("a", "s 2024-01-01", "vanished", None, None)]


def test_a_deletion_that_was_known_is_no_change(subscriptions):
    subscriptions.has(OLD, dated=date(2024, 6, 1), deleted_on=date(2024, 6, 9), **subscription(1))
    subscriptions.loaded("extract.csv", "previous", "candidate", extract=date(2024, 6, 9))
    assert subscriptions.changed() == []


def test_a_deletion_counts_when_its_day_has_come(subscriptions):
    subscriptions.has(OLD, dated=date(2024, 6, 1), deleted_on=BEFORE, **subscription(1))
    subscriptions.loaded("extract.csv", "previous", "candidate", extract=BEFORE)
    assert [row[2] for row in subscriptions.changed()] == ["vanished"]


def test_an_account_that_says_it_is_deleted_vanished():
    accounts = Records("accounts")
    account = {"account_id": "a", "name": "A"}
    accounts.has(OLD, "superseded", date(2024, 6, 1), is_deleted=False, **account)
    accounts.has(NEW, "current", date(2024, 6, 9), is_deleted=True, **account)
    assert accounts.changed() == [("a", "a", "vanished", None, None)]


def test_claims_of_the_source_are_no_change_of_an_account():
    accounts = Records("accounts")
    accounts.has(OLD, "superseded", date(2024, 6, 1), account_id="a", current_mrr="1")
    accounts.has(NEW, "current", date(2024, 6, 9), account_id="a", current_mrr="2")
    assert accounts.changed() == []


def test_an_older_version_of_an_account_is_told_apart():
    """Health and CSMs of a day hang on the version of that day."""
    accounts = Records("accounts")
    accounts.has(OLD, "current", date(2024, 6, 5), account_id="a", tier="1")
    accounts.has(NEW, "superseded", date(2024, 6, 1), account_id="a", tier="2")
    assert [row[:3] for row in accounts.changed()] == [("a", "a", "appeared")]
    found = accounts.connection.execute("select entity from temp.changed").fetchall()
    assert found == [(OLDER_ACCOUNTS,)]


def test_an_alias_concerns_both_accounts():
    aliases = Records("account_aliases")
    aliases.has(NEW, old_account_id="gone", account_id="stays")
    assert [row[:3] for row in aliases.changed()] == [
        ("gone", "gone", "appeared"),
        ("stays", "gone", "appeared"),
    ]


def test_records_without_a_key_are_known_by_what_they_say():
    responses = Records("nps_responses")
    responses.loaded("old.csv", "candidate", hash="another", version=2)
    first = {"account_id": "a", "submitted_at": "2024-06-01", "score": "9"}
    second = {"account_id": "a", "submitted_at": "2024-06-02", "score": "3"}
    third = {"account_id": "a", "submitted_at": "2024-06-03", "score": "7"}
    responses.has(OLD, "superseded", **first)
    responses.has(OLD, "superseded", **second)
    responses.has(("old.csv", 2), load_number=2, **first)
    responses.has(("old.csv", 2), load_number=2, **third)
    assert [row[:3] for row in responses.changed()] == [
        ("a", "a record", "appeared"),
        ("a", "a record", "vanished"),
    ]


def test_rates_count_for_the_days_that_were_over():
    rates = Records("fx_rates")
    pair = {"from_currency": "EUR", "to_currency": "USD", "rate": "1.1"}
    rates.has(NEW, rate_date="2024-06-09", **pair)
    rates.has(NEW, rate_date="2024-06-10", **pair)
    assert [row[:3] for row in rates.changed()] == [(None, "2024-06-09 EUR USD", "appeared")]


def test_a_warehouse_that_was_built_anew_has_nothing_new(subscriptions):
    """Then the last version of a file is its first."""
    subscriptions.loaded("mended.csv", "previous", hash="first", version=1)
    subscriptions.loaded("mended.csv", "previous", hash="mended", version=2)
    subscriptions.loaded("mended.csv", "candidate", hash="mended", version=1)
    subscriptions.has(("mended.csv", 1), dated=date(2024, 6, 1), **subscription(10))
    assert subscriptions.changed() == []


def test_a_file_that_became_what_it_was_before_is_new(subscriptions):
    for version, content in ((1, "x"), (2, "y")):
        subscriptions.loaded("f.csv", "previous", "candidate", hash=content, version=version)
    subscriptions.loaded("f.csv", "candidate", hash="x", version=3)
    subscriptions.has(("f.csv", 2), "superseded", date(2024, 6, 1), **subscription(10))
    subscriptions.has(("f.csv", 3), "current", date(2024, 6, 2), load_number=3, **subscription(12))
    assert [row[2] for row in subscriptions.changed()] == ["changed"]


def test_events_appear_and_are_withdrawn():
    events = Records("events")
    events.loaded("old.csv", "candidate", hash="another", version=2)
    events.has(OLD, "superseded", account_id="a", user_id="u")
    events.has(("old.csv", 2), account_id="a", user_id="v")
    events.has(NEW, "duplicate", account_id="a", user_id="v")
    assert [row[:3] for row in events.changed()] == [
        ("a", "a record", "appeared"),
        ("a", "a record", "vanished"),
    ]
