"""Who is below whom, from raw records, and what is rolled up to every account."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.compiled_project import InMemoryWarehouse
from tests.random_worlds import RANDOM_WORLDS
from tests.reference.financials import Row, World, months_between
from tests.reference.landing import raw_records, settings_overrides
from tests.reference.strategies import worlds

MONEY = {
    "account_mrr_monthly": (
        *("starting_mrr", "new_mrr", "expansion_mrr", "contraction_mrr", "lost_mrr"),
        *("exchange_mrr", "ending_mrr", "intra_month_mrr"),
    ),
    "account_revenue_monthly": (
        *("subscription_mrr", "recurring_invoice_revenue", "non_recurring_invoice_revenue"),
        *("unclassified_invoice_revenue", "failed_invoice_revenue", "payments"),
    ),
}


def account(account_id: str, parent: str | None = None, **columns: Any) -> Row:
    """A raw record of an account below another."""
    return {
        "account_id": account_id,
        "name": account_id,
        "join_date": "2024-01-01",
        "parent_account_id": parent,
        **columns,
    }


def test_merges_deletions_and_cycles_leave_a_hierarchy(warehouse: InMemoryWarehouse) -> None:
    warehouse.clear()
    warehouse.set_inputs(date(2024, 6, 10))
    warehouse.land(
        "crm",
        "accounts",
        [
            account("holding"),
            account("north", "holding", hierarchy_label="subsidiary"),
            account("oslo", "north", hierarchy_label="branch"),
            account("shop", "oslo", hierarchy_label="shop"),
            # merged into oslo: its record is superseded, and what names it hangs on oslo
            account("bergen", "holding"),
            account("harbour", "bergen", hierarchy_label="shop"),
            # deleted: what was below it is at the top
            account("closed", "holding", is_deleted=True),
            account("left_over", "closed"),
            # a cycle: the edge that came last closed it
            account("hen", "egg", updated_at=datetime(2024, 5, 1)),
            account("egg", "hen", updated_at=datetime(2024, 5, 2)),
            # below it as of tomorrow
            account("new", updated_at=datetime(2024, 6, 1)),
            account("new", "holding", updated_at=datetime(2024, 6, 10)),
        ],
    )
    warehouse.land("crm", "account_aliases", [{"old_account_id": "bergen", "account_id": "oslo"}])
    warehouse.build("account_hierarchy")
    below = {
        row["path"]: (row["depth"], row["relationship"])
        for row in warehouse.rows("account_hierarchy")
        if row["depth"]
    }
    assert below == {
        "holding → north": (1, "subsidiary"),
        "holding → north → oslo": (2, "branch"),
        "holding → north → oslo → shop": (3, "shop"),
        "holding → north → oslo → harbour": (3, "shop"),
        "north → oslo": (1, "branch"),
        "north → oslo → shop": (2, "shop"),
        "north → oslo → harbour": (2, "shop"),
        "oslo → shop": (1, "shop"),
        "oslo → harbour": (1, "shop"),
        "egg → hen": (1, None),
    }


@pytest.mark.parametrize("part", range(2))
def test_every_amount_is_that_of_the_account_and_all_below_it(
    warehouse: InMemoryWarehouse, part: int
) -> None:
    """Random worlds in which any account may name any other, itself, or nobody as its parent."""

    @settings(RANDOM_WORLDS, max_examples=18)
    @given(world=worlds(max_accounts=6, max_records=12), data=st.data())
    def check(world: World, data: st.DataObject) -> None:
        names = [account.account_id for account in world.accounts]
        named = {name: data.draw(st.sampled_from([None, "nobody", *names])) for name in names}
        versions = data.draw(st.permutations(names))
        build(warehouse, world, named, versions)
        parents = unbroken(named, versions)
        for table, amounts in MONEY.items():
            expected = rolled_up(warehouse.rows(table), parents, amounts)
            rows = warehouse.rows(f"{table}_rollup", order_by="account_id, month")
            told = ("account_id", "month", "descendants", *amounts)
            assert [{column: row[column] for column in told} for row in rows] == expected
        rows = warehouse.rows("account_mrr_monthly_rollup", order_by="account_id, month")
        assert [movement(row) for row in rows] == list(movements(rows))
        for row in rows:
            moved = sum(row[column] for column in MONEY["account_mrr_monthly"][1:6])
            assert row["starting_mrr"] + moved == row["ending_mrr"]
        for invariant in ("assert_mrr_rolls_up", "assert_revenue_rolls_up"):
            assert warehouse.failures(invariant) == []

    check()


def build(
    warehouse: InMemoryWarehouse,
    world: World,
    named: Mapping[str, str | None],
    versions: list[str],
) -> None:
    """Land the world; its accounts name these parents, in versions of this order."""
    warehouse.clear()
    warehouse.set_inputs(world.settings.as_of_date, **settings_overrides(world))
    for (domain, entity), records in raw_records(world).items():
        if entity == "accounts":
            records = [
                {
                    **record,
                    "parent_account_id": named[record["account_id"]],
                    "updated_at": datetime(2020, 1, 1)
                    + timedelta(days=versions.index(record["account_id"])),
                }
                for record in records
            ]
        warehouse.land(domain, entity, records)
    warehouse.build(*MONEY, *(f"{table}_rollup" for table in MONEY), "account_hierarchy")


def unbroken(named: Mapping[str, str | None], versions: list[str]) -> dict[str, str]:
    """The parents that hold: of every cycle the edge of the latest version is taken out."""
    parents = {child: parent for child, parent in named.items() if parent in named}
    for start in named:
        climbed = [start]
        while (parent := parents.get(climbed[-1])) is not None and parent not in climbed:
            climbed.append(parent)
        if parent == start:
            del parents[max(climbed, key=versions.index)]
    return parents


def ancestors(account_id: str, parents: Mapping[str, str]) -> list[str]:
    """The account and all above it."""
    above = [account_id]
    while above[-1] in parents:
        above.append(parents[above[-1]])
    return above


def below(account_id: str, parents: Mapping[str, str]) -> int:
    """How many accounts have it above them."""
    return sum(account_id in ancestors(child, parents)[1:] for child in parents)


def rolled_up(
    rows: list[Row], parents: Mapping[str, str], amounts: tuple[str, ...]
) -> list[dict[str, Any]]:
    """The rows of every account added to it and to all above it, in the reporting currency."""
    sums: dict[tuple[str, date], dict[str, Any]] = {}
    for row in rows:
        for top in ancestors(row["account_id"], parents):
            total = sums.setdefault(
                (top, row["month"]), {amount: Decimal("0.0000") for amount in amounts}
            )
            for amount in amounts:
                total[amount] += row[f"{amount}_reporting"]
    return [
        {"account_id": top, "month": month, "descendants": below(top, parents), **total}
        for (top, month), total in sorted(sums.items())
    ]


def movement(row: Row) -> tuple[str, str | None, int | None]:
    """The class that a row states."""
    return row["movement"], row["movement_subclass"], row["months_since_lost"]


def movements(rows: list[Row]) -> Iterator[tuple[str, str | None, int | None]]:
    """The class of every month, told by the sums: rows by account and month."""
    account_id, had_mrr, lost = None, False, None
    for row in rows:
        if row["account_id"] != account_id:
            account_id, had_mrr, lost = row["account_id"], False, None
        start, end = row["starting_mrr"], row["ending_mrr"]
        moved = end - start - row["exchange_mrr"]
        if moved == 0:
            yield "none", None, None
        elif start <= 0 < end:
            since = months_between(lost, row["month"]) if had_mrr and lost else None
            yield "new", "reactivation" if had_mrr else "new_logo", since
        elif end <= 0 < start:
            lost = row["month"]
            yield "lost", None, None
        else:
            yield "expansion" if moved > 0 else "contraction", None, None
        had_mrr = had_mrr or end > 0
