"""MRR, movements and revenue against a slow reference that shares no code with the models."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings

from tests.compiled_project import InMemoryWarehouse
from tests.random_worlds import RANDOM_WORLDS
from tests.reference.financials import Row, World
from tests.reference.landing import expected_tables, raw_records, settings_overrides
from tests.reference.strategies import worlds

INVARIANTS = (
    "assert_every_conversion_has_a_rate",
    "assert_invoice_revenue_is_what_its_lines_are_worth",
    "assert_mrr_is_what_its_records_are_worth",
    "assert_mrr_movements_close",
)

LABELS = ("account_id", "currency")


@pytest.mark.parametrize("part", range(2))
def test_every_figure_of_the_financials_page_equals_the_reference(
    warehouse: InMemoryWarehouse, part: int
) -> None:
    """In parts, of random worlds of their own each."""

    @settings(RANDOM_WORLDS, max_examples=24)
    @given(world=worlds())
    def check(world: World) -> None:
        build(warehouse, world)
        for name, expected in expected_tables(world).items():
            actual = actual_rows(warehouse, name, world, expected)
            wrong = [pair for pair in zip(actual, expected, strict=True) if pair[0] != pair[1]]
            assert not wrong, f"{name}: ours and the reference's first differing row: {wrong[0]}"
        for invariant in INVARIANTS:
            assert warehouse.failures(invariant) == []

    check()


def build(warehouse: InMemoryWarehouse, world: World) -> None:
    warehouse.clear()
    warehouse.set_inputs(world.settings.as_of_date, **settings_overrides(world))
    for (domain, entity), records in raw_records(world).items():
        warehouse.land(domain, entity, records)
    warehouse.build(
        "account_mrr_monthly", "account_revenue_monthly", "int_account__lifetime_revenue"
    )


def actual_rows(
    warehouse: InMemoryWarehouse, name: str, world: World, expected: list[Row]
) -> list[dict[str, Any]]:
    """Our rows for a table of the reference, with the columns that the reference tells."""
    last_full_day = world.settings.as_of_date - timedelta(days=1)
    if name == "subscription_records":
        # the reference gives no end to what is active on the last full day, and a trial no amount
        rows = [
            {
                **row,
                "active_until": row["active_to"] if row["active_to"] <= last_full_day else None,
                "monthly_amount": 0 if row["is_trial"] else row["monthly_amount"],
                "rate_day": row["rate_date"],
            }
            for row in warehouse.rows(
                "int_subscription_record__mrr",
                "* replace (coalesce(active_to, date '9999-12-31') as active_to)",
            )
        ]
        key = ("subscription_id", "start_date")
    elif name == "account_lifetime":
        # the reference has a row of zeros for an account without an invoice
        amounts = {
            row["account_id"]: row for row in warehouse.rows("int_account__lifetime_revenue")
        }
        rows = [
            {**row, **amounts[row["account_id"]]}
            if row["account_id"] in amounts
            else {name: value if name in LABELS else 0 for name, value in row.items()}
            for row in expected
        ]
        key = ("account_id",)
    else:
        rows, key = warehouse.rows(name), ("account_id", "month")
    columns = [column for column in (expected[0] if expected else {}) if column != "ended_on"]
    for row in expected:
        row.pop("ended_on", None)
    ordered = sorted(rows, key=lambda row: tuple(row[column] for column in key))
    return [{column: row[column] for column in columns} for row in ordered]
