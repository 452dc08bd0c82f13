"""Subscriptions: dated records per account, scripted stories first, ordinary customers by weight.

Amounts are integer cents until they become decimals with two places, so that no float ever shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import repeat
from random import Random

from sample_data.calendar import Calendar, add_months, at
from sample_data.company import Account, World
from sample_data.drafts import Drafts

_PLANS = {
    "starter": (7900, 900),
    "growth": (34900, 1450),
    "scale": (129000, 1900),
    "enterprise": (490000, 2400),
}
_LADDER = tuple(_PLANS)
_FIRST_PLAN = {"small": "starter", "medium": "growth", "large": "enterprise"}
_MONTHS_TIMES_12 = {"month": 12, "quarter": 36, "year": 144}
_ANNUAL_MODES = ("in_time",) * 15 + ("early", "late", "grace")


def money(cents: int) -> Decimal:
    """Return cents as a decimal amount with two places."""
    return Decimal(cents).scaleb(-2)


@dataclass(frozen=True)
class Term:
    """One dated record of a subscription. `cents` is the amount of one cycle."""

    subscription_id: str
    start: date
    cents: int
    plan: str
    signed: datetime
    expiration: date | None = None
    length: int = 1
    unit: str = "month"
    currency: str | None = None
    is_renewal: bool = False
    is_end: bool = False
    end: date | None = None
    end_known: datetime | None = None

    def monthly_cents(self) -> int:
        """The amount of a month, rounded down to cents: for the claims of the CRM, not a figure."""
        if self.unit in _MONTHS_TIMES_12:
            return self.cents * 12 // (self.length * _MONTHS_TIMES_12[self.unit])
        per_year = 52 if self.unit == "week" else 365
        return self.cents * per_year // (12 * self.length)

    def ends(self) -> date | None:
        """The day it ends without renewal, if any."""
        return self.end or self.expiration


@dataclass
class Book:
    """Helps a story to write the terms of one account."""

    account: Account
    calendar: Calendar
    rng: Random

    def monthly(self, plan: str, seats: int | None = None) -> int:
        """Return the price of a month in cents: a base fee and a fee per user."""
        base, seat = _PLANS[plan]
        return base + seat * (len(self.account.users) if seats is None else seats)

    def term(self, sub: int, start: date, plan: str, **changes: object) -> Term:
        """Return a monthly, open-ended record; `changes` overrides any of its fields."""
        code = self.account.account_id.removeprefix("ACC-")
        term = Term(
            f"SUB-{code}-{sub}",
            start,
            self.monthly(plan) if plan in _PLANS else 0,
            plan,
            at(start - timedelta(days=self.rng.randint(0, 4)), self.rng),
            currency=self.account.currency,
        )
        return replace(term, **changes)

    def annual(
        self, sub: int, start: date, plan: str, modes: Iterator[str], monthly: int | None = None
    ) -> list[Term]:
        """Return yearly records, each renewed in the next of `modes`; 'lapse' ends the chain."""
        terms: list[Term] = []
        cents = (monthly or self.monthly(plan)) * 12 * 9 // 10
        expiration = add_months(start, 12)
        signed = at(start - timedelta(days=self.rng.randint(0, 9)), self.rng)
        while True:
            terms.append(
                self.term(
                    sub,
                    start,
                    plan,
                    cents=cents,
                    length=12,
                    expiration=expiration,
                    is_renewal=bool(terms),
                    signed=signed,
                )
            )
            mode = next(modes) if expiration < self.calendar.as_of + timedelta(days=60) else "lapse"
            if mode == "lapse":
                return terms
            start, signed = self._renewal(expiration, mode)
            # A raise now and then, and in steps of whole dollars, so that prices look like prices.
            raise_pct = self.rng.choice((0, 0, 3, 5, 8))
            cents = cents * (100 + raise_pct) // 10000 * 100 if raise_pct else cents
            expiration = add_months(start, 12)

    def _renewal(self, expiration: date, mode: str) -> tuple[date, datetime]:
        if mode == "early":
            start = expiration - timedelta(days=self.rng.randint(10, 70))
            return start, at(start - timedelta(days=2), self.rng)
        if mode == "late":
            start = expiration + timedelta(days=self.rng.randint(6, 27))
            return start, at(start, self.rng)
        if mode == "grace":
            start = expiration + timedelta(days=self.rng.randint(1, 3))
            return start, at(start, self.rng)
        return expiration, at(expiration - timedelta(days=self.rng.randint(3, 45)), self.rng)


Story = Callable[[Book, date], list[Term]]


def _neighbour(plan: str, step: int) -> str:
    return _LADDER[min(max(_LADDER.index(plan) + step, 0), len(_LADDER) - 1)]


def changing(book: Book, start: date, step: int = 0) -> list[Term]:
    """Tell a monthly subscription with new dated records: other seats, and another plan."""
    plan = _FIRST_PLAN[book.account.size]
    terms, seats = [], max(1, len(book.account.users) // 2)
    while start < book.calendar.as_of:
        terms.append(book.term(1, start, plan, cents=book.monthly(plan, seats)))
        start = add_months(start, book.rng.randint(5, 13)).replace(day=book.rng.choice((1, 1, 15)))
        move = step if step and len(terms) == 1 else book.rng.choices((0, 1, -1), (7, 2, 1))[0]
        plan = _neighbour(plan, move)
        seats = max(1, seats + book.rng.randint(-1, 3))
    return terms


def ordinary(book: Book, start: date) -> list[Term]:
    """Tell an ordinary customer: yearly, monthly, quarterly or free, with trials and add-ons."""
    kind = book.rng.choices(("annual", "monthly", "quarterly", "free"), (50, 35, 10, 5))[0]
    plan = _FIRST_PLAN[book.account.size]
    if kind == "free":
        return [book.term(1, start, "free")]
    if kind == "monthly":
        terms = changing(book, start)
    elif kind == "quarterly":
        price = book.monthly(plan) * 3
        terms = [book.term(1, start, plan, cents=price, length=1, unit="quarter")]
    else:
        terms = book.annual(1, start, plan, iter(book.rng.choices(_ANNUAL_MODES, k=9)))
    if book.rng.random() < 0.2:
        since = start + timedelta(days=book.rng.randint(40, 200))
        terms.append(book.term(2, since, "addon-analytics", cents=book.rng.choice((4900, 9900))))
    return terms


def subscription_terms(world: World, account: Account, stories: dict[str, Story]) -> list[Term]:
    """Return all records of an account, cut at the days on which it stopped being a customer."""
    book = Book(account, world.calendar, world.rng("subscriptions", account.number))
    start = account.join_date + timedelta(days=book.rng.randint(0, 12))
    terms = stories.get(account.billing, ordinary)(book, start)
    # Billing knows nothing of a merger in the CRM: the old account's subscriptions go on.
    if account.ended and not account.merged_into:
        terms = _cut(book, terms, account.ended)
    if account.returned:
        terms += book.annual(3, account.returned, "growth", repeat("in_time"))
    return terms


def _cut(book: Book, terms: list[Term], on: date) -> list[Term]:
    """End every subscription on a day; nothing is left of records that start on it or later."""
    begun = [term for term in terms if term.start < on and term.signed.date() < on]
    last = {term.subscription_id: term.start for term in begun}
    for index, term in enumerate(begun):
        ends = term.ends()
        is_open = ends is None or ends > on
        if is_open and term.start == last[term.subscription_id]:
            known = at(on - timedelta(days=book.rng.randint(0, 12)), book.rng)
            begun[index] = replace(term, end=on, end_known=max(known, term.signed))
    return begun


def claimed_mrr(terms: list[Term], day: date) -> int:
    """Return what the CRM would claim as monthly revenue that day, in cents."""
    current: dict[str, Term] = {}
    for term in terms:
        if term.start <= day and term.plan != "trial":
            known = current.get(term.subscription_id)
            if known is None or known.start <= term.start:
                current[term.subscription_id] = term
    live = (term for term in current.values() if term.ends() is None or term.ends() > day)
    return sum(term.monthly_cents() for term in live if not term.is_end)


def put_subscriptions(account: Account, terms: list[Term], drafts: Drafts) -> None:
    """Put every term as the source knew it: when it was signed, and when its end was entered."""
    for term in terms:
        record = {
            "subscription_id": term.subscription_id,
            "account_id": account.account_id,
            "start_date": term.start,
            "end_date": None,
            "expiration_date": term.expiration,
            "cycle_length": term.length,
            "cycle_unit": term.unit,
            "plan_code": term.plan,
            "total_revenue": money(term.cents),
            "currency": term.currency,
            "is_renewal": term.is_renewal,
            "is_end": term.is_end,
            "updated_at": term.signed,
        }
        note = f"account {account.account_id}"
        case = None if account.billing == "ordinary" else f"subscription_{account.billing}"
        drafts.put("subscriptions", record, term.signed, case=case, note=note)
        if term.end is not None:
            known = term.end_known or term.signed
            ended = {**record, "end_date": term.end, "updated_at": known}
            drafts.put("subscriptions", ended, known, case=case, note=note)
