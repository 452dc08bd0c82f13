"""Hypothesis strategies for small random worlds of product events, and their raw records.

The worlds are dense: a few streams of events around a few midnights (often those of a change of
the clocks), each event near an earlier one or near a midnight, so that gaps at the timeout, syncs
that reach over midnight or over one another, and estimated time inside synced time all occur often.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from .activity import (
    FEATURE,
    IDENTIFY,
    MODULE_END,
    SYNC,
    ActivityAccount,
    ActivitySettings,
    ActivityWorld,
    Event,
    ProductUser,
)
from .financials import Row
from .strategies import TIME_ZONES

# Days on which the clocks of a zone change; in Chile they leave out midnight, or double the hour
# before it.
CLOCK_CHANGES = {
    "UTC": (date(2024, 2, 29), date(2024, 12, 31)),
    "America/Los_Angeles": (date(2024, 3, 10), date(2024, 11, 3)),
    "Pacific/Auckland": (date(2024, 4, 7), date(2024, 9, 29)),
    "Europe/Berlin": (date(2024, 3, 31), date(2024, 10, 27)),
    "America/Santiago": (date(2024, 4, 6), date(2024, 9, 8)),
}
Sender = tuple[str | None, str]
"""account_id, user_id of events; the account may be unknown or absent."""
UNKNOWN_ACCOUNT = "zz"
JOIN_DATE = date(2020, 1, 1)

# Some of these are on events on which they mean nothing, and must not count there.
SYNC_DURATIONS = [
    *[None, Decimal(0), Decimal("0.001"), Decimal("1500.5")],
    *[Decimal(60_000), Decimal(300_000), Decimal(900_000), Decimal(1_800_000)] * 2,
    *[Decimal(3_600_000), Decimal(10_800_000), Decimal(43_200_000), Decimal(86_400_000)],
]
TIMES_SPENT = [None, Decimal(0), Decimal(20_000), Decimal(30_000), Decimal("100000.125")]
TOTALS = [None, None, Decimal(0), Decimal(1), Decimal(2), Decimal(7)]
ACTIONS = [
    *[SYNC] * 5,
    *["pageViewEnd"] * 4,
    *[MODULE_END, FEATURE] * 3,
    *["sessionIdle", "login", *IDENTIFY],
]
VIEWS_ONLY = "views"
# product, module, feature
PLACES = [
    (None, None, None),
    ("crm", "reports", None),
    ("crm", "reports", "export"),
    ("crm", "Reports", "export"),
    ("crm", None, "export"),
    (None, "reports", "share"),
    ("web", "reports", "share"),
]


def local_midnight(day: date, time_zone: str) -> datetime:
    """The first instant of a local day, as a naive UTC instant."""
    midnight = datetime.combine(day, time(), ZoneInfo(time_zone))
    return midnight.astimezone(UTC).replace(tzinfo=None)


def _day_around(rng: Random, last: date) -> date:
    """A day near the last full day, or near an edge of the windows that end with it."""
    near = [-4, -3, -2, -1, -1, 0, 0, 0, 1, 2]
    edges = [-6, -7, -29, -30, -31, -58, -59, -60]
    return last + timedelta(days=rng.choice(rng.choice([near, near, edges])))


def _instant(rng: Random, earlier: Sequence[datetime], settings: ActivitySettings) -> datetime:
    """An instant near a local midnight, or near one of the last ``earlier`` events.

    The latter is often exactly a timeout away from it.
    """
    microsecond = timedelta(microseconds=1)
    timeout = timedelta(minutes=settings.session_timeout_minutes)
    if earlier and rng.random() < 0.75:
        offsets = [
            *[timedelta(0), microsecond, timedelta(seconds=20), timedelta(minutes=5)],
            *[timeout, timeout, timeout + microsecond, timeout + microsecond],
            *[timedelta(minutes=12), timedelta(minutes=-7), timedelta(hours=2)],
        ]
        return rng.choice(earlier[-3:]) + rng.choice(offsets)
    day = _day_around(rng, settings.last_full_day)
    midnight = local_midnight(day, settings.reporting_time_zone)
    return midnight + timedelta(minutes=rng.choice([0, -1, -10, 10, 25, 100, 630, 1_430]))


def _new_event(rng: Random, user: Sender, created_at: datetime, own_id: str) -> Event:
    session_id = rng.choice([None, None, None, "s1", "s1", "s2", VIEWS_ONLY])
    actions = [action for action in ACTIONS if session_id != VIEWS_ONLY or action != SYNC]
    product, module, feature = rng.choice(PLACES)
    return Event(
        account_id=user[0],
        user_id=user[1],
        created_at=created_at,
        action=rng.choice(actions),
        session_id=session_id,
        product=product,
        module=module,
        feature=feature,
        active_duration=rng.choice(SYNC_DURATIONS),
        time_spent=rng.choice(TIMES_SPENT),
        total=rng.choice(TOTALS),
        event_id=rng.choice([None] * 10 + ["e1", "e2", own_id]),
    )


def _events(
    rng: Random, senders: Sequence[Sender], settings: ActivitySettings, size: int
) -> list[Event]:
    """Events in the order in which they landed; of a smaller size, the first of them.

    Some are repeated, and some copied to another user, so that users tie.
    """
    events: list[Event] = []
    instants: dict[Sender, list[datetime]] = {sender: [] for sender in senders}
    for number in range(size):
        kind = rng.choice(["new"] * 9 + ["repeated"] + ["copied"] * 2)
        account_id, user_id = user = rng.choice([*[senders[0]] * 4, senders[1], *senders])
        if events and kind == "repeated":
            events.append(rng.choice(events))
        elif events and kind == "copied":
            copied = rng.choice(events)
            events.append(replace(copied, account_id=account_id, user_id=user_id, event_id=None))
        else:
            created_at = _instant(rng, instants[user], settings)
            instants[user].append(created_at)
            events.append(_new_event(rng, user, created_at, f"own-{number}"))
    return events


def _product_user(rng: Random, user: tuple[str, str], settings: ActivitySettings) -> ProductUser:
    """A user of CRM; deactivated in one of the ways in which sources say so, or not."""

    def day_or_none() -> date | None:
        return rng.choice([None, _day_around(rng, settings.last_full_day)])

    deactivated_on = day_or_none()
    deactivated_at = None
    if deactivated_on is not None:
        midnight = local_midnight(deactivated_on, settings.reporting_time_zone)
        deactivated_at = midnight + timedelta(minutes=rng.choice([0, -1, 600]))
    return ProductUser(
        account_id=user[0],
        user_id=user[1],
        product_join_date=day_or_none(),
        is_active=rng.choice([None, None, True, False]),
        deactivated_at=deactivated_at,
        version_date=day_or_none(),
        first_name=f"First {user[1]}",
        email=f"{user[1]}@{user[0]}.example",
    )


def _settings(rng: Random) -> ActivitySettings:
    zone = rng.choice([*TIME_ZONES, "America/Santiago"])
    return ActivitySettings(
        as_of_date=rng.choice(CLOCK_CHANGES[zone]) + timedelta(days=rng.choice([0, 1, 2, 2, 3, 4])),
        reporting_time_zone=zone,
        session_timeout_minutes=rng.choice([30, 30, 30, 1, 45]),
        session_duration=rng.choice(["delta", "cumulative"]),
        event_deduplication=rng.choice(["exact", "exact", "by_id_only"]),
    )


def random_world(seed: int, size: int, max_accounts: int = 3, max_users: int = 4) -> ActivityWorld:
    """The world of a seed, with the first ``size`` of its events."""
    rng = Random(seed)
    settings = _settings(rng)
    account_ids = [f"a{number}" for number in range(1, rng.randint(1, max_accounts) + 1)]
    rng.shuffle(account_ids)
    accounts = []
    for account_id in account_ids:
        churn_date = rng.choice([None, None, None, _day_around(rng, settings.as_of_date)])
        accounts.append(ActivityAccount(account_id, churn_date))
    users = [
        (account_id, f"u{number}")
        for account_id in account_ids
        for number in range(1, rng.randint(1, max_users) + 1)
    ]
    in_crm = [user for user in [*users, (UNKNOWN_ACCOUNT, "u2")] if rng.random() < 0.5]
    in_crm += [(account_ids[0], "u9")]
    product_users = tuple(_product_user(rng, user, settings) for user in in_crm)
    senders = [*users, (UNKNOWN_ACCOUNT, "u1"), (None, "u1")]
    events = tuple(_events(rng, senders, settings, size))
    return ActivityWorld(tuple(accounts), product_users, events, settings)


def activity_worlds(
    max_accounts: int = 3, max_users: int = 4, max_events: int = 40
) -> st.SearchStrategy[ActivityWorld]:
    """Small worlds of 1 to 3 accounts with 1 to 4 users each, and up to 40 events.

    Users of different accounts share ids, as do sessions of different users. Some events are of an
    unknown account or of none, and some users are known to CRM or to the events alone.

    Hypothesis draws no more than a seed and the number of events: worlds drawn choice by choice
    take many times as long, and are largely variations of one another.
    """
    sizes = st.integers(max_events // 2, max_events)
    return st.builds(
        random_world,
        # Of a range of 24 bits and less, hypothesis draws evenly.
        st.integers(0, 2**24 - 1),
        st.integers(0, max_events) | sizes | sizes,
        st.just(max_accounts),
        st.just(max_users),
    )


# --- As the world lands --------------------------------------------------------------------------


def raw_event_records(world: ActivityWorld) -> dict[tuple[str, str], list[Row]]:
    """The world's records by domain and entity, in the native format of ``sources.md``.

    Events land in the world's order. The version date of a product user is noon of its day in the
    reporting time zone; no other record has one.
    """
    return {
        ("crm", "accounts"): [_account_record(account) for account in world.accounts],
        ("crm", "users"): [_user_record(user, world.settings) for user in world.users],
        ("events", "events"): [_event_record(event) for event in world.events],
    }


def activity_settings_overrides(world: ActivityWorld) -> dict[str, Any]:
    """The world's settings by their names in ``sources.md``; the as-of date is an input apart."""
    settings = world.settings
    return {
        "reporting_time_zone": settings.reporting_time_zone,
        "session_timeout_minutes": settings.session_timeout_minutes,
        "session_duration": settings.session_duration,
        "event_deduplication": settings.event_deduplication,
    }


def _account_record(account: ActivityAccount) -> Row:
    return {
        "account_id": account.account_id,
        "name": f"Account {account.account_id}",
        "join_date": JOIN_DATE,
        "is_churned": account.churn_date is not None,
        "inactive_time": account.churn_date,
    }


def _user_record(user: ProductUser, settings: ActivitySettings) -> Row:
    updated_at = None
    if user.version_date is not None:
        noon = datetime.combine(user.version_date, time(12), ZoneInfo(settings.reporting_time_zone))
        updated_at = noon.astimezone(UTC).replace(tzinfo=None)
    return {
        "account_id": user.account_id,
        "user_id": user.user_id,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "email": user.email,
        "product_join_date": user.product_join_date,
        "is_active": user.is_active,
        "deactivated_at": user.deactivated_at,
        "contact_id": user.contact_id,
        "updated_at": updated_at,
    }


def _event_record(event: Event) -> Row:
    return {
        "account_id": event.account_id,
        "user_id": event.user_id,
        "created_at": event.created_at,
        "action": event.action,
        "session_id": event.session_id,
        "product": event.product,
        "module": event.module,
        "feature": event.feature,
        "active_duration": event.active_duration,
        "time_spent": event.time_spent,
        "total": event.total,
        "event_id": event.event_id,
    }
