"""What `account360 status` tells: the publish that readers see, and how the last night ended."""

# ruff: noqa: S608 (the names in the SQL of this module are our own)

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

from orchestration.publishing import AUDIT_TABLE, DATABASE, current_publish
from orchestration.report import (
    NightReport,
    conservation_lines,
    load_last,
    read_conservation,
    table,
)
from settings import Settings


def status(settings: Settings) -> str:
    """The state of a home folder, as a person reads it. Reads the published file only."""
    folder = current_publish(settings)
    parts = [_publish(folder) if folder else f"Nothing is published in {settings.home} yet."]
    last = load_last(settings)
    parts.append(_last_night(last) if last else "No night has been run yet.")
    return "\n\n".join(parts)


def _publish(folder: Path) -> str:
    database = folder / DATABASE
    with duckdb.connect(str(database), read_only=True) as connection:
        row = connection.execute(
            f"select publish_id, as_of_date, published_at, code_version, run_id, checks_passed "
            f"from {AUDIT_TABLE} where publish_id = ?",
            [folder.name],
        ).fetchone()
        # views have no rows of their own
        stored = connection.execute("select table_name from duckdb_tables()").fetchall()
        names = [name for (name,) in stored]
        rows = connection.execute(
            " union all ".join(f"select '{name}', count(*) from \"{name}\"" for name in names)
            + " order by 1"
        ).fetchall()
        through = _data_through(connection)
    if row is None:
        raise RuntimeError(f"{database} does not say which publish it is")
    publish_id, as_of, published_at, code_version, run_id, checks = row
    facts = [
        ["publish", publish_id],
        ["as of", str(as_of)],
        ["published at", f"{published_at:%Y-%m-%d %H:%M:%S} UTC"],
        ["code version", code_version],
        ["run", run_id],
        ["checks passed", f"{checks:,}"],
        ["file", str(folder.parent / "current" / DATABASE)],
        *([f"{domain} data through", day] for domain, day in through),
    ]
    return "\n\n".join(
        [
            _section("Published", table(facts, numbers=set())),
            _section("Tables", table([[name, f"{n:,}", "rows"] for name, n in rows], numbers={1})),
            _section(
                "Records, over all loads",
                conservation_lines(read_conservation(database, "main.audit_conservation")),
            ),
        ]
    ).strip()


def _data_through(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    """The latest `<domain>_data_through` of account_360."""
    columns = [
        name
        for (name, *_) in connection.execute("describe account_360").fetchall()
        if name.endswith("_data_through")
    ]
    if not columns:
        return []
    row = connection.execute(
        f"select {', '.join(f'max({name})' for name in columns)} from account_360"
    ).fetchone()
    return [
        (name.removesuffix("_data_through"), str(value) if value else "no data")
        for name, value in zip(columns, row or [], strict=True)
    ]


def _last_night(report: NightReport) -> str:
    ended = "published" if report.is_published else "NOT PUBLISHED"
    lines = [f"started {report.started_at}, took {report.seconds:.1f} s, log {report.log}"]
    for remark in report.failures:
        lines.append(f"failed: {remark.where}: {remark.what}")
        lines += [f"    {line}" for detail in remark.details for line in detail.splitlines()]
    for remark in report.warnings:
        told = "; ".join(remark.details) or remark.what
        first, *more = told.splitlines()
        lines.append(f"worth a look: {remark.where}: {first}")
        lines += [f"    {line}" for line in more]
    return _section(f"Last night, of {report.as_of}: {ended}", lines)


def _section(title: str, lines: Sequence[str]) -> str:
    return "\n".join([title, *(f"  {line}" for line in lines)]) if lines else ""
