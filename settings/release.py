"""The release file: how far a publish may drift from the last one before somebody must look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from settings.files import File, Table, as_number, near, said

ROWS, TOTAL, SHARES, QUANTILES, NULLS = "rows", "total", "shares", "quantiles", "nulls"

# Measure → the limits that it has; of the last two of quantiles one is given.
_LIMITS = {
    ROWS: ("fall_pct", "rise_pct"),
    TOTAL: ("fall_pct", "rise_pct"),
    SHARES: ("moved_pct",),
    NULLS: ("moved_pct",),
    QUANTILES: ("shift", "shift_pct"),
}
_KEYS = ("table", "measure", "column", "by", "quantiles", "from_rows", "warn", "block")
_FROM_ROWS = 100
_QUANTILES = (Decimal("0.25"), Decimal("0.5"), Decimal("0.75"))


@dataclass(frozen=True)
class Limits:
    """The smallest and the largest change allowed, in the unit of the check; None: no limit."""

    lowest: float | None
    highest: float | None


@dataclass(frozen=True)
class DriftCheck:
    """One measure of a published table, and how far it may be from that of the last publish.

    unit: of a change: `%` (of the value before), `% of rows`, or none (that of the column).
    by: a column whose values are totalled apart. from_rows: fewer rows before are not judged.
    """

    table: str
    measure: str
    column: str | None
    by: str | None
    quantiles: tuple[float, ...]
    from_rows: int
    unit: str
    warn: Limits | None
    block: Limits | None

    @property
    def name(self) -> str:
        """The name by which it is told, and accepted."""
        measure = f"{self.measure}_by_{self.by}" if self.by else self.measure
        return ".".join(["drift", self.table, *([self.column] if self.column else []), measure])


@dataclass(frozen=True)
class Release:
    """The checks of the file, and the days between two publishes that their limits are for."""

    usual_gap_days: int
    drift: tuple[DriftCheck, ...]


def read_release(file: Path) -> Release:
    """What a file says, validated. A file without a check is allowed."""
    whole = File(file, ["usual_gap_days", "drift"])
    usual_gap_days = whole.whole("usual_gap_days", 1, 366)
    if whole.values.get("drift") == []:
        return Release(usual_gap_days, ())
    tables = whole.tables("drift", "drift", _KEYS)
    read = [(table, _check(table)) for table in tables]
    seen: dict[str, str] = {}
    for table, check in read:
        if check.name in seen:
            raise table.error(f"{check.name} is that of {seen[check.name]}", "each one once")
        seen[check.name] = table.place
    return Release(usual_gap_days, tuple(check for _, check in read))


def _check(table: Table) -> DriftCheck:
    name = table.text("table", "the name of a published table")
    table.called(name)
    measure = table.text("measure", ", ".join(_LIMITS))
    if measure not in _LIMITS:
        raise table.error(
            f"unknown measure {measure!r}", ", ".join(_LIMITS), near(measure, _LIMITS)
        )
    for key, measures in (("by", (TOTAL,)), ("quantiles", (QUANTILES,))):
        if key in table.values and measure not in measures:
            raise table.error(f"{key} stands beside {measure}", f"{key} of {measures[0]} only")
    if measure == ROWS and "column" in table.values:
        raise table.error("rows have a column", "column of every measure but rows")
    warn, block = (_limits(table, level, measure) for level in ("warn", "block"))
    if warn is None and block is None:
        raise table.error("neither warn nor block is there", "one of them, or both")
    return DriftCheck(
        table=name,
        measure=measure,
        column=None if measure == ROWS else table.text("column", "the name of a column"),
        by=table.text("by", "the name of a column") if "by" in table.values else None,
        quantiles=_quantiles(table) if measure == QUANTILES else (),
        from_rows=table.whole("from_rows", 0, 10**9) if "from_rows" in table.values else _FROM_ROWS,
        unit=_unit(table, measure),
        warn=warn,
        block=block,
    )


def _quantiles(table: Table) -> tuple[float, ...]:
    values = table.values.get("quantiles", list(_QUANTILES))
    allowed = "a list of numbers between 0 and 1, such as [0.1, 0.5]"
    if not isinstance(values, list) or not values:
        raise table.refuse("quantiles", allowed)
    for value in values:
        if (number := as_number(value)) is None or not 0 < number < 1:
            raise table.error(f"{said(value)} is among quantiles", allowed)
    return tuple(float(value) for value in values)


def _limits(table: Table, level: str, measure: str) -> Limits | None:
    if level not in table.values:
        return None
    allowed = _LIMITS[measure]
    limits = Table(table.file, f"{table.place}, {level}", table.values[level], allowed)
    given = {key: _limit(limits, key) for key in allowed if key in limits.values}
    if not given or (measure == QUANTILES and len(given) > 1):
        raise limits.error(
            f"{' and '.join(given) or 'no limit'} is there",
            f"{' or '.join(allowed)}{'' if measure == QUANTILES else ', at least one'}",
        )
    if measure in (ROWS, TOTAL):
        fall = given.get("fall_pct")
        return Limits(None if fall is None else -fall, given.get("rise_pct"))
    (limit,) = given.values()
    return Limits(-limit, limit)


def _limit(limits: Table, key: str) -> float:
    # more than all of them can move in no table
    most = 100 if key == "moved_pct" else None
    allowed = "a number from 0 to 100" if most else "a number of at least 0"
    number = limits.number(key, allowed)
    if number < 0 or (most is not None and number > most):
        raise limits.refuse(key, allowed)
    return float(number)


def _unit(table: Table, measure: str) -> str:
    if measure != QUANTILES:
        return "%" if measure in (ROWS, TOTAL) else "% of rows"
    given: Sequence[set[str]] = [
        set(table.values[level]) for level in ("warn", "block") if level in table.values
    ]
    if len({frozenset(keys) for keys in given}) > 1:
        raise table.error(
            f"warn has {', '.join(given[0])}, block {', '.join(given[1])}",
            "shift or shift_pct in both",
        )
    return "%" if "shift_pct" in given[0] else ""
