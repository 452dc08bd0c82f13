"""Renewals, churn and retention worked out by hand, as landing files.

As of 2024-06-10: the last full day is the 9th. A renewal is in time from 90 days before an
expiration to 30 days after it; what expired on 2024-05-10 or later may still be renewed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.end_to_end.nights import Home, Night, records, shows, written

AS_OF = "2024-06-10"

# InTime will be churned on a day that has not come; New joined on the first of the open month.
ACCOUNTS = """
account_id name join_date  currency is_churned inactive_time inactive_reason
Ahead      -    2023-01-01 -        -          -             -
Early      -    2023-01-01 -        -          -             -
Elsewhere  -    2023-01-01 -        -          -             -
Euro       -    2023-01-01 EUR      -          -             -
InTime     -    2023-01-01 -        true       2024-06-10    Announced
Late       -    2023-01-01 -        -          -             -
Left       -    2023-01-01 -        true       2024-05-15    Price
Never      -    2023-01-01 -        true       2024-05-03    -
New        -    2024-06-01 -        -          -             -
Open       -    2023-01-01 -        -          -             -
Pays       -    2023-01-01 -        true       2024-06-01    -
Reduction  -    2023-01-01 -        -          -             -
TooLate    -    2023-01-01 -        -          -             -
Uplift     -    2023-01-01 -        -          -             -
"""

# TooLate comes back 31 days after its term. Of Elsewhere, new is two days from old-1's expiration
# and 18 from old-2's.
SUBSCRIPTIONS = """
account_id subscription_id start_date end_date   expiration_date total_revenue is_renewal
Ahead      ahead           2023-06-20 -          2024-06-20      30            -
Early      early           2023-03-01 -          2024-03-01      100           -
Early      early           2024-01-15 -          2025-03-01      100           true
Elsewhere  old-1           2023-04-10 -          2024-04-10      90            -
Elsewhere  old-2           2023-04-30 -          2024-04-30      40            -
Elsewhere  new             2024-04-12 -          2025-04-12      95            true
Euro       euro            2023-04-01 -          2024-04-01      100           -
Euro       euro            2024-04-20 -          -               100           -
InTime     in-time         2023-04-01 -          2024-04-01      100           -
InTime     in-time         2024-04-01 -          2025-04-01      100           -
Late       late            2023-04-01 -          2024-04-01      100           -
Late       late            2024-04-21 -          2025-04-01      100           -
Left       left            2023-01-01 2024-05-15 -               55            -
Never      never           2023-04-15 -          2024-04-15      70            -
New        new-1           2024-06-03 -          -               50            -
Open       open            2023-05-20 -          2024-05-20      60            -
Pays       pays            2023-01-01 -          -               25            -
Reduction  reduction       2023-05-01 -          2024-05-01      100           -
Reduction  reduction       2024-05-01 -          -               80            -
TooLate    too-late        2023-03-31 -          2024-03-31      100           -
TooLate    too-late        2024-05-01 -          -               100           -
Uplift     uplift          2023-05-01 -          2024-05-01      100           -
Uplift     uplift          2024-05-01 -          -               120           -
"""

# A euro is 1.10 dollars up to Euro's expiration, and 1.20 when it comes back.
FX_RATES = """
rate_date  from_currency to_currency rate
2023-01-01 EUR           USD         1.10
2024-04-10 EUR           USD         1.20
"""

# Left's CSM was unassigned on its churn date, that of Pays two days before.
ASSIGNMENTS = """
account_id csm_email        assigned_at          unassigned_at
Left       bob@example.com  2023-01-01T00:00:00Z 2024-05-15T00:00:00Z
Left       eve@example.com  2023-01-01T00:00:00Z 2024-05-01T00:00:00Z
Never      bob@example.com  2023-01-01T00:00:00Z 2024-05-03T00:00:00Z
Never      ann@example.com  2024-05-03T00:00:00Z -
Pays       cat@example.com  2023-01-01T00:00:00Z 2024-05-30T00:00:00Z
"""


@dataclass(frozen=True)
class Played:
    """The night, and what the CSM and portfolio tables are added up from."""

    night: Night
    retention: list[list[str]]
    logo_churn: list[list[str]]


@pytest.fixture(scope="module")
def played(empty_home: Callable[[], Home]) -> Played:
    home = empty_home()
    home.land(
        {
            "crm/accounts.csv": [
                {**account, "name": account["account_id"]} for account in records(ACCOUNTS)
            ],
            "crm/account_assignments.csv": records(ASSIGNMENTS),
            "billing/subscriptions.jsonl": [
                {**record, "cycle_length": 1, "cycle_unit": "month"}
                for record in records(SUBSCRIPTIONS)
            ],
            "billing/fx_rates.csv": records(FX_RATES),
        }
    )
    night = home.night(AS_OF)
    assert night.exit_code == 0, night.out + night.err
    warehouse = home.path / "warehouse.duckdb"
    return Played(
        night,
        shows(
            warehouse,
            """
            select
                horizon_months as horizon, count(*) as accounts, sum(base_mrr_reporting) as base,
                sum(kept_mrr_reporting) as kept, sum(ending_mrr_reporting) as ending
            from intermediate.int_account_month__retention
            where month = '2024-06-01'
            group by horizon_months
            order by horizon_months
            """,
        ),
        shows(
            warehouse,
            """
            select
                month, count(*) as accounts,
                string_agg(account_id, ',' order by account_id) filter (where is_churned_in_month)
                    as churned
            from intermediate.int_account_month__logo_churn
            where month >= '2024-04-01'
            group by month
            order by month
            """,
        ),
    )


def test_every_renewal(played: Played) -> None:
    """What expires on 20 June lies ahead; old-2 has no renewal left."""
    assert played.night.shows(
        """
        select
            account_id as account, subscription_id as record, expiration_date as expiration,
            due_month as month, due_mrr as due, outcome,
            renewed_by_subscription_id as by, renewed_date as renewed_on,
            renewed_mrr as renewed, uplift_mrr as uplift, reduction_mrr as reduction
        from account_renewals
        order by account_id, subscription_id, start_date
        """
    ) == written(
        """
        account   record    expiration month      due outcome by        renewed_on renewed uplift reduction
        Early     early     2024-03-01 2024-03-01 100 renewed early     2024-01-15 100     0      0
        Elsewhere old-1     2024-04-10 2024-04-01 90  renewed new       2024-04-12 90      5      0
        Elsewhere old-2     2024-04-30 2024-04-01 40  lost    -         -          0       0      0
        Euro      euro      2024-04-01 2024-04-01 100 renewed euro      2024-04-20 100     0      0
        InTime    in-time   2024-04-01 2024-04-01 100 renewed in-time   2024-04-01 100     0      0
        Late      late      2024-04-01 2024-04-01 100 renewed late      2024-04-21 100     0      0
        Never     never     2024-04-15 2024-04-01 70  lost    -         -          0       0      0
        Open      open      2024-05-20 2024-05-01 60  open    -         -          0       0      0
        Reduction reduction 2024-05-01 2024-05-01 100 renewed reduction 2024-05-01 80      0      20
        TooLate   too-late  2024-03-31 2024-03-01 100 lost    -         -          0       0      0
        Uplift    uplift    2024-05-01 2024-05-01 100 renewed uplift    2024-05-01 100     20     0
        """  # noqa: E501 - a row per record
    )


def test_a_renewal_after_a_gap_is_compared_at_each_rate_in_the_reporting_currency(
    played: Played,
) -> None:
    assert played.night.shows(
        """
        select
            currency, due_mrr_reporting as due, renewed_mrr_reporting as renewed,
            uplift_mrr_reporting as uplift, reduction_mrr_reporting as reduction
        from account_renewals
        where account_id = 'Euro'
        """
    ) == written(
        """
        currency due renewed uplift reduction
        EUR      110 110     10     0
        """
    )


def test_every_churn(played: Played) -> None:
    """Never's MRR had ended in April, that of Pays goes on; InTime is not churned yet."""
    assert played.night.shows(
        """
        select
            account_id as account, churn_date as churned, churn_reason as reason, lost_mrr as lost,
            lost_mrr_month as month, is_in_logo_churn as in_base,
            array_to_string(csm_emails, ',') as csms
        from account_churn
        order by account_id
        """
    ) == [
        ["account", "churned", "reason", "lost", "month", "in_base", "csms"],
        ["Left", "2024-05-15", "Price", "55", "2024-05-01", "yes", "bob@example.com"],
        ["Never", "2024-05-03", "-", "70", "2024-04-01", "yes", "ann@example.com"],
        ["Pays", "2024-06-01", "-", "25", "2024-06-01", "yes", ""],
    ]


def test_retention_over_one_three_and_twelve_months(played: Played) -> None:
    """New had no MRR before June and is in no sum; TooLate had none at the end of March."""
    assert played.retention == written(
        """
        horizon accounts base kept ending
        1       10       870  870  870
        3       12       980  740  770
        12      13       1080 840  870
        """
    )


def test_the_base_of_logo_churn(played: Played) -> None:
    """New joined in June; Pays churned on the first day of June."""
    assert played.logo_churn == written(
        """
        month      accounts churned
        2024-04-01 13       -
        2024-05-01 13       Left,Never
        2024-06-01 11       Pays
        """
    )
