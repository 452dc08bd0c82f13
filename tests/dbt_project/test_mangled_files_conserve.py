"""Mangled files through staging to the figures: every record is counted once, and no night dies."""

from __future__ import annotations

import os
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from ingestion import DOMAINS, load_domain
from settings import load_settings
from tests.compiled_project import CompiledProject, InMemoryWarehouse
from tests.ingestion.mangled_files import mangled

# `MANGLED_NIGHTS=20 pytest …` tries more of them.
NIGHTS = int(os.environ.get("MANGLED_NIGHTS", "1"))
FILES = 240
OUTCOMES = (
    "current_rows",
    "superseded",
    "duplicates",
    "unattributed",
    "rejected",
    "erased",
)


@pytest.mark.parametrize("seed", range(1000, 1000 + NIGHTS))
def test_every_record_of_mangled_files_has_one_outcome_and_figures_can_be_built(
    compiled_project: CompiledProject, tmp_path: Path, seed: int
) -> None:
    read = land(tmp_path, seed)
    warehouse = compiled_project.warehouse()
    copy_raw(warehouse, tmp_path / "home" / "warehouse.duckdb")
    warehouse.set_inputs(date(2024, 6, 10))
    published = [
        name for name, node in compiled_project.models.items() if node["schema"] == "published"
    ]
    warehouse.build(*(published if NIGHTS > 1 else ["audit_conservation", "account_360"]))
    counted = warehouse.rows("audit_conservation")
    for row in counted:
        assert row["difference"] == 0, row
        if row["entity"] != "account_parents":  # these are counted by what accounts say
            assert row["records_read"] == read[row["domain"], row["entity"]], row
        assert row["records_read"] == sum(row[outcome] or 0 for outcome in OUTCOMES), row
    assert sum(row["rejected"] for row in counted) > 10
    assert sum(row["current_rows"] for row in counted) > 100
    warehouse.connection.close()


def land(folder: Path, seed: int) -> Counter[tuple[str, str]]:
    """Load mangled files of all domains; the records read by domain and entity."""
    settings = load_settings(environ={}, home=folder / "home")
    for draft in mangled(seed, FILES, bombs=0):
        path = settings.landing / draft.location
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(draft.content)
    read: Counter[tuple[str, str]] = Counter()
    for domain in DOMAINS:
        for file in load_domain(domain, settings, datetime(2024, 6, 10, tzinfo=UTC)).files:
            read[domain, file.entity] += file.rows_read
    return read


def copy_raw(warehouse: InMemoryWarehouse, landed: Path) -> None:
    """Let the warehouse in memory have the raw tables of one that was loaded."""
    connection = warehouse.connection
    connection.execute(f"attach '{landed}' as landed (read_only)")
    tables = connection.execute(
        "select schema_name, table_name from duckdb_tables()"
        " where database_name = 'landed' and schema_name like 'raw_%'"
        " and table_name not like '_dlt%'"
    ).fetchall()
    for schema, table in tables:
        connection.execute(
            f"create or replace table {schema}.{table} as from landed.{schema}.{table}"
        )
    connection.execute("detach landed")
