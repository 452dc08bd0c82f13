"""The awkward cases: every kind occurs, stands where the summary says, and is what it says."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from sample_data import Case, DemoSummary, write_demo
from sample_data.company import BILLING_STORIES, CARE_STORIES
from sample_data.contract import LAYOUTS
from sample_data.stories import STORIES
from tests.sample_data.reading import records_of, text_of

KINDS = {
    *(f"subscription_{story}" for story in BILLING_STORIES),
    "subscription_announced_end",
    *(f"csm_{story}" for story in CARE_STORIES),
    *("credit_line", "unclassified_line", "unpaid_invoice", "failed_invoice"),
    *("failed_then_paid_invoice", "late_paid_invoice", "account_without_currency"),
    *("account_appears_later", "account_came_back", "churned_account", "churn_announced"),
    *("deleted_account", "merged_account", "record_of_alias", "hierarchy", "leading_zero_id"),
    *("csm_alias", "csm_deactivated", "csm_reassigned_by_record", "contact_is_user"),
    *("user_inactive_without_date", "nps_several_by_one_user", "ticket_without_history"),
    *("reopened_ticket", "open_ticket_with_close", "late_event", "duplicate_event"),
    *("duplicate_record", "file_delivered_twice", "unknown_account", "no_account"),
    *("unknown_user", "unknown_column", "text_over_two_lines", "session_over_midnight"),
    *("session_without_sync", "event_without_session", "parallel_sessions", "event_with_id"),
    *("reject_required_missing", "reject_unparseable_value", "reject_out_of_range"),
    *("reject_end_before_start", "reject_end_equals_start", "reject_unparseable_line"),
    *("reject_line_without_invoice", "reject_alias_nowhere", "reject_alias_loop"),
    "reject_hierarchy_cycle",
}


@pytest.mark.parametrize("seed", [360, 1, 77])
def test_every_kind_of_case_occurs_at_any_seed(tmp_path: Path, seed: int) -> None:
    summary = write_demo(tmp_path, seed=seed, scale=0.2)
    assert set(summary.case_counts) == KINDS


def test_every_story_is_told() -> None:
    assert set(STORIES) == {*BILLING_STORIES, "announced_end"}


def _line(demo: DemoSummary, case: Case) -> str:
    path = demo.landing / case.location
    if path.name.endswith(".parquet"):
        return json.dumps(pq.read_table(path).slice(case.line - 1, 1).to_pylist()[0], default=str)
    return text_of(path).split("\n")[case.line - 1]


def test_cases_stand_where_the_summary_says(full_demo: DemoSummary) -> None:
    checked = 0
    for case in full_demo.cases:
        if case.line is None or len(LAYOUTS[case.entity].key) == 0:
            continue
        line = _line(full_demo, case)
        parts = [part for part in case.key.split() if ":" not in part]
        assert all(part in line for part in parts[:2]), (case, line)
        checked += 1
    assert checked > 200


def test_every_awkward_instant_style_occurs(demo: DemoSummary) -> None:
    text = "".join(
        text_of(demo.landing / file.location)
        for file in demo.files
        if not file.location.endswith(".parquet")
    )
    for sample in ('"created_at": 17', "+02:00", "-08:00", "+05:30", "Z,"):
        assert sample in text
    bare = [
        record["updated_at"]
        for record in records_of(demo.landing / "billing/invoices/2024-06-24-history.csv.gz")
        if record["updated_at"][-1] != "Z" and record["updated_at"][-6] not in "+-"
    ]
    assert bare


def test_no_amount_shows_a_float(demo: DemoSummary) -> None:
    for entity, column in (("invoice_lines", "amount"), ("accounts", "current_mrr")):
        for file in demo.files:
            if file.entity == entity:
                for record in records_of(demo.landing / file.location):
                    digits = str(record.get(column) or "0").rpartition(".")[2]
                    assert (
                        len(digits) <= 2
                        or record[column] == "n/a"
                        or "." not in str(record[column])
                    )


def _accounts(demo: DemoSummary) -> dict[str, list[dict]]:
    found: dict[str, list[dict]] = {}
    for file in demo.files:
        if file.entity == "accounts":
            for record in records_of(demo.landing / file.location):
                found.setdefault(record["account_id"], []).append(record)
    return found


def test_the_hierarchy_has_three_levels_and_labels(demo: DemoSummary) -> None:
    accounts = {key: versions[-1] for key, versions in _accounts(demo).items()}
    parents = {key: each.get("parent_account_id") for key, each in accounts.items()}
    leaves = [key for key in parents if parents.get(parents.get(key)) in accounts]
    top = [key for key in leaves if parents.get(parents[parents[key]]) is None]
    assert top
    assert all(accounts[key]["hierarchy_label"] for key in top)


def test_csm_lists_hold_none_to_six(demo: DemoSummary) -> None:
    sizes = {
        len({csm["email"] for csm in version.get("assigned_csms", [])})
        for versions in _accounts(demo).values()
        for version in versions
    }
    assert {0, 1, 2, 3, 6} <= sizes


def test_an_account_that_is_at_first_unknown_has_earlier_facts(demo: DemoSummary) -> None:
    (case,) = demo.cases_of("account_appears_later")
    assert "2024-06-28" in case.location
    account = case.key
    history = pq.read_table(demo.landing / "events/events/2024-06-24-history.parquet")
    assert account in history["account_id"].to_pylist()


def test_aliases_lead_to_accounts_except_the_rejected(demo: DemoSummary) -> None:
    accounts = set(_accounts(demo))
    aliases = {
        record["old_account_id"]: record["account_id"]
        for file in demo.files
        if file.entity == "account_aliases"
        for record in records_of(demo.landing / file.location)
    }
    lost = set()
    lengths = []
    for old in aliases:
        seen, at = [old], aliases[old]
        while at in aliases and at not in seen:
            seen.append(at)
            at = aliases[at]
        lengths.append(len(seen))
        if at in aliases or at not in accounts:
            lost.add(old)
    bad = [*demo.cases_of("reject_alias_nowhere"), *demo.cases_of("reject_alias_loop")]
    assert lost == {case.key for case in bad if case.entity == "account_aliases"}
    assert max(lengths) >= 3, "no chain of merged accounts"


def test_rates_cover_every_day_that_needs_one(demo: DemoSummary) -> None:
    folder = demo.landing / "billing"
    rates = [
        date.fromisoformat(record["rate_date"])
        for file in demo.files
        if file.entity == "fx_rates"
        for record in records_of(demo.landing / file.location)
    ]
    first = duckdb.sql(
        f"select min(start_date) from read_parquet('{folder}/subscriptions/*.parquet')"
    ).fetchone()
    assert min(rates) <= first[0]
    gaps = [(b - a).days for a, b in zip(sorted(set(rates)), sorted(set(rates))[1:], strict=False)]
    assert max(gaps) <= 3


def test_the_events_look_like_a_business(full_demo: DemoSummary) -> None:
    path = full_demo.landing / "events/events/2024-06-24-history.parquet"
    workdays, weekends = duckdb.sql(
        f"""
        select
            avg(users) filter (isodow(day) < 6),
            avg(users) filter (isodow(day) > 5),
        from (
            select
                cast(make_timestamp(created_at * 1000) as date) as day,
                count(distinct user_id) as users,
            from '{path}'
            group by 1
        )
        """
    ).fetchone()
    assert workdays > 5 * weekends > 0


def test_synced_time_never_exceeds_what_passed(full_demo: DemoSummary) -> None:
    path = full_demo.landing / "events/events/2024-06-24-history.parquet"
    (wrong,) = duckdb.sql(
        f"""
        select count(*)
        from (
            select
                active_duration,
                created_at - lag(created_at) over (
                    partition by session_id order by created_at
                ) as passed,
            from (select distinct * from '{path}' where action = 'sessionSync')
        )
        where active_duration <= 0 or active_duration > passed
        """
    ).fetchone()
    assert wrong == 0
