"""The events behind user days, from the warehouse: where `account360 explain` goes on from what is
published.

The warehouse keeps every landed event, and what the last night made of those that it looked at;
which of an older day's events count is judged anew, by the very SQL that judged them: the compiled
model `stg_native__events` asks a table for the days to look at, and is given the days in question.
"""

# ruff: noqa: S608 (the SQL is that of the dbt project; values are bound)

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb

from ingestion.sql import literal
from settings import Settings

# Published user days whose events can be told: what is counted of them there, which events of the
# account they are, and what each one adds to that count.
EVENT_SOURCES = {
    "user_activity_daily": ("event_count", "is_activity", "1"),
    "user_module_usage_daily": (
        "total_seconds",
        "action = 'moduleEnd'",
        "cast(coalesce(time_spent_microseconds, 0) / 1000000.0 as decimal(28, 6))",
    ),
    "user_feature_usage_daily": ("total_count", "action = 'feature'", "coalesce(total, 1)"),
}
_ACTIVE = "cast(active_microseconds / 1000000.0 as decimal(28, 6))"
_USED = ("product", "module", "feature")

_MODELS = Path("compiled", "account360", "models", "staging")
_DAYS_TO_LOOK_AT = 'from "warehouse"."staging"."stg_native__event_days_touched"'
_ASKED_DAYS = "from asked_days"
_JUDGED = '"warehouse"."staging"."stg_native__events"'


class EventsUnknownError(RuntimeError):
    """The events cannot be told; the message says why."""


@dataclass(frozen=True)
class Event:
    """A landed event behind a user day: `amount` is 1, seconds in a module or uses of a feature."""

    user_id: str
    day: date
    created_at: datetime
    action: str
    amount: Any
    active_seconds: Any
    session_id: str | None
    location: str
    line: int


def find_events(
    settings: Settings,
    source: str,
    keys: Mapping[str, Any],
    user_days: Iterable[tuple[str, date]],
) -> tuple[Event, ...]:
    """The events of an account's user days, of a product, module or feature where `keys` name one,
    in the order of their instants. Raises `EventsUnknownError`."""
    warehouse = settings.warehouse_path
    if not warehouse.exists():
        raise EventsUnknownError(f"{warehouse} is not there")
    _, condition, amount = EVENT_SOURCES[source]
    used = [key for key in _USED if key in keys]
    conditions = [condition, *(f"coalesce({key}, '(none)') = ?" for key in used)]
    try:
        with duckdb.connect() as connection:
            connection.execute("set memory_limit = ?", [settings.memory_limit])
            connection.execute(f"attach {literal(warehouse)} as warehouse (read_only)")
            connection.execute(
                "create temp table asked_days as select cast(? as varchar) as account_id, "
                "unnest(cast(? as varchar[])) as user_id, unnest(cast(? as date[])) as day",
                [keys["account_id"], *map(list, zip(*user_days, strict=True))],
            )
            rows = connection.execute(
                f"select user_id, event_day, created_at, action, {amount}, {_ACTIVE}, session_id, "
                f"location, line from ({_events_sql(settings, connection)}) as events "
                "semi join asked_days on events.account_id = asked_days.account_id "
                "and events.user_id = asked_days.user_id and events.event_day = asked_days.day "
                f"where {' and '.join(conditions)} order by created_at, user_id, location, line",
                [keys[key] for key in used],
            ).fetchall()
    except duckdb.IOException:
        raise EventsUnknownError(f"a run has {warehouse}; ask again when it has ended") from None
    return tuple(Event(*row) for row in rows)


def _events_sql(settings: Settings, connection: duckdb.DuckDBPyConnection) -> str:
    """The query of the events that count, on the days of the table `asked_days` at least."""
    judging = _compiled(settings, "native/stg_native__events.sql")
    counting = _compiled(settings, "canonical/stg_canonical__events.sql")
    if _DAYS_TO_LOOK_AT not in judging:
        # a night that builds the events anew looks at all days, and keeps what it saw
        return counting
    connection.execute(
        f"create temp view judged_events as {judging.replace(_DAYS_TO_LOOK_AT, _ASKED_DAYS)}"
    )
    return counting.replace(_JUDGED, "judged_events")


def _compiled(settings: Settings, model: str) -> str:
    path = settings.dbt_target_path / _MODELS / model
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        raise EventsUnknownError(f"{path} is not there, which a run writes") from None
