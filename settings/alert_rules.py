"""The file of alert rules."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from settings.conditions import Condition, read_conditions
from settings.files import File, Table, refuse_repeated
from settings.subjects import HEALTH_SCORE

_KEYS = ("name", "title", "type", "assignee", "conditions", "retrigger_days", "active_from")


@dataclass(frozen=True)
class AlertRule:
    """When an alert triggers, who is to see to it, and how soon the next may follow."""

    name: str
    title: str
    type: str
    assignee: str
    conditions: tuple[Condition, ...]
    retrigger_days: int
    active_from: date


def read_alert_rules(file: Path) -> tuple[AlertRule, ...]:
    """The rules of a file, validated. A file without rules is a file without rules."""
    whole = File(file, ["rules"])
    if whole.values.get("rules", []) == []:
        return ()
    read = [(table, _rule(table)) for table in whole.tables("rules", "rule", _KEYS)]
    refuse_repeated(((table, rule.name) for table, rule in read), "name")
    return tuple(rule for _, rule in read)


def _rule(table: Table) -> AlertRule:
    name = table.slug("name", "mrr_drop")
    assignee = table.text("assignee", "csm or an e-mail address").lower()
    if assignee != "csm" and not re.fullmatch(r"[^@\s]+@[^@\s]+", assignee):
        raise table.refuse("assignee", "csm or an e-mail address")
    return AlertRule(
        name=name,
        title=table.text("title"),
        type=table.text("type", "churn, renewal, expansion, conversion, engagement or a free text"),
        assignee=assignee,
        conditions=read_conditions(table, "conditions", also=(HEALTH_SCORE,)),
        retrigger_days=table.whole("retrigger_days", 1, 3660),
        active_from=table.day("active_from"),
    )
