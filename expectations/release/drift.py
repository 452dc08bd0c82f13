"""Drift against the last publish: what the checks of `settings/release.toml` measure.

`drift_frames` measures the candidate and the last publish in SQL, a scan per table; the suite
judges the changes, and `drift_results` tells them check by check.
"""

# ruff: noqa: S608 (identifiers in the SQL of this module are quoted)

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import duckdb

from expectations.examiner import Finding
from expectations.frames import SUBJECT, Frame, quoted
from settings.release import NULLS, QUANTILES, ROWS, SHARES, TOTAL, DriftCheck, Limits, Release

# Frames of what would block, and of what is worth a look.
BLOCK, WARN = "drift_block", "drift_warn"
# Falls and shares are never allowed to be larger than this, however long ago the last publish is:
# beyond 100 % nothing could fail any more.
_WIDEST_PCT = 90.0

_Measured = Mapping[str, float | None]


@dataclass(frozen=True)
class Change:
    """What a check found: a value in the last publish and in the candidate, and the change.

    part: the quantile or the value of `by` that it is of; empty where there is one value only.
    limits: those of `warn` and `block`, widened where the last publish is long ago.
    """

    check: DriftCheck
    part: str
    before: str
    now: str
    change: float
    warn: Limits | None
    block: Limits | None

    @property
    def subject(self) -> str:
        """The name of the check and the part."""
        return f"{self.check.name} {self.part}".strip()


@dataclass(frozen=True)
class DriftResult:
    """How a check ended: what failed of it, as lines that a person reads."""

    check: DriftCheck
    blocked: list[str] = field(default_factory=list)
    warned: list[str] = field(default_factory=list)
    compared: int = 0

    @property
    def failed(self) -> list[str]:
        """All lines, what blocks first."""
        return [*self.blocked, *self.warned]


def unknown_names(
    checks: Iterable[DriftCheck], published: Mapping[str, Iterable[str]]
) -> list[tuple[DriftCheck, str]]:
    """Checks with the table or column that is not among those `published`."""
    found = []
    for check in checks:
        if check.table not in published:
            found.append((check, check.table))
            continue
        columns = set(published[check.table])
        found += [
            (check, name) for name in (check.column, check.by) if name and name not in columns
        ]
    return found


def measure_drift(
    connection: duckdb.DuckDBPyConnection,
    release: Release,
    previous: Path | None,
    gap_days: int,
) -> list[Change]:
    """The changes since the last publish; none where there is none, or nothing to compare.

    `connection` is open on the candidate, `previous` is the DuckDB file of the last publish,
    `gap_days` the days between the as-of dates of both. A table or column that one of them lacks
    is not compared.
    """
    if previous is None:
        return []
    widened = max(1.0, gap_days / release.usual_gap_days)
    changes: list[Change] = []
    with duckdb.connect(str(previous), read_only=True) as last:
        was, is_now = _columns(last), _columns(connection)
        by_table = sorted(release.drift, key=lambda check: check.table)
        for table, checks in groupby(by_table, key=lambda check: check.table):
            both = [check for check in checks if _has(was, check) and _has(is_now, check)]
            if not both:
                continue
            before, now = _measure(last, table, both), _measure(connection, table, both)
            for check in both:
                changes += _changes(check, before[check.name], now[check.name], widened)
    order = {check.name: position for position, check in enumerate(release.drift)}
    return sorted(changes, key=lambda change: order[change.check.name])


def drift_frames(changes: Sequence[Change]) -> dict[str, Frame]:
    """Changes as the frames that the suite judges, one row per change that has a limit there."""
    return {
        name: Frame(
            [SUBJECT, "change", "lowest", "highest"],
            [
                [change.subject, change.change, limits.lowest, limits.highest]
                for change in changes
                if (limits := change.block if name == BLOCK else change.warn)
            ],
        )
        for name in (BLOCK, WARN)
    }


def drift_results(
    release: Release, changes: Sequence[Change], findings: Sequence[Finding]
) -> list[DriftResult]:
    """What the findings of the suite say of each check, in the order of the file."""
    failed = {
        name: {
            subject
            for finding in findings
            if finding.frame == name and not finding.success
            for subject in finding.subjects
        }
        for name in (BLOCK, WARN)
    }
    results = []
    for check in release.drift:
        mine = [change for change in changes if change.check == check]
        blocked = [change for change in mine if change.subject in failed[BLOCK]]
        warned = [c for c in mine if c.subject in failed[WARN] and c not in blocked]
        results.append(
            DriftResult(
                check,
                [_told(change, change.block) for change in blocked],
                [_told(change, change.warn) for change in warned],
                len(mine),
            )
        )
    return results


def _told(change: Change, limits: Limits | None) -> str:
    """A change as a person reads it: before, now, change, and what is allowed."""
    unit = f" {change.check.unit}" if change.check.unit else ""
    assert limits is not None
    lowest, highest = (
        "" if limit is None else f"{limit:+g}{unit}" for limit in (limits.lowest, limits.highest)
    )
    if change.check.measure == SHARES:
        allowed = f"up to {limits.highest:g}{unit}"
    elif lowest and highest:
        allowed = f"{lowest} to {highest}"
    else:
        allowed = f"down to {lowest}" if lowest else f"up to {highest}"
    of = f" of {change.part}" if change.part else ""
    return (
        f"{_what(change.check)}{of}: {change.before} before, {change.now} now "
        f"({change.change:+,.1f}{unit}; allowed is {allowed})"
    )


def _what(check: DriftCheck) -> str:
    if check.measure == ROWS:
        return f"rows of {check.table}"
    name = f"{check.table}.{check.column}"
    return {
        TOTAL: f"total of {name}",
        SHARES: f"distribution of {name}",
        QUANTILES: f"quantile of {name}",
        NULLS: f"rows without {name}",
    }[check.measure]


def sentence(check: DriftCheck) -> str:
    """What a check says, for whoever sees its name only."""
    return (
        f"{_what(check).capitalize()} {'are' if check.measure in (ROWS, NULLS) else 'is'} near "
        "the last publish."
    )


def _columns(connection: duckdb.DuckDBPyConnection) -> dict[str, set[str]]:
    """The tables of a published file with their columns."""
    rows = connection.execute(
        "select table_name, list(column_name) from duckdb_columns()"
        " where database_name = current_database() and schema_name = 'main' group by table_name"
    ).fetchall()
    return {table: set(columns) for table, columns in rows}


def _has(tables: Mapping[str, set[str]], check: DriftCheck) -> bool:
    wanted = {name for name in (check.column, check.by) if name}
    return check.table in tables and wanted <= tables[check.table]


def _measure(
    connection: duckdb.DuckDBPyConnection, table: str, checks: Sequence[DriftCheck]
) -> dict[str, tuple[dict[str, int], Any]]:
    """Name of a check → rows by part (`""` for all), and what it measures.

    One scan for all checks of a table but totals by a column, which take one each.
    """
    selected = {
        check.name: _aggregate(check) for check in checks if not check.by and check.measure != ROWS
    }
    row = connection.execute(
        f"select {', '.join(['count(*)', *selected.values()])} from {quoted(table)}"
    ).fetchone()
    assert row is not None
    rows = {"": int(row[0])}
    measured: dict[str, tuple[dict[str, int], Any]] = {
        name: (rows, value) for name, value in zip(selected, row[1:], strict=True)
    }
    for check in checks:
        if check.measure == ROWS:
            measured[check.name] = (rows, row[0])
        elif check.by:
            groups = connection.execute(
                f"select coalesce({quoted(check.by)}::varchar, 'none'), count(*), "
                f"{_aggregate(check)} from {quoted(table)} group by all"
            ).fetchall()
            measured[check.name] = (
                {part: count for part, count, _ in groups},
                {part: value for part, _, value in groups},
            )
    return measured


def _aggregate(check: DriftCheck) -> str:
    column = quoted(check.column or "")
    if check.measure == TOTAL:
        return f"coalesce(sum({column}), 0)::double"
    if check.measure == SHARES:
        return f"histogram(coalesce({column}::varchar, 'none'))"
    if check.measure == NULLS:
        return f"count(*) - count({column})"
    return f"quantile_cont({column}::double, {list(check.quantiles)})"


def _changes(
    check: DriftCheck,
    before: tuple[dict[str, int], Any],
    now: tuple[dict[str, int], Any],
    widened: float,
) -> list[Change]:
    """The changes of one check whose value before was of enough rows, and not 0."""
    (rows_before, was), (rows_now, is_now) = before, now
    warn, block = (_widened(limits, check, widened) for limits in (check.warn, check.block))

    def change(part: str, old: str, new: str, by: float) -> Change:
        return Change(check, part, old, new, by, warn, block)

    if check.by:
        return [
            change(part, f"{old:,.2f}", f"{new:,.2f}", 100 * (new - old) / abs(old))
            for part, old in sorted(was.items())
            if rows_before[part] >= max(check.from_rows, 1) and old
            for new in [is_now.get(part, 0.0)]
        ]
    if rows_before[""] < max(check.from_rows, 1):
        return []
    if check.measure in (ROWS, TOTAL):
        if not was:
            return []
        shown = "{:,.0f}" if check.measure == ROWS else "{:,.2f}"
        return [
            change("", shown.format(was), shown.format(is_now), 100 * (is_now - was) / abs(was))
        ]
    if check.measure == QUANTILES:
        return [
            change(f"{at:g}", f"{old:,.6g}", f"{new:,.6g}", _shift(check, old, new))
            for at, old, new in zip(
                check.quantiles, was or [], is_now or [], strict=bool(was and is_now)
            )
            if old or not check.unit
        ]
    if not rows_now[""]:
        return []
    if check.measure == NULLS:
        old, new = 100 * was / rows_before[""], 100 * is_now / rows_now[""]
        return [change("", f"{old:.1f} %", f"{new:.1f} %", new - old)]
    return [change("", *_moved(was, is_now))]


def _shift(check: DriftCheck, old: float, new: float) -> float:
    return 100 * (new - old) / abs(old) if check.unit else new - old


def _moved(was: Mapping[str, int], is_now: Mapping[str, int]) -> tuple[str, str, float]:
    """The value whose share changed most, before and now, and the share of rows that moved."""
    shares = {
        value: (
            100 * was.get(value, 0) / sum(was.values()),
            100 * is_now.get(value, 0) / sum(is_now.values()),
        )
        for value in {*was, *is_now}
    }
    moved = sum(abs(new - old) for old, new in shares.values()) / 2
    most = max(sorted(shares), key=lambda value: abs(shares[value][1] - shares[value][0]))
    old, new = shares[most]
    return f"{old:.1f} % {most}", f"{new:.1f} %", moved


def _widened(limits: Limits | None, check: DriftCheck, factor: float) -> Limits | None:
    """Limits for a longer gap than the usual one."""
    if limits is None or factor <= 1:
        return limits

    def capped(limit: float) -> float:
        return min(limit * factor, max(limit, _WIDEST_PCT))

    low = None if limits.lowest is None else limits.lowest * factor
    high = None if limits.highest is None else limits.highest * factor
    if check.unit and limits.lowest is not None:
        low = -capped(-limits.lowest)
    if check.unit == "% of rows" and limits.highest is not None:
        high = capped(limits.highest)
    return Limits(low, high)
