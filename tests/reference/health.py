"""Health scores and rule alerts, day by day and account by account, from the specification alone.

Slow and plain: fractions, dictionaries, and a state machine that walks through the days. It shares
no code with the models, and none with the room that reads the settings files.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from math import floor

CHILDREN = "children_mean"
HEALTH = "health_score"
ATTRIBUTES = ("tier", "employees", "event:kickoff")

Value = Fraction | str | date


@dataclass(frozen=True)
class Ask:
    """What is asked of an account and day: a subject, and how it is summed up over days."""

    subject: str
    over: str | None = None  # mean, sum, change_pct
    days: int | None = None
    per: str | None = None


@dataclass(frozen=True)
class Condition:
    """An ask, an operator, and what it is compared with."""

    ask: Ask
    operator: str
    value: Decimal | str | date | tuple[str, ...]


@dataclass(frozen=True)
class Metric:
    """An ask on a scale from 0 points at `minimum` to 100 at `maximum`."""

    ask: Ask
    minimum: Decimal
    maximum: Decimal


@dataclass(frozen=True)
class Component:
    """Metrics of equal weight."""

    name: str
    weight: Decimal
    metrics: tuple[Metric, ...]


@dataclass(frozen=True)
class Configuration:
    """How a segment is scored; the default has no conditions."""

    name: str
    rank: int
    segment: tuple[Condition, ...]
    components: tuple[Component, ...]


@dataclass(frozen=True)
class Rule:
    """When alerts are triggered."""

    name: str
    conditions: tuple[Condition, ...]
    retrigger_days: int
    active_from: date


@dataclass(frozen=True)
class Span:
    """What an attribute was, from a day until another."""

    first: date
    until: date | None
    value: Value


@dataclass
class Account:
    """What is known of an account. `figures` hold for a figure and day."""

    account_id: str
    first_day: date
    churn_date: date | None = None
    figures: dict[tuple[str, date], Fraction] = field(default_factory=dict)
    attributes: dict[str, tuple[Span, ...]] = field(default_factory=dict)


@dataclass
class World:
    """Accounts and what is asked of them, as of a date."""

    as_of: date
    history_days: int
    accounts: tuple[Account, ...]
    configurations: tuple[Configuration, ...]
    rules: tuple[Rule, ...]
    # alert_id → the day on which the CRM says that it was closed
    answers: dict[str, date]


def half_up(number: Fraction, places: int = 0) -> Fraction:
    """Round to so many decimals, a tie away from zero."""
    scaled = abs(number) * 10**places
    rounded = Fraction(floor(scaled + Fraction(1, 2)), 10**places)
    return rounded if number >= 0 else -rounded


def days_of(account: Account, as_of: date) -> list[date]:
    """The days of the account's history."""
    count = (as_of - account.first_day).days
    return [account.first_day + timedelta(days=n) for n in range(count)]


def attribute(account: Account, name: str, day: date) -> Value | None:
    """What an attribute was on a day."""
    for span in account.attributes.get(name, ()):
        if span.first <= day and (span.until is None or day < span.until):
            return span.value
    return None


def counts(account: Account, day: date, as_of: date) -> bool:
    """Whether the account exists on the day and has not churned by it."""
    if not account.first_day <= day < as_of:
        return False
    if account.churn_date is not None and day >= account.churn_date:
        return False
    return attribute(account, "is_churned", day) != 1


class Health:
    """The scores of a world."""

    def __init__(self, world: World) -> None:
        """Know the accounts by id."""
        self.world = world
        self._scores: dict[tuple[str, date, bool], tuple | None] = {}

    def figure(self, account: Account, name: str, day: date) -> Fraction | None:
        """The value of a figure on a day of the account's history."""
        if not account.first_day <= day < self.world.as_of:
            return None
        if name == HEALTH:
            scored = self.score(account, day)
            return None if scored is None else Fraction(scored["health_score"])
        value = account.figures.get((name, day))
        if value is None and name.startswith(("module:", "feature:")):
            return Fraction(0)
        return value

    def answer(self, account: Account, ask: Ask, day: date) -> Value | None:
        """What the account answers on the day; None where nothing is known."""
        if ask.subject in ATTRIBUTES:
            value = attribute(account, ask.subject, day)
            return value.strip().lower() if isinstance(value, str) else value
        if ask.over is None:
            return self.figure(account, ask.subject, day)
        if ask.over == "change_pct":
            now = self.figure(account, ask.subject, day)
            then = self.figure(account, ask.subject, day - timedelta(days=ask.days))
            if now is None or not then:
                return None
            return half_up(100 * (now - then) / abs(then), 6)
        window = [day - timedelta(days=n) for n in range(ask.days)]
        values = [v for d in window if (v := self.figure(account, ask.subject, d)) is not None]
        if not values:
            return None
        if ask.per is not None:
            bases = [v for d in window if (v := self.figure(account, ask.per, d)) is not None]
            return half_up(sum(values) / sum(bases), 6) if bases and sum(bases) != 0 else None
        if ask.over == "mean":
            return half_up(sum(values, Fraction(0)) / len(values), 6)
        return sum(values, Fraction(0)) if window[-1] >= account.first_day else None

    def holds(self, account: Account, condition: Condition, day: date) -> bool:
        """Whether a condition holds; a missing answer fulfils none."""
        answer = self.answer(account, condition.ask, day)
        if answer is None:
            return False
        value = condition.value
        if isinstance(value, Decimal):
            value = Fraction(value)
        match condition.operator:
            case "<":
                return answer < value
            case "<=":
                return answer <= value
            case ">":
                return answer > value
            case ">=":
                return answer >= value
            case "=":
                return answer == (value.lower() if isinstance(value, str) else value)
            case "!=":
                return answer != (value.lower() if isinstance(value, str) else value)
            case "in":
                return answer in [text.lower() for text in value]
            case "not in":
                return answer not in [text.lower() for text in value]
        raise AssertionError(condition.operator)

    def all_hold(self, account: Account, conditions: Iterable[Condition], day: date) -> bool:
        """Whether all conditions hold."""
        return all(self.holds(account, condition, day) for condition in conditions)

    def children_mean(self, account: Account, day: date) -> Fraction | None:
        """The mean of the children's scores, without what they have from their own children."""
        scores = [
            Fraction(scored["health_score"])
            for child in self.world.accounts
            if child is not account
            and attribute(child, "parent_account_id", day) == account.account_id
            and (scored := self.score(child, day, with_children=False)) is not None
        ]
        return half_up(sum(scores) / len(scores), 6) if scores else None

    def points(
        self, account: Account, metric: Metric, day: date, *, with_children: bool
    ) -> Fraction | None:
        """Where a metric lies on its scale."""
        if metric.ask.subject == CHILDREN:
            value = self.children_mean(account, day) if with_children else None
        else:
            value = self.answer(account, metric.ask, day)
        if value is None:
            return None
        low, high = Fraction(metric.minimum), Fraction(metric.maximum)
        share = (value - low) / (high - low)
        return half_up(100 * min(max(share, Fraction(0)), Fraction(1)), 6)

    def score(self, account: Account, day: date, *, with_children: bool = True) -> dict | None:
        """The score of an account on a day, with its parts; None where nothing is known."""
        key = (account.account_id, day, with_children)
        if key not in self._scores:
            self._scores[key] = self._score(account, day, with_children)
        return self._scores[key]

    def _score(self, account: Account, day: date, with_children: bool) -> dict | None:
        if not counts(account, day, self.world.as_of):
            return None
        configuration = next(
            one
            for one in sorted(self.world.configurations, key=lambda one: one.rank)
            if self.all_hold(account, one.segment, day)
        )
        components, missing = {}, set()
        for component in configuration.components:
            known = []
            for metric in component.metrics:
                points = self.points(account, metric, day, with_children=with_children)
                if points is None:
                    missing.add(in_words(metric.ask))
                else:
                    known.append(points)
            components[component.name] = half_up(sum(known) / len(known)) if known else None
        scored = [
            (Fraction(component.weight), components[component.name])
            for component in configuration.components
            if components[component.name] is not None
        ]
        if not scored:
            return None
        exact = sum(weight * points for weight, points in scored) / sum(w for w, _ in scored)
        score = int(half_up(exact))
        return {
            "health_score": score,
            "health_band": "unhealthy" if score <= 30 else "neutral" if score <= 70 else "healthy",
            "configuration": configuration.name,
            "missing_metrics": sorted(missing),
            "exact": exact,
            "components": components,
        }


def in_words(ask: Ask) -> str:
    """An ask as `missing_metrics` lists it."""
    if ask.per:
        return f"{ask.subject} per {ask.per} over {ask.days} days"
    if ask.over == "change_pct":
        return f"change of {ask.subject} over {ask.days} days in %"
    return f"{ask.over} of {ask.subject} over {ask.days} days" if ask.over else ask.subject


def alerts(world: World) -> list[dict]:
    """The alerts of all rules, by walking through the days."""
    health = Health(world)
    found = []
    for rule in world.rules:
        for account in world.accounts:
            found.extend(_walk(world, health, rule, account))
    return sorted(found, key=lambda alert: alert["alert_id"])


def _walk(world: World, health: Health, rule: Rule, account: Account) -> list[dict]:
    found: list[dict] = []
    is_open, last = None, None
    for day in days_of(account, world.as_of):
        if day < rule.active_from:
            continue
        held = counts(account, day, world.as_of) and health.all_hold(account, rule.conditions, day)
        if is_open is not None:
            answered = world.answers.get(is_open["alert_id"])
            if answered is not None and answered <= day:
                is_open.update(closed_on=answered, closed_by="crm")
                is_open = None
            elif not held:
                is_open.update(closed_on=day, closed_by="rule")
                is_open = None
        waited = last is None or (day - last).days >= rule.retrigger_days
        if held and is_open is None and waited:
            is_open = {
                "alert_id": f"rule:{rule.name}:{account.account_id}:{day}",
                "triggered_on": day,
                "closed_on": None,
                "closed_by": None,
            }
            found.append(is_open)
            last = day
            # closed on the very day, it does not come back on it
            answered = world.answers.get(is_open["alert_id"])
            if answered == day:
                is_open.update(closed_on=answered, closed_by="crm")
                is_open = None
    return found
