"""Invoices, their lines, and the exchange rates.

An invoice is made for every cycle of a subscription record, but nothing links the two in the data:
as in the source systems, neither is derived from the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from random import Random

from sample_data.calendar import Calendar, add_months, at
from sample_data.company import Account, World
from sample_data.drafts import Draft, Drafts
from sample_data.subscriptions import Term, money

_SERVICES = ("Onboarding package", "Data migration", "Training day", "Custom carrier interface")
_PLAN_NAMES = {
    "starter": "Harbor Starter",
    "growth": "Harbor Growth",
    "scale": "Harbor Scale",
    "enterprise": "Harbor Enterprise",
    "starter+analytics": "Harbor Starter with Analytics",
    "addon-analytics": "Add-on Analytics",
    "addon-carbon": "Add-on Carbon Report",
    "addon-edi": "Add-on EDI Gateway",
    "partner-rebate": "Partner rebate",
    "trial": "Paid pilot",
}


@dataclass(frozen=True)
class Line:
    """A line of an invoice: amount in cents; `recurring` None means that the source is silent."""

    cents: int
    recurring: bool | None
    description: str


def put_invoices(world: World, account: Account, terms: list[Term], drafts: Drafts) -> None:
    """Put the invoices of an account, each with its lines, as they are issued and paid."""
    rng = world.rng("invoices", account.number)
    bills = sorted(_bills(world, account, terms), key=lambda bill: (bill[0], bill[1].plan))
    code = account.account_id.removeprefix("ACC-")
    for number, (day, term) in enumerate(bills, start=1):
        lines = _lines(rng, account, term, is_first=number == 1)
        _put(rng, account, f"INV-{code}-{number:03d}", day, term.currency, lines, drafts)
    for number in range(rng.choice((0, 0, 1, 2)) if account.size != "small" else 0):
        day = world.calendar.ago(rng.randint(1, 700))
        if account.is_customer_on(day):
            lines = [Line(rng.randint(3, 24) * 25000, False, rng.choice(_SERVICES))]
            invoice = f"INV-{code}-S{number + 1}"
            _put(rng, account, invoice, day, account.currency, lines, drafts)


def _bills(world: World, account: Account, terms: list[Term]) -> Iterator[tuple[date, Term]]:
    """Yield (day of issue, term) for every cycle that began before the as-of date."""
    starts: dict[str, list[date]] = {}
    for term in terms:
        starts.setdefault(term.subscription_id, []).append(term.start)
    for term in terms:
        if term.cents == 0:
            continue
        later = [start for start in starts[term.subscription_id] if start > term.start]
        stops = [*later, term.ends() or world.calendar.as_of, world.calendar.as_of]
        if account.ended and not (account.returned or account.merged_into):
            stops.append(account.ended)
        for day in _cycles(term, min(stops)):
            yield day, term


def _cycles(term: Term, stop: date) -> Iterator[date]:
    months = {"month": 1, "quarter": 3, "year": 12}.get(term.unit)
    count, day = 0, term.start
    while day < stop:
        yield day
        count += term.length
        if months:
            day = add_months(term.start, count * months)
        else:
            day = term.start + timedelta(days=count * (7 if term.unit == "week" else 1))


def _lines(rng: Random, account: Account, term: Term, *, is_first: bool) -> list[Line]:
    """Return the lines of one bill: what it is for, extras, discounts and credits."""
    name = _PLAN_NAMES[term.plan]
    if term.plan == "starter+analytics":
        lines = [Line(100000, True, "Harbor Starter"), Line(20000, True, "Add-on Analytics")]
    else:
        lines = [Line(term.cents, True, f"{name}, {term.length} {term.unit}")]
    if is_first and term.plan in ("growth", "scale", "enterprise"):
        lines.append(Line(rng.choice((95000, 250000, 480000)), False, "Onboarding package"))
    if rng.random() < 0.07:
        lines.append(Line(-(term.cents // 10), True, "Loyalty discount 10 %"))
    if rng.random() < 0.03:
        lines.append(Line(-rng.randint(5, 40) * 500, False, "Credit for service interruption"))
    if rng.random() < 0.12:
        shipments = rng.randint(40, 900)
        lines.append(Line(shipments * 35, None, f"{shipments} extra shipments"))
    if account.size == "large" and rng.random() < 0.1:
        lines.append(Line(rng.randint(1, 6) * 85000, False, "Training day, on site"))
    return lines


def _put(
    rng: Random,
    account: Account,
    invoice_id: str,
    day: date,
    currency: str | None,
    lines: list[Line],
    drafts: Drafts,
) -> None:
    # Billing runs at night; some of it so near to midnight that the zone decides on the month.
    created = at(day, rng, 0, 4) if rng.random() < 0.9 else at(day, rng, 22, 23)
    record = {
        "invoice_id": invoice_id,
        "account_id": account.account_id,
        "created_at": created,
        "paid_at": None,
        "is_failed": False,
        "currency": None if rng.random() < 0.08 else currency,
        "updated_at": created,
    }
    drafts.put("invoices", record, created)
    for number, line in enumerate(lines, start=1):
        drafts.put(
            "invoice_lines",
            {
                "invoice_id": invoice_id,
                "line_number": number,
                "amount": money(line.cents),
                "is_recurring": line.recurring,
                "description": line.description,
            },
            created,
            case=_line_case(line),
            note=line.description,
        )
    _pay(rng, record, created, drafts)


def _line_case(line: Line) -> str | None:
    if line.cents < 0:
        return "credit_line"
    return "unclassified_line" if line.recurring is None else None


def _pay(rng: Random, record: dict[str, object], created: datetime, drafts: Drafts) -> None:
    """Put the later states of an invoice: paid, paid late, failed, retried, or nothing at all."""
    draw = rng.random()
    note = str(record["account_id"])
    if draw < 0.03:
        # Nothing more comes of it; the state of its first day stands.
        drafts.put("invoices", record, created, case="unpaid_invoice", note=note)
        return
    failed_at = created + timedelta(days=rng.randint(1, 6), minutes=rng.randint(0, 600))
    paid_at = created + timedelta(days=rng.randint(4, 35), minutes=rng.randint(0, 1400))
    if draw < 0.07:
        failed = {**record, "is_failed": True, "updated_at": failed_at}
        drafts.put("invoices", failed, failed_at, case="failed_invoice", note=note)
        if draw < 0.05:
            return
        paid_at = failed_at + timedelta(days=rng.randint(5, 20))
        paid = {**record, "paid_at": paid_at, "updated_at": paid_at}
        drafts.put("invoices", paid, paid_at, case="failed_then_paid_invoice", note=note)
        return
    if draw < 0.14:
        paid_at += timedelta(days=rng.randint(45, 110))
        late = {**record, "paid_at": paid_at, "updated_at": paid_at}
        drafts.put("invoices", late, paid_at, case="late_paid_invoice", note=note)
        return
    drafts.put("invoices", {**record, "paid_at": paid_at, "updated_at": paid_at}, paid_at)


def put_rates(world: World, drafts: Drafts) -> None:
    """Put EUR→USD of every weekday, a bounded walk; two weekend rows are rejects."""
    calendar: Calendar = world.calendar
    rng = world.rng("rates")
    day, rate = calendar.history_start - timedelta(days=40), 10850
    weekends: list[date] = []
    while day < calendar.as_of:
        pull = 1 if rate < 10750 else -1
        rate = min(max(rate + rng.randint(-38, 38) + pull, 9900), 11600)
        if day.weekday() < 5:
            record = _rate(day, Decimal(rate).scaleb(-4))
            drafts.put("fx_rates", record, datetime.combine(day, time(15)))
        elif day < calendar.first_night:
            weekends.append(day)
        day += timedelta(days=1)
    for weekend, wrong, case in zip(
        rng.sample(weekends, 2),
        (Decimal("0.0000"), "n/a"),
        ("reject_out_of_range", "reject_unparseable_value"),
        strict=True,
    ):
        draft = Draft(_rate(weekend, wrong), case, f"rate {wrong}", is_reject=True)
        drafts.put_as_is("fx_rates", -1, draft)


def _rate(day: date, rate: Decimal | str) -> dict[str, object]:
    return {"rate_date": day, "from_currency": "EUR", "to_currency": "USD", "rate": rate}
