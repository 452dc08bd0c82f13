"""Health scores and rule alerts against a slow reference that shares no code with the models.

The models stand on given rows here: what figures and attributes are is judged where they are made.
The settings files are written and read, so that the way from file to score is judged as a whole.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from tests.compiled_project import InMemoryWarehouse
from tests.random_worlds import RANDOM_WORLDS
from tests.reference.health import Health, World, alerts, days_of
from tests.reference.health_files import alert_rules_file, health_file, model_rows
from tests.reference.health_strategies import worlds

MODELS = (
    "int_account_day__health_metrics",
    "int_account_day__health_components",
    "int_account_day__health",
    "int_alert__rule_alerts",
)
INVARIANTS = (
    "assert_contributions_add_up_to_the_health_score",
    "assert_one_alert_of_a_rule_is_open_at_a_time",
)
TYPES = {
    "stg_canonical__accounts": "account_id varchar, churn_date date",
    "int_account_day__spine": "account_id varchar, day date",
    "int_account_day__figures": "account_id varchar, figure varchar, value double, day date",
    "int_account__attribute_history": (
        "account_id varchar, attribute varchar, text_value varchar, number_value double,"
        " date_value date, valid_from date, valid_to date"
    ),
    "stg_canonical__alerts": (
        "alert_id varchar, status varchar, closed_by varchar, outcome varchar, is_open boolean,"
        " triggered_at timestamp, closed_at timestamp"
    ),
}

random_worlds = settings(RANDOM_WORLDS, max_examples=24)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("files")


@pytest.mark.parametrize("part", range(2))
def test_scores_and_alerts_equal_the_reference(
    warehouse: InMemoryWarehouse, files: Path, part: int
) -> None:
    """Two parts of random worlds, so that the workers of the suite can share them."""

    @random_worlds
    @given(world=worlds())
    def check(world: World) -> None:
        build(warehouse, files, world)
        health = Health(world)
        first_day = published_from(warehouse)
        scores, components = expected_health(world, health, first_day)
        assert actual_scores(warehouse) == scores
        assert actual_components(warehouse) == components
        assert actual_alerts(warehouse) == alerts(world)
        for invariant in INVARIANTS:
            assert warehouse.failures(invariant) == []

    check()


def test_a_later_night_triggers_the_same_alerts(warehouse: InMemoryWarehouse, files: Path) -> None:
    @settings(random_worlds, max_examples=10)
    @given(world=worlds())
    def check(world: World) -> None:
        build(warehouse, files, world)
        later = actual_alerts(warehouse)
        for nights_before in (1, 7):
            as_of = world.as_of - timedelta(days=nights_before)
            build(warehouse, files, replace(world, as_of=as_of))
            assert [alert["alert_id"] for alert in actual_alerts(warehouse)] == [
                alert["alert_id"] for alert in later if alert["triggered_on"] < as_of
            ]

    check()


def build(warehouse: InMemoryWarehouse, files: Path, world: World) -> None:
    """Run the models on the world: its files are read, its rows are given."""
    (files / "health.toml").write_text(health_file(world.configurations), encoding="utf-8")
    (files / "alert_rules.toml").write_text(alert_rules_file(world.rules), encoding="utf-8")
    warehouse.set_inputs(
        world.as_of,
        metric_history_days=world.history_days,
        health_file=files / "health.toml",
        alert_rules_file=files / "alert_rules.toml",
    )
    warehouse.build("run_settings")
    (row,) = warehouse.rows("run_settings")
    for model, rows in model_rows(world, row["figures_first_day"]).items():
        warehouse.give(model, TYPES[model], rows)
    for model in MODELS:
        warehouse.build_only(model)


def published_from(warehouse: InMemoryWarehouse) -> date:
    return warehouse.rows("run_settings")[0]["health_first_day"]


def expected_health(
    world: World, health: Health, first_day: date
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    scores, components = [], []
    for account in world.accounts:
        for day in days_of(account, world.as_of):
            scored = health.score(account, day) if day >= first_day else None
            if scored is None:
                continue
            key = {"account_id": account.account_id, "day": day}
            parts = {
                name: scored[name]
                for name in ("health_score", "health_band", "configuration", "missing_metrics")
            }
            # cut off, not rounded
            points = Fraction(int(scored["exact"] * 1000000), 1000000)
            scores.append({**key, **parts, "health_points": points})
            components += [
                {**key, "component": name, "score": score}
                for name, score in scored["components"].items()
            ]
    return scores, components


def actual_scores(warehouse: InMemoryWarehouse) -> list[dict[str, Any]]:
    rows = warehouse.rows("int_account_day__health", order_by="account_id, day")
    return [{**row, "health_points": Fraction(row["health_points"])} for row in rows]


def actual_components(warehouse: InMemoryWarehouse) -> list[dict[str, Any]]:
    return warehouse.rows(
        "int_account_day__health_components",
        "account_id, day, component, score",
        order_by="account_id, day, component_position",
    )


def actual_alerts(warehouse: InMemoryWarehouse) -> list[dict[str, Any]]:
    return warehouse.rows(
        "int_alert__rule_alerts",
        "alert_id, triggered_at::date as triggered_on, closed_at::date as closed_on, closed_by",
        order_by="alert_id",
    )
