"""The support tables against a slow reference, landed at once and over several loads."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.compiled_project import InMemoryWarehouse
from tests.random_worlds import RANDOM_WORLDS
from tests.reference.financials import Row
from tests.reference.support import (
    SupportWorld,
    open_tickets_daily,
    open_tickets_monthly,
    tickets,
    tickets_monthly,
    tickets_monthly_rollup,
)
from tests.reference.support_strategies import raw_support_records, support_worlds

TABLES: dict[str, tuple[Callable[[SupportWorld], list[Row]], tuple[str, ...]]] = {
    "account_tickets": (tickets, ("account_id", "ticket_id")),
    "account_tickets_monthly": (tickets_monthly, ("account_id", "month")),
    "account_tickets_monthly_rollup": (tickets_monthly_rollup, ("account_id", "month")),
    "account_open_tickets_monthly": (
        open_tickets_monthly,
        ("account_id", "month", "dimension", "value"),
    ),
}
HISTORY_DAYS = 70
INVARIANTS = (
    "assert_open_tickets_follow_from_what_happened",
    "assert_every_ticket_is_in_its_months",
    "assert_tickets_roll_up",
)
EXAMPLES = settings(RANDOM_WORLDS, max_examples=18)


@pytest.mark.parametrize("part", range(2))
def test_every_figure_of_the_support_page_equals_the_reference(
    warehouse: InMemoryWarehouse, part: int
) -> None:
    @EXAMPLES
    @given(world=support_worlds())
    def check(world: SupportWorld) -> None:
        begin(warehouse, world)
        for (domain, entity), records in raw_support_records(world).items():
            warehouse.land(domain, entity, records)
        warehouse.build(*TABLES, "int_account_day__open_tickets", "account_hierarchy")
        assert_equal(warehouse, world)
        first_day = warehouse.rows("run_settings")[0]["figures_first_day"]
        expected = open_tickets_daily(world, first_day)
        rows = warehouse.rows("int_account_day__open_tickets", order_by="account_id, day")
        assert [told(expected[0], row) for row in rows] == expected if expected else not rows
        for invariant in INVARIANTS:
            assert warehouse.failures(invariant) == []

    check()


def test_records_in_any_order_over_several_loads_give_what_one_load_gives(
    warehouse: InMemoryWarehouse,
) -> None:
    """Changes land before their tickets, in any order, some of them twice."""

    @EXAMPLES
    @given(world=support_worlds(), seed=st.integers(0, 10**9))
    def check(world: SupportWorld, seed: int) -> None:
        rng = Random(seed)
        begin(warehouse, world)
        for (domain, entity), records in raw_support_records(world).items():
            repeated = [*records, *(record for record in records if rng.random() < 0.2)]
            rng.shuffle(repeated)
            for load in range(1, 4):
                warehouse.land(
                    domain,
                    entity,
                    repeated[load - 1 :: 3],
                    location=f"{domain}/{entity}/{load}.jsonl",
                    load_number=load,
                )
        warehouse.build(*TABLES)
        assert_equal(warehouse, world)

    check()


def test_a_long_log_closes_its_months_and_comes_to_the_same_load_by_load(
    warehouse: InMemoryWarehouse,
) -> None:
    """Thousands of changes: in one load, and over 120 loads in the order of their instants."""
    records, changes = long_log(Random(20240610))
    accounts = [
        {"account_id": f"a{number}", "name": "An account", "join_date": "2022-01-01"}
        for number in range(20)
    ]
    assert len(changes) > 2_000

    def build(loads: int) -> dict[str, list[dict[str, Any]]]:
        warehouse.clear()
        warehouse.set_inputs(datetime(2024, 6, 10).date())
        warehouse.land("crm", "accounts", accounts)
        warehouse.land("tickets", "tickets", records)
        size = -(-len(changes) // loads)
        for load in range(loads):
            warehouse.land(
                "tickets",
                "ticket_changes",
                changes[load * size : (load + 1) * size],
                location=f"tickets/ticket_changes/{load + 1:03}.jsonl",
                load_number=load + 1,
            )
        warehouse.build(*TABLES)
        return {table: warehouse.rows(table) for table in TABLES}

    at_once = build(loads=1)
    assert warehouse.failures("assert_open_tickets_follow_from_what_happened") == []
    assert sum(row["reopened"] for row in at_once["account_tickets_monthly"]) > 100
    assert build(loads=120) == at_once


def long_log(rng: Random) -> tuple[list[Row], list[Row]]:
    """Raw tickets of two years and their changes of status, in the order of their instants."""
    records: list[Row] = []
    changes: list[Row] = []
    for number in range(800):
        moment = datetime(2022, 1, 1) + timedelta(minutes=rng.randrange(60 * 24 * 880))
        record = {
            "ticket_id": f"t{number}",
            "account_id": f"a{number % 20}",
            "status": "open",
            "created_at": moment,
        }
        records.append(record)
        status = "open"
        for _ in range(rng.randrange(9)):
            moment += timedelta(minutes=rng.randrange(1, 60 * 24 * 60))
            change = {
                "ticket_id": record["ticket_id"],
                "changed_at": moment,
                "field": "status",
                "old_value": status,
                "new_value": rng.choice(("open", "pending", "solved", "closed")),
            }
            changes.append(change)
            status = change["new_value"]
    return records, sorted(changes, key=lambda change: change["changed_at"])


def begin(warehouse: InMemoryWarehouse, world: SupportWorld) -> None:
    warehouse.clear()
    warehouse.set_inputs(
        world.settings.as_of_date,
        reporting_time_zone=world.settings.reporting_time_zone,
        metric_history_days=HISTORY_DAYS,
    )


def assert_equal(warehouse: InMemoryWarehouse, world: SupportWorld) -> None:
    """Our rows are those of the reference, in the columns that the reference tells."""
    for table, (reference, key) in TABLES.items():
        expected = reference(world)
        rows = warehouse.rows(table, order_by=", ".join(key))
        assert len(rows) == len(expected), f"{table}: {rows} and the reference's {expected}"
        for row, other in zip(rows, expected, strict=True):
            assert told(other, row) == close_to(other), f"{table}: ours and the reference's"


def told(expected: Row, row: dict[str, Any]) -> Row:
    """The columns of a row that the reference tells."""
    return {column: row[column] for column in expected}


def close_to(row: Row) -> Row:
    """The row, with doubles as close as their last digits."""
    return {
        column: pytest.approx(value, rel=1e-12, abs=1e-12) if isinstance(value, float) else value
        for column, value in row.items()
    }
