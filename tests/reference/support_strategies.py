"""Small random worlds of tickets, and their raw records.

The instants crowd: few different ones in a world, at, just before and just after the local
midnights that begin months, so that creations, changes and closes meet each other and the edges of
windows. A world is made from a seed: drawn one by one, its many parts would repeat from example to
example.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from .financials import Row, Settings
from .strategies import TIME_ZONES
from .support import Change, SupportWorld, Ticket, start_of

STATUSES = ("open", "pending", "solved", "closed", "closed", "Solved", " CLOSED", "on hold", "New")
LABELS = (None, "low", "high", " high", "")


def support_worlds() -> st.SearchStrategy[SupportWorld]:
    """Accounts below one another, their tickets and what changed of them."""
    return st.integers(0, 2**64).map(lambda seed: _world(Random(seed)))


def _world(rng: Random) -> SupportWorld:
    zone = rng.choice(TIME_ZONES)
    as_of_date = rng.choice(
        [date(2024, 6, 1), date(2024, 3, 2), date(2024, rng.randint(1, 12), 20)]
    )
    settings = Settings(as_of_date=as_of_date, reporting_time_zone=zone)
    instants = [start_of(as_of_date, settings)]
    instants += [_instant(rng, as_of_date, zone) for _ in range(rng.randint(4, 14))]
    accounts = [f"a{number}" for number in range(1, rng.randint(1, 4) + 1)]
    tickets = [
        _ticket(rng, f"t{number}", rng.choice(accounts), instants)
        for number in range(1, rng.randint(0, 8) + 1)
    ]
    # the other half of the tickets has no changes
    changes = [_change(rng, ticket, instants) for ticket in tickets[::2] for _ in range(8)]
    by_key = {(change.ticket_id, change.changed_at, change.field): change for change in changes}
    return SupportWorld(
        accounts={account: as_of_date - timedelta(days=rng.randint(0, 99)) for account in accounts},
        parents={
            account: rng.choice(accounts[:position])
            for position, account in enumerate(accounts)
            if position and rng.random() < 0.6
        },
        tickets=tuple(tickets),
        changes=tuple(by_key.values()),
        settings=settings,
    )


def _instant(rng: Random, as_of_date: date, zone: str) -> datetime:
    """An instant around the start of a month, or around the as-of date."""
    months = rng.choice([0, 0, 1, 1, 2, 3, 11, 12])
    year, month = divmod(as_of_date.year * 12 + as_of_date.month - 1 - months, 12)
    day = rng.choice([date(year, month + 1, 1), as_of_date - timedelta(days=months)])
    midnight = datetime.combine(day, time(), ZoneInfo(rng.choice([zone, zone, "UTC"])))
    seconds = rng.choice([0, 0, -1, 1, 7_200, rng.randint(-300_000, 300_000)])
    return midnight.astimezone(UTC).replace(tzinfo=None) + timedelta(seconds=seconds)


def _ticket(rng: Random, ticket_id: str, account_id: str, instants: list[datetime]) -> Ticket:
    """A ticket that does not close before it is created."""
    created_at = min(rng.choices(instants, k=3))
    return Ticket(
        ticket_id=ticket_id,
        account_id=account_id,
        status=rng.choice(STATUSES),
        priority=rng.choice(LABELS),
        type=rng.choice(LABELS),
        created_at=created_at,
        closed_at=rng.choice([None, max(created_at, rng.choice(instants))]),
        updated_at=rng.choice([None, None, created_at, rng.choice(instants)]),
    )


def _change(rng: Random, ticket: Ticket, instants: list[datetime]) -> Change:
    """A change at any time, before the creation of its ticket too."""
    field = rng.choice(["status", "status", "status", "priority", "type"])
    values = (None, *STATUSES) if field == "status" else LABELS
    return Change(
        ticket_id=ticket.ticket_id,
        changed_at=rng.choice(instants),
        field=field,
        old_value=rng.choice(values),
        new_value=rng.choice(values),
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
