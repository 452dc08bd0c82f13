"""The candidate: what the warehouse's schema `published` becomes, with and without people in it."""

# ruff: noqa: S608 (identifiers and texts in the SQL of this module are quoted or bound)

from __future__ import annotations

from collections.abc import Iterable, Sequence
from graphlib import TopologicalSorter
from pathlib import Path

import duckdb

from ingestion.erased import Salt
from ingestion.sql import count_rows, literal, quoted
from orchestration.manifest import PublishedTable
from orchestration.publishing.folder import DATABASE, WITHOUT_PERSONAL_DATA, candidate_path
from orchestration.publishing.publish import heal
from orchestration.publishing.tables import copy_views, describe, export_table, hashed
from settings import Settings


def build_candidate(settings: Settings, tables: Sequence[PublishedTable]) -> dict[str, int]:
    """Copy the warehouse's schema `published` into a new candidate; rows by table.

    Tables are written in key order, so that the same content is the same sequence of rows, and
    carry the descriptions of the dbt project. Views over them stay views, in the DuckDB file only,
    and have no rows of their own. A table that the warehouse lacks is left out: the release checks
    tell.
    """
    heal(settings)
    folder = candidate_path(settings)
    (folder / "parquet").mkdir(parents=True)
    rows = {}
    with duckdb.connect(str(folder / DATABASE)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("set memory_limit = ?", [settings.memory_limit])
        connection.execute(f"attach {literal(settings.warehouse_path)} as warehouse (read_only)")
        existing = _warehouse_tables(connection)
        for table in tables:
            if table.name not in existing or table.view_of is not None:
                continue
            order = ", ".join(quoted(column) for column in table.grain)
            connection.execute(
                f"create table {quoted(table.name)} as "
                f"from {_as_published(connection, settings, table)} order by {order}"
            )
            describe(connection, table)
            rows[table.name] = export_table(connection, table.name, folder)
        views = _warehouse_views(connection)
        connection.execute("detach warehouse")
        for view in _views_in_order(tables):
            if view.name in views:
                connection.execute(f"create view {quoted(view.name)} as {views[view.name]}")
                describe(connection, view)
    if settings.publish_without_personal_data:
        _write_without_personal_data(settings, folder, tables)
    return rows


def _views_in_order(tables: Sequence[PublishedTable]) -> list[PublishedTable]:
    """The views among the published tables, each after those that it selects from."""
    views = {table.name: table for table in tables if table.view_of is not None}
    order = TopologicalSorter({name: view.view_of or () for name, view in views.items()})
    return [views[name] for name in order.static_order() if name in views]


def _warehouse_views(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """The queries of the views in the warehouse's schema `published`, by name.

    As the engine wrote them down, but for the name of the warehouse: a name without a database is
    looked for where the view stands, so that the file may be moved and be given another name.
    """
    rows = connection.execute(
        """
        select view_name, sql
        from duckdb_views()
        where database_name = 'warehouse' and schema_name = 'published'
        """
    ).fetchall()
    return {
        name: definition.partition(" AS ")[2].replace("warehouse.published.", "")
        for name, definition in rows
    }


def _warehouse_tables(connection: duckdb.DuckDBPyConnection) -> set[str]:
    rows = connection.execute(
        """
        select table_name
        from information_schema.tables
        where table_catalog = 'warehouse' and table_schema = 'published'
        """
    ).fetchall()
    return {name for (name,) in rows}


def _as_published(
    connection: duckdb.DuckDBPyConnection, settings: Settings, table: PublishedTable
) -> str:
    """A published table of the warehouse, with its personal data as the settings want it."""
    relation = f"warehouse.published.{quoted(table.name)}"
    if settings.publish_personal_data == "plain" or not table.personal:
        return relation
    hashes = _hashes(connection, settings, relation, table.personal)
    return f"(select * replace ({', '.join(hashes.values())}) from {relation})"


def _hashes(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    relation: str,
    columns: Iterable[str],
) -> dict[str, str]:
    """Column → what it is replaced by so that nobody can read it, and equal values stay equal."""
    kinds = {row[0]: row[1] for row in connection.execute(f"describe {relation}").fetchall()}
    found = {}
    for column in sorted(set(columns) & kinds.keys()):
        name = quoted(column)
        value = (
            f"list_transform({name}, lambda each: {hashed('each', Salt(settings.erasure_path))})"
            if kinds[column] == "VARCHAR[]"
            else hashed(name, Salt(settings.erasure_path))
        )
        found[column] = f"{value} as {name}"
    return found


def _write_without_personal_data(
    settings: Settings, folder: Path, tables: Sequence[PublishedTable]
) -> None:
    """Write the second file: every table and view of the first, and nobody's personal data."""
    by_name = {table.name: table for table in tables}
    with duckdb.connect(str(folder / WITHOUT_PERSONAL_DATA)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("set memory_limit = ?", [settings.memory_limit])
        connection.execute(f"attach {literal(folder / DATABASE)} as first (read_only)")
        for (name,) in connection.execute(
            "select table_name from duckdb_tables() where database_name = 'first' order by 1"
        ).fetchall():
            table = by_name[name]
            relation = f"first.main.{quoted(name)}"
            replaced = _hashes(connection, settings, relation, table.personal)
            for column in replaced.keys() - set(table.grain):
                replaced[column] = f"case when false then {quoted(column)} end as {quoted(column)}"
            if settings.publish_personal_data == "hashed":
                # what identifies a row is hashed already
                replaced = {c: v for c, v in replaced.items() if c not in table.grain}
            selected = f"* replace ({', '.join(replaced.values())})" if replaced else "*"
            order = ", ".join(quoted(column) for column in table.grain)
            connection.execute(
                f"create table {quoted(name)} as"
                f" from (select {selected} from {relation}) order by {order}"
            )
            describe(connection, table)
        copy_views(connection, "first")


def warehouse_rows(settings: Settings, tables: Sequence[PublishedTable]) -> dict[str, int]:
    """Rows of each published table as it stands in the warehouse; 0 where it lacks one.

    Views over published tables have no rows of their own and are left out.
    """
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as connection:
        existing = {
            name
            for (name,) in connection.execute(
                "select table_name from information_schema.tables where table_schema = 'published'"
            ).fetchall()
        }
        return {
            table.name: count_rows(connection, f"published.{quoted(table.name)}")
            if table.name in existing
            else 0
            for table in tables
            if table.view_of is None
        }


def parquet_rows(folder: Path) -> dict[str, int]:
    """Rows of each Parquet file of a publish, as its footer tells."""
    with duckdb.connect() as connection:
        return {
            file.stem: count_rows(connection, f"read_parquet({literal(file)})")
            for file in sorted((folder / "parquet").glob("*.parquet"))
        }
