"""The lineage of the project: kept as its models have it, whole, and true where a hand can tell."""

from __future__ import annotations

from datetime import date
from typing import Any

import duckdb
import pytest

from ingestion.tables import contract_tables
from orchestration.column_lineage import column_edges
from orchestration.lineage import (
    COLUMN_EDGES,
    Column,
    ColumnEdges,
    column_edges_text,
    read_column_edges,
)
from orchestration.lineage_page import PAGE, page
from tests.compiled_project import CompiledProject, InMemoryWarehouse

# Published columns that are made of nothing that landed or was set, and why.
_SAID_BY_MODEL = "the model says which of its parts a row comes from"
_COUNTED = "the steps of a recursion are counted"
CONSTANTS = {
    "account_alerts.origin": _SAID_BY_MODEL,
    "account_dimensions.entity": _SAID_BY_MODEL,
    "account_dimensions.kind": _SAID_BY_MODEL,
    "account_hierarchy.depth": _COUNTED,
    "account_timeline.source": _SAID_BY_MODEL,
    "account_timeline_counts.source": _SAID_BY_MODEL,
    "account_timeline_counts_rollup.source": _SAID_BY_MODEL,
    "column_lineage.depth": _COUNTED,
    "metric_lineage.depth": _COUNTED,
    "audit_conservation.domain": _SAID_BY_MODEL,
    "audit_conservation.entity": _SAID_BY_MODEL,
    "audit_loads.domain": _SAID_BY_MODEL,
    "audit_rejects.domain": _SAID_BY_MODEL,
    "audit_source_claims.claim": _SAID_BY_MODEL,
    "audit_tombstones.domain": _SAID_BY_MODEL,
    "audit_tombstones.entity": _SAID_BY_MODEL,
    "audit_unattributed.domain": _SAID_BY_MODEL,
    "audit_unattributed.entity": _SAID_BY_MODEL,
    "csm_monthly.basis": _SAID_BY_MODEL,
    "csm_reconciliation_accounts.basis": _SAID_BY_MODEL,
    "csm_reconciliation_monthly.basis": _SAID_BY_MODEL,
}
# What views over published tables say of their rows: which figure, which part, which records.
SAID_BY_VIEWS = {
    "metric", "item", "published_in", "contributions", "part", "source_table", "location", "line",
    "amount_reporting", "factor", "is_rounded",
}  # fmt: skip

# Published column → columns that landed or were set, of which it is made and of which it is not, as
# somebody who knows the definition would name them.
BY_HAND = {
    "account_360.account_name": ("raw_crm.accounts.name", "raw_crm.accounts.tier"),
    "account_360.subscription_mrr": (
        "raw_billing.subscriptions.total_revenue raw_billing.subscriptions.cycle_length"
        " raw_billing.subscriptions.cycle_unit raw_billing.subscriptions.start_date"
        " raw_billing.subscriptions.end_date raw_billing.subscriptions.expiration_date"
        " raw_billing.subscriptions.plan_code run.settings.grace_days"
        " run.settings.trial_plan_codes",
        "raw_billing.invoice_lines.amount raw_events.events.created_at raw_crm.accounts.name",
    ),
    "account_mrr_monthly.lost_mrr": (
        "raw_billing.subscriptions.total_revenue raw_billing.subscriptions.end_date"
        " run.settings.grace_days",
        "raw_crm.accounts.inactive_time raw_billing.invoice_lines.amount",
    ),
    "account_mrr_monthly.lost_mrr_reporting": (
        "raw_billing.subscriptions.total_revenue raw_billing.fx_rates.rate"
        " raw_billing.subscriptions.currency run.settings.reporting_currency",
        "raw_billing.invoice_lines.amount",
    ),
    "account_revenue_monthly.payments": (
        "raw_billing.invoice_lines.amount",
        "raw_billing.subscriptions.total_revenue",
    ),
    "account_users.last_seen_date": (
        "raw_events.events.created_at run.settings.reporting_time_zone",
        "raw_crm.users.product_join_date raw_events.events.total",
    ),
    "account_activity_daily.session_seconds": (
        "raw_events.events.active_duration raw_events.events.created_at"
        " run.settings.session_timeout_minutes",
        "raw_events.events.total raw_crm.users.email",
    ),
    "account_module_usage_30d.total_seconds": (
        "raw_events.events.time_spent",
        "raw_events.events.active_duration raw_events.events.total",
    ),
    "account_feature_usage_30d.total_count": (
        "raw_events.events.total",
        "raw_events.events.time_spent",
    ),
    "account_nps.nps_current": (
        "raw_crm.nps_responses.score",
        "raw_crm.accounts.current_nps_score raw_crm.accounts.csm_score",
    ),
    "account_tickets_monthly.opened": (
        "raw_tickets.tickets.ticket_id raw_tickets.tickets.created_at",
        "raw_tickets.tickets.subject",
    ),
    "account_health_daily.health_score": (
        "run.health_metrics.weight run.health_metrics.min_value raw_crm.nps_responses.score",
        "raw_crm.accounts.current_health_score",
    ),
    "metric_catalog.formula": ("run.metric_catalog.formula", "raw_crm.accounts.name"),
}


@pytest.fixture(scope="module")
def edges(compiled_project: CompiledProject) -> ColumnEdges:
    return column_edges(compiled_project.first_night.manifest)


@pytest.fixture(scope="module")
def lineage(compiled_project: CompiledProject) -> InMemoryWarehouse:
    """A warehouse with both tables, in which the source has recorded a metric of its own."""
    warehouse = compiled_project.warehouse()
    warehouse.set_inputs(date(2024, 6, 10))
    warehouse.build("metric_lineage", "column_lineage")
    warehouse.give(
        "stg_canonical__account_metrics",
        "account_id varchar, metric varchar",
        [{"account_id": "a", "metric": "calls"}],
    )
    for name in ("int_metric__catalog", "int_metric__lineage", "metric_lineage"):
        warehouse.build_only(name)
    return warehouse


@pytest.fixture(scope="module")
def published(lineage: InMemoryWarehouse) -> dict[str, dict[str, int]]:
    """Published column → what it is made of, in steps."""
    found: dict[str, dict[str, int]] = {}
    for row in lineage.rows("column_lineage"):
        upstream = found.setdefault(f"{row['table_name']}.{row['column_name']}", {})
        upstream[f"{row['upstream_table']}.{row['upstream_column']}"] = row["depth"]
    return found


def published_columns(project: CompiledProject) -> set[str]:
    """Every column of every contract."""
    return {
        f"{name}.{column}"
        for name, node in project.models.items()
        if node["fqn"][1] == "published"
        for column in node["columns"]
    }


def test_the_edges_that_are_kept_are_what_the_models_say(edges: ColumnEdges) -> None:
    kept = COLUMN_EDGES.read_text("utf-8")
    assert column_edges_text(edges) == kept, f"{COLUMN_EDGES} is behind: make docs"
    assert read_column_edges() == edges


def test_the_page_is_what_the_edges_say(
    compiled_project: CompiledProject, edges: ColumnEdges
) -> None:
    expected = page(compiled_project.first_night.manifest, edges)
    assert PAGE.read_text("utf-8") == expected, f"{PAGE} is behind: make docs"


def test_the_page_works_without_a_network() -> None:
    text = PAGE.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")
    asked = [
        word
        for word in ("http:", "https:", "src=", "href=", "import", "fetch(", "url(")
        if word in text.split('<script id="data"')[0] + text.rsplit("<script>", 1)[1]
    ]
    assert not asked
    assert len(text) < 500_000


def test_every_column_that_the_engine_made_is_followed(
    compiled_project: CompiledProject, edges: ColumnEdges
) -> None:
    warehouse = compiled_project.manifest_path.with_name("warehouse.duckdb")
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        made = connection.execute(
            "select table_name, column_name from duckdb_columns() where schema_name = any(?)",
            [["utilities", "staging", "intermediate", "marts", "published"]],
        ).fetchall()
    assert made
    assert {Column(*row) for row in made} == edges.keys()


def test_edges_lead_to_columns_of_tables_that_the_model_selects_from(
    compiled_project: CompiledProject, edges: ColumnEdges
) -> None:
    project = compiled_project.first_night
    reads = {
        name: {key.split(".", 2)[2] for key in node["depends_on"]["nodes"]}
        for name, node in project.models.items()
    }
    for column, made_of in edges.items():
        for upstream in made_of:
            assert upstream.table in reads[column.table], f"{column} of {upstream}"
            schema, _, name = upstream.table.partition(".")
            if not name:
                assert upstream in edges, f"{column} of {upstream}"
            elif schema.startswith("raw_"):
                columns = contract_tables(schema.removeprefix("raw_"))[name]
                assert upstream.column in columns, f"{column} of {upstream}"


def test_every_published_column_leads_to_what_landed_or_was_set(
    compiled_project: CompiledProject, published: dict[str, dict[str, int]]
) -> None:
    without = {
        column
        for column in published_columns(compiled_project)
        if not any(one.startswith(("raw_", "run.")) for one in published.get(column, {}))
    }
    of_views = {
        column
        for column in without
        if column.startswith(("contributions_", "metric_contributions.", "metric_figures."))
        and column.partition(".")[2] in SAID_BY_VIEWS
    }
    assert without - of_views == CONSTANTS.keys()


@pytest.mark.parametrize("column", BY_HAND)
def test_a_column_is_made_of_what_its_definition_names(
    published: dict[str, dict[str, int]], column: str
) -> None:
    these, not_those = (set(columns.split()) for columns in BY_HAND[column])
    assert these <= published[column].keys()
    assert not not_those & published[column].keys()


def test_depth_is_the_number_of_steps(published: dict[str, dict[str, int]]) -> None:
    steps = published["account_360.account_name"]
    assert steps == {
        "fct_accounts.account_name": 1,
        "dim_accounts.account_name": 2,
    } | {one: depth for one, depth in steps.items() if depth > 2}
    assert steps["raw_crm.accounts.name"] == max(steps.values())


def test_every_metric_leads_from_its_owner_to_records_that_landed(
    compiled_project: CompiledProject, lineage: InMemoryWarehouse
) -> None:
    reached: dict[str, dict[str, tuple[str, int]]] = {}
    for row in lineage.rows("metric_lineage"):
        reached.setdefault(row["metric"], {})[row["upstream"]] = (
            row["upstream_kind"],
            row["depth"],
        )
    catalog = lineage.rows("int_metric__catalog", "metric, computed_in, raw_tables")
    assert reached.keys() == {row["metric"] for row in catalog}
    for row in catalog:
        upstream = reached[row["metric"]]
        assert upstream[row["computed_in"]] == ("model", 1), row["metric"]
        assert sorted(upstream) == sorted(
            {*compiled_project.lineage([row["computed_in"]]), *sources(upstream)}
        )
        # the catalogue finds them on a way of its own
        landed = {one for one in sources(upstream) if not is_ledger(one) and one[:4] == "raw_"}
        assert landed == set(row["raw_tables"].split(", ")), row["metric"]
        assert landed, row["metric"]


def test_a_metric_of_the_source_leads_to_its_records(lineage: InMemoryWarehouse) -> None:
    rows = lineage.rows("metric_lineage", "metric, upstream, depth")
    custom = {row["upstream"]: row["depth"] for row in rows if row["metric"] == "custom:calls"}
    assert custom["stg_canonical__account_metrics"] == 1
    assert custom["stg_native__account_metrics"] == 2
    assert custom["raw_crm.account_metrics"] == 3


def sources(upstream: dict[str, Any]) -> set[str]:
    return {name for name, (kind, _) in upstream.items() if kind == "source"}


def is_ledger(table: str) -> bool:
    return table.endswith((".landed_files", ".unparsed_lines"))


# Who stands on what


def test_every_published_table_is_on_a_page_or_is_audit(compiled_project: CompiledProject) -> None:
    exposures = compiled_project.manifest["exposures"].values()
    shown = {
        key.rsplit(".", 1)[1] for exposure in exposures for key in exposure["depends_on"]["nodes"]
    }
    tables = {column.split(".")[0] for column in published_columns(compiled_project)}
    audit = {"metric_lineage", "column_lineage"}
    audit |= {"metric_contributions", "metric_figures", "metric_closure"}
    audit |= {table for table in tables if table.startswith("contributions_")}
    audit |= {table for table in tables if table.startswith("audit_")}
    assert shown <= tables, f"no published table: {shown - tables}"
    assert tables - audit == shown - audit, f"on no page: {tables - audit - shown}"


def test_a_page_says_what_it_is_and_who_answers_for_it(compiled_project: CompiledProject) -> None:
    for exposure in compiled_project.manifest["exposures"].values():
        assert exposure["label"], exposure["name"]
        assert exposure["description"], exposure["name"]
        assert exposure["maturity"], exposure["name"]
        assert exposure["owner"]["name"], exposure["name"]
        assert exposure["type"] == "dashboard", exposure["name"]
