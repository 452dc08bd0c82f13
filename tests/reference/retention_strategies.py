"""Hypothesis strategies for small worlds of renewals and churn, and what they land as."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from .financials import Row, SubscriptionRecord, first_of_month
from .landing import raw_records, settings_overrides
from .retention import RecordKey, RetentionWorld
from .strategies import FIRST_DAY, worlds

WINDOWS = ((90, 30), (90, 30), (90, 30), (10, 40), (5, 0), (0, 3), (0, 0))


def _key(record: SubscriptionRecord) -> RecordKey:
    return record.subscription_id, record.start_date


@st.composite
def _with_follow_ups(
    draw: st.DrawFn, records: list[SubscriptionRecord], early: int, late: int
) -> tuple[list[SubscriptionRecord], set[RecordKey]]:
    """Records at the edges of the windows of those there are, many of them marked.

    Most records lose their own end first: what ends before it expires is not due.
    """
    known = {
        _key(record): replace(record, end_date=None) if draw(st.integers(0, 3)) else record
        for record in records
    }
    marked = {key for key in known if draw(st.integers(0, 3)) == 0}
    offsets = [-early - 1, -early, -(early // 2), -1, 0, 0, 1, late, late + 1, late + 2]
    for number in range(draw(st.integers(2, 8))):
        expiring = [record for record in known.values() if record.expiration_date]
        if not expiring:
            break
        old = draw(st.sampled_from(expiring))
        start = max(old.expiration_date + timedelta(days=draw(st.sampled_from(offsets))), FIRST_DAY)
        is_own = draw(st.booleans())
        new = replace(
            old,
            subscription_id=old.subscription_id if is_own else f"{old.account_id}-n{number}",
            start_date=start,
            end_date=None,
            expiration_date=draw(
                st.sampled_from([None, start + timedelta(days=30), start + timedelta(days=180)])
            ),
            total_revenue=draw(
                st.sampled_from([old.total_revenue, old.total_revenue * 2, Decimal("77.7777")])
            ),
        )
        if _key(new) not in known:
            known[_key(new)] = new
            if draw(st.integers(0, 3)) > int(is_own):
                marked.add(_key(new))
    return list(known.values()), marked


@st.composite
def retention_worlds(draw: st.DrawFn) -> RetentionWorld:
    """Worlds with renewals at the edges of every window, and accounts that churn."""
    world = draw(worlds(max_accounts=3, max_records=6, max_invoices=1))
    early, late = draw(st.sampled_from(WINDOWS))
    records, marked = draw(_with_follow_ups(list(world.subscriptions), early, late))
    as_of_date = world.settings.as_of_date
    expirations = sorted({record.expiration_date for record in records} - {None})
    if expirations and draw(st.booleans()):
        days = draw(st.sampled_from([1, late, late + 1, late + 2, 60]))
        as_of_date = draw(st.sampled_from(expirations[-3:])) + timedelta(days=days)
    last = as_of_date - timedelta(days=1)
    days = st.one_of(
        st.integers(-300, 3).map(lambda number: last + timedelta(days=number)),
        st.integers(-300, 0).map(lambda number: first_of_month(last + timedelta(days=number))),
    )
    churned: dict[str, date | None] = {
        account.account_id: draw(st.one_of(days, days, days, st.none()))
        for account in world.accounts
        if draw(st.booleans())
    }
    return RetentionWorld(
        world=replace(
            world,
            subscriptions=tuple(draw(st.permutations(records))),
            settings=replace(world.settings, as_of_date=as_of_date),
        ),
        marked=frozenset(marked),
        churned=churned,
        renewal_early_days=early,
        renewal_late_days=late,
    )


def raw_retention_records(world: RetentionWorld) -> dict[tuple[str, str], list[Row]]:
    """The records of the world by domain and entity, in the native format."""
    records = raw_records(world.world)
    for account in records["crm", "accounts"]:
        account["is_churned"] = account["account_id"] in world.churned
        account["inactive_time"] = world.churned.get(account["account_id"])
    for record in records["billing", "subscriptions"]:
        key = record["subscription_id"], record["start_date"]
        record["is_renewal"] = key in world.marked
    return records


def retention_settings(world: RetentionWorld) -> dict[str, Any]:
    """The settings of the world by their names."""
    return {
        **settings_overrides(world.world),
        "renewal_early_days": world.renewal_early_days,
        "renewal_late_days": world.renewal_late_days,
    }
