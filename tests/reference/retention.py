"""Renewals, churn and retention of ``metrics.md`` (section 1) by account, in plain Python.

An oracle like `financials`, on whose active periods and months it stands: written from the
definitions alone, and slow. Rows have the columns of the published tables or, where nothing by
account is published, of the models that the CSM and portfolio tables add up.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from .financials import (
    ONE_DAY,
    ZERO,
    Account,
    RateBook,
    Row,
    SubscriptionRecord,
    ValuedPeriod,
    World,
    account_currency,
    active_periods,
    first_of_month,
    last_of_month,
    months_between,
    mrr_monthly,
    valued_periods,
)

HORIZONS = (1, 3, 12)
RecordKey = tuple[str, date]


@dataclass(frozen=True)
class RetentionWorld:
    """A world of the Financials page, with what renewals and churn depend on beside it.

    ``marked`` are the keys of the records with ``is_renewal``; ``churned`` holds the accounts with
    ``is_churned``, with their ``inactive_time`` or None.
    """

    world: World
    marked: frozenset[RecordKey]
    churned: dict[str, date | None]
    renewal_early_days: int = 90
    renewal_late_days: int = 30

    @property
    def last_full_day(self) -> date:
        """L of ``metrics.md``."""
        return self.world.settings.last_full_day


# --- Renewals ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Term:
    """A record that is no trial, with its worth, and its expiration as an exclusive date."""

    valued: ValuedPeriod
    expiration: date | None
    is_marked: bool

    @property
    def record(self) -> SubscriptionRecord:
        return self.valued.period.record

    @property
    def start(self) -> date:
        return self.record.start_date

    @property
    def key(self) -> RecordKey:
        return self.record.subscription_id, self.record.start_date

    def outlasts(self, other: _Term) -> bool:
        """Whether it expires later than the other one, or never."""
        return self.expiration is None or self.expiration > other.expiration


def _terms(account: Account, world: RetentionWorld) -> list[_Term]:
    settings = world.world.settings
    periods = [
        period
        for period in active_periods(world.world.subscriptions, settings)
        if period.record.account_id == account.account_id
    ]
    book = RateBook(world.world.rates, settings.reporting_currency)
    extra = ONE_DAY if settings.end_date_is_inclusive else timedelta(0)
    return [
        _Term(
            valued,
            record.expiration_date and record.expiration_date + extra,
            (record.subscription_id, record.start_date) in world.marked,
        )
        for valued in valued_periods(account, periods, book, settings)
        for record in [valued.period.record]
        if record.plan_code is None or record.plan_code not in settings.trial_plan_codes
    ]


def _is_in_window(due: _Term, renewing: _Term, world: RetentionWorld) -> bool:
    """Whether one starts in the time in which it may renew the other, and outlasts it."""
    days = (renewing.start - due.expiration).days
    return (
        -world.renewal_early_days <= days <= world.renewal_late_days
        and renewing.start > due.start
        and renewing.outlasts(due)
    )


def _own_renewals(term: _Term, terms: Iterable[_Term], world: RetentionWorld) -> list[_Term]:
    """Records of the same subscription that could renew it, in order of their starts."""
    found = [
        other
        for other in terms
        if other.record.subscription_id == term.record.subscription_id
        and _is_in_window(term, other, world)
    ]
    return sorted(found, key=lambda other: other.start)


def _is_due(term: _Term, own_renewals: Iterable[_Term], world: RetentionWorld) -> bool:
    """Active on the day before it expires, or until a renewal of its own took its place."""
    if term.expiration is None or term.expiration > world.last_full_day:
        return False
    if term.valued.period.is_active_on(term.expiration - ONE_DAY):
        return True
    return any(
        renewal.start < term.expiration and term.valued.period.until == renewal.start
        for renewal in own_renewals
    )


def _paired(
    unrenewed: Iterable[_Term], marked: Iterable[_Term], world: RetentionWorld
) -> Iterator[tuple[RecordKey, _Term]]:
    """Pairs of a due record and a marked one: the nearest of all first, each used once."""
    left, unused = list(unrenewed), list(marked)
    while True:
        pairs = [(d, m) for d in left for m in unused if _is_in_window(d, m, world)]
        if not pairs:
            return
        due, renewing = min(
            pairs,
            key=lambda pair: (
                abs((pair[1].start - pair[0].expiration).days),
                pair[0].expiration,
                pair[1].start,
                pair[0].start,
                pair[1].expiration or date.max,
                pair[0].record.subscription_id,
                pair[1].record.subscription_id,
            ),
        )
        left.remove(due)
        unused.remove(renewing)
        yield due.key, renewing


def _amounts(due: _Term, renewing: _Term | None) -> Row:
    row: Row = {}
    for suffix, name in (("", "amount"), ("_reporting", "amount_reporting")):
        old = getattr(due.valued, name)
        new = getattr(renewing.valued, name) if renewing else None
        row[f"due_mrr{suffix}"] = old
        row[f"renewed_mrr{suffix}"] = ZERO if new is None else min(old, new)
        row[f"uplift_mrr{suffix}"] = ZERO if new is None else max(new - old, ZERO)
        row[f"reduction_mrr{suffix}"] = ZERO if new is None else max(old - new, ZERO)
    return row


def _renewals_of(account: Account, world: RetentionWorld) -> Iterator[Row]:
    terms = _terms(account, world)
    own = {term.key: _own_renewals(term, terms, world) for term in terms if term.expiration}
    due = [term for term in terms if term.expiration and _is_due(term, own[term.key], world)]
    renewed_by = {term.key: own[term.key][0] for term in due if own[term.key]}
    used = {renewing.key for renewing in renewed_by.values()}
    unrenewed = [term for term in due if term.key not in renewed_by]
    marked = [term for term in terms if term.is_marked and term.key not in used]
    renewed_by.update(_paired(unrenewed, marked, world))
    for term in due:
        renewing = renewed_by.get(term.key)
        until = term.expiration + timedelta(days=world.renewal_late_days)
        unrenewed_yet = "open" if until > world.last_full_day else "lost"
        yield {
            "account_id": account.account_id,
            "subscription_id": term.record.subscription_id,
            "start_date": term.start,
            "expiration_date": term.expiration,
            "due_month": first_of_month(term.expiration),
            "currency": account_currency(account, world.world.settings),
            "outcome": "renewed" if renewing else unrenewed_yet,
            "renewed_by_subscription_id": renewing and renewing.record.subscription_id,
            "renewed_date": renewing and renewing.start,
            "is_in_open_window": until > world.last_full_day,
            **_amounts(term, renewing),
        }


def renewals(world: RetentionWorld) -> list[Row]:
    """The rows of ``account_renewals``; LookupError where an exchange rate is missing."""
    rows = [row for account in world.world.accounts for row in _renewals_of(account, world)]
    keys = ("account_id", "subscription_id", "start_date")
    return sorted(rows, key=lambda row: tuple(row[key] for key in keys))


# --- Churn ---------------------------------------------------------------------------------------


def _months(world: RetentionWorld) -> list[Row]:
    inner = world.world
    return mrr_monthly(
        inner.accounts, inner.subscriptions, inner.invoices, inner.rates, inner.settings
    )


def _is_churned(account: Account, world: RetentionWorld) -> bool:
    if account.account_id not in world.churned:
        return False
    day = world.churned[account.account_id]
    return day is None or day <= world.last_full_day


def churn(world: RetentionWorld) -> list[Row]:
    """The rows of ``account_churn``, CSMs and reason apart."""
    months = _months(world)
    rows = []
    for account in sorted(world.world.accounts, key=lambda account: account.account_id):
        if not _is_churned(account, world):
            continue
        day = world.churned[account.account_id]
        until = first_of_month(day or world.last_full_day)
        paying = [
            row
            for row in months
            if row["account_id"] == account.account_id
            and row["month"] <= until
            and row["starting_mrr"] > 0
        ]
        last = max(paying, key=lambda row: row["month"], default=None)
        rows.append(
            {
                "account_id": account.account_id,
                "currency": account_currency(account, world.world.settings),
                "lost_mrr": last["starting_mrr"] if last else ZERO,
                "lost_mrr_reporting": last["starting_mrr_reporting"] if last else ZERO,
                "lost_mrr_month": last and last["month"],
                "is_in_logo_churn": day is not None and account.join_date < first_of_month(day),
                "churn_date": day,
            }
        )
    return rows


def logo_churn(world: RetentionWorld) -> list[Row]:
    """One row per account and month in which it could churn, and whether it did."""
    accounts = {account.account_id: account for account in world.world.accounts}
    rows = []
    for row in _months(world):
        account, month = accounts[row["account_id"]], row["month"]
        churned = _is_churned(account, world)
        day = world.churned[account.account_id] if churned else None
        if account.join_date >= month or (churned and (day is None or day < month)):
            continue
        rows.append(
            {
                "account_id": account.account_id,
                "month": month,
                "is_churned_in_month": day is not None and month <= day <= last_of_month(month),
            }
        )
    return rows


# --- Retention and the day of a movement ---------------------------------------------------------


def retention(world: RetentionWorld) -> list[Row]:
    """One row per account, month and horizon with MRR before: it, what is left of it, and now."""
    months = _months(world)
    rows = []
    for now in months:
        for horizon in HORIZONS:
            for before in months:
                if before["account_id"] != now["account_id"]:
                    continue
                if months_between(before["month"], now["month"]) != horizon:
                    continue
                base, ending = before["ending_mrr_reporting"], now["ending_mrr_reporting"]
                if base > 0:
                    rows.append(
                        {
                            "account_id": now["account_id"],
                            "month": now["month"],
                            "horizon_months": horizon,
                            "base_mrr_reporting": base,
                            "kept_mrr_reporting": min(base, ending),
                            "ending_mrr_reporting": ending,
                        }
                    )
    return rows


def _mrr_on(terms: Iterable[_Term], day: date) -> Decimal:
    return sum((t.valued.amount for t in terms if t.valued.period.is_active_on(day)), ZERO)


def mrr_changed_on(world: RetentionWorld) -> list[Row]:
    """One row per account and month in which its MRR changed: the last day on which it did."""
    accounts = {account.account_id: account for account in world.world.accounts}
    terms = {name: _terms(account, world) for name, account in accounts.items()}
    rows = []
    for row in _months(world):
        name, month = row["account_id"], row["month"]
        day = min(last_of_month(month), world.last_full_day)
        while day >= month:
            if _mrr_on(terms[name], day) != _mrr_on(terms[name], day - ONE_DAY):
                rows.append({"account_id": name, "month": month, "mrr_changed_on": day})
                break
            day -= ONE_DAY
    return rows
