"""What was erased is taken out of what lands, before it reaches raw."""

# ruff: noqa: S608 (identifiers and texts in the SQL of this module are quoted)

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ingestion.erased.handles import Handle
from ingestion.erased.rules import DEPENDED_ON, raw_rules
from ingestion.erased.scrub import Scrub
from ingestion.erased.tombstones import Tombstones
from ingestion.sources.extract import Extract, Selection
from ingestion.sql import count_rows, literal, quoted

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


def scrub_extract(
    extract: Extract, folder: Path, tombstones: Tombstones, stage_name: str = "scrubbed"
) -> None:
    """Take what was erased out of what is about to be loaded.

    Every selection with something erased is written anew into `folder`; the others stay. Files get
    the number of their records that are left out. What hangs on such records (lines of invoices,
    changes of tickets) may land in a later load and gets tombstones of its own.
    """
    import duckdb

    with duckdb.connect() as connection:
        connection.execute("set timezone = 'UTC'")
        staged = _staged(connection, extract, folder, stage_name)
        handles = [
            handle
            for _, relation, columns in staged
            for handle in tombstones.handles_in(connection, relation, columns)
        ]
        if not handles:
            return
        handles += _dependants(connection, staged, handles)
        tombstones.add(handles, tombstones.erasures)
        scrub = Scrub(connection, handles)
        selections: dict[str, list[Selection]] = {}
        removed: dict[tuple[str, str], int] = {}
        for number, (table, relation, columns) in enumerate(staged, start=1):
            outcome = scrub.outcome(relation, columns, raw_rules(table, columns))
            if outcome.rest is None:
                path, rows = relation, count_rows(connection, relation)
            else:
                target = folder / f"{stage_name}_rest_{number}.parquet"
                rows = write_parquet(connection, outcome.rest, target)
                path = f"read_parquet({literal(str(target))})"
                for location, count in connection.execute(
                    f"select _location, count(*) from ({outcome.gone}) group by all"
                ).fetchall():
                    removed[table, location] = removed.get((table, location), 0) + count
            selected = ", ".join(map(quoted, columns))
            selections.setdefault(table, []).append(
                Selection(f"select {selected} from {path}", rows)
            )
    extract.selections = selections
    extract.files = [
        replace(file, erased_rows=removed.get((file.entity, file.location), 0))
        for file in extract.files
    ]


def _staged(
    connection: DuckDBPyConnection, extract: Extract, folder: Path, stage_name: str
) -> list[tuple[str, str, list[str]]]:
    """Every selection as a Parquet file, since it is looked at more than once: table, relation,
    columns."""
    staged = []
    for table, selections in extract.selections.items():
        for selection in selections:
            target = folder / f"{stage_name}_{len(staged) + 1}.parquet"
            write_parquet(connection, selection.query, target)
            relation = f"read_parquet({literal(str(target))})"
            columns = [row[0] for row in connection.execute(f"describe from {relation}").fetchall()]
            staged.append((table, relation, columns))
    return staged


def _dependants(
    connection: DuckDBPyConnection,
    staged: Iterable[tuple[str, str, list[str]]],
    handles: Iterable[Handle],
) -> list[Handle]:
    """Handles of the invoices and tickets of erased accounts among what is staged."""
    accounts = {handle.value: handle.replacement for handle in handles if handle.kind == "account"}
    found = []
    for table, relation, columns in staged:
        kind = DEPENDED_ON.get(table)
        if kind and accounts and "account_id" in columns:
            rows = connection.execute(
                f"select distinct {kind}_id, account_id from {relation}"
                " where account_id in (select unnest(?::varchar[]))",
                [list(accounts)],
            ).fetchall()
            found += [
                Handle(kind, "", value, accounts[account_id]) for value, account_id in rows if value
            ]
    return found


def write_parquet(connection: DuckDBPyConnection, query: str, target: Path) -> int:
    """Write what a query gives; the number of rows."""
    row = connection.execute(
        f"copy ({query}) to {literal(str(target))} (format parquet, compression lz4)"
    ).fetchone()
    return int(row[0]) if row else 0
