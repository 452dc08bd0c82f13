"""The Financials figures of ``metrics.md`` (sections 0 and 1) in plain Python.

This module is an oracle: it is written from the definitions alone, shares nothing with the SQL
models, and prefers loops that read like the definition over speed. Inputs are the current, valid
records of the sources (no versions, duplicates, rejects or unknown accounts). Money is
``Decimal`` with four decimals; everything between two roundings is an exact ``Fraction``.

Rows are plain dicts with the column names of the published tables; ``month`` is the first day of
the month (``datetime.date``), amounts are ``Decimal``, and rows come in key order.
"""

from __future__ import annotations

import calendar
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

Row = dict[str, Any]

ZERO = Decimal("0.0000")
ONE_DAY = timedelta(days=1)


# --- Inputs --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Account:
    """A customer; ``currency`` None means the reporting currency."""

    account_id: str
    join_date: date
    currency: str | None = None
    renewal_date: date | None = None


@dataclass(frozen=True)
class SubscriptionRecord:
    """One dated record of a subscription; (subscription_id, start_date) is its key.

    ``total_revenue`` is the amount of one cycle, in ``currency``. A record with ``is_end`` has no
    amount and ends its subscription at its start date.
    """

    subscription_id: str
    account_id: str
    start_date: date
    end_date: date | None
    expiration_date: date | None
    cycle_length: int
    cycle_unit: str
    plan_code: str | None
    total_revenue: Decimal
    currency: str | None
    is_end: bool = False


@dataclass(frozen=True)
class Invoice:
    """An invoice; ``created_at`` and ``paid_at`` are UTC instants without a zone."""

    invoice_id: str
    account_id: str
    created_at: datetime
    paid_at: datetime | None = None
    is_failed: bool = False
    currency: str | None = None


@dataclass(frozen=True)
class InvoiceLine:
    """A line of an invoice, in the invoice's currency; ``is_recurring`` None is unclassified."""

    invoice_id: str
    line_number: int
    amount: Decimal
    is_recurring: bool | None = None


@dataclass(frozen=True)
class FxRate:
    """One unit of ``from_currency`` is worth ``rate`` units of ``to_currency`` on ``rate_date``."""

    rate_date: date
    from_currency: str
    to_currency: str
    rate: Decimal


@dataclass(frozen=True)
class Settings:
    """The settings the figures depend on; ``as_of_date`` is the first day not complete."""

    as_of_date: date
    reporting_time_zone: str = "UTC"
    reporting_currency: str = "USD"
    end_date_is_inclusive: bool = False
    grace_days: int = 3
    trial_plan_codes: tuple[str, ...] = ()

    @property
    def last_full_day(self) -> date:
        """L of ``metrics.md``: the day before the as-of date."""
        return self.as_of_date - ONE_DAY


@dataclass(frozen=True)
class World:
    """Everything one evaluation of the reference reads."""

    accounts: tuple[Account, ...]
    subscriptions: tuple[SubscriptionRecord, ...]
    invoices: tuple[Invoice, ...]
    lines: tuple[InvoiceLine, ...]
    rates: tuple[FxRate, ...]
    settings: Settings


# --- Days and money ------------------------------------------------------------------------------


def first_of_month(day: date) -> date:
    """The first day of the month of ``day``."""
    return day.replace(day=1)


def last_of_month(day: date) -> date:
    """The last day of the month of ``day``."""
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def months_between(earlier: date, later: date) -> int:
    """The number of calendar months from the month of ``earlier`` to that of ``later``."""
    return (later.year - earlier.year) * 12 + later.month - earlier.month


def months_from_to(first: date, last: date) -> Iterator[date]:
    """The first days of the months from that of ``first`` to that of ``last``, both in."""
    month = first_of_month(first)
    while month <= last:
        yield month
        month = last_of_month(month) + ONE_DAY


def local_day(instant: datetime, time_zone: str) -> date:
    """The calendar day of a naive UTC instant in the reporting time zone."""
    return instant.replace(tzinfo=UTC).astimezone(ZoneInfo(time_zone)).date()


def round_half_up(value: Fraction) -> Decimal:
    """Round to four decimals, halves away from zero."""
    units = math.floor(abs(value) * 10_000 + Fraction(1, 2))
    return Decimal(units if value >= 0 else -units).scaleb(-4)


def months_of_cycle(cycle_length: int, cycle_unit: str) -> Fraction:
    """The length of a billing cycle in months; KeyError for an unknown unit."""
    months_of_unit = {
        "day": Fraction(12, 365),
        "week": Fraction(12, 52),
        "month": Fraction(1),
        "quarter": Fraction(3),
        "year": Fraction(12),
    }
    return cycle_length * months_of_unit[cycle_unit]


def monthly_amount(record: SubscriptionRecord, settings: Settings) -> Decimal:
    """The MRR of a record in its own currency; 0 for trials."""
    if record.plan_code is not None and record.plan_code in settings.trial_plan_codes:
        return ZERO
    cycle = months_of_cycle(record.cycle_length, record.cycle_unit)
    return round_half_up(Fraction(record.total_revenue) / cycle)


class RateBook:
    """Looks up exchange rates as of a day."""

    def __init__(self, rates: Iterable[FxRate], reporting_currency: str) -> None:
        self._reporting_currency = reporting_currency
        self._quotes: dict[tuple[str, str], list[FxRate]] = defaultdict(list)
        for rate in rates:
            self._quotes[rate.from_currency, rate.to_currency].append(rate)

    def rate(self, from_currency: str, to_currency: str, day: date) -> Fraction:
        """The exact rate on ``day``; LookupError naming pair and day where there is none."""
        if from_currency == to_currency:
            return Fraction(1)
        quoted = self._quoted(from_currency, to_currency, day)
        if quoted is not None:
            return quoted
        if self._reporting_currency not in (from_currency, to_currency):
            into_reporting = self._quoted(from_currency, self._reporting_currency, day)
            out_of_reporting = self._quoted(self._reporting_currency, to_currency, day)
            if into_reporting is not None and out_of_reporting is not None:
                return into_reporting * out_of_reporting
        raise LookupError(f"no exchange rate from {from_currency} to {to_currency} on {day}")

    def convert(self, amount: Decimal, from_currency: str, to_currency: str, day: date) -> Decimal:
        """The amount at the rate of ``day``, rounded once."""
        return round_half_up(Fraction(amount) * self.rate(from_currency, to_currency, day))

    def _quoted(self, from_currency: str, to_currency: str, day: date) -> Fraction | None:
        direct = self._latest(from_currency, to_currency, day)
        inverse = self._latest(to_currency, from_currency, day)
        if direct is None and inverse is None:
            return None
        if inverse is None or (direct is not None and direct.rate_date >= inverse.rate_date):
            return Fraction(direct.rate)
        return 1 / Fraction(inverse.rate)

    def _latest(self, from_currency: str, to_currency: str, day: date) -> FxRate | None:
        known = [r for r in self._quotes[from_currency, to_currency] if r.rate_date <= day]
        return max(known, key=lambda r: r.rate_date, default=None)


def account_currency(account: Account, settings: Settings) -> str:
    """The currency of an account's bare money columns."""
    return account.currency or settings.reporting_currency


# --- When a record is active ---------------------------------------------------------------------


@dataclass(frozen=True)
class ActivePeriod:
    """The time in which a record counts: [record.start_date, until).

    ``until`` None means active through L. ``real_end`` is the day ≤ L on which the record ended
    before grace, None where it did not end (running, or replaced without a gap).
    """

    record: SubscriptionRecord
    until: date | None
    real_end: date | None
    is_provisional: bool = False

    @property
    def key(self) -> tuple[str, date]:
        return self.record.subscription_id, self.record.start_date

    def is_active_on(self, day: date) -> bool:
        return self.record.start_date <= day and (self.until is None or day < self.until)


def effective_end(
    record: SubscriptionRecord, later: Sequence[SubscriptionRecord], settings: Settings
) -> date | None:
    """The end a record states itself; ``later`` are the later records of its subscription.

    A record with ``is_end`` counts among the later ones.
    """
    extra = ONE_DAY if settings.end_date_is_inclusive else timedelta(0)
    if record.end_date is not None:
        return record.end_date + extra
    if record.expiration_date is None:
        return None
    expiration = record.expiration_date + extra
    renewable_until = expiration + timedelta(days=settings.grace_days)
    if any(follower.start_date <= renewable_until for follower in later):
        return None
    return expiration


def _own_periods(
    timeline: Sequence[SubscriptionRecord], settings: Settings
) -> Iterator[ActivePeriod]:
    """The periods of one subscription's records (in start order, up to L) before grace."""
    for position, record in enumerate(timeline):
        if record.is_end:
            continue
        later = timeline[position + 1 :]
        end = effective_end(record, later, settings)
        if later and (end is None or later[0].start_date <= end):
            cut = later[0].start_date
            yield ActivePeriod(record, cut, cut if later[0].is_end else None)
        elif end is not None and end <= settings.last_full_day:
            yield ActivePeriod(record, end, end)
        else:
            yield ActivePeriod(record, None, None)


def _can_bridge(ended: ActivePeriod, starting: ActivePeriod, grace_days: int) -> bool:
    if ended.real_end is None or ended.record.account_id != starting.record.account_id:
        return False
    return 0 < (starting.record.start_date - ended.real_end).days <= grace_days


def _bridges(
    timelines: Sequence[Sequence[ActivePeriod]], grace_days: int
) -> dict[tuple[str, date], date]:
    """Match ended with starting records one to one: key of the ended → start of its bridge.

    ``timelines`` are the periods per subscription in start order. The same subscription goes
    first, whatever the order of starts; then the others in order of (start, subscription id).
    """
    bridged: dict[tuple[str, date], date] = {}
    used: set[tuple[str, date]] = set()
    for timeline in timelines:
        for ended, starting in pairwise(timeline):
            if _can_bridge(ended, starting, grace_days):
                bridged[ended.key] = starting.record.start_date
                used.add(starting.key)
    periods = [period for timeline in timelines for period in timeline]
    for starting in sorted(periods, key=lambda p: (p.record.start_date, p.record.subscription_id)):
        if starting.key in used:
            continue
        candidates = [
            ended
            for ended in periods
            if ended.key not in bridged
            and ended.record.subscription_id != starting.record.subscription_id
            and _can_bridge(ended, starting, grace_days)
        ]
        if candidates:
            nearest = min(candidates, key=lambda p: (-p.real_end.toordinal(), *p.key))
            bridged[nearest.key] = starting.record.start_date
    return bridged


def _with_grace(
    period: ActivePeriod, bridged: Mapping[tuple[str, date], date], settings: Settings
) -> ActivePeriod:
    if period.real_end is None:
        return period
    if period.key in bridged:
        return replace(period, until=bridged[period.key])
    if period.real_end + timedelta(days=settings.grace_days) > settings.last_full_day:
        return replace(period, until=None, is_provisional=True)
    return period


def active_periods(
    subscriptions: Iterable[SubscriptionRecord], settings: Settings
) -> list[ActivePeriod]:
    """The active time of every record that starts by L and is no ``is_end``, grace included."""
    by_subscription: dict[str, list[SubscriptionRecord]] = defaultdict(list)
    for record in subscriptions:
        if record.start_date <= settings.last_full_day:
            by_subscription[record.subscription_id].append(record)
    timelines = []
    for _, records in sorted(by_subscription.items()):
        in_order = sorted(records, key=lambda r: r.start_date)
        timelines.append(list(_own_periods(in_order, settings)))
    bridged = _bridges(timelines, settings.grace_days)
    return [_with_grace(period, bridged, settings) for line in timelines for period in line]


# --- What a record is worth ----------------------------------------------------------------------


@dataclass(frozen=True)
class ValuedPeriod:
    """An active period with its monthly amount: its own, the account's, the reporting currency."""

    period: ActivePeriod
    currency: str
    rate_day: date
    own_amount: Decimal
    amount: Decimal
    amount_reporting: Decimal


def rate_days(periods: Sequence[ActivePeriod], currencies: Sequence[str]) -> list[date]:
    """The day whose exchange rate values each record of one subscription, in start order.

    It is the start of the first record of the unbroken run in one currency.
    """
    days: list[date] = []
    for position, period in enumerate(periods):
        day = period.record.start_date
        if position > 0 and currencies[position] == currencies[position - 1]:
            until = periods[position - 1].until
            if until is None or day <= until:
                day = days[-1]
        days.append(day)
    return days


def valued_periods(
    account: Account, periods: Iterable[ActivePeriod], book: RateBook, settings: Settings
) -> list[ValuedPeriod]:
    """Value an account's periods; LookupError where a rate is missing."""
    own_currency = account_currency(account, settings)
    by_subscription: dict[str, list[ActivePeriod]] = defaultdict(list)
    for period in periods:
        by_subscription[period.record.subscription_id].append(period)
    valued = []
    for _, group in sorted(by_subscription.items()):
        group.sort(key=lambda p: p.record.start_date)
        currencies = [p.record.currency or own_currency for p in group]
        for period, currency, day in zip(
            group, currencies, rate_days(group, currencies), strict=True
        ):
            amount = monthly_amount(period.record, settings)
            valued.append(
                ValuedPeriod(
                    period,
                    currency,
                    day,
                    amount,
                    book.convert(amount, currency, own_currency, day),
                    book.convert(amount, currency, settings.reporting_currency, day),
                )
            )
    return valued


def subscription_records(
    accounts: Iterable[Account],
    subscriptions: Iterable[SubscriptionRecord],
    rates: Iterable[FxRate],
    settings: Settings,
) -> list[Row]:
    """One row per record that starts by L and is no ``is_end``: when it is active, and its worth.

    ``active_until`` is the first day on which it does not count any more, None where it is active
    through L; ``ended_on`` is its end before grace, None where it did not end. ``monthly_amount``
    is in the record's ``currency``, ``mrr`` in the account's.
    """
    book = RateBook(rates, settings.reporting_currency)
    by_id = {account.account_id: account for account in accounts}
    periods = active_periods([r for r in subscriptions if r.account_id in by_id], settings)
    rows = []
    for account_id, account in by_id.items():
        own = [p for p in periods if p.record.account_id == account_id]
        for valued in valued_periods(account, own, book, settings):
            rows.append(
                {
                    "subscription_id": valued.period.record.subscription_id,
                    "start_date": valued.period.record.start_date,
                    "account_id": account_id,
                    "active_until": valued.period.until,
                    "ended_on": valued.period.real_end,
                    "is_provisional": valued.period.is_provisional,
                    "currency": valued.currency,
                    "rate_day": valued.rate_day,
                    "monthly_amount": valued.own_amount,
                    "mrr": valued.amount,
                    "mrr_reporting": valued.amount_reporting,
                }
            )
    return sorted(rows, key=lambda row: (row["subscription_id"], row["start_date"]))


def _total_on(periods: Iterable[ValuedPeriod], day: date) -> tuple[Decimal, Decimal]:
    """The MRR on a day, in the account's and in the reporting currency."""
    active = [valued for valued in periods if valued.period.is_active_on(day)]
    return (
        sum((valued.amount for valued in active), ZERO),
        sum((valued.amount_reporting for valued in active), ZERO),
    )


# --- Spine and MRR -------------------------------------------------------------------------------


def first_month(
    account: Account,
    subscriptions: Iterable[SubscriptionRecord],
    invoices: Iterable[Invoice],
    settings: Settings,
) -> date | None:
    """The first month of an account's monthly rows; None where nothing is known by L."""
    days = [account.join_date]
    days += [r.start_date for r in subscriptions if r.account_id == account.account_id]
    days += [
        local_day(instant, settings.reporting_time_zone)
        for invoice in invoices
        if invoice.account_id == account.account_id
        for instant in (invoice.created_at, invoice.paid_at or invoice.created_at)
    ]
    known = [day for day in days if day <= settings.last_full_day]
    return first_of_month(min(known)) if known else None


@dataclass(frozen=True)
class _AccountSpine:
    """An account with its months and its valued periods."""

    account: Account
    months: list[date]
    periods: list[ValuedPeriod]


def _spines(
    accounts: Iterable[Account],
    subscriptions: Sequence[SubscriptionRecord],
    invoices: Sequence[Invoice],
    book: RateBook,
    settings: Settings,
) -> Iterator[_AccountSpine]:
    """The accounts that have rows, in order of their id."""
    by_id = {account.account_id: account for account in accounts}
    periods = active_periods([r for r in subscriptions if r.account_id in by_id], settings)
    for _, account in sorted(by_id.items()):
        first = first_month(account, subscriptions, invoices, settings)
        if first is None:
            continue
        own = [p for p in periods if p.record.account_id == account.account_id]
        yield _AccountSpine(
            account,
            list(months_from_to(first, settings.last_full_day)),
            valued_periods(account, own, book, settings),
        )


def movement_of(starting: Decimal, ending: Decimal) -> str:
    """The class of the change from ``starting`` to ``ending`` MRR."""
    if starting <= 0 < ending:
        return "new"
    if ending <= 0 < starting:
        return "lost"
    if ending > starting:
        return "expansion"
    if ending < starting:
        return "contraction"
    return "none"


def intra_month_mrr(periods: Iterable[ValuedPeriod], month: date, boundary: date) -> Decimal:
    """MRR that came and went in a month; ``boundary`` is the month's last day, or L in it.

    Of each subscription active on neither boundary, its latest record inside the month counts.
    """
    by_subscription: dict[str, list[ValuedPeriod]] = defaultdict(list)
    for valued in periods:
        by_subscription[valued.period.record.subscription_id].append(valued)
    total = ZERO
    for group in by_subscription.values():
        if any(
            valued.period.is_active_on(month - ONE_DAY) or valued.period.is_active_on(boundary)
            for valued in group
        ):
            continue
        inside = [
            valued
            for valued in group
            if month <= valued.period.record.start_date
            and valued.period.until is not None
            and valued.period.until <= boundary
        ]
        if inside:
            total += max(inside, key=lambda v: v.period.record.start_date).amount
    return total


def _is_provisional(periods: Iterable[ValuedPeriod], month: date) -> bool:
    """Whether an end in or before this month of the account may still be bridged."""
    return any(
        valued.period.is_provisional and first_of_month(valued.period.real_end) <= month
        for valued in periods
    )


@dataclass
class _History:
    """What of the earlier months decides the sub-class of a new movement."""

    had_mrr: bool = False
    last_loss: date | None = None

    def subclass(self, movement: str, month: date) -> tuple[str | None, int | None]:
        if movement != "new":
            return None, None
        if not self.had_mrr:
            return "new_logo", None
        return "reactivation", months_between(self.last_loss, month)

    def add(self, movement: str, ending: Decimal, month: date) -> None:
        self.had_mrr = self.had_mrr or ending > 0
        if movement == "lost":
            self.last_loss = month


def _mrr_row(spine: _AccountSpine, month: date, history: _History, settings: Settings) -> Row:
    boundary = min(last_of_month(month), settings.last_full_day)
    starting, starting_reporting = _total_on(spine.periods, month - ONE_DAY)
    ending, ending_reporting = _total_on(spine.periods, boundary)
    movement = movement_of(starting, ending)
    subclass, months_since_lost = history.subclass(movement, month)
    history.add(movement, ending, month)
    amounts = {
        f"{kind}_mrr": ending - starting if movement == kind else ZERO
        for kind in ("new", "expansion", "contraction", "lost")
    }
    return {
        "account_id": spine.account.account_id,
        "month": month,
        "currency": account_currency(spine.account, settings),
        "starting_mrr": starting,
        **amounts,
        "ending_mrr": ending,
        "movement": movement,
        "movement_subclass": subclass,
        "months_since_lost": months_since_lost,
        "intra_month_mrr": intra_month_mrr(spine.periods, month, boundary),
        "is_open_month": month == first_of_month(settings.last_full_day),
        "is_provisional_loss": _is_provisional(spine.periods, month),
        "starting_mrr_reporting": starting_reporting,
        "ending_mrr_reporting": ending_reporting,
    }


def mrr_monthly(
    accounts: Iterable[Account],
    subscriptions: Sequence[SubscriptionRecord],
    invoices: Sequence[Invoice],
    rates: Iterable[FxRate],
    settings: Settings,
) -> list[Row]:
    """The rows of ``account_mrr_monthly``; LookupError where an exchange rate is missing."""
    book = RateBook(rates, settings.reporting_currency)
    rows = []
    for spine in _spines(accounts, subscriptions, invoices, book, settings):
        history = _History()
        rows += [_mrr_row(spine, month, history, settings) for month in spine.months]
    return rows


def subscription_mrr(
    accounts: Iterable[Account],
    subscriptions: Sequence[SubscriptionRecord],
    invoices: Sequence[Invoice],
    rates: Iterable[FxRate],
    settings: Settings,
) -> list[Row]:
    """Subscription MRR per account and month: what is active on the first day of the month."""
    book = RateBook(rates, settings.reporting_currency)
    rows = []
    for spine in _spines(accounts, subscriptions, invoices, book, settings):
        for month in spine.months:
            amount, amount_reporting = _total_on(spine.periods, month)
            rows.append(
                {
                    "account_id": spine.account.account_id,
                    "month": month,
                    "currency": account_currency(spine.account, settings),
                    "subscription_mrr": amount,
                    "subscription_mrr_reporting": amount_reporting,
                }
            )
    return rows


# --- Invoices ------------------------------------------------------------------------------------

_CLASS_COLUMNS = {
    True: "recurring_invoice_revenue",
    False: "non_recurring_invoice_revenue",
    None: "unclassified_invoice_revenue",
}
_INVOICE_COLUMNS = (*_CLASS_COLUMNS.values(), "failed_invoice_revenue", "payments")


@dataclass
class _InvoiceTotals:
    """Sums of one account: (month, column) → amount, in both currencies under own names."""

    by_month: dict[tuple[date, str], Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    booked: Decimal = ZERO
    booked_reporting: Decimal = ZERO
    paid: Decimal = ZERO
    paid_reporting: Decimal = ZERO

    def book(self, month: date, columns: Sequence[str], own: Decimal, reporting: Decimal) -> None:
        self._add(month, columns, own, reporting)
        self.booked += own
        self.booked_reporting += reporting

    def pay(self, month: date, own: Decimal, reporting: Decimal) -> None:
        self._add(month, ["payments"], own, reporting)
        self.paid += own
        self.paid_reporting += reporting

    def _add(self, month: date, columns: Sequence[str], own: Decimal, reporting: Decimal) -> None:
        for column in columns:
            self.by_month[month, column] += own
            self.by_month[month, f"{column}_reporting"] += reporting


def _invoice_totals(
    account: Account,
    invoices: Iterable[Invoice],
    lines: Iterable[InvoiceLine],
    book: RateBook,
    settings: Settings,
) -> _InvoiceTotals:
    """Add up an account's lines, each converted and rounded by itself."""
    own_currency = account_currency(account, settings)
    lines_of: dict[str, list[InvoiceLine]] = defaultdict(list)
    for line in lines:
        lines_of[line.invoice_id].append(line)
    totals = _InvoiceTotals()
    for invoice in invoices:
        created = local_day(invoice.created_at, settings.reporting_time_zone)
        if invoice.account_id != account.account_id or created > settings.last_full_day:
            continue
        paid = _paid_day(invoice, settings)
        currency = invoice.currency or own_currency
        for line in lines_of[invoice.invoice_id]:
            columns = [_CLASS_COLUMNS[line.is_recurring]]
            if invoice.is_failed:
                columns.append("failed_invoice_revenue")
            totals.book(
                first_of_month(created),
                columns,
                book.convert(line.amount, currency, own_currency, created),
                book.convert(line.amount, currency, settings.reporting_currency, created),
            )
            if paid is not None:
                totals.pay(
                    first_of_month(paid),
                    book.convert(line.amount, currency, own_currency, paid),
                    book.convert(line.amount, currency, settings.reporting_currency, paid),
                )
    return totals


def _paid_day(invoice: Invoice, settings: Settings) -> date | None:
    """The local day of payment, where the invoice counts as paid by L."""
    if invoice.is_failed or invoice.paid_at is None:
        return None
    day = local_day(invoice.paid_at, settings.reporting_time_zone)
    return day if day <= settings.last_full_day else None


def revenue_monthly(
    accounts: Sequence[Account],
    subscriptions: Sequence[SubscriptionRecord],
    invoices: Sequence[Invoice],
    lines: Sequence[InvoiceLine],
    rates: Sequence[FxRate],
    settings: Settings,
) -> list[Row]:
    """The rows of ``account_revenue_monthly``, each amount with its ``_reporting`` twin."""
    book = RateBook(rates, settings.reporting_currency)
    totals = {
        account.account_id: _invoice_totals(account, invoices, lines, book, settings)
        for account in accounts
    }
    rows = subscription_mrr(accounts, subscriptions, invoices, rates, settings)
    for row in rows:
        by_month = totals[row["account_id"]].by_month
        for column in _INVOICE_COLUMNS:
            for name in (column, f"{column}_reporting"):
                row[name] = by_month.get((row["month"], name), ZERO)
    return rows


def lifetime(
    accounts: Sequence[Account],
    subscriptions: Sequence[SubscriptionRecord],
    invoices: Sequence[Invoice],
    lines: Sequence[InvoiceLine],
    rates: Sequence[FxRate],
    settings: Settings,
) -> list[Row]:
    """Lifetime revenue and payments per account with monthly rows, up to L."""
    book = RateBook(rates, settings.reporting_currency)
    rows = []
    for account in sorted(accounts, key=lambda a: a.account_id):
        if first_month(account, subscriptions, invoices, settings) is None:
            continue
        totals = _invoice_totals(account, invoices, lines, book, settings)
        rows.append(
            {
                "account_id": account.account_id,
                "currency": account_currency(account, settings),
                "lifetime_revenue": totals.booked,
                "lifetime_payments": totals.paid,
                "lifetime_revenue_reporting": totals.booked_reporting,
                "lifetime_payments_reporting": totals.paid_reporting,
            }
        )
    return rows
