"""Figures of past periods of two publishes: what differs, exactly, and nothing else."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from orchestration.comparison import write_changes
from tests.orchestration.two_publishes import CATALOG, two_publishes

JUNE_10, JUNE_20 = date(2024, 6, 10), date(2024, 6, 20)
APRIL, MAY, JUNE = date(2024, 4, 1), date(2024, 5, 1), date(2024, 6, 1)


def changes(before, after, before_as_of=JUNE_10, after_as_of=JUNE_20, **options):
    """(published_in, metric, account_id, key, period, previous, value), in order."""
    with two_publishes((before_as_of, before), (after_as_of, after), **options) as (
        connection,
        previous,
        candidate,
    ):
        write_changes(connection, previous, candidate, "changes")
        return connection.execute(
            "select published_in, metric, account_id, key, period, previous_value, value"
            " from temp.changes order by all"
        ).fetchall()


def mrr(month, amount, reporting=None, account="a"):
    return {
        "account_id": account,
        "month": month,
        "ending_mrr": amount,
        "ending_mrr_reporting": amount if reporting is None else reporting,
    }


def test_what_is_the_same_is_no_change():
    rows = {"account_mrr_monthly": [mrr(APRIL, 10), mrr(MAY, 10)]}
    assert changes(rows, rows) == []


def test_a_closed_month_counts_and_an_open_one_does_not():
    before = {"account_mrr_monthly": [mrr(MAY, 10), mrr(JUNE, 10)]}
    after = {"account_mrr_monthly": [mrr(MAY, "10.0001"), mrr(JUNE, 20)]}
    assert changes(before, after) == [
        ("account_mrr_monthly.ending_mrr", "ending_mrr", "a", None, MAY, 10, 10.0001),
        ("account_mrr_monthly.ending_mrr_reporting", "ending_mrr", "a", None, MAY, 10, 10.0001),
    ]


def test_a_month_that_was_open_then_is_no_past_month_though_it_is_closed_now():
    before = {"account_mrr_monthly": [mrr(JUNE, 10)]}
    after = {"account_mrr_monthly": [mrr(JUNE, 20)]}
    # as of the first of July the month of the last full day is still June
    assert changes(before, after, date(2024, 7, 1), date(2024, 8, 5)) == []
    assert len(changes(before, after, date(2024, 7, 2), date(2024, 8, 5))) == 2


def test_an_earlier_date_compares_what_was_past_as_of_both():
    before = {"account_mrr_monthly": [mrr(APRIL, 10), mrr(MAY, 10)]}
    after = {"account_mrr_monthly": [mrr(APRIL, 20), mrr(MAY, 20)]}
    found = changes(before, after, JUNE_20, date(2024, 5, 20))
    assert {row[4] for row in found} == {APRIL}


def test_days_count_up_to_the_last_full_day_of_the_publish_before():
    def days(value):
        return [
            {"account_id": "a", "day": JUNE_10 - timedelta(days=back), "dau": value}
            for back in (0, 1)
        ]

    found = changes({"account_activity_daily": days(1)}, {"account_activity_daily": days(2)})
    assert found == [("account_activity_daily.dau", "dau", "a", None, date(2024, 6, 9), 1, 2)]


def test_figures_appear_and_vanish():
    found = changes(
        {"account_mrr_monthly": [mrr(MAY, 10, account="gone")]},
        {"account_mrr_monthly": [mrr(MAY, 0, account="new")]},
    )
    assert [row[2:] for row in found if row[0].endswith("ending_mrr")] == [
        ("gone", None, MAY, 10, None),
        ("new", None, MAY, None, 0),
    ]


def test_a_twin_in_the_reporting_currency_changes_alone():
    found = changes(
        {"account_mrr_monthly": [mrr(MAY, 10, 11)]}, {"account_mrr_monthly": [mrr(MAY, 10, 12)]}
    )
    assert [row[0] for row in found] == ["account_mrr_monthly.ending_mrr_reporting"]


def test_further_columns_of_the_key_are_named():
    row = {"account_id": "a", "source": "email", "month": MAY}
    found = changes(
        {"account_timeline_counts": [{**row, "items": 1}]},
        {"account_timeline_counts": [{**row, "items": 2}]},
    )
    assert found == [
        ("account_timeline_counts.items", "timeline_items", "a", "source=email", MAY, 1, 2)
    ]


def test_the_portfolio_has_the_metrics_of_csms_and_the_team_of_today_is_no_past():
    def months(amount):
        return {
            "csm_monthly": [
                {"csm_email": "x@y", "basis": basis, "month": MAY, "ending_mrr": amount}
                for basis in ("as_of", "current")
            ],
            "portfolio_monthly": [{"month": MAY, "ending_mrr": amount}],
        }

    assert [row[:4] for row in changes(months(1), months(2))] == [
        ("csm_monthly.ending_mrr", "csm_ending_mrr", None, "csm_email=x@y, basis=as_of"),
        ("portfolio_monthly.ending_mrr", "csm_ending_mrr", None, None),
    ]


def test_figures_of_users_are_told_by_their_account():
    day = date(2024, 6, 1)
    user = {"account_id": "a", "user_id": "u", "day": day}
    account = {"account_id": "a", "day": day}
    found = changes(
        {
            "user_activity_daily": [{**user, "session_seconds": 1}],
            "account_activity_daily": [{**account, "session_seconds": 1}],
        },
        {
            "user_activity_daily": [{**user, "session_seconds": 2}],
            "account_activity_daily": [{**account, "session_seconds": 2}],
        },
    )
    assert [row[0] for row in found] == ["account_activity_daily.session_seconds"]


def history(first, value):
    """Health and a computed metric from `first` on, and a custom one that is kept for ever."""
    last = date(2024, 6, 9)
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return {
        "account_health_daily": [
            {"account_id": "a", "day": day, "health_score": value} for day in days
        ],
        "account_metrics_daily": [
            {"account_id": "a", "metric": "open_tickets", "day": day, "value": value}
            for day in days
        ],
    }


def test_days_that_leave_the_kept_history_are_not_restated():
    assert changes(history(date(2024, 6, 1), 1), history(date(2024, 6, 3), 1)) == []
    found = changes(history(date(2024, 6, 1), 1), history(date(2024, 6, 8), 2))
    assert [row[4].day for row in found] == [8, 9]


def test_days_of_custom_metrics_are_kept_for_ever():
    calls = {"account_id": "a", "metric": "custom:calls", "day": date(2024, 1, 1), "value": 1}
    before, after = history(date(2024, 6, 1), 1), history(date(2024, 6, 3), 1)
    before["account_metrics_daily"].append(calls)
    assert changes(before, after) == [
        ("account_metrics_daily.value", "custom:calls", "a", None, date(2024, 1, 1), 1, None)
    ]


def test_a_metric_that_was_not_computed_before_is_no_restatement():
    before = {"account_mrr_monthly": [mrr(MAY, 10)], "account_timeline_counts": []}
    after = {
        "account_mrr_monthly": [mrr(MAY, 20)],
        "account_timeline_counts": [
            {"account_id": "a", "source": "email", "month": MAY, "items": 1}
        ],
    }
    known = [name for name in CATALOG if name not in ("timeline_items", "ending_mrr")]
    assert changes(before, after, catalog=known) == []


AMOUNTS = st.none() | st.integers(-30, 30).map(lambda n: Decimal(n) / 10000)
MONTHS = st.sampled_from([date(2024, month, 1) for month in range(1, 8)])
FIGURES = st.dictionaries(st.tuples(st.sampled_from("abc"), MONTHS), AMOUNTS, max_size=12)


@settings(max_examples=60, deadline=None)
@given(before=FIGURES, after=FIGURES, last=st.sampled_from([JUNE_10, date(2024, 7, 1)]))
def test_changes_are_the_difference_of_the_two_sets_of_past_figures(before, after, last):
    def rows(figures):
        return {
            "account_mrr_monthly": [
                {"account_id": account, "month": month, "ending_mrr": amount}
                for (account, month), amount in figures.items()
            ]
        }

    expected = {
        (account, month, before.get((account, month)), after.get((account, month)))
        for account, month in before.keys() | after.keys()
        if month < JUNE and before.get((account, month)) != after.get((account, month))
    }
    found = changes(rows(before), rows(after), last, last)
    assert {(row[2], row[4], row[5], row[6]) for row in found} == {
        (account, month, *(None if value is None else float(value) for value in values))
        for account, month, *values in expected
    }
    assert len(found) == len(expected)
