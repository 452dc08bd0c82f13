"""What can be asked of a published figure, and what is answered: plain data, for any reader."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from orchestration.explain.events import Event


class ExplainError(ValueError):
    """What was asked for is not published; the message says what is."""


@dataclass(frozen=True)
class Question:
    """A metric, and the keys of the figure as somebody typed them."""

    metric: str
    keys: Mapping[str, str | date] = field(default_factory=dict)


@dataclass(frozen=True)
class Metric:
    """A row of the catalogue; `table` and `column` are where its figures stand."""

    metric: str
    label: str
    description: str
    formula: str
    unit: str
    grain: tuple[str, ...]
    page: str
    table: str
    column: str
    computed_in: str
    raw_tables: tuple[str, ...]
    decision: str | None
    unit_tests: tuple[str, ...]
    contributions: str
    is_daily: bool

    @property
    def keys(self) -> tuple[str, ...]:
        """What has to be known to tell one of its figures from the others."""
        return tuple(key for key in self.grain if key != "metric")


@dataclass(frozen=True)
class Amount:
    """A value, its unit (a currency, seconds, users …) and the published column it stands in."""

    value: Any
    unit: str
    place: str


@dataclass(frozen=True)
class Contribution:
    """A record that makes part of a figure, with where it landed if it did."""

    part: str
    amount: Decimal | None
    amount_reporting: Decimal | None
    factor: float
    source_table: str
    source_key: str
    location: str | None
    line: int | None
    details: Mapping[str, Any]


@dataclass(frozen=True)
class Part:
    """The value of a figure, or the numerator or denominator of a ratio: a sum over records.

    The ratio is `factor` · numerator / denominator. No records: the row of the figure has the sum.
    """

    part: str
    total: Any
    total_reporting: Any
    factor: float
    records: int


@dataclass(frozen=True)
class Step:
    """A table that a figure went through, with the columns its value is made of, if any are."""

    table: str
    kind: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class CheckResult:
    """A check of one of those tables, or of the whole publish, before it."""

    table: str
    check: str
    is_blocking: bool
    has_passed: bool


@dataclass(frozen=True)
class Definition:
    """A metric without a figure of it: what it is, and what has to be named to see one."""

    metric: Metric
    missing: tuple[str, ...]


@dataclass(frozen=True)
class Choice:
    """Figures that the keys do not tell apart: each with the keys that would, and its value."""

    metric: Metric
    keys: Mapping[str, Any]
    account_name: str | None
    unit: str
    open_keys: tuple[str, ...]
    figures: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class Explanation:
    """One figure, taken apart. `assumed` are the keys that nobody named; `adds_up` is None where
    no records are published, or they do not add up to anything, as of a date."""

    metric: Metric
    keys: Mapping[str, Any]
    assumed: tuple[str, ...]
    account_name: str | None
    amounts: tuple[Amount, ...]
    worked: str | None
    parts: tuple[Part, ...]
    adds_up: bool | None
    contributions: tuple[Contribution, ...]
    events: tuple[Event, ...]
    events_remark: str | None
    steps: tuple[Step, ...]
    checks: tuple[CheckResult, ...]
    publish: Mapping[str, Any]

    @property
    def value(self) -> Any:
        """The figure itself."""
        return self.amounts[0].value
