"""The arithmetic of a figure: its formula with numbers in it, and whether its records add up."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from orchestration.explain.answers import Contribution, Metric, Part

# The numbers of a formula that begins so are those of many rows, not of the figure's own.
_AGGREGATE = re.compile(r"Σ|count |number |the |min\(|of n ")
_NAME = re.compile(r"(?<![\w.])[a-z][a-z0-9_]*(?![\w.]*\w)")
_OPERATORS = "·×−+/=<>≤≥"
_ARITHMETIC = re.compile(r"[\d,.()\s·×−+/-]+")


def parts_of(
    metric: Metric, row: Mapping[str, Any], contributions: Sequence[Contribution]
) -> tuple[Part, ...]:
    """Numerator and denominator, or the value, as sums over records; those of the row where the
    records are not published."""
    parts = []
    for part in ("value", "numerator", "denominator"):
        records = [one for one in contributions if one.part == part]
        column = f"{metric.column.removesuffix('_pct')}_{part}"
        if records:
            totals = (
                _sum(one.amount for one in records),
                _sum(one.amount_reporting for one in records),
            )
            parts.append(Part(part, *totals, records[0].factor, len(records)))
        elif column in row:
            factor = 100.0 if metric.unit == "percent" else 1.0
            parts.append(Part(part, row[column], None, factor, 0))
    return tuple(parts)


def _sum(amounts: Iterable[Decimal | None]) -> Decimal | None:
    """The sum of what is known; None where nothing is, as of a figure that is no number."""
    known = [amount for amount in amounts if amount is not None]
    return sum(known, Decimal(0)) if known else None


def worked(metric: Metric, row: Mapping[str, Any], parts: Sequence[Part]) -> str | None:
    """The formula with its numbers: those of the figure's own row, else those of its parts."""
    value = shown(row[metric.column])
    formula = metric.formula.partition(";")[0].rstrip(".")
    if not _AGGREGATE.match(formula):
        used: dict[str, str] = {}

        def number(match: re.Match[str]) -> str:
            name = match.group()
            if name not in row or name in metric.grain or isinstance(row[name], str):
                return name
            before, after = formula[: match.start()].rstrip(), formula[match.end() :].lstrip()
            # words such as "users" are columns too: between operators they are meant as such
            if "_" not in name and not (
                before[-1:] in {*_OPERATORS, "(", ""} and after[:1] in {*_OPERATORS, ")", ""}
            ):
                return name
            used[name] = shown(row[name])
            return used[name]

        filled = _NAME.sub(number, formula)
        if used and _ARITHMETIC.fullmatch(filled):
            return f"{filled} = {value}"
        if used:
            return "; ".join(f"{name} {text}" for name, text in used.items())
    by_part = {part.part: part for part in parts}
    if {"numerator", "denominator"} <= by_part.keys():
        numerator, denominator = by_part["numerator"], by_part["denominator"]
        return f"{_scaled(numerator)} / {shown(denominator.total)} = {value}"
    if not parts or parts[0].total is None:
        return None
    if parts[0].factor != 1:
        return f"{_scaled(parts[0])} = {value}"
    if isinstance(row[metric.column], int) and parts[0].total != row[metric.column]:
        return f"{shown(parts[0].total)}, rounded: {value}"
    return None


def adds_up(value: Any, parts: Sequence[Part]) -> bool | None:
    """Whether the records come to the figure, but for its own rounding."""
    totals = {part.part: part.total for part in parts if part.records and part.total is not None}
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal) or not totals:
        return None
    made = parts[0].factor * float(totals.get("value", totals.get("numerator", 0)))
    if "denominator" in totals:
        made /= float(totals["denominator"])
    slack = 0.5 if isinstance(value, int) else 1e-9 * abs(made)
    return abs(made - float(value)) <= slack


def _scaled(part: Part) -> str:
    """The sum of a part with its factor, which is 100 of percents and 1 / 86,400 of days."""
    if part.factor == 1:
        return shown(part.total)
    if part.factor < 1:
        return f"{shown(part.total)} / {shown(round(1 / part.factor))}"
    return f"{shown(part.factor)} · {shown(part.total)}"


def shown(value: Any) -> str:
    """A value as a person reads it: at most four decimals, those of money at least two if any."""
    if value is None:
        return "no value"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float | Decimal):
        whole, _, decimals = f"{value:,.4f}".partition(".")
        decimals = decimals.rstrip("0")
        if isinstance(value, Decimal) and decimals:
            decimals = decimals.ljust(2, "0")
        text = f"{whole}.{decimals}" if decimals else whole
        return "0" if text == "-0" else text
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S} UTC"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def shown_key(key: str, value: Any) -> str:
    """A key as somebody types it: months without their day."""
    return f"{value:%Y-%m}" if key == "month" and isinstance(value, date) else str(value)
