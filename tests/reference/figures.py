"""Figures and attributes by day (``metrics.md``, sections 0, 6 and 7) in plain Python.

Each is told for one day at a time, straight from the records: no running sums, no windows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from .activity import ABSENT, ActivityWorld, Event, activity_tables, deduplicated, duration
from .financials import (
    ZERO,
    Account,
    Invoice,
    RateBook,
    Row,
    World,
    active_periods,
    local_day,
    valued_periods,
)

Value = Decimal | Fraction | int | float | str | date


def days_from_to(first: date, last: date) -> list[date]:
    """The days from one to another, both in."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


# --- MRR and invoices ----------------------------------------------------------------------------


def mrr_by_day(world: World, first: date) -> dict[tuple[str, date], tuple[Decimal, Decimal]]:
    """MRR in the account's and in the reporting currency, for each day since its join date."""
    settings = world.settings
    book = RateBook(world.rates, settings.reporting_currency)
    periods = active_periods(world.subscriptions, settings)
    result = {}
    for account in world.accounts:
        own = [period for period in periods if period.record.account_id == account.account_id]
        valued = valued_periods(account, own, book, settings)
        for day in days_from_to(max(first, account.join_date), settings.last_full_day):
            active = [one for one in valued if one.period.is_active_on(day)]
            result[account.account_id, day] = (
                sum((one.amount for one in active), ZERO),
                sum((one.amount_reporting for one in active), ZERO),
            )
    return result


def days_invoice_open(world: World, first: date) -> dict[tuple[str, date], int]:
    """The age of the oldest unpaid invoice, for each day on which there is one."""
    result = {}
    for account in world.accounts:
        for day in days_from_to(max(first, account.join_date), world.settings.last_full_day):
            created = [
                local_day(invoice.created_at, world.settings.reporting_time_zone)
                for invoice in world.invoices
                if _is_unpaid_on(invoice, account, day, world)
            ]
            if created:
                result[account.account_id, day] = (day - min(created)).days
    return result


def _is_unpaid_on(invoice: Invoice, account: Account, day: date, world: World) -> bool:
    zone = world.settings.reporting_time_zone
    if invoice.account_id != account.account_id or invoice.is_failed:
        return False
    if local_day(invoice.created_at, zone) > day:
        return False
    return invoice.paid_at is None or local_day(invoice.paid_at, zone) > day


# --- Usage ---------------------------------------------------------------------------------------


_PUBLISHED_USAGE = (
    "dau",
    "wau",
    "mau",
    "product_users",
    "session_seconds",
    "seconds_per_active_user",
)


def usage_by_day(world: ActivityWorld, first: date) -> dict[tuple[str, str, date], Value]:
    """Usage figures by account, figure and day, from the first known day of a user on.

    Days before it, on which an account that joined has usage of 0, are left out.
    """
    result: dict[tuple[str, str, date], Value] = {}
    rows = activity_tables(world)["account_activity_daily"]
    for row in rows:
        if row["day"] < first:
            continue
        for name, value in _figures(row, rows).items():
            if value is not None:
                result[row["account_id"], name, row["day"]] = value
    for event, day in _counted_events(world, first):
        if (use := _use(event)) is not None:
            key = (event.account_id, use[0], day)
            result[key] = result.get(key, 0) + use[1]
    return result


def _figures(row: Row, rows: Sequence[Row]) -> dict[str, Value | None]:
    figures = {name: row[name] for name in _PUBLISHED_USAGE}
    for name in ("dau", "mau"):
        share = Fraction(100 * row[name], row["product_users"]) if row["product_users"] else None
        figures[f"{name}_share_pct"] = share
    figures["days_active_30d"] = sum(
        other["account_id"] == row["account_id"]
        and row["day"] - timedelta(days=29) <= other["day"] <= row["day"]
        and other["dau"] > 0
        for other in rows
    )
    return figures


def _counted_events(world: ActivityWorld, first: date) -> Iterable[tuple[Event, date]]:
    """Events of accounts that exist, before they churned, on days from the first one on."""
    settings = world.settings
    accounts = {account.account_id: account for account in world.accounts}
    for event in deduplicated(world.events, settings):
        day = local_day(event.created_at, settings.reporting_time_zone)
        account = accounts.get(event.account_id or "")
        if account and not account.is_churned_by(day) and first <= day <= settings.last_full_day:
            yield event, day


def _use(event: Event) -> tuple[str, Value] | None:
    """The figure of a module or feature that an event adds to, and what it adds."""
    place = f"{event.product or ABSENT}/{event.module or ABSENT}"
    if event.action == "moduleEnd":
        return f"module:{place}", Fraction(duration(event.time_spent), 1_000_000)
    if event.action == "feature":
        count = 1 if event.total is None else event.total
        return f"feature:{place}/{event.feature or ABSENT}", Fraction(count)
    return None


# --- Attributes ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Version:
    """A version of an account's record as it landed, in the order of loads, files and lines.

    ``version_at`` is the instant of its date, None where it has none. ``fields`` are the record's
    columns beside identifier, name and join date.
    """

    account_id: str
    version_at: datetime | None
    version_date: date | None
    fields: dict[str, Any]
    is_refused: bool = False


def attributes_on(
    versions: Sequence[Version], account_id: str, day: date
) -> dict[str, str | float | date]:
    """What the account's record said at the end of a day; versions in landing order."""
    known = [
        version
        for version in versions
        if version.account_id == account_id
        and not version.is_refused
        and (version.version_date is None or version.version_date <= day)
    ]
    if not known:
        return {}
    latest = max(enumerate(known), key=_version_order)[1]
    return _stated(latest.fields, day)


def _version_order(numbered: tuple[int, Version]) -> tuple[bool, datetime, int]:
    """Versions without a date come first; of equal ones the one that landed later holds."""
    position, version = numbered
    return version.version_at is not None, version.version_at or datetime.min, position


def _stated(fields: dict[str, Any], day: date) -> dict[str, str | float | date]:
    said = {
        "tier": fields.get("tier"),
        "stage": fields.get("current_stage"),
        "csm_score": fields.get("csm_score"),
        "renewal_date": fields.get("renewal_date"),
        "is_churned": 0,
    }
    churn_date = fields.get("inactive_time")
    if fields.get("is_churned") and (churn_date is None or churn_date <= day):
        said["is_churned"] = 1
        said["churn_date"] = churn_date
        said["churn_reason"] = fields.get("inactive_reason")
    for entry in fields.get("custom_label_dimensions") or []:
        said[f"label:{entry['key']}"] = entry["value"]
    for entry in fields.get("custom_value_dimensions") or []:
        said[f"value:{entry['key']}"] = entry["value"]
    return {name: value for name, value in said.items() if value is not None}
