"""The schema `run` of the warehouse: what a run is for, as typed rows that dbt reads as data.

Nothing of a settings file is ever pasted into SQL: names, numbers and texts are values of rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from settings.conditions import Condition, Measure
from settings.options import Settings

RUN_TABLES = {
    "settings": "One row: the as-of date of the run and the settings that figures hang on.",
    "measures": "One row per user and measure: what is asked of an account and day.",
    "conditions": "One row per condition of a health configuration's segment or an alert rule.",
    "health_metrics": "One row per metric of a component of a health configuration.",
    "alert_rules": "One row per alert rule.",
    "charts": "One row per chart and metric in it.",
}

_SETTINGS_COLUMNS = {
    "as_of_date": "date",
    "health_first_day": "date",
    "figures_first_day": "date",
    "reporting_time_zone": "varchar",
    "reporting_currency": "varchar",
    "end_date_is_inclusive": "boolean",
    "grace_days": "integer",
    "trial_plan_codes": "varchar[]",
    "session_timeout_minutes": "integer",
    "session_duration": "varchar",
    "event_deduplication": "varchar",
    "nps_deduplication": "varchar",
    "nps_window_days": "integer",
    "renewal_early_days": "integer",
    "renewal_late_days": "integer",
    "reject_threshold_pct": "double",
    "full_extract_entities": "varchar[]",
    "full_extract_shrink_pct": "double",
    "kept_publishes": "integer",
    "metric_history_days": "integer",
}
_MEASURE_COLUMNS = {
    "used_by": "varchar",
    "measure": "varchar",
    "subject": "varchar",
    "is_attribute": "boolean",
    "aggregation": "varchar",
    "per": "varchar",
    "over_days": "integer",
}
_CONDITION_COLUMNS = {
    "owner_kind": "varchar",
    "owner": "varchar",
    "position": "integer",
    "measure": "varchar",
    "operator": "varchar",
    "number_value": "decimal(18, 6)",
    "text_values": "varchar[]",
    "date_value": "date",
}
_HEALTH_METRIC_COLUMNS = {
    "configuration": "varchar",
    "configuration_rank": "integer",
    "is_default": "boolean",
    "component": "varchar",
    "component_position": "integer",
    "weight": "decimal(18, 6)",
    "metric": "varchar",
    "min_value": "decimal(18, 6)",
    "max_value": "decimal(18, 6)",
}
_ALERT_RULE_COLUMNS = {
    "rule": "varchar",
    "title": "varchar",
    "type": "varchar",
    "assignee": "varchar",
    "retrigger_days": "integer",
    "active_from": "date",
}
_CHART_COLUMNS = {
    "chart": "varchar",
    "title": "varchar",
    "kind": "varchar",
    "period": "varchar",
    "metric": "varchar",
    "aggregation": "varchar",
}


@dataclass(frozen=True)
class RunTable:
    """A table of the schema `run`: its columns with their types, and its rows."""

    name: str
    columns: dict[str, str]
    rows: list[tuple[Any, ...]]

    @property
    def create(self) -> str:
        """The statement that makes the table, empty."""
        columns = ", ".join(f"{name} {kind}" for name, kind in self.columns.items())
        return f"create or replace table run.{self.name} ({columns})"

    @property
    def insert(self) -> str:
        """The statement that adds all rows at once, with a mark for each list of `values`."""
        lists = ", ".join(f"unnest(?::{kind}[])" for kind in self.columns.values())
        return f"insert into run.{self.name} select {lists}"

    @property
    def values(self) -> list[list[Any]]:
        """The rows as one list per column: bound one by one they would take a millisecond each."""
        return [[row[position] for row in self.rows] for position in range(len(self.columns))]


def run_tables(settings: Settings, as_of: date) -> list[RunTable]:
    """Everything that a run as of that date is told, in the order of `RUN_TABLES`."""
    row = {"as_of_date": as_of, **first_days(settings, as_of), **settings.as_row()}
    return [
        RunTable("settings", _SETTINGS_COLUMNS, [tuple(row[name] for name in _SETTINGS_COLUMNS)]),
        RunTable("measures", _MEASURE_COLUMNS, list(_measures(settings))),
        RunTable("conditions", _CONDITION_COLUMNS, list(_conditions(settings))),
        RunTable("health_metrics", _HEALTH_METRIC_COLUMNS, list(_health_metrics(settings))),
        RunTable("alert_rules", _ALERT_RULE_COLUMNS, list(_alert_rules(settings))),
        RunTable("charts", _CHART_COLUMNS, list(_charts(settings))),
    ]


def first_days(settings: Settings, as_of: date) -> dict[str, date]:
    """Where health and figures by day begin: as early as a published day or a rule looks back.

    Both are as early as they need to be for every window to be whole, so that what a rule saw on a
    day does not depend on the night that asks.
    """
    days = [as_of - timedelta(days=settings.metric_history_days)]
    for rule in settings.alert_rules:
        reach = max(condition.measure.reach_days for condition in rule.conditions)
        days.append(rule.active_from - timedelta(days=reach))
    health_reach = max(measure.reach_days for measure in _health_measures(settings))
    return {
        "health_first_day": min(days),
        "figures_first_day": min(days) - timedelta(days=health_reach),
    }


def _health_measures(settings: Settings) -> Iterable[Measure]:
    for configuration in settings.health:
        yield from (condition.measure for condition in configuration.segment)
        for component in configuration.components:
            yield from (metric.measure for metric in component.metrics)


def _measures(settings: Settings) -> Iterable[tuple[Any, ...]]:
    rule_measures = [
        condition.measure for rule in settings.alert_rules for condition in rule.conditions
    ]
    for used_by, measures in (
        ("health", _health_measures(settings)),
        ("alert_rule", rule_measures),
    ):
        for measure in dict.fromkeys(measures):
            yield (
                used_by,
                measure.name,
                measure.subject,
                measure.is_attribute,
                measure.aggregation,
                measure.per,
                measure.over_days,
            )


def _conditions(settings: Settings) -> Iterable[tuple[Any, ...]]:
    for configuration in settings.health:
        yield from _condition_rows("health", configuration.name, configuration.segment)
    for rule in settings.alert_rules:
        yield from _condition_rows("alert_rule", rule.name, rule.conditions)


def _condition_rows(
    owner_kind: str, owner: str, conditions: Iterable[Condition]
) -> Iterable[tuple[Any, ...]]:
    for position, condition in enumerate(conditions, start=1):
        yield (
            owner_kind,
            owner,
            position,
            condition.measure.name,
            condition.operator,
            condition.number,
            None if condition.texts is None else list(condition.texts),
            condition.day,
        )


def _health_metrics(settings: Settings) -> Iterable[tuple[Any, ...]]:
    for configuration in settings.health:
        for position, component in enumerate(configuration.components, start=1):
            for metric in component.metrics:
                yield (
                    configuration.name,
                    configuration.rank,
                    not configuration.segment,
                    component.name,
                    position,
                    component.weight,
                    metric.measure.name,
                    metric.minimum,
                    metric.maximum,
                )


def _alert_rules(settings: Settings) -> Iterable[tuple[Any, ...]]:
    for rule in settings.alert_rules:
        yield (
            rule.name,
            rule.title,
            rule.type,
            rule.assignee,
            rule.retrigger_days,
            rule.active_from,
        )


def _charts(settings: Settings) -> Iterable[tuple[Any, ...]]:
    for chart in settings.charts:
        for series in chart.series:
            yield (
                chart.name,
                chart.title,
                chart.kind,
                chart.period,
                series.metric,
                series.aggregation,
            )
