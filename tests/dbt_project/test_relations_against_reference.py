"""NPS, tasks, alerts and touchpoints against a slow reference that shares no code with them."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings

from tests.compiled_project import InMemoryWarehouse
from tests.random_worlds import RANDOM_WORLDS
from tests.reference.financials import Row
from tests.reference.relations import RelationsWorld, relations_tables
from tests.reference.relations_strategies import (
    raw_relations_records,
    relations_settings_overrides,
    relations_worlds,
)

KEYS = {
    "account_nps": ("account_id",),
    "account_nps_responses": (
        *("account_id", "submitted_at", "score"),
        *("user_email", "response_id"),
    ),
    "int_account_day__nps": ("account_id", "day"),
    "account_tasks": ("account_id", "task_id"),
    "account_alerts": ("account_id", "alert_id"),
    "int_account__relations": ("account_id",),
    "int_account_day__touchpoints": ("account_id", "day"),
}


@pytest.mark.parametrize("part", range(2))
def test_every_figure_of_the_relations_equals_the_reference(
    warehouse: InMemoryWarehouse, part: int
) -> None:
    """Two parts of random worlds, so that the workers of the suite can share them."""

    @settings(RANDOM_WORLDS, max_examples=24)
    @given(world=relations_worlds())
    def check(world: RelationsWorld) -> None:
        warehouse.clear()
        warehouse.set_inputs(world.settings.as_of_date, **relations_settings_overrides(world))
        for (domain, entity), records in raw_relations_records(world).items():
            warehouse.land(domain, entity, records)
        warehouse.build(*KEYS)
        for name, expected in relations_tables(world).items():
            # figures by day begin earlier, where the settings' files look back from the first day
            first_day = warehouse.rows("run_settings")[0]["history_first_day"]
            rows = [row for row in warehouse.rows(name) if row.get("day", first_day) >= first_day]
            ours, theirs = ordered(name, rows), ordered(name, expected)
            wrong = [
                (our, their)
                for our, their in zip(ours, theirs, strict=True)
                if not all(same(our[column], their[column]) for column in their)
            ]
            assert not wrong, f"{name}: ours and the reference's first differing row: {wrong[0]}"

    check()


def ordered(name: str, rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: tuple(str(row[column]) for column in KEYS[name]))


def same(ours: Any, theirs: Any) -> bool:
    if isinstance(theirs, Fraction):
        return abs(ours - float(theirs)) <= 1e-9 * max(1.0, abs(float(theirs)))
    return ours == theirs
