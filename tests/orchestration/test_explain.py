"""What `account360 explain` finds in a published file, refuses, and says of what it cannot know."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from orchestration import cli
from orchestration.explain import (
    Choice,
    Definition,
    ExplainError,
    Explanation,
    Question,
    events,
    open_publish,
    shown,
)
from settings import Settings

PUBLISH_ID = "2024-06-10_20240610T030000Z_run00001"

# metric → unit, grain, published_in, formula, owner, daily
METRICS = {
    "payments": "money|account_id, month|account_months.payments|Σ amount by month.|int_months|",
    "movement": "money|account_id, month|account_months.movement|ending_mrr − starting_mrr where"
    " starting_mrr > 0.|int_months|",
    "nps_net": "percent|account_id|account_nps.nps_net|100 · (promoters − detractors) / responses;"
    " none without responses.|int_nps|",
    "responses": "responses|account_id|account_nps.responses|count of responses.|int_nps|",
    "module_time": "seconds|account_id, product, module|account_modules.total_seconds|Σ time.|"
    "int_modules|",
    "dau": "users|account_id, day|account_days.dau|count of users of the day.|int_days|daily",
    "ending_mrr": "money|account_id, month|account_months.ending_mrr|Σ mrr.|int_months|daily",
    "open_share": "percent|account_id, metric, day|account_metrics_daily.value|100 × open / all.|"
    "int_days|daily",
    "csm_grr_pct": "percent|csm_email, month, basis|csm_monthly.grr_pct|100 · Σ then / Σ now.|"
    "fct_csm_months|",
}

TABLES = """
create table account_360 as from (values
    ('A-1', 'Blue Solar', 'EUR'), ('A-2', 'Red Wind', 'USD')
) as accounts (account_id, account_name, currency);

create table account_mrr_monthly_rollup as select 'USD' as currency;

create table account_months as
select
    account_id, 'EUR' as currency, month::date as month, payments::decimal(18, 4) as payments,
    (payments * 2)::decimal(18, 4) as payments_reporting, -5::decimal(18, 4) as movement,
    10::decimal(18, 4) as starting_mrr, 5::decimal(18, 4) as ending_mrr
from (values
    ('A-1', '2024-04-01', 10), ('A-1', '2024-05-01', 40.5), ('A-1', '2024-06-01', 0)
) as months (account_id, month, payments);

create table account_nps as
select
    'A-1' as account_id, 100 / 3 as nps_net, 2 as promoters, 1 as detractors, 3 as responses;

create table account_modules as from (values
    ('A-1', 'Core', 'Plan', 90.0), ('A-1', 'Core', 'Ship', 30.0), ('A-1', 'App', 'Plan', 1.5)
) as modules (account_id, product, module, total_seconds);

create table account_days as from (values
    ('A-1', date '2024-06-08', 1), ('A-1', date '2024-06-09', 2)
) as days (account_id, day, dau);

create table user_activity_daily as from (values
    ('A-1', 'ann', date '2024-06-09', 2, 60.5), ('A-1', 'bob b', date '2024-06-09', 1, null)
) as days (account_id, user_id, day, event_count, session_seconds);

create table user_module_usage_daily as from (values
    ('A-1', 'ann', 'Core', 'Plan', date '2024-06-09', 90.0),
    ('A-1', 'ann', 'Core', 'Ship', date '2024-06-09', 30.0)
) as days (account_id, user_id, product, module, day, total_seconds);

create table account_invoice_lines as from (values
    ('A-1', 'I-1', 1, 0.5, 'EUR', date '2024-04-30', date '2024-05-02', true),
    ('A-1', 'I-1', 2, 40, 'EUR', date '2024-04-30', date '2024-05-02', null)
) as lines (
    account_id, invoice_id, line_number, amount, currency, created_date, payment_date, is_recurring
);

create table account_metrics_daily as from (values
    ('A-1', 'ending_mrr', date '2024-06-01', 7.5), ('A-1', 'open_share', date '2024-06-09', 25.0)
) as days (account_id, metric, day, value);

create table csm_monthly as from (values
    ('ann@x', date '2024-06-01', 'as_of', 50.0, 5, 10),
    ('ann@x', date '2024-06-01', 'current', 60.0, 6, 10),
    ('bob@x', date '2024-06-01', 'as_of', null, 0, 0)
) as csms (csm_email, month, basis, grr_pct, grr_numerator, grr_denominator);

create table metric_lineage as from (values
    ('payments', 'int_months', 'model', 1), ('payments', 'stg_lines', 'model', 2),
    ('payments', 'raw_billing.lines', 'source', 3),
    ('payments', 'raw_billing.landed_files', 'source', 3)
) as steps (metric, upstream, upstream_kind, depth);

create table column_lineage as from (values
    ('account_months', 'payments', 'fct_months', 'payments', 'model', 1),
    ('account_months', 'payments', 'int_months', 'paid', 'model', 2),
    ('account_months', 'payments', 'stg_lines', 'amount', 'model', 3),
    ('account_months', 'payments', 'raw_billing.lines', 'amount', 'source', 4)
) as edges (table_name, column_name, upstream_table, upstream_column, upstream_kind, depth);

create table audit_checks as from (values
    ('int_months', 'assert_months_close', true, true),
    ('stg_lines', 'unique_grain_stg_lines_id', true, true),
    ('raw_billing.landed_files', 'arrived_as_usual', false, false),
    ('int_nps', 'assert_of_another_figure', true, true),
    ('candidate', 'release_complete', true, true)
) as checks (table_name, check_name, is_blocking, has_passed);

create table metric_contributions as
select
    metric, account_id, item, part, source_table, source_key, location, line,
    amount::decimal(28, 8) as amount, (amount * 2)::decimal(28, 8) as amount_reporting,
    1::double as factor, period::date as period, date '2024-06-10' as as_of_date
from (values
    ('payments', 'A-1', null, 'value', 'billing.invoice_lines', 'I-1 1', 'b/1.csv', 3, 0.5,
        '2024-05-01'),
    ('payments', 'A-1', null, 'value', 'billing.invoice_lines', 'I-1 2', 'b/1.csv', 4, 40,
        '2024-05-01'),
    ('payments', 'A-2', null, 'value', 'billing.invoice_lines', 'I-2 1', 'b/1.csv', 5, 9,
        '2024-05-01'),
    ('ending_mrr', 'A-1', null, 'value', 'billing.subs', 'S-1', 'b/2.csv', 1, 5, '2024-06-01'),
    ('responses', 'A-1', null, 'value', 'crm.nps', 'N-1', 'c/1.csv', 1, 3, '2024-06-09'),
    ('responses', 'A-1', null, 'value', 'crm.nps', 'N-2', 'c/1.csv', 2, 2, '2024-06-10'),
    ('module_time', 'A-1', 'Core / Plan', 'value', 'user_module_usage_daily',
        'ann Core Plan 2024-06-09', null, null, 90, '2024-06-09'),
    ('module_time', 'A-1', 'Core / Ship', 'value', 'user_module_usage_daily',
        'ann Core Ship 2024-06-09', null, null, 30, '2024-06-09'),
    ('dau', 'A-1', null, 'value', 'user_activity_daily', 'ann 2024-06-09', null, null, 1,
        '2024-06-09'),
    ('dau', 'A-1', null, 'value', 'user_activity_daily', 'bob b 2024-06-09', null, null, 1,
        '2024-06-09')
) as rows (
    metric, account_id, item, part, source_table, source_key, location, line, amount, period
);

create table metric_figures as from (values
    ('responses', 'A-1', null, 'account_nps.responses', date '2024-06-09'),
    ('responses', 'A-1', null, 'account_metrics_daily.value', date '2024-06-10')
) as figures (metric, account_id, item, published_in, period);

create table audit_publishes as
select
    $publish_id as publish_id, date '2024-06-10' as as_of_date,
    timestamp '2024-06-10 03:00:00' as published_at, '1.0' as code_version, 'run00001' as run_id;

create table metric_catalog (
    metric varchar, label varchar, description varchar, formula varchar, unit varchar,
    grain varchar, page varchar, published_in varchar, computed_in varchar, raw_tables varchar,
    decision varchar, unit_tests varchar, contributions varchar, is_daily boolean
);
"""

EVENTS = """
create schema staging;
create table staging.all_events as from (values
    ('A-1', 'ann', date '2024-06-09', timestamp '2024-06-09 08:00:00', 'click', true, 1),
    ('A-1', 'ann', date '2024-06-09', timestamp '2024-06-09 07:00:00', 'click', true, 2),
    ('A-1', 'bob b', date '2024-06-09', timestamp '2024-06-09 09:00:00', 'click', true, 3),
    ('A-1', 'bob b', date '2024-06-09', timestamp '2024-06-09 09:00:00', 'identify', false, 4),
    ('A-1', 'ann', date '2024-06-08', timestamp '2024-06-08 09:00:00', 'click', true, 5),
    ('A-2', 'ann', date '2024-06-09', timestamp '2024-06-09 09:00:00', 'click', true, 6)
) as events (account_id, user_id, event_day, created_at, action, is_activity, line);
alter table staging.all_events add column session_id varchar;
alter table staging.all_events add column location varchar;
alter table staging.all_events add column active_microseconds bigint;
alter table staging.all_events add column product varchar;
alter table staging.all_events add column module varchar;
alter table staging.all_events add column time_spent_microseconds bigint;
insert into staging.all_events by name
from (values
    ('A-1', 'ann', date '2024-06-09', timestamp '2024-06-09 10:00:00', 'Ship', 20000000, 7),
    ('A-1', 'ann', date '2024-06-09', timestamp '2024-06-09 11:00:00', 'Ship', 10000000, 8),
    ('A-1', 'ann', date '2024-06-09', timestamp '2024-06-09 11:00:00', 'Plan', 10000000, 9)
) as events (
    account_id, user_id, event_day, created_at, module, time_spent_microseconds, line
);
update staging.all_events
set action = 'moduleEnd', product = 'Core', is_activity = false where module is not null;
update staging.all_events set location = 'events/1.jsonl';
"""


@pytest.fixture
def published(settings: Settings) -> Settings:
    """A home whose current publish holds the tables above."""
    folder = settings.published_path / PUBLISH_ID
    folder.mkdir(parents=True)
    with duckdb.connect(str(folder / "account360.duckdb")) as connection:
        connection.execute(TABLES.replace("$publish_id", f"'{PUBLISH_ID}'"))
        for metric, entry in METRICS.items():
            unit, grain, place, formula, owner, daily = entry.split("|")
            connection.execute(
                "insert into metric_catalog values (?, ?, 'What it is.', ?, ?, ?, 'Page', ?, ?, "
                "'raw_billing.lines', null, 'a_rule_holds, another_one_too', "
                "'csm_reconciliation_accounts', ?)",
                [metric, metric.title(), formula, unit, grain, place, owner, bool(daily)],
            )
    settings.current_path.symlink_to(PUBLISH_ID)
    return settings


def ask(settings: Settings, metric: str, **keys: object) -> Definition | Choice | Explanation:
    with open_publish(settings) as publish:
        return publish.explain(Question(metric, keys))


def figure(settings: Settings, metric: str, **keys: object) -> Explanation:
    answer = ask(settings, metric, **keys)
    assert isinstance(answer, Explanation)
    return answer


def refusal(settings: Settings, metric: str, **keys: object) -> str:
    with pytest.raises(ExplainError) as error:
        ask(settings, metric, **keys)
    return str(error.value)


MAY = {"account_id": "A-1", "month": date(2024, 5, 1)}


# --- which figure


def test_a_figure_comes_with_its_twin_in_the_reporting_currency(published):
    amounts = figure(published, "payments", **MAY).amounts
    assert [(one.value, one.unit, one.place) for one in amounts] == [
        (Decimal("40.5"), "EUR", "account_months.payments"),
        (Decimal("81"), "USD", "account_months.payments_reporting"),
    ]


def test_the_latest_month_counts_where_none_is_named_and_is_told(published):
    answer = figure(published, "payments", account_id="A-1")
    assert answer.keys["month"] == date(2024, 6, 1)
    assert answer.assumed == ("month",)
    assert figure(published, "dau", account_id="A-1").keys["day"] == date(2024, 6, 9)


def test_without_a_key_a_metric_is_defined_and_no_more(published):
    answer = ask(published, "payments")
    assert isinstance(answer, Definition)
    assert answer.missing == ("account_id", "month")
    assert isinstance(ask(published, "payments", month=date(2024, 5, 1)), Definition)


def test_figures_that_the_keys_do_not_tell_apart_are_listed_in_order(published):
    answer = ask(published, "module_time", account_id="A-1")
    assert isinstance(answer, Choice)
    assert answer.open_keys == ("product", "module")
    assert [list(one.values()) for one in answer.figures] == [
        ["App", "Plan", Decimal("1.5")],
        ["Core", "Plan", Decimal("90")],
        ["Core", "Ship", Decimal("30")],
    ]
    assert figure(published, "module_time", account_id="A-1", product="App").value == Decimal("1.5")


def test_a_day_of_a_metric_by_month_is_its_value_by_day_without_the_records_of_the_month(published):
    answer = figure(published, "ending_mrr", account_id="A-1", day=date(2024, 6, 1))
    assert answer.amounts[0].value == 7.5
    assert answer.amounts[0].unit == "EUR"
    assert answer.amounts[0].place == "account_metrics_daily.value"
    assert answer.contributions == ()


def test_a_metric_that_has_days_only_is_told_from_the_others_of_its_table(published):
    assert figure(published, "open_share", account_id="A-1").value == 25


def test_csms_are_counted_by_the_assignments_of_the_time_unless_asked_otherwise(published):
    answer = figure(published, "csm_grr_pct", csm_email="ann@x")
    assert (answer.value, answer.worked) == (50, "100 · 5 / 10 = 50")
    assert figure(published, "csm_grr_pct", csm_email="ann@x", basis="current").value == 60
    assert figure(published, "csm_grr_pct", csm_email="bob@x").value is None


@pytest.mark.parametrize(
    ("metric", "keys", "message"),
    [
        ("paymnts", {}, "did you mean payments?"),
        ("mrr", {}, "did you mean ending_mrr?"),
        ("Ending MRR", {}, "did you mean ending_mrr?"),
        ("zzz", {}, "unknown metric 'zzz': `account360 explain` lists all"),
        ("payments", {"account_id": "a-1"}, "did you mean A-1 (Blue Solar)"),
        ("payments", {"account_id": "wind"}, "did you mean A-2 (Red Wind)?"),
        (
            "payments",
            {"account_id": "A-1", "month": date(2020, 1, 1)},
            "no payments with account_id A-1, month 2020-01: there is one for a month from 2024-04 "
            "to 2024-06",
        ),
        ("payments", {"account_id": "A-2"}, "account_months has no row for it"),
        ("payments", {"day": date(2024, 6, 1)}, "has no day: its figures are told apart by"),
        ("nps_net", {"month": date(2024, 6, 1)}, "it is as of the publish"),
        ("module_time", {"account_id": "A-1", "module": "Pln"}, "module may be Plan and 1 more"),
        ("csm_grr_pct", {"csm_email": "al@x"}, "csm_email may be "),
    ],
)
def test_what_is_not_there_is_refused_with_what_is(published, metric, keys, message):
    assert message in refusal(published, metric, **keys)


def test_the_own_name_of_a_metric_is_nearer_than_a_column_like_it(published):
    assert "did you mean dau" in refusal(published, "dua")


def test_without_a_publish_it_says_so(settings):
    with pytest.raises(ExplainError, match="nothing is published"):
        ask(settings, "payments")


def test_a_publish_of_another_version_is_refused(published):
    file = published.current_path / "account360.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute("drop table metric_contributions")
    with pytest.raises(ExplainError, match="no table metric_contributions"):
        ask(published, "payments")


def test_a_name_is_a_value_and_never_sql(published):
    assert "unknown metric" in refusal(published, "payments'; drop table account_360; --")
    assert "unknown account" in refusal(published, "payments", account_id="' or '1' = '1")
    assert 'has no month" or' in refusal(published, "payments", **{'month" or "1': "1"})


# --- what it is made of


def test_records_of_the_figure_and_of_no_other_the_largest_first(published):
    answer = figure(published, "payments", **MAY)
    assert [(one.source_key, one.location, one.line) for one in answer.contributions] == [
        ("I-1 2", "b/1.csv", 4),
        ("I-1 1", "b/1.csv", 3),
    ]
    assert [(part.part, part.total, part.records) for part in answer.parts] == [
        ("value", Decimal("40.5"), 2)
    ]
    assert figure(published, "payments", account_id="A-1").contributions == ()


def test_records_of_a_figure_without_a_period_are_those_of_the_one_that_is_published(published):
    (one,) = figure(published, "responses", account_id="A-1").contributions
    assert one.source_key == "N-1"


def test_records_of_a_module_are_its_own(published):
    answer = figure(published, "module_time", account_id="A-1", product="Core", module="Ship")
    assert [one.source_key for one in answer.contributions] == ["ann Core Ship 2024-06-09"]


@pytest.mark.parametrize(
    ("metric", "keys", "worked"),
    [
        ("nps_net", {"account_id": "A-1"}, "100 · (2 − 1) / 3 = 33.3333"),
        ("movement", MAY, "ending_mrr 5; starting_mrr 10"),
        # the column `responses` is the figure, not a number of the formula
        ("responses", {"account_id": "A-1"}, None),
        ("payments", MAY, None),
    ],
)
def test_a_formula_shows_the_numbers_of_the_row(published, metric, keys, worked):
    assert figure(published, metric, **keys).worked == worked


def test_records_that_do_not_come_to_the_figure_are_told(published, capsys):
    assert figure(published, "payments", **MAY).adds_up is True
    assert figure(published, "responses", account_id="A-1").adds_up is True
    assert figure(published, "payments", account_id="A-1").adds_up is None
    with duckdb.connect(str(published.current_path / "account360.duckdb")) as connection:
        connection.execute("delete from metric_contributions where source_key = 'I-1 1'")
    assert figure(published, "payments", **MAY).adds_up is False
    assert run(published, "payments", "--account", "A-1", "--month", "2024-05") == 0
    assert "THE RECORDS DO NOT COME TO THE FIGURE" in capsys.readouterr().out


def test_it_went_from_the_published_table_to_what_landed(published):
    steps = figure(published, "payments", **MAY).steps
    assert [(step.table, step.columns) for step in steps] == [
        ("account_months", ("payments",)),
        ("fct_months", ("payments",)),
        ("int_months", ("paid",)),
        ("stg_lines", ("amount",)),
        ("raw_billing.landed_files", ()),
        ("raw_billing.lines", ("amount",)),
    ]


def test_checks_are_those_of_its_tables_and_of_the_publish(published):
    checks = figure(published, "payments", **MAY).checks
    assert {(check.check, check.has_passed) for check in checks} == {
        ("assert_months_close", True),
        ("unique_grain_stg_lines_id", True),
        ("arrived_as_usual", False),
        ("release_complete", True),
    }


# --- from user days to events


def warehouse(settings: Settings, judging: str = "select 1") -> Path:
    """A warehouse with the events, and the SQL with which the last night judged and counted them:
    all of them, unless `judging` asks for days."""
    with duckdb.connect(str(settings.warehouse_path)) as connection:
        connection.execute(EVENTS)
    counting = 'select * from "warehouse"."staging"."stg_native__events"'
    if judging == "select 1":
        counting = 'select * from "warehouse"."staging"."all_events"'
    for folder, name, sql in (
        ("native", "stg_native__events", judging),
        ("canonical", "stg_canonical__events", counting),
    ):
        path = settings.dbt_target_path / "compiled/account360/models/staging" / folder
        path.mkdir(parents=True)
        (path / f"{name}.sql").write_text(sql)
    return settings.warehouse_path


@contextmanager
def open_elsewhere(path: Path) -> Iterator[None]:
    """Another process has the database open for writing, as a run has."""
    code = f"import duckdb; c = duckdb.connect({str(path)!r}); print('open', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "open\n"
        yield
        process.communicate("\n")


def test_user_days_go_on_to_their_events_in_the_warehouse(published):
    warehouse(published)
    answer = figure(published, "dau", account_id="A-1")
    assert [(one.user_id, one.line) for one in answer.events] == [
        ("ann", 2),
        ("ann", 1),
        ("bob b", 3),
    ]
    assert answer.events[0].created_at == datetime(2024, 6, 9, 7)
    assert answer.events_remark is None


def test_the_time_in_a_module_goes_on_to_the_events_that_tell_it(published):
    warehouse(published)
    answer = figure(published, "module_time", account_id="A-1", product="Core", module="Ship")
    assert [(one.line, one.amount) for one in answer.events] == [(7, 20), (8, 10)]
    assert answer.events_remark is None
    other = figure(published, "module_time", account_id="A-1", product="Core", module="Plan")
    assert "total_seconds of those days is 90 in the publish" in other.events_remark


def test_days_that_the_last_night_did_not_look_at_are_judged_by_the_same_sql(published):
    warehouse(
        published,
        """
        select events.* from "warehouse"."staging"."all_events" as events
        where (events.user_id, events.event_day) in (
            select (touched.user_id, touched.day)
            from "warehouse"."staging"."stg_native__event_days_touched" as touched
        )
        """,
    )
    answer = figure(published, "dau", account_id="A-1")
    assert [one.line for one in answer.events] == [2, 1, 3]
    assert answer.events_remark is None


def test_the_sql_that_judges_events_asks_for_days_as_is_assumed(compiled_project):
    judging = compiled_project.models["stg_native__events"]["compiled_code"]
    assert events._DAYS_TO_LOOK_AT in judging
    first = compiled_project.first_night.models["stg_native__events"]["compiled_code"]
    assert events._DAYS_TO_LOOK_AT not in first
    counting = compiled_project.models["stg_canonical__events"]["compiled_code"]
    assert events._JUDGED in counting


def test_it_says_when_the_warehouse_has_other_events_than_the_publish_counted(published):
    with duckdb.connect(str(warehouse(published))) as connection:
        connection.execute("delete from staging.all_events where line = 2")
    answer = figure(published, "dau", account_id="A-1")
    assert len(answer.events) == 2
    assert "event_count of those days is 3 in the publish" in answer.events_remark


def test_it_says_when_it_cannot_ask_the_warehouse(published):
    assert "is not there" in figure(published, "dau", account_id="A-1").events_remark
    with open_elsewhere(warehouse(published)):
        remark = figure(published, "dau", account_id="A-1").events_remark
    assert "a run has" in remark


def test_other_figures_do_not_ask_the_warehouse(published):
    published.warehouse_path.write_text("no database")
    answer = figure(published, "payments", **MAY)
    assert (answer.events, answer.events_remark) == ((), None)


# --- as text and for programs


def run(settings: Settings, *arguments: str) -> int:
    return cli.main(["explain", *arguments, "--home", str(settings.home)])


def test_a_figure_reads_from_the_value_to_the_publish(published, capsys):
    assert run(published, "payments", "--account", "A-1", "--month", "2024-05") == 0
    out = capsys.readouterr().out
    places = [
        "Payments (payments): A-1 Blue Solar, 2024-05",
        "40.50  EUR  account_months.payments",
        "What it is\n  What it is.\n  formula   Σ amount by month.",
        "2 records, together 40.50 (81 USD)",
        "billing.invoice_lines I-1 2  b/1.csv:4",
        "amount 40, currency EUR, created_date 2024-04-30, payment_date 2024-05-02\n",
        "What it went through\n  account_months     payments",
        "raw_billing.lines  amount\n  typed and judged in: stg_lines\n"
        "  records chosen by: raw_billing.landed_files",
        "Checks that passed before the publish: 3\n  assert_months_close on int_months",
        "one row per key of stg_lines",
        "not passed, but no reason to hold back: arrived_as_usual on raw_billing.landed_files",
        "Rules that unit tests of the code prove (make test)\n  a_rule_holds\n  another_one_too",
        f"publish id    {PUBLISH_ID}",
        "published at  2024-06-10 03:00:00 UTC",
    ]
    found = [out.find(place) for place in places]
    assert -1 not in found, (places[found.index(-1)], out)
    assert found == sorted(found)
    assert max(map(len, out.splitlines())) <= 100


def test_many_records_are_cut_after_their_sum_and_json_has_all(published, capsys):
    with duckdb.connect(str(published.current_path / "account360.duckdb")) as connection:
        connection.execute(
            "insert into metric_contributions by name "
            "select * exclude (source_key, amount, n), 'I-3 ' || n as source_key, 0.25 as amount "
            "from metric_contributions cross join range(20) as numbers (n) "
            "where source_key = 'I-1 1'"
        )
    arguments = ("payments", "--account", "A-1", "--month", "2024-05")
    assert run(published, *arguments) == 0
    out = capsys.readouterr().out
    assert "22 records, together 45.50 (101 USD)" in out
    assert "and 12 more; --json has all" in out
    assert run(published, *arguments, "--json") == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["answer"] == "explanation"
    assert len(answer["contributions"]) == 22
    assert answer["amounts"][0]["value"] == "40.5000"
    assert answer["keys"] == {"account_id": "A-1", "month": "2024-05-01"}


def test_alone_it_lists_the_metrics_and_without_a_figure_it_says_how_to_ask(published, capsys):
    assert run(published) == 0
    out = capsys.readouterr().out
    assert all(metric in out for metric in METRICS)
    assert run(published, "module_time") == 0
    assert "account360 explain module_time --account … --key product=… --key module=…" in (
        capsys.readouterr().out
    )
    assert run(published, "module_time", "--account", "A-1", "--key", "product=Core") == 0
    assert "2 figures; one of them with --key module=…" in capsys.readouterr().out
    assert run(published, "--json") == 0
    assert {metric["metric"] for metric in json.loads(capsys.readouterr().out)} == {*METRICS}


def test_what_is_asked_wrongly_ends_with_2(published, capsys):
    assert run(published, "paymnts") == 2
    assert "account360: unknown metric 'paymnts'" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [["--month", "May"], ["--key", "product"], ["--month", "2024-05", "--day", "2024-05-01"]],
)
def test_wrong_options_end_with_2(published, capsys, arguments):
    with pytest.raises(SystemExit) as end:
        run(published, "payments", *arguments)
    assert end.value.code == 2


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "no value"),
        (True, "yes"),
        (Decimal("1234.5000"), "1,234.50"),
        (Decimal("1234.0000"), "1,234"),
        (Decimal("1234.5678"), "1,234.5678"),
        (0.5, "0.5"),
        (Decimal("0.0000"), "0"),
        (-0.00001, "0"),
        (100 / 3, "33.3333"),
        (1234, "1,234"),
        (date(2024, 6, 1), "2024-06-01"),
        (["a", "b"], "a, b"),
    ],
)
def test_values_read_well(value, text):
    assert shown(value) == text
