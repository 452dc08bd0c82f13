"""Hypothesis strategies for small worlds of accounts, health configurations and alert rules.

Few figures of few values over few days: thresholds are met exactly, windows reach over the edges of
the history, values are missing, and alerts come and go.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from hypothesis import strategies as st

from tests.reference.health import (
    CHILDREN,
    HEALTH,
    Account,
    Ask,
    Component,
    Condition,
    Configuration,
    Metric,
    Rule,
    Span,
    World,
)

AS_OF = date(2024, 6, 10)
FIRST_DAY = AS_OF - timedelta(days=24)
FIGURES = ("dau", "ending_mrr", "custom:storage", "feature:App/Reports/export")
TIERS = ("Tier 1", " tier 2", "TIER 3")

days = st.dates(FIRST_DAY, AS_OF - timedelta(days=1))
numbers = st.sampled_from(["0", "0", "1", "2", "0.5", "1.25", "3", "10", "-2", "33.3"]).map(Decimal)
bounds = st.sampled_from(["0", "1", "2", "3", "10", "-2", "0.3", "33.3"]).map(Decimal)


def asks(subjects: tuple[str, ...]) -> st.SearchStrategy[Ask]:
    """A figure of the day or over days, or an attribute that is a number."""
    windows = st.builds(
        Ask,
        st.sampled_from(subjects),
        st.sampled_from(["mean", "sum", "change_pct"]),
        st.integers(1, 6),
    )
    ratios = st.builds(
        Ask, st.sampled_from(subjects), st.just("sum"), st.integers(1, 6), st.sampled_from(subjects)
    )
    return st.one_of(
        st.builds(Ask, st.sampled_from((*subjects, "employees"))), windows, windows, ratios
    )


def conditions(subjects: tuple[str, ...]) -> st.SearchStrategy[tuple[Condition, ...]]:
    """One to three conditions, mostly over figures."""
    over_numbers = st.builds(
        Condition,
        asks(subjects),
        st.sampled_from(["<", "<=", "=", "!=", ">=", ">"]),
        bounds if HEALTH not in subjects else st.one_of(bounds, st.just(Decimal(50))),
    )
    over_texts = st.one_of(
        st.builds(
            Condition,
            st.just(Ask("tier")),
            st.sampled_from(["in", "not in"]),
            st.lists(st.sampled_from(["tier 1", "Tier 2"]), min_size=1, max_size=2).map(tuple),
        ),
        st.builds(
            Condition,
            st.just(Ask("tier")),
            st.sampled_from(["=", "!="]),
            st.sampled_from(["tier 1", "Tier 3"]),
        ),
    )
    over_dates = st.builds(
        Condition,
        st.just(Ask("event:kickoff")),
        st.sampled_from(["<", "<=", "=", "!=", ">=", ">"]),
        st.sampled_from([date(2024, 5, 1), date(2024, 6, 1)]),
    )
    one = st.one_of(over_numbers, over_numbers, over_numbers, over_texts, over_dates)
    return st.lists(one, min_size=1, max_size=3).map(tuple)


@st.composite
def configurations(draw: st.DrawFn) -> tuple[Configuration, ...]:
    """One default, and up to two with a segment before it."""
    found = []
    count = draw(st.integers(1, 3))
    for number in range(1, count + 1):
        components = []
        for position in range(draw(st.integers(1, 3))):
            children = st.just(Ask(CHILDREN))
            chosen = draw(
                st.lists(
                    st.one_of(asks(FIGURES), asks(FIGURES), children),
                    min_size=1,
                    max_size=3,
                    unique=True,
                )
            )
            metrics = []
            for ask in chosen:
                low, high = draw(st.tuples(bounds, bounds).filter(lambda pair: pair[0] != pair[1]))
                scale = (Decimal(0), Decimal(100)) if ask.subject == CHILDREN else (low, high)
                metrics.append(Metric(ask, *scale))
            weight = draw(st.sampled_from(["1", "2", "3", "0.5", "0.333333"]).map(Decimal))
            components.append(Component(f"part {position}", weight, tuple(metrics)))
        segment = draw(conditions(FIGURES)) if number < count else ()
        found.append(Configuration(f"number {number}", number, segment, tuple(components)))
    return tuple(found)


@st.composite
def spans(draw: st.DrawFn, values: st.SearchStrategy) -> tuple[Span, ...]:
    """What an attribute was, with gaps."""
    starts = sorted(draw(st.lists(days, max_size=3, unique=True)))
    ends = [*starts, None][1:]
    return tuple(
        Span(start, end, draw(values))
        for start, end in zip(starts, ends, strict=True)
        if draw(st.integers(0, 4))
    )


@st.composite
def accounts(draw: st.DrawFn, account_id: str) -> Account:
    """An account with figures that stay for a while and then change or go missing."""
    first = draw(st.one_of(st.just(FIRST_DAY), days))
    figures = {}
    for figure in FIGURES:
        value: Decimal | None = None
        for number in range((AS_OF - FIRST_DAY).days):
            if draw(st.integers(0, 2)) == 0:
                value = draw(st.one_of(numbers, numbers, numbers, st.none()))
            if value is not None:
                figures[figure, FIRST_DAY + timedelta(days=number)] = Fraction(value)
    kickoffs = st.sampled_from([date(2024, 5, 1), date(2024, 6, 1), date(2024, 6, 2)])
    churned = st.sampled_from([Fraction(0), Fraction(0), Fraction(1)])
    return Account(
        account_id,
        first,
        draw(st.one_of(st.none(), st.none(), st.none(), days)),
        figures,
        {
            "tier": draw(spans(st.sampled_from(TIERS))),
            "employees": draw(spans(numbers.map(Fraction))),
            "event:kickoff": draw(spans(kickoffs)),
            "is_churned": draw(st.one_of(st.just(()), spans(churned))),
            "parent_account_id": draw(spans(st.sampled_from(["a", "b", "c", "nobody"]))),
        },
    )


@st.composite
def rules(draw: st.DrawFn, number: int) -> Rule:
    """A rule over anything, or one over a figure of the day: its alerts come and go."""
    restless = st.builds(
        Condition,
        st.builds(Ask, st.sampled_from((*FIGURES, HEALTH))),
        st.sampled_from(["<", ">=", "!="]),
        st.sampled_from([Decimal(1), Decimal(2), Decimal(50)]),
    ).map(lambda condition: (condition,))
    return Rule(
        f"rule_{number}",
        draw(st.one_of(restless, restless, conditions((*FIGURES, HEALTH)))),
        draw(st.integers(1, 6)),
        draw(st.dates(FIRST_DAY + timedelta(days=6), AS_OF + timedelta(days=1))),
    )


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Three accounts, configurations and rules, and a CRM that closes some of the alerts."""
    found_rules = tuple(draw(rules(number)) for number in range(draw(st.integers(1, 3))))
    found = tuple(draw(accounts(account_id)) for account_id in ("a", "b", "c"))
    # answers to alerts that nobody triggered are none: most of these are
    chance = draw(st.randoms(use_true_random=False))
    answers = {
        f"rule:{rule.name}:{account.account_id}:{FIRST_DAY + timedelta(days=number)}": (
            FIRST_DAY + timedelta(days=number + chance.randint(0, 4))
        )
        for rule in found_rules
        for account in found
        for number in range((AS_OF - FIRST_DAY).days)
        if chance.random() < 0.3
    }
    return World(
        as_of=AS_OF,
        history_days=draw(st.integers(1, 8)),
        accounts=found,
        configurations=draw(configurations()),
        rules=found_rules,
        answers={alert: day for alert, day in answers.items() if day < AS_OF},
    )
