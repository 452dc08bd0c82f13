"""What happens to a warehouse that another version of the code has written.

A night builds nearly everything anew, so that most changes of the code need nothing. What outlives
a night, and what brings it up to date:

    raw_<domain>       only grows, all columns are text; dlt adds the columns that are new
    run.publishes      its columns are added when it is opened (orchestration/publishing/sealing.py)
    the event chain    kept from night to night: built anew when its code is not what built it
    models that went   their tables are dropped after the first build without them

`run.warehouse_version` says which layout the warehouse has, and which versions of the code have
written it since when. The layout is raised when older code would do harm to what it does not know;
older code then refuses to begin.
"""

# ruff: noqa: S608 (the names in the SQL of this module are quoted)

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from ingestion.sql import quoted
from ingestion.warehouse import open_warehouse
from orchestration.manifest import Manifest, model_code
from orchestration.publishing import code_version
from settings import Settings

# 1: the first one that is written down.
LAYOUT = 1

_VERSIONS = "run.warehouse_version"
_CHAIN_CODE = "run.event_chain_code"
# Tables by which the event chain remembers its last build; read without ref().
_CHAIN_STATE = "int_event_chain__"
_BUILT_SCHEMAS = frozenset({"staging", "intermediate", "marts", "published", "utilities"})
# What of a model's configuration changes what it stores.
_STORED_BY = (
    *("materialized", "incremental_strategy", "on_schema_change", "unique_key", "enabled"),
    *("pre-hook", "post-hook", "schema", "alias", "contract", "column_types"),
)

Relation = tuple[str, str]


class WarehouseVersionError(RuntimeError):
    """A warehouse that this version must not write to; the message says what to do."""


def refuse_newer(connection: duckdb.DuckDBPyConnection, warehouse: Path) -> None:
    """Raise `WarehouseVersionError` where newer code wrote the warehouse, in another layout."""
    written = _last_version(connection)
    if written and written[0] > LAYOUT:
        raise WarehouseVersionError(
            f"{warehouse} was written by account360 {written[1]} in layout {written[0]}, which "
            f"this version, {code_version()}, does not know (it knows {LAYOUT}): run the newer "
            "version, or build a warehouse of this one from the landing files with another --home; "
            "nothing was touched"
        )


def note_version(settings: Settings) -> str | None:
    """Write down that this code works on the warehouse; what there is to tell of it.

    Raises `WarehouseVersionError` where it must not.
    """
    code = code_version()
    with open_warehouse(settings.warehouse_path) as connection:
        refuse_newer(connection, settings.warehouse_path)
        written = _last_version(connection)
        if written == (LAYOUT, code):
            return None
        is_new = not _relations(connection)
        connection.execute("create schema if not exists run")
        connection.execute(
            f"create table if not exists {_VERSIONS}"
            " (layout integer, code_version varchar, since timestamp)"
        )
        connection.execute(
            f"insert into {_VERSIONS} values (?, ?, ?)",
            [LAYOUT, code, datetime.now(UTC).replace(tzinfo=None)],
        )
    if is_new or (written and written[0] == LAYOUT):
        return None
    before = f"layout {written[0]} of {written[1]}" if written else "one without a layout"
    return f"the warehouse was {before}, and is in layout {LAYOUT} of {code} now"


def upgrades(settings: Settings, manifest: Manifest) -> list[str]:
    """What the build of this night does beside its work, as lines that a person reads."""
    lines = []
    if reason := chain_is_outdated(settings, manifest):
        lines.append(f"the event chain is built anew: {reason}")
    with open_warehouse(settings.warehouse_path) as connection:
        lines += [
            f"{schema}.{name} is made by no model any more, and dropped"
            for schema, name in _orphans(connection, manifest)
        ]
    return lines


def chain_is_outdated(settings: Settings, manifest: Manifest) -> str | None:
    """Why the kept tables of the event chain cannot be gone on from; None where they can."""
    kept = {_relation(node) for node in _kept_models(manifest).values()}
    with open_warehouse(settings.warehouse_path) as connection:
        existing = set(_relations(connection)) & kept
        if not existing:
            return None
        if _chain_code(connection) != chain_code(manifest):
            return "its code changed since the last night"
    missing = sorted(name for _, name in kept - existing)
    return f"{', '.join(missing)} of it are missing" if missing else None


def begin_refresh(settings: Settings) -> None:
    """Before a full refresh: forget what built the event chain.

    Should it die half way, no code must take the chain for its own, not even the one from before.
    """
    with open_warehouse(settings.warehouse_path) as connection:
        connection.execute(f"drop table if exists {_CHAIN_CODE}")


def chain_code(manifest: Manifest) -> str:
    """A hash of the code that makes the kept tables: their models, and all these are made of."""
    kept = _kept_models(manifest)
    found: set[str] = set()
    waiting = list(kept)
    while waiting:
        unique_id = waiting.pop()
        if unique_id in manifest["nodes"] and unique_id not in found:
            found.add(unique_id)
            waiting += manifest["nodes"][unique_id]["depends_on"]["nodes"]
    parts = []
    for unique_id in sorted(found):
        node = manifest["nodes"][unique_id]
        config = {key: node["config"].get(key) for key in _STORED_BY}
        parts += [unique_id, model_code(manifest, unique_id), json.dumps(config, sort_keys=True)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def note_build(settings: Settings, manifest: Manifest, built: Iterable[str]) -> None:
    """After a build: write down which code made the event chain, if all of it was made.

    built: unique ids of the models that were built without an error.
    """
    code = chain_code(manifest)
    if not set(_kept_models(manifest)) <= set(built):
        return
    with open_warehouse(settings.warehouse_path) as connection:
        if _chain_code(connection) != code:
            connection.execute(f"create or replace table {_CHAIN_CODE} as select ? as code", [code])


def drop_orphans(settings: Settings, manifest: Manifest) -> list[str]:
    """Drop the tables and views of models that are gone; their names.

    After a build that went well, and never before: the code from before may be put back.
    """
    with open_warehouse(settings.warehouse_path) as connection:
        orphans = _orphans(connection, manifest)
        for (schema, name), kind in orphans.items():
            connection.execute(f"drop {kind} {quoted(schema)}.{quoted(name)}")
    return [f"{schema}.{name}" for schema, name in orphans]


def _kept_models(manifest: Manifest) -> Manifest:
    """The models that a night does not build anew, and those that say what they were made of."""
    return {
        unique_id: node
        for unique_id, node in manifest["nodes"].items()
        if node["resource_type"] == "model"
        and (
            node["config"]["materialized"] == "incremental" or node["name"].startswith(_CHAIN_STATE)
        )
    }


def _orphans(connection: duckdb.DuckDBPyConnection, manifest: Manifest) -> dict[Relation, str]:
    """Relation → its kind, of those in dbt's schemas that no model makes."""
    made = {
        _relation(node) for node in manifest["nodes"].values() if node["resource_type"] == "model"
    }
    schemas = _BUILT_SCHEMAS | {schema for schema, _ in made}
    return {
        relation: kind
        for relation, kind in sorted(_relations(connection).items())
        if relation[0] in schemas and relation not in made
    }


def _relation(node: Manifest) -> Relation:
    return node["schema"], node["alias"]


def _relations(connection: duckdb.DuckDBPyConnection) -> dict[Relation, str]:
    """Every table and view of the warehouse, and which of both it is."""
    rows = connection.execute(
        """
        select schema_name, table_name, 'table'
        from duckdb_tables() where database_name = current_database()
        union all
        select schema_name, view_name, 'view'
        from duckdb_views() where database_name = current_database() and not internal
        """
    ).fetchall()
    return {(schema, name): kind for schema, name, kind in rows}


def _last_version(connection: duckdb.DuckDBPyConnection) -> tuple[int, str] | None:
    """The highest layout that was written and the version that did last; None before the first."""
    if ("run", "warehouse_version") not in _relations(connection):
        return None
    return connection.execute(
        f"select layout, code_version from {_VERSIONS} order by layout desc, since desc limit 1"
    ).fetchone()


def _chain_code(connection: duckdb.DuckDBPyConnection) -> str | None:
    if ("run", "event_chain_code") not in _relations(connection):
        return None
    row = connection.execute(f"select code from {_CHAIN_CODE}").fetchone()
    return row[0] if row else None
