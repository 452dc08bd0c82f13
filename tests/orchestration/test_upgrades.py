"""A warehouse of another version of the code: what is built anew, dropped, added or refused."""

from __future__ import annotations

import copy
import hashlib
import json
from datetime import UTC, date, datetime

import duckdb
import pytest

from orchestration import upgrades
from orchestration.advice import advice
from orchestration.dbt_failures import built_models
from orchestration.publishing import Lead, Publish, build_candidate, heal, publish_candidate
from orchestration.run_lock import NightError, refuse_locked
from orchestration.upgrades import (
    LAYOUT,
    WarehouseVersionError,
    begin_refresh,
    chain_code,
    chain_is_outdated,
    drop_orphans,
    note_build,
    note_version,
)
from orchestration.upgrades import upgrades as upgrades_of
from tests.orchestration.small_warehouse import TABLES, fill


def model(name, schema, code, *, needs=(), macros=(), hook="", materialized="table"):
    return {
        "resource_type": "model",
        "name": name,
        "alias": name,
        "schema": schema,
        "raw_code": code,
        "description": "One row per thing.",
        "depends_on": {
            "nodes": [f"model.account360.{need}" for need in needs],
            "macros": [f"macro.account360.{macro}" for macro in macros],
        },
        "config": {
            "materialized": materialized,
            "pre-hook": [{"sql": "{{ " + hook + "() }}"}] if hook else [],
            "post-hook": [],
            "meta": {},
        },
    }


def manifest():
    """A chain of two kept tables over one model, its state, and a mart that has no part in it."""
    models = [
        model("int_accounts", "intermediate", "select 1", macros=["people"]),
        model(
            *("int_days", "intermediate", "select 2"),
            needs=["int_accounts"],
            hook="forget",
            materialized="incremental",
        ),
        model("stg_events", "staging", "select 3", materialized="incremental"),
        model("int_event_chain__files", "intermediate", "select 4", needs=["int_days"]),
        model("fct_months", "marts", "select 5", needs=["int_days"], macros=["other"]),
    ]
    macros = {"people": ["inner"], "inner": [], "forget": ["inner"], "other": []}
    return {
        "nodes": {f"model.account360.{one['name']}": one for one in models},
        "macros": {
            f"macro.account360.{name}": {
                "macro_sql": f"macro {name}",
                "depends_on": {"macros": [f"macro.account360.{one}" for one in calls]},
            }
            for name, calls in macros.items()
        },
    }


CHAIN = [
    "model.account360.int_days",
    "model.account360.stg_events",
    "model.account360.int_event_chain__files",
]


def build(settings, project):
    """What dbt leaves of a project: a table per model, and the code of the chain written down."""
    with duckdb.connect(str(settings.warehouse_path)) as connection:
        for node in project["nodes"].values():
            connection.execute(f"create schema if not exists {node['schema']}")
            connection.execute(
                f"create or replace table {node['schema']}.{node['name']} as select 1 as one"
            )
        connection.execute("create schema if not exists run")
    note_build(settings, project, project["nodes"])


def tables(settings):
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as connection:
        rows = connection.execute(
            "select schema_name || '.' || table_name from duckdb_tables() union all "
            "select schema_name || '.' || view_name from duckdb_views() where not internal"
        ).fetchall()
    return {name for (name,) in rows}


def changed(change):
    project = manifest()
    change(project["nodes"], project["macros"])
    return project


@pytest.fixture
def home(settings):
    settings.home.mkdir()
    return settings


@pytest.mark.parametrize(
    "change",
    [
        lambda nodes, _: nodes[CHAIN[0]].update(raw_code="select 20"),
        lambda nodes, _: nodes[CHAIN[2]].update(raw_code="select 40"),
        lambda nodes, _: nodes["model.account360.int_accounts"].update(raw_code="select 10"),
        lambda _, macros: macros["macro.account360.people"].update(macro_sql="other"),
        lambda _, macros: macros["macro.account360.inner"].update(macro_sql="other"),
        lambda _, macros: macros["macro.account360.forget"].update(macro_sql="other"),
        lambda nodes, _: nodes[CHAIN[0]]["config"].update(incremental_strategy="merge"),
        lambda nodes, _: nodes.pop(CHAIN[1]),
    ],
)
def test_other_code_of_the_chain_or_of_what_it_is_made_of_is_another_chain(change, home):
    build(home, manifest())
    assert chain_is_outdated(home, manifest()) is None
    assert chain_code(changed(change)) != chain_code(manifest())
    assert chain_is_outdated(home, changed(change)) == "its code changed since the last night"


@pytest.mark.parametrize(
    "change",
    [
        lambda nodes, _: nodes["model.account360.fct_months"].update(raw_code="select 50"),
        lambda _, macros: macros["macro.account360.other"].update(macro_sql="other"),
        lambda nodes, _: nodes[CHAIN[0]].update(description="One row per other thing."),
        lambda nodes, _: nodes[CHAIN[0]]["config"].update(meta={"grain": ["one"]}),
    ],
)
def test_code_that_the_chain_is_not_made_of_leaves_it(change, home):
    build(home, manifest())
    assert chain_is_outdated(home, changed(change)) is None


def test_the_order_of_nodes_says_nothing():
    project = manifest()
    project["nodes"] = dict(reversed(project["nodes"].items()))
    assert chain_code(project) == chain_code(manifest())


def test_a_first_night_has_no_chain_to_build_anew(home):
    assert upgrades_of(home, manifest()) == []


def test_a_warehouse_from_before_is_built_anew_and_told(home):
    build(home, manifest())
    begin_refresh(home)
    told = ["the event chain is built anew: its code changed since the last night"]
    assert upgrades_of(home, manifest()) == told


def test_a_kept_table_that_is_missing_is_no_chain_to_go_on_from(home):
    build(home, manifest())
    with duckdb.connect(str(home.warehouse_path)) as connection:
        connection.execute("drop table staging.stg_events")
    assert chain_is_outdated(home, manifest()) == "stg_events of it are missing"


def test_a_build_that_dies_half_way_is_done_again_by_any_code(home):
    build(home, manifest())
    other = changed(lambda nodes, _: nodes[CHAIN[0]].update(raw_code="select 20"))
    begin_refresh(home)
    note_build(home, other, CHAIN[:2])
    assert chain_is_outdated(home, other)
    assert chain_is_outdated(home, manifest())
    note_build(home, other, CHAIN)
    assert chain_is_outdated(home, other) is None
    assert chain_is_outdated(home, manifest())


def test_built_models_are_those_that_dbt_finished(tmp_path):
    assert built_models(tmp_path) == []
    results = [("model.a", "success"), ("model.b", "error"), ("test.c", "pass")]
    (tmp_path / "run_results.json").write_text(
        json.dumps({"results": [{"unique_id": one, "status": said} for one, said in results]})
    )
    assert built_models(tmp_path) == ["model.a"]


def test_what_no_model_makes_any_more_is_told_and_dropped_but_nothing_else(home):
    build(home, manifest())
    with duckdb.connect(str(home.warehouse_path)) as connection:
        connection.execute(
            """
            create schema raw_crm; create schema published; create schema own;
            create table raw_crm.accounts (id varchar);
            create table run.settings (id varchar);
            create table own.notes (id varchar);
            create table marts.fct_gone (id varchar);
            create table marts.fct_months__dbt_tmp (id varchar);
            create view published."account gone" as from marts.fct_gone;
            """
        )
    before = tables(home)
    gone = ["marts.fct_gone", "marts.fct_months__dbt_tmp", "published.account gone"]
    assert upgrades_of(home, manifest()) == [
        f"{name} is made by no model any more, and dropped" for name in gone
    ]
    assert drop_orphans(home, manifest()) == gone
    assert tables(home) == before - set(gone)
    assert drop_orphans(home, manifest()) == []


def test_a_version_is_written_down_once(home, monkeypatch):
    assert note_version(home) is None
    assert note_version(home) is None
    monkeypatch.setattr(upgrades, "code_version", lambda: "9.9.9")
    assert note_version(home) is None
    with duckdb.connect(str(home.warehouse_path), read_only=True) as connection:
        rows = connection.execute(
            "select layout, code_version = '9.9.9', since is not null from run.warehouse_version"
        ).fetchall()
    assert rows == [(LAYOUT, False, True), (LAYOUT, True, True)]


def test_a_warehouse_of_an_older_layout_is_taken_over_and_told(home, monkeypatch):
    build(home, manifest())
    monkeypatch.setattr(upgrades, "code_version", lambda: "0.2.0")
    said = f"the warehouse was one without a layout, and is in layout {LAYOUT} of 0.2.0 now"
    assert note_version(home) == said
    monkeypatch.setattr(upgrades, "LAYOUT", LAYOUT + 1)
    monkeypatch.setattr(upgrades, "code_version", lambda: "0.3.0")
    assert note_version(home) == (
        f"the warehouse was layout {LAYOUT} of 0.2.0, and is in layout {LAYOUT + 1} of 0.3.0 now"
    )


def test_older_code_refuses_a_warehouse_of_a_newer_layout_and_touches_nothing(home, monkeypatch):
    with monkeypatch.context() as newer:
        newer.setattr(upgrades, "LAYOUT", LAYOUT + 1)
        newer.setattr(upgrades, "code_version", lambda: "9.0.0")
        note_version(home)
    before = hashlib.sha256(home.warehouse_path.read_bytes()).hexdigest()
    with pytest.raises(NightError) as error:
        refuse_locked(home.warehouse_path)
    said = str(error.value)
    assert said.startswith(f"{home.warehouse_path} was written by account360 9.0.0 in layout")
    assert "run the newer version, or build a warehouse of this one" in said
    with pytest.raises(WarehouseVersionError):
        note_version(home)
    assert hashlib.sha256(home.warehouse_path.read_bytes()).hexdigest() == before


def test_a_file_of_a_newer_engine_has_a_way_out():
    said = advice(
        "IO Error: Trying to read a database file with version number 69, but we can only read..."
    )
    assert said.startswith("it was written by a newer version of DuckDB: run the version of")


def publish(settings, day):
    build_candidate(settings, TABLES)
    at = datetime(2024, 6, day, tzinfo=UTC)
    return publish_candidate(
        settings, Publish(date(2024, 6, day), f"run{day:05}", "1", at, ()), lead=Lead.BY_DATE
    )


def test_a_history_of_publishes_gets_the_columns_that_came_since(home):
    fill(home, accounts=3)
    first = publish(home, 9)
    with duckdb.connect(str(home.warehouse_path)) as connection:
        connection.execute("alter table run.publishes drop column checks_passed")
    second = publish(home, 10)
    with duckdb.connect(str(second.folder / "account360.duckdb"), read_only=True) as connection:
        rows = connection.execute("select publish_id, checks_passed from audit_publishes")
        assert rows.fetchall() == [(first.publish_id, None), (second.publish_id, 0)]


@pytest.mark.parametrize(
    "harm", ["drop column checks_passed", "add column of_newer_code varchar", "drop column rows"]
)
def test_publishes_of_other_versions_are_adopted(home, harm):
    fill(home, accounts=3)
    first = publish(home, 9)
    database = first.folder / "account360.duckdb"
    with duckdb.connect(str(database)) as connection:
        connection.execute(f"alter table audit_publishes {harm}")
    home.warehouse_path.unlink()
    fill(home, accounts=3)
    heal(home)
    with duckdb.connect(str(home.warehouse_path), read_only=True) as connection:
        (row,) = connection.execute("select publish_id, tables from run.publishes").fetchall()
    assert row == (first.publish_id, first.tables)
    second = publish(home, 10)
    with duckdb.connect(str(second.folder / "account360.duckdb"), read_only=True) as connection:
        assert connection.execute("select count(*) from audit_publishes").fetchone() == (2,)


def test_a_manifest_is_not_changed_by_asking(home):
    project = manifest()
    before = copy.deepcopy(project)
    chain_code(project)
    upgrades_of(home, project)
    assert project == before
