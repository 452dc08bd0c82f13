"""The compiled SQL of the dbt project, run on an in-memory DuckDB: for tests on random input.

dbt is started once for the whole suite; after that a model is a text of SQL. A test hands over raw
records and asks for the rows of any model; what lies between is run in the order of the lineage.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb

from orchestration.lineage import lineage_tables
from orchestration.metric_catalog import metric_catalog
from settings import DBT_PROJECT, RunTable, load_settings, run_tables

LOADED_AT = datetime(2026, 1, 1)

# What the hooks of kept tables forget, in the words of SQL.
_FORGOTTEN = {
    "forget_done_days": "not exists (select 1 from {int_event_chain__builds} where begun > 0)",
    "forget_touched_days": "(account_id, user_id, day) in"
    " (select (account_id, user_id, day) from {stg_native__event_days_touched})",
    "forget_usage_days": "not exists (select 1 from {int_account__usage_days} as usage_days"
    " where usage_days.account_id = kept.account_id and kept.day < usage_days.computed_from)",
    "forget_ranked_days": "day not in"
    " (select day from {int_day__ranked} where not is_ranked_again)",
}


def compile_project(folder: Path) -> None:
    """Compile the project into `folder`: as for an empty warehouse, and as for one that was built.

    In between the project is built on empty raw tables, with all its tests: that it can be, and
    that every dbt unit test holds, is part of what this proves.
    """
    run_dbt(folder, "compile")
    project = CompiledProject(folder / "manifest.json")
    project.manifest_path.rename(folder / "first_night.json")
    with duckdb.connect(str(folder / "warehouse.duckdb")) as connection:
        InMemoryWarehouse(CompiledProject(folder / "first_night.json"), connection).set_inputs(
            date(2024, 6, 10)
        )
    run_dbt(folder, "build")
    run_dbt(folder, "compile")


def run_dbt(folder: Path, command: str) -> None:
    """Run a dbt command with everything it writes in `folder`, the warehouse included."""
    result = subprocess.run(
        [
            str(Path(sys.executable).with_name("dbt")),
            command,
            f"--profiles-dir={DBT_PROJECT}",
            f"--target-path={folder}",
            f"--log-path={folder}",
        ],
        cwd=DBT_PROJECT,
        env={**os.environ, "ACCOUNT360_WAREHOUSE_PATH": str(folder / "warehouse.duckdb")},
        capture_output=True,
        text=True,
        timeout=600,
    )
    if result.returncode != 0:
        raise AssertionError(f"dbt {command} failed:\n{result.stdout[-6000:]}")


@dataclass(frozen=True)
class CompiledProject:
    """The manifest of a compiled dbt project; `first_night` is the one for an empty warehouse."""

    manifest_path: Path

    @cached_property
    def first_night(self) -> CompiledProject:
        """The same project as it is compiled where nothing was built yet."""
        return CompiledProject(self.manifest_path.with_name("first_night.json"))

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """The manifest as dbt wrote it."""
        return json.loads(self.manifest_path.read_text(encoding="utf-8"))

    @cached_property
    def models(self) -> dict[str, dict[str, Any]]:
        """Models by their names."""
        return {
            node["name"]: node
            for node in self.manifest["nodes"].values()
            if node["resource_type"] == "model"
        }

    @cached_property
    def tests(self) -> dict[str, dict[str, Any]]:
        """Data tests by their names."""
        return {
            node["name"]: node
            for node in self.manifest["nodes"].values()
            if node["resource_type"] == "test"
        }

    def lineage(self, names: Iterable[str]) -> list[str]:
        """The named models and everything they are built from, in the order of building."""
        ordered: dict[str, None] = {}

        def visit(name: str) -> None:
            if name in ordered:
                return
            for upstream in self.models[name]["depends_on"]["nodes"]:
                if upstream.startswith("model."):
                    visit(upstream.rsplit(".", 1)[1])
            ordered[name] = None

        for name in names:
            visit(name)
        return list(ordered)

    def warehouse(self) -> InMemoryWarehouse:
        """An empty warehouse in memory with all raw tables."""
        return InMemoryWarehouse(self)


class InMemoryWarehouse:
    """Raw records in, rows of any model out."""

    def __init__(
        self, project: CompiledProject, connection: duckdb.DuckDBPyConnection | None = None
    ) -> None:
        self.project = project
        self.connection = connection or duckdb.connect()
        self.connection.execute("set TimeZone = 'UTC'")
        if connection is None:
            self.connection.execute("attach ':memory:' as warehouse")
            self.connection.execute("use warehouse")
        self._columns: dict[tuple[str, str], list[str]] = {}
        schemas = {node["schema"] for node in project.models.values()} - {"main"}
        for schema in sorted(schemas | {"run"}):
            self.connection.execute(f"create schema if not exists {schema}")
        for source in project.manifest["sources"].values():
            if source["source_name"] != "run":
                self._create_raw(source)
        for table in (metric_catalog(project.manifest), *lineage_tables(project.manifest)):
            self._write(table)

    def _create_raw(self, source: Mapping[str, Any]) -> None:
        schema, table = source["schema"], source["name"]
        self.connection.execute(f"create schema if not exists {schema}")
        if table == "landed_files":
            columns = (
                "entity varchar, location varchar, format varchar, content_hash varchar, "
                "size_bytes bigint, extract_date date, load_number bigint, load_id varchar, "
                "loaded_at timestamp, rows_read bigint, unparsed_rows bigint, "
                "erased_rows bigint"
            )
        elif table == "unparsed_lines":
            columns = (
                "entity varchar, reason varchar, record varchar, "
                "_location varchar, _line bigint, _load_number bigint"
            )
        else:
            self._columns[schema.removeprefix("raw_"), table] = list(source["columns"])
            columns = "".join(f"{name} varchar, " for name in source["columns"])
            columns += "_location varchar, _line bigint, _load_number bigint"
        self.connection.execute(f"create table {schema}.{table} ({columns})")

    def clear(self) -> None:
        """Forget all raw records."""
        for source in self.project.manifest["sources"].values():
            if source["source_name"] != "run":
                self.connection.execute(f"delete from {source['schema']}.{source['name']}")

    def set_inputs(self, as_of_date: date, **settings: Any) -> None:
        """Write the tables of `run` that tell the as-of date, and settings over the defaults."""
        tables = run_tables(load_settings(environ={}, **settings), as_of_date)
        for table in tables:
            self._write(table)

    def _write(self, table: RunTable) -> None:
        self.connection.execute(table.create)
        self.connection.execute(table.insert, table.values)

    def land(
        self,
        domain: str,
        entity: str,
        records: Iterable[Mapping[str, Any]],
        *,
        location: str | None = None,
        load_number: int = 1,
        extract_date: date | None = None,
    ) -> None:
        """Put records into a raw table as one landed file, every value as text."""
        columns = self._columns[domain, entity]
        location = location or f"{domain}/{entity}.jsonl"
        rows = [
            [*(_as_text(record.get(column)) for column in columns), location, line, load_number]
            for line, record in enumerate(records, start=1)
        ]
        if rows:
            marks = ", ".join("?" * (len(columns) + 3))
            self.connection.executemany(f"insert into raw_{domain}.{entity} values ({marks})", rows)
        self.connection.execute(
            f"insert into raw_{domain}.landed_files"
            " values (?, ?, 'jsonl', '', 0, ?, ?, '', ?, ?, 0, 0)",
            [entity, location, extract_date, load_number, LOADED_AT, len(rows)],
        )

    def build(self, *names: str) -> None:
        """Build the named models and everything upstream of them, as on a first night."""
        for name in self.project.first_night.lineage(names):
            self.build_only(name)

    def give(self, name: str, columns: str, rows: Iterable[Mapping[str, Any]]) -> None:
        """Let a model have these rows; `columns` are those that are read of it, with types."""
        relation = self.project.models[name]["relation_name"]
        self.connection.execute(f"create or replace table {relation} ({columns})")
        names = [column.split()[0] for column in columns.split(", ")]
        if values := [[row.get(column) for column in names] for row in rows]:
            marks = ", ".join("?" * len(names))
            self.connection.executemany(f"insert into {relation} values ({marks})", values)

    def build_only(self, name: str) -> None:
        """Build the named model on what stands there."""
        node = self.project.first_night.models[name]
        self.connection.execute(
            f"create or replace table {node['relation_name']} as {node['compiled_code']}"
        )

    def build_next_night(self, *names: str, stop_after: int | None = None) -> None:
        """Build the named models and everything upstream of them, going on from what was built.

        Tables that are kept from night to night first forget the days that are computed again, as
        their hooks do where the settings are those of the last build. The night dies after so many
        models as `stop_after` says.
        """
        relations = {name: node["relation_name"] for name, node in self.project.models.items()}
        for name in self.project.lineage(names)[:stop_after]:
            node = self.project.models[name]
            relation, query = node["relation_name"], node["compiled_code"]
            if node["config"]["materialized"] != "incremental":
                self.connection.execute(f"create or replace table {relation} as {query}")
                continue
            hooks = " ".join(hook["sql"] for hook in node["config"]["pre-hook"])
            for hook, forgotten in _FORGOTTEN.items():
                if hook in hooks:
                    self.connection.execute(
                        f"delete from {relation} as kept where {forgotten.format(**relations)}"
                    )
            if "begin_build" in hooks:
                self.connection.execute(
                    f"update {relations['int_event_chain__builds']} set begun = begun + 1"
                )
            self.connection.execute(f"insert into {relation} {query}")

    def failures(self, test: str) -> list[tuple[Any, ...]]:
        """The failing rows of a data test; what it reads must have been built."""
        return self.connection.execute(self.project.tests[test]["compiled_code"]).fetchall()

    def rows(self, name: str, columns: str = "*", order_by: str = "all") -> list[dict[str, Any]]:
        """The rows of a built model."""
        relation = self.project.models[name]["relation_name"]
        result = self.connection.execute(f"select {columns} from {relation} order by {order_by}")
        names = [column[0] for column in result.description]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


def _as_text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat() + ("Z" if value.tzinfo is None else "")
    if isinstance(value, list | dict):
        return json.dumps(value)
    return str(value)
