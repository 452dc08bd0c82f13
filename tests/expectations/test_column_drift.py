"""Columns that come otherwise than in the files before, in words that say what to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from expectations.arrival.drift import drifts
from tests.expectations.raw_loads import RawLoads


def told(raw: RawLoads, *accepted: str) -> dict[str, str]:
    found = drifts(raw.connection, raw.domain, raw.contract, raw.keys, accepted)
    return {drift.subject: drift.says for drift in found}


def blocking(raw: RawLoads) -> list[str]:
    found = drifts(raw.connection, raw.domain, raw.contract, raw.keys, ())
    return [drift.subject for drift in found if drift.blocks]


def accounts(count: int = 20, **columns: Any) -> list[dict[str, Any]]:
    """Accounts with tier and score; a column that is given as a function is asked for each."""
    return [
        {"account_id": f"A-{n}", "name": f"N {n}", "join_date": "2024-01-01", "tier": f"t{n % 3}"}
        | {name: make(n) if callable(make) else make for name, make in columns.items()}
        for n in range(count)
    ]


def without(records: Sequence[dict[str, Any]], column: str) -> list[dict[str, Any]]:
    return [{name: value for name, value in r.items() if name != column} for r in records]


@pytest.fixture
def raw() -> RawLoads:
    raw = RawLoads("crm")
    raw.load("accounts", ("2024-06-01.csv", accounts(csm_score=50, parent_account_id="1234")))
    return raw


def test_what_comes_as_before_has_not_drifted(raw: RawLoads) -> None:
    raw.load("accounts", ("2024-06-02.csv", accounts(csm_score=7, parent_account_id="99")))
    assert told(raw) == {}


def test_a_first_load_has_nothing_before_it(raw: RawLoads) -> None:
    raw.load("csms", ("1.csv", [{"email": "a@x", "is_active": "perhaps"}] * 20))
    assert told(raw) == {}


def test_an_agreed_column_that_no_longer_comes_is_missing_until_it_comes_again(
    raw: RawLoads,
) -> None:
    columns = {"csm_score": 50, "parent_account_id": "1234"}
    raw.load("accounts", ("2024-06-02.csv", without(accounts(3, **columns), "tier")))
    said = {
        "crm.accounts.tier": "missing since crm/accounts/2024-06-02.csv: the newest version of a"
        " record has none, and figures by tier lose it. Ask the source for it and land the files"
        " again; where it is meant, add crm.accounts.tier to accepted_drift."
    }
    assert told(raw) == said
    raw.load("accounts", ("2024-06-03.csv", without(accounts(3, **columns), "tier")))
    assert told(raw) == said
    assert blocking(raw) == []
    assert told(raw, "crm.accounts.tier") == {}
    raw.load("accounts", ("2024-06-04.csv", accounts(3, **columns)))
    assert told(raw) == {}


def test_a_file_that_was_mended_and_landed_again_counts_as_it_is_now(raw: RawLoads) -> None:
    columns = {"csm_score": 50, "parent_account_id": "1234"}
    raw.load("accounts", ("2024-06-02.csv", without(accounts(**columns), "tier")))
    assert list(told(raw)) == ["crm.accounts.tier"]
    raw.load("accounts", ("2024-06-02.csv", accounts(**columns)))
    assert told(raw) == {}


def test_json_may_leave_out_what_has_no_value_as_long_as_that_is_likely(raw: RawLoads) -> None:
    """Every fourth account has a parent: of 20 records 5 would be expected, of 60 fifteen."""
    raw = RawLoads("crm")
    children = [
        r | ({"parent_account_id": "p"} if n % 4 == 0 else {}) for n, r in enumerate(accounts(40))
    ]
    raw.load("accounts", ("2024-06-01.jsonl", children))
    raw.load("accounts", ("2024-06-02.jsonl", accounts(20)))
    assert told(raw) == {}
    raw.load("accounts", ("2024-06-03.jsonl", accounts(40)))
    assert told(raw)["crm.accounts.parent_account_id"].startswith(
        "missing since crm/accounts/2024-06-02.jsonl"
    )


def test_a_column_that_always_had_values_and_has_none_is_told(raw: RawLoads) -> None:
    columns = {"csm_score": 50, "parent_account_id": "1234"}
    raw.load("accounts", ("2024-06-02.csv", accounts(9, **columns, tier="")))
    assert told(raw) == {}
    raw.load("accounts", ("2024-06-03.csv", accounts(2, **columns, tier=None)))
    assert told(raw)["crm.accounts.tier"].startswith(
        "without a value since crm/accounts/2024-06-02.csv"
    )


def test_an_unknown_column_is_new(raw: RawLoads) -> None:
    columns = {"csm_score": 50, "parent_account_id": "1234"}
    raw.load("accounts", ("2024-06-02.csv", accounts(**columns, mood="good")))
    said = told(raw)
    assert list(said) == ["crm.accounts.mood"]
    assert said["crm.accounts.mood"].startswith("new since crm/accounts/2024-06-02.csv: not agreed")
    assert told(raw, "crm.accounts.mood") == {}


@pytest.mark.parametrize(
    ("new", "value"),
    [("service_tier", "something else"), ("klass", lambda n: f"t{n % 3}")],
    ids=["a name that is like it", "the same values"],
)
def test_a_missing_column_and_a_new_one_may_be_one_that_was_renamed(
    raw: RawLoads, new: str, value: Any
) -> None:
    columns = {"csm_score": 50, "parent_account_id": "1234", new: value}
    raw.load("accounts", ("2024-06-02.csv", without(accounts(**columns), "tier")))
    said = told(raw)
    assert list(said) == ["crm.accounts.tier"]
    assert said["crm.accounts.tier"].startswith(
        f"looks renamed to {new} since crm/accounts/2024-06-02.csv: records of these files have no"
        f" tier, and {new} is kept in raw but in no figure. Have the source call it tier again"
    )


def test_columns_of_other_values_or_another_day_are_no_new_name(raw: RawLoads) -> None:
    columns = {"csm_score": 50, "parent_account_id": "1234"}
    numbers = accounts(**columns, service_tier=5, mood="good")
    raw.load("accounts", ("2024-06-02.csv", without(numbers, "tier")))
    assert [says.split()[0] for says in told(raw).values()] == ["new", "new", "missing"]


@pytest.mark.parametrize(
    ("column", "value", "reads"),
    [
        ("csm_score", "fifty", "of its numbers read like 'aaaaa', before like '99'"),
        ("csm_score", {"value": 50}, "read like '{\"aaaaa\": 99}', before like '99'"),
        ("join_date", "31.01.2024", "of its dates read like '99.99.9999', before like '9999-99-99"),
        ("name", ["a"], "of its values read like '[\"a\"]', before like 'a 9'"),
        ("parent_account_id", "1234.0", "of its values read like '9999.9', before like '9999'"),
    ],
)
def test_values_of_another_type_are_told_and_only_those_of_keys_block(
    raw: RawLoads, column: str, value: Any, reads: str
) -> None:
    columns = {"csm_score": 50, "parent_account_id": "1234"} | {column: value}
    raw.load("accounts", ("2024-06-02.csv", accounts(**columns)))
    said = told(raw)
    assert list(said) == [f"crm.accounts.{column}"]
    says = said[f"crm.accounts.{column}"]
    assert says.startswith("retyped since crm/accounts/2024-06-02.csv: 100 % of its")
    assert reads in says
    assert blocking(raw) == []
    good = {"csm_score": 50, "parent_account_id": "1234"}
    raw.load("accounts", ("2024-06-03.csv", accounts(**good)))
    assert told(raw) == {}


def test_a_column_of_json_that_comes_as_text_is_told(raw: RawLoads) -> None:
    columns: dict[str, Any] = {"csm_score": 50, "parent_account_id": "1234"}
    raw.load("accounts", ("2024-06-02.csv", accounts(**columns, assigned_csms=[{"email": "x"}])))
    raw.load("accounts", ("2024-06-03.csv", accounts(**columns, assigned_csms="x; y")))
    assert "of its lists or objects read like 'a; a'" in told(raw)["crm.accounts.assigned_csms"]


def test_forms_that_staging_reads_alike_are_no_other_type(raw: RawLoads) -> None:
    columns = {
        "csm_score": 49.5,
        "parent_account_id": "1234",
        "join_date": "2024-01-01T00:00:00Z",
        "name": 12,
        "tier": "USD",
    }
    raw.load("accounts", ("2024-06-02.csv", accounts(**columns)))
    raw.load("accounts", ("2024-06-03.csv", accounts(**columns | {"join_date": 1717200000000})))
    assert told(raw) == {}


def test_a_few_values_say_nothing_of_a_type(raw: RawLoads) -> None:
    columns = {"csm_score": "many", "parent_account_id": "1234"}
    raw.load("accounts", ("2024-06-02.csv", accounts(4, **columns)))
    assert told(raw) == {}


def numbered(ending: str = "", count: int = 20) -> list[dict[str, Any]]:
    return [
        {"account_id": f"{1000 + n}{ending}", "name": "N", "join_date": "2024-01-01"}
        for n in range(count)
    ]


def test_keys_that_became_floats_block_until_the_files_are_mended_or_it_is_meant() -> None:
    raw = RawLoads("crm")
    raw.load("accounts", ("2024-06-01.parquet", numbered()))
    raw.load("accounts", ("2024-06-02.parquet", numbered(".0")))
    says = told(raw)["crm.accounts.account_id"]
    assert says == (
        "retyped since crm/accounts/2024-06-02.parquet: 100 % of its ids read like '9999.9', before"
        " like '9999'; records no longer find those that they belong to. Have the source write it"
        " as before and land the files again; where it is meant, add crm.accounts.account_id to"
        " accepted_drift."
    )
    assert blocking(raw) == ["crm.accounts.account_id"]
    # another good file does not mend the bad one
    raw.load("accounts", ("2024-06-03.parquet", numbered()))
    assert blocking(raw) == ["crm.accounts.account_id"]
    assert told(raw, "crm.accounts.account_id") == {}
    raw.load("accounts", ("2024-06-02.parquet", numbered()))
    assert told(raw) == {}


def test_typed_keys_block_as_well() -> None:
    raw = RawLoads("billing")
    terms = [
        {"subscription_id": f"s{n}", "account_id": "a", "start_date": "2024-01-01"}
        for n in range(20)
    ]
    raw.load("subscriptions", ("1.jsonl", terms))
    raw.load("subscriptions", ("2.jsonl", [term | {"start_date": "01/02/2024"} for term in terms]))
    assert blocking(raw) == ["billing.subscriptions.start_date"]


def test_ids_of_mixed_forms_may_be_of_any_form() -> None:
    raw = RawLoads("crm")
    raw.load("accounts", ("1.csv", numbered() + accounts()))
    raw.load("accounts", ("2.csv", numbered()))
    raw.load("accounts", ("3.csv", accounts()))
    assert "crm.accounts.account_id" not in told(raw)


def test_only_what_is_kept_of_the_last_loads_is_read(raw: RawLoads) -> None:
    """Thirty loads later the first one is history, and raw itself was never needed."""
    columns = {"csm_score": 50, "parent_account_id": "1234"}
    for number in range(30):
        raw.load("accounts", (f"later{number}.csv", without(accounts(6, **columns), "tier")))
        raw.connection.execute("delete from raw_crm.accounts")
        raw.load("csms", (f"{number}.csv", [{"email": "a@x"}]))  # another entity's loads
        assert ("crm.accounts.tier" in told(raw)) is (number < 29)


def test_a_warehouse_of_before_has_no_drift_but_new_columns(raw: RawLoads) -> None:
    raw.connection.execute("drop table run.landed_columns")
    assert told(raw) == {}
    raw.connection.execute("alter table raw_crm.accounts add column mood varchar")
    assert told(raw)["crm.accounts.mood"].startswith("new: not agreed")
