"""Hypothesis strategies for small random worlds of tickets, and their raw records.

The instants crowd: at, just before and just after the local midnights of the time zones, those of
months above all, so that creations, changes and closes meet each other and the edges of windows.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from .financials import Row, Settings
from .strategies import TIME_ZONES
from .support import Change, SupportWorld, Ticket, start_of

STATUSES = ("open", "pending", "solved", "closed", "closed", "Solved", " CLOSED", "on hold", "New")
LABELS = (None, "low", "high", " high", "")


@st.composite
def _instants(draw: st.DrawFn, as_of_date: date, zone: str) -> datetime:
    """An instant around the start of a month, of the as-of date, or of a day shortly before."""
    months = draw(st.sampled_from([0, 0, 1, 1, 2, 3, 11, 12, 13]))
    year, month = divmod(as_of_date.year * 12 + as_of_date.month - 1 - months, 12)
    days = [date(year, month + 1, 1), as_of_date, as_of_date - timedelta(days=months)]
    day = draw(st.sampled_from(days))
    midnight = datetime.combine(day, time(), ZoneInfo(draw(st.sampled_from([zone, "UTC"]))))
    seconds = draw(st.sampled_from([0, 0, -1, 1, 7_200]) | st.integers(-300_000, 300_000))
    return midnight.astimezone(UTC).replace(tzinfo=None) + timedelta(seconds=seconds)


def _sizes(largest: int) -> st.SearchStrategy[int]:
    """Up to `largest`, mostly of the larger half."""
    return st.integers(0, largest) | st.integers(largest // 2, largest)


@st.composite
def support_worlds(
    draw: st.DrawFn, max_accounts: int = 4, max_tickets: int = 6, max_changes: int = 24
) -> SupportWorld:
    """Small worlds of accounts below one another, their tickets and what changed of them."""
    zone = draw(st.sampled_from(TIME_ZONES))
    as_of_date = draw(
        st.sampled_from([date(2024, 6, 1), date(2024, 3, 2)])
        | st.dates(date(2024, 1, 1), date(2024, 12, 31))
    )
    settings = Settings(as_of_date=as_of_date, reporting_time_zone=zone)
    # few different instants, so that they meet, the end of the last full day among them
    pool = draw(st.lists(_instants(as_of_date, zone), min_size=6, max_size=14, unique=True))
    instants = st.sampled_from([start_of(as_of_date, settings), *pool])
    accounts = [f"a{number}" for number in range(1, draw(st.integers(1, max_accounts)) + 1)]
    parents = {
        account: draw(st.sampled_from(accounts[:position]))
        for position, account in enumerate(accounts)
        if position and draw(st.booleans())
    }
    tickets = [
        _ticket(f"t{number}", draw, accounts, instants)
        for number in range(1, draw(_sizes(max_tickets)) + 1)
    ]
    changes: dict[tuple[str, datetime, str], Change] = {}
    for _ in range(draw(_sizes(max_changes)) if tickets else 0):
        # the other half of the tickets has no changes
        ticket = draw(st.sampled_from(tickets[::2]))
        field = draw(st.sampled_from(["status", "status", "status", "priority", "type"]))
        changed_at = draw(instants | st.just(ticket.created_at))
        values = st.sampled_from([None, *STATUSES] if field == "status" else LABELS)
        changes[ticket.ticket_id, changed_at, field] = Change(
            ticket.ticket_id, changed_at, field, draw(values), draw(values)
        )
    return SupportWorld(
        accounts={
            account: draw(st.dates(as_of_date - timedelta(days=120), as_of_date))
            for account in accounts
        },
        parents=parents,
        tickets=tuple(tickets),
        changes=tuple(changes.values()),
        settings=settings,
    )


def _ticket(
    ticket_id: str, draw: st.DrawFn, accounts: list[str], instants: st.SearchStrategy[datetime]
) -> Ticket:
    """A ticket that does not close before it is created."""
    created_at = draw(instants)
    closed_at = draw(st.none() | instants)
    return Ticket(
        ticket_id=ticket_id,
        account_id=draw(st.sampled_from(accounts)),
        status=draw(st.sampled_from(STATUSES)),
        priority=draw(st.sampled_from(LABELS)),
        type=draw(st.sampled_from(LABELS)),
        created_at=created_at,
        closed_at=None if closed_at is None else max(closed_at, created_at),
        updated_at=draw(st.sampled_from([None, None, created_at]) | instants),
    )


def raw_support_records(world: SupportWorld) -> dict[tuple[str, str], list[Row]]:
    """The world's records by domain and entity, in the native format of ``sources.md``."""
    return {
        ("crm", "accounts"): [
            {
                "account_id": account,
                "name": f"Account {account}",
                "join_date": joined,
                "parent_account_id": world.parents.get(account),
            }
            for account, joined in world.accounts.items()
        ],
        ("tickets", "tickets"): [asdict(ticket) for ticket in world.tickets],
        ("tickets", "ticket_changes"): [asdict(change) for change in world.changes],
    }
