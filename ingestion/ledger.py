"""What the warehouse already holds of a domain, and the removal of what an unfinished load left.

A load is finished when dlt has written its load id into `_dlt_loads`: that is its last act, after
every table. Rows of a load whose id is not there do not count and are removed before the next one.

The queries bind no parameters: DuckDB imports pandas and Arrow at the first one, which would be
most of what a night costs in which nothing is new.
"""

# ruff: noqa: S608 (identifiers and texts in the SQL of this module are quoted)

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ingestion.sql import literal, quoted
from ingestion.tables import contract_tables, dataset_name

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True)
class Ledger:
    """The state of a domain's raw schema before a load.

    columns: table → its columns. hashes: location → content hash of its latest load.
    loaded_entities: entities of which a file was ever loaded. load_number: of the last finished
    load, 0 before the first.
    """

    columns: dict[str, set[str]] = field(default_factory=dict)
    hashes: dict[str, str] = field(default_factory=dict)
    loaded_entities: frozenset[str] = frozenset()
    load_number: int = 0

    def incomplete_tables(self, domain: str) -> list[str]:
        """The contract's tables that do not exist yet, or lack a column."""
        return [
            table
            for table, columns in contract_tables(domain).items()
            if not columns.keys() <= self.columns.get(table, set())
        ]


def open_ledger(connection: DuckDBPyConnection, domain: str) -> Ledger:
    """Remove what unfinished loads left in the domain's raw schema and read what is there."""
    schema = quoted(dataset_name(domain))
    columns = _columns(connection, domain)
    load_number = _last_finished_load(connection, schema, columns)
    _remove_unfinished(connection, schema, columns, load_number)
    if "landed_files" not in columns:
        return Ledger(columns=columns)
    landed = connection.execute(
        "select location, arg_max(content_hash, load_number), arg_max(entity, load_number)"
        f" from {schema}.landed_files group by location"
    ).fetchall()
    return Ledger(
        columns=columns,
        hashes={location: content_hash for location, content_hash, _ in landed},
        loaded_entities=frozenset(entity for _, _, entity in landed),
        load_number=load_number,
    )


def _columns(connection: DuckDBPyConnection, domain: str) -> dict[str, set[str]]:
    rows = connection.execute(
        "select table_name, list(column_name) from duckdb_columns()"
        " where database_name = current_database()"
        f" and schema_name = {literal(dataset_name(domain))} group by table_name"
    ).fetchall()
    return {table: set(names) for table, names in rows}


def _last_finished_load(
    connection: DuckDBPyConnection, schema: str, columns: dict[str, set[str]]
) -> int:
    if not {"landed_files", "_dlt_loads"} <= columns.keys():
        return 0
    row = connection.execute(
        f"select coalesce(max(landed.load_number), 0) from {schema}.landed_files as landed"
        f" semi join {schema}._dlt_loads as loads"
        " on landed.load_id = loads.load_id and loads.status = 0"
    ).fetchone()
    return row[0] if row else 0


def _remove_unfinished(
    connection: DuckDBPyConnection, schema: str, columns: dict[str, set[str]], load_number: int
) -> None:
    """Delete every row of a later load than the last finished one: from all tables or from none."""
    connection.execute("begin")
    try:
        for table, names in columns.items():
            for number in names & {"load_number", "_load_number"}:
                if number == "_load_number" or table == "landed_files":
                    connection.execute(
                        f"delete from {schema}.{quoted(table)} where {number} > {load_number:d}"
                    )
        connection.execute("commit")
    except BaseException:
        connection.execute("rollback")
        raise
