"""Causes that are no records: code, settings, days; and what definitions are."""

from __future__ import annotations

from datetime import date, datetime

import duckdb
import pytest

from ingestion.entities import ENTITIES
from orchestration.restatements import definitions, write_definitions, write_restatements
from settings import load_settings
from tests.orchestration.small_warehouse import TABLES
from tests.orchestration.test_changed_records import STAGED, TYPED

AS_OF = date(2024, 6, 10)
SAME = [
    ("key", "account_mrr_monthly", "account_id, month", None),
    ("key", "account_360", "account_id", None),
    ("model", "int_mrr", "1", None),
    ("model", "int_other", "1", None),
    ("setting", "grace_days", "3", ["int_mrr"]),
    ("setting", "renewal_early_days", "90", ["int_other"]),
    ("setting", "health_metrics", "1", ["int_mrr"]),
]


def changed(**values):
    """The definitions, some of them others."""
    return [(kind, name, values.get(name, said), used) for kind, name, said, used in SAME]


@pytest.fixture
def publishes(tmp_path):
    """Makes two files that differ in the MRR of May, and tells the causes of that."""

    def causes(
        before=SAME,
        after=SAME,
        code=("1.0", "1.0"),
        as_of=(AS_OF, AS_OF),
        provisional=False,
        erased=(),
    ):
        previous = tmp_path / "publish_1" / "account360.duckdb"
        previous.parent.mkdir()
        with duckdb.connect(str(previous)) as connection:
            fill(connection, as_of[0], 10, before, provisional)
            connection.execute(
                "create table audit_publishes as select 'publish_1' as publish_id,"
                " ? as code_version, timestamp '2024-06-10 03:00:00' as published_at",
                [code[0]],
            )
        with duckdb.connect(str(tmp_path / "candidate.duckdb")) as connection:
            fill(connection, as_of[1], 20, after, provisional)
            connection.execute("attach ':memory:' as warehouse; create schema warehouse.staging")
            for entity in ("accounts", "account_aliases"):
                kinds = dict.fromkeys(ENTITIES["crm"][entity].columns, "varchar") | STAGED | TYPED
                columns = ", ".join(f"{name} {kind}" for name, kind in kinds.items())
                table = f"warehouse.staging.stg_native__{entity}"
                connection.execute(f"create table {table} ({columns})")
            if erased:
                connection.execute(
                    "create schema warehouse.run; create table warehouse.run.erasures"
                    " (kind varchar, account_id varchar, erased_at timestamp)"
                )
                connection.executemany(
                    "insert into warehouse.run.erasures values (?, ?, ?)", list(erased)
                )
            assert write_restatements(connection, as_of[1], previous, code[1]) == 1
            return connection.execute(
                "select metric, account_id, period, previous_value, value, difference,"
                " previous_publish, cause from audit_restatements"
            ).fetchall()

    return causes


def fill(connection, as_of, amount, defined, provisional):
    connection.execute(
        """
        create table account_360 (account_id text, as_of_date date);
        create table account_mrr_monthly
            (account_id text, month date, ending_mrr decimal(18, 4), is_provisional_loss boolean);
        create table metric_catalog
            (metric text, grain text, published_in text, raw_tables text);
        insert into metric_catalog values
            ('ending_mrr', 'account_id, month', 'account_mrr_monthly.ending_mrr',
            'raw_crm.accounts');
        create table metric_lineage as select 'ending_mrr' as metric, 'int_mrr' as upstream;
        create table column_lineage
            (table_name text, column_name text, upstream_table text, upstream_column text);
        insert into column_lineage
            values ('account_mrr_monthly', 'ending_mrr', 'int_mrr', 'mrr');
        create table audit_loads (domain text, entity text, location text, content_hash text,
            file_version bigint, extract_date date);
        """
    )
    connection.execute("insert into account_360 values ('a', ?)", [as_of])
    connection.execute(
        "insert into account_mrr_monthly values ('a', '2024-05-01', ?, ?)", [amount, provisional]
    )
    if defined:
        write_definitions(connection, defined, as_of)


def cause(rows):
    (row,) = rows
    return row[-1]


def test_a_model_that_changed_is_the_cause_with_the_version_that_changed_it(publishes):
    assert publishes(after=changed(int_mrr="2"), code=("1.0", "1.1")) == [
        (
            "ending_mrr",
            "a",
            date(2024, 5, 1),
            10,
            20,
            10,
            "publish_1",
            "new code version 1.0 → 1.1: definition of int_mrr changed",
        )
    ]


def test_a_model_that_changed_is_told_without_a_new_version(publishes):
    assert cause(publishes(after=changed(int_mrr="2"))) == "definition of int_mrr changed"


def test_settings_count_where_a_model_of_the_figure_reads_them(publishes):
    after = changed(grace_days="5", renewal_early_days="60", health_metrics="2")
    assert cause(publishes(after=after)) == (
        "setting grace_days 3 → 5; settings in health_metrics changed"
    )


def test_several_definitions_are_told_under_one_version(publishes):
    after = changed(int_mrr="2", account_mrr_monthly="x")
    after = [("model", *row[1:]) if row[1] == "account_mrr_monthly" else row for row in after]
    after += [("key", "account_mrr_monthly", "account_id, month", None)]
    assert cause(publishes(after=after, code=("1.0", "1.1"))) == (
        "new code version 1.0 → 1.1: definition of account_mrr_monthly changed; "
        "definition of int_mrr changed"
    )


def test_a_new_version_that_leaves_the_models_of_a_figure_alone_is_no_cause(publishes):
    found = publishes(after=changed(int_other="2", key="x"), code=("1.0", "1.1"))
    assert cause(found) == "cannot be told: no record, definition or setting of it changed"


def test_a_publish_without_definitions_leaves_the_version_to_tell(publishes):
    after = [row for row in SAME if row[0] == "key"]
    assert cause(publishes(before=None, after=after, code=("1.0", "1.1"))) == (
        "new code version 1.0 → 1.1"
    )


def test_days_that_passed_are_the_cause_where_nothing_else_is(publishes):
    found = publishes(as_of=(AS_OF, date(2024, 6, 12)))
    assert cause(found) == "days passed, from as of 2024-06-10 to 2024-06-12"


def test_what_was_erased_since_is_the_cause_before_days_that_passed(publishes):
    person = ("person", "a", datetime(2024, 6, 11, 9))
    others = [("person", "b", person[2]), ("account", None, person[2])]
    before = ("person", "a", datetime(2024, 6, 10, 2))
    found = publishes(as_of=(AS_OF, date(2024, 6, 12)), erased=[person, *others, before])
    assert cause(found) == "erased since: 1 person(s)"


def test_erasures_before_the_last_publish_and_of_others_are_no_cause(publishes):
    erased = [("person", "a", datetime(2024, 6, 10, 2)), ("person", "b", datetime(2024, 6, 11))]
    assert cause(publishes(erased=erased)).startswith("cannot be told")


def test_a_loss_in_its_days_of_grace_was_provisional(publishes):
    found = publishes(as_of=(AS_OF, date(2024, 6, 12)), provisional=True)
    assert cause(found) == "days passed: the loss was provisional in its days of grace"


def test_without_a_publish_before_nothing_is_restated():
    with duckdb.connect() as connection:
        assert write_restatements(connection, AS_OF, None, "1.0") == 0
        assert connection.execute("from audit_restatements").fetchall() == []


# --- definitions


def manifest(**code):
    """A project of two models and two macros, one of which calls the other."""

    def macro(name, calls=()):
        return {
            "macro_sql": code.get(name, name),
            "depends_on": {"macros": [f"macro.account360.{one}" for one in calls]},
        }

    def model(name, macros=(), sources=()):
        return {
            "name": name,
            "resource_type": "model",
            "raw_code": code.get(name, name),
            "config": {},
            "depends_on": {
                "macros": [f"macro.account360.{one}" for one in macros] + ["macro.dbt.ref"],
                "nodes": [f"source.account360.run.{one}" for one in sources],
            },
        }

    return {
        "nodes": {
            "model.1": model("int_a", macros=["outer"]),
            "model.2": model("int_b", sources=["health_metrics"]),
            "model.3": model("run_settings"),
        },
        "macros": {
            "macro.account360.outer": macro("outer", calls=["inner"]),
            "macro.account360.inner": macro("inner"),
        },
    }


def said(tmp_path, as_of=AS_OF, project=None):
    settings = load_settings(environ={}, home=tmp_path)
    rows = definitions(project or manifest(), settings, as_of, TABLES)
    return {(kind, name): (definition, used) for kind, name, definition, used in rows}


def test_the_code_of_a_model_is_that_of_the_macros_it_calls_too(tmp_path):
    before = said(tmp_path)
    after = said(tmp_path, project=manifest(inner="another"))
    differing = {key for key in before if before[key] != after[key]}
    assert differing == {("model", "int_a")}


def test_settings_say_their_value_and_who_reads_them(tmp_path):
    project = manifest(inner="days > run_settings.grace_days", run_settings="grace_days")
    rows = said(tmp_path, project=project)
    assert rows["setting", "grace_days"] == ("3", ["int_a"])
    assert rows["setting", "health_metrics"][1] == ["int_b"]


def test_keys_of_published_tables_are_kept(tmp_path):
    rows = said(tmp_path)
    assert rows["key", "account_months"] == ("account_id, month", None)
    assert rows["key", "audit_definitions"] == ("kind, name", None)


def test_the_as_of_date_is_no_definition(tmp_path):
    assert said(tmp_path) == said(tmp_path, as_of=date(2024, 7, 1))
