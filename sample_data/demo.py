"""The demo company's landing folder, from a seed to files, with a summary of what stands where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from sample_data.awkward import put_awkward
from sample_data.calendar import Calendar
from sample_data.company import World, build_world
from sample_data.contract import LAYOUTS
from sample_data.delivery import put_events
from sample_data.drafts import Draft, Drafts
from sample_data.invoices import put_invoices, put_rates
from sample_data.landing import WrittenFile, write_files
from sample_data.people import put_people
from sample_data.portfolio import put_accounts, put_aliases, put_csms, put_metrics
from sample_data.relations import put_relations
from sample_data.stories import STORIES
from sample_data.subscriptions import put_subscriptions, subscription_terms
from sample_data.support import put_support

DEFAULT_SEED = 360
DEFAULT_AS_OF = date(2024, 7, 1)

_LISTED_PER_KIND = 12


@dataclass(frozen=True)
class DemoFile:
    """One landing file; `location` is its posix path under the landing folder."""

    location: str
    entity: str
    extract_date: date
    records: int
    rejects: int
    size_bytes: int


@dataclass(frozen=True)
class Case:
    """One place where an awkward thing stands.

    `line` is the line of a text file or the row of a Parquet file, as the ingestion counts them;
    None where the case is a file, or many events of one.
    """

    kind: str
    entity: str
    location: str
    line: int | None
    key: str
    note: str
    is_reject: bool = False


@dataclass(frozen=True)
class DemoSummary:
    """What `write_demo` wrote.

    `as_of` is the date to run with; `nights` are the dates of the extracts. `records` and `rejects`
    count per entity what a loader reads and what staging should refuse (an upper bound where a
    record hangs on another: all members of a hierarchy cycle are counted). `cases` lists all
    rejects and the first dozen of every other kind; `case_counts` counts them all.
    """

    landing: Path
    seed: int
    scale: float
    as_of: date
    nights: tuple[date, ...]
    files: tuple[DemoFile, ...]
    records: dict[str, int]
    rejects: dict[str, int]
    cases: tuple[Case, ...]
    case_counts: dict[str, int]

    @property
    def size_bytes(self) -> int:
        """The size of all files together."""
        return sum(file.size_bytes for file in self.files)

    def cases_of(self, kind: str) -> tuple[Case, ...]:
        """Return the listed cases of a kind."""
        return tuple(case for case in self.cases if case.kind == kind)


def write_demo(
    landing: Path,
    *,
    seed: int = DEFAULT_SEED,
    scale: float = 1.0,
    as_of: date = DEFAULT_AS_OF,
    nights: int = 7,
) -> DemoSummary:
    """Write the demo company's landing folder and return what stands in it.

    The same seed, scale, as-of date and nights give the same bytes. `as_of` is the first day
    without facts; each of the last `nights` nights before it has its own extracts, after one
    backfill. Scale 1.0 is about 120 accounts; small scales keep 64, so that every case exists, and
    have fewer events. Files of the same names are replaced, others are left alone. Raises
    ValueError for a scale that is not positive or fewer than one night.
    """
    calendar = Calendar(as_of, nights)
    world = build_world(seed, scale, calendar)
    drafts = Drafts(calendar)
    _tell(world, drafts)
    written = write_files(drafts, landing)
    listed = list(_cases(drafts, written))
    counts = Counter(case.kind for case in listed)
    return DemoSummary(
        landing=landing,
        seed=seed,
        scale=scale,
        as_of=as_of,
        nights=tuple(calendar.night_date(slot) for slot in range(nights)),
        files=tuple(_file(calendar, file) for file in written),
        records=_totals((file.entity, file.records) for file in written),
        rejects=_totals((file.entity, file.rejects) for file in written),
        cases=tuple(_capped(listed)),
        case_counts=dict(sorted(counts.items())),
    )


def _tell(world: World, drafts: Drafts) -> None:
    """Let every module tell its part of the story, in a fixed order."""
    terms = {
        account.account_id: subscription_terms(world, account, STORIES)
        for account in world.accounts
        if account.life != "cycle"
    }
    for account in world.accounts:
        if account.life == "cycle":
            terms[account.account_id] = []
        put_subscriptions(account, terms[account.account_id], drafts)
        put_invoices(world, account, terms[account.account_id], drafts)
    put_rates(world, drafts)
    put_accounts(world, terms, drafts)
    put_aliases(world, drafts)
    put_csms(world, drafts)
    put_people(world, drafts)
    put_metrics(world, drafts)
    put_relations(world, drafts)
    put_support(world, drafts)
    put_events(world, drafts)
    put_awkward(world, drafts)


def _file(calendar: Calendar, file: WrittenFile) -> DemoFile:
    day = calendar.night_date(file.slot)
    return DemoFile(file.location, file.entity, day, file.records, file.rejects, file.size_bytes)


def _totals(pairs: Iterator[tuple[str, int]]) -> dict[str, int]:
    totals = dict.fromkeys(LAYOUTS, 0)
    for entity, count in pairs:
        totals[entity] += count
    return totals


def _cases(drafts: Drafts, written: list[WrittenFile]) -> Iterator[Case]:
    """Yield every case with its place, file by file."""
    for file in written:
        if "_redelivered." in file.location:
            note = f"{file.records} records once more"
            yield Case("file_delivered_twice", file.entity, file.location, None, "", note)
            continue
        for draft, line in zip(drafts.of(file.entity, file.slot), file.lines, strict=True):
            if draft.case:
                key = _key(file.entity, draft)
                yield Case(
                    draft.case, file.entity, file.location, line, key, draft.note, draft.is_reject
                )
        for bulk in drafts.bulk_cases:
            if (bulk.entity, bulk.slot) == (file.entity, file.slot):
                yield Case(bulk.kind, bulk.entity, file.location, None, bulk.key, bulk.note)
        extra = [name for d in drafts.of(file.entity, file.slot) for name in d.record]
        for name in sorted(set(extra) - set(LAYOUTS[file.entity].columns)):
            yield Case(
                "unknown_column", file.entity, file.location, None, name, "not in the contract"
            )


def _key(entity: str, draft: Draft) -> str:
    names = LAYOUTS[entity].key or ("account_id", "user_id", "user_email", "session_id")
    return " ".join(str(draft.record[name]) for name in names if draft.record.get(name) is not None)


def _capped(cases: list[Case]) -> Iterator[Case]:
    seen: Counter[tuple[str, str]] = Counter()
    for case in cases:
        seen[case.kind, case.entity] += 1
        if case.is_reject or seen[case.kind, case.entity] <= _LISTED_PER_KIND:
            yield case
