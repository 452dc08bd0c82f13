"""The night of the demo company: what is published and told, and what the audit holds."""

from __future__ import annotations

import shutil
import sys
from collections import Counter
from pathlib import Path

import duckdb
import pytest

from sample_data import DemoSummary
from tests.end_to_end.nights import (
    Night,
    account360,
    call,
    contents,
    parquet_contents,
    shows,
    written,
)

# What every table of CSMs has, and what two of them have with numerator and denominator.
CSM_FIGURES = """
    accounts subscription_mrr ending_mrr new_mrr expansion_mrr contraction_mrr lost_mrr
    churned_accounts churned_mrr due_accounts due_mrr renewed_accounts renewed_mrr open_mrr
    uplift_mrr alerts_closed alerts_successful affected_mrr open_tickets healthy neutral unhealthy
"""
CSM_RATES = " ".join(
    f"{rate} {rate.removesuffix('_pct')}_numerator {rate.removesuffix('_pct')}_denominator"
    for rate in (
        *("logo_churn_pct", "renewal_rate_pct", "renewal_rate_accounts_pct"),
        *("grr_1m_pct", "grr_3m_pct", "grr_12m_pct", "nrr_1m_pct", "nrr_3m_pct", "nrr_12m_pct"),
        *("nps_current", "health_mean"),
    )
)

# The readers' contract, as far as it is built: table → columns.
PROMISED = {
    "account_360": """
        account_id account_name currency tier stage industry country join_date is_churned
        churn_date churn_reason parent_account_id csm_emails csm_count subscription_mrr ending_mrr
        lifetime_revenue lifetime_payments next_renewal_date last_seen_date dau wau mau
        seconds_per_active_user product_users activity_rank nps_current nps_net nps_latest_at
        health_score health_band open_tickets open_tasks open_alerts last_touchpoint_at
        crm_data_through billing_data_through events_data_through tickets_data_through
    """,
    "account_hierarchy": "account_id descendant_account_id depth path relationship",
    "account_contacts": """
        account_id contact_id first_name last_name email title phone is_primary is_active user_id
    """,
    "account_users": """
        account_id user_id first_name last_name email contact_id first_seen_date last_seen_date
        session_seconds_30d activity_rank activity_rank_in_account rank_trend is_deactivated
    """,
    "account_timeline": """
        account_id source source_id category sub_type occurred_at subject body search_text
    """,
    "account_notes": "account_id note_id kind interaction_id body author created_at updated_at",
    "account_touchpoints": """
        account_id interaction_id type sub_type origin occurred_at contact subject description
        is_completed added_by
    """,
    "account_documents": """
        account_id document_id name kind document_type url description added_at added_by
    """,
    "account_deals": """
        account_id deal_id name stage amount currency owner created_at expected_close_date closed_at
        is_won is_open
    """,
    "account_tasks": """
        account_id task_id alert_id type title status priority assignee_email created_at due_date
        closed_at outcome age_days is_open is_overdue
    """,
    "account_goals": """
        account_id goal_id name status priority owner_email start_date due_date completed_at
        progress
    """,
    "account_alerts": """
        account_id alert_id origin rule type name status triggered_at closed_at closed_by outcome
        age_days is_open
    """,
    "account_stage_history": "account_id stage started_at ended_at",
    "account_dimensions": "account_id entity entity_id kind key label_value number_value event_at",
    "account_health_daily": "account_id day health_score health_band configuration missing_metrics",
    "account_health_components": "account_id day component weight score contribution",
    "account_metrics_daily": "account_id metric day value",
    "account_charts": "account_id chart title kind metric period value",
    "account_revenue_monthly_rollup": """
        account_id month subscription_mrr recurring_invoice_revenue non_recurring_invoice_revenue
        unclassified_invoice_revenue failed_invoice_revenue payments descendants
    """,
    "account_mrr_monthly_rollup": """
        account_id month starting_mrr new_mrr expansion_mrr contraction_mrr lost_mrr ending_mrr
        movement movement_subclass months_since_lost intra_month_mrr is_open_month
        is_provisional_loss descendants
    """,
    "account_activity_daily_rollup": """
        account_id day dau wau mau session_seconds seconds_per_active_user product_users descendants
    """,
    "account_tickets_monthly_rollup": """
        account_id month age_days_mean closed_age_days_mean open_age_days_mean opened closed
        reopened closed_tickets open_at_end time_to_close_median_days time_to_close_p90_days
        descendants
    """,
    "account_timeline_counts_rollup": "account_id month source items descendants",
    "account_revenue_monthly": """
        account_id month currency subscription_mrr recurring_invoice_revenue
        non_recurring_invoice_revenue unclassified_invoice_revenue failed_invoice_revenue payments
    """,
    "account_mrr_monthly": """
        account_id month currency starting_mrr new_mrr expansion_mrr contraction_mrr lost_mrr
        ending_mrr movement movement_subclass months_since_lost intra_month_mrr is_open_month
        is_provisional_loss
    """,
    "account_subscriptions": """
        subscription_id account_id start_date end_date expiration_date subscription_code
        billing_cycle currency monthly_amount monthly_revenue next_renewal_date is_active
    """,
    "account_invoices": """
        invoice_id account_id created_at paid_at is_failed currency recurring_amount
        non_recurring_amount unclassified_amount total_amount
    """,
    "account_renewals": """
        account_id subscription_id expiration_date due_month currency due_mrr outcome renewed_mrr
        uplift_mrr reduction_mrr
    """,
    "account_churn": "account_id churn_date churn_reason lost_mrr csm_emails",
    "account_activity_daily": """
        account_id day dau wau mau session_seconds seconds_per_active_user product_users
    """,
    "user_activity_daily": "account_id user_id day session_seconds event_count",
    "account_module_usage_30d": """
        account_id product module total_seconds seconds_per_user_per_day_used days_used users
        non_users last_used_date rank_in_account
    """,
    "account_feature_usage_30d": """
        account_id product module feature total_count count_per_user_per_day_used days_used users
        non_users last_used_date rank_in_account
    """,
    "user_module_usage_30d": """
        account_id user_id product module total_seconds days_used last_used_date
    """,
    "user_feature_usage_30d": """
        account_id user_id product module feature total_count days_used last_used_date
    """,
    "account_nps": """
        account_id nps_current nps_net responses promoters passives detractors latest_at is_stale
        nps_latest_per_user
    """,
    "account_nps_responses": """
        account_id submitted_at user_email score survey_name comment is_in_window
    """,
    "account_tickets": """
        ticket_id account_id subject status priority type created_at closed_at age_days is_open url
    """,
    "account_tickets_monthly": """
        account_id month age_days_mean closed_age_days_mean open_age_days_mean opened closed
        reopened closed_tickets open_at_end time_to_close_median_days time_to_close_p90_days
    """,
    "account_open_tickets_monthly": """
        account_id month dimension value open_at_end open_during_month
    """,
    "metric_catalog": """
        metric label description formula unit grain page published_in computed_in raw_tables
        decision
    """,
    "metric_lineage": "metric upstream upstream_kind depth",
    "column_lineage": "table_name column_name upstream_table upstream_column depth",
    "csms": "csm_email csm_name is_active can_be_assigned_accounts accounts",
    "account_csm_assignments": "account_id csm_email assigned_date unassigned_date",
    "csm_monthly": "csm_email month basis " + CSM_FIGURES + CSM_RATES,
    "portfolio_monthly": "month "
    + CSM_FIGURES
    + CSM_RATES
    + """
        gross_mrr_churn_pct gross_mrr_churn_numerator gross_mrr_churn_denominator
        unattributed_invoice_revenue unattributed_payments unattributed_events unattributed_tickets
    """,
    "csm_split_monthly": "csm_email month " + CSM_FIGURES,
    "csm_reconciliation_monthly": """
        month basis figure csm_total global_total multi_assigned_excess difference
    """,
    "csm_reconciliation_accounts": "month basis figure account_id csm_count amount excess",
    "audit_loads": "domain entity location rows_read loaded_at load_id",
    "audit_conservation": """
        domain entity records_read current_rows superseded duplicates unattributed rejected erased
        difference
    """,
    "audit_rejects": "domain entity location line reason record",
    "audit_unattributed": "domain entity location line account_id",
    "audit_source_claims": "account_id claim source_value our_value difference",
    "audit_restatements": """
        metric account_id period previous_value value previous_publish cause
    """,
    "audit_publishes": """
        publish_id as_of_date run_id code_version published_at tables rows checks_passed
        engine_version content_hash table_hashes
    """,
    "audit_rollbacks": """
        rolled_back_at rolled_back_by from_publish to_publish reason publish_id
    """,
    "audit_checks": "publish_id table_name check_name is_blocking has_passed",
}

# Table → the columns that identify a row, by which it is ordered.
KEYS = {
    "account_360": ("account_id",),
    "account_revenue_monthly": ("account_id", "month"),
    "account_mrr_monthly": ("account_id", "month"),
    "account_subscriptions": ("subscription_id", "start_date"),
    "account_invoices": ("invoice_id",),
    "audit_conservation": ("domain", "entity"),
}

MONEY, MONEY_TYPE = ("_mrr", "_revenue", "_amount", "payments"), "DECIMAL(18,4)"
FLAG = ("is_", "has_")


@pytest.fixture(scope="module")
def columns(demo_night: Night) -> dict[str, dict[str, str]]:
    """Table → column → type, as published."""
    found: dict[str, dict[str, str]] = {}
    rows = demo_night.shows(
        "select table_name, column_name, data_type from duckdb_columns() where not internal"
    )
    for table, column, kind in rows[1:]:
        found.setdefault(table, {})[column] = kind
    return found


def test_it_published(demo_night: Night) -> None:
    assert demo_night.exit_code == 0, demo_night.out + demo_night.err


@pytest.mark.parametrize("table", PROMISED)
def test_tables_have_the_promised_columns(columns: dict[str, dict[str, str]], table: str) -> None:
    missing = {*PROMISED[table].split(), "as_of_date"} - columns[table].keys()
    assert not missing


def test_types_are_what_the_names_say(columns: dict[str, dict[str, str]]) -> None:
    wrong = [
        (table, name, kind)
        for table, kinds in columns.items()
        for name, kind in kinds.items()
        if (name.startswith(FLAG) and kind != "BOOLEAN")
        or (_is_money(name) and kind != MONEY_TYPE)
        or (name.endswith("_at") and kind != "TIMESTAMP")
        or ((name.endswith("_date") or name in ("day", "month")) and kind != "DATE")
    ]
    assert not wrong


def _is_money(column: str) -> bool:
    return not column.startswith(FLAG) and column.removesuffix("_reporting").endswith(MONEY)


def test_tables_and_columns_are_described(demo_night: Night) -> None:
    assert demo_night.shows(
        """
        select table_name
        from duckdb_tables()
        where comment is null and not internal
        union all
        select concat(table_name, '.', column_name)
        from duckdb_columns()
        where comment is null and not internal
        """
    ) == [["table_name"]]


def test_every_table_is_of_the_as_of_date(
    demo_night: Night, columns: dict[str, dict[str, str]]
) -> None:
    stored = [name for (name,) in demo_night.shows("select table_name from duckdb_tables()")[1:]]
    assert len(stored) > 50
    query = " union ".join(f"select as_of_date from {table}" for table in stored)
    assert demo_night.shows(query) == [["as_of_date"], ["2024-07-01"]]


def test_parquet_and_duckdb_agree(demo_night: Night) -> None:
    tables = contents(demo_night.database, leave_out=())
    assert parquet_contents(demo_night.database, leave_out=()) == tables
    # nothing was published before it
    empty = [name for name, rows in tables.items() if not rows]
    assert empty == ["audit_restatements", "audit_rollbacks"]


@pytest.mark.parametrize("table", KEYS)
def test_rows_stand_in_key_order(demo_night: Night, table: str) -> None:
    _, *keys = demo_night.shows(f"select {', '.join(KEYS[table])} from {table}")
    assert keys == sorted(keys)
    assert len({tuple(key) for key in keys}) == len(keys)


def test_the_published_file_can_be_moved(demo_night: Night, tmp_path: Path) -> None:
    moved = tmp_path / "under another name.duckdb"
    shutil.copyfile(demo_night.database, moved)
    assert contents(moved) == contents(demo_night.database)


# --- contributions


def test_the_contributions_to_every_figure_of_every_account_and_period_add_up(
    demo_night: Night, capsys: pytest.CaptureFixture[str]
) -> None:
    """The whole history, ranks included; a night closes its months and its last full day."""
    _, *rows = demo_night.shows(
        """
        select
            metric, count(*) filter (where not closes) as open, sum(figures) as figures,
            sum(records) as records
        from metric_closure
        group by metric
        """
    )
    figures, records = (sum(int(row[place]) for row in rows) for place in (2, 3))
    left_open = {metric: int(count) for metric, count, *_ in rows if count != "0"}
    with capsys.disabled():
        print(f"\n{figures:,} figures of {len(rows)} metrics close over {records:,} records")
    assert not left_open
    assert figures > 100_000
    assert records > 100_000


def test_a_figure_does_not_close_when_a_record_of_it_changes(
    demo_night: Night, tmp_path: Path
) -> None:
    changed = tmp_path / "changed.duckdb"
    shutil.copyfile(demo_night.database, changed)
    harms = {
        "ending_mrr": "update account_subscriptions set mrr = mrr + 0.0001",
        "payments": "delete from account_invoice_lines where payment_date is not null",
        "dau": "delete from user_activity_daily",
        "nps_current": "update account_nps_responses set score = 10 - score",
        "tickets_closed": "update account_ticket_states set is_close = not is_close",
        "health_score": "update account_health_components set contribution = contribution + 1",
        "open_tasks": "insert into account_tasks from account_tasks where is_open",
    }
    with duckdb.connect(str(changed)) as connection:
        for metric, harm in harms.items():
            connection.execute(harm)
            counts = connection.execute(
                "select count(*) filter (where not closes) from metric_closure where metric = ?",
                [metric],
            ).fetchone()
            assert counts is not None
            assert counts[0] > 0, metric


def test_every_metric_has_contributions_and_every_record_the_file_it_came_in(
    demo_night: Night,
) -> None:
    assert demo_night.shows(
        """
        select catalog.metric
        from metric_catalog as catalog
        where
            starts_with(catalog.contributions, 'contributions_')
            and catalog.metric not in (select metric from metric_contributions)
        """
    ) == [["metric"]]
    assert demo_night.shows(
        """
        select distinct metric, source_table
        from metric_contributions
        where
            (contains(source_table, '.') and line is null)
            or (location is not null and location not in (select location from audit_loads))
        """
    ) == [["metric", "source_table"]]
    assert demo_night.shows(
        "select published_in from metric_catalog where starts_with(contributions, 'contributions_')"
        " and unit not in ('date', 'instant', 'class', 'flag', 'outcome')"
        " and published_in not in (select published_in from metric_figures)"
    ) == [["published_in"]]


# --- audit


def test_every_record_is_accounted_for(demo_night: Night, demo: DemoSummary) -> None:
    rows = demo_night.shows("select entity, records_read, difference from audit_conservation")[1:]
    assert {entity: int(read) for entity, read, _ in rows if entity in demo.records} == demo.records
    assert {difference for _, _, difference in rows} == {"0"}


def test_every_reject_of_the_demo_is_listed_and_no_other(
    demo_night: Night, demo: DemoSummary
) -> None:
    found = _places(demo_night, "audit_rejects", "entity != 'account_parents'")
    cases = [case for case in demo.cases if case.is_reject and case.kind[7:] != "hierarchy_cycle"]
    expected = {(case.entity, case.location, str(case.line)) for case in cases}
    delivered_twice = {place for place in found if "_redelivered" in place[1]}
    assert found - delivered_twice == expected
    assert delivered_twice <= {
        (entity, file.replace(".", "_redelivered.", 1), line) for entity, file, line in expected
    }


def test_the_hierarchy_cycle_is_broken_once(demo_night: Night, demo: DemoSummary) -> None:
    _, *rows = demo_night.shows(
        "select location, line, reason from audit_rejects where entity = 'account_parents'"
    )
    cases = demo.cases_of("reject_hierarchy_cycle")
    assert len(rows) == 1
    assert (rows[0][0], int(rows[0][1])) in {(case.location, case.line) for case in cases}
    assert all(case.key in rows[0][2] for case in cases)


def test_every_stray_of_the_demo_is_listed(demo_night: Night, demo: DemoSummary) -> None:
    found = _places(demo_night, "audit_unattributed")
    strays = [*demo.cases_of("unknown_account"), *demo.cases_of("no_account")]
    assert {(case.entity, case.location, str(case.line)) for case in strays} <= found


def test_repeated_records_are_counted(demo_night: Night, demo: DemoSummary) -> None:
    _, *rows = demo_night.shows("select entity, duplicates from audit_conservation")
    found = {entity: int(duplicates) for entity, duplicates in rows}
    repeated = Counter(case.entity for case in demo.cases_of("duplicate_record"))
    for case in demo.cases_of("file_delivered_twice"):
        sent = next(file for file in demo.files if file.location == case.location)
        repeated[case.entity] += sent.records - sent.rejects
    del repeated["events"]
    assert {entity: found[entity] for entity in repeated} == repeated
    assert found["events"] > 0


def _places(night: Night, table: str, condition: str = "true") -> set[tuple[str, ...]]:
    query = f"select entity, location, line from {table} where {condition}"
    return {tuple(row) for row in night.shows(query)[1:]}


def test_every_file_was_loaded_once(demo_night: Night, demo: DemoSummary) -> None:
    _, *rows = demo_night.shows("select location, rows_read from audit_loads")
    assert {location: int(read) for location, read in rows} == {
        file.location: file.records for file in demo.files
    }
    assert len(rows) == len(demo.files)


# --- golden tables: accounts of a special kind, by hand from their landing records

GOLDEN_MOVEMENTS = """
    acct     month      movement    subclass     since amount    ending
    ACC-1030 2022-12-01 new         new_logo     -     119.7     119.7
    ACC-1030 2023-12-01 lost        -            -     -119.7    0
    ACC-1030 2024-03-01 new         reactivation 3     392.4     392.4
    ACC-1041 2021-10-01 new         new_logo     -     448       448
    ACC-1042 2024-03-01 new         new_logo     -     97        97
    ACC-1043 2022-08-01 new         new_logo     -     169       169
    ACC-1043 2023-07-01 expansion   -            -     49        218
    ACC-1043 2024-04-01 contraction -            -     -169      49
    ACC-1044 2022-05-01 new         new_logo     -     1328      1328
    ACC-1044 2023-09-01 contraction -            -     -150      1178
    ACC-1050 2022-12-01 new         new_logo     -     1000      1000
    ACC-1050 2023-08-01 expansion   -            -     99        1099
    ACC-1050 2023-10-01 expansion   -            -     56.3333   1155.3333
    ACC-1050 2024-01-01 expansion   -            -     37.0069   1192.3402
    ACC-1052 2021-06-01 new         new_logo     -     450.5     450.5
"""


def test_movements_of_accounts_of_a_special_kind(demo_night: Night) -> None:
    """1030 lapsed and came back; 1041 had a paid trial and 1042 a free plan before; 1043 gave up
    one of two subscriptions; 1044 has a rebate; 1050 pays 24000 for two years, 297 a quarter, 52
    for four weeks and 36.50 for thirty days; 1052 changed its subscription over a month's end.
    """
    accounts = {row[0] for row in written(GOLDEN_MOVEMENTS)[1:]}
    assert demo_night.shows(
        """
        select
            account_id as acct, month, movement, movement_subclass as subclass,
            months_since_lost as since, ending_mrr - starting_mrr as amount, ending_mrr as ending
        from account_mrr_monthly
        where movement != 'none' and list_contains($accounts, account_id)
        order by account_id, month
        """,
        accounts=sorted(accounts),
    ) == written(GOLDEN_MOVEMENTS)


def test_open_month_of_accounts_of_a_special_kind(demo_night: Night) -> None:
    """1045 came and went in June; 1048 ended two days before the night, within the days of grace;
    0012 and 12 are two accounts.
    """
    assert demo_night.shows(
        """
        select
            account_id as acct, currency, starting_mrr as starting, ending_mrr as ending,
            intra_month_mrr as intra, is_provisional_loss as provisional
        from account_mrr_monthly
        where is_open_month and account_id in ('0012', '12', 'ACC-1045', 'ACC-1048')
        order by account_id
        """
    ) == written(
        """
        acct     currency starting ending   intra provisional
        0012     EUR      1598     1598     0     no
        12       EUR      243.8333 243.8333 0     no
        ACC-1045 USD      0        0        160   no
        ACC-1048 USD      115      115      0     yes
        """
    )


def test_invoices_of_an_account_of_a_special_kind(demo_night: Night) -> None:
    """1045 has one invoice, over its only term."""
    assert demo_night.shows(
        """
        select
            invoice_id as id, created_at, paid_at, recurring_amount as recurring,
            total_amount as total, lifetime_revenue as lifetime, lifetime_payments as paid
        from account_invoices
        inner join account_360 using (account_id)
        where account_id = 'ACC-1045'
        """
    ) == written(
        """
        id           created_at          paid_at             recurring total lifetime paid
        INV-1045-001 2024-06-04T22:45:19 2024-06-26T06:40:19 160       160   160      160
        """
    )


def test_merged_and_deleted_accounts_are_nowhere(
    demo_night: Night, demo: DemoSummary, columns: dict[str, dict[str, str]]
) -> None:
    gone = {
        case.key
        for kind in ("merged_account", "deleted_account")
        for case in demo.cases_of(kind)
        if case.entity == "accounts"
    }
    assert len(gone) > 4
    for table, kinds in columns.items():
        if "account_id" in kinds and not table.startswith("audit_"):
            found = demo_night.shows(f"select distinct account_id from {table}")
            assert not gone & {account for (account,) in found}, table


def test_the_account_that_appeared_in_the_last_night_is_there(
    demo_night: Night, demo: DemoSummary
) -> None:
    (case,) = demo.cases_of("account_appears_later")
    query = "select account_id, ending_mrr > 0 as pays from account_360 where account_id = $key"
    assert demo_night.shows(query, key=case.key)[1:] == [[case.key, "yes"]]


# --- CSMs


def test_csms_and_portfolio_differ_by_accounts_of_several_csms_and_nothing_else(
    demo_night: Night,
) -> None:
    """Added up here from the published rows, figure by figure, beside what the night says of it."""
    figures = [
        *CSM_FIGURES.split(),
        *(name for name in CSM_RATES.split() if name.endswith(("_numerator", "_denominator"))),
    ]
    for figure in figures:
        _, *rows = demo_night.shows(
            f"""
            select csms.month, csms.basis, csms.amount, portfolio.{figure}, excesses.excess
            from (
                select month, basis, sum({figure}) as amount from csm_monthly group by all
            ) as csms
            left join portfolio_monthly as portfolio using (month)
            left join (
                select month, basis, sum(excess) as excess
                from csm_reconciliation_accounts
                where figure = $figure
                group by all
            ) as excesses using (month, basis)
            where
                csms.amount is distinct from portfolio.{figure} + coalesce(excesses.excess, 0)
            """,
            figure=figure,
        )
        assert not rows, figure
    assert demo_night.shows(
        """
        select
            count(*) filter (where difference != 0) as differ,
            count(*) > 3000 as compared,
            count(*) filter (where multi_assigned_excess != 0) > 1000 as have_several,
            count(distinct basis) as bases
        from csm_reconciliation_monthly
        """
    ) == [["differ", "compared", "have_several", "bases"], ["0", "yes", "yes", "2"]]


# --- what people are told


def test_the_command_writes_the_demo_company(demo_home: Path, demo: DemoSummary) -> None:
    landing = demo_home / "landing"
    paths = [path for path in landing.rglob("*") if path.is_file()]
    assert {path.relative_to(landing).as_posix() for path in paths} == {
        file.location for file in demo.files
    }
    for path in paths:
        assert path.read_bytes() == (demo.landing / path.relative_to(landing)).read_bytes()


def test_progress_names_the_stations(demo_night: Night) -> None:
    for station in ("landing crm", "arrival checks of events", "dbt", "release checks", "publish"):
        assert f"{station}: done in" in demo_night.err


def test_the_summary_says_what_was_loaded_and_where_the_file_is(
    demo_night: Night, demo_home: Path, demo: DemoSummary
) -> None:
    out = demo_night.out
    assert "Night of 2024-07-01: published in" in out
    assert str(demo_home / "published" / "current" / "account360.duckdb") in out
    crm = next(line.split() for line in out.splitlines() if line.strip().startswith("crm "))
    assert int(crm[1]) == sum(file.location.startswith("crm/") for file in demo.files)
    assert "crm.deals.source_campaign" in out
    lines = [line.split() for line in out.splitlines()]
    told = {line[0].split(".")[-1]: line for line in lines if line and line[0].count(".") == 1}
    for entity, read in demo.records.items():
        assert int(told[entity][1].replace(",", "")) == read
        assert int(told[entity][-1]) <= demo.rejects[entity] + 3
    assert "Time" in out.splitlines()


def test_status_tells_of_the_publish(demo_home: Path, demo_night: Night) -> None:
    status = account360("status", "--home", demo_home)
    assert status.returncode == 0
    for part in (
        demo_night.publish_id,
        "as of                 2024-07-01",
        "events data through   2024-06-30",
        "account_mrr_monthly",
        "Last night, of 2024-07-01: published",
    ):
        assert part in status.stdout


def test_one_domain_loads_alone(demo_home: Path, demo: DemoSummary, tmp_path: Path) -> None:
    home = tmp_path / "home"
    command = (sys.executable, "-m", "ingestion", "crm", "--home", home)
    loaded = call(*command, "--landing", demo_home / "landing")
    assert loaded.returncode == 0, loaded.stdout + loaded.stderr
    assert "crm: load 1" in loaded.stdout
    raw = home / "warehouse.duckdb"
    _, *rows = shows(raw, "select entity, sum(rows_read) from raw_crm.landed_files group by 1")
    assert {entity: int(read) for entity, read in rows}.items() <= demo.records.items()
    with duckdb.connect(str(raw), read_only=True) as connection:
        schemas = connection.execute("select distinct schema_name from duckdb_tables()").fetchall()
    assert "raw_billing" not in {name for (name,) in schemas}
