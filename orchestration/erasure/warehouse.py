"""The warehouse without who was erased: a copy that takes its place."""

# ruff: noqa: S608 (identifiers and texts in the SQL of this module are quoted or bound)

from __future__ import annotations

from datetime import UTC, datetime

import duckdb

from ingestion import DOMAINS
from ingestion.erased import Outcome, Scrub, raw_rules
from ingestion.sql import literal, quoted
from ingestion.tables import dataset_name
from ingestion.warehouse import STORAGE_VERSION
from orchestration.erasure.databases import attached, tables_of
from orchestration.erasure.plan import Plan
from settings import Settings

_KEPT_SCHEMAS = (*(dataset_name(domain) for domain in DOMAINS), "run")
_ERASURES = (
    "erasure bigint, kind varchar, pseudonym varchar, account_id varchar, erased_at timestamp"
)


def rewrite_warehouse(settings: Settings, plan: Plan, erasure: int) -> None:
    """Copy raw and the memory of runs into a new file, without the subject, and swap it in."""
    target = settings.warehouse_path.with_suffix(".erasing")
    target.unlink(missing_ok=True)
    # what a crashed night left in its log has to be in the file before it is read
    with duckdb.connect(str(settings.warehouse_path)) as connection:
        connection.execute("checkpoint")
    with attached(settings.warehouse_path) as connection:
        connection.execute(f"set memory_limit = {literal(settings.memory_limit)}")
        connection.execute(
            f"attach {literal(str(target))} as fresh (storage_version '{STORAGE_VERSION}')"
        )
        scrub = Scrub(connection, plan.handles)
        removed = []
        for schema, table, columns in tables_of(connection, "warehouse"):
            if schema not in _KEPT_SCHEMAS:
                continue
            connection.execute(f"create schema if not exists fresh.{quoted(schema)}")
            _create_like(connection, schema, table)
            relation = f"warehouse.{quoted(schema)}.{quoted(table)}"
            is_records = schema.startswith("raw_") and not table.startswith("_dlt")
            outcome = (
                scrub.outcome(relation, columns, raw_rules(table, columns))
                if is_records and table != "landed_files"
                else Outcome()
            )
            connection.execute(
                f"insert into fresh.{quoted(schema)}.{quoted(table)}"
                f" {outcome.rest or f'from {relation}'}"
            )
            if outcome.removed:
                removed.append((schema, table, outcome.gone))
        for schema, table, gone in removed:
            _count_as_erased(connection, schema, table, str(gone))
        _note_erasure(connection, plan, erasure)
        connection.execute("checkpoint fresh")
        connection.execute("detach fresh")
    target.replace(settings.warehouse_path)


def _create_like(connection: duckdb.DuckDBPyConnection, schema: str, table: str) -> None:
    """Make an empty table as the warehouse has it."""
    row = connection.execute(
        "select sql from duckdb_tables() where database_name = 'warehouse' and schema_name = ?"
        " and table_name = ?",
        [schema, table],
    ).fetchone()
    connection.execute("use fresh")
    connection.execute(row[0] if row else "")
    connection.execute("use memory")


def _count_as_erased(
    connection: duckdb.DuckDBPyConnection, schema: str, table: str, gone: str
) -> None:
    """Say in the ledger how many records of each file went."""
    ledger = f"fresh.{quoted(schema)}.landed_files"
    connection.execute(f"alter table {ledger} add column if not exists erased_rows bigint")
    connection.execute(
        f"update {ledger} as ledger set erased_rows = coalesce(ledger.erased_rows, 0) + gone.rows"
        f" from (select _location, _load_number, count(*) as rows from ({gone}) group by all)"
        " as gone where ledger.entity = ? and ledger.location = gone._location"
        " and ledger.load_number = gone._load_number",
        [table],
    )


def _note_erasure(connection: duckdb.DuckDBPyConnection, plan: Plan, erasure: int) -> None:
    """Add the erasure to `run.erasures`: of a person's account what it is, of an account nothing
    but its pseudonym."""
    subject = plan.subject
    connection.execute("create schema if not exists fresh.run")
    connection.execute(f"create table if not exists fresh.run.erasures ({_ERASURES})")
    connection.execute(
        "insert into fresh.run.erasures values (?, ?, ?, ?, ?)",
        [
            erasure,
            "account" if subject.is_account else "person",
            plan.replacement,
            None if subject.is_account else subject.account,
            datetime.now(UTC).replace(tzinfo=None, microsecond=0),
        ],
    )
