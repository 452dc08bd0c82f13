"""The activity reference on the worked case of ``metrics.md``, on edge cases, on random worlds."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings

from .activity import (
    IDENTIFY,
    SYNC,
    ActivityAccount,
    ActivitySettings,
    ActivityWorld,
    Event,
    ProductUser,
    activity_tables,
    amount_per_user_per_day_used,
    day_start,
    deduplicated,
    gap_intervals,
    outside,
    percent_ranks,
    slope_sign,
    split_at_midnight,
    sync_intervals,
)
from .activity_strategies import (
    CLOCK_CHANGES,
    UNKNOWN_ACCOUNT,
    activity_settings_overrides,
    activity_worlds,
    local_midnight,
    raw_event_records,
)
from .financials import ONE_DAY, Row

D = Decimal
F = Fraction
HOUR = 3_600_000_000
MARCH = ActivitySettings(as_of_date=date(2024, 4, 1))
BERLIN = replace(MARCH, as_of_date=date(2024, 4, 10), reporting_time_zone="Europe/Berlin")
random_worlds = settings(max_examples=100, derandomize=True, deadline=None)


def day(text: str) -> date:
    """A date of 2024 from MM-DD."""
    return date.fromisoformat(f"2024-{text}")


def at(text: str) -> datetime:
    """An instant of 2024, in UTC, from MM-DD and a time."""
    return datetime.fromisoformat(f"2024-{text}")


def event(instant: str, action: str = "pageViewEnd", **changes: object) -> Event:
    """An event of user u of account a."""
    values = {"account_id": "a", "user_id": "u", "created_at": at(instant), "action": action}
    return Event(**(values | changes))


def sync(instant: str, minutes: object, session: str | None = "s", **changes: object) -> Event:
    """A session sync; ``minutes`` None: without a duration."""
    duration = None if minutes is None else D(str(minutes)) * 60_000
    return event(instant, SYNC, session_id=session, active_duration=duration, **changes)


def tables(
    *events: Event,
    users: tuple[ProductUser, ...] = (),
    options: ActivitySettings = MARCH,
    churned: dict[str, date] | None = None,
) -> dict[str, list[Row]]:
    """The tables of a world in which every account named exists, except ``zz``."""
    names = {item.account_id for item in (*events, *users)} - {None, UNKNOWN_ACCOUNT}
    accounts = tuple(ActivityAccount(name, (churned or {}).get(name)) for name in names)
    return activity_tables(ActivityWorld(accounts, users, events, options))


def minutes_by_day(
    *events: Event, options: ActivitySettings = MARCH, user: str = "u"
) -> dict[str, Decimal]:
    """MM-DD → session minutes of a user, of the days that have a row."""
    return {
        f"{row['day']:%m-%d}": row["session_seconds"] / 60
        for row in tables(*events, options=options)["user_activity_daily"]
        if row["user_id"] == user
    }


def user_row(result: dict[str, list[Row]], user: str = "u", account: str = "a") -> Row:
    """The row of ``account_users``."""
    (row,) = (
        row
        for row in result["account_users"]
        if (row["account_id"], row["user_id"]) == (account, user)
    )
    return row


# --- Modules and features ------------------------------------------------------------------------


def module_end(instant: str, seconds: object, user: str = "u", **changes: object) -> Event:
    spent = None if seconds is None else D(str(seconds)) * 1000
    values = {"product": "p", "module": "m", "time_spent": spent, "user_id": user}
    return event(instant, "moduleEnd", **(values | changes))


def test_worked_case_of_modules() -> None:
    result = tables(
        module_end("03-01 10:00", 100, "a"),
        module_end("03-01 11:00", 20, "b"),
        module_end("03-02 10:00", 30, "a"),
        event("03-05 10:00", user_id="c"),
        options=replace(MARCH, as_of_date=day("03-20")),
    )
    assert result["account_module_usage_30d"] == [
        {
            "account_id": "a",
            "product": "p",
            "module": "m",
            "total_seconds": 150,
            "seconds_per_user_per_day_used": 45,
            "days_used": 2,
            "users": 2,
            "non_users": 1,
            "last_used_date": day("03-02"),
            "rank_in_account": 1,
        }
    ]
    assert [
        (row["user_id"], row["total_seconds"], row["days_used"], row["last_used_date"])
        for row in result["user_module_usage_30d"]
    ] == [("a", 130, 2, day("03-02")), ("b", 20, 1, day("03-01"))]


def test_the_mean_is_of_days_and_of_distinct_users() -> None:
    uses = [(day("03-01"), "a", D(60)), (day("03-01"), "a", D(40)), (day("03-01"), "b", D(20))]
    assert amount_per_user_per_day_used([*uses, (day("03-02"), "a", D(30))]) == 45
    assert amount_per_user_per_day_used([(day("03-01"), "a", D(0))]) == 0


def test_the_window_of_modules_has_30_days() -> None:
    out = tables(module_end("03-01 23:59:59.999999", 5))
    assert out["account_module_usage_30d"] == out["user_module_usage_30d"] == []
    rows = tables(
        module_end("03-01 12:00", 5),
        module_end("03-02 00:00", 7),
        module_end("03-31 23:59:59.999999", 11),
        module_end("04-01 00:00", 13),
    )["account_module_usage_30d"]
    assert [(r["total_seconds"], r["days_used"], r["last_used_date"]) for r in rows] == [
        (18, 2, day("03-31"))
    ]


def test_ranks_in_account_go_by_total_then_name() -> None:
    rows = tables(
        module_end("03-10 10:00", 5, module="b"),
        module_end("03-10 10:00", 5, module="B"),
        module_end("03-10 10:00", 9, module=None),
        module_end("03-10 10:00", 5, product=None),
        module_end("03-10 10:00", None, module="idle"),
        module_end("03-10 10:00", 1, account_id="b"),
    )["account_module_usage_30d"]
    assert [(r["product"], r["module"], r["rank_in_account"]) for r in rows] == [
        ("(none)", "m", 2),
        ("p", "(none)", 1),
        ("p", "B", 3),
        ("p", "b", 4),
        ("p", "idle", 5),
        ("p", "m", 1),
    ]


def test_features_count_their_total() -> None:
    def use(instant: str, total: int | None, user: str = "u", **changes: object) -> Event:
        values = {"product": "p", "module": "m", "feature": "f", "user_id": user}
        count = None if total is None else D(total)
        return event(instant, "feature", total=count, **(values | changes))

    result = tables(
        use("03-10 10:00", None),
        use("03-10 10:01", 4, "v"),
        use("03-11 10:00", 0),
        use("03-11 10:00", 8, feature=None),
        event("03-12 10:00", "pageViewEnd", feature="f", total=D(100)),
    )
    assert [
        (r["feature"], r["total_count"], r["count_per_user_per_day_used"], r["days_used"])
        for r in result["account_feature_usage_30d"]
    ] == [("(none)", 8, 8, 1), ("f", 5, F(5, 4), 2)]
    assert [
        (r["user_id"], r["feature"], r["total_count"]) for r in result["user_feature_usage_30d"]
    ] == [("u", "(none)", 8), ("u", "f", 1), ("v", "f", 4)]
    assert result["account_module_usage_30d"] == []


def test_non_users_are_product_users_on_the_last_day() -> None:
    users = (
        ProductUser("a", "idle", day("03-31")),
        ProductUser("a", "later", day("04-01")),
        ProductUser("a", "gone", day("01-01"), is_active=False, version_date=day("03-31")),
        ProductUser("a", "u", day("01-01"), is_active=False, version_date=day("03-31")),
    )
    result = tables(module_end("03-10 10:00", 5), users=users)
    assert [(r["users"], r["non_users"]) for r in result["account_module_usage_30d"]] == [(1, 1)]


# --- Synced time ---------------------------------------------------------------------------------


def test_a_sync_covers_the_time_before_it() -> None:
    assert minutes_by_day(sync("03-10 10:00", 5), sync("03-10 10:01", 5)) == {"03-10": 10}
    assert minutes_by_day(sync("03-10 10:00", None)) == {"03-10": 0}
    assert minutes_by_day(event("03-10 10:00", active_duration=D(60_000))) == {"03-10": 0}


def test_a_sync_is_split_at_midnight() -> None:
    result = tables(sync("03-10 00:10", 25), sync("03-12 00:00", 30))
    assert [
        (f"{r['day']:%m-%d}", r["session_seconds"], r["event_count"])
        for r in result["user_activity_daily"]
    ] == [("03-09", 900, 0), ("03-10", 600, 1), ("03-11", 1800, 0), ("03-12", 0, 1)]
    by_day = {row["day"]: row for row in result["account_activity_daily"]}
    assert min(by_day) == day("03-10")
    assert (by_day[day("03-10")]["dau"], by_day[day("03-11")]["dau"]) == (1, 0)
    assert by_day[day("03-11")]["session_seconds"] == 1800
    assert by_day[day("03-11")]["seconds_per_active_user"] is None
    assert by_day[day("03-12")]["seconds_per_active_user"] == 0


def test_time_is_exact_to_the_microsecond() -> None:
    first = event("03-10 00:00:00.000001", SYNC, session_id="s", active_duration=D("0.002"))
    result = tables(first, replace(first, session_id="t", active_duration=D("0.001")))
    assert [(f"{r['day']:%m-%d}", r["session_seconds"]) for r in result["user_activity_daily"]] == [
        ("03-09", D("0.000001")),
        ("03-10", D("0.000002")),
    ]


def test_days_of_23_and_25_hours_are_days() -> None:
    # 31 March: 23:00Z to 22:00Z; its day before ends at 23:00Z.
    assert minutes_by_day(sync("03-31 22:00", 23 * 60), options=BERLIN) == {
        "03-31": 23 * 60,
        "04-01": 0,
    }
    autumn = replace(BERLIN, as_of_date=day("12-01"))
    # 27 October has 25 hours; a user and day has at most 24.
    events = (sync("10-27 11:00", 13 * 60), sync("10-27 23:00", 12 * 60))
    assert minutes_by_day(*events, options=autumn) == {"10-27": 24 * 60, "10-28": 0}
    events = (sync("10-27 11:00", 12 * 60), sync("10-27 22:30", 11 * 60 + 30))
    assert minutes_by_day(*events, options=autumn) == {"10-27": 23 * 60 + 30}


def test_days_begin_also_where_the_clocks_leave_out_midnight() -> None:
    zone = "America/Santiago"
    assert day_start(day("09-08"), zone) - day_start(day("09-07"), zone) == 24 * HOUR
    assert day_start(day("09-09"), zone) - day_start(day("09-08"), zone) == 23 * HOUR
    assert day_start(day("04-07"), zone) - day_start(day("04-06"), zone) == 25 * HOUR
    whole = (day_start(day("04-05"), zone), day_start(day("04-08"), zone))
    assert [part // HOUR for _, part in split_at_midnight(whole, zone)] == [24, 25, 24]


def test_syncs_are_capped_per_user_and_day() -> None:
    parallel = [sync("03-11 00:00", 24 * 60, session) for session in ("s", "t", None)]
    other = sync("03-11 00:00", 24 * 60, user_id="v")
    assert minutes_by_day(*parallel, other) == {"03-10": 24 * 60, "03-11": 0}
    by_day = {r["day"]: r for r in tables(*parallel, other)["account_activity_daily"]}
    assert min(by_day) == day("03-11")
    assert user_row(tables(*parallel, other))["session_seconds_30d"] == 86_400


def test_cumulative_durations_become_differences() -> None:
    options = replace(MARCH, session_duration="cumulative")
    running = (sync("03-10 10:00", 5), sync("03-10 10:10", 12), sync("03-10 10:20", 12))
    assert minutes_by_day(*running) == {"03-10": 29}
    assert minutes_by_day(*reversed(running), options=options) == {"03-10": 12}
    restarted = (*running, sync("03-10 10:30", 4), sync("03-10 10:40", 6))
    assert minutes_by_day(*restarted, options=options) == {"03-10": 18}
    at_once = (sync("03-10 10:00", 9), sync("03-10 10:00", 5))
    assert minutes_by_day(*at_once, options=options) == {"03-10": 9}
    streams = [replace(item, session_id=name) for name in ("s", "t", None) for item in running]
    assert minutes_by_day(*streams, options=options) == {"03-10": 36}
    over_midnight = (sync("03-10 23:50", 60), sync("03-11 00:10", 80))
    assert minutes_by_day(*over_midnight, options=options) == {"03-10": 70, "03-11": 10}


# --- Estimated time ------------------------------------------------------------------------------


@pytest.mark.parametrize("session", ["s", None])
def test_a_gap_over_the_timeout_counts_nothing(session: str | None) -> None:
    def views(*instants: str) -> list[Event]:
        return [event(f"03-10 {instant}", session_id=session) for instant in instants]

    assert minutes_by_day(*views("10:00", "10:30")) == {"03-10": 30}
    assert minutes_by_day(*views("10:00", "10:30:00.000001")) == {"03-10": 0}
    assert minutes_by_day(*views("10:50", "10:00", "10:20", "11:20:00.000001")) == {"03-10": 50}
    assert minutes_by_day(*views("10:00")) == {"03-10": 0}
    short = replace(MARCH, session_timeout_minutes=1)
    assert minutes_by_day(*views("10:00", "10:01", "10:03"), options=short) == {"03-10": 1}


def test_estimated_time_is_split_at_midnight() -> None:
    events = (event("03-10 23:50"), event("03-11 00:15"))
    assert minutes_by_day(*events) == {"03-10": 10, "03-11": 15}


def test_a_session_with_a_sync_has_its_syncs_time_only() -> None:
    views = (event("03-10 10:00", session_id="s"), event("03-10 10:20", session_id="s"))
    assert minutes_by_day(*views, sync("03-20 10:00", 0)) == {"03-10": 0, "03-20": 0}
    assert minutes_by_day(*views, sync("03-20 10:00", 0, "t")) == {"03-10": 20, "03-20": 0}
    other = sync("03-20 10:00", 0, user_id="v")
    assert minutes_by_day(*views, other) == {"03-10": 20}
    # A sync after L is not known yet.
    assert minutes_by_day(*views, sync("04-01 10:00", 0)) == {"03-10": 20}


def test_two_session_ids_are_two_streams() -> None:
    views = [
        event(f"03-10 {instant}", session_id=session)
        for session in ("s", "t")
        for instant in ("10:00", "10:20")
    ]
    assert minutes_by_day(*views, sync("03-10 10:20", 20, "x")) == {"03-10": 60}


def test_events_without_a_session_count_outside_synced_time_only() -> None:
    views = (event("03-10 10:00"), event("03-10 10:25"), event("03-10 10:50"))
    assert minutes_by_day(*views) == {"03-10": 50}
    assert minutes_by_day(*views, sync("03-10 10:30", 10)) == {"03-10": 50}
    assert minutes_by_day(*views, sync("03-10 10:05", 60)) == {"03-10": 45 + 60}
    over_both = (sync("03-10 10:30", 10), sync("03-10 10:35", 10, "t"), sync("03-10 10:40", 2, "t"))
    assert minutes_by_day(*views, *over_both) == {"03-10": 50 - 17 + 22}
    # Its own syncs are synced time, and no step of the estimate.
    assert minutes_by_day(*views, sync("03-10 10:30", 10, None)) == {"03-10": 50}
    assert minutes_by_day(views[0], views[2], sync("03-10 10:25", 0, None)) == {"03-10": 0}
    # Another user's syncs, and estimated sessions, take nothing away.
    assert minutes_by_day(*views, sync("03-10 10:30", 10, user_id="v")) == {"03-10": 50}
    named = (event("03-10 10:00", session_id="t"), event("03-10 10:20", session_id="t"))
    assert minutes_by_day(*views, *named) == {"03-10": 70}


def test_outside() -> None:
    assert outside((0, 10), []) == [(0, 10)]
    assert outside((0, 10), [(2, 4), (3, 5), (9, 12), (20, 30)]) == [(0, 2), (5, 9)]
    assert outside((0, 10), [(0, 10)]) == []
    assert sum(e - s for s, e in outside((0, 10), [(5, 5), (-3, 0), (10, 11)])) == 10


# --- What counts ---------------------------------------------------------------------------------


def test_identify_events_make_users_but_no_activity() -> None:
    result = tables(
        event("03-10 10:00", IDENTIFY[0]),
        event("03-10 10:10", IDENTIFY[1]),
        event("03-10 10:05", "identifyuser", user_id="v"),
    )
    assert [r["user_id"] for r in result["user_activity_daily"]] == ["v"]
    assert (user_row(result)["first_seen_date"], user_row(result)["last_seen_date"]) == (None, None)
    first = result["account_activity_daily"][0]
    assert (first["day"], first["dau"], first["product_users"]) == (day("03-10"), 1, 2)


def test_unknown_accounts_count_nowhere() -> None:
    users = (ProductUser(UNKNOWN_ACCOUNT, "v", day("03-01")),)
    result = tables(
        event("03-10 10:00", account_id=None),
        event("03-10 10:00", account_id=UNKNOWN_ACCOUNT),
        users=users,
    )
    assert all(rows == [] for rows in result.values())


def test_equal_events_are_one() -> None:
    twice = (sync("03-10 10:00", 5), sync("03-10 10:00", 5))
    assert minutes_by_day(*twice) == {"03-10": 5}
    real = replace(MARCH, event_deduplication="by_id_only")
    assert minutes_by_day(*twice, options=real) == {"03-10": 10}
    assert tables(*twice, options=real)["user_activity_daily"][0]["event_count"] == 2
    assert minutes_by_day(twice[0], replace(twice[1], total=D(1))) == {"03-10": 10}


@pytest.mark.parametrize("deduplication", ["exact", "by_id_only"])
def test_the_last_event_of_an_id_counts(deduplication: str) -> None:
    options = replace(MARCH, event_deduplication=deduplication)
    first, second = sync("03-10 10:00", 5, event_id="e"), sync("03-11 10:00", 7, event_id="e")
    assert minutes_by_day(first, second, options=options) == {"03-11": 7}
    assert minutes_by_day(second, first, options=options) == {"03-10": 5}
    unknown = replace(second, account_id=UNKNOWN_ACCOUNT)
    assert minutes_by_day(first, unknown, options=options) == {}
    same_without_id = replace(first, event_id=None)
    assert minutes_by_day(first, same_without_id, options=options) == {"03-10": 10}


def test_rolling_users_are_distinct() -> None:
    events = [
        event("03-01 10:00"),
        event("03-01 11:00", user_id="v"),
        event("03-07 10:00"),
        event("03-08 10:00", user_id="w"),
    ]
    rows = {f"{r['day']:%m-%d}": r for r in tables(*events)["account_activity_daily"]}
    counts = {text: (r["dau"], r["wau"], r["mau"]) for text, r in rows.items()}
    assert counts["03-01"] == (2, 2, 2)
    assert counts["03-07"] == (1, 2, 2)
    assert counts["03-08"] == (1, 2, 3)
    assert counts["03-30"] == (0, 0, 3)
    assert counts["03-31"] == (0, 0, 2)
    assert len(rows) == 31


def test_days_follow_the_zone() -> None:
    options = replace(BERLIN, as_of_date=day("03-11"))
    result = tables(event("03-09 22:59:59"), event("03-09 23:00"), options=options)
    rows = [(f"{r['day']:%m-%d}", r["event_count"]) for r in result["user_activity_daily"]]
    assert rows == [("03-09", 1), ("03-10", 1)]
    # 11 March has begun at 23:00Z.
    assert tables(event("03-10 23:00"), options=options)["account_users"] == []


def test_account_360_has_the_figures_of_the_last_day() -> None:
    result = tables(
        event("03-20 10:00", user_id="v"),
        sync("03-31 10:00", 5),
        event("03-31 10:00", IDENTIFY[0], account_id="b"),
    )
    assert result["account_360"] == [
        {
            "account_id": "a",
            "last_seen_date": day("03-31"),
            "dau": 1,
            "wau": 1,
            "mau": 2,
            "seconds_per_active_user": 300,
            "product_users": 2,
            "activity_rank": 0,
        },
        {
            "account_id": "b",
            "last_seen_date": None,
            "dau": 0,
            "wau": 0,
            "mau": 0,
            "seconds_per_active_user": None,
            "product_users": 1,
            "activity_rank": None,
        },
    ]


# --- Churn ---------------------------------------------------------------------------------------


def test_a_churned_account_has_no_usage_from_its_churn_date_on() -> None:
    events = (
        sync("03-19 10:00", 5),
        module_end("03-19 10:00", 5),
        event("03-20 00:00", session_id="t"),
        sync("03-20 00:05", 10),  # five minutes of it were before the churn date
        event("03-20 09:00", user_id="late"),
        sync("03-19 10:00", 1, account_id="b"),
    )
    result = tables(*events, churned={"a": day("03-20")})
    own = [row for row in result["user_activity_daily"] if row["account_id"] == "a"]
    assert [(f"{r['day']:%m-%d}", r["session_seconds"], r["event_count"]) for r in own] == [
        ("03-19", 600, 2)
    ]
    days = [r["day"] for r in result["account_activity_daily"] if r["account_id"] == "a"]
    assert days == [day("03-19")]
    row = user_row(result)
    assert (row["last_seen_date"], row["session_seconds_30d"]) == (day("03-19"), None)
    assert [row[name] for name in ("activity_rank", "activity_rank_in_account", "rank_trend")] == [
        None
    ] * 3
    assert user_row(result, "late")["first_seen_date"] is None
    assert result["account_module_usage_30d"] == result["user_module_usage_30d"] == []
    assert set(result["account_360"][0].values()) == {"a", None}
    assert user_row(result, account="b")["activity_rank"] == 0
    assert result["account_360"][1]["activity_rank"] == 0


def test_a_churn_date_after_the_last_full_day_is_unset() -> None:
    events = (sync("03-31 10:00", 5), module_end("03-31 10:00", 5))
    churned = {"a": day("04-01")}
    assert tables(*events, churned=churned) == tables(*events)
    assert tables(*events, churned={"a": day("03-31")}) != tables(*events)


# --- Product users -------------------------------------------------------------------------------


def product_users(
    *users: ProductUser, events: tuple[Event, ...] = (), options: ActivitySettings = MARCH
) -> dict[str, int]:
    """MM-DD → product users of account a, of the days on which the number changes."""
    changes: dict[str, int] = {}
    for row in tables(*events, users=users, options=options)["account_activity_daily"]:
        if not changes or row["product_users"] != list(changes.values())[-1]:
            changes[f"{row['day']:%m-%d}"] = row["product_users"]
    return changes


def test_product_users_begin_with_the_earliest_fact() -> None:
    joined = ProductUser("a", "u", day("03-10"))
    assert product_users(joined) == {"03-10": 1}
    assert product_users(joined, events=(event("03-05 10:00", IDENTIFY[0]),)) == {"03-05": 1}
    assert product_users(joined, events=(event("03-15 10:00"),)) == {"03-10": 1}
    assert product_users(ProductUser("a", "u"), events=(event("03-15 10:00"),)) == {"03-15": 1}
    assert product_users(ProductUser("a", "u")) == {}
    assert product_users(ProductUser("a", "u", day("04-01"))) == {}
    assert product_users(joined, ProductUser("a", "v"), ProductUser("b", "u", day("03-01"))) == {
        "03-10": 1
    }


@pytest.mark.parametrize(
    ("is_active", "deactivated_at", "version_date", "expected"),
    [
        (None, "03-20 10:00", None, {"03-10": 1, "03-20": 0}),
        (False, "03-20 10:00", "03-25", {"03-10": 1, "03-20": 0}),
        (True, "03-20 10:00", "03-25", {"03-10": 1}),
        (False, None, "03-25", {"03-10": 1, "03-25": 0}),
        (False, None, "03-31", {"03-10": 1, "03-31": 0}),
        (False, None, None, {"03-10": 0}),
        (None, None, "03-25", {"03-10": 1}),
        (False, "04-01 00:00", "03-25", {"03-10": 1}),
        (False, "03-31 23:59:59.999999", None, {"03-10": 1, "03-31": 0}),
        (False, "03-05 10:00", None, {"03-10": 0}),
        # A version that is dated after L is not known yet.
        (False, None, "04-01", {}),
    ],
)
def test_product_users_end_with_their_deactivation(
    is_active: bool | None,
    deactivated_at: str | None,
    version_date: str | None,
    expected: dict[str, int],
) -> None:
    user = ProductUser(
        "a",
        "u",
        day("03-10"),
        is_active,
        None if deactivated_at is None else at(deactivated_at),
        None if version_date is None else day(version_date),
    )
    assert product_users(user) == expected
    rows = tables(users=(user,))["account_users"]
    assert [row["is_deactivated"] for row in rows] == [0 in expected.values()] * bool(expected)


def test_deactivation_is_on_the_local_day() -> None:
    user = ProductUser("a", "u", day("03-10"), None, at("03-20 23:00"))
    assert product_users(user, options=BERLIN) == {"03-10": 1, "03-21": 0}


# --- Ranks ---------------------------------------------------------------------------------------


def test_percent_ranks() -> None:
    assert percent_ranks({}) == {}
    assert percent_ranks({"a": 7}) == {"a": 0}
    assert percent_ranks({"a": 7, "b": 7}) == {"a": 0, "b": 0}
    assert percent_ranks({"a": 1, "b": 5, "c": 5, "d": 9}) == {
        "a": 0,
        "b": F(100, 3),
        "c": F(100, 3),
        "d": 100,
    }


def test_activity_ranks_are_over_all_users_and_within_the_account() -> None:
    minutes = {("a", "u"): 5, ("a", "v"): 5, ("a", "w"): 9, ("b", "u"): 7, ("b", "v"): 0}
    events = [
        sync("03-20 10:00", spent, account_id=account, user_id=user)
        for (account, user), spent in minutes.items()
    ]
    result = tables(*events)
    ranks = {(r["account_id"], r["user_id"]): r["activity_rank"] for r in result["account_users"]}
    assert ranks == {
        ("a", "u"): 0,
        ("a", "v"): 0,
        ("a", "w"): 100,
        ("b", "u"): F(200, 3),
        ("b", "v"): None,
    }
    within = [row["activity_rank_in_account"] for row in result["account_users"]]
    assert within == [0, 0, 100, 0, None]
    assert [row["activity_rank"] for row in result["account_360"]] == [100, 0]
    idle = user_row(result, "v", "b")
    assert (idle["rank_trend"], idle["last_seen_date"]) == (None, day("03-20"))


def test_ranks_have_a_window_of_30_days() -> None:
    inside = user_row(tables(sync("03-02 10:00", 5)))
    before = user_row(tables(sync("03-01 10:00", 5)))
    assert (inside["session_seconds_30d"], inside["activity_rank"]) == (300, 0)
    assert (before["session_seconds_30d"], before["activity_rank"]) == (0, None)
    # Nine of the ten minutes fall on 1 March.
    over_midnight = user_row(tables(sync("03-02 00:01", 10)))
    assert over_midnight["session_seconds_30d"] == 60


def test_rank_trends() -> None:
    # From 20 March on u is above v, and v below it; before, v was alone.
    result = tables(sync("03-10 10:00", 5, user_id="v"), sync("03-20 10:00", 9))
    assert (user_row(result)["rank_trend"], user_row(result, "v")["rank_trend"]) == (0, 0)
    overtaken = tables(
        sync("03-10 10:00", 5, user_id="v"), sync("03-11 10:00", 3), sync("03-20 10:00", 9)
    )
    assert (user_row(overtaken)["rank_trend"], user_row(overtaken, "v")["rank_trend"]) == (1, -1)
    # Its last window with v is that of 8 March: v has no rank on L, and so no trend.
    left = user_row(tables(sync("02-07 10:00", 9), sync("02-08 10:00", 5, user_id="v")), "v")
    assert (left["activity_rank"], left["rank_trend"]) == (None, None)
    one_day = tables(sync("03-31 10:00", 9), sync("03-30 10:00", 5, user_id="v"))
    assert user_row(one_day)["rank_trend"] == 0


def test_a_churned_account_leaves_the_ranking_on_its_churn_date() -> None:
    events = (sync("03-10 10:00", 5), sync("03-10 10:00", 3, account_id="b"))
    # u of a is at 100 until b churns, then alone at 0.
    assert user_row(tables(*events))["activity_rank"] == 100
    row = user_row(tables(*events, churned={"b": day("03-31")}))
    assert (row["activity_rank"], row["rank_trend"]) == (0, -1)


def test_slope_signs() -> None:
    assert slope_sign([]) == slope_sign([(5, F(70))]) == 0
    assert slope_sign([(1, F(1, 3)), (2, F(1, 3))]) == 0
    assert slope_sign([(1, F(1, 3)), (2, F(33, 100))]) == -1
    assert slope_sign([(1, F(0)), (2, F(100)), (3, F(1))]) == 1
    assert slope_sign([(1, F(0)), (2, F(100)), (3, F(0))]) == 0
    # By days, not by position: the third point is far off.
    assert slope_sign([(1, F(50)), (2, F(100)), (30, F(60))]) == -1


# --- Random worlds -------------------------------------------------------------------------------


@random_worlds
@given(activity_worlds())
def test_keys_are_unique_and_in_order(world: ActivityWorld) -> None:
    keys = {
        "user_activity_daily": ("account_id", "user_id", "day"),
        "account_activity_daily": ("account_id", "day"),
        "account_users": ("account_id", "user_id"),
        "account_module_usage_30d": ("account_id", "product", "module"),
        "account_feature_usage_30d": ("account_id", "product", "module", "feature"),
        "user_module_usage_30d": ("account_id", "user_id", "product", "module"),
        "user_feature_usage_30d": ("account_id", "user_id", "product", "module", "feature"),
        "account_360": ("account_id",),
    }
    for name, rows in activity_tables(world).items():
        in_order = [tuple(row[column] for column in keys[name]) for row in rows]
        assert in_order == sorted(set(in_order))


@random_worlds
@given(activity_worlds())
def test_daily_figures_bound_one_another(world: ActivityWorld) -> None:
    result = activity_tables(world)
    spent: dict[tuple[str, date], Decimal] = defaultdict(Decimal)
    for row in result["user_activity_daily"]:
        assert 0 <= row["session_seconds"] <= 86_400
        assert row["event_count"] > 0 or row["session_seconds"] > 0
        spent[row["account_id"], row["day"]] += row["session_seconds"]
    for row in result["account_activity_daily"]:
        assert row["dau"] <= row["wau"] <= row["mau"]
        assert row["session_seconds"] == spent[row["account_id"], row["day"]]
        assert (row["seconds_per_active_user"] is None) == (row["dau"] == 0)
    churned = {account.account_id: account.churn_date for account in world.accounts}
    for row in result["user_activity_daily"] + result["account_activity_daily"]:
        assert row["day"] <= world.settings.last_full_day
        assert churned[row["account_id"]] is None or row["day"] < churned[row["account_id"]]


@random_worlds
@given(activity_worlds())
def test_daily_rows_have_no_gaps_and_end_as_account_360_says(world: ActivityWorld) -> None:
    result = activity_tables(world)
    last_rows = {row["account_id"]: row for row in result["account_activity_daily"]}
    for account in world.accounts:
        own = [r for r in result["account_activity_daily"] if r["account_id"] == account.account_id]
        assert all(b["day"] - a["day"] == ONE_DAY for a, b in pairwise(own))
    for row in result["account_360"]:
        last = last_rows.get(row["account_id"])
        if last is not None and last["day"] == world.settings.last_full_day:
            shared = set(row) & set(last)
            assert {name: row[name] for name in shared} == {name: last[name] for name in shared}


@random_worlds
@given(activity_worlds())
def test_the_order_of_events_and_repetitions_change_nothing(world: ActivityWorld) -> None:
    plain = tuple(replace(event, event_id=None) for event in world.events)
    exact = replace(world.settings, event_deduplication="exact")
    once = replace(world, events=plain, settings=exact)
    twice = replace(once, events=(*plain[::-1], *plain))
    assert activity_tables(twice) == activity_tables(once)


@random_worlds
@given(activity_worlds())
def test_what_comes_after_the_last_full_day_changes_nothing(world: ActivityWorld) -> None:
    end = local_midnight(world.settings.as_of_date, world.settings.reporting_time_zone)
    kept = deduplicated(world.events, world.settings)
    before = replace(world, events=tuple(e for e in kept if e.created_at < end))
    assert activity_tables(before) == activity_tables(world)


@random_worlds
@given(activity_worlds())
def test_accounts_do_not_touch_each_other_but_in_ranks(world: ActivityWorld) -> None:
    shared = {"activity_rank", "rank_trend"}
    events = tuple(deduplicated(world.events, world.settings))
    for account in world.accounts:
        alone = activity_tables(replace(world, accounts=(account,), events=events))
        for name, rows in activity_tables(world).items():
            own = [row for row in rows if row["account_id"] == account.account_id]
            for row, other in zip(own, alone[name], strict=True):
                assert {k: v for k, v in row.items() if k not in shared} == {
                    k: v for k, v in other.items() if k not in shared
                }


@random_worlds
@given(activity_worlds())
def test_time_zones_move_time_but_keep_its_sum(world: ActivityWorld) -> None:
    """Where nothing is cut off: no churn, all events before L, no day of 24 hours."""
    accounts = tuple(replace(account, churn_date=None) for account in world.accounts)
    latest = max((item.created_at for item in world.events), default=at("01-01"))
    as_of_date = latest.date() + timedelta(days=2)
    totals = []
    for zone in CLOCK_CHANGES:
        options = replace(world.settings, as_of_date=as_of_date, reporting_time_zone=zone)
        rows = activity_tables(replace(world, accounts=accounts, settings=options))
        spent = [row["session_seconds"] for row in rows["user_activity_daily"]]
        if 86_400 in spent:
            return
        totals.append(sum(spent))
    assert len(set(totals)) == 1


@random_worlds
@given(activity_worlds())
def test_ranks_and_usage_add_up(world: ActivityWorld) -> None:
    result = activity_tables(world)
    ranks = [row["activity_rank"] for row in result["account_users"]]
    known = [rank for rank in ranks if rank is not None]
    assert not known or min(known) == 0
    assert all(0 <= rank <= 100 for rank in known)
    for row in result["account_users"]:
        assert (row["activity_rank"] is None) == (row["rank_trend"] is None)
        assert (row["activity_rank"] is None) == (row["activity_rank_in_account"] is None)
    for kind, unit in (("module", "seconds"), ("feature", "count")):
        users: Counter[tuple[str, ...]] = Counter()
        totals: dict[tuple[str, ...], Decimal] = defaultdict(Decimal)
        columns = ("account_id", "product", "module", "feature")[: 3 if kind == "module" else 4]
        for row in result[f"user_{kind}_usage_30d"]:
            key = tuple(row[column] for column in columns)
            users[key] += 1
            totals[key] += row[f"total_{unit}"]
        numbers = defaultdict(list)
        for row in result[f"account_{kind}_usage_30d"]:
            key = tuple(row[column] for column in columns)
            assert (row["users"], row[f"total_{unit}"]) == (users.pop(key), totals[key])
            numbers[key[0]].append(row["rank_in_account"])
        assert not users
        assert all(sorted(own) == list(range(1, len(own) + 1)) for own in numbers.values())


@random_worlds
@given(activity_worlds())
def test_raw_records_hold_the_world(world: ActivityWorld) -> None:
    raw = raw_event_records(world)
    assert [Event(**row) for row in raw["events", "events"]] == list(world.events)
    assert len(raw["crm", "accounts"]) == len(world.accounts)
    assert len(raw["crm", "users"]) == len({(u.account_id, u.user_id) for u in world.users})
    assert set(activity_settings_overrides(world)) <= set(vars(world.settings))


def test_random_worlds_hold_every_case_often() -> None:
    seen: Counter[str] = Counter()

    @settings(max_examples=300, derandomize=True, deadline=None)
    @given(activity_worlds())
    def collect(world: ActivityWorld) -> None:
        seen.update(features(world))

    collect()
    usual = ["estimated", "estimated without id", "inside synced", "at the timeout", "time only"]
    usual += ["past the timeout", "views of a synced session", "several syncs", "restarted"]
    usual += ["repeated", "by id", "identify", "unknown", "churned", "after", "deactivated"]
    usual += ["modules", "features", "non-users", "three ranked", "trend up", "trend down"]
    rare = ["capped", "tied ranks", "tied usage", "23 or 25 hours"]
    assert {name: seen[name] for name in usual if seen[name] < 10} == {}
    assert {name: seen[name] for name in rare if seen[name] < 3} == {}


def features(world: ActivityWorld) -> set[str]:
    """What of interest occurs in a world."""
    result = activity_tables(world)
    daily, users = result["user_activity_daily"], result["account_users"]
    usage = result["account_module_usage_30d"] + result["account_feature_usage_30d"]
    ranks = Counter(row["activity_rank"] for row in users if row["activity_rank"] is not None)
    trends = {row["rank_trend"] for row in users}
    totals = Counter((r["account_id"], r.get("total_seconds", r.get("total_count"))) for r in usage)
    zone, churned = world.settings.reporting_time_zone, [a.churn_date for a in world.accounts]
    end = local_midnight(world.settings.as_of_date, zone)
    ids = [event.event_id for event in set(world.events) if event.event_id]
    known = {account.account_id for account in world.accounts}
    flags = {
        "churned": any(d is not None and d <= world.settings.last_full_day for d in churned),
        "time only": any(row["event_count"] == 0 for row in daily),
        "capped": any(row["session_seconds"] == 86_400 for row in daily),
        "23 or 25 hours": any(
            day_start(row["day"] + ONE_DAY, zone) - day_start(row["day"], zone) != 24 * HOUR
            for row in daily
            if row["session_seconds"]
        ),
        "repeated": len(set(world.events)) < len(world.events),
        "by id": len(set(ids)) < len(ids),
        "identify": any(event.action in IDENTIFY for event in world.events),
        "unknown": any(event.account_id not in known for event in world.events),
        "after": any(event.created_at >= end for event in world.events),
        "modules": bool(result["user_module_usage_30d"]),
        "features": bool(result["user_feature_usage_30d"]),
        "non-users": any(row["non_users"] for row in usage),
        "tied usage": any(n > 1 for (_, total), n in totals.items() if total),
        "deactivated": any(row["is_deactivated"] for row in users),
        "three ranked": sum(ranks.values()) >= 3,
        "tied ranks": any(n > 1 for n in ranks.values()),
        "trend up": 1 in trends,
        "trend down": -1 in trends,
    }
    return {name for name, holds in flags.items() if holds} | stream_features(world)


def stream_features(world: ActivityWorld) -> set[str]:
    """What of interest occurs in the streams of a world, seen without accounts and windows."""
    timeout = timedelta(minutes=world.settings.session_timeout_minutes)
    microsecond = timedelta(microseconds=1)
    streams: dict[tuple[str | None, str, str | None], list[Event]] = defaultdict(list)
    for item in deduplicated(world.events, world.settings):
        streams[item.account_id, item.user_id, item.session_id].append(item)
    found: set[str] = set()
    for (account_id, user_id, session_id), own in streams.items():
        syncs = sorted((e for e in own if e.action == SYNC), key=lambda e: e.created_at)
        views = [e for e in own if e.action != SYNC]
        synced = [
            interval
            for key, others in streams.items()
            if key[:2] == (account_id, user_id)
            for interval in sync_intervals([e for e in others if e.action == SYNC], world.settings)
        ]
        gaps = gap_intervals(views, world.settings)
        apart = sorted(e.created_at for e in views)
        reported = [e.active_duration or 0 for e in syncs]
        flags = {
            "estimated": session_id is not None and not syncs and any(s < e for s, e in gaps),
            "estimated without id": session_id is None and any(s < e for s, e in gaps),
            "inside synced": session_id is None
            and any(outside(gap, synced) != [gap] for gap in gaps if gap[0] < gap[1]),
            "at the timeout": any(b - a == timeout for a, b in pairwise(apart)),
            "past the timeout": any(b - a - timeout == microsecond for a, b in pairwise(apart)),
            "views of a synced session": session_id is not None and bool(syncs) and bool(gaps),
            "several syncs": len(syncs) > 1,
            "restarted": world.settings.session_duration == "cumulative"
            and any(a > b for a, b in pairwise(reported)),
        }
        found |= {name for name, holds in flags.items() if holds}
    return found
