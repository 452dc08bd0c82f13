"""The activity tables against a slow reference, built at once and over several nights."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.compiled_project import InMemoryWarehouse
from tests.random_worlds import RANDOM_WORLDS
from tests.reference.activity import ActivityWorld, activity_tables
from tests.reference.activity_strategies import (
    activity_settings_overrides,
    activity_worlds,
    raw_event_records,
)
from tests.reference.financials import Row

TABLES = {
    "user_activity_daily": ("account_id", "user_id", "day"),
    "account_activity_daily": ("account_id", "day"),
    "account_users": ("account_id", "user_id"),
    "account_module_usage_30d": ("account_id", "product", "module"),
    "account_feature_usage_30d": ("account_id", "product", "module", "feature"),
    "user_module_usage_30d": ("account_id", "user_id", "product", "module"),
    "user_feature_usage_30d": ("account_id", "user_id", "product", "module", "feature"),
    "account_360": ("account_id",),
}
# account_360 hangs on every domain; its activity columns are those of one model
BUILT = (*(table for table in TABLES if table != "account_360"), "int_account__activity")
CHAIN = ("int_event_chain__builds",)
EXAMPLES = settings(RANDOM_WORLDS, max_examples=15)


@pytest.mark.parametrize("part", range(2))
def test_every_figure_of_the_activity_page_equals_the_reference(
    warehouse: InMemoryWarehouse, part: int
) -> None:
    @EXAMPLES
    @given(world=activity_worlds())
    def check(world: ActivityWorld) -> None:
        begin(warehouse, world)
        for (domain, entity), records in raw_event_records(world).items():
            warehouse.land(domain, entity, records)
        warehouse.build(*BUILT, *CHAIN)
        assert_equal(warehouse, world)

    check()


@pytest.mark.parametrize("part", range(2))
def test_any_split_into_nights_gives_what_one_night_gives(
    warehouse: InMemoryWarehouse, part: int
) -> None:
    """Records land in any order, some twice, accounts after their events or first with another
    churn date, dates go on or back."""

    @EXAMPLES
    @given(world=activity_worlds(), seed=st.integers(0, 10**9))
    def check(world: ActivityWorld, seed: int) -> None:
        rng = Random(seed)
        nights = 3
        begin(warehouse, world)
        records = raw_event_records(world)
        accounts = [(row, rng.randrange(nights)) for row in records["crm", "accounts"]]
        said_before = [
            (said_otherwise(rng, row), rng.randrange(landing))
            for row, landing in accounts
            if landing and rng.random() < 0.5
        ]
        users = [(row, rng.randrange(nights)) for row in records["crm", "users"]]
        # events of one id must keep their order, since the last of them holds
        by_id: dict[Any, int] = {}
        events = []
        for row in records["events", "events"]:
            night = rng.randrange(nights)
            if row.get("event_id"):
                night = by_id[row["event_id"]] = max(night, by_id.get(row["event_id"], 0))
            events.append((row, night))
        for night in range(nights):
            load = night + 1
            as_of = world.settings.as_of_date
            if night < nights - 1:
                as_of += timedelta(days=rng.choice((-3, -1, 0, 1)))
            warehouse.set_inputs(as_of, **activity_settings_overrides(world))
            warehouse.land(
                "crm",
                "accounts",
                [row for row, landing in [*accounts, *said_before] if landing == night],
                location=f"crm/accounts/{load}.jsonl",
                load_number=load,
            )
            warehouse.land(
                "crm",
                "users",
                [row for row, landing in users if landing == night],
                location=f"crm/users/{load}.jsonl",
                load_number=load,
            )
            warehouse.land(
                "events",
                "events",
                [row for row, landing in events if landing == night],
                location=f"events/events/{load}.jsonl",
                load_number=load,
            )
            if night and rng.random() < 0.4:
                # a night that dies half way, of this date or another, and is done again
                died_of = as_of + timedelta(days=rng.choice((0, 0, -40, -2, 3)))
                warehouse.set_inputs(died_of, **activity_settings_overrides(world))
                warehouse.build_next_night(*CHAIN, stop_after=rng.randrange(40))
                warehouse.set_inputs(as_of, **activity_settings_overrides(world))
            if night:
                warehouse.build_next_night(*BUILT, *CHAIN)
            else:
                warehouse.build(*BUILT, *CHAIN)
        assert_equal(warehouse, world)
        kept = counts_of_outcomes(warehouse)
        warehouse.build("stg_native__event_counts")  # from all records at once
        assert kept == counts_of_outcomes(warehouse)

    check()


def said_otherwise(rng: Random, account: dict[str, Any]) -> dict[str, Any]:
    """An earlier version of an account: churned on another day, or deleted."""
    if rng.random() < 0.3:
        return {**account, "is_deleted": True}
    churned = account["join_date"] + timedelta(days=rng.randrange(120))
    return {**account, "is_churned": True, "inactive_time": churned}


def begin(warehouse: InMemoryWarehouse, world: ActivityWorld) -> None:
    warehouse.clear()
    warehouse.set_inputs(world.settings.as_of_date, **activity_settings_overrides(world))


def counts_of_outcomes(warehouse: InMemoryWarehouse) -> list[tuple[Any, ...]]:
    return warehouse.connection.execute(
        "select record_status, is_dated_after, sum(records) from staging.stg_native__event_outcomes"
        " group by all order by all"
    ).fetchall()


def assert_equal(warehouse: InMemoryWarehouse, world: ActivityWorld) -> None:
    for table, expected in activity_tables(world).items():
        actual = actual_rows(warehouse, table, expected)
        wrong = [
            (ours, theirs)
            for ours, theirs in zip(actual, expected, strict=True)
            if not all(same(ours[column], theirs[column]) for column in theirs)
        ]
        assert not wrong, f"{table}: ours and the reference's first differing row: {wrong[0]}"


def actual_rows(warehouse: InMemoryWarehouse, table: str, expected: list[Row]) -> list[Row]:
    """Our rows in key order. An account without users has no row of activity, and zeros."""
    key = TABLES[table]
    if table == "account_360":
        rows = {row["account_id"]: row for row in warehouse.rows("int_account__activity")}
        counts = ("dau", "wau", "mau", "product_users")
        return [
            rows.get(row["account_id"])
            or {
                column: value
                if column == "account_id"
                else 0
                if row["dau"] == 0 and column in counts
                else None
                for column, value in row.items()
            }
            for row in expected
        ]
    return sorted(warehouse.rows(table), key=lambda row: tuple(row[column] for column in key))


def same(ours: Any, theirs: Any) -> bool:
    if isinstance(theirs, Fraction):
        return ours is not None and abs(ours - float(theirs)) <= 1e-9 * max(1.0, abs(float(theirs)))
    return ours == theirs
