"""`account360 diff`: which publishes it finds, and what it says of schema, rows and figures."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import duckdb
import pytest

from orchestration.comparison import open_side, row_changes, schema_changes
from orchestration.difference import UnknownPublishError, compare, find_publish, render
from orchestration.publishing import Lead, Publish, build_candidate, publish_candidate
from tests.orchestration.small_warehouse import TABLES, fill

START = datetime(2024, 6, 10, 3, 0, 0, tzinfo=UTC)


def make(settings, number, as_of=date(2024, 6, 10), accounts=3):
    fill(settings, accounts=accounts)
    build_candidate(settings, TABLES)
    publish = Publish(as_of, f"run{number:05}", "1.0", START + timedelta(minutes=number), ())
    return publish_candidate(settings, publish, Lead.BY_DATE).folder


# --- which publish


def test_publishes_are_found_by_what_leads_to_them(warehouse):
    first, second = make(warehouse, 1), make(warehouse, 2)
    beside = make(warehouse, 3, as_of=date(2024, 5, 1))
    assert find_publish(warehouse, "current") == second
    assert find_publish(warehouse, "previous") == first
    assert find_publish(warehouse, first.name) == first
    assert find_publish(warehouse, "2024-06-10_20240610T0302") == second
    assert find_publish(warehouse, "as_of=2024-05-01") == beside


def test_an_unknown_publish_names_the_nearest_and_those_that_are_kept(warehouse):
    first, second = make(warehouse, 1), make(warehouse, 2)
    with pytest.raises(UnknownPublishError) as error:
        find_publish(warehouse, first.name[:-1] + "x")
    assert f"did you mean {first.name}?" in str(error.value)
    assert str(error.value).endswith(f"kept are, newest first:\n  {second.name}\n  {first.name}")


def test_the_beginning_of_several_publishes_is_none(warehouse):
    make(warehouse, 1)
    make(warehouse, 2)
    with pytest.raises(UnknownPublishError, match="'2024' is the beginning of 2 publishes"):
        find_publish(warehouse, "2024")


def test_a_first_publish_has_no_previous_one(warehouse):
    make(warehouse, 1)
    with pytest.raises(UnknownPublishError, match="no publish 'previous' is kept"):
        find_publish(warehouse, "previous")


def test_nothing_is_published_yet(warehouse):
    with pytest.raises(UnknownPublishError, match="nothing is published"):
        find_publish(warehouse, "current")


# --- what differs


def differ(before, after, keys):
    """Schema and rows of two databases of some statements each."""
    with duckdb.connect() as connection:
        for name, sql in (("before_file", before), ("after_file", after)):
            connection.execute(f"attach ':memory:' as {name}; use {name}; {sql}")
            connection.execute("create table account_360 as select date '2024-06-10' as as_of_date")
        sides = [open_side(connection, name, keys) for name in ("before_file", "after_file")]
        rows = {one.table: one for one in row_changes(connection, *sides)}
        return schema_changes(*sides), rows


def test_tables_and_columns_come_go_and_change_their_type():
    schema, _ = differ(
        "create table t (a int, b int, c int); create table gone (a int);"
        " create view no_table as select 1 as a",
        "create table t (a int, b double, d int); create table new (a int)",
        {},
    )
    assert [(one.table, one.column, one.before, one.after) for one in schema] == [
        ("gone", None, "table", None),
        ("new", None, None, "table"),
        ("t", "b", "INTEGER", "DOUBLE"),
        ("t", "c", "INTEGER", None),
        ("t", "d", None, "INTEGER"),
    ]


TABLE = "create table t (k text, v double, tags text[], as_of_date date);"


def test_rows_are_added_removed_and_changed_by_their_key():
    _, rows = differ(
        TABLE + "insert into t values ('same', 1, ['x'], '2024-06-01'), ('other', 1, [], null),"
        " ('null', null, [], '2024-06-01'), ('gone', 1, [], '2024-06-01')",
        TABLE + "insert into t values ('same', 1, ['x'], '2024-06-02'), ('other', 2, [], null),"
        " ('null', 0, [], '2024-06-01'), ('new', 1, [], '2024-06-01'), ('newer', 1, [], null)",
        {"t": ("k",)},
    )
    t = rows["t"]
    assert (t.before, t.after, t.added, t.removed, t.changed) == (4, 5, 2, 1, 2)
    assert rows["account_360"].is_same


def test_without_a_key_a_changed_row_is_one_removed_and_one_added():
    _, rows = differ(
        TABLE + "insert into t values ('same', 1, [], null), ('other', 1, [], null)",
        TABLE + "insert into t values ('same', 1, [], null), ('other', 2, [], null)",
        {},
    )
    assert (rows["t"].added, rows["t"].removed, rows["t"].changed) == (1, 1, 0)


def test_a_column_of_another_type_differs_where_its_values_do():
    _, rows = differ(
        "create table t as select 'a' as k, 1::int as v, null::date as as_of_date"
        " union all select 'b', 2, null",
        "create table t as select 'a' as k, '1' as v, null::date as as_of_date"
        " union all select 'b', 'two', null",
        {"t": ("k",)},
    )
    assert rows["t"].changed == 1


def test_two_publishes_are_told_to_persons_and_programs(warehouse):
    first, second = make(warehouse, 1), make(warehouse, 2, accounts=4)
    difference = compare(warehouse, first, second, limit=3)
    told = json.loads(difference.as_json())
    assert told["before"]["publish_id"] == first.name
    assert {one["table"]: one["added"] for one in told["rows"]} == {
        "account_360": 1,
        "account_months": 2,
    }
    text = render(difference)
    assert second.name in text
    assert "Schema\n  the same" in text
    assert "account_months       6      8      2        0        0" in text


def test_a_publish_does_not_differ_from_itself(warehouse):
    publish = make(warehouse, 1)
    text = render(compare(warehouse, publish, publish, limit=3))
    assert "Rows\n  the same in every table" in text


# --- causes of several steps


def test_causes_are_those_that_the_publishes_between_have_recorded(warehouse):
    """Of a chain: what was compared with another publish than these says nothing."""
    warehouse = replace(warehouse, kept_publishes=3)
    folders = [make(warehouse, number) for number in (1, 2, 3)]
    steps = ((1, folders[0].name, "first"), (2, folders[1].name, "second"), (2, "other", "no"))
    for number, folder in enumerate(folders):
        with duckdb.connect(str(folder / "account360.duckdb")) as connection:
            connection.execute(
                f"""
                create table metric_catalog as
                    select 'items' as metric, 'account_id, month' as grain,
                        'account_months.items' as published_in;
                alter table account_months add column items int;
                update account_months set items = {number};
                create table audit_definitions as
                    select 'key' as kind, 'account_months' as name,
                        'account_id, month' as definition;
                create table audit_restatements (published_in text, metric text, account_id text,
                    key text, period date, previous_publish text, cause text);
                """
            )
            for at, previous, cause in steps:
                if at == number:
                    connection.execute(
                        "insert into audit_restatements select 'account_months.items', 'items',"
                        " account_id, null, month, ?, ? from account_months",
                        [previous, cause],
                    )

    def causes(before, after):
        difference = compare(warehouse, folders[before], folders[after], limit=1)
        assert difference.figures[0].changed == 6
        return difference.figures[0].biggest[0].cause

    assert causes(0, 1) == "first"
    assert causes(1, 2) == "second"
    assert causes(0, 2) == "first; second"
    assert causes(2, 1) is None
    assert "no cause recorded" in render(compare(warehouse, folders[2], folders[1], limit=1))
