"""The file of assignment rules: which accounts get, lose or change CSMs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from settings.conditions import OPERATORS, read_texts
from settings.files import File, Table, near, refuse_repeated
from settings.subjects import DATE, NUMBER, TEXT

_KEYS = ("name", "title", "conditions", "assign", "unassign")
_CONDITION_KEYS = ("subject", "operator", "value")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")

FLAG = "true or false"
ALL = "all"


@dataclass(frozen=True)
class AccountCondition:
    """What must hold of an account: a column of account_360 or a custom dimension, as published.

    Whether the subject exists, and is of that kind, is known where a publish is. `place` is where
    the condition stands, for errors.
    """

    subject: str
    operator: str
    value: Decimal | bool | date | tuple[str, ...]
    place: str

    @property
    def kind(self) -> str:
        """What the value is, and the subject has to be."""
        if isinstance(self.value, bool):
            return FLAG
        if isinstance(self.value, Decimal):
            return NUMBER
        return DATE if isinstance(self.value, date) else TEXT

    @property
    def text(self) -> str:
        """The condition in words."""
        if isinstance(self.value, tuple):
            return f"{self.subject} {self.operator} {', '.join(self.value)}"
        value = str(self.value).lower() if isinstance(self.value, bool) else self.value
        return f"{self.subject} {self.operator} {value}"


@dataclass(frozen=True)
class AssignmentRule:
    """Accounts for which all conditions hold get `assign` and lose `unassign`.

    E-mails are trimmed and in lower case. With `unassigns_all`, `unassign` is empty: whoever is
    assigned and not in `assign` goes.
    """

    name: str
    title: str
    conditions: tuple[AccountCondition, ...]
    assign: tuple[str, ...]
    unassign: tuple[str, ...]
    unassigns_all: bool
    place: str


def read_assignment_rules(file: Path) -> tuple[AssignmentRule, ...]:
    """The rules of a file, validated. A file without rules is a file without rules."""
    whole = File(file, ["rules"])
    if whole.values.get("rules", []) == []:
        return ()
    read = [(table, _rule(table)) for table in whole.tables("rules", "rule", _KEYS)]
    refuse_repeated(((table, rule.name) for table, rule in read), "name")
    return tuple(rule for _, rule in read)


def _rule(table: Table) -> AssignmentRule:
    name = table.slug("name", "tier_1_at_risk")
    title = table.text("title")
    conditions = table.tables("conditions", "condition", _CONDITION_KEYS)
    unassigns_all = table.values.get("unassign") == ALL
    rule = AssignmentRule(
        name=name,
        title=title,
        conditions=tuple(_condition(condition) for condition in conditions),
        assign=_emails(table, "assign", "a list of at least one e-mail address"),
        unassign=()
        if unassigns_all
        else _emails(table, "unassign", f'a list of at least one e-mail address, or "{ALL}"'),
        unassigns_all=unassigns_all,
        place=f"{table.file}, {table.place}",
    )
    if not (rule.assign or rule.unassign or unassigns_all):
        raise table.error("neither assign nor unassign is given", "one of them, or both to shift")
    if both := [email for email in rule.assign if email in rule.unassign]:
        raise table.error(f"{both[0]} is in assign and in unassign", "each CSM in one of them")
    return rule


def _emails(table: Table, key: str, allowed: str) -> tuple[str, ...]:
    """E-mails as they are compared, each once; none where the key is absent."""
    if key not in table.values:
        return ()
    values = table.values[key]
    if not isinstance(values, list) or not values:
        raise table.refuse(key, allowed)
    emails = [value.strip().lower() if isinstance(value, str) else "" for value in values]
    if not all(_EMAIL.fullmatch(email) for email in emails):
        raise table.refuse(key, allowed)
    return tuple(dict.fromkeys(emails))


def _condition(table: Table) -> AccountCondition:
    subject = table.text(
        "subject", "a column of account_360, label:<key>, value:<key>, event:<key>"
    )
    given = table.values.get("value")
    if isinstance(given, bool):
        kind, operators = FLAG, ("=", "!=")
    elif isinstance(given, str | list):
        kind, operators = TEXT, OPERATORS[TEXT]
    elif isinstance(given, date):
        kind, operators = DATE, OPERATORS[DATE]
    else:
        kind, operators = NUMBER, OPERATORS[NUMBER]
    operator = table.values.get("operator")
    if operator not in operators:
        allowed = f"for {kind} {' '.join(operators)}"
        raise table.refuse("operator", allowed, near(operator, operators))
    value = {
        FLAG: lambda: bool(given),
        TEXT: lambda: read_texts(table, a_list=operator in ("in", "not in")),
        DATE: lambda: table.day("value"),
        NUMBER: lambda: table.number("value", "a number, a text, a date, or true or false"),
    }[kind]()
    return AccountCondition(subject, operator, value, f"{table.file}, {table.place}")
