"""Is what readers see still fresh? Judged from the current publish alone, without the warehouse.

Two questions, so that one cause is told once: is the publish older than `stale_publish_hours` by
the clock, and does a domain's data end more than its `stale_after_days` before the publish's own
as-of date?
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import NamedTuple

import duckdb

from orchestration.publishing import DATABASE, current_publish, publish_as_of, published_at
from orchestration.report import load_last
from orchestration.run_lock import is_held
from settings import Settings

PUBLISH = "publish"
_SUFFIX = "_data_through"


class Stale(NamedTuple):
    """Something that is stale: what it is, since which state, and the line that says so."""

    about: str
    state: str
    says: str


def find_stale(settings: Settings, now: datetime | None = None) -> list[Stale]:
    """What of the current publish is stale at the instant `now` (aware; default: the clock)."""
    now = now or datetime.now(UTC)
    current = current_publish(settings)
    if current is None:
        return [Stale(PUBLISH, "none", f"stale: nothing is published in {settings.home} yet")]
    found = []
    hours = (now - published_at(current)).total_seconds() / 3600
    if hours > settings.stale_publish_hours:
        found.append(
            Stale(
                PUBLISH,
                current.name,
                f"stale: the current publish is {hours:,.0f} hours old, more than "
                f"stale_publish_hours = {settings.stale_publish_hours} allows",
            )
        )
    as_of = publish_as_of(current)
    for domain, through in data_through(current / DATABASE).items():
        allowed = settings.stale_after_days.of(domain)
        if through is None or (as_of - through).days > allowed:
            ends = f"ends on {through}" if through else "has not begun"
            found.append(
                Stale(
                    domain,
                    str(through),
                    f"stale: data of {domain} {ends}, more than stale_after_days = {allowed} "
                    f"before the as-of date {as_of}",
                )
            )
    return found


def last_night_failed(settings: Settings) -> str | None:
    """What is to be said of the last night if it did not publish and is not under way."""
    last = load_last(settings)
    if last is None or last.is_published or is_held(settings.home):
        return None
    first = last.failures[0] if last.failures else None
    said = f": {first.where}: {first.what.splitlines()[0]}" if first and first.what else ""
    return f"failed: the last night, of {last.as_of}, did not publish{said} (log {last.log})"


def data_through(database: Path) -> dict[str, date | None]:
    """Domain → the last day it has data of, by the `<domain>_data_through` of account_360."""
    with duckdb.connect(str(database), read_only=True) as connection:
        columns = [
            name
            for (name, *_) in connection.execute("describe account_360").fetchall()
            if name.endswith(_SUFFIX)
        ]
        if not columns:
            return {}
        chosen = ", ".join(f"max({name})" for name in columns)
        row = connection.execute(f"select {chosen} from account_360").fetchone()  # noqa: S608
    return {
        name.removesuffix(_SUFFIX): value for name, value in zip(columns, row or [], strict=True)
    }
