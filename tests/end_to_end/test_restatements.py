"""What a second night says of the first: a late invoice, a changed subscription, a deleted account
and another definition of health restate what they should, with their cause, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.end_to_end.nights import Home, Night, account360, records, written

pytestmark = pytest.mark.slow

AS_OF = "2024-06-10"

FIRST = {
    "crm/accounts/2024-06-01.jsonl": records(
        """
        account_id name  join_date  parent_account_id csm_score
        late       Late  2024-04-01 -                 -
        parent     Paul  2024-05-01 -                 -
        sub        Sub   2024-04-01 parent            -
        gone       Gone  2024-05-01 -                 -
        scored     Scott 2024-05-01 -                 40
        calm       Calm  2024-04-01 -                 -
        """
    ),
    "billing/subscriptions/2024-06-01.csv": records(
        """
        subscription_id account_id start_date cycle_length cycle_unit total_revenue
        s-sub           sub        2024-04-01 12           month      1200
        s-gone          gone       2024-05-01 1            month      30
        s-calm          calm       2024-04-01 1            month      50
        """
    ),
}
LATE = {
    "billing/invoices/2024-06-08.csv": records(
        """
        invoice_id account_id created_at           paid_at
        i-late     late       2024-04-10T08:00:00Z 2024-05-02T08:00:00Z
        """
    ),
    "billing/invoice_lines/2024-06-08.csv": records(
        """
        invoice_id line_number amount is_recurring
        i-late     1           500    true
        """
    ),
    "billing/subscriptions/2024-06-09.csv": records(
        """
        subscription_id account_id start_date cycle_length cycle_unit total_revenue
        s-sub           sub        2024-04-01 12           month      2400
        s-calm          calm       2024-04-01 1            month      50
        """
    ),
    "crm/accounts/2024-06-09.jsonl": records(
        """
        account_id name join_date  is_deleted current_mrr
        gone       Gone 2024-05-01 true       30
        calm       Calm 2024-04-01 -          75
        """
    ),
}
HEALTH = """
[[configurations]]
name = "All"
rank = 1
[[configurations.components]]
name = "Score"
weight = 1
metrics = [{{ subject = "csm_score", min = 0, max = {best} }}]
"""


@dataclass(frozen=True)
class Story:
    """Two nights of the same date, and the home they were run in."""

    first: Night
    second: Night
    home: Path


@pytest.fixture(scope="module")
def story(empty_home: Callable[[], Home], tmp_path_factory: pytest.TempPathFactory) -> Story:
    home = empty_home()
    health = tmp_path_factory.mktemp("settings") / "health.toml"
    settings = {"health_file": health, "metric_history_days": 3}
    home.land(FIRST)
    health.write_text(HEALTH.format(best=100))
    first = home.night(AS_OF, **settings)
    home.land(LATE)
    health.write_text(HEALTH.format(best=50))
    return Story(first, home.night(AS_OF, **settings), home.path)


def test_both_nights_published(story: Story) -> None:
    assert [story.first.exit_code, story.second.exit_code] == [0, 0], (
        story.first.out + story.second.out
    )


RESTATED = """
select
    published_in,
    count(*) as n,
    min(period) as first,
    max(period) as last,
    min(previous_value)::integer as was,
    min(value)::integer as now
from audit_restatements
where account_id = $account and published_in not like '%_reporting'
group by all
order by published_in
"""
CAUSES = "select distinct cause from audit_restatements where account_id = $account order by cause"


def restated(story: Story, account: str) -> list[list[str]]:
    """What was restated of an account in its own currency, by published column."""
    return story.second.shows(RESTATED, account=account)


def causes(story: Story, account: str) -> list[str]:
    """The causes of all that was restated of an account."""
    return [cause for (cause,) in story.second.shows(CAUSES, account=account)[1:]]


def test_a_first_publish_restates_nothing(story: Story) -> None:
    assert story.first.shows("select count(*) as n from audit_restatements") == [["n"], ["0"]]


def test_a_late_invoice_restates_the_months_it_was_made_and_paid_in(story: Story) -> None:
    assert restated(story, "late") == written(
        """
        published_in                                             n first      last       was now
        account_revenue_monthly.payments                         1 2024-05-01 2024-05-01 0   500
        account_revenue_monthly.recurring_invoice_revenue        1 2024-04-01 2024-04-01 0   500
        account_revenue_monthly_rollup.payments                  1 2024-05-01 2024-05-01 0   500
        account_revenue_monthly_rollup.recurring_invoice_revenue 1 2024-04-01 2024-04-01 0   500
        """
    )
    assert causes(story, "late") == [
        "billing.invoice_lines i-late 1 appeared, billing/invoice_lines/2024-06-08.csv line 2; "
        "billing.invoices i-late appeared, billing/invoices/2024-06-08.csv line 2"
    ]


def test_a_changed_subscription_restates_mrr_from_its_start_on(story: Story) -> None:
    """The record beside it in the same file says what it said before."""
    assert restated(story, "sub") == written(
        """
        published_in                                    n first      last       was now
        account_metrics_daily.value                     3 2024-06-07 2024-06-09 100 200
        account_mrr_monthly.ending_mrr                  2 2024-04-01 2024-05-01 100 200
        account_mrr_monthly.new_mrr                     1 2024-04-01 2024-04-01 100 200
        account_mrr_monthly.starting_mrr                1 2024-05-01 2024-05-01 100 200
        account_mrr_monthly_rollup.ending_mrr           2 2024-04-01 2024-05-01 100 200
        account_mrr_monthly_rollup.new_mrr              1 2024-04-01 2024-04-01 100 200
        account_mrr_monthly_rollup.starting_mrr         1 2024-05-01 2024-05-01 100 200
        account_revenue_monthly.subscription_mrr        2 2024-04-01 2024-05-01 100 200
        account_revenue_monthly_rollup.subscription_mrr 2 2024-04-01 2024-05-01 100 200
        """
    )
    assert causes(story, "sub") == [
        "billing.subscriptions s-sub 2024-04-01 changed (total_revenue 1200.0000 → 2400.0000), "
        "billing/subscriptions/2024-06-09.csv line 2"
    ]


def test_a_parent_is_restated_with_its_descendants_only(story: Story) -> None:
    assert restated(story, "parent") == written(
        """
        published_in                                    n first      last       was now
        account_mrr_monthly_rollup.ending_mrr           2 2024-04-01 2024-05-01 100 200
        account_mrr_monthly_rollup.new_mrr              1 2024-04-01 2024-04-01 100 200
        account_mrr_monthly_rollup.starting_mrr         1 2024-05-01 2024-05-01 100 200
        account_revenue_monthly_rollup.subscription_mrr 2 2024-04-01 2024-05-01 100 200
        """
    )
    (cause,) = causes(story, "parent")
    assert cause.startswith("billing.subscriptions sub: s-sub 2024-04-01 changed")


def test_all_figures_of_a_deleted_account_vanish(story: Story) -> None:
    assert causes(story, "gone") == [
        "crm.accounts gone vanished, crm/accounts/2024-06-09.jsonl line 1"
    ]
    query = "select count(value), count(*) > 100 from audit_restatements where account_id = 'gone'"
    assert story.second.shows(query)[1:] == [["0", "yes"]]
    mrr = [row for row in restated(story, "gone") if row[0] == "account_mrr_monthly.ending_mrr"]
    assert mrr == [["account_mrr_monthly.ending_mrr", "1", "2024-05-01", "2024-05-01", "30", "-"]]


def test_another_definition_of_health_restates_health_and_nothing_else(story: Story) -> None:
    assert restated(story, "scored") == written(
        """
        published_in                           n first      last       was now
        account_health_components.contribution 3 2024-06-07 2024-06-09 40  80
        account_health_components.score        3 2024-06-07 2024-06-09 40  80
        account_health_daily.health_score      3 2024-06-07 2024-06-09 40  80
        """
    )
    assert causes(story, "scored") == ["settings in health_metrics changed"]


def test_who_was_not_touched_is_not_restated(story: Story) -> None:
    """Its record came again, with another claim of the source."""
    accounts = "select distinct account_id from audit_restatements order by account_id nulls last"
    assert story.second.shows(accounts)[1:] == [
        [account] for account in ("gone", "late", "parent", "scored", "sub", "-")
    ]


def test_the_portfolio_names_the_records_of_all_accounts(story: Story) -> None:
    query = """
        select period, previous_value, value, cause from audit_restatements
        where published_in = 'portfolio_monthly.ending_mrr' order by period
    """
    cause = (
        "billing.subscriptions sub: s-sub 2024-04-01 changed (total_revenue 1200.0000 → "
        "2400.0000), billing/subscriptions/2024-06-09.csv line 2; "
        "crm.accounts gone vanished, crm/accounts/2024-06-09.jsonl line 1"
    )
    assert story.second.shows(query)[1:] == [
        ["2024-04-01", "150.0", "250.0", cause],
        ["2024-05-01", "180.0", "250.0", cause],
    ]


def test_every_cause_is_told_and_names_the_publish_compared_with(story: Story) -> None:
    query = """
        select
            count(*) filter (where cause is null or cause like 'cannot be told%'),
            any_value(previous_publish), count(distinct previous_publish)
        from audit_restatements
    """
    assert story.second.shows(query)[1:] == [["0", story.first.publish_id, "1"]]


def test_claims_of_the_source_stand_beside_our_figures(story: Story) -> None:
    assert story.second.shows(
        "select account_id, claim, source_value, our_value, difference, cause"
        " from audit_source_claims"
    ) == [
        ["account_id", "claim", "source_value", "our_value", "difference", "cause"],
        ["calm", "current_mrr", "75.0", "50.0", "-25.0", "unknown"],
    ]


# --- account360 diff


def test_diff_tells_the_same_of_the_two_publishes(story: Story) -> None:
    said = account360("diff", "--home", story.home, "--json", "--limit", 1000)
    assert said.returncode == 0, said.stderr
    told = json.loads(said.stdout)
    assert told["before"]["publish_id"] == story.first.publish_id
    assert told["after"]["publish_id"] == story.second.publish_id
    assert told["schema"] == []
    assert [one["name"] for one in told["definitions"]] == ["health_metrics"]
    invoices = next(one for one in told["rows"] if one["table"] == "account_invoices")
    assert (invoices["added"], invoices["removed"], invoices["changed"]) == (1, 0, 0)
    listed = sorted(
        [one["published_in"], str(figure["account_id"]), figure["period"], figure["cause"]]
        for one in told["figures"]
        for figure in one["biggest"]
    )
    query = "select published_in, account_id::varchar, period, cause from audit_restatements"
    recorded = story.second.shows(query)[1:]
    assert listed == sorted(
        [column, "None" if account == "-" else account, period, cause]
        for column, account, period, cause in recorded
    )


def test_diff_is_read_by_a_person(story: Story) -> None:
    said = account360("diff", story.first.publish_id, "current", "--home", story.home, "--limit", 1)
    assert said.returncode == 0, said.stderr
    assert "account_revenue_monthly.payments (payments): 2 changed of 2 accounts" in said.stdout
    assert "setting health_metrics" in said.stdout


def test_diff_of_an_unknown_publish_names_those_that_are_kept(story: Story) -> None:
    asked = story.first.publish_id[:-2] + "xx"
    said = account360("diff", asked, "current", "--home", story.home)
    assert said.returncode == 2
    assert f"did you mean {story.first.publish_id}?" in said.stderr
    assert story.second.publish_id in said.stderr
