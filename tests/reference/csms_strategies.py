"""Small random worlds of accounts and their CSMs, and the rows of the models that know them.

Days crowd: assignments begin and end on, just before and just after the days on which something
happens, month ends included. A world is made from a seed.
"""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from hypothesis import strategies as st

from .csms import AccountFacts, Assignment, CsmWorld, MonthOfMrr, Renewal
from .financials import ONE_DAY, first_of_month, last_of_month

TEAM = [f"{name}@x.example" for name in ("ann", "bob", "cid", "dan", "eve", "fay")]
PRICES = [Decimal(text) for text in ("0", "0", "100", "33.3334", "70.0001", "250.5")]


def csm_worlds() -> st.SearchStrategy[CsmWorld]:
    """Accounts with 0 to 6 CSMs, and all that figures are made of."""
    return st.integers(0, 2**64).map(lambda seed: _world(Random(seed)))


def _world(rng: Random) -> CsmWorld:
    as_of_date = rng.choice([date(2024, 6, 1), date(2024, 6, 10), date(2024, 3, 2)])
    last = as_of_date - ONE_DAY
    first = first_of_month(last - timedelta(days=rng.choice([40, 100, 420])))
    days = [first, last, *(last - timedelta(days=rng.randint(0, 120)) for _ in range(5))]
    days += [last_of_month(day) for day in days] + [first_of_month(day) for day in days]
    days = sorted({day for day in days if first <= day <= last})
    health_days = rng.choice([0, 30, 89])
    return CsmWorld(
        as_of_date=as_of_date,
        health_first_day=last - timedelta(days=health_days),
        accounts=tuple(
            _account(rng, f"a{number}", days, health_days) for number in range(rng.randint(1, 4))
        ),
    )


def _account(rng: Random, account_id: str, days: list[date], health_days: int) -> AccountFacts:
    first, last = days[0], days[-1]
    join_date = rng.choice(days)
    churn_date = rng.choice([None, None, rng.choice(days)])
    events = [*rng.choices(days, k=3), *([churn_date] * 3 if churn_date else [])]
    responses = sorted(set(rng.choices(days, k=rng.randint(0, 3))))
    return AccountFacts(
        account_id=account_id,
        join_date=join_date,
        churn_date=churn_date,
        churned_mrr=rng.choice(PRICES),
        assignments=_assignments(rng, events, first, last),
        mrr=_mrr(rng, first_of_month(min(join_date, rng.choice(days))), last, days),
        renewals=tuple(_renewal(rng, days) for _ in range(rng.randint(0, 5))),
        alerts=tuple(
            (rng.choice(days), rng.choice([None, "successful", "unsuccessful", "false_alarm"]))
            for _ in range(rng.randint(0, 5))
        ),
        tickets=tuple(
            (opened, rng.choice([None, *(day for day in days if day >= opened)]))
            for opened in rng.choices(days, k=rng.randint(0, 3))
        ),
        nps=tuple(
            (day, following, rng.randint(0, 30), rng.randint(3, 5))
            for day, following in zip(responses, [*responses[1:], None], strict=False)
        ),
        health={
            day: rng.choice([0, 30, 31, 70, 71, 100])
            for day in (last - timedelta(days=number) for number in range(health_days + 1))
            if rng.random() < 0.8
        },
    )


def _assignments(
    rng: Random, events: list[date], first: date, last: date
) -> tuple[Assignment, ...]:
    """Periods of one CSM neither overlap nor touch, as they come from their model."""
    found: list[Assignment] = []
    for csm in rng.sample(TEAM, rng.choice([0, 1, 1, 2, 3, 6])):
        edges = {first - timedelta(days=rng.randint(0, 9))}
        edges |= {rng.choice(events) + timedelta(days=rng.randint(-2, 2)) for _ in range(3)}
        days = sorted(day for day in edges if day <= last)
        while days:
            assigned_on, *days = days
            unassigned_on = days.pop(0) if days else None
            if unassigned_on is None and rng.random() < 0.5:
                break
            if unassigned_on is not None and rng.random() < 0.15:
                unassigned_on = assigned_on
            found.append(Assignment(csm, assigned_on, unassigned_on))
    return tuple(found)


def _mrr(rng: Random, month: date, last: date, days: list[date]) -> dict[date, MonthOfMrr]:
    months: dict[date, MonthOfMrr] = {}
    starting = Decimal(0)
    while month <= last:
        ending = rng.choice([starting, starting, rng.choice(PRICES)])
        is_exchange = starting > 0 and ending > 0 and rng.random() < 0.2
        inside = [day for day in days if first_of_month(day) == month]
        changed_on = rng.choice(inside) if inside else month
        movement = (
            "none"
            if starting == ending or is_exchange
            else "new"
            if starting == 0
            else "lost"
            if ending == 0
            else "expansion"
            if ending > starting
            else "contraction"
        )
        months[month] = MonthOfMrr(
            subscription=rng.choice([starting, ending]),
            starting=starting,
            ending=ending,
            movement=movement,
            changed_on=rng.choice([None, changed_on]) if movement == "none" else changed_on,
        )
        starting = ending
        month = last_of_month(month) + ONE_DAY
    return months


def _renewal(rng: Random, days: list[date]) -> Renewal:
    outcome = rng.choice(["renewed", "lost", "open"])
    due, new = rng.choice(PRICES[2:]), rng.choice(PRICES)
    is_renewed = outcome == "renewed"
    return Renewal(
        expiration_date=rng.choice(days),
        outcome=outcome,
        due=due,
        renewed=min(due, new) if is_renewed else Decimal(0),
        uplift=max(new - due, Decimal(0)) if is_renewed else Decimal(0),
        reduction=max(due - new, Decimal(0)) if is_renewed else Decimal(0),
    )


def model_rows(world: CsmWorld) -> dict[str, tuple[str, list[dict[str, Any]]]]:
    """Model → the columns that are read of it, with types, and its rows in the world."""
    mrr = [
        (account, month, each) for account in world.accounts for month, each in account.mrr.items()
    ]
    return {
        "stg_canonical__accounts": (
            "account_id varchar",
            [{"account_id": account.account_id} for account in world.accounts],
        ),
        "int_account_month__spine": (
            "account_id varchar, month date",
            [{"account_id": account.account_id, "month": month} for account, month, _ in mrr],
        ),
        "int_account_month__mrr": (
            "account_id varchar, month date, movement varchar,"
            " subscription_mrr_reporting decimal(38,4), starting_mrr_reporting decimal(38,4),"
            " ending_mrr_reporting decimal(38,4), exchange_mrr_reporting decimal(38,4)",
            [
                {
                    "account_id": account.account_id,
                    "month": month,
                    "movement": each.movement,
                    "subscription_mrr_reporting": each.subscription,
                    "starting_mrr_reporting": each.starting,
                    "ending_mrr_reporting": each.ending,
                    "exchange_mrr_reporting": each.ending - each.starting
                    if each.movement == "none"
                    else 0,
                }
                for account, month, each in mrr
            ],
        ),
        "int_account_month__mrr_changed_on": (
            "account_id varchar, month date, mrr_changed_on date",
            [
                {
                    "account_id": account.account_id,
                    "month": month,
                    "mrr_changed_on": each.changed_on,
                }
                for account, month, each in mrr
                if each.changed_on
            ],
        ),
        "int_account_month__logo_churn": (
            "account_id varchar, month date, is_churned_in_month boolean",
            [
                {
                    "account_id": account.account_id,
                    "month": month,
                    "is_churned_in_month": bool(
                        account.churn_date and first_of_month(account.churn_date) == month
                    ),
                }
                for account, month, _ in mrr
                if account.join_date < month
                and (account.churn_date is None or month <= account.churn_date)
            ],
        ),
        "int_account__churn": (
            "account_id varchar, churn_date date, lost_mrr_reporting decimal(38,4),"
            " is_in_base boolean",
            [
                {
                    "account_id": account.account_id,
                    "churn_date": account.churn_date,
                    "lost_mrr_reporting": account.churned_mrr,
                    "is_in_base": account.join_date < first_of_month(account.churn_date),
                }
                for account in world.accounts
                if account.churn_date
            ],
        ),
        "int_account_month__retention": (
            "account_id varchar, month date, horizon_months integer,"
            " base_mrr_reporting decimal(38,4), kept_mrr_reporting decimal(38,4),"
            " ending_mrr_reporting decimal(38,4)",
            [
                {
                    "account_id": account.account_id,
                    "month": month,
                    "horizon_months": horizon,
                    "base_mrr_reporting": base,
                    "kept_mrr_reporting": min(base, each.ending),
                    "ending_mrr_reporting": each.ending,
                }
                for account, month, each in mrr
                for horizon in (1, 3, 12)
                if (base := _ending(account, month, horizon)) > 0
            ],
        ),
        "int_subscription_record__renewal_outcome": (
            "account_id varchar, due_month date, expiration_date date, outcome varchar,"
            " due_mrr_reporting decimal(18,4), renewed_mrr_reporting decimal(18,4),"
            " uplift_mrr_reporting decimal(18,4), reduction_mrr_reporting decimal(18,4)",
            [
                {
                    "account_id": account.account_id,
                    "due_month": first_of_month(each.expiration_date),
                    "expiration_date": each.expiration_date,
                    "outcome": each.outcome,
                    "due_mrr_reporting": each.due,
                    "renewed_mrr_reporting": each.renewed,
                    "uplift_mrr_reporting": each.uplift,
                    "reduction_mrr_reporting": each.reduction,
                }
                for account in world.accounts
                for each in account.renewals
            ],
        ),
        "int_alert__age": (
            "account_id varchar, outcome varchar, is_open boolean, closed_at timestamp",
            [
                {
                    "account_id": account.account_id,
                    "outcome": outcome,
                    "is_open": False,
                    "closed_at": closed_on,
                }
                for account in world.accounts
                for closed_on, outcome in account.alerts
            ],
        ),
        "int_ticket__states": (
            "account_id varchar, is_open boolean, started_on date, ended_on date",
            [
                {
                    "account_id": account.account_id,
                    "is_open": True,
                    "started_on": started_on,
                    "ended_on": ended_on,
                }
                for account in world.accounts
                for started_on, ended_on in account.tickets
            ],
        ),
        "int_account_response__nps": (
            "account_id varchar, current_from date, current_to date, score_total bigint,"
            " responses bigint",
            [
                {
                    "account_id": account.account_id,
                    "current_from": since,
                    "current_to": until,
                    "score_total": score,
                    "responses": responses,
                }
                for account in world.accounts
                for since, until, score, responses in account.nps
            ],
        ),
        "int_account_day__health": (
            "account_id varchar, day date, health_score integer, health_band varchar",
            [
                {
                    "account_id": account.account_id,
                    "day": day,
                    "health_score": score,
                    "health_band": "healthy"
                    if score >= 71
                    else "neutral"
                    if score >= 31
                    else "unhealthy",
                }
                for account in world.accounts
                for day, score in account.health.items()
            ],
        ),
        "int_account_csm__assignments": (
            "account_id varchar, csm_email varchar, assigned_on date, unassigned_on date",
            [
                {
                    "account_id": account.account_id,
                    "csm_email": each.csm_email,
                    "assigned_on": each.assigned_on,
                    "unassigned_on": each.unassigned_on,
                }
                for account in world.accounts
                for each in account.assignments
            ],
        ),
        "int_month__unattributed": (
            "month date, invoice_revenue decimal(18,4), payments decimal(18,4), events bigint,"
            " tickets bigint",
            [],
        ),
    }


def _ending(account: AccountFacts, month: date, horizon: int) -> Decimal:
    """MRR at the end of the month that many months before."""
    year, number = divmod(month.year * 12 + month.month - 1 - horizon, 12)
    earlier = account.mrr.get(date(year, number + 1, 1))
    return earlier.ending if earlier else Decimal(0)
