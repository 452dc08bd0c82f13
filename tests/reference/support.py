"""The Support figures of ``metrics.md`` (section 5) in plain Python.

An oracle like ``financials``: written from the definitions alone, with loops that read like them.
It asks for the value of a ticket's field just before an instant, and for nothing else; months,
days and groups follow from that. Inputs are the current, valid records of the sources.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from .financials import ONE_DAY, Row, Settings, first_of_month, last_of_month

MOMENT = timedelta(microseconds=1)
DAY_IN_MICROSECONDS = 86_400_000_000
FIELDS = ("status", "priority", "type")


@dataclass(frozen=True)
class Ticket:
    """The record of a ticket; instants are naive UTC."""

    ticket_id: str
    account_id: str
    status: str
    priority: str | None
    type: str | None
    created_at: datetime
    closed_at: datetime | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True)
class Change:
    """A change of one field; (ticket_id, changed_at, field) is its key."""

    ticket_id: str
    changed_at: datetime
    field: str
    old_value: str | None
    new_value: str | None


@dataclass(frozen=True)
class SupportWorld:
    """Accounts with the day they joined, and everything about their tickets."""

    accounts: Mapping[str, date]
    parents: Mapping[str, str]
    tickets: tuple[Ticket, ...]
    changes: tuple[Change, ...]
    settings: Settings


def start_of(day: date, settings: Settings) -> datetime:
    """The UTC instant at which a local day begins."""
    midnight = datetime.combine(day, time(), ZoneInfo(settings.reporting_time_zone))
    return midnight.astimezone(UTC).replace(tzinfo=None)


def spoken(field: str, text: str | None) -> str:
    """A value as it is compared."""
    text = (text or "").strip()
    if field == "status":
        return text.lower() or "open"
    return text or "unspecified"


def is_open(status: str) -> bool:
    """Everything that is neither solved nor closed."""
    return status not in ("solved", "closed")


class History:
    """What one ticket was, and when, as far as it is known before the as-of date."""

    def __init__(self, ticket: Ticket, world: SupportWorld) -> None:
        self.ticket, self.settings = ticket, world.settings
        self.end = start_of(world.settings.as_of_date, world.settings)
        self.changes = {
            field: sorted(
                (
                    change
                    for change in world.changes
                    if change.ticket_id == ticket.ticket_id
                    and change.field == field
                    and change.changed_at < self.end
                ),
                key=lambda change: change.changed_at,
            )
            for field in FIELDS
        }

    def before(self, instant: datetime, field: str) -> str:
        """The value just before an instant after the creation."""
        changes = self.changes[field]
        if changes:
            past = [c for c in changes if c.changed_at < instant or self.is_of_creation(c)]
            return spoken(field, past[-1].new_value if past else changes[0].old_value)
        value = spoken(field, getattr(self.ticket, field))
        if field != "status" or is_open(value):
            return value
        closed_at = self.stated_close
        return value if closed_at is not None and closed_at < instant else "open"

    def is_of_creation(self, change: Change) -> bool:
        """Dated up to the creation: part of what the ticket was created with."""
        return change.changed_at <= self.ticket.created_at

    @property
    def stated_close(self) -> datetime | None:
        """When a closed ticket without changes closed; None where that is after the last day."""
        ticket = self.ticket
        stated = ticket.closed_at or ticket.updated_at or ticket.created_at
        closed_at = max(stated, ticket.created_at)
        return closed_at if closed_at < self.end else None

    def was_open(self, before: datetime) -> bool:
        """Open just before an instant; before its creation it is not."""
        return self.ticket.created_at < before and is_open(self.before(before, "status"))

    @property
    def turns(self) -> list[tuple[datetime, str]]:
        """Creation, closes and reopenings with their instants, in order."""
        created_at = self.ticket.created_at
        later = {change.changed_at for change in self.changes["status"]} | {self.stated_close}
        turns = [(created_at, "opened")]
        if not self.was_open(created_at + MOMENT):
            turns.append((created_at, "closed"))
        for instant in sorted(i for i in later if i is not None and i > created_at):
            earlier, now = self.was_open(instant), self.was_open(instant + MOMENT)
            if earlier != now:
                turns.append((instant, "reopened" if now else "closed"))
        return turns

    def days_to(self, instant: datetime) -> Fraction:
        """Exact days from the creation."""
        return Fraction((instant - self.ticket.created_at) // MOMENT, DAY_IN_MICROSECONDS)


def histories(world: SupportWorld, accounts: Collection[str] | None = None) -> list[History]:
    """The tickets of accounts that were created, and last updated, before the as-of date."""
    known = [
        History(ticket, world)
        for ticket in sorted(world.tickets, key=lambda ticket: ticket.ticket_id)
        if ticket.account_id in (world.accounts if accounts is None else accounts)
    ]
    return [
        history
        for history in known
        if history.ticket.created_at < history.end
        and (history.ticket.updated_at is None or history.ticket.updated_at < history.end)
    ]


def months(settings: Settings) -> list[tuple[date, date]]:
    """The 12 months that end in that of the last full day: first day and last day, in order."""
    ends: list[tuple[date, date]] = []
    last = settings.last_full_day
    while len(ends) < 12:
        ends.insert(0, (first_of_month(last), last))
        last = first_of_month(last) - ONE_DAY
    assert all(end == last_of_month(end) for _, end in ends[:-1])
    return ends


def tickets(world: SupportWorld) -> list[Row]:
    """``account_tickets``."""
    rows = []
    for history in histories(world):
        ticket, still_open = history.ticket, history.was_open(history.end)
        closes = [instant for instant, turn in history.turns if turn == "closed"]
        values = {field: history.before(history.end, field) for field in FIELDS}
        stated = ticket.closed_at if ticket.closed_at and ticket.closed_at < history.end else None
        has_changes = bool(history.changes["status"])
        rows.append(
            {
                "account_id": ticket.account_id,
                "ticket_id": ticket.ticket_id,
                **values,
                "is_open": still_open,
                "closed_at": None if still_open else closes[-1],
                "age_days": float(history.days_to(history.end if still_open else closes[-1])),
                "has_status_changes": has_changes,
                "has_ignored_close": still_open and stated is not None,
                "is_close_assumed": not still_open and not has_changes and stated is None,
            }
        )
    return sorted(rows, key=lambda row: (row["account_id"], row["ticket_id"]))


@dataclass(frozen=True)
class InMonth:
    """One ticket in one month in which it was open or closed."""

    history: History
    counts: Mapping[str, int]
    open_at_start: bool
    open_at_end: bool
    was_open: bool
    until: datetime

    @property
    def age(self) -> Fraction:
        return self.history.days_to(self.until)


def in_month(history: History, first: date, last: date, settings: Settings) -> InMonth | None:
    """The ticket in the month; None where it was neither open nor closed in it."""
    start, end = start_of(first, settings), start_of(last + ONE_DAY, settings)
    turns = [(instant, turn) for instant, turn in history.turns if start <= instant < end]
    at_start, at_end = history.was_open(start), history.was_open(end)
    if not turns and not at_start:
        return None
    instants = [instant + MOMENT for instant, _ in turns]
    closes = [instant for instant, turn in turns if turn == "closed"]
    return InMonth(
        history=history,
        counts={
            kind: sum(turn == kind for _, turn in turns)
            for kind in ("opened", "closed", "reopened")
        },
        open_at_start=at_start,
        open_at_end=at_end,
        was_open=at_start or any(history.was_open(instant) for instant in instants),
        until=end if at_end else closes[-1],
    )


def percentile(values: Collection[Fraction], share: Fraction) -> float | None:
    """Interpolated between the two nearest values."""
    if not values:
        return None
    ordered = sorted(values)
    place = (len(ordered) - 1) * share
    low = place.numerator // place.denominator
    high = min(low + 1, len(ordered) - 1)
    return float(ordered[low] + (ordered[high] - ordered[low]) * (place - low))


def mean(values: Collection[Fraction]) -> float | None:
    """The mean; None of nothing."""
    return float(sum(values, Fraction(0)) / len(values)) if values else None


def month_of_accounts(
    world: SupportWorld, accounts: Collection[str], first: date, last: date
) -> Row:
    """The figures of one month over the tickets of some accounts."""
    found = [in_month(h, first, last, world.settings) for h in histories(world, accounts)]
    members = [member for member in found if member is not None]
    opened = [member.age for member in members if member.open_at_end]
    closed = [member.age for member in members if not member.open_at_end]
    return {
        "month": first,
        **{
            kind: sum(member.counts[kind] for member in members)
            for kind in ("opened", "closed", "reopened")
        },
        "closed_tickets": len(closed),
        "open_at_start": sum(member.open_at_start for member in members),
        "open_at_end": len(opened),
        "open_during_month": sum(member.was_open for member in members),
        "age_days_mean": mean(opened + closed),
        "closed_age_days_mean": mean(closed),
        "open_age_days_mean": mean(opened),
        "time_to_close_median_days": percentile(closed, Fraction(1, 2)),
        "time_to_close_p90_days": percentile(closed, Fraction(9, 10)),
    }


def tickets_monthly(world: SupportWorld) -> list[Row]:
    """``account_tickets_monthly``."""
    return [
        {"account_id": account, **month_of_accounts(world, [account], first, last)}
        for account in sorted(world.accounts)
        for first, last in months(world.settings)
    ]


def at_or_below(world: SupportWorld, account: str) -> set[str]:
    """The account and all its descendants."""
    below = {account}
    while more := {child for child, up in world.parents.items() if up in below} - below:
        below |= more
    return below


def tickets_monthly_rollup(world: SupportWorld) -> list[Row]:
    """``account_tickets_monthly_rollup``."""
    return [
        {
            "account_id": account,
            "descendants": len(family) - 1,
            **month_of_accounts(world, family, first, last),
        }
        for account in sorted(world.accounts)
        for family in [at_or_below(world, account)]
        for first, last in months(world.settings)
    ]


def open_tickets_monthly(world: SupportWorld) -> list[Row]:
    """``account_open_tickets_monthly``."""
    rows: dict[tuple[Any, ...], Row] = {}
    for first, last in months(world.settings):
        for history in histories(world):
            member = in_month(history, first, last, world.settings)
            if member is None or not member.was_open:
                continue
            for dimension in ("priority", "type"):
                row = {
                    "account_id": history.ticket.account_id,
                    "month": first,
                    "dimension": dimension,
                    "value": history.before(member.until, dimension),
                }
                counts = {"open_at_end": 0, "open_during_month": 0, "known_as_current_only": 0}
                row = rows.setdefault(tuple(row.values()), {**row, **counts})
                row["open_at_end"] += member.open_at_end
                row["open_during_month"] += 1
                row["known_as_current_only"] += not history.changes[dimension]
    return [rows[key] for key in sorted(rows)]


def open_tickets_daily(world: SupportWorld, first_day: date) -> list[Row]:
    """Tickets open at the end of each day, from the later of `first_day` and the join date."""
    return [
        {
            "account_id": account,
            "open_tickets": sum(
                history.was_open(start_of(day + ONE_DAY, world.settings))
                for history in histories(world, [account])
            ),
            "day": day,
        }
        for account, joined in sorted(world.accounts.items())
        for day in days(max(joined, first_day), world.settings.last_full_day)
    ]


def days(first: date, last: date) -> Iterator[date]:
    """The days from `first` to `last`, both in."""
    return (first + timedelta(days=offset) for offset in range((last - first).days + 1))
