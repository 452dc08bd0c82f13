"""The activity figures of ``metrics.md`` (sections 0, 2 and 3) in plain Python.

This module is an oracle: it is written from the definitions alone, shares nothing with the SQL
models, and prefers loops that read like the definition over speed. Events come as they landed, in
the order of the loads (duplicates and events of unknown accounts included, rejects left out);
accounts and product users are their current, valid records.

Instants and durations are whole microseconds (``int``, instants since 1970 in UTC); published
seconds are ``Decimal`` with six decimals. Ratios, means and percent ranks are exact ``Fraction`` s.
Rows are plain dicts with the column names of the published tables, in key order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import pairwise
from typing import TypeVar
from zoneinfo import ZoneInfo

from .financials import ONE_DAY, Row, local_day

UserKey = tuple[str, str]
"""account_id, user_id: the product replicates a user per account."""
Interval = tuple[int, int]
"""A half-open stretch of time [start, end), in microseconds."""
TimeByDay = dict[tuple[UserKey, date], int]
"""Session time per user and local day, in microseconds."""

SYNC = "sessionSync"
MODULE_END = "moduleEnd"
FEATURE = "feature"
IDENTIFY = ("identifyUser", "identifyAccount")
ABSENT = "(none)"
MICROSECONDS_PER_DAY = 86_400_000_000
LAST_30_DAYS = timedelta(days=29)
SINCE_EVER = date.min

_EPOCH = datetime(1970, 1, 1)
_Ranked = TypeVar("_Ranked", bound=Hashable)


# --- Inputs --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Event:
    """A product event; ``created_at`` is a UTC instant without a zone, durations are in ms."""

    account_id: str | None
    user_id: str
    created_at: datetime
    action: str
    session_id: str | None = None
    product: str | None = None
    module: str | None = None
    feature: str | None = None
    active_duration: Decimal | None = None
    time_spent: Decimal | None = None
    total: Decimal | None = None
    event_id: str | None = None


@dataclass(frozen=True)
class ProductUser:
    """A user as CRM knows it; (account_id, user_id) is its key.

    ``deactivated_at`` is a UTC instant without a zone. ``version_date`` None counts for every
    as-of date.
    """

    account_id: str
    user_id: str
    product_join_date: date | None = None
    is_active: bool | None = None
    deactivated_at: datetime | None = None
    version_date: date | None = None
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    contact_id: str | None = None


@dataclass(frozen=True)
class ActivityAccount:
    """An account that exists."""

    account_id: str
    churn_date: date | None = None

    def is_churned_by(self, day: date) -> bool:
        return self.churn_date is not None and self.churn_date <= day


@dataclass(frozen=True)
class ActivitySettings:
    """The settings the figures depend on; ``as_of_date`` is the first day not complete.

    ``session_duration`` is ``delta`` or ``cumulative``, ``event_deduplication`` ``exact`` or
    ``by_id_only``.
    """

    as_of_date: date
    reporting_time_zone: str = "UTC"
    session_timeout_minutes: int = 30
    session_duration: str = "delta"
    event_deduplication: str = "exact"

    @property
    def last_full_day(self) -> date:
        """L of ``metrics.md``: the day before the as-of date."""
        return self.as_of_date - ONE_DAY


@dataclass(frozen=True)
class ActivityWorld:
    """Everything one evaluation of the reference reads."""

    accounts: tuple[ActivityAccount, ...]
    users: tuple[ProductUser, ...]
    events: tuple[Event, ...]
    settings: ActivitySettings


# --- Time ----------------------------------------------------------------------------------------


def microseconds(instant: datetime) -> int:
    """A naive UTC instant as microseconds since 1970."""
    return (instant - _EPOCH) // timedelta(microseconds=1)


def duration(milliseconds: Decimal | None) -> int:
    """Milliseconds in whole microseconds, halves up; absent is 0."""
    return int(((milliseconds or Decimal(0)) * 1000).quantize(Decimal(1), ROUND_HALF_UP))


def seconds(spent: int) -> Decimal:
    """Microseconds as seconds with six decimals."""
    return Decimal(spent).scaleb(-6)


def day_start(day: date, time_zone: str) -> int:
    """The first instant of a local day, also where the clocks leave out its midnight."""
    midnight = datetime.combine(day, time(), ZoneInfo(time_zone))
    return microseconds(midnight.astimezone(UTC).replace(tzinfo=None))


def day_at(instant: int, time_zone: str) -> date:
    """The local day of an instant."""
    return local_day(_EPOCH + timedelta(microseconds=instant), time_zone)


def split_at_midnight(interval: Interval, time_zone: str) -> Iterator[tuple[date, int]]:
    """The local days that an interval touches, with the time on each."""
    start, end = interval
    while start < end:
        day = day_at(start, time_zone)
        part_end = min(end, day_start(day + ONE_DAY, time_zone))
        yield day, part_end - start
        start = part_end


def days_from_to(first: date, last: date) -> Iterator[date]:
    """The days from ``first`` to ``last``, both in; none where ``last`` is earlier."""
    while first <= last:
        yield first
        first += ONE_DAY


# --- What is known as of L -----------------------------------------------------------------------


def deduplicated(events: Iterable[Event], settings: ActivitySettings) -> list[Event]:
    """One event of those that are the same.

    The last of one ``event_id`` counts. Without one, events equal in every column are one, unless
    the setting says that they are real repeats.
    """
    with_id: dict[str, Event] = {}
    without_id: list[Event] = []
    for event in events:
        if event.event_id is not None:
            with_id[event.event_id] = event
        else:
            without_id.append(event)
    if settings.event_deduplication == "exact":
        without_id = list(dict.fromkeys(without_id))
    return [*with_id.values(), *without_id]


class _Known:
    """The accounts, users and events that figures as of L may use."""

    def __init__(self, world: ActivityWorld) -> None:
        self.settings = world.settings
        self.time_zone = world.settings.reporting_time_zone
        self.last_full_day = world.settings.last_full_day
        self.accounts = {account.account_id: account for account in world.accounts}
        self.events = [
            event
            for event in deduplicated(world.events, world.settings)
            if event.account_id in self.accounts and self.day_of(event) <= self.last_full_day
        ]
        self.session_events = [event for event in self.events if event.action not in IDENTIFY]
        self.activity = [
            event
            for event in self.session_events
            if not self.accounts[event.account_id].is_churned_by(self.day_of(event))
        ]
        self.records = {
            (user.account_id, user.user_id): user
            for user in world.users
            if user.account_id in self.accounts
            and (user.version_date is None or user.version_date <= self.last_full_day)
        }
        self.users = sorted({*self.records, *(user_of(event) for event in self.events)})

    def day_of(self, event: Event) -> date:
        """The local day of an event."""
        return local_day(event.created_at, self.time_zone)

    def users_of(self, account_id: str) -> list[UserKey]:
        return [user for user in self.users if user[0] == account_id]

    def is_churned(self, account_id: str) -> bool:
        return self.accounts[account_id].is_churned_by(self.last_full_day)

    def active_days(self) -> dict[UserKey, list[date]]:
        """The days of a user's activity events, in order; a day is there once for each event."""
        days: dict[UserKey, list[date]] = defaultdict(list)
        for event in self.activity:
            days[user_of(event)].append(self.day_of(event))
        return {user: sorted(own) for user, own in days.items()}


def user_of(event: Event) -> UserKey:
    """The user of an event of a known account."""
    return event.account_id, event.user_id


# --- Session time --------------------------------------------------------------------------------


def sync_intervals(syncs: Iterable[Event], settings: ActivitySettings) -> list[Interval]:
    """The time that the syncs of one session cover, one interval each; they may overlap.

    Those without an id are of one session as long as no gap between them is over the timeout.
    """
    intervals = []
    previous, previous_end = 0, 0
    for sync in sorted(syncs, key=lambda s: (s.created_at, duration(s.active_duration))):
        covered = reported = duration(sync.active_duration)
        end = microseconds(sync.created_at)
        if settings.session_duration == "cumulative":
            if sync.session_id is None and end - previous_end > timeout(settings):
                previous = 0
            # A total that is smaller than the one before it is that of a restarted counter.
            covered = reported - previous if reported >= previous else reported
            previous, previous_end = reported, end
        intervals.append((end - covered, end))
    return intervals


def timeout(settings: ActivitySettings) -> int:
    """The longest gap within a session, in microseconds."""
    return settings.session_timeout_minutes * 60_000_000


def gap_intervals(events: Iterable[Event], settings: ActivitySettings) -> list[Interval]:
    """The time between consecutive events of one session that are not over the timeout apart."""
    instants = sorted(microseconds(event.created_at) for event in events)
    return [(start, end) for start, end in pairwise(instants) if end - start <= timeout(settings)]


def outside(interval: Interval, others: Iterable[Interval]) -> list[Interval]:
    """The parts of an interval that lie in none of the others."""
    parts = [interval]
    for other_start, other_end in others:
        before = [(start, min(end, other_start)) for start, end in parts]
        after = [(max(start, other_end), end) for start, end in parts]
        parts = [(start, end) for start, end in before + after if start < end]
    return parts


def session_intervals(events: Iterable[Event], settings: ActivitySettings) -> list[Interval]:
    """The session time of one user; what of it overlaps counts as often as it is there."""
    sessions: dict[str | None, list[Event]] = defaultdict(list)
    for event in events:
        sessions[event.session_id].append(event)
    synced: list[Interval] = []
    estimated: list[Interval] = []
    for session_id, own in sessions.items():
        syncs = [event for event in own if event.action == SYNC]
        synced += sync_intervals(syncs, settings)
        if session_id is not None and not syncs:
            estimated += gap_intervals(own, settings)
    without_id = [event for event in sessions[None] if event.action != SYNC]
    for interval in gap_intervals(without_id, settings):
        estimated += outside(interval, synced)
    return synced + estimated


def _session_time(known: _Known) -> TimeByDay:
    """Session time above 0 per user and day before churn, at most 24 hours.

    A session that goes on after the churn date keeps its time before it.
    """
    events_of: dict[UserKey, list[Event]] = defaultdict(list)
    for event in known.session_events:
        events_of[user_of(event)].append(event)
    time_on: TimeByDay = defaultdict(int)
    for user, events in events_of.items():
        for interval in session_intervals(events, known.settings):
            for day, part in split_at_midnight(interval, known.time_zone):
                if not known.accounts[user[0]].is_churned_by(day):
                    time_on[user, day] += part
    return {key: min(spent, MICROSECONDS_PER_DAY) for key, spent in time_on.items()}


def time_within(time_on: TimeByDay, user: UserKey, first: date, last: date) -> int:
    """A user's session time on the days from ``first`` to ``last``, both in."""
    return sum(time_on.get((user, day), 0) for day in days_from_to(first, last))


# --- Product users -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Membership:
    """When a user counts as a product user: from ``first_known`` on, before ``deactivated``."""

    first_known: date | None
    deactivated: date | None

    def counts_on(self, day: date) -> bool:
        if self.first_known is None or self.first_known > day:
            return False
        return self.deactivated is None or day < self.deactivated


def deactivation_day(record: ProductUser, settings: ActivitySettings) -> date | None:
    """The local day ≤ L from which a user is no product user; None where it is one."""
    if record.is_active is True:
        return None
    if record.deactivated_at is not None:
        day = local_day(record.deactivated_at, settings.reporting_time_zone)
        return day if day <= settings.last_full_day else None
    if record.is_active is False:
        return record.version_date or SINCE_EVER
    return None


def _memberships(known: _Known) -> dict[UserKey, Membership]:
    """Every user of the accounts, as CRM or an event of any kind knows it."""
    days: dict[UserKey, list[date]] = defaultdict(list)
    for event in known.events:
        days[user_of(event)].append(known.day_of(event))
    memberships = {}
    for user in known.users:
        record = known.records.get(user)
        if record is not None and record.product_join_date is not None:
            days[user].append(record.product_join_date)
        memberships[user] = Membership(
            first_known=min(days[user], default=None),
            deactivated=None if record is None else deactivation_day(record, known.settings),
        )
    return memberships


# --- Ranks ---------------------------------------------------------------------------------------


def percent_ranks(totals: Mapping[_Ranked, int]) -> dict[_Ranked, Fraction]:
    """The share, in percent, of the others that are below; 0 where there are no others."""
    others = len(totals) - 1
    return {
        key: Fraction(100 * sum(other < total for other in totals.values()), others or 1)
        for key, total in totals.items()
    }


def _totals_of_30_days(known: _Known, time_on: TimeByDay, last: date) -> dict[UserKey, int]:
    """Session time above 0 of the 30 days that end with ``last``, of accounts not churned by it."""
    totals = {
        user: time_within(time_on, user, last - LAST_30_DAYS, last)
        for user in known.users
        if not known.accounts[user[0]].is_churned_by(last)
    }
    return {user: total for user, total in totals.items() if total > 0}


def slope_sign(points: Sequence[tuple[int, Fraction]]) -> int:
    """The sign of the least-squares slope through (x, y); 0 for fewer than two points."""
    if len(points) < 2:
        return 0
    mean_x = Fraction(sum(x for x, _ in points), len(points))
    mean_y = sum((y for _, y in points), Fraction(0)) / len(points)
    covariance = sum((x - mean_x) * (y - mean_y) for x, y in points)
    return (covariance > 0) - (covariance < 0)


def _rank_history(known: _Known, time_on: TimeByDay) -> dict[UserKey, list[tuple[int, Fraction]]]:
    """The ranks of a user on the last 30 days as (day number, rank); days without one left out."""
    history: dict[UserKey, list[tuple[int, Fraction]]] = defaultdict(list)
    for day in days_from_to(known.last_full_day - LAST_30_DAYS, known.last_full_day):
        for user, rank in percent_ranks(_totals_of_30_days(known, time_on, day)).items():
            history[user].append((day.toordinal(), rank))
    return history


# --- Activity tables -----------------------------------------------------------------------------


def _user_activity_daily(known: _Known, time_on: TimeByDay) -> list[Row]:
    counts: dict[tuple[UserKey, date], int] = defaultdict(int)
    for user, days in known.active_days().items():
        for day in days:
            counts[user, day] += 1
    return [
        {
            "account_id": user[0],
            "user_id": user[1],
            "day": day,
            "session_seconds": seconds(time_on.get((user, day), 0)),
            "event_count": counts.get((user, day), 0),
        }
        for user, day in sorted({*counts, *time_on})
    ]


def _active_users(active: Iterable[Sequence[date]], first: date, last: date) -> int:
    """How many users have activity on a day from ``first`` to ``last``, both in."""
    return sum(any(first <= day <= last for day in days) for days in active)


def _account_day(
    known: _Known,
    time_on: TimeByDay,
    memberships: Mapping[UserKey, Membership],
    active_days: Mapping[UserKey, Sequence[date]],
    account_id: str,
    day: date,
) -> Row:
    """The figures of an account on a day, without its key."""
    users = known.users_of(account_id)
    active = [active_days.get(user, []) for user in users]
    dau = _active_users(active, day, day)
    spent = seconds(sum(time_on.get((user, day), 0) for user in users))
    return {
        "dau": dau,
        "wau": _active_users(active, day - timedelta(days=6), day),
        "mau": _active_users(active, day - LAST_30_DAYS, day),
        "session_seconds": spent,
        "seconds_per_active_user": Fraction(spent) / dau if dau else None,
        "product_users": sum(memberships[user].counts_on(day) for user in users),
    }


def _account_activity_daily(
    known: _Known, time_on: TimeByDay, memberships: Mapping[UserKey, Membership]
) -> list[Row]:
    active_days = known.active_days()
    rows = []
    for account_id, account in sorted(known.accounts.items()):
        first_days = [memberships[user].first_known for user in known.users_of(account_id)]
        first = min((day for day in first_days if day is not None), default=date.max)
        last = known.last_full_day
        if account.is_churned_by(last):
            last = account.churn_date - ONE_DAY
        for day in days_from_to(first, last):
            figures = _account_day(known, time_on, memberships, active_days, account_id, day)
            rows.append({"account_id": account_id, "day": day, **figures})
    return rows


def _account_users(
    known: _Known, time_on: TimeByDay, memberships: Mapping[UserKey, Membership]
) -> list[Row]:
    last = known.last_full_day
    active_days = known.active_days()
    totals = _totals_of_30_days(known, time_on, last)
    ranks = percent_ranks(totals)
    history = _rank_history(known, time_on)
    rows = []
    for user in known.users:
        in_account = percent_ranks({u: total for u, total in totals.items() if u[0] == user[0]})
        spent = time_within(time_on, user, last - LAST_30_DAYS, last)
        rows.append(
            {
                "account_id": user[0],
                "user_id": user[1],
                "first_seen_date": min(active_days.get(user, []), default=None),
                "last_seen_date": max(active_days.get(user, []), default=None),
                "session_seconds_30d": None if known.is_churned(user[0]) else seconds(spent),
                "activity_rank": ranks.get(user),
                "activity_rank_in_account": in_account.get(user),
                "rank_trend": slope_sign(history[user]) if user in ranks else None,
                "is_deactivated": memberships[user].deactivated is not None,
            }
        )
    return rows


def _account_ranks(known: _Known, time_on: TimeByDay) -> dict[str, Fraction]:
    """The percent ranks of the accounts by the session time of their ranked users."""
    totals: dict[str, int] = defaultdict(int)
    for user, total in _totals_of_30_days(known, time_on, known.last_full_day).items():
        totals[user[0]] += total
    return percent_ranks(totals)


def _account_360(
    known: _Known, time_on: TimeByDay, memberships: Mapping[UserKey, Membership]
) -> list[Row]:
    """The activity columns of ``account_360``: all NULL for a churned account."""
    active_days = known.active_days()
    ranks = _account_ranks(known, time_on)
    rows = []
    for account_id in sorted(known.accounts):
        seen = [day for user in known.users_of(account_id) for day in active_days.get(user, [])]
        day = known.last_full_day
        figures = _account_day(known, time_on, memberships, active_days, account_id, day)
        del figures["session_seconds"]
        row = {"last_seen_date": max(seen, default=None), **figures}
        row["activity_rank"] = ranks.get(account_id)
        if known.is_churned(account_id):
            row = dict.fromkeys(row)
        rows.append({"account_id": account_id, **row})
    return rows


# --- Modules and features ------------------------------------------------------------------------


@dataclass(frozen=True)
class _Use:
    """One use of a module or feature; ``amount`` is in seconds or a count."""

    user: UserKey
    key: tuple[str, ...]
    day: date
    amount: Decimal


@dataclass(frozen=True)
class _Kind:
    """What makes modules and features two kinds of one thing.

    ``columns`` name the parts of the key, ``unit`` begins the names of the amounts.
    """

    action: str
    columns: tuple[str, ...]
    unit: str
    amount: Callable[[Event], Decimal]


_MODULES = _Kind(
    action=MODULE_END,
    columns=("product", "module"),
    unit="seconds",
    amount=lambda event: seconds(duration(event.time_spent)),
)
_FEATURES = _Kind(
    action=FEATURE,
    columns=("product", "module", "feature"),
    unit="count",
    amount=lambda event: Decimal(1) if event.total is None else event.total,
)


def _uses(known: _Known, kind: _Kind) -> list[_Use]:
    """The uses of the last 30 days by users of accounts that are not churned."""
    uses = []
    for event in known.activity:
        day = known.day_of(event)
        if (
            event.action == kind.action
            and not known.is_churned(event.account_id)
            and known.last_full_day - LAST_30_DAYS <= day
        ):
            parts = (getattr(event, column) for column in kind.columns)
            key = tuple(ABSENT if part is None else part for part in parts)
            uses.append(_Use(user_of(event), key, day, kind.amount(event)))
    return uses


def amount_per_user_per_day_used(uses: Iterable[tuple[date, str, Decimal]]) -> Fraction:
    """The mean, over the days with a use, of (the day's amount / the day's users).

    ``uses`` are (day, user_id, amount), at least one.
    """
    amounts: dict[date, Decimal] = defaultdict(Decimal)
    users: dict[date, set[str]] = defaultdict(set)
    for day, user_id, amount in uses:
        amounts[day] += amount
        users[day].add(user_id)
    ratios = [Fraction(amounts[day]) / len(users[day]) for day in amounts]
    return sum(ratios, Fraction(0)) / len(ratios)


def _account_usage(
    known: _Known, kind: _Kind, memberships: Mapping[UserKey, Membership]
) -> list[Row]:
    """The usage rows per account and key."""
    groups: dict[tuple[str, tuple[str, ...]], list[_Use]] = defaultdict(list)
    for use in _uses(known, kind):
        groups[use.user[0], use.key].append(use)
    rows = []
    for (account_id, key), uses in sorted(groups.items()):
        users = {use.user for use in uses}
        members = {
            user
            for user in known.users_of(account_id)
            if memberships[user].counts_on(known.last_full_day)
        }
        per_day = [(use.day, use.user[1], use.amount) for use in uses]
        rows.append(
            {
                "account_id": account_id,
                **dict(zip(kind.columns, key, strict=True)),
                f"total_{kind.unit}": sum((use.amount for use in uses), Decimal(0)),
                f"{kind.unit}_per_user_per_day_used": amount_per_user_per_day_used(per_day),
                "days_used": len({use.day for use in uses}),
                "users": len(users),
                "non_users": len(members - users),
                "last_used_date": max(use.day for use in uses),
            }
        )
    _add_ranks_in_account(rows, kind)
    return rows


def _add_ranks_in_account(rows: Sequence[Row], kind: _Kind) -> None:
    """Number the rows of each account by total, ties by name."""

    def order(row: Row) -> tuple[object, ...]:
        return -row[f"total_{kind.unit}"], *(row[column] for column in kind.columns)

    for row in rows:
        same_account = [other for other in rows if other["account_id"] == row["account_id"]]
        row["rank_in_account"] = 1 + sum(order(other) < order(row) for other in same_account)


def _user_usage(known: _Known, kind: _Kind) -> list[Row]:
    groups: dict[tuple[UserKey, tuple[str, ...]], list[_Use]] = defaultdict(list)
    for use in _uses(known, kind):
        groups[use.user, use.key].append(use)
    return [
        {
            "account_id": user[0],
            "user_id": user[1],
            **dict(zip(kind.columns, key, strict=True)),
            f"total_{kind.unit}": sum((use.amount for use in uses), Decimal(0)),
            "days_used": len({use.day for use in uses}),
            "last_used_date": max(use.day for use in uses),
        }
        for (user, key), uses in sorted(groups.items())
    ]


# --- All of it -----------------------------------------------------------------------------------


def activity_tables(world: ActivityWorld) -> dict[str, list[Row]]:
    """The expected rows by table, in key order.

    ``account_360`` and ``account_users`` hold the activity columns of those tables. A churned
    account (churn date ≤ L) has NULL in all activity columns of ``account_360``; one without users
    has 0 product users there, and no daily rows. ``activity_rank`` of an account is its percent
    rank by the session time of its users in the last 30 days, over the accounts with any that are
    not churned.
    """
    known = _Known(world)
    time_on = _session_time(known)
    memberships = _memberships(known)
    return {
        "user_activity_daily": _user_activity_daily(known, time_on),
        "account_activity_daily": _account_activity_daily(known, time_on, memberships),
        "account_users": _account_users(known, time_on, memberships),
        "account_module_usage_30d": _account_usage(known, _MODULES, memberships),
        "account_feature_usage_30d": _account_usage(known, _FEATURES, memberships),
        "user_module_usage_30d": _user_usage(known, _MODULES),
        "user_feature_usage_30d": _user_usage(known, _FEATURES),
        "account_360": _account_360(known, time_on, memberships),
    }
