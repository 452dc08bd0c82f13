"""Worked accounts with none to six CSMs as landing files, and what their CSMs are credited with.

Everything expected here was written by hand from the definitions. As of 2024-06-10: the last full
day is the 9th, and June is open.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from tests.end_to_end.nights import Home, Night, contents, records, written

AS_OF = "2024-06-10"

# Lists of CSMs by version: without spaces, names apart by commas. Moved goes from ann to bob by its
# list, and to cid by a record. Same and Before churn, and lose their CSMs on that day, or the day
# before. Twice lists eve twice; gus, whom Left has, was deactivated.
VERSIONS = """
account_id updated_at join_date  csms                    is_churned inactive_time
One        2024-01-01 2024-01-01 ann                     -          -
Two        2024-01-01 2024-01-01 ann,bob                 -          -
Six        2024-01-01 2024-01-01 ann,bob,cid,dan,eve,fay -          -
Moved      2024-01-01 2024-01-01 ann                     -          -
Moved      2024-05-15 2024-01-01 bob                     -          -
Same       2024-01-01 2024-01-01 ann,dan                 -          -
Same       2024-05-20 2024-01-01 nobody                  true       2024-05-20
Before     2024-01-01 2024-01-01 bob                     -          -
Before     2024-05-19 2024-01-01 nobody                  -          -
Before     2024-05-20 2024-01-01 nobody                  true       2024-05-20
Twice      2024-01-01 2024-01-01 eve,EVE                 -          -
Left       2024-01-01 2024-01-01 gus                     -          -
Nobody     2024-01-01 2024-01-01 -                       -          -
"""

ASSIGNMENTS = """
account_id csm_email     assigned_at          unassigned_at
Moved      cid@x.example 2024-05-25T00:00:00Z -
"""

# A month each. Two renews at 70 what it had at 60; Left's renewal is open, and its MRR has ended.
SUBSCRIPTIONS = """
account_id subscription_id start_date end_date   expiration_date total_revenue
One        one             2024-01-01 -          -               100
Two        two             2024-01-01 -          2024-05-15      60
Two        two             2024-05-15 -          2025-05-15      70
Six        six             2024-01-01 -          -               600
Moved      moved           2024-01-01 -          -               20
Moved      moved           2024-05-10 -          -               50
Same       same            2024-01-01 2024-05-20 -               80
Before     before          2024-01-01 2024-05-20 -               40
Twice      twice           2024-01-01 -          -               5
Left       left            2024-01-01 -          2024-06-05      7
Nobody     nobody          2024-01-01 -          -               3
"""

ALERTS = """
alert_id account_id type  status    triggered_at         closed_at            outcome
m        Moved      churn closed    2024-05-01T12:00:00Z 2024-05-20T12:00:00Z successful
s-1      Six        churn closed    2024-05-01T12:00:00Z 2024-05-10T12:00:00Z unsuccessful
s-2      Six        churn dismissed 2024-05-01T12:00:00Z 2024-05-31T23:59:59Z false_alarm
open     One        churn open      2024-05-01T12:00:00Z -                    -
"""

NPS = """
account_id submitted_at         score user_email
One        2024-05-03T12:00:00Z 9     a@example.com
Two        2024-05-20T12:00:00Z 6     b@example.com
Two        2024-05-21T12:00:00Z 7     c@example.com
"""

# Ghost is no account.
TICKETS = """
ticket_id account_id status created_at           closed_at
t         Six        closed 2024-05-31T10:00:00Z 2024-06-01T10:00:00Z
stray     Ghost      open   2024-05-04T10:00:00Z -
"""

INVOICES = """
invoice_id account_id created_at           paid_at
ghost      Ghost      2024-05-05T10:00:00Z 2024-06-02T10:00:00Z
late       Ghost      2024-06-10T00:00:00Z -
"""

LINES = """
invoice_id line_number amount
ghost      1           12
ghost      2           -2
late       1           500
"""

EVENTS = """
account_id user_id action created_at
Ghost      u       event  2024-05-06T10:00:00Z
Ghost      u       login 2024-06-10T10:00:00Z
"""


@pytest.fixture(scope="module")
def night(empty_home: Callable[[], Home]) -> Night:
    """One night over all of it; alert rules would close alerts of their own."""
    home = empty_home()
    no_rules = home.path / "no_rules.toml"
    no_rules.write_text("rules = []\n")
    home.land(
        {
            "crm/accounts.jsonl": list(_accounts()),
            "crm/account_assignments.csv": records(ASSIGNMENTS),
            "crm/csms.jsonl": [
                {"email": f"{name}@x.example", "name": name, "is_active": name != "gus"}
                for name in ("ann", "bob", "cid", "dan", "eve", "fay", "gus")
            ],
            "crm/alerts.csv": records(ALERTS),
            "crm/nps_responses.csv": records(NPS),
            "billing/subscriptions.jsonl": [
                {**record, "cycle_length": 1, "cycle_unit": "month"}
                for record in records(SUBSCRIPTIONS)
            ],
            "billing/invoices.csv": records(INVOICES),
            "billing/invoice_lines.csv": records(LINES),
            "tickets/tickets.csv": records(TICKETS),
            "events/events.jsonl": records(EVENTS),
        }
    )
    night = home.night(AS_OF, alert_rules_file=no_rules)
    assert night.exit_code == 0, night.out + night.err
    return night


def _accounts() -> Iterator[dict[str, object]]:
    """The versions of accounts, with their lists of CSMs as the source writes them."""
    for version in records(VERSIONS):
        names = version.pop("csms")
        listed = [] if names in (None, "nobody") else names.split(",")
        yield {
            **version,
            "name": version["account_id"],
            "assigned_csms": json.dumps([{"email": f" {name}@x.example"} for name in listed]),
        }


def test_as_of_the_day_a_csm_has_what_it_had_then(night: Night) -> None:
    """Moved's growth is ann's, its alert bob's, its MRR cid's; churn is of who lost the account."""
    assert night.shows(_MONTH.format(basis="as_of")) == written(
        """
        csm          acc mrr expansion lost churned gone base alerts good affected due uplift
        (unassigned) 3   3   0         0    0       0    1    0      0    0        0   0
        ann@         3   770 40        -80  1       80   4    2      0    600      60  10
        bob@         2   670 10        -40  1       40   3    3      1    620      60  10
        cid@         2   650 0         0    0       0    2    2      0    600      0   0
        dan@         1   600 0         -80  1       80   2    2      0    600      0   0
        eve@         2   605 0         0    0       0    2    2      0    600      0   0
        fay@         1   600 0         0    0       0    1    2      0    600      0   0
        gus@         1   7   0         0    0       0    1    0      0    0        0   0
        """
    )


def test_by_the_current_basis_the_team_of_the_last_full_day_has_it_all(night: Night) -> None:
    assert night.shows(_MONTH.format(basis="current")) == written(
        """
        csm          acc mrr expansion lost churned gone base alerts good affected due uplift
        (unassigned) 3   3   0         -120 2       120  3    0      0    0        0   0
        ann@         3   770 10        0    0       0    3    2      0    600      60  10
        bob@         2   670 10        0    0       0    2    2      0    600      60  10
        cid@         2   650 30        0    0       0    2    3      1    620      0   0
        dan@         1   600 0         0    0       0    1    2      0    600      0   0
        eve@         2   605 0         0    0       0    2    2      0    600      0   0
        fay@         1   600 0         0    0       0    1    2      0    600      0   0
        gus@         1   7   0         0    0       0    1    0      0    0        0   0
        """
    )


_MONTH = """
    select
        replace(csm_email, 'x.example', '') as csm, accounts as acc, ending_mrr as mrr,
        expansion_mrr as expansion, lost_mrr as lost, churned_accounts as churned,
        churned_mrr as gone, logo_churn_denominator as base, alerts_closed as alerts,
        alerts_successful as good, affected_mrr as affected, due_mrr as due, uplift_mrr as uplift
    from csm_monthly
    where basis = '{basis}' and month = '2024-05-01'
    order by csm_email
"""


def test_rates_are_of_the_csms_own_accounts(night: Night) -> None:
    """In June gus's only renewal is open: there is no final rate yet."""
    assert night.shows(
        """
        select
            replace(csm_email, 'x.example', '') as csm, month, round(logo_churn_pct, 6) as logo,
            renewal_rate_pct as renewed, renewal_rate_accounts_pct as accounts, open_mrr as open,
            grr_1m_pct as grr, nrr_1m_numerator as nrr_above, nrr_1m_denominator as nrr_below,
            round(nps_current, 6) as nps
        from csm_monthly
        where
            basis = 'as_of'
            and (month, csm_email) in (
                ('2024-05-01', 'ann@x.example'), ('2024-05-01', 'dan@x.example'),
                ('2024-05-01', 'bob@x.example'), ('2024-06-01', 'gus@x.example')
            )
        order by month, csm_email desc
        """
    ) == written(
        """
        csm  month      logo               renewed accounts open grr   nrr_above nrr_below nps
        dan@ 2024-05-01 50.0               -       -        0    100.0 600       600       -
        bob@ 2024-05-01 33.333333          100.0   100.0    0    100.0 670       660       6.5
        ann@ 2024-05-01 25.0               100.0   100.0    0    100.0 770       760       7.333333
        gus@ 2024-06-01 0.0                -       -        7    0.0   0         7         -
        """
    )


def test_an_account_changes_hands_by_list_and_by_record(night: Night) -> None:
    assert night.shows(
        """
        select replace(csm_email, 'x.example', '') as csm, assigned_date, unassigned_date as until
        from account_csm_assignments
        where account_id in ('Moved', 'Twice', 'Left')
        order by account_id desc, assigned_date
        """
    ) == written(
        """
        csm  assigned_date until
        eve@ 2024-01-01    -
        ann@ 2024-01-01    2024-05-15
        bob@ 2024-05-15    2024-05-25
        cid@ 2024-05-25    -
        gus@ 2024-01-01    -
        """
    )


def test_the_portfolio_has_every_account_once_and_what_no_account_has(night: Night) -> None:
    assert night.shows(
        """
        select
            month, accounts as acc, starting_mrr as mrr, lost_mrr as lost, ending_mrr as ends,
            churned_accounts as gone, logo_churn_denominator as base,
            grr_1m_numerator as kept, gross_mrr_churn_numerator as gross,
            affected_mrr as alerts, open_tickets as open, due_mrr as due,
            unattributed_invoice_revenue as booked, unattributed_payments as paid,
            unattributed_events as events, unattributed_tickets as strays
        from portfolio_monthly
        where month >= '2024-04-01'
        order by month
        """
    ) == written(
        """
        month      acc mrr lost ends gone base kept gross alerts open due booked paid events strays
        2024-04-01 9   915 0    915  0    9    915  0     0      0    0   0      0    0      0
        2024-05-01 9   915 -120 835  2    9    795  120   620    1    60  10     0    1      1
        2024-06-01 9   835 -7   828  0    7    828  7     0      0    7   0      10   0      0
        """
    )


def test_split_figures_add_up_to_the_portfolio(night: Night) -> None:
    """Six is shared by six: a sixth is 0.1666 or 0.1667."""
    assert night.shows(
        """
        select
            replace(csm_email, 'x.example', '') as csm, accounts as acc, ending_mrr as mrr,
            lost_mrr as lost, churned_accounts as churned
        from csm_split_monthly
        where month = '2024-05-01'
        order by csm_email
        """
    ) == written(
        """
        csm          acc    mrr lost churned
        (unassigned) 3      3   0    0
        ann@         1.6666 235 -40  0.5
        bob@         0.6667 135 -40  1
        cid@         1.1667 150 0    0
        dan@         0.1666 100 -40  0.5
        eve@         1.1667 105 0    0
        fay@         0.1667 100 0    0
        gus@         1      7   0    0
        """
    )


def test_csms_reconcile_with_the_portfolio_over_accounts_of_several(night: Night) -> None:
    assert night.shows(
        """
        select
            figure, csm_total as csms, global_total as global, multi_assigned_excess as excess,
            difference
        from csm_reconciliation_monthly
        where
            month = '2024-05-01' and basis = 'as_of'
            and figure in ('accounts', 'ending_mrr', 'lost_mrr', 'logo_churn_denominator')
        order by figure
        """
    ) == written(
        """
        figure                 csms global excess difference
        accounts               15   9      6      0
        ending_mrr             3905 835    3070   0
        logo_churn_denominator 16   9      7      0
        lost_mrr               -200 -120   -80    0
        """
    )
    assert night.shows(
        """
        select figure, account_id as acct, csm_count as csms, amount, excess
        from csm_reconciliation_accounts
        where
            month = '2024-05-01' and basis = 'as_of' and figure in ('ending_mrr', 'lost_mrr')
        order by figure, account_id
        """
    ) == written(
        """
        figure     acct csms amount excess
        ending_mrr Six  6    600    3000
        ending_mrr Two  2    70     70
        lost_mrr   Same 2    -80    -80
        """
    )
    rows = contents(night.database)["csm_reconciliation_monthly"]
    assert len(rows) > 500
    assert night.shows(
        "select count(*) as off from csm_reconciliation_monthly where difference != 0"
    ) == [["off"], ["0"]]
