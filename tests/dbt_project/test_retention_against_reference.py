"""Renewals, churn and retention against a slow reference, landed at once and over several loads."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.compiled_project import InMemoryWarehouse
from tests.random_worlds import RANDOM_WORLDS
from tests.reference.financials import Row
from tests.reference.retention import (
    RetentionWorld,
    churn,
    logo_churn,
    mrr_changed_on,
    renewals,
    retention,
)
from tests.reference.retention_strategies import (
    raw_retention_records,
    retention_settings,
    retention_worlds,
)

TABLES: dict[str, tuple[Callable[[RetentionWorld], list[Row]], tuple[str, ...]]] = {
    "account_renewals": (renewals, ("account_id", "subscription_id", "start_date")),
    "account_churn": (churn, ("account_id",)),
    "int_account_month__retention": (retention, ("account_id", "month", "horizon_months")),
    "int_account_month__logo_churn": (logo_churn, ("account_id", "month")),
    "int_account_month__mrr_changed_on": (mrr_changed_on, ("account_id", "month")),
}
INVARIANTS = (
    "assert_renewals_add_up",
    "assert_retention_is_of_what_was_there",
    "assert_every_movement_has_its_day",
    "assert_every_churn_counts_once",
)
EXAMPLES = settings(RANDOM_WORLDS, max_examples=15)


@pytest.mark.parametrize("part", range(2))
def test_renewals_churn_and_retention_equal_the_reference(
    warehouse: InMemoryWarehouse, part: int
) -> None:
    @EXAMPLES
    @given(world=retention_worlds())
    def check(world: RetentionWorld) -> None:
        begin(warehouse, world)
        for (domain, entity), records in raw_retention_records(world).items():
            warehouse.land(domain, entity, records)
        warehouse.build(*TABLES)
        assert_equal(warehouse, world)
        for invariant in INVARIANTS:
            assert warehouse.failures(invariant) == []

    check()


def test_records_in_any_order_over_several_loads_give_what_one_load_gives(
    warehouse: InMemoryWarehouse,
) -> None:
    @EXAMPLES
    @given(world=retention_worlds(), seed=st.integers(0, 10**9))
    def check(world: RetentionWorld, seed: int) -> None:
        rng = Random(seed)
        begin(warehouse, world)
        for (domain, entity), records in raw_retention_records(world).items():
            rng.shuffle(records)
            for load in range(1, 4):
                warehouse.land(
                    domain,
                    entity,
                    records[load - 1 :: 3],
                    location=f"{domain}/{entity}/{load}.jsonl",
                    load_number=load,
                )
        warehouse.build(*TABLES)
        assert_equal(warehouse, world)

    check()


def test_the_worlds_show_every_outcome() -> None:
    """Else the comparison would say little; the same worlds in every run."""
    outcomes: Counter[str] = Counter()

    @settings(EXAMPLES, max_examples=120, derandomize=True)
    @given(world=retention_worlds())
    def count(world: RetentionWorld) -> None:
        outcomes.update(_kind(row) for row in renewals(world))
        outcomes["churned"] += sum(row["is_churned_in_month"] for row in logo_churn(world))

    count()
    for kind in ("early", "in time or late", "elsewhere", "lost", "open", "churned"):
        assert outcomes[kind] > 5, f"the worlds show too few: {outcomes}"


def begin(warehouse: InMemoryWarehouse, world: RetentionWorld) -> None:
    warehouse.clear()
    warehouse.set_inputs(world.world.settings.as_of_date, **retention_settings(world))


def assert_equal(warehouse: InMemoryWarehouse, world: RetentionWorld) -> None:
    """Our rows are those of the reference, in the columns that it tells."""
    for table, (reference, key) in TABLES.items():
        expected = reference(world)
        rows = warehouse.rows(table, order_by=", ".join(key))
        ours = [{column: row[column] for column in expected[0]} for row in rows if expected]
        assert len(rows) == len(expected), f"{table}: {rows} and the reference's {expected}"
        for row, other in zip(ours, expected, strict=True):
            assert row == other, f"{table}: ours and the reference's"


def _kind(row: Row) -> str:
    if row["outcome"] != "renewed":
        return row["outcome"]
    if row["renewed_by_subscription_id"] != row["subscription_id"]:
        return "elsewhere"
    return "early" if row["renewed_date"] < row["expiration_date"] else "in time or late"
