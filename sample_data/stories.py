"""The scripted subscription stories: one function per awkward thing that customers do.

Each takes the book of its account and the day of its first record, and returns dated records.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from itertools import chain, repeat

from sample_data.calendar import add_months, at
from sample_data.subscriptions import Book, Story, Term, changing


def _then(*modes: str) -> Iterator[str]:
    return chain(modes, repeat("in_time"))


def _anniversary(book: Book, start: date, months_ago: int) -> date:
    """Return a start whose anniversary lies that many months before the as-of date."""
    expiry = add_months(book.calendar.as_of, -months_ago)
    while add_months(expiry, -12) > start:
        expiry = add_months(expiry, -12)
    return expiry if expiry > start else start


def plan_change(book: Book, start: date) -> list[Term]:
    """A better plan: a new dated record of the same subscription."""
    return changing(book, start, step=1)


def downgrade(book: Book, start: date) -> list[Term]:
    """Half the seats and a lower plan."""
    first = book.term(1, start, "scale")
    return [first, book.term(1, book.calendar.ago(75), "growth")]


def overlap(book: Book, start: date) -> list[Term]:
    """Two subscriptions side by side for two months while the customer migrates."""
    switch = book.calendar.ago(200)
    old = book.term(1, start, "starter", end=switch + timedelta(days=61))
    return [
        replace(old, end_known=at(switch, book.rng)),
        book.term(2, switch, "growth"),
    ]


def lapsed(book: Book, start: date) -> list[Term]:
    """An expiry that nobody renewed; the account is not churned."""
    return book.annual(1, _anniversary(book, start, 16), "starter", iter(("lapse",)))


def lapsed_and_back(book: Book, start: date) -> list[Term]:
    """The same subscription comes back three months after its expiry."""
    first = book.annual(1, _anniversary(book, start, 19), "starter", iter(("lapse",)))[0]
    back = first.expiration + timedelta(days=96)
    return [first, *book.annual(1, back, "growth", repeat("in_time"))]


def lapsed_and_new(book: Book, start: date) -> list[Term]:
    """An ended subscription, a gap of two months, and then another subscription."""
    end = book.calendar.ago(170)
    first = book.term(1, start, "growth", end=end)
    return [
        replace(first, end_known=at(end - timedelta(days=8), book.rng)),
        book.term(2, end + timedelta(days=64), "growth"),
    ]


def _renewed(mode: str) -> Story:
    def story(book: Book, start: date) -> list[Term]:
        return book.annual(1, _anniversary(book, start, 15), "growth", repeat(mode))

    return story


def renewed_elsewhere(book: Book, start: date) -> list[Term]:
    """A renewal under another subscription id, marked is_renewal."""
    first = book.annual(1, _anniversary(book, start, 14), "growth", iter(("lapse",)))[0]
    follow = book.annual(2, first.expiration, "growth", repeat("in_time"))
    return [first, replace(follow[0], is_renewal=True), *follow[1:]]


def open_renewal(book: Book, start: date) -> list[Term]:
    """An expiry eight days ago that is neither renewed nor given up yet."""
    expiry = book.calendar.ago(8)
    begin = add_months(expiry, -12)
    term = book.annual(1, begin, "growth", iter(("lapse",)))[0]
    before = book.term(1, min(start, add_months(begin, -3)), "growth", expiration=begin)
    return [before, replace(term, is_renewal=True, expiration=expiry)]


def addon_included(book: Book, start: date) -> list[Term]:
    """1,000.00 and an add-on of 200.00 in one amount for twelve months."""
    terms = book.annual(1, _anniversary(book, start, 13), "starter", repeat("in_time"))
    return [replace(term, cents=120000, plan="starter+analytics") for term in terms]


def addon_separate(book: Book, start: date) -> list[Term]:
    """Add-ons as subscriptions of their own, one of them given up again."""
    dropped = book.term(3, book.calendar.ago(220), "addon-carbon", cents=12900)
    end = book.calendar.ago(64)
    return [
        *book.annual(1, start, "growth", repeat("in_time")),
        book.term(2, book.calendar.ago(300), "addon-analytics", cents=9900),
        replace(dropped, end=end, end_known=at(end - timedelta(days=5), book.rng)),
    ]


def trial_converted(book: Book, start: date) -> list[Term]:
    """A free trial of a month, and then the real thing."""
    end = start + timedelta(days=30)
    trial = book.term(1, start, "trial", end=end)
    return [replace(trial, end_known=trial.signed), book.term(2, end, "growth")]


def trial_only(book: Book, start: date) -> list[Term]:
    """A trial that still runs."""
    return [book.term(1, start, "trial", expiration=book.calendar.as_of + timedelta(days=20))]


def paid_trial(book: Book, start: date) -> list[Term]:
    """A trial with a price: money, but not MRR."""
    end = start + timedelta(days=60)
    trial = book.term(1, start, "trial", cents=9900, end=end)
    return [replace(trial, end_known=trial.signed), book.term(2, end, "starter")]


def free(book: Book, start: date) -> list[Term]:
    """A free plan: an active subscription with MRR 0, later a paid one beside it."""
    return [book.term(1, start, "free"), book.term(2, book.calendar.ago(100), "starter")]


def is_end_record(book: Book, start: date) -> list[Term]:
    """A record that only says that its subscription ends; another one goes on."""
    end = add_months(book.calendar.as_of.replace(day=1), -3)
    return [
        book.term(1, start, "starter"),
        book.term(1, end, "starter", cents=0, is_end=True),
        book.term(2, book.calendar.ago(340), "addon-analytics", cents=4900),
    ]


def negative_amount(book: Book, start: date) -> list[Term]:
    """A partner rebate kept as a subscription of its own, with a negative amount."""
    return [
        book.term(1, start, "scale"),
        book.term(2, book.calendar.ago(280), "partner-rebate", cents=-15000),
    ]


def within_one_month(book: Book, start: date) -> list[Term]:
    """A pilot that starts and ends in one month: it touches no month's boundary."""
    begin = add_months(book.calendar.as_of.replace(day=4), -1)
    pilot = book.term(1, begin, "starter", end=begin + timedelta(days=20))
    return [replace(pilot, end_known=at(begin + timedelta(days=14), book.rng))]


def foreign_currency(book: Book, start: date) -> list[Term]:
    """A euro account, one of whose subscriptions is billed in dollars."""
    return [
        *book.annual(1, start, "growth", repeat("in_time")),
        book.term(2, book.calendar.ago(310), "addon-analytics", cents=9900, currency="USD"),
    ]


def currency_switch(book: Book, start: date) -> list[Term]:
    """A subscription that moves from dollars to euros and renews there at the same price."""
    switch = book.calendar.ago(400)
    later = add_months(switch, 12)
    return [
        book.term(1, start, "growth", currency="USD"),
        book.term(1, switch, "growth", cents=52000, currency="EUR"),
        book.term(1, later, "growth", cents=52000, currency="EUR", is_renewal=True),
    ]


def provisional_loss(book: Book, start: date) -> list[Term]:
    """An end two days before the as-of date, still within the days of grace."""
    end = book.calendar.ago(2)
    term = book.term(1, start, "starter", end=end)
    return [replace(term, end_known=at(end - timedelta(days=6), book.rng))]


def starts_later(book: Book, start: date) -> list[Term]:
    """A bigger plan that is signed but starts only next month."""
    later = add_months(book.calendar.as_of.replace(day=1), 1)
    signed = at(book.calendar.ago(6), book.rng)
    return [
        book.term(1, start, "growth"),
        book.term(1, later, "scale", signed=signed),
    ]


def announced_end(book: Book, start: date) -> list[Term]:
    """A notice given last week: the end is known, and lies ahead."""
    end = book.calendar.as_of + timedelta(days=30)
    term = book.term(1, start, "enterprise", end=end)
    return [replace(term, end_known=at(book.calendar.ago(5), book.rng))]


def odd_cycles(book: Book, start: date) -> list[Term]:
    """Cycles of two years, a quarter, four weeks and thirty days at once."""
    ago = book.calendar.ago
    return [
        book.term(1, start, "scale", cents=2400000, length=2, unit="year"),
        book.term(2, ago(320), "addon-carbon", cents=29700, length=1, unit="quarter"),
        book.term(3, ago(250), "addon-analytics", cents=5200, length=4, unit="week"),
        book.term(4, ago(180), "addon-edi", cents=3650, length=30, unit="day"),
    ]


def grace_across_subscriptions(book: Book, start: date) -> list[Term]:
    """One subscription ends on the last of a month, another starts on the second of the next."""
    first = add_months(book.calendar.as_of.replace(day=1), -5)
    old = book.term(1, start, "growth", end=first - timedelta(days=1))
    known = at(first - timedelta(days=9), book.rng)
    return [replace(old, end_known=known), book.term(2, first + timedelta(days=1), "growth")]


STORIES: dict[str, Story] = {
    "plan_change": plan_change,
    "downgrade": downgrade,
    "overlap": overlap,
    "lapsed": lapsed,
    "lapsed_and_back": lapsed_and_back,
    "lapsed_and_new": lapsed_and_new,
    "renewed_in_time": _renewed("in_time"),
    "renewed_early": _renewed("early"),
    "renewed_late": _renewed("late"),
    "renewed_in_grace": _renewed("grace"),
    "renewed_elsewhere": renewed_elsewhere,
    "open_renewal": open_renewal,
    "addon_included": addon_included,
    "addon_separate": addon_separate,
    "trial_converted": trial_converted,
    "trial_only": trial_only,
    "paid_trial": paid_trial,
    "free": free,
    "is_end_record": is_end_record,
    "negative_amount": negative_amount,
    "within_one_month": within_one_month,
    "foreign_currency": foreign_currency,
    "currency_switch": currency_switch,
    "provisional_loss": provisional_loss,
    "starts_later": starts_later,
    "announced_end": announced_end,
    "odd_cycles": odd_cycles,
    "grace_across_subscriptions": grace_across_subscriptions,
}
"""Story name (see `company.BILLING_STORIES`) → the function that tells it."""
