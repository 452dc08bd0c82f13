"""Measures and conditions: what is asked of an account and day, and what the answer must be.

A measure is a figure or an attribute of the day, or a figure over some days: `mean_over_days`,
`sum_over_days` (with `per`, as a ratio of two sums) or `change_pct_over_days`. Health metrics scale
measures, conditions compare them. Segments and alert rules are lists of conditions that must all
hold; SQL evaluates them as rows of `run.measures` and `run.conditions`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from settings.files import Table, near
from settings.subjects import (
    CHILDREN_MEAN,
    DATE,
    NUMBER,
    TEXT,
    Subject,
    find_subject,
    known_subjects,
)

_WINDOWS = {
    "mean_over_days": "mean",
    "sum_over_days": "sum",
    "change_pct_over_days": "change_pct",
}
MEASURE_KEYS = ("subject", "per", *_WINDOWS)
CONDITION_KEYS = (*MEASURE_KEYS, "operator", "value")
LONGEST_WINDOW = 366

OPERATORS = {
    NUMBER: ("<", "<=", "=", "!=", ">=", ">"),
    DATE: ("<", "<=", "=", "!=", ">=", ">"),
    TEXT: ("=", "!=", "in", "not in"),
}


@dataclass(frozen=True)
class Measure:
    """What is asked of an account and day. `aggregation` is value, mean, sum, ratio, change_pct."""

    subject: str
    kind: str = NUMBER
    is_attribute: bool = False
    aggregation: str = "value"
    per: str | None = None
    over_days: int | None = None

    @property
    def name(self) -> str:
        """The measure in words: its key in the warehouse, and what `missing_metrics` lists."""
        return {
            "value": self.subject,
            "mean": f"mean of {self.subject} over {self.over_days} days",
            "sum": f"sum of {self.subject} over {self.over_days} days",
            "ratio": f"{self.subject} per {self.per} over {self.over_days} days",
            "change_pct": f"change of {self.subject} over {self.over_days} days in %",
        }[self.aggregation]

    @property
    def reach_days(self) -> int:
        """How many days before the day itself are read."""
        days = self.over_days or 0
        return days if self.aggregation in ("value", "change_pct") else days - 1


@dataclass(frozen=True)
class Condition:
    """A measure, an operator and what it is compared with: a number, texts or a date."""

    measure: Measure
    operator: str
    number: Decimal | None = None
    texts: tuple[str, ...] | None = None
    day: date | None = None


def read_measure(table: Table, also: tuple[str, ...] = ()) -> Measure:
    """The measure of a table; `also` are figures that may be asked for here and not everywhere."""
    subject = _read_subject(table, "subject", "a figure or an attribute", also)
    windows = [key for key in _WINDOWS if key in table.values]
    if len(windows) > 1:
        raise table.error(f"both {windows[0]} and {windows[1]} are given", "one of them")
    per = _read_per(table, windows, also)
    if not windows:
        return Measure(subject.name, subject.kind, subject.is_attribute)
    if subject.is_attribute or subject.name == CHILDREN_MEAN:
        raise table.error(
            f"{subject.name} has {windows[0]}",
            f"{subject.name} as it is on the day; only figures are known over days",
        )
    over_days = table.whole(windows[0], 1, LONGEST_WINDOW)
    aggregation = "ratio" if per else _WINDOWS[windows[0]]
    return Measure(subject.name, aggregation=aggregation, per=per, over_days=over_days)


def _read_subject(table: Table, key: str, what: str, also: tuple[str, ...]) -> Subject:
    name = table.text(key, f"the name of {what}")
    if subject := find_subject(name, also):
        return subject
    known = known_subjects(also)
    raise table.error(f"unknown {key} {name!r}", ", ".join(known), near(name, known))


def _read_per(table: Table, windows: list[str], also: tuple[str, ...]) -> str | None:
    if "per" not in table.values:
        return None
    if windows != ["sum_over_days"]:
        raise table.error("per is given without sum_over_days", "both, for a ratio of two sums")
    per = _read_subject(table, "per", "a figure", also)
    if per.is_attribute or per.name == CHILDREN_MEAN:
        raise table.error(f"per is {per.name!r}", "a figure")
    return per.name


def read_conditions(table: Table, key: str, also: tuple[str, ...] = ()) -> tuple[Condition, ...]:
    """The conditions of a list, at least one."""
    return tuple(
        _read_condition(condition, also)
        for condition in table.tables(key, "condition", CONDITION_KEYS)
    )


def _read_condition(table: Table, also: tuple[str, ...]) -> Condition:
    measure = read_measure(table, also)
    operators = OPERATORS[measure.kind]
    operator = table.values.get("operator")
    if operator not in operators:
        allowed = f"for {measure.kind} {' '.join(operators)}"
        raise table.refuse("operator", allowed, near(operator, operators))
    if measure.kind == NUMBER:
        return Condition(measure, operator, number=table.number("value"))
    if measure.kind == DATE:
        return Condition(measure, operator, day=table.day("value"))
    return Condition(
        measure,
        {"=": "in", "!=": "not in"}.get(operator, operator),
        texts=read_texts(table, a_list=operator in ("in", "not in")),
    )


def read_texts(table: Table, *, a_list: bool) -> tuple[str, ...]:
    """The text or the texts that a condition compares with, trimmed and in lower case."""
    value = table.values.get("value")
    values = value if a_list else [value]
    if (
        not isinstance(values, list)
        or not values
        or not all(isinstance(text, str) and text.strip() for text in values)
    ):
        raise table.refuse("value", "a list of texts" if a_list else "a text")
    return tuple(text.strip().lower() for text in values)
