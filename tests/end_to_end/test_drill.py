"""Nights that are killed, started twice, and read while they publish: `make drill` in small.

One home folder: a night is killed between the name of its publish and the link to it, the next
while it lands what came in, the next in the middle of dbt and as of another date. Then three runs
are started at once, of which one is refused and one waits, while ten readers keep their files open.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from sample_data import DemoSummary
from tests.drill.readers import read_once
from tests.end_to_end.nights import Home, Night, call, differences, parquet_contents, run

pytestmark = pytest.mark.slow

READERS = 10
# Ten that never rest would take the machine from the nights.
READS_EVERY_SECONDS = 0.5


@dataclass
class Story:
    """What became of the nights, and what the readers saw."""

    killed: list[int] = field(default_factory=list)
    published_by_the_killed: list[str] = field(default_factory=list)
    left_behind: list[str] = field(default_factory=list)
    folder: Path = Path()
    refused: subprocess.CompletedProcess[str] | None = None
    first: subprocess.CompletedProcess[str] | None = None
    waited: subprocess.CompletedProcess[str] | None = None
    publishes: list[Path] = field(default_factory=list)
    held: list[int] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    reads: int = 0
    wrong: list[str] = field(default_factory=list)
    verified: subprocess.CompletedProcess[str] | None = None


@pytest.fixture(scope="module")
def story(empty_home: Callable[[], Home], demo_home: Path, demo: DemoSummary) -> Story:
    home, told = empty_home(), Story()
    last = demo.nights[-1]
    land(demo, demo_home, home, [d for d in demo.nights if d != last])
    told.killed.append(kill(home, last, {"station": "publish", "of": "os.symlink"}))
    told.published_by_the_killed = [p.name for p in (home.path / "published").glob("[!.]*")]

    land(demo, demo_home, home, [last])
    told.killed.append(kill(home, demo.as_of, {"station": "landing events", "of": "os.rename"}))
    another_date = demo.as_of - timedelta(days=20)
    told.killed.append(kill(home, another_date, {"station": "dbt", "step": 200}))
    told.left_behind = holders(home.path / "warehouse.duckdb")

    start_three(home, demo, told)
    told.folder = home.path
    told.verified = call(command(), "verify", "--all", "--home", home.path)
    return told


def land(demo: DemoSummary, demo_home: Path, home: Home, days: list) -> None:
    for file in demo.files:
        if (file.extract_date or demo.nights[0]) in days:
            target = home.landing / file.location
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(demo_home / "landing" / file.location, target)


def command() -> Path:
    return Path(sys.executable).with_name("account360")


def kill(home: Home, as_of: object, point: dict) -> int:
    asked = ("run", "--home", home.path, "--landing", home.landing, "--as-of", as_of)
    ended = call(sys.executable, "-m", "tests.drill.doomed", json.dumps(point), *asked)
    return ended.returncode


def holders(warehouse: Path) -> list[str]:
    """Processes that have the warehouse open two seconds after a kill; only Linux tells."""
    until = time.monotonic() + 2
    while time.monotonic() < until:
        found = []
        for fd in Path("/proc").glob("[0-9]*/fd/*"):
            try:
                if str(fd.readlink()) == str(warehouse):
                    found.append(str(fd))
            except OSError:
                continue
        if not found:
            return []
        time.sleep(0.1)
    return found


def start_three(home: Home, demo: DemoSummary, told: Story) -> None:
    """One run; when it has the folder, one that is refused and one that waits for it."""
    ended: dict[str, subprocess.CompletedProcess[str]] = {}

    def start(name: str, *options: str) -> threading.Thread:
        def play() -> None:
            ended[name] = run(home.path, home.landing, demo.as_of, *options)

        thread = threading.Thread(target=play)
        thread.start()
        return thread

    first = start("first")
    # The lock still says what the killed night wrote, which was another date's.
    begun = json.dumps({"as_of": str(demo.as_of)}).strip("{}")
    lock = home.path / "run.lock"
    while begun not in lock.read_text() and first.is_alive():
        time.sleep(0.05)
    told.refused = run(home.path, home.landing, demo.as_of)
    waits = start("waits", "--wait", "10")
    current = home.path / "published" / "current"
    while not current.exists() and first.is_alive():
        time.sleep(0.05)
    told.publishes.append(current.resolve())
    stop = threading.Event()
    readers = [
        threading.Thread(target=keep_reading, args=(current.parent, stop, told))
        for _ in range(READERS)
    ]
    for reader in readers:
        reader.start()
    first.join()
    waits.join()
    stop.set()
    for reader in readers:
        reader.join()
    told.publishes.append(current.resolve())
    told.first, told.waited = ended["first"], ended["waits"]


def keep_reading(published: Path, stop: threading.Event, told: Story) -> None:
    """Keep a file open from the first publish to the end, and open what is current again and
    again."""
    try:
        with duckdb.connect(str(published / "current" / "account360.duckdb"), read_only=True) as c:
            query = "select count(*), min(as_of_date), max(as_of_date) from account_mrr_monthly"
            before = c.execute(query).fetchall()
            while not stop.is_set():
                publish, wrong = read_once(published)
                told.seen.add(publish)
                told.wrong += wrong
                told.reads += 1
                assert c.execute(query).fetchall() == before
                stop.wait(READS_EVERY_SECONDS)
            told.held.append(1)
    except Exception as error:  # whatever it is, a reader met it
        told.wrong.append(f"{type(error).__name__}: {error}")


def test_every_night_was_killed_where_it_was_meant_to_be(story: Story) -> None:
    assert story.killed == [-9, -9, -9]


def test_a_night_that_dies_before_the_link_has_published_nothing(story: Story) -> None:
    """The folder has its name already, and goes with the next night."""
    [folder] = story.published_by_the_killed
    assert not (story.folder / "published" / folder).exists()


def test_dbt_ends_with_the_night_that_is_killed(story: Story) -> None:
    assert story.left_behind == []


def test_the_night_after_publishes_what_an_undisturbed_one_does(
    story: Story, demo_night: Night
) -> None:
    assert story.first is not None
    assert story.first.returncode == 0, story.first.stdout
    for publish in story.publishes:
        database = publish / "account360.duckdb"
        assert differences(database, demo_night.database) == {}
        assert parquet_contents(database) == parquet_contents(demo_night.database)


def test_a_run_beside_another_is_refused_and_says_who_has_the_folder(story: Story) -> None:
    assert story.refused is not None
    assert story.refused.returncode == 1
    assert "another run is under way" in story.refused.stderr
    assert "(account360 run as of 2024-07-01, since " in story.refused.stderr


def test_a_run_that_waits_publishes_after_the_other(story: Story) -> None:
    assert story.waited is not None
    assert story.waited.returncode == 0, story.waited.stdout
    assert "waiting for process" in story.waited.stderr
    assert len(set(story.publishes)) == 2


def test_readers_hold_up_no_night_and_see_whole_publishes_only(story: Story) -> None:
    assert story.wrong == []
    assert len(story.held) == READERS
    assert story.seen == {publish.name for publish in story.publishes}
    assert story.reads > READERS


def test_what_was_published_is_what_was_sealed(story: Story) -> None:
    assert story.verified is not None
    assert story.verified.returncode == 0, story.verified.stdout
    assert story.verified.stdout.count("as it was sealed") == 2
    assert "in the warehouse" in story.verified.stdout


def test_nothing_unfinished_is_left(story: Story) -> None:
    """Text in the lock's file included; what dlt stages goes too."""
    assert [path.name for path in (story.folder / "published").glob(".*")] == []
    assert [p.name for p in (story.folder / "dlt").iterdir() if p.is_dir()] == []
    assert (story.folder / "run.lock").read_text() == ""
