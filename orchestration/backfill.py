"""Nights of a range of as-of dates, one after another, each published beside what readers see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TextIO

from orchestration.night import run_night
from orchestration.publishing import Lead
from orchestration.report import NightReport, shown
from orchestration.run_lock import NightError
from settings import Settings


@dataclass(frozen=True)
class Backfilled:
    """One date of a backfill: where it was published, or why it was not."""

    as_of: date
    seconds: float
    database: Path | None
    why_not: str

    def __str__(self) -> str:
        """The line of the summary."""
        if self.database is None:
            return f"{self.as_of}  FAILED after {self.seconds:.1f} s  {self.why_not}"
        return f"{self.as_of}  published in {self.seconds:.1f} s  {shown(self.database)}"


def backfill(
    settings: Settings,
    first: date,
    last: date,
    *,
    keep_going: bool = False,
    full_refresh: bool = False,
    tell: TextIO | None = None,
    done: Callable[[Backfilled], None] = lambda _: None,
) -> list[Backfilled]:
    """Run the nights from `first` to `last`, in order; what came of each, also handed to `done`.

    Each is linked as `published/as_of=<date>`; `current` stays as it is. Ends at the first night
    that does not publish, unless it is to keep going.
    """
    outcomes = []
    for day in range((last - first).days + 1):
        as_of = first + timedelta(days=day)
        if tell:
            print(f"— as of {as_of}", file=tell, flush=True)
        outcome = _night(settings, as_of, full_refresh and day == 0, tell)
        outcomes.append(outcome)
        done(outcome)
        if outcome.database is None and not keep_going:
            break
    return outcomes


def _night(settings: Settings, as_of: date, full_refresh: bool, tell: TextIO | None) -> Backfilled:
    try:
        report = run_night(settings, as_of, full_refresh=full_refresh, lead=Lead.BESIDE, tell=tell)
    except NightError as error:
        return Backfilled(as_of, 0.0, None, str(error))
    if not report.is_published:
        return Backfilled(as_of, report.seconds, None, _why(report))
    database = settings.published_path / report.links[0] / "account360.duckdb"
    return Backfilled(as_of, report.seconds, database, "")


def _why(report: NightReport) -> str:
    first = report.failures[0] if report.failures else None
    said = f"{first.where}: {(first.what.splitlines() or [''])[0]}; " if first else ""
    return f"{said}log {shown(Path(report.log))}"
