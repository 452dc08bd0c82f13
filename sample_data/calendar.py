"""The demo's calendar: which days it tells of, and which night delivers which fact.

Everything is derived from the as-of date (the first day that is not complete) and the number of
nights. Nothing here reads the clock. Instants are naive datetimes in UTC; days are UTC days.
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random

HISTORY = -1
"""The slot of the backfill: what was known before the first night."""

HISTORY_DAYS = 1217
EVENT_DAYS = 426


def add_months(day: date, months: int) -> date:
    """Return the same day `months` later; the last of the month where that is shorter."""
    index = day.year * 12 + day.month - 1 + months
    year, month = index // 12, index % 12 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def at(day: date, rng: Random, first_hour: int = 7, last_hour: int = 18) -> datetime:
    """Return an instant of that day between two hours (UTC), to the second."""
    hour = rng.randint(first_hour, last_hour)
    return datetime.combine(day, time(hour, rng.randint(0, 59), rng.randint(0, 59)))


def workday(day: date) -> date:
    """Return the day itself, or the Friday before it when it falls on a weekend."""
    return day - timedelta(days=max(0, day.weekday() - 4))


@dataclass(frozen=True)
class Calendar:
    """The days of the demo: `as_of` is the first without facts, `nights` extracts precede it."""

    as_of: date
    nights: int

    def __post_init__(self) -> None:
        """Refuse a demo without a night."""
        if self.nights < 1:
            raise ValueError(f"nights must be at least 1, not {self.nights}")

    @property
    def last_day(self) -> date:
        """The last full day: the date of the last night."""
        return self.as_of - timedelta(days=1)

    @property
    def first_night(self) -> date:
        """The date of the first night, which also dates the backfill."""
        return self.as_of - timedelta(days=self.nights)

    @property
    def history_start(self) -> date:
        """The day the first customer may join."""
        return self.ago(HISTORY_DAYS)

    @property
    def events_start(self) -> date:
        """The first day product events are kept of."""
        return self.ago(EVENT_DAYS)

    def ago(self, days: int) -> date:
        """Return the day that many days before the as-of date."""
        return self.as_of - timedelta(days=days)

    def night_date(self, slot: int) -> date:
        """Return the date in the file names of a slot; the backfill carries the first night's."""
        return self.first_night + timedelta(days=max(slot, 0))

    def slot_of(self, day: date) -> int | None:
        """Return the slot that first knows a fact of that day; None: after the last night."""
        if day >= self.as_of:
            return None
        return max(HISTORY, (day - self.first_night).days)

    def night(self, wanted: int) -> int:
        """Return the wanted night (from 0), or the last one where there are fewer."""
        return min(wanted, self.nights - 1)


def stream(seed: int, *purpose: object) -> Random:
    """Return a random stream of its own for one purpose, the same on every machine.

    Seeding by text goes through SHA-512, so a new purpose never shifts the numbers of another.
    """
    return Random(":".join(str(part) for part in (seed, *purpose)))  # noqa: S311 - demo data
