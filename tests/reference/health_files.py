"""A world of the health reference: as settings files, and as rows of the models health reads."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from tests.reference.health import (
    Ask,
    Condition,
    Configuration,
    Metric,
    Rule,
    World,
    days_of,
)


def health_file(configurations: Iterable[Configuration]) -> str:
    """The configurations as TOML."""
    lines = []
    for one in configurations:
        lines += ["[[configurations]]", f"name = {_toml(one.name)}", f"rank = {one.rank}"]
        if one.segment:
            lines.append(f"segment = {_conditions(one.segment)}")
        for component in one.components:
            metrics = ", ".join(_metric(metric) for metric in component.metrics)
            lines += [
                "[[configurations.components]]",
                f"name = {_toml(component.name)}",
                f"weight = {component.weight}",
                f"metrics = [{metrics}]",
            ]
    return "\n".join(lines)


def alert_rules_file(rules: Iterable[Rule]) -> str:
    """The rules as TOML."""
    lines = []
    for rule in rules:
        lines += [
            "[[rules]]",
            f"name = {_toml(rule.name)}",
            'title = "A rule"',
            'type = "churn"',
            'assignee = "csm"',
            f"conditions = {_conditions(rule.conditions)}",
            f"retrigger_days = {rule.retrigger_days}",
            f"active_from = {rule.active_from}",
        ]
    return "\n".join(lines)


def _conditions(conditions: Iterable[Condition]) -> str:
    return f"[{', '.join(_condition(condition) for condition in conditions)}]"


def _condition(condition: Condition) -> str:
    compared = f"operator = {_toml(condition.operator)}, value = {_toml(condition.value)}"
    return f"{{ {_ask(condition.ask)}, {compared} }}"


def _metric(metric: Metric) -> str:
    return f"{{ {_ask(metric.ask)}, min = {metric.minimum}, max = {metric.maximum} }}"


def _ask(ask: Ask) -> str:
    parts = [f"subject = {_toml(ask.subject)}"]
    if ask.over:
        parts.append(f"{ask.over}_over_days = {ask.days}")
    if ask.per:
        parts.append(f"per = {_toml(ask.per)}")
    return ", ".join(parts)


def _toml(value: Any) -> str:
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, tuple):
        return f"[{', '.join(_toml(item) for item in value)}]"
    return str(value)


def model_rows(world: World, first_day: date) -> dict[str, list[dict[str, Any]]]:
    """What health reads of the world: from `first_day` on, up to the last full day."""
    last_day = world.as_of - timedelta(days=1)
    rows: dict[str, list[dict[str, Any]]] = {
        "stg_canonical__accounts": [],
        "int_account_day__spine": [],
        "int_account_day__figures": [],
        "int_account__attribute_history": [],
        "stg_canonical__alerts": [],
    }
    for account in world.accounts:
        name = {"account_id": account.account_id}
        rows["stg_canonical__accounts"].append({**name, "churn_date": account.churn_date})
        days = [day for day in days_of(account, world.as_of) if day >= first_day]
        rows["int_account_day__spine"] += [{**name, "day": day} for day in days]
        rows["int_account_day__figures"] += [
            {**name, "figure": figure, "value": float(value), "day": day}
            for (figure, day), value in account.figures.items()
            if day in days
        ]
        rows["int_account__attribute_history"] += [
            {
                **name,
                "attribute": attribute,
                "text_value": span.value if isinstance(span.value, str) else None,
                "number_value": float(span.value) if _is_number(span.value) else None,
                "date_value": span.value if isinstance(span.value, date) else None,
                "valid_from": span.first,
                "valid_to": span.until,
            }
            for attribute, spans in account.attributes.items()
            for span in spans
        ]
    for alert_id, closed_on in world.answers.items():
        if closed_on <= last_day:
            rows["stg_canonical__alerts"].append(
                {
                    "alert_id": alert_id,
                    "status": "closed",
                    "closed_by": "crm",
                    "outcome": "successful",
                    "is_open": False,
                    "closed_at": f"{closed_on} 12:00:00",
                }
            )
    return rows


def _is_number(value: Any) -> bool:
    return not isinstance(value, str | date)
