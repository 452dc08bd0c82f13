"""The rows of the catalogue: from the files of the project, dbt's prose and its lineage."""

from __future__ import annotations

from typing import Any

from orchestration.metric_catalog import metric_catalog
from settings.charts import DAILY_METRICS
from tests.compiled_project import CompiledProject


def catalog(project: CompiledProject) -> dict[str, dict[str, Any]]:
    """The rows by metric."""
    table = metric_catalog(project.manifest)
    rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    return {row["metric"]: row for row in rows}


def test_a_row_says_what_a_metric_is_and_what_it_is_made_of(
    compiled_project: CompiledProject,
) -> None:
    row = catalog(compiled_project)["days_active_30d"]
    assert "raw_events.events" in row.pop("raw_tables")
    assert row == {
        "metric": "days_active_30d",
        "label": "Days active of 30",
        "description": "Days of the 30 that end with the day on which a user of the account was"
        " active, 0–30.",
        "formula": "count of days with DAU > 0 in [day − 29, day].",
        "unit": "days",
        "grain": "account_id, metric, day",
        "page": "Metrics",
        "published_in": "account_metrics_daily.value",
        "computed_in": "int_account_day__figures",
        "contributions": "contributions_metrics_page",
        "decision": None,
        "unit_tests": "days_active_are_those_with_an_active_user_of_the_30_that_end_with_the_day, "
        "usage_is_zero_without_users_and_absent_from_the_churn_date_on",
        "default_aggregation": "sum_of_last_day",
        "is_daily": True,
    }


def test_raw_tables_are_those_below_the_owner_over_all_models_between(
    compiled_project: CompiledProject,
) -> None:
    rows = catalog(compiled_project)
    assert rows["csm_score"]["raw_tables"] == "raw_crm.account_aliases, raw_crm.accounts"
    assert rows["lifetime_revenue"]["raw_tables"].startswith(
        "raw_billing.fx_rates, raw_billing.invoice_lines, raw_billing.invoices, "
    )
    assert not any("landed_files" in row["raw_tables"] for row in rows.values())


def test_daily_metrics_are_those_that_charts_may_show(compiled_project: CompiledProject) -> None:
    rows = catalog(compiled_project).values()
    assert {row["metric"] for row in rows if row["is_daily"]} == set(DAILY_METRICS)
    assert all(row["description"] and row["formula"] for row in rows)
