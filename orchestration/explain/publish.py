"""The published file that is asked about a figure: its row, its records, the way between them."""

# ruff: noqa: S608 (names in the SQL of this module are those of the publish, and are quoted)

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from decimal import Decimal
from difflib import SequenceMatcher, get_close_matches
from typing import Any

import duckdb

from ingestion.sql import quoted
from orchestration.explain.answers import (
    Amount,
    CheckResult,
    Choice,
    Contribution,
    Definition,
    ExplainError,
    Explanation,
    Metric,
    Question,
    Step,
)
from orchestration.explain.arithmetic import adds_up, parts_of, shown, shown_key, worked
from orchestration.explain.events import EVENT_SOURCES, Event, EventsUnknownError, find_events
from orchestration.publishing import CHECKS_TABLE, DATABASE, current_publish
from settings import Settings

# The table of values by day, which some metrics have beside the one the catalogue names.
_BY_DAY = "account_metrics_daily.value"
_BY_DAY_GRAIN = ("account_id", "metric", "day")
_CANDIDATE = "candidate"

_TABLES = (
    *("account_360", "audit_publishes", CHECKS_TABLE, "column_lineage"),
    *("metric_catalog", "metric_contributions", "metric_figures", "metric_lineage"),
)
# What a key is unless it is asked for, beside the latest month or day.
_DEFAULTS = {"basis": "as_of"}
_PERIODS = ("month", "day")

# What a record says beside its amount: source → its published table, what `source_key` is there,
# and columns.
_DETAILS = {
    "billing.subscriptions": (
        "account_subscriptions",
        "concat(subscription_id, ' ', start_date)",
        ("billing_cycle", "monthly_amount", "currency", "active_from", "active_to"),
    ),
    "billing.invoice_lines": (
        "account_invoice_lines",
        "concat(invoice_id, ' ', line_number)",
        ("amount", "currency", "created_date", "payment_date", "is_recurring"),
    ),
    "crm.nps_responses": (
        "account_nps_responses",
        "coalesce(response_id, concat(location, ' ', line))",
        ("score", "submitted_at"),
    ),
    "account_health_components": (
        "account_health_components",
        "concat(component, ' ', day)",
        ("weight", "score"),
    ),
    "tickets.tickets": (
        "account_tickets",
        "ticket_id",
        ("status", "created_at", "closed_at"),
    ),
    "user_activity_daily": (
        "user_activity_daily",
        "concat(user_id, ' ', day)",
        ("event_count", "session_seconds"),
    ),
    "user_module_usage_daily": (
        "user_module_usage_daily",
        "concat_ws(' ', user_id, product, module, day)",
        ("total_seconds",),
    ),
    "user_feature_usage_daily": (
        "user_feature_usage_daily",
        "concat_ws(' ', user_id, product, module, feature, day)",
        ("total_count",),
    ),
}


@contextmanager
def open_publish(settings: Settings) -> Iterator[Publish]:
    """The publish that readers see; `ExplainError` where there is none, or it is of another
    version."""
    folder = current_publish(settings)
    if folder is None:
        raise ExplainError(
            f"nothing is published in {settings.home} yet: `account360 run` publishes, --home "
            "names another folder"
        )
    with duckdb.connect(str(folder / DATABASE), read_only=True) as connection:
        publish = Publish(settings, connection, folder.name)
        existing = {name for (name,) in publish.rows("show tables")}
        if missing := [name for name in _TABLES if name not in existing]:
            raise ExplainError(
                f"the publish in {settings.current_path} has no table {missing[0]}: it was made "
                "by another version; `account360 run` publishes anew"
            )
        yield publish


class Publish:
    """A published file, asked about its figures. `open_publish` opens one."""

    def __init__(
        self, settings: Settings, connection: duckdb.DuckDBPyConnection, publish_id: str
    ) -> None:
        """Nothing is read before it is asked for."""
        self._settings = settings
        self._connection = connection
        self._publish_id = publish_id

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """The rows of a query with bound values."""
        return self._connection.execute(query, values).fetchall()

    def metrics(self) -> list[Metric]:
        """The catalogue, in the order of pages and names."""
        return [
            Metric(
                *row[:5],
                grain=tuple(row[5].split(", ")),
                page=row[6],
                table=row[7].partition(".")[0],
                column=row[7].partition(".")[2],
                computed_in=row[8],
                raw_tables=tuple(row[9].split(", ")),
                decision=row[10],
                unit_tests=tuple(row[11].split(", ")) if row[11] else (),
                contributions=row[12],
                is_daily=row[13],
            )
            for row in self.rows(
                "select metric, label, description, formula, unit, grain, page, published_in, "
                "computed_in, raw_tables, decision, unit_tests, contributions, is_daily "
                "from metric_catalog order by page, metric"
            )
        ]

    def explain(self, question: Question) -> Definition | Choice | Explanation:
        """The figure asked for; its definition where no key was named; the figures there are
        where the keys leave several. `ExplainError` where there is none."""
        named = self._metric(question.metric)
        metric = _by_day(named, question.keys)
        known = self._columns(metric.table)
        keys = _typed(metric, known, question.keys)
        if not keys or ("account_id" in metric.keys and "account_id" not in keys):
            return Definition(metric, tuple(key for key in metric.keys if key not in keys))
        account_name = self._account_name(keys["account_id"]) if "account_id" in keys else None
        assumed = self._assume(metric, keys)
        rows = self._figures(metric, keys)
        if not rows:
            raise ExplainError(self._nothing(metric, keys))
        unit = self._unit(metric, rows[0])
        open_keys = tuple(key for key in metric.keys if key not in keys)
        if len(rows) > 1:
            figures = tuple(
                {**{key: row[key] for key in open_keys}, metric.metric: row[metric.column]}
                for row in rows
            )
            return Choice(metric, keys, account_name, unit, open_keys, figures)
        (row,) = rows
        keys.update({key: row[key] for key in open_keys})
        if "account_id" in row and "account_id" not in keys:
            keys["account_id"] = row["account_id"]
            account_name = self._account_name(row["account_id"])
        # records of a month are not those of its first day
        is_of_month = metric != named and "month" in named.grain
        contributions = () if is_of_month else self._contributions(metric, keys)
        parts = parts_of(metric, row, contributions)
        events, remark = self._events(keys, contributions)
        steps = self._steps(metric)
        return Explanation(
            metric=metric,
            keys=keys,
            assumed=assumed,
            account_name=account_name,
            amounts=tuple(self._amounts(metric, row, unit)),
            worked=worked(metric, row, parts),
            parts=parts,
            adds_up=adds_up(row[metric.column], parts),
            contributions=contributions,
            events=events,
            events_remark=remark,
            steps=steps,
            checks=self._checks(steps),
            publish=self._publish(),
        )

    def _metric(self, name: str) -> Metric:
        metrics = {metric.metric: metric for metric in self.metrics()}
        if name in metrics:
            return metrics[name]
        raise ExplainError(
            f"unknown metric {name!r}: {_did_you_mean(_near_metrics(name, metrics.values()))}"
            "`account360 explain` lists all"
        )

    def _columns(self, table: str) -> dict[str, str]:
        """The columns of a published table with their types."""
        rows = self.rows(
            "select column_name, data_type from duckdb_columns() where table_name = ?", table
        )
        return dict(rows)

    def _account_name(self, account_id: Any) -> str:
        accounts = dict(self.rows("select account_id, account_name from account_360"))
        if account_id in accounts:
            return accounts[account_id] or "(no name)"
        asked = str(account_id).casefold()
        near = [
            one
            for one, name in accounts.items()
            if one.casefold() == asked or asked in (name or "").casefold()
        ]
        near += get_close_matches(str(account_id), list(accounts), n=5)
        named = [f"{one} ({accounts[one]})" for one in dict.fromkeys(near)]
        raise ExplainError(
            f"unknown account {account_id!r}: {_did_you_mean(named[:5])}accounts go by account_id, "
            "as in account_360; one that was deleted has no figures"
        )

    def _assume(self, metric: Metric, keys: dict[str, Any]) -> tuple[str, ...]:
        """Fill in what nobody named and one is usual for; the keys that were."""
        before = set(keys)
        keys.update({key: one for key, one in _DEFAULTS.items() if key in metric.keys} | keys)
        for key in _PERIODS:
            if key in metric.keys and key not in keys:
                (latest,) = self._ask(metric, f"max({quoted(key)})", keys)[0]
                if latest is not None:
                    keys[key] = latest
        return tuple(key for key in keys if key not in before)

    def _figures(self, metric: Metric, keys: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The rows of a metric's table with these keys, in order of the others."""
        order = ", ".join(quoted(key) for key in metric.keys)
        rows = self._ask(metric, "*", keys, f"order by {order}")
        names = [column[0] for column in self._connection.description or []]
        return [dict(zip(names, row, strict=True)) for row in rows]

    def _ask(
        self, metric: Metric, what: str, keys: Mapping[str, Any], rest: str = ""
    ) -> list[tuple[Any, ...]]:
        if "metric" in metric.grain:
            keys = {**keys, "metric": metric.metric}
        where = " and ".join(f"{quoted(key)} = ?" for key in keys)
        return self.rows(
            f"select {what} from {quoted(metric.table)} where {where or 'true'} {rest}",
            *keys.values(),
        )

    def _nothing(self, metric: Metric, keys: Mapping[str, Any]) -> str:
        """Why there is no figure with these keys, and which there are."""
        said = ", ".join(f"{key} {shown_key(key, value)}" for key, value in keys.items())
        for key in _PERIODS:
            if key not in keys:
                continue
            others = {name: value for name, value in keys.items() if name != key}
            first, last = self._ask(metric, f"min({quoted(key)}), max({quoted(key)})", others)[0]
            if first is not None:
                return (
                    f"no {metric.metric} with {said}: there is one for a {key} from "
                    f"{shown_key(key, first)} to {shown_key(key, last)}"
                )
        for key in metric.keys:
            if key not in keys or key in ("account_id", *_PERIODS):
                continue
            others = {name: value for name, value in keys.items() if name != key}
            there = [str(one) for (one,) in self._ask(metric, f"distinct {quoted(key)}", others)]
            if there:
                near = get_close_matches(str(keys[key]), there, n=5) or sorted(there)[:5]
                return f"no {metric.metric} with {said}: {key} may be {', '.join(near)}" + (
                    f" and {len(there) - len(near):,} more" if len(there) > len(near) else ""
                )
        return f"no {metric.metric} with {said}: {metric.table} has no row for it"

    def _unit(self, metric: Metric, row: Mapping[str, Any]) -> str:
        """The unit of a figure; of money, its currency."""
        if metric.unit == "money":
            return row.get("currency") or self._currency_of(row["account_id"])
        return self._reporting_currency() if metric.unit == "reporting_money" else metric.unit

    def _currency_of(self, account_id: str) -> str:
        rows = self.rows("select currency from account_360 where account_id = ?", account_id)
        return rows[0][0]

    def _reporting_currency(self) -> str:
        rows = self.rows("select currency from account_mrr_monthly_rollup limit 1")
        return rows[0][0] if rows else self._settings.reporting_currency

    def _amounts(self, metric: Metric, row: Mapping[str, Any], unit: str) -> Iterator[Amount]:
        """The figure, and its twin in the reporting currency if it has one."""
        yield Amount(row[metric.column], unit, f"{metric.table}.{metric.column}")
        if (twin := f"{metric.column}_reporting") in row:
            yield Amount(row[twin], self._reporting_currency(), f"{metric.table}.{twin}")

    def _contributions(self, metric: Metric, keys: Mapping[str, Any]) -> tuple[Contribution, ...]:
        """The records of the figure, the largest first."""
        items = [str(keys[key]) for key in metric.keys if key not in ("account_id", *_PERIODS)]
        rows = self.rows(
            """
            with figures as (
                -- figures without a month or day of their own have one there: of now, or of renewal
                select period
                from metric_figures
                where
                    metric = $1
                    and account_id = $2
                    and item is not distinct from $4
                    and published_in = $5
            )
            select
                part, amount, amount_reporting, factor, source_table, source_key, location, line
            from metric_contributions
            where
                metric = $1
                and account_id = $2
                and item is not distinct from $4
                and period = coalesce($3, (select max(period) from figures), period)
            order by
                part = 'denominator', abs(amount) desc, source_table, source_key, location, line
            """,
            metric.metric,
            keys.get("account_id"),
            next((keys[key] for key in _PERIODS if key in keys), None),
            (" " if "start_date" in metric.keys else " / ").join(items) or None,
            f"{metric.table}.{metric.column}",
        )
        details = {
            source: self._details(source, keys["account_id"])
            for source in {row[4] for row in rows} & _DETAILS.keys()
        }
        return tuple(
            Contribution(*row, details=details.get(row[4], {}).get(row[5], {})) for row in rows
        )

    def _details(self, source: str, account_id: Any) -> dict[str, dict[str, Any]]:
        """What the published table of a source says of an account's records, by their keys."""
        table, key, columns = _DETAILS[source]
        rows = self.rows(
            f"select {key}, {', '.join(columns)} from {table} where account_id = ?",
            account_id,
        )
        return {
            record: {
                name: value
                for name, value in zip(columns, values, strict=True)
                if value is not None
            }
            for record, *values in rows
        }

    def _events(
        self, keys: Mapping[str, Any], contributions: Sequence[Contribution]
    ) -> tuple[tuple[Event, ...], str | None]:
        """The events of the user days among the records, and what has to be known of them."""
        records = [one for one in contributions if one.source_table in EVENT_SOURCES]
        if not records:
            return (), None
        source = records[0].source_table
        table, key, _ = _DETAILS[source]
        counted, *_ = EVENT_SOURCES[source]
        rows = self.rows(
            f"select user_id, day, {counted} from {table} "
            f"where account_id = ? and {key} in (select unnest(cast(? as varchar[])))",
            keys["account_id"],
            [one.source_key for one in records],
        )
        try:
            events = find_events(self._settings, source, keys, [row[:2] for row in rows])
        except EventsUnknownError as error:
            return (), f"not known: {error}"
        count = sum(row[2] for row in rows)
        if abs(sum(event.amount for event in events) - count) < Decimal("0.000001"):
            return events, None
        return events, (
            f"{counted} of those days is {shown(count)} in the publish, and "
            f"{shown(sum(event.amount for event in events))} here: the warehouse has been loaded "
            "since, and shows what the next publish will"
        )

    def _steps(self, metric: Metric) -> tuple[Step, ...]:
        """The tables from the figure back to what landed, the nearest first."""
        shares = self.rows(
            "select count(*) from metric_catalog where published_in = ?",
            f"{metric.table}.{metric.column}",
        )[0][0]
        # A column of many metrics is made of what all of them are; the owner's models choose.
        rows = self.rows(
            """
            with owned as (
                select upstream, upstream_kind, depth from metric_lineage where metric = $1
            ),
            made_of as (
                select
                    upstream_table as upstream,
                    upstream_kind,
                    min(depth) as depth,
                    list(distinct upstream_column order by upstream_column) as columns
                from column_lineage
                where table_name = $2 and column_name = $3
                group by all
            ),
            of_the_owner as (
                select depth from made_of where upstream = $4
            ),
            between_them as (
                select upstream, upstream_kind, depth
                from made_of
                where
                    depth < coalesce((select depth from of_the_owner), 2)
                    and ($5 <= 1 or depth = 1)
                    and upstream not in (select upstream from owned)
            )
            select
                steps.upstream,
                steps.upstream_kind,
                coalesce(made_of.columns, [])
            from (
                select *, 0 as is_owned from between_them
                union all
                select *, 1 as is_owned from owned
            ) as steps
            left join made_of using (upstream)
            order by
                steps.upstream_kind = 'source', steps.is_owned, steps.depth, steps.upstream
            """,
            metric.metric,
            metric.table,
            metric.column,
            metric.computed_in,
            shares,
        )
        published = Step(metric.table, "published", (metric.column,))
        return published, *(Step(name, kind, tuple(columns)) for name, kind, columns in rows)

    def _checks(self, steps: Sequence[Step]) -> tuple[CheckResult, ...]:
        """The checks of the tables that a figure went through, and of the whole publish."""
        rows = self.rows(
            f"select table_name, check_name, is_blocking, has_passed from {CHECKS_TABLE} "
            "where table_name in (select unnest(?)) order by table_name, check_name",
            [_CANDIDATE, *(step.table for step in steps)],
        )
        return tuple(CheckResult(*row) for row in rows)

    def _publish(self) -> dict[str, Any]:
        names = ("publish_id", "as_of_date", "published_at", "code_version", "run_id")
        rows = self.rows(
            f"select {', '.join(names)} from audit_publishes where publish_id = ?",
            self._publish_id,
        )
        return dict(zip(names, rows[0], strict=True))


def _by_day(metric: Metric, keys: Iterable[str]) -> Metric:
    """The metric with its values by day, where a day is asked for and it has them there only."""
    if "day" not in keys or "day" in metric.grain or not metric.is_daily:
        return metric
    table, column = _BY_DAY.split(".")
    return replace(metric, table=table, column=column, grain=_BY_DAY_GRAIN)


def _typed(
    metric: Metric, known: Mapping[str, str], asked: Mapping[str, str | date]
) -> dict[str, Any]:
    """The keys that were asked for as their columns have them; `ExplainError` for one that does
    not tell the metric's figures apart."""
    allowed = dict.fromkeys((*metric.keys, *(["account_id"] if "account_id" in known else [])))
    keys: dict[str, Any] = {}
    for key, value in asked.items():
        if key not in allowed:
            now = "" if {*_PERIODS} & {*allowed} else "; it is as of the publish"
            raise ExplainError(
                f"{metric.metric} has no {key}: its figures are told apart by "
                f"{', '.join(allowed) or 'nothing'}{now}"
            )
        keys[key] = _as_date(key, value) if known[key] == "DATE" else value
    return keys


def _as_date(key: str, value: str | date) -> date:
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise ExplainError(f"{key}={value} is no date: YYYY-MM-DD is") from None


def _near_metrics(name: str, metrics: Iterable[Metric]) -> list[str]:
    """The metrics whose names, columns or labels are nearest to a name, or have it as a word."""
    asked = name.strip().lower().replace(" ", "_")
    near: dict[str, float] = {}
    for metric in metrics:
        texts = (metric.metric, metric.column, metric.label.lower().replace(" ", "_"))
        # of two that are as near, the one whose own name it is
        for less, text in enumerate(texts):
            ratio = SequenceMatcher(None, asked, text).ratio() - less / 100
            if asked in text.split("_"):
                ratio = max(ratio, 0.6)
            near[metric.metric] = max(near.get(metric.metric, 0), ratio)
    best = sorted(near, key=lambda metric: (-near[metric], len(metric), metric))[:5]
    return [metric for metric in best if near[metric] >= 0.6]


def _did_you_mean(names: Sequence[str]) -> str:
    *others, last = [*names] or [""]
    said = f"{', '.join(others)} or {last}" if others else last
    return f"did you mean {said}? " if said else ""
