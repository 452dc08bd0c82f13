"""CSM and portfolio tables against a slow reference, on random assignments and figures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings

from tests.compiled_project import InMemoryWarehouse
from tests.random_worlds import RANDOM_WORLDS
from tests.reference.csms import (
    CsmWorld,
    csm_monthly,
    csm_split_monthly,
    portfolio_monthly,
    reconciliation_accounts,
)
from tests.reference.csms_strategies import csm_worlds, model_rows
from tests.reference.financials import Row

TABLES: dict[str, tuple[Callable[[CsmWorld], list[Row]], tuple[str, ...]]] = {
    "portfolio_monthly": (portfolio_monthly, ("month",)),
    "csm_monthly": (csm_monthly, ("csm_email", "month", "basis")),
    "csm_split_monthly": (csm_split_monthly, ("csm_email", "month")),
    "csm_reconciliation_accounts": (
        reconciliation_accounts,
        ("month", "basis", "figure", "account_id"),
    ),
}
BUILT = (
    "int_month__spine",
    "int_account_month__creditable",
    "int_account_day__credited_csms",
    "fct_portfolio_months",
    "fct_csm_months",
    "fct_csm_split_months",
    "fct_csm_reconciliation_accounts",
    "fct_csm_reconciliation_months",
    "csm_reconciliation_monthly",
    *TABLES,
)
INVARIANTS = (
    "assert_csm_figures_reconcile",
    "assert_shares_of_csms_add_up_to_the_portfolio",
)
EXAMPLES = settings(RANDOM_WORLDS, max_examples=18)


@pytest.mark.parametrize("part", range(2))
def test_every_figure_of_csms_and_portfolio_equals_the_reference(
    warehouse: InMemoryWarehouse, part: int
) -> None:
    @EXAMPLES
    @given(world=csm_worlds())
    def check(world: CsmWorld) -> None:
        warehouse.set_inputs(world.as_of_date)
        for model, (columns, rows) in model_rows(world).items():
            warehouse.give(model, columns, rows)
        warehouse.build_only("run_settings")
        warehouse.connection.execute(
            f"update {warehouse.project.models['run_settings']['relation_name']}"
            " set health_first_day = ?",
            [world.health_first_day],
        )
        for model in BUILT:
            warehouse.build_only(model)
        for table, (reference, key) in TABLES.items():
            expected = reference(world)
            found = warehouse.rows(table, order_by=", ".join(key))
            assert differences(key, found, expected) == [], table
        for invariant in INVARIANTS:
            assert warehouse.failures(invariant) == []
        reconciled = warehouse.rows("csm_reconciliation_monthly")
        assert {row["difference"] for row in reconciled} == {0}

    check()


def differences(key: tuple[str, ...], found: list[Row], expected: list[Row]) -> list[Any]:
    """Keys that only one side has, and cells that are not the reference's, to twelve digits."""
    ours, theirs = (
        {tuple(row[part] for part in key): row for row in rows} for rows in (found, expected)
    )
    assert len(ours) == len(found)
    return [*(ours.keys() ^ theirs.keys())] + [
        (place, column, ours[place][column], value)
        for place, row in theirs.items()
        if place in ours
        for column, value in row.items()
        if cell(ours[place][column]) != cell(value)
    ]


def cell(value: Any) -> Any:
    """A double to twelve digits, anything else as it is."""
    return f"{value:.12g}" if isinstance(value, float) else value
