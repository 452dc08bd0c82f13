"""Product events: sessions of the users, made in bulk with numpy.

Only integer draws, comparisons and the four operations decide what happens: no logarithm or sum of
floats, whose last digits may differ between machines. Instants are epoch milliseconds (UTC).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np

from sample_data.company import Account, User, World

DAY_MS = 86_400_000
MINUTE_MS = 60_000
NOTHING = -1

ACTIONS = (
    "identifyUser",
    "identifyAccount",
    "feature",
    "sessionSync",
    "sessionIdle",
    "pageViewEnd",
    "reportPrinted",
    "moduleEnd",
)
PRODUCTS = ("Harbor", "Harbor Mobile")
MODULES: dict[str, tuple[str, ...]] = {
    "Planning": ("Route board", "Load builder", "Carrier match", "Time windows"),
    "Tracking": ("Live map", "ETA alert", "Exception queue", "Share link"),
    "Documents": ("Bill of lading", "Customs pack", "e-Signature", "Templates"),
    "Analytics": ("Dashboard", "Cost report", "Timed export", "Carbon report"),
    "Admin": ("User roles", "API keys", "Single sign-on", "Audit log"),
    "tracking": ("Live map", "ETA alert", "Exception queue", "Share link"),
}
MODULE_NAMES = tuple(MODULES)
FEATURE_NAMES = tuple(dict.fromkeys(name for names in MODULES.values() for name in names))
DETAILS = (
    '{"page": "/planning/board"}',
    '{"page": "/tracking/map", "filters": ["late", "sea"]}',
    '{"page": "/documents", "rows": 40}',
    '{"browser": "Firefox", "locale": "de-DE"}',
    '{"browser": "Chrome", "locale": "en-US"}',
)

_FEATURES_OF = np.array(
    [[FEATURE_NAMES.index(name) for name in MODULES[module]] for module in MODULE_NAMES]
)
# Of 100 uses: an old client still sends "tracking" in lower case.
_MODULE_DRAW = np.repeat(np.arange(len(MODULE_NAMES)), (34, 29, 19, 11, 6, 1))
_MONTH_PCT = (98, 100, 104, 100, 98, 96, 82, 72, 103, 108, 106, 78)
_CHUNK = 4000


@dataclass
class Persons:
    """The senders of events: identities, and what decides how active each is, as arrays."""

    accounts: list[str]
    users: list[str]
    first: np.ndarray
    last: np.ndarray
    level: np.ndarray
    trend: np.ndarray
    offset: np.ndarray


@dataclass
class Events:
    """Columns of equal length; codes index the tuples above, `NOTHING` stands for null."""

    columns: dict[str, np.ndarray]
    session_ids: list[str]

    def __len__(self) -> int:
        """Return the number of events."""
        return len(self.columns["created_ms"])

    def take(self, index: np.ndarray) -> Events:
        """Return the events at the given positions or under the mask."""
        taken = {name: column[index] for name, column in self.columns.items()}
        return Events(taken, self.session_ids)


def day_number(day: date) -> int:
    """Return the number of days since 1970-01-01."""
    return (day - date(1970, 1, 1)).days


def moment_of(milliseconds: int) -> datetime:
    """Return the naive UTC instant of epoch milliseconds."""
    return datetime.fromtimestamp(0, UTC).replace(tzinfo=None) + timedelta(
        milliseconds=milliseconds
    )


def persons_of(world: World) -> Persons:
    """Return everyone who sends events, in account order."""
    rows: list[tuple[str, str, int, int, int, int, int]] = []
    for account in world.accounts:
        if account.life == "cycle":
            continue
        rng = world.rng("levels", account.number)
        trend = 2 if account.ended else ("flat", "growing", "declining").index(account.trend)
        for user in account.users:
            # A few live in the product, many look in now and then, some never do.
            level = rng.choice((0, 3, 6, 10, 18, 28, 52, 95, 190, 420))
            first, last = _span(world, account, user)
            minutes = int(account.country.offset * 60)
            rows.append((account.account_id, user.user_id, first, last, level, trend, minutes))
    identities = list(zip(*rows, strict=True))
    numbers = [np.array(column, dtype=np.int64) for column in identities[2:]]
    return Persons(list(identities[0]), list(identities[1]), *numbers)


def _span(world: World, account: Account, user: User) -> tuple[int, int]:
    """Return the first and the last day (numbers) on which a user may be active."""
    first = max(user.joined, world.calendar.events_start)
    end = min(user.deactivated or date.max, world.calendar.as_of)
    if account.ended and not account.returned:
        # A few go on for two days after the churn: those events enter no usage figure.
        tail = 0 if account.merged_into else 2
        end = min(end, account.ended + timedelta(days=tail))
    return day_number(first), day_number(end) - 1


def make_events(world: World, persons: Persons) -> Events:
    """Return all events of the demo in the order of time, before duplicates and delays."""
    parts: list[dict[str, np.ndarray]] = []
    sessions = 0
    for chunk, start in enumerate(range(0, len(persons.users), _CHUNK)):
        rng = np.random.Generator(np.random.PCG64([abs(world.seed), 7, chunk]))
        part, count = _chunk(world, persons, slice(start, start + _CHUNK), rng, sessions)
        parts.append(part)
        sessions += count
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    order = np.lexsort((columns["action"], columns["session"], columns["created_ms"]))
    # Multiplying by an odd number is a one-to-one map of 32 bits: ids that look drawn, and differ.
    ids = [f"s{number * 2654435761 & 0xFFFFFFFF:08x}" for number in range(sessions)]
    return Events({name: column[order] for name, column in columns.items()}, ids)


def _chunk(
    world: World, persons: Persons, who: slice, rng: np.random.Generator, sessions_before: int
) -> tuple[dict[str, np.ndarray], int]:
    person, day = _active_days(world, persons, who, rng)
    # One visit in eight is followed by a second, and one in thirty runs beside the first.
    draw = rng.integers(0, 240, len(person))
    extra = np.flatnonzero(draw < 38)
    parallel = np.concatenate([np.zeros(len(person), bool), draw[extra] < 8])
    base = np.concatenate([np.arange(len(person)), extra])
    person, day = person[base], day[base]
    count = len(base)
    minute = 450 + rng.integers(0, 346, count) + rng.integers(0, 346, count)
    start = day * DAY_MS + (minute - persons.offset[person]) * MINUTE_MS
    start += rng.integers(0, MINUTE_MS, count)
    late = rng.integers(0, 100, count) < 2
    start[late] = day[late] * DAY_MS + (1405 + rng.integers(0, 33, count)[late]) * MINUTE_MS
    start[parallel] = start[base[parallel]] + 4 * MINUTE_MS
    length = (2 + rng.integers(0, 30, count) * rng.integers(0, 30, count) // 12) * MINUTE_MS
    length += rng.integers(0, MINUTE_MS, count)
    session = {
        "person": person,
        "start": start,
        "length": length,
        "session": np.arange(count) + sessions_before,
        "product": (rng.integers(0, 100, count) < 7).astype(np.int64),
        "module": _MODULE_DRAW[rng.integers(0, len(_MODULE_DRAW), count)],
    }
    silent = rng.integers(0, 100, count) < 7
    nameless = silent & (rng.integers(0, 2, count) == 0)
    blocks = _blocks(session, silent, rng)
    events = {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}
    hidden = np.concatenate([nameless[block["row"]] for block in blocks])
    events["session"] = np.where(hidden, NOTHING, events["session"])
    del events["row"]
    return events, count


def _active_days(
    world: World, persons: Persons, who: slice, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return (person, day number) of every day on which somebody used the product."""
    first = day_number(world.calendar.events_start)
    days = np.arange(first, day_number(world.calendar.as_of))
    season = np.array([_day_pct(date(1970, 1, 1) + timedelta(days=int(day))) for day in days])
    span = len(days)
    ramp = np.arange(span)
    trends = np.stack(
        [
            np.full(span, 100),
            60 + 90 * ramp // span,
            np.minimum(110, 25 + (span - ramp) * 85 // 150),
        ]
    )
    # In millionths: level (per mille) × season (%) × trend (%) × the factor of small scales (%).
    factor = round(world.event_factor * 100)
    chance = persons.level[who][:, None] * season[None, :] * trends[persons.trend[who]]
    chance = chance * factor // 1000
    active = (days >= persons.first[who][:, None]) & (days <= persons.last[who][:, None])
    hit = active & (rng.integers(0, 1_000_000, chance.shape) < chance)
    person, day = np.nonzero(hit)
    return person + who.start, days[day]


def _day_pct(day: date) -> int:
    """Return how busy a day is, in per cent: weekends, summer, Christmas, the end of a month."""
    pct = _MONTH_PCT[day.month - 1]
    if day.weekday() >= 5:
        return pct * 12 // 100
    if day.month == 12 and day.day > 22:
        return pct * 35 // 100
    if (day + timedelta(days=3)).month != day.month:
        return pct * 122 // 100
    return pct


def _blocks(
    session: dict[str, np.ndarray], silent: np.ndarray, rng: np.random.Generator
) -> list[dict[str, np.ndarray]]:
    """Return one block of events per action."""
    count = len(silent)
    length = session["length"]

    def chosen(pct: int) -> np.ndarray:
        return np.flatnonzero(rng.integers(0, 100, count) < pct)

    def share(rows: np.ndarray, low: int, high: int) -> np.ndarray:
        return length[rows] * rng.integers(low, high, len(rows)) // 100

    def block(action: str, rows: np.ndarray, after: np.ndarray, **values: np.ndarray) -> dict:
        filled = {
            "row": rows,
            "person": session["person"][rows],
            "session": session["session"][rows],
            "product": session["product"][rows],
            "created_ms": session["start"][rows] + after,
            "action": np.full(len(rows), ACTIONS.index(action)),
        }
        for name in ("module", "feature", "active", "spent", "total", "details"):
            filled[name] = values.get(name, np.full(len(rows), NOTHING))
        return filled

    syncs = np.where(silent, 0, np.minimum(1 + length // (20 * MINUTE_MS), 5))
    rows = np.repeat(np.arange(count), syncs)
    step = np.arange(len(rows)) - np.repeat(np.cumsum(syncs) - syncs, syncs)
    until = length[rows] * (step + 1) // syncs[rows]
    delta = until - length[rows] * step // syncs[rows]
    active = np.maximum(delta * rng.integers(65, 101, len(rows)) // 100, 1)
    blocks = [block("sessionSync", rows, until, active=active)]

    rows = np.repeat(np.arange(count), rng.integers(0, 4, count))
    module = _MODULE_DRAW[rng.integers(0, len(_MODULE_DRAW), len(rows))]
    module = np.where(rng.integers(0, 3, len(rows)) > 0, session["module"][rows], module)
    feature = _FEATURES_OF[module, rng.integers(0, 4, len(rows))]
    total = np.where(rng.integers(0, 4, len(rows)) == 0, rng.integers(2, 9, len(rows)), NOTHING)
    bare = rng.integers(0, 100, len(rows)) < 3
    module = np.where(bare, NOTHING, module)
    blocks.append(
        block("feature", rows, share(rows, 2, 99), module=module, feature=feature, total=total)
    )

    rows = chosen(75)
    spent = share(rows, 35, 96)
    blocks.append(
        block("moduleEnd", rows, length[rows], module=session["module"][rows], spent=spent)
    )
    rows = chosen(30)
    page = rng.integers(0, 3, len(rows))
    spent = share(rows, 2, 30)
    blocks.append(block("pageViewEnd", rows, share(rows, 30, 99), spent=spent, details=page))
    rows = chosen(12)
    browser = 3 + rng.integers(0, 2, len(rows))
    blocks.append(block("identifyUser", rows, np.zeros(len(rows), np.int64), details=browser))
    rows = chosen(3)
    blocks.append(block("identifyAccount", rows, np.zeros(len(rows), np.int64)))
    rows = chosen(8)
    blocks.append(block("sessionIdle", rows, share(rows, 40, 95)))
    rows = chosen(2)
    page = rng.integers(0, 3, len(rows))
    blocks.append(block("reportPrinted", rows, share(rows, 20, 95), details=page))
    return blocks
