"""Event histories of any size, straight to Parquet: from hashes of numbers, the same each time.

A history is a product in use for a year: an account per ten thousand events, thirty users to an
account, sessions of ten events that come in the order of time. Every twentieth session never
syncs, every tenth has no id, one event in a thousand is sent twice, and users come back most
days or hardly ever, as users do.
"""

from __future__ import annotations

import calendar
from datetime import date, timedelta
from pathlib import Path

import duckdb

FIRST_DAY = date(2023, 7, 1)
AS_OF = date(2024, 7, 1)
EVENTS_PER_SESSION = 10
EVENTS_PER_ACCOUNT = 10_000
USERS_PER_ACCOUNT = 30

_MODULES = (
    "projects",
    "reports",
    "billing",
    "settings",
    "inbox",
    "calendar",
    "search",
    "admin",
    "files",
)

_SESSIONS = """
select
    number,
    cast(hash(number) >> 8 as bigint) as one,
    cast(hash(number * 2 + 1) >> 8 as bigint) as two,
    -- the lowest of three draws: some users are there every day, most now and then
    cast(
        least(
            hash(number * 5 + 1) % $users,
            hash(number * 5 + 2) % $users,
            hash(number * 5 + 3) % $users
        ) as bigint
    ) as user_number,
    $start_ms + (number - $first) * 86400000 * $days // $sessions as started_ms
from range($first, $first + $sessions) as sessions (number)
"""

_EVENTS = """
select
    'acc-' || lpad(cast(user_number % $accounts as varchar), 5, '0') as account_id,
    'user-' || lpad(cast(user_number as varchar), 7, '0') as user_id,
    started_ms + position * 75000 + one // (position + 1) % 60000 as created_at,
    case
        when position = 0 then 'identifyUser'
        when position in (2, 5, 8) and two % 20 > 0 then 'sessionSync'
        when position in (4, 9) then 'moduleEnd'
        when position in (3, 6, 7) then 'feature'
        else 'pageViewEnd'
    end as action,
    case when one % 10 > 0 then 's' || lpad(to_hex(number), 8, '0') end as session_id,
    'app' as product,
    $modules[two // 7 % 8 + position // 5 + 1] as module,
    case when position in (3, 6, 7) then 'feature ' || (one // (position + 3) % 40) end as feature,
    case
        when position in (2, 5, 8) and two % 20 > 0
            then case position when 2 then 150000 else 225000 end - two % 30000
    end as active_duration,
    case when position in (4, 9) then 200000 + one // 11 % 200000 end as time_spent,
    case when position in (3, 6, 7) then one // 13 % 4 + 1 end as total
from (select *, unnest(range($repeated)) as position from sessions)
"""


def accounts_of(events: int) -> int:
    """Accounts of a history of that many events."""
    return max(events // EVENTS_PER_ACCOUNT, 1)


def write_history(landing: Path, events: int) -> None:
    """Land a year of events that ends the day before `AS_OF`, a file a month, and its accounts."""
    days = (AS_OF - FIRST_DAY).days
    sessions = events // EVENTS_PER_SESSION
    write_accounts(landing, accounts_of(events))
    month, first = FIRST_DAY, 0
    while month < AS_OF:
        length = calendar.monthrange(month.year, month.month)[1]
        until = sessions * (month - FIRST_DAY).days // days + sessions * length // days
        if month + timedelta(days=length) == AS_OF:
            until = sessions
        _write(landing, events, month, length, first, until - first)
        month, first = month + timedelta(days=length), until


def write_day(landing: Path, events: int, number: int, size: int) -> None:
    """Land one further day of `size` events on a history of `events`, the first being number 0."""
    sessions = size // EVENTS_PER_SESSION
    first = events // EVENTS_PER_SESSION + number * sessions
    _write(landing, events, AS_OF + timedelta(days=number), 1, first, sessions)


def _write(landing: Path, events: int, day: date, days: int, first: int, sessions: int) -> None:
    """Land one file: sessions numbered from `first`, over `days` days from `day`."""
    file = landing / "events" / "events" / f"{day + timedelta(days=days - 1)}.parquet"
    file.parent.mkdir(parents=True, exist_ok=True)
    accounts = accounts_of(events)
    start_ms = calendar.timegm(day.timetuple()) * 1000
    with duckdb.connect() as connection:
        connection.execute(
            f"""
            copy (
                with sessions as ({_SESSIONS}),
                events as ({_EVENTS})
                select * from events
                union all
                -- what a sender sends again
                select * from events where hash(session_id, created_at) % 1000 = 0
            ) to '{file}' (format parquet, compression zstd)
            """,
            {
                "first": first,
                "sessions": sessions,
                "days": days,
                "start_ms": start_ms,
                "accounts": accounts,
                "users": accounts * USERS_PER_ACCOUNT,
                "modules": list(_MODULES),
                "repeated": EVENTS_PER_SESSION,
            },
        )


def write_accounts(landing: Path, accounts: int) -> None:
    """Land the accounts that the events are of."""
    file = landing / "crm" / "accounts.csv"
    file.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as connection:
        connection.execute(
            f"""
            copy (
                select
                    'acc-' || lpad(cast(number as varchar), 5, '0') as account_id,
                    'Account ' || number as name,
                    date '2023-01-01' + cast(number % 180 as integer) as join_date
                from range(?) as accounts (number)
            ) to '{file}' (format csv, header)
            """,
            [accounts],
        )
