"""A backfill of as-of dates: each as a single run of it would be, beside what readers see.

`BACKFILL_DATES` in the environment says how many dates up to 2024-07-01 (default 2), and
`BACKFILL_SINGLES` how many of them, from the first on, are also run alone and from nothing, to be
compared (default 0: only the last one is, with the night of the demo company). A company whose
files land over so many nights is written for more dates: before its first extract nobody knew it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.end_to_end.conftest import DEMO_NIGHTS, DEMO_SCALE
from tests.end_to_end.nights import Home, account360, differences, run

pytestmark = [pytest.mark.slow, pytest.mark.long]

LAST = date(2024, 7, 1)
DATES = [
    LAST - timedelta(days=days)
    for days in reversed(range(int(os.environ.get("BACKFILL_DATES", "2"))))
]
SINGLES = DATES[: int(os.environ.get("BACKFILL_SINGLES", "0"))]


@dataclass(frozen=True)
class Backfill:
    """A backfill in a home whose current publish is as of its last date."""

    exit_code: int
    out: str
    err: str
    published: Path
    current_before: Path

    def beside(self, as_of: date) -> Path:
        return self.published / f"as_of={as_of}" / "account360.duckdb"


@pytest.fixture(scope="module")
def company(demo_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose night of the last date was run, with extracts of each date before it."""
    if len(DATES) < DEMO_NIGHTS:
        return demo_home
    home = tmp_path_factory.mktemp("company") / "home"
    options = ["--scale", DEMO_SCALE, "--nights", len(DATES) + 1]
    for ended in (
        account360("demo", "--home", home, *options),
        run(home, home / "landing", LAST),
    ):
        assert ended.returncode == 0, ended.stdout + ended.stderr
    return home


@pytest.fixture(scope="module")
def backfill(company: Path, tmp_path_factory: pytest.TempPathFactory) -> Backfill:
    """The dates, run over a copy of the company's home."""
    home = tmp_path_factory.mktemp("backfill") / "home"
    shutil.copytree(company, home, symlinks=True)
    published = home / "published"
    before = (published / "current").readlink()
    ended = account360(*("backfill", DATES[0], DATES[-1], "--home", home), timeout=400 * len(DATES))
    return Backfill(ended.returncode, ended.stdout, ended.stderr, published, before)


def test_every_date_is_published_and_said_so_in_a_line(backfill: Backfill) -> None:
    assert backfill.exit_code == 0, backfill.err
    *lines, summary = backfill.out.strip().splitlines()
    assert [line.split()[:2] for line in lines] == [[str(day), "published"] for day in DATES]
    assert summary == (
        f"Backfilled {len(DATES)} of {len(DATES)} dates; published/current was left as it is."
    )
    for day in DATES:
        assert (backfill.published / f"as_of={day}").readlink().name.startswith(str(day))


def test_current_stays_as_it_is_also_for_its_own_date(backfill: Backfill) -> None:
    assert (backfill.published / "current").readlink() == backfill.current_before
    assert (backfill.published / f"as_of={LAST}").readlink() != backfill.current_before


def test_a_backfilled_date_is_what_a_single_run_of_it_is(
    backfill: Backfill, company: Path, empty_home: Callable[[], Home]
) -> None:
    once = company / "published" / "current" / "account360.duckdb"
    assert differences(backfill.beside(LAST), once) == {}
    for day in SINGLES:
        home = empty_home()
        shutil.copytree(company / "landing", home.landing, dirs_exist_ok=True)
        assert differences(backfill.beside(day), home.night(day).database) == {}, day
