"""Figures and attributes by day against a slow reference that shares no code with the models."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
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
from tests.reference.figures import (
    Version,
    attributes_on,
    days_from_to,
    days_invoice_open,
    mrr_by_day,
    usage_by_day,
)
from tests.reference.financials import Row, World
from tests.reference.landing import raw_records, settings_overrides
from tests.reference.strategies import FIRST_DAY, worlds

EXAMPLES = settings(RANDOM_WORLDS, max_examples=15)
USAGE = ("dau", "wau", "mau", "product_users", "session_seconds", "days_active_30d")


def first_day(warehouse: InMemoryWarehouse) -> date:
    return warehouse.rows("run_settings", "figures_first_day")[0]["figures_first_day"]


def by_day(warehouse: InMemoryWarehouse, model: str) -> dict[tuple[str, date], Row]:
    """The rows of a model of accounts and days, which has one for each."""
    rows = warehouse.rows(model)
    keyed = {(row["account_id"], row["day"]): row for row in rows}
    assert len(keyed) == len(rows)
    return keyed


def joined_on_the_first_day(world: World) -> World:
    """The world, with all its days in the daily history."""
    accounts = tuple(replace(account, join_date=FIRST_DAY) for account in world.accounts)
    return replace(world, accounts=accounts)


def test_mrr_and_unpaid_invoices_of_every_day_equal_the_reference(
    warehouse: InMemoryWarehouse,
) -> None:
    @settings(EXAMPLES, max_examples=24)
    @given(
        world=worlds(max_invoices=12).map(joined_on_the_first_day),
        history_days=st.sampled_from([20, 550, 550]),
    )
    def check(world: World, history_days: int) -> None:
        warehouse.clear()
        overrides = settings_overrides(world) | {"metric_history_days": history_days}
        warehouse.set_inputs(world.settings.as_of_date, **overrides)
        for (domain, entity), records in raw_records(world).items():
            warehouse.land(domain, entity, records)
        warehouse.build(
            "int_account_day__mrr", "int_account_day__unpaid_invoices", "int_account_month__mrr"
        )
        first = first_day(warehouse)
        mrr = {
            key: (row["ending_mrr"], row["ending_mrr_reporting"])
            for key, row in by_day(warehouse, "int_account_day__mrr").items()
        }
        assert mrr == mrr_by_day(world, first)
        ages = {
            key: row["days_invoice_open"]
            for key, row in by_day(warehouse, "int_account_day__unpaid_invoices").items()
        }
        assert ages == days_invoice_open(world, first)
        assert warehouse.failures("assert_mrr_by_day_is_that_of_the_month_at_its_ends") == []

    check()


def test_usage_figures_of_every_day_equal_the_reference(warehouse: InMemoryWarehouse) -> None:
    @EXAMPLES
    @given(world=activity_worlds())
    def check(world: ActivityWorld) -> None:
        warehouse.clear()
        warehouse.set_inputs(world.settings.as_of_date, **activity_settings_overrides(world))
        for (domain, entity), records in raw_event_records(world).items():
            warehouse.land(domain, entity, records)
        warehouse.build("run_settings")
        expected = usage_by_day(world, first_day(warehouse))
        # of modules and features, those that a file asks for; here every second one
        not_asked = set(sorted({name for _, name, _ in expected if ":" in name})[::2])
        expected = {key: value for key, value in expected.items() if key[1] not in not_asked}
        for name in sorted({name for _, name, _ in expected if ":" in name}):
            warehouse.connection.execute("insert into run.measures (subject) values (?)", [name])
        warehouse.build("int_account_day__figures")
        with_users = {
            (row["account_id"], row["day"])
            for row in activity_tables(world)["account_activity_daily"]
        }
        names = {name for _, name, _ in expected} | set(USAGE)
        ours = {}
        for row in warehouse.rows("int_account_day__figures"):
            account_id, name, value, day = (
                row[column] for column in ("account_id", "figure", "value", "day")
            )
            if name not in names and not name.startswith(("module:", "feature:")):
                continue
            if (account_id, day) in with_users:
                ours[account_id, name, day] = value
            else:
                # a day on which the account had joined, and nobody used the product yet
                assert (name in USAGE, value) == (True, 0)
        assert ours == pytest.approx({key: float(value) for key, value in expected.items()})

    check()


# Attributes


ACCOUNTS = ("a", "b")
AS_OF = date(2024, 6, 10)


def random_versions(rng: Random) -> list[tuple[str, date | None, list[dict[str, Any]]]]:
    """Files of account records: location, extract date and records, in the order of their loads.

    Files land again with other records; some records are refused.
    """
    files = []
    for _ in range(rng.randint(1, 6)):
        day = AS_OF - timedelta(days=rng.randint(-2, 14))
        extract = rng.choice([None, day])
        location = f"crm/accounts/{rng.choice('xyz')}{extract or ''}.jsonl"
        records = [random_record(rng, account) for account in ACCOUNTS if rng.random() < 0.8]
        files.append((location, extract, records))
    return files


def random_record(rng: Random, account_id: str) -> dict[str, Any]:
    """A record with few different values, so that many go on unchanged."""
    day = AS_OF - timedelta(days=rng.randint(-3, 12))
    updated_at = datetime.combine(day, datetime.min.time()) + timedelta(hours=rng.choice([1, 23]))
    return {
        "account_id": account_id,
        "name": account_id,
        "join_date": date(2024, 1, 1),
        "updated_at": rng.choice([None, updated_at]),
        "tier": rng.choice([None, "Gold"]),
        "current_stage": rng.choice(["Adoption", "Renewal"]),
        "csm_score": rng.choice([None, 40, 50, 140]),
        "renewal_date": rng.choice([None, date(2024, 7, 1)]),
        "is_churned": rng.choice([None, False, False, True]),
        "inactive_time": rng.choice([None, AS_OF - timedelta(days=rng.randint(-3, 12))]),
        "inactive_reason": "price",
        "custom_label_dimensions": [
            {"key": "Region", "value": rng.choice(["North", "South"])}
            for _ in range(rng.randint(0, 2))
        ],
        "custom_value_dimensions": [{"key": "Depots", "value": rng.choice([1, 2.5])}],
    }


def as_version(record: dict[str, Any], extract: date | None) -> Version:
    at = record["updated_at"] or (extract and datetime.combine(extract, datetime.min.time()))
    refused = record["csm_score"] == 140
    return Version(record["account_id"], at, at.date() if at else None, record, refused)


def test_attributes_of_every_day_equal_the_reference(warehouse: InMemoryWarehouse) -> None:
    @settings(EXAMPLES, max_examples=30)
    @given(seed=st.integers(0, 2**24 - 1))
    def check(seed: int) -> None:
        files = random_versions(Random(seed))
        warehouse.clear()
        warehouse.set_inputs(AS_OF, metric_history_days=10)
        versions = []
        for load_number, (location, extract, records) in enumerate(files, start=1):
            warehouse.land(
                "crm",
                "accounts",
                records,
                location=location,
                load_number=load_number,
                extract_date=extract,
            )
            versions += [as_version(record, extract) for record in records]
        warehouse.build("int_account__attribute_history")
        rows = warehouse.rows("int_account__attribute_history")
        for day in days_from_to(AS_OF - timedelta(days=10), AS_OF - timedelta(days=1)):
            for account_id in ACCOUNTS:
                expected = attributes_on(versions, account_id, day)
                assert ours_on(rows, account_id, day) == expected, (account_id, day)

    check()


def ours_on(rows: list[Row], account_id: str, day: date) -> Row:
    """Our attributes of an account that hold on a day, those that the reference tells."""
    told = {"tier", "stage", "csm_score", "renewal_date", "is_churned", "churn_date"}
    told |= {"churn_reason", "label:Region", "value:Depots"}
    return {
        row["attribute"]: next(
            row[column]
            for column in ("text_value", "number_value", "date_value")
            if row[column] is not None
        )
        for row in rows
        if row["account_id"] == account_id
        and row["attribute"] in told
        and row["valid_from"] <= day
        and (row["valid_to"] is None or day < row["valid_to"])
    }
