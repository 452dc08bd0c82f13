"""The CSM and portfolio figures of ``metrics.md`` (sections 0 and 8) in plain Python.

An oracle like ``financials``: written from the definitions alone, with loops that read like them.
It knows no table of credits and no sums that are shared: each figure of an account is an amount on
a day, and who is credited with it is asked of every amount anew. Inputs are what is known of single
accounts, whose own figures have oracles elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_DOWN, Decimal

from .financials import ONE_DAY, Row, first_of_month, last_of_month

NOBODY = "(unassigned)"
BASES = ("as_of", "current")
TEN_THOUSANDTH = Decimal("0.0001")
HEALTH = ("healthy", "neutral", "unhealthy", "health_mean_numerator", "health_mean_denominator")
RATES = {
    "logo_churn_pct": 100,
    "renewal_rate_pct": 100,
    "renewal_rate_accounts_pct": 100,
    **{f"{kind}_{months}m_pct": 100 for kind in ("grr", "nrr") for months in (1, 3, 12)},
    "nps_current": 1,
    "health_mean": 1,
}
SHARED = (
    "accounts",
    "subscription_mrr",
    "starting_mrr",
    "new_mrr",
    "expansion_mrr",
    "contraction_mrr",
    "lost_mrr",
    "exchange_mrr",
    "ending_mrr",
    "churned_accounts",
    "churned_mrr",
    "due_accounts",
    "due_mrr",
    "renewed_accounts",
    "renewed_mrr",
    "open_accounts",
    "open_mrr",
    "uplift_mrr",
    "reduction_mrr",
    "alerts_closed",
    "alerts_successful",
    "alerts_unsuccessful",
    "alerts_false_alarm",
    "affected_mrr",
    "open_tickets",
    "healthy",
    "neutral",
    "unhealthy",
)
FIGURES = [
    *SHARED,
    *(
        f"{rate.removesuffix('_pct')}_{part}"
        for rate in RATES
        for part in ("numerator", "denominator")
    ),
]


@dataclass(frozen=True)
class Assignment:
    """A CSM has an account from a day on, until the day on which it no longer has it."""

    csm_email: str
    assigned_on: date
    unassigned_on: date | None = None


@dataclass(frozen=True)
class MonthOfMrr:
    """MRR of one account and month, in the reporting currency."""

    subscription: Decimal
    starting: Decimal
    ending: Decimal
    movement: str
    changed_on: date | None


@dataclass(frozen=True)
class Renewal:
    """A record that was due."""

    expiration_date: date
    outcome: str
    due: Decimal
    renewed: Decimal
    uplift: Decimal
    reduction: Decimal


@dataclass(frozen=True)
class AccountFacts:
    """What is known of one account; days are local, spans [first, second)."""

    account_id: str
    join_date: date
    churn_date: date | None
    churned_mrr: Decimal
    assignments: tuple[Assignment, ...]
    mrr: Mapping[date, MonthOfMrr] = field(default_factory=dict)
    renewals: tuple[Renewal, ...] = ()
    alerts: tuple[tuple[date, str | None], ...] = ()
    tickets: tuple[tuple[date, date | None], ...] = ()
    nps: tuple[tuple[date, date | None, int, int], ...] = ()
    health: Mapping[date, int] = field(default_factory=dict)


@dataclass(frozen=True)
class CsmWorld:
    """Accounts as of a date; health scores exist from a day on."""

    as_of_date: date
    health_first_day: date
    accounts: tuple[AccountFacts, ...]

    @property
    def last_full_day(self) -> date:
        """L."""
        return self.as_of_date - ONE_DAY

    @property
    def months(self) -> list[date]:
        """From the first month of any account to that of L."""
        month = min(min(account.mrr) for account in self.accounts)
        months = []
        while month <= self.last_full_day:
            months.append(month)
            month = last_of_month(month) + ONE_DAY
        return months

    def end_of(self, month: date) -> date:
        """The last day of a month that is over, else L."""
        return min(last_of_month(month), self.last_full_day)


Amount = tuple[str, Decimal, date, bool]


def credited(account: AccountFacts, day: date, is_event: bool, basis: str) -> list[str]:
    """The CSMs, in order of e-mail, who get in full what the account has on the day."""
    if basis == "current":
        found = {each.csm_email for each in account.assignments if each.unassigned_on is None}
        return sorted(found) or [NOBODY]
    found = {
        each.csm_email
        for each in account.assignments
        if each.assigned_on <= day and (each.unassigned_on is None or day < each.unassigned_on)
    }
    if not found and is_event:
        found = {
            each.csm_email
            for each in account.assignments
            if each.unassigned_on in (day, day - ONE_DAY)
        }
    return sorted(found) or [NOBODY]


def amounts(world: CsmWorld, account: AccountFacts, month: date) -> Iterator[Amount]:
    """Every figure of the account and month: its amount, its day, whether it is an event."""
    end = world.end_of(month)
    yield from _mrr(world, account, month)
    yield from _churn(account, month, end)
    yield from _renewals(account, month)
    closed = [(day, outcome) for day, outcome in account.alerts if first_of_month(day) == month]
    for day, outcome in closed:
        yield "alerts_closed", Decimal(1), day, True
        if outcome:
            yield f"alerts_{outcome}", Decimal(1), day, True
    if closed and month in account.mrr:
        last = max(day for day, _ in closed)
        yield "affected_mrr", account.mrr[month].starting, last, True
    for opened, ended in account.tickets:
        if opened <= end and (ended is None or end < ended):
            yield "open_tickets", Decimal(1), end, False
    for since, until, score, responses in account.nps:
        if since <= end and (until is None or end < until):
            yield "nps_current_numerator", Decimal(score), end, False
            yield "nps_current_denominator", Decimal(responses), end, False
    if end in account.health:
        score = account.health[end]
        band = "healthy" if score > 70 else "neutral" if score > 30 else "unhealthy"
        yield band, Decimal(1), end, False
        yield "health_mean_numerator", Decimal(score), end, False
        yield "health_mean_denominator", Decimal(1), end, False


def _mrr(world: CsmWorld, account: AccountFacts, month: date) -> Iterator[Amount]:
    if month not in account.mrr:
        return
    end = world.end_of(month)
    mrr = account.mrr[month]
    yield "accounts", Decimal(1), end, False
    yield "subscription_mrr", mrr.subscription, end, False
    yield "starting_mrr", mrr.starting, end, False
    yield "ending_mrr", mrr.ending, end, False
    figure = "exchange_mrr" if mrr.movement == "none" else f"{mrr.movement}_mrr"
    yield figure, mrr.ending - mrr.starting, mrr.changed_on or end, True
    for horizon in (1, 3, 12):
        then = month
        for _ in range(horizon):
            then = first_of_month(then - ONE_DAY)
        base = account.mrr[then].ending if then in account.mrr else Decimal(0)
        if base > 0:
            yield f"grr_{horizon}m_numerator", min(base, mrr.ending), end, False
            yield f"nrr_{horizon}m_numerator", mrr.ending, end, False
            yield f"grr_{horizon}m_denominator", base, end, False
            yield f"nrr_{horizon}m_denominator", base, end, False


def _churn(account: AccountFacts, month: date, end: date) -> Iterator[Amount]:
    churned_on = account.churn_date
    in_base = account.join_date < month and (churned_on is None or month <= churned_on)
    if churned_on is not None and first_of_month(churned_on) == month:
        yield "churned_accounts", Decimal(1), churned_on, True
        yield "churned_mrr", account.churned_mrr, churned_on, True
        if in_base:
            yield "logo_churn_numerator", Decimal(1), churned_on, True
            yield "logo_churn_denominator", Decimal(1), churned_on, True
    elif in_base:
        yield "logo_churn_denominator", Decimal(1), end, False


def _renewals(account: AccountFacts, month: date) -> Iterator[Amount]:
    due = [each for each in account.renewals if first_of_month(each.expiration_date) == month]
    for each in due:
        day = each.expiration_date
        yield "due_mrr", each.due, day, True
        yield "renewed_mrr", each.renewed, day, True
        yield "renewal_rate_numerator", each.renewed, day, True
        yield "uplift_mrr", each.uplift, day, True
        yield "reduction_mrr", each.reduction, day, True
        yield (
            ("open_mrr" if each.outcome == "open" else "renewal_rate_denominator"),
            each.due,
            day,
            True,
        )
    if not due:
        return
    last = max(each.expiration_date for each in due)
    outcomes = {each.outcome for each in due}
    yield "due_accounts", Decimal(1), last, True
    if "renewed" in outcomes:
        yield "renewed_accounts", Decimal(1), last, True
        yield "renewal_rate_accounts_numerator", Decimal(1), last, True
    if "open" in outcomes and "renewed" not in outcomes:
        yield "open_accounts", Decimal(1), last, True
    else:
        yield "renewal_rate_accounts_denominator", Decimal(1), last, True


def portfolio_monthly(world: CsmWorld) -> list[Row]:
    """One row per month: every account once."""
    rows = []
    for month in world.months:
        found = [each for account in world.accounts for each in amounts(world, account, month)]
        rows.append({"month": month, **_told(world, month, found)})
    return rows


def csm_monthly(world: CsmWorld) -> list[Row]:
    """One row per CSM, month and basis, from the first month in which something is credited."""
    rows = []
    for basis in BASES:
        of_csm: dict[str, dict[date, list[Amount]]] = {NOBODY: {world.months[0]: []}}
        for month in world.months:
            for account in world.accounts:
                for amount in amounts(world, account, month):
                    if not amount[1] and (amount[3] or month not in account.mrr):
                        continue
                    for csm in credited(account, amount[2], amount[3], basis):
                        of_csm.setdefault(csm, {}).setdefault(month, []).append(amount)
        for csm, found in of_csm.items():
            for month in world.months:
                if month >= min(found):
                    told = _told(world, month, found.get(month, []))
                    rows.append({"csm_email": csm, "month": month, "basis": basis, **told})
    return sorted(rows, key=lambda row: (row["csm_email"], row["month"], row["basis"]))


def _told(world: CsmWorld, month: date, found: list[Amount]) -> Row:
    """All columns of a row, of the amounts that are in it."""
    row: Row = {}
    for figure in FIGURES:
        row[figure] = sum((amount for name, amount, *_ in found if name == figure), Decimal(0))
    for rate, times in RATES.items():
        name = rate.removesuffix("_pct")
        below = row[f"{name}_denominator"]
        row[rate] = float(times * row[f"{name}_numerator"] / below) if below else None
    if world.end_of(month) < world.health_first_day:
        row |= dict.fromkeys((*HEALTH, "health_mean"))
    return row


def csm_split_monthly(world: CsmWorld) -> list[Row]:
    """One row per CSM and month: every account shared among its CSMs, to the last decimal."""
    shares: dict[tuple[str, date, str], Decimal] = {}
    for account in world.accounts:
        for month in world.months:
            by_day: dict[tuple[str, date, bool], Decimal] = {}
            for figure, amount, day, is_event in amounts(world, account, month):
                key = figure, day, is_event
                by_day[key] = by_day.get(key, Decimal(0)) + amount
            for (figure, day, is_event), amount in by_day.items():
                csms = credited(account, day, is_event, "as_of")
                given = Decimal(0)
                for number, csm in enumerate(csms, start=1):
                    upto = (amount * number / len(csms)).quantize(TEN_THOUSANDTH, ROUND_DOWN)
                    key = csm, month, figure
                    shares[key] = shares.get(key, Decimal(0)) + upto - given
                    given = upto
    return [
        {
            "csm_email": row["csm_email"],
            "month": row["month"],
            **{
                figure: None
                if row[figure] is None
                else shares.get((row["csm_email"], row["month"], figure), Decimal(0))
                for figure in SHARED
            },
        }
        for row in csm_monthly(world)
        if row["basis"] == "as_of"
    ]


def reconciliation_accounts(world: CsmWorld) -> list[Row]:
    """One row per month, basis, figure and account that several CSMs have in full."""
    rows = []
    for month in world.months:
        for basis in BASES:
            for account in world.accounts:
                by_day: dict[tuple[str, date, bool], Decimal] = {}
                for figure, amount, day, is_event in amounts(world, account, month):
                    key = figure, day, is_event
                    by_day[key] = by_day.get(key, Decimal(0)) + amount
                for figure in FIGURES:
                    several = [
                        (len(csms), amount)
                        for (name, day, is_event), amount in by_day.items()
                        if name == figure
                        and amount
                        and len(csms := credited(account, day, is_event, basis)) > 1
                    ]
                    if several:
                        rows.append(
                            {
                                "month": month,
                                "basis": basis,
                                "figure": figure,
                                "account_id": account.account_id,
                                "csm_count": max(count for count, _ in several),
                                "credit_days": len(several),
                                "amount": sum(amount for _, amount in several),
                                "excess": sum((count - 1) * amount for count, amount in several),
                            }
                        )
    return sorted(
        rows, key=lambda row: (row["month"], row["basis"], row["figure"], row["account_id"])
    )
