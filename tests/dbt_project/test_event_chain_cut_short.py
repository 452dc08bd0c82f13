"""The event chain after a night that died: whatever it had changed, the next night says what the
records say, be it of another date, with other files or after a correction.

Two accounts with events of the same user are merged into one, which moves rows from account to
account; the night dies when any one of the kept tables has been brought up to date.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from tests.compiled_project import InMemoryWarehouse

AS_OF = date(2024, 6, 10)
LAST_OF_THE_CHAIN = "int_event_chain__builds"
FIRST_KEPT = "stg_native__event_days_touched"


def kept_models(warehouse: InMemoryWarehouse) -> list[str]:
    """The tables that are kept from night to night, and what the chain remembers, in order."""
    models = warehouse.project.models
    return [
        name
        for name in warehouse.project.lineage([LAST_OF_THE_CHAIN])
        if models[name]["config"]["materialized"] == "incremental"
        or name.startswith("int_event_chain__")
    ]


def land_first(warehouse: InMemoryWarehouse) -> None:
    warehouse.clear()
    warehouse.land("crm", "accounts", accounts({}))
    warehouse.land("crm", "users", [{"account_id": a, "user_id": "u"} for a in "abc"])
    warehouse.land(
        "events",
        "events",
        [event(account, day) for account in "abc" for day in (1, 2, 20, 40, 41)],
    )


def accounts(churned: dict[str, date]) -> list[dict[str, Any]]:
    return [
        {"account_id": account, "name": account, "join_date": "2024-01-01"}
        | ({"is_churned": True, "inactive_time": churned[account]} if account in churned else {})
        for account in "abc"
    ]


def event(account: str, days_ago: int) -> dict[str, Any]:
    at = datetime(2024, 6, 10, 12) - timedelta(days=days_ago)
    return {
        "account_id": account,
        "user_id": "u",
        "created_at": at,
        "action": "feature",
        "session_id": f"{account}{days_ago}",
        "product": "p",
        "module": "m",
        "feature": "f",
        "active_duration": 60000 + days_ago,
    }


def merge(warehouse: InMemoryWarehouse, target: str, load: int) -> None:
    """Account a becomes part of another."""
    warehouse.land(
        "crm",
        "account_aliases",
        [{"old_account_id": "a", "account_id": target}],
        location=f"crm/account_aliases/2024-06-0{load}.csv",
        extract_date=date(2024, 6, load),
        load_number=load,
    )


def nothing_more(warehouse: InMemoryWarehouse) -> date:
    return AS_OF


def merged_into_another(warehouse: InMemoryWarehouse) -> date:
    merge(warehouse, "c", 3)
    return AS_OF


def another_day(warehouse: InMemoryWarehouse) -> date:
    return AS_OF - timedelta(days=30)


def late_and_churned(warehouse: InMemoryWarehouse) -> date:
    warehouse.land(
        "crm",
        "accounts",
        accounts({"b": AS_OF - timedelta(days=10)}),
        location="crm/accounts/later.jsonl",
        load_number=3,
    )
    warehouse.land(
        "events",
        "events",
        [event("a", days) for days in (3, 21)],
        location="events/events/late.jsonl",
        load_number=3,
    )
    return AS_OF + timedelta(days=1)


def contents(warehouse: InMemoryWarehouse) -> dict[str, list[dict[str, Any]]]:
    return {name: warehouse.rows(name) for name in kept_models(warehouse) if name != FIRST_KEPT}


@pytest.mark.parametrize("then", [nothing_more, merged_into_another, another_day, late_and_churned])
def test_after_a_night_that_died_the_next_one_says_what_the_records_say(
    warehouse: InMemoryWarehouse, then: Any
) -> None:
    kept = kept_models(warehouse)
    assert len(kept) > 8
    for number, name in enumerate(kept):
        land_first(warehouse)
        warehouse.set_inputs(AS_OF)
        warehouse.build(LAST_OF_THE_CHAIN)
        merge(warehouse, "b", 2)
        # it may have been of another date than the nights around it
        warehouse.set_inputs(AS_OF - timedelta(days=(0, 25, -2)[number % 3]))
        # this one and what it is made of, and nothing beside
        warehouse.build_next_night(name)
        warehouse.set_inputs(then(warehouse))
        warehouse.build_next_night(LAST_OF_THE_CHAIN)
        after = contents(warehouse)
        warehouse.build(LAST_OF_THE_CHAIN)
        anew = contents(warehouse)
        wrong = [table for table in anew if after[table] != anew[table]]
        assert not wrong, f"died after {name}: {wrong[0]}: {after[wrong[0]]}, not {anew[wrong[0]]}"


def test_what_a_dead_night_touched_stays_until_a_night_has_come_to_its_end(
    warehouse: InMemoryWarehouse,
) -> None:
    land_first(warehouse)
    warehouse.set_inputs(AS_OF)
    warehouse.build(LAST_OF_THE_CHAIN)
    merge(warehouse, "b", 2)
    warehouse.build_next_night(FIRST_KEPT)
    touched = {(row["account_id"], row["day"]) for row in warehouse.rows(FIRST_KEPT)}
    assert {account for account, _ in touched} == {"a", "b"}
    assert warehouse.rows(LAST_OF_THE_CHAIN) == [{"begun": 1}]
    merge(warehouse, "a", 3)
    warehouse.build_next_night(LAST_OF_THE_CHAIN)
    again = [(row["account_id"], row["day"]) for row in warehouse.rows(FIRST_KEPT)]
    assert touched <= set(again)
    assert len(again) == len(set(again))
    assert warehouse.rows(LAST_OF_THE_CHAIN) == [{"begun": 0}]
    warehouse.build_next_night(LAST_OF_THE_CHAIN)
    assert warehouse.rows(FIRST_KEPT) == []
