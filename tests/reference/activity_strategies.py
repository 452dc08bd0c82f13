"""Hypothesis strategies for small random worlds of product events, and their raw records.

The worlds are dense: a few streams of events around a few midnights (often those of a change of
the clocks), each event near an earlier one or near a midnight, so that gaps at the timeout, syncs
that reach over midnight or over one another, and estimated time inside synced time all occur often.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
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


def _days_around(last: date) -> st.SearchStrategy[date]:
    """Days near the last full day, and near the edges of the windows that end with it."""
    offsets = [*[-4, -3, -2, -1, -1, 0, 0, 1, 2], *[-6, -7, -29, -30, -31, -58, -59, -60]]
    return st.sampled_from(offsets).map(lambda days: last + timedelta(days=days))


def _near(earlier: Sequence[datetime], timeout: timedelta) -> st.SearchStrategy[datetime]:
    """Instants that are close to an earlier event, often exactly a timeout away from it."""
    microsecond = timedelta(microseconds=1)
    offsets = [
        *[timedelta(0), microsecond, timedelta(seconds=20), timedelta(minutes=5)],
        *[timeout, timeout, timeout + microsecond, timeout - microsecond],
        *[timedelta(minutes=12), timedelta(minutes=-7), timedelta(hours=2)],
    ]
    return st.builds(lambda t, by: t + by, st.sampled_from(earlier), st.sampled_from(offsets))


@st.composite
def _instants(
    draw: st.DrawFn, earlier: Sequence[datetime], settings: ActivitySettings, timeout: timedelta
) -> datetime:
    """An instant near one of the last ``earlier`` events, or near a local midnight."""
    if earlier and draw(st.sampled_from([True, True, False])):
        return draw(_near(earlier[-3:], timeout))
    day = draw(_days_around(settings.last_full_day))
    midnight = local_midnight(day, settings.reporting_time_zone)
    minutes = draw(st.sampled_from([0, -1, -10, 10, 25, 100, 630, 1_430]))
    return midnight + timedelta(minutes=minutes)


@st.composite
def _events(
    draw: st.DrawFn, users: Sequence[tuple[str | None, str]], settings: ActivitySettings, size: int
) -> list[Event]:
    """Events of the users' streams in the order in which they landed, some of them repeated."""
    timeout = timedelta(minutes=settings.session_timeout_minutes)
    events: list[Event] = []
    instants: dict[tuple[str | None, str], list[datetime]] = {user: [] for user in users}
    for number in range(size):
        if events and draw(st.integers(0, 11)) == 0:
            events.append(draw(st.sampled_from(events)))
            continue
        account_id, user_id = user = draw(st.sampled_from([*[users[0]] * 4, users[1], *users]))
        created_at = draw(_instants(instants[user], settings, timeout))
        instants[user].append(created_at)
        action = draw(st.sampled_from(ACTIONS))
        product, module, feature = draw(st.sampled_from(PLACES))
        event = Event(
            account_id=account_id,
            user_id=user_id,
            created_at=created_at,
            action=action,
            session_id=draw(st.sampled_from([None, None, None, "s1", "s1", "s2"])),
            product=product,
            module=module,
            feature=feature,
            active_duration=draw(st.sampled_from(SYNC_DURATIONS)),
            time_spent=draw(st.sampled_from(TIMES_SPENT)),
            total=draw(st.sampled_from(TOTALS)),
            event_id=draw(st.sampled_from([None] * 10 + ["e1", "e2", f"own-{number}"])),
        )
        events.append(event)
    return events


@st.composite
def _product_user(
    draw: st.DrawFn, user: tuple[str, str], settings: ActivitySettings
) -> ProductUser:
    """A user of CRM; deactivated in one of the ways in which sources say so, or not."""
    zone, days = settings.reporting_time_zone, _days_around(settings.last_full_day)
    deactivated_on = draw(st.none() | days)
    return ProductUser(
        account_id=user[0],
        user_id=user[1],
        product_join_date=draw(st.none() | days),
        is_active=draw(st.sampled_from([None, True, False])),
        deactivated_at=(
            None
            if deactivated_on is None
            else local_midnight(deactivated_on, zone)
            + timedelta(minutes=draw(st.sampled_from([0, -1, 600])))
        ),
        version_date=draw(st.none() | days),
        first_name=f"First {user[1]}",
        email=f"{user[1]}@{user[0]}.example",
    )


@st.composite
def _settings(draw: st.DrawFn) -> ActivitySettings:
    zone = draw(st.sampled_from([*TIME_ZONES, "America/Santiago"]))
    change = draw(st.sampled_from(CLOCK_CHANGES[zone]))
    return ActivitySettings(
        as_of_date=change + timedelta(days=draw(st.integers(0, 4))),
        reporting_time_zone=zone,
        session_timeout_minutes=draw(st.sampled_from([30, 30, 30, 1, 45])),
        session_duration=draw(st.sampled_from(["delta", "cumulative"])),
        event_deduplication=draw(st.sampled_from(["exact", "exact", "by_id_only"])),
    )


@st.composite
def activity_worlds(
    draw: st.DrawFn, max_accounts: int = 3, max_users: int = 4, max_events: int = 40
) -> ActivityWorld:
    """Small worlds of 1 to 3 accounts with 1 to 4 users each, and up to 40 events.

    Users of different accounts share ids, as do sessions of different users. Some events are of an
    unknown account or of none, and some users are known to CRM or to the events alone.
    """
    settings = draw(_settings())
    accounts = [
        ActivityAccount(
            account_id=f"a{number}",
            churn_date=draw(st.none() | st.none() | st.none() | _days_around(settings.as_of_date)),
        )
        for number in draw(st.permutations(range(1, draw(st.integers(1, max_accounts)) + 1)))
    ]
    users = [
        (account.account_id, f"u{number}")
        for account in accounts
        for number in range(1, draw(st.integers(1, max_users)) + 1)
    ]
    senders = [*users, (UNKNOWN_ACCOUNT, "u1"), (None, "u1")]
    size = draw(st.integers(0, max_events) | st.integers(max_events // 2, max_events))
    events = draw(_events(senders, settings, size))
    in_crm = [user for user in [*users, (UNKNOWN_ACCOUNT, "u2")] if draw(st.booleans())]
    in_crm += [(accounts[0].account_id, "u9")]
    return ActivityWorld(
        accounts=tuple(accounts),
        users=tuple(draw(_product_user(user, settings)) for user in in_crm),
        events=tuple(events),
        settings=settings,
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
