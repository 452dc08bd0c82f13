"""The same records and the same as-of date publish the same, whenever and however they landed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from sample_data import DemoSummary
from tests.end_to_end.nights import (
    RUN_BEARING,
    Home,
    Night,
    account360,
    differences,
    parquet_contents,
    shows,
)

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Batch:
    """All files at once, in one home, as the demo company's night left it: twice as of an earlier
    date, then that night once more."""

    early_date: date
    early: Night
    early_made_current: Night
    again: Night


@dataclass(frozen=True)
class NightByNight:
    """Files in two nights, and what the home tells afterwards of the events behind a figure."""

    nights: list[Night]
    events: list[dict[str, Any]]


@pytest.fixture(scope="module")
def batch(empty_home: Callable[[], Home], demo_home: Path, demo: DemoSummary) -> Batch:
    home = empty_home()
    # Without what dbt parsed, which is of one path.
    but_dbt = shutil.ignore_patterns("dbt")
    shutil.copytree(demo_home, home.path, symlinks=True, ignore=but_dbt, dirs_exist_ok=True)
    early = demo.nights[0] + timedelta(days=1)
    return Batch(
        early,
        home.night(early),
        home.night(early, "--make-current"),
        home.night(demo.as_of),
    )


@pytest.fixture(scope="module")
def night_by_night(
    empty_home: Callable[[], Home], demo_home: Path, demo: DemoSummary
) -> NightByNight:
    """The same files: those of the first night as of the day after, then the later ones."""
    home = empty_home()
    landed = demo_home / "landing"
    nights = []
    for day in demo.nights:
        for file in demo.files:
            if file.extract_date == day:
                target = home.landing / file.location
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(landed / file.location, target)
        if day in (demo.nights[0], demo.nights[-1]):
            nights.append(home.night(day + timedelta(days=1)))
    return NightByNight(nights, explained_events(home.path))


def explained_events(home: Path) -> list[dict[str, Any]]:
    """The events behind a month of users, of which the last night looked at a few days at most."""
    explained = account360("explain", "mau", "--account", "ACC-1034", "--json", "--home", home)
    answer = json.loads(explained.stdout)
    assert answer["events_remark"] is None, answer["events_remark"]
    return answer["events"]


def test_all_nights_published(batch: Batch, night_by_night: NightByNight) -> None:
    nights = [batch.early, batch.early_made_current, batch.again, *night_by_night.nights]
    assert [night.exit_code for night in nights] == [0] * len(nights), [n.out for n in nights]


def test_the_same_home_publishes_the_same_again(batch: Batch, demo_night: Night) -> None:
    """Also with nights of an earlier date between, and after it moved to another folder."""
    assert batch.again.publish_id != demo_night.publish_id
    assert "nothing new" in batch.again.out
    assert differences(batch.again.database, demo_night.database) == {}
    assert parquet_contents(batch.again.database) == parquet_contents(demo_night.database)


def test_several_nights_in_another_home_come_to_the_same_as_one_batch(
    night_by_night: NightByNight, demo_night: Night
) -> None:
    last = night_by_night.nights[-1].database
    assert differences(last, demo_night.database) == {}
    assert parquet_contents(last) == parquet_contents(demo_night.database)


def test_the_events_behind_a_figure_are_told_whichever_days_the_last_night_looked_at(
    night_by_night: NightByNight, demo_home: Path
) -> None:
    assert night_by_night.events
    assert night_by_night.events == explained_events(demo_home)


def test_an_earlier_date_gives_what_was_published_then(
    batch: Batch, night_by_night: NightByNight
) -> None:
    """But for the audit, which counts what landed since."""
    then = night_by_night.nights[0].database
    assert differences(batch.early.beside(batch.early_date), then, but="audit_") == {}


# Days that lie ahead by their nature: plans, and terms that are agreed on.
AHEAD = {
    "as_of_date",
    "active_to",
    "due_date",
    "event_at",
    "end_date",
    "expected_close_date",
    "expiration_date",
    "next_renewal_date",
    "renewal_date",
}


def test_nothing_that_was_later_is_in_the_tables_of_an_earlier_date(batch: Batch) -> None:
    """The records of all later nights had landed when it was made."""
    database = batch.early.beside(batch.early_date)
    _, *columns = shows(
        database,
        """
        select table_name, column_name
        from duckdb_columns()
        where not internal and data_type in ('DATE', 'TIMESTAMP')
        """,
    )
    dated = [
        (table, column)
        for table, column in columns
        if column not in AHEAD and table not in RUN_BEARING
    ]
    assert len(dated) > 50
    later = {
        (table, column): latest
        for table, column in dated
        for latest in [shows(database, f"select max({column}) from {table}")[1][0]]
        if latest != "-" and latest >= str(batch.early_date)
    }
    assert not later


def test_an_earlier_date_goes_beside(batch: Batch, demo_night: Night) -> None:
    assert batch.early.publish_id == demo_night.publish_id
    assert f"as_of={batch.early_date}" in batch.early.out
    assert "--make-current" in batch.early.out
    query = "select distinct as_of_date from account_360"
    assert batch.early.shows(query)[1:] == [["2024-07-01"]]
    assert shows(batch.early.beside(batch.early_date), query)[1:] == [[str(batch.early_date)]]


def test_make_current_leads_readers_to_the_earlier_date(batch: Batch) -> None:
    night = batch.early_made_current
    assert night.publish_id.startswith(str(batch.early_date))
    assert night.beside(batch.early_date).samefile(night.database)
    assert differences(night.database, batch.early.beside(batch.early_date)) == {}
