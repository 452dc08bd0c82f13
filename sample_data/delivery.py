"""How product events arrive: on which night, how late, how often, and from whom nobody knows.

The history becomes one Arrow table; the events of the nights become records for text files.
"""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa

from sample_data import usage
from sample_data.calendar import HISTORY
from sample_data.company import World
from sample_data.drafts import BulkCase, Draft, Drafts, Record
from sample_data.usage import NOTHING, Events, Persons

UNKNOWN_ACCOUNTS = ("ACC-9041", "12.0", "acc-1001")
"""Never in the CRM: a stranger, an id that went through a float, and one in the wrong case."""


def put_events(world: World, drafts: Drafts) -> None:
    """Put all product events, each in the slot in which it was delivered."""
    persons = usage.persons_of(world)
    events = usage.make_events(world, persons)
    slots, late = _slots(world, events)
    repeats = _repeats(world, events, slots)
    order = np.sort(np.concatenate([np.arange(len(events)), repeats]), kind="stable")
    writer = _Writer(world, persons, events)
    drafts.tables["events"] = writer.table(order[slots[order] == HISTORY])
    for slot in range(world.calendar.nights):
        chosen = order[slots[order] == slot]
        fresh = ~late[chosen]
        # What comes late stands at the end of its file, behind the night's own events.
        for index in np.concatenate([chosen[fresh], chosen[~fresh]]):
            draft = Draft(writer.record(int(index)))
            if late[index]:
                day = usage.moment_of(int(events.columns["created_ms"][index])).date()
                draft.case, draft.note = "late_event", f"of {day}"
            drafts.put_as_is("events", slot, draft)
    _count_cases(world, writer, slots, repeats, drafts)
    _put_unknown_accounts(world, writer, slots, drafts)


def _slots(world: World, events: Events) -> tuple[np.ndarray, np.ndarray]:
    """Return the slot of delivery of each event, and whether that is later than its own day.

    A slot past the last night stands for events that are not delivered yet.
    """
    nights = world.calendar.nights
    first = usage.day_number(world.calendar.first_night)
    day = events.columns["created_ms"] // usage.DAY_MS - first
    rng = np.random.Generator(np.random.PCG64([abs(world.seed), 13]))
    draw = rng.integers(0, 1000, len(events))
    delay = rng.integers(1, 4, len(events))
    slots = np.maximum(day, HISTORY)
    is_delayed = (day >= 0) & (draw < 12)
    slots = np.where(is_delayed, slots + delay, slots)
    # Devices that were offline for weeks.
    is_old = (day < 0) & (day > -32) & (draw < 4) & (nights > 1)
    slots = np.where(is_old, rng.integers(0, nights, len(events)), slots)
    return slots, is_delayed | is_old


def _repeats(world: World, events: Events, slots: np.ndarray) -> np.ndarray:
    """Return the positions of the events that are delivered twice in one file."""
    rng = np.random.Generator(np.random.PCG64([abs(world.seed), 17]))
    draw = rng.integers(0, 1000, len(events))
    return np.flatnonzero(draw < np.where(slots == HISTORY, 3, 8))


class _Writer:
    """Turns coded events into a table or into records."""

    def __init__(self, world: World, persons: Persons, events: Events) -> None:
        self.persons = persons
        self.events = events
        created = events.columns["created_ms"]
        mobile = events.columns["product"] == 1
        # Only the mobile app numbers its events.
        self.event_number = np.where(mobile, np.cumsum(mobile), NOTHING)
        self.has_text_instants = np.array(
            [number % 3 == 0 for number in range(len(persons.users))], dtype=bool
        )
        self.days = created // usage.DAY_MS

    def table(self, index: np.ndarray) -> pa.Table:
        """Return the events at these positions as a table in the order of the contract."""
        rows = self.events.take(index).columns
        number = self.event_number[index]
        named = [f"evt-{each:08d}" for each in number[number != NOTHING]]
        place = np.where(number != NOTHING, np.cumsum(number != NOTHING) - 1, NOTHING)
        return pa.table(
            {
                "account_id": _decoded(self.persons.accounts, rows["person"]),
                "user_id": _decoded(self.persons.users, rows["person"]),
                "created_at": pa.array(rows["created_ms"]),
                "action": _decoded(usage.ACTIONS, rows["action"]),
                "session_id": _decoded(self.events.session_ids, rows["session"]),
                "product": _decoded(usage.PRODUCTS, rows["product"]),
                "module": _decoded(usage.MODULE_NAMES, rows["module"]),
                "feature": _decoded(usage.FEATURE_NAMES, rows["feature"]),
                "active_duration": _numbers(rows["active"]),
                "time_spent": _numbers(rows["spent"]),
                "total": _numbers(rows["total"]),
                "details": _decoded(usage.DETAILS, rows["details"]),
                "event_id": _decoded(named, place),
            }
        )

    def record(self, index: int) -> Record:
        """Return the event at a position as a record; some senders write instants as text."""
        row = {name: int(column[index]) for name, column in self.events.columns.items()}
        created: object = row["created_ms"]
        if self.has_text_instants[row["person"]]:
            created = usage.moment_of(row["created_ms"])
        details = _named(usage.DETAILS, row["details"])
        number = int(self.event_number[index])
        return {
            "account_id": self.persons.accounts[row["person"]],
            "user_id": self.persons.users[row["person"]],
            "created_at": created,
            "action": usage.ACTIONS[row["action"]],
            "session_id": _named(self.events.session_ids, row["session"]),
            "product": _named(usage.PRODUCTS, row["product"]),
            "module": _named(usage.MODULE_NAMES, row["module"]),
            "feature": _named(usage.FEATURE_NAMES, row["feature"]),
            "active_duration": _positive(row["active"]),
            "time_spent": _positive(row["spent"]),
            "total": _positive(row["total"]),
            "details": json.loads(details) if details else None,
            "event_id": f"evt-{number:08d}" if number != NOTHING else None,
        }


def _named(words: tuple[str, ...] | list[str], code: int) -> str | None:
    return None if code == NOTHING else words[code]


def _positive(value: int) -> int | None:
    return None if value == NOTHING else value


def _decoded(words: tuple[str, ...] | list[str], codes: np.ndarray) -> pa.Array:
    """Return the words of the codes as plain strings, null where the code is `NOTHING`."""
    return pa.array(words, pa.string()).take(pa.array(codes, mask=codes == NOTHING))


def _numbers(values: np.ndarray) -> pa.Array:
    return pa.array(values, mask=values == NOTHING)


def _count_cases(
    world: World, writer: _Writer, slots: np.ndarray, repeats: np.ndarray, drafts: Drafts
) -> None:
    """Name an example, in the history, of what very many events show."""
    found = {
        "unknown_user": _of_unknown_users(world, writer),
        "duplicate_event": repeats,
        "event_with_id": np.flatnonzero(writer.event_number != NOTHING),
        **_odd_sessions(writer),
    }
    for kind, index in found.items():
        index = index[slots[index] == HISTORY]
        if len(index):
            record = writer.record(int(index[0]))
            where = " ".join(filter(None, (record["user_id"], record["session_id"])))
            note = f"the first of {len(index)} events"
            drafts.bulk_cases.append(BulkCase(kind, "events", HISTORY, where, note))


def _of_unknown_users(world: World, writer: _Writer) -> np.ndarray:
    """Return the positions of events whose user the CRM does not list."""
    listed = {
        (account.account_id, user.user_id)
        for account in world.accounts
        for user in account.users
        if user.is_listed
    }
    pairs = zip(writer.persons.accounts, writer.persons.users, strict=True)
    is_listed = np.array([pair in listed for pair in pairs], dtype=bool)
    return np.flatnonzero(~is_listed[writer.events.columns["person"]])


def _odd_sessions(writer: _Writer) -> dict[str, np.ndarray]:
    """Return the positions of events in sessions over midnight, without sync, and side by side."""
    columns = writer.events.columns
    session, person, created = columns["session"], columns["person"], columns["created_ms"]
    order = np.lexsort((created, session))
    is_next_day = (np.diff(session[order]) == 0) & (np.diff(writer.days[order]) == 1)
    over_midnight = order[1:][is_next_day & (session[order[1:]] != NOTHING)]
    has_sync = np.zeros(len(writer.events.session_ids), bool)
    is_sync = columns["action"] == usage.ACTIONS.index("sessionSync")
    has_sync[session[is_sync & (session != NOTHING)]] = True
    # Side by side: of one user, an event of a session between two of another one.
    order = np.lexsort((created, person))
    own, user = session[order], person[order]
    between = (own[:-2] == own[2:]) & (own[:-2] != own[1:-1]) & (user[:-2] == user[2:])
    between &= (own[:-2] != NOTHING) & (own[1:-1] != NOTHING)
    return {
        "session_over_midnight": over_midnight,
        "session_without_sync": np.flatnonzero((session != NOTHING) & ~has_sync[session]),
        "event_without_session": np.flatnonzero(session == NOTHING),
        "parallel_sessions": order[1:-1][between],
    }


def _put_unknown_accounts(world: World, writer: _Writer, slots: np.ndarray, drafts: Drafts) -> None:
    """Put events of accounts that the CRM has never heard of: two a night and account."""
    rng = world.rng("unknown accounts")
    for slot in range(world.calendar.nights):
        own = np.flatnonzero(slots == slot)
        for account in UNKNOWN_ACCOUNTS[: 3 if len(own) > 100 else 1]:
            if not len(own):
                continue
            record = writer.record(int(own[rng.randrange(len(own))]))
            strange = {"account_id": account, "user_id": f"x{rng.randint(100, 120)}"}
            draft = Draft({**record, **strange, "event_id": None}, "unknown_account", account)
            drafts.put_as_is("events", slot, draft)
