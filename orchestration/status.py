"""What `account360 status` tells: the publish that readers see, and how the last night ended."""

# ruff: noqa: S608 (the names in the SQL of this module are our own)

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

from orchestration.publishing import AUDIT_TABLE, CHECKS_TABLE, DATABASE, current_publish
from orchestration.report import (
    NightReport,
    conservation_lines,
    load_last,
    read_conservation,
    table,
)
from orchestration.staleness import data_through, find_stale, last_night_failed
from settings import Settings


def status(settings: Settings) -> str:
    """The state of a home folder, as a person reads it. Reads the published file only."""
    folder = current_publish(settings)
    parts = [_publish(folder) if folder else f"Nothing is published in {settings.home} yet."]
    last = load_last(settings)
    parts.append(_last_night(last) if last else "No night has been run yet.")
    return "\n\n".join(parts)


def check(settings: Settings, *, is_alerting: bool = False) -> tuple[list[str], list[str]]:
    """What is stale and whether the last night failed, a line each; what went wrong with telling.

    With `is_alerting` whoever is to be told is told, of each state once.
    """
    from orchestration.alerts import tell_failed, tell_stale

    stale = find_stale(settings)
    failed = last_night_failed(settings)
    complaints = []
    if is_alerting:
        complaints += tell_stale(settings, stale)
        if failed and (last := load_last(settings)):
            complaints += tell_failed(settings, last)
    return [*([failed] if failed else []), *(one.says for one in stale)], complaints


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
        accepted = _accepted(connection)
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
        *(
            [f"{domain} data through", str(day or "no data")]
            for domain, day in data_through(database).items()
        ),
    ]
    return "\n\n".join(
        [
            _section("Published", table(facts, numbers=set())),
            *([_section("Published although these checks failed", accepted)] if accepted else []),
            _section("Tables", table([[name, f"{n:,}", "rows"] for name, n in rows], numbers={1})),
            _section(
                "Records, over all loads",
                conservation_lines(read_conservation(database, "main.audit_conservation")),
            ),
        ]
    ).strip()


def _accepted(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """The checks that somebody accepted, with what they found and why that was right."""
    # publishes of older code do not have the column
    if not connection.execute(
        "select 1 from duckdb_columns() where table_name = ? and column_name = 'accepted_by'",
        [CHECKS_TABLE],
    ).fetchone():
        return []
    rows = connection.execute(
        f"select check_name, accepted_by, accepted_at, accepted_reason, finding from {CHECKS_TABLE}"
        " where accepted_by is not null order by check_name"
    ).fetchall()
    return [
        line
        for check, by, at, reason, finding in rows
        for line in (
            f"{check}: accepted by {by} at {at:%Y-%m-%d %H:%M} UTC: {reason}",
            *(f"    {found}" for found in (finding or "").splitlines()),
        )
    ]


def _last_night(report: NightReport) -> str:
    ended = "published" if report.is_published else "NOT PUBLISHED"
    lines = [f"started {report.started_at}, took {report.seconds:.1f} s, log {report.log}"]
    for remark in report.failures:
        lines.append(f"failed: {remark.where}: {remark.what}")
        lines += [f"    {line}" for detail in remark.details for line in detail.splitlines()]
    lines += [f"upgraded: {line}" for line in report.upgrades]
    lines += [f"accepted: {remark.where}: {remark.what}" for remark in report.accepted]
    for remark in report.warnings:
        told = "; ".join(remark.details) or remark.what
        first, *more = told.splitlines()
        lines.append(f"worth a look: {remark.where}: {first}")
        lines += [f"    {line}" for line in more]
    return _section(f"Last night, of {report.as_of}: {ended}", lines)


def _section(title: str, lines: Sequence[str]) -> str:
    return "\n".join([title, *(f"  {line}" for line in lines)]) if lines else ""
