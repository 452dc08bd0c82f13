"""Accounts whose extracts are declared complete: what a newer extract leaves out was deleted."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.end_to_end.nights import Home, Night, written

pytestmark = [pytest.mark.slow, pytest.mark.long]

# Complete extracts: beta is missing from the second and listed again in the third.
EXTRACTS = {
    "2024-06-01": ("alpha", "beta", "gamma"),
    "2024-06-08": ("alpha", "gamma"),
    "2024-06-12": ("alpha", "beta", "gamma"),
}


@pytest.fixture(scope="module")
def deletion(empty_home: Callable[[], Home]) -> dict[str, Night]:
    """Nights by their as-of dates, with accounts declared complete."""
    home = empty_home()
    home.land(
        {
            "billing/subscriptions.csv": [
                {"subscription_id": account, "account_id": account, "start_date": "2024-01-01"}
                | {"cycle_length": 1, "cycle_unit": "month", "total_revenue": 10}
                for account in EXTRACTS["2024-06-01"]
            ]
        }
    )
    nights = {}
    for day, as_of in zip(EXTRACTS, ("2024-06-05", "2024-06-10", "2024-06-15"), strict=True):
        home.land(
            {
                f"crm/accounts/{day}.jsonl": [
                    {"account_id": account, "name": account, "join_date": "2024-01-01"}
                    for account in EXTRACTS[day]
                ]
            }
        )
        if day == "2024-06-08":
            nights["refused"] = home.night(as_of, full_extract_entities="accounts")
        nights[as_of] = home.night(
            as_of, full_extract_entities="accounts", full_extract_shrink_pct="40"
        )
    return nights


def test_an_extract_that_lost_more_than_the_setting_allows_is_refused(
    deletion: dict[str, Night],
) -> None:
    refused = deletion["refused"]
    assert refused.exit_code == 1
    assert "crm.accounts of 2024-06-08, after 2024-06-01: 33.3333 against 20" in refused.out


@pytest.mark.parametrize(
    ("as_of", "mrr"), [("2024-06-05", "30"), ("2024-06-10", "20"), ("2024-06-15", "30")]
)
def test_an_account_that_an_extract_leaves_out_is_gone_until_one_lists_it(
    deletion: dict[str, Night], as_of: str, mrr: str
) -> None:
    night = deletion[as_of]
    assert night.exit_code == 0, night.out
    found = night.shows(
        """
        select
            string_agg(account_id, '+' order by account_id) as accounts,
            sum(ending_mrr) as mrr,
            (select count(distinct account_id) from account_mrr_monthly) as with_months,
            (select count(distinct account_id) from account_subscriptions) as with_terms,
            (select sum(abs(difference)) from audit_conservation) as difference
        from account_360
        """
    )
    expected = {
        "30": """
            accounts         mrr with_months with_terms difference
            alpha+beta+gamma 30  3           3          0
        """,
        "20": """
            accounts    mrr with_months with_terms difference
            alpha+gamma 20  2           2          0
        """,
    }
    assert found == written(expected[mrr])
