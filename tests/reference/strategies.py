"""Hypothesis strategies for small random worlds of accounts, subscriptions and invoices.

The worlds are dense: the dates of new records are drawn near those of earlier ones, so that
replacements, grace at its edges, reactivations and provisional losses all occur often.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from .financials import (
    Account,
    FxRate,
    Invoice,
    InvoiceLine,
    Settings,
    SubscriptionRecord,
    World,
    first_of_month,
    last_of_month,
)

FIRST_DAY = date(2023, 1, 1)
LAST_DAY = date(2024, 6, 30)
LAST_START = date(2023, 10, 31)
FIRST_RATE_DAY = date(2022, 11, 1)
CURRENCIES = ("USD", "EUR", "GBP")
TIME_ZONES = ("UTC", "America/Los_Angeles", "Pacific/Auckland", "Europe/Berlin")
TRIAL_PLAN = "trial"

# Amounts of a few ten-thousandths land on a half when they are divided by a cycle's months.
AMOUNTS = [
    *[Decimal("100")] * 4,
    *[Decimal("1200"), Decimal("1200"), Decimal("120"), Decimal("60"), Decimal("300")],
    *[Decimal("250.50"), Decimal("99.99"), Decimal("1000.01"), Decimal("12345.6789")],
    *[Decimal("0"), Decimal("0.0005"), Decimal("0.0006"), Decimal("0.0003")],
    *[Decimal("-30"), Decimal("-100"), Decimal("-0.0005")],
]
CYCLES = [
    *[(1, "month")] * 6,
    *[(12, "month"), (1, "year"), (1, "quarter")] * 2,
    *[(2, "month"), (3, "month"), (2, "year"), (2, "quarter"), (1, "week"), (4, "week")],
    *[(1, "day"), (30, "day"), (365, "day"), (7, "month")],
]


@dataclass(frozen=True)
class _Options:
    """What is drawn before the records, because their dates and amounts follow from it."""

    grace_days: int
    reporting_currency: str
    accounts: tuple[str, ...]
    currencies: tuple[str | None, ...]


def _days_between(first: date, last: date) -> st.SearchStrategy[date]:
    return st.dates(min_value=first, max_value=last)


def _inside(day: date) -> date:
    return min(max(day, FIRST_DAY), LAST_DAY)


def _days_later(day: date, days: int) -> date:
    return _inside(day + timedelta(days=days))


def _near(anchors: Sequence[date], grace_days: int) -> st.SearchStrategy[date]:
    """Days around known ones: the same, within and just past grace, or some months later."""
    offsets = st.one_of(
        st.sampled_from([0, 0, -1, 1, grace_days, grace_days + 1]),
        st.integers(-10, 10),
        st.integers(15, 110),
    )
    return st.builds(_days_later, st.sampled_from(anchors), offsets)


@dataclass
class _Dates:
    """Dates of an account's earlier records, for new ones to be near them."""

    all: list[date]
    ends: list[date] = field(default_factory=list)
    ends_of: dict[str, list[date]] = field(default_factory=lambda: defaultdict(list))

    def add(self, record: SubscriptionRecord) -> None:
        ends = [day for day in (record.end_date, record.expiration_date) if day is not None]
        if record.is_end:
            ends = [record.start_date]
        self.all += [record.start_date, *ends]
        self.ends += ends
        self.ends_of[record.subscription_id] += ends

    def starts(self, subscription_id: str, grace_days: int) -> st.SearchStrategy[date]:
        """Starts of records; a good part within grace, or a day past it, of an end."""
        choices = [_near(self.all, grace_days)]
        for ends in (self.ends, self.ends_of[subscription_id]):
            if ends:
                days = st.integers(1, grace_days + 1)
                choices.append(st.builds(_days_later, st.sampled_from(ends), days))
        return st.one_of(*choices)

    def end_starts(self, subscription_id: str, grace_days: int) -> st.SearchStrategy[date]:
        """Starts of ``is_end`` records, around an end of the subscription where it has one."""
        ends = self.ends_of[subscription_id] or self.all
        days = st.sampled_from([-20, -1, 0, *range(1, grace_days + 2)])
        return st.builds(_days_later, st.sampled_from(ends), days)


def _later_than(start: date) -> st.SearchStrategy[date]:
    """An end or expiration: in days, at a month's boundary, or after some months."""
    boundary = last_of_month(start) + timedelta(days=1)
    return st.one_of(
        st.integers(1, 35).map(lambda days: start + timedelta(days=days)),
        st.integers(-3, 3).map(
            lambda days: max(boundary + timedelta(days=days), start + timedelta(days=1))
        ),
        st.integers(20, 70).map(lambda days: start + timedelta(days=days)),
        st.integers(40, 250).map(lambda days: start + timedelta(days=days)),
    )


@st.composite
def _ends(
    draw: st.DrawFn, start: date, known_ends: Sequence[date]
) -> tuple[date | None, date | None]:
    """End and expiration of a record, each possibly absent, often those of another record."""
    ends = _later_than(start)
    shared = [day for day in known_ends if day > start]
    if shared:
        ends = st.one_of(ends, st.sampled_from(shared))
    kind = draw(st.sampled_from(["end", "expiration"] * 4 + ["both", "none"]))
    end = draw(ends) if kind in ("end", "both") else None
    expiration = draw(ends) if kind in ("expiration", "both") else None
    return end, expiration


@st.composite
def _records(draw: st.DrawFn, options: _Options, size: int) -> list[SubscriptionRecord]:
    """Subscription records with unique (subscription_id, start_date), none across accounts."""
    numbers = draw(st.permutations(["1", "2", "3"]))
    known = {
        name: _Dates([draw(_days_between(FIRST_DAY, LAST_START))]) for name in options.accounts
    }
    usual_amount = draw(st.sampled_from(AMOUNTS[:10]))
    usual_currency = draw(st.sampled_from(options.currencies))
    records: dict[tuple[str, date], SubscriptionRecord] = {}
    for _ in range(size):
        account_id = draw(st.sampled_from([options.accounts[0], *options.accounts]))
        number = draw(st.sampled_from([numbers[0], numbers[0], *numbers]))
        subscription_id = f"{account_id}-s{number}"
        dates = known[account_id]
        is_end = draw(st.sampled_from([False] * 7 + [True]))
        if is_end:
            subscription_id = draw(st.sampled_from([subscription_id, *dates.ends_of]))
        starts = dates.end_starts if is_end else dates.starts
        start = draw(starts(subscription_id, options.grace_days))
        while (subscription_id, start) in records:
            start += timedelta(days=1)
        end, expiration = (None, None) if is_end else draw(_ends(start, dates.ends))
        length, unit = draw(st.sampled_from(CYCLES))
        amount = draw(st.one_of(st.just(usual_amount), st.sampled_from(AMOUNTS)))
        records[subscription_id, start] = SubscriptionRecord(
            subscription_id=subscription_id,
            account_id=account_id,
            start_date=start,
            end_date=end,
            expiration_date=expiration,
            cycle_length=length,
            cycle_unit=unit,
            plan_code=draw(st.sampled_from([None, "basic", "basic", "basic", TRIAL_PLAN])),
            total_revenue=Decimal(0) if is_end else amount,
            currency=draw(st.one_of(st.just(usual_currency), st.sampled_from(options.currencies))),
            is_end=is_end,
        )
        dates.add(records[subscription_id, start])
    return list(records.values())


def _instants(day: date) -> st.SearchStrategy[datetime]:
    """Naive UTC instants of a day, mostly near a midnight of one of the time zones."""
    midnights = st.sampled_from(TIME_ZONES).map(
        lambda zone: (
            datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC).replace(tzinfo=None)
        )
    )
    return st.builds(
        lambda instant, seconds: instant + timedelta(seconds=seconds),
        midnights,
        st.sampled_from([0, 0, -1, 1, 3600, 43_200]),
    )


@st.composite
def _invoices(
    draw: st.DrawFn, options: _Options, size: int
) -> tuple[list[Invoice], list[InvoiceLine]]:
    """Invoices with 1 to 4 lines; paid, if at all, not before they were created."""
    invoices, lines = [], []
    for number in range(1, size + 1):
        day = draw(_days_between(FIRST_DAY, LAST_DAY))
        day = draw(st.sampled_from([day, first_of_month(day), last_of_month(day)]))
        created_at = draw(_instants(day))
        delay = draw(st.sampled_from([None, 0, 60, 43_200, 86_400, 30 * 86_400, 75 * 86_400]))
        invoice = Invoice(
            invoice_id=f"i{number}",
            account_id=draw(st.sampled_from(options.accounts)),
            created_at=created_at,
            paid_at=None if delay is None else created_at + timedelta(seconds=delay),
            is_failed=draw(st.integers(0, 4)) == 0,
            currency=draw(st.sampled_from(options.currencies)),
        )
        invoices.append(invoice)
        for line_number in range(1, draw(st.integers(1, 4)) + 1):
            amount = draw(st.one_of(st.sampled_from(AMOUNTS), st.decimals(-2000, 20_000, places=4)))
            is_recurring = draw(st.sampled_from([True, True, False, None]))
            lines.append(InvoiceLine(invoice.invoice_id, line_number, amount, is_recurring))
    return invoices, lines


@st.composite
def _rates(
    draw: st.DrawFn, reporting_currency: str, records: Sequence[SubscriptionRecord]
) -> list[FxRate]:
    """Rates of each other currency with the reporting one from the first day on, and some more.

    Many of these are dated shortly before the start of a record.
    """
    values = st.one_of(
        st.sampled_from([Decimal("1.1"), Decimal("0.9"), Decimal("2"), Decimal("0.5")]),
        st.decimals(Decimal("0.25"), Decimal("4"), places=6),
    )
    others = [currency for currency in CURRENCIES if currency != reporting_currency]
    rates: dict[tuple[date, str, str], FxRate] = {}

    def add(day: date, pair: Sequence[str]) -> None:
        source, target = draw(st.permutations(pair))
        rates[day, source, target] = FxRate(day, source, target, draw(values))

    for other in others:
        add(FIRST_RATE_DAY, (other, reporting_currency))
    dates = _days_between(FIRST_RATE_DAY, LAST_DAY)
    if records:
        starts = [record.start_date for record in records]
        dates |= st.builds(_days_later, st.sampled_from(starts), st.integers(-4, 1))
    days = draw(st.lists(dates, min_size=1, max_size=8))
    for day in days:
        other = draw(st.sampled_from(others))
        pair = draw(st.sampled_from([(other, reporting_currency)] * 4 + [tuple(others)]))
        add(day, pair)
        if draw(st.booleans()):
            add(day, pair)
    return list(rates.values())


def _as_of_dates(records: Sequence[SubscriptionRecord], grace_days: int) -> st.SearchStrategy[date]:
    """As-of dates late in the world, at a month's boundary, or within grace of a date in it."""
    late = _days_between(date(2024, 3, 1), LAST_DAY)
    choices = [late, late, late.map(first_of_month), _days_between(FIRST_DAY, LAST_DAY)]
    starts = [record.start_date for record in records]
    stated_ends = [record.end_date or record.expiration_date for record in records]
    ends = [_inside(day) for day in stated_ends if day is not None]
    for days in (starts, ends, ends):
        if days:
            known, offsets = sorted(days)[-4:], st.integers(0, grace_days + 2)
            choices.append(st.builds(_days_later, st.sampled_from(known), offsets))
    return st.one_of(*choices)


@st.composite
def worlds(
    draw: st.DrawFn, max_accounts: int = 3, max_records: int = 8, max_invoices: int = 6
) -> World:
    """Small worlds whose figures can be computed (no exchange rate is missing).

    The sizes are those of the whole world; about 18 months of dates, ids that do not follow the
    order of dates. Each subscription belongs to one account.
    """
    accounts_size = draw(st.just(1) | st.integers(1, max_accounts))
    options = _Options(
        grace_days=draw(st.sampled_from([3, 3, 0, 1, 2, 4, 5])),
        reporting_currency=draw(st.sampled_from(["USD", "USD", "USD", "EUR"])),
        accounts=tuple(f"a{n}" for n in range(1, accounts_size + 1)),
        currencies=draw(st.sampled_from([(None,), (None, "USD"), (None, *CURRENCIES), CURRENCIES])),
    )
    records_size = draw(st.integers(0, max_records) | st.integers(max_records // 2, max_records))
    records = draw(_records(options, records_size))
    invoices, lines = draw(_invoices(options, draw(st.integers(0, max_invoices))))
    as_of_date = draw(_as_of_dates(records, options.grace_days))
    accounts = [
        Account(
            account_id=account_id,
            join_date=draw(_days_between(FIRST_DAY, LAST_DAY)),
            currency=draw(st.sampled_from(options.currencies)),
            renewal_date=draw(st.none() | _days_between(FIRST_DAY, LAST_DAY)),
        )
        for account_id in options.accounts
    ]
    return World(
        accounts=tuple(accounts),
        subscriptions=tuple(draw(st.permutations(records))),
        invoices=tuple(invoices),
        lines=tuple(lines),
        rates=tuple(draw(_rates(options.reporting_currency, records))),
        settings=Settings(
            as_of_date=as_of_date,
            reporting_time_zone=draw(st.sampled_from(TIME_ZONES)),
            reporting_currency=options.reporting_currency,
            end_date_is_inclusive=draw(st.sampled_from([False, False, True])),
            grace_days=options.grace_days,
            trial_plan_codes=draw(st.sampled_from([(TRIAL_PLAN,), (TRIAL_PLAN,), ()])),
        ),
    )
