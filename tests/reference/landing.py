"""Writes a random world as landing files, and gives the rows the warehouse must publish for it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from .financials import (
    Row,
    World,
    lifetime,
    mrr_monthly,
    revenue_monthly,
    subscription_records,
)


def raw_records(world: World) -> dict[tuple[str, str], list[Row]]:
    """The world's records by domain and entity, in the native format of ``sources.md``.

    No record has a version date, so each counts for every as-of date.
    """
    return {
        ("crm", "accounts"): _account_records(world),
        ("billing", "subscriptions"): _subscription_records(world),
        ("billing", "invoices"): _invoice_records(world),
        ("billing", "invoice_lines"): _line_records(world),
        ("billing", "fx_rates"): _rate_records(world),
    }


def world_to_landing(world: World, folder: Path) -> None:
    """Write the world as landing files under ``folder``; amounts and rates are decimal text.

    An entity without records gets no file, except ``crm/accounts``.
    """
    for (domain, entity), records in raw_records(world).items():
        if records or entity == "accounts":
            _write(folder / domain / f"{entity}.jsonl", records)


def settings_overrides(world: World) -> dict[str, Any]:
    """The world's settings by their names in ``sources.md``; the as-of date is an input apart."""
    settings = world.settings
    return {
        "reporting_time_zone": settings.reporting_time_zone,
        "reporting_currency": settings.reporting_currency,
        "end_date_is_inclusive": settings.end_date_is_inclusive,
        "grace_days": settings.grace_days,
        "trial_plan_codes": settings.trial_plan_codes,
    }


def expected_tables(world: World) -> dict[str, list[Row]]:
    """The expected rows by table, in key order.

    ``account_mrr_monthly`` and ``account_revenue_monthly`` are the published tables;
    ``account_lifetime`` holds the lifetime columns of ``account_360``, and
    ``subscription_records`` how each record counts before anything is added up. LookupError where
    an exchange rate is missing.
    """
    accounts, subscriptions, invoices = world.accounts, world.subscriptions, world.invoices
    lines, rates, settings = world.lines, world.rates, world.settings
    return {
        "account_mrr_monthly": mrr_monthly(accounts, subscriptions, invoices, rates, settings),
        "account_revenue_monthly": revenue_monthly(
            accounts, subscriptions, invoices, lines, rates, settings
        ),
        "subscription_records": subscription_records(accounts, subscriptions, rates, settings),
        "account_lifetime": lifetime(accounts, subscriptions, invoices, lines, rates, settings),
    }


def _account_records(world: World) -> list[Row]:
    return [
        {
            "account_id": account.account_id,
            "name": f"Account {account.account_id}",
            "join_date": account.join_date,
            "renewal_date": account.renewal_date,
            "currency": account.currency,
        }
        for account in world.accounts
    ]


def _subscription_records(world: World) -> list[Row]:
    return [
        {
            "subscription_id": record.subscription_id,
            "account_id": record.account_id,
            "start_date": record.start_date,
            "end_date": record.end_date,
            "expiration_date": record.expiration_date,
            "cycle_length": record.cycle_length,
            "cycle_unit": record.cycle_unit,
            "plan_code": record.plan_code,
            "total_revenue": record.total_revenue,
            "currency": record.currency,
            "is_end": record.is_end,
        }
        for record in world.subscriptions
    ]


def _invoice_records(world: World) -> list[Row]:
    return [
        {
            "invoice_id": invoice.invoice_id,
            "account_id": invoice.account_id,
            "created_at": invoice.created_at,
            "paid_at": invoice.paid_at,
            "is_failed": invoice.is_failed,
            "currency": invoice.currency,
        }
        for invoice in world.invoices
    ]


def _line_records(world: World) -> list[Row]:
    return [
        {
            "invoice_id": line.invoice_id,
            "line_number": line.line_number,
            "amount": line.amount,
            "is_recurring": line.is_recurring,
        }
        for line in world.lines
    ]


def _rate_records(world: World) -> list[Row]:
    return [
        {
            "rate_date": rate.rate_date,
            "from_currency": rate.from_currency,
            "to_currency": rate.to_currency,
            "rate": rate.rate,
        }
        for rate in world.rates
    ]


def _text(value: object) -> object:
    """A value as JSON carries it: instants with Z, dates in ISO form, decimals as text."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return f"{value:f}"
    return value


def _write(path: Path, records: Iterable[Mapping[str, object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps({name: _text(v) for name, v in record.items()}) for record in records]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
