"""What a publish says of the one before it: figures of past periods that changed, and why.

Two tables of the candidate are written here, before its release checks:

    audit_definitions   what figures hang on beside the records: models, settings, keys of tables
    audit_restatements  each figure of a past period that changed since the last publish, its cause

What changed is found by `orchestration/comparison.py`, why by `orchestration/causes.py`.
"""

# ruff: noqa: S608 (identifiers and texts in the SQL of this module are quoted)

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from ingestion.sql import literal
from orchestration.causes import Causes
from orchestration.comparison import (
    DEFINITIONS,
    RESTATEMENTS,
    open_side,
    write_changes,
)
from orchestration.manifest import Manifest, PublishedTable, model_code
from orchestration.publishing import (
    DATABASE,
    Lead,
    candidate_path,
    code_version,
    describe,
    export_table,
    previous_publish,
)
from settings import Settings, run_tables

DEFINITION_TABLE = PublishedTable(
    DEFINITIONS,
    ("kind", "name"),
    "One row per definition that the figures of this publish hang on beside the records.",
    {
        "kind": "model, setting, or key (of a published table).",
        "name": "Name of the model, the setting or the table.",
        "definition": "Hash of a model's code and macros, value of a setting (hash of the rows, "
        "where it is a file), columns of a key.",
        "used_by": "Models that read the setting; NULL for the other kinds.",
        "as_of_date": "First day that is not complete as of this row.",
    },
)
RESTATEMENT_TABLE = PublishedTable(
    RESTATEMENTS,
    ("published_in", "metric", "account_id", "key", "period"),
    "One row per figure of a closed month or a past day that changed since the last publish.",
    {
        "metric": "Name of the metric, as in metric_catalog.",
        "published_in": "Table and column in which the figure stands.",
        "account_id": "Account of the figure; NULL for those of a CSM or the portfolio.",
        "key": "Further columns of the row's key, as name=value; NULL where there is none.",
        "period": "First day of the month, or the day.",
        "previous_value": "Value in the publish before; NULL where it had none.",
        "value": "Value now; NULL where there is none any more.",
        "difference": "Value less previous value, each 0 where NULL.",
        "previous_publish": "Publish that is compared with.",
        "cause": "Records that appeared, changed or vanished, new code or settings, days passed.",
        "as_of_date": "First day that is not complete as of this row.",
    },
)
OWN_TABLES = (DEFINITION_TABLE, RESTATEMENT_TABLE)

# Settings of `run` that no figure changes with, or that follow from the as-of date.
_NO_DEFINITIONS = {"as_of_date", "health_first_day", "figures_first_day", "kept_publishes"}


def write_audit(
    settings: Settings,
    manifest: Manifest,
    tables: Sequence[PublishedTable],
    as_of: date,
    lead: Lead = Lead.BY_DATE,
) -> int:
    """Write `OWN_TABLES` into the candidate, which holds all others; figures that were restated."""
    folder = candidate_path(settings)
    previous = previous_publish(settings, as_of, lead)
    with duckdb.connect(str(folder / DATABASE)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("set memory_limit = ?", [settings.memory_limit])
        connection.execute(f"attach {literal(settings.warehouse_path)} as warehouse (read_only)")
        write_definitions(connection, definitions(manifest, settings, as_of, tables), as_of)
        restated = write_restatements(
            connection, as_of, previous / DATABASE if previous else None, code_version()
        )
        for table in OWN_TABLES:
            describe(connection, table)
            export_table(connection, table.name, folder)
    return restated


def audit_rows(settings: Settings) -> dict[str, int]:
    """Rows of each of `OWN_TABLES` in the candidate's file; 0 where it lacks one."""
    with duckdb.connect(str(candidate_path(settings) / DATABASE), read_only=True) as connection:
        found = {name for (name,) in connection.execute("show tables").fetchall()}
        counts = {
            table.name: connection.execute(f"select count(*) from {table.name}").fetchone()
            for table in OWN_TABLES
            if table.name in found
        }
    return {table.name: (counts.get(table.name) or (0,))[0] for table in OWN_TABLES}


def definitions(
    manifest: Manifest, settings: Settings, as_of: date, tables: Sequence[PublishedTable]
) -> list[tuple[Any, ...]]:
    """The rows of `audit_definitions` but for the as-of date, in order."""
    code = _code(manifest)
    words = {name: set(re.findall(r"\w+", said)) for name, said in code.items()}
    rows = [("model", name, _digest(said), None) for name, said in code.items()]
    rows += [("key", table.name, ", ".join(table.grain), None) for table in (*tables, *OWN_TABLES)]
    options, *files = run_tables(settings, as_of)
    for name, value in zip(options.columns, options.rows[0], strict=True):
        if name not in _NO_DEFINITIONS:
            users = sorted(m for m, said in words.items() if name in said and m != "run_settings")
            rows.append(("setting", name, str(value), users))
    for table in files:
        source = f"source.account360.run.{table.name}"
        users = [
            node["name"]
            for node in manifest["nodes"].values()
            if node["resource_type"] == "model" and source in node["depends_on"]["nodes"]
        ]
        rows.append(("setting", table.name, _digest(repr(table.rows)), sorted(users)))
    return sorted(rows, key=lambda row: row[:2])


def _code(manifest: Manifest) -> dict[str, str]:
    """Model → its code with that of the project's macros that it calls."""
    return {
        node["name"]: model_code(manifest, unique_id)
        for unique_id, node in manifest["nodes"].items()
        if node["resource_type"] == "model"
    }


def _digest(said: str) -> str:
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def write_definitions(
    connection: duckdb.DuckDBPyConnection, rows: Sequence[tuple[Any, ...]], as_of: date
) -> None:
    """Make `audit_definitions` in the file that `connection` is open on."""
    connection.execute(
        f"create table {DEFINITIONS}"
        " (kind varchar, name varchar, definition varchar, used_by varchar[], as_of_date date)"
    )
    # One list per column: bound one by one, rows would take a millisecond each.
    columns = [list(column) for column in zip(*rows, strict=True)]
    connection.execute(
        f"""
        insert into {DEFINITIONS}
        select unnest(?::varchar[]), unnest(?::varchar[]), unnest(?::varchar[]),
            unnest(?::varchar[][]), ?
        """,
        [*columns, as_of],
    )


def write_restatements(
    connection: duckdb.DuckDBPyConnection, as_of: date, previous: Path | None, code: str
) -> int:
    """Make `audit_restatements` of the candidate; its number of rows.

    `connection` is open on the candidate, with the warehouse attached as `warehouse`. `previous` is
    the DuckDB file of the publish compared with, in a folder named by it; without one the table is
    empty. `code` is the version that makes the candidate.
    """
    connection.execute(
        f"""
        create table {RESTATEMENTS} (
            metric varchar, published_in varchar, account_id varchar, key varchar, period date,
            previous_value double, value double, difference double,
            previous_publish varchar, cause varchar, as_of_date date
        )
        """
    )
    if previous is None:
        return 0
    connection.execute(f"attach {literal(previous)} as previous (read_only)")
    try:
        name = connection.execute("select current_database()").fetchone()
        after = open_side(connection, name[0] if name else "")
        before = open_side(connection, "previous", after.keys)
        write_changes(connection, before, after, "restated")
        found = connection.execute("select count(*) from temp.restated").fetchone()
        if not found or not found[0]:
            return 0
        Causes(connection, before, after, previous.parent.name, code).write()
        connection.execute(
            f"""
            insert into {RESTATEMENTS}
            select
                restated.metric, restated.published_in, restated.account_id, restated.key,
                restated.period, restated.previous_value, restated.value,
                coalesce(restated.value, 0) - coalesce(restated.previous_value, 0),
                {literal(previous.parent.name)}, causes.cause, date '{as_of}'
            from temp.restated_of as restated
            inner join temp.causes
                on
                    restated.subject = causes.subject
                    and restated.metric = causes.metric
                    and restated.published_in = causes.published_in
                    and restated.is_provisional = causes.is_provisional
            order by published_in, metric, account_id, key, period
            """
        )
        return int(found[0])
    finally:
        connection.execute("detach previous")
