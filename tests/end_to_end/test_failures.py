"""What a machine does to a night: no room, no permission, files that are gone or damaged.

Each leaves the last publish readable and as it was, and a message that says what to do.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tests.end_to_end.nights import COMMAND, RUN_BEARING, Night, call, contents
from tests.end_to_end.small_disk import SmallDisk, small_disk

pytestmark = pytest.mark.slow

AS_OF = "2024-07-01"
_MEGABYTE = 1_000_000

# What tells of a file that was delivered twice: nothing else does.
_TELL_OF_IT = {"audit_conservation"}


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory, demo_home: Path) -> Iterator[SmallDisk]:
    """The home of the demo company's night on a disk of its own."""
    path = tmp_path_factory.mktemp("disk")
    disk = small_disk(path, 600)
    try:
        shutil.copytree(demo_home, disk.seen / "home", symlinks=True)
        yield disk
    finally:
        disk.close()


@pytest.fixture
def home(tmp_path: Path, demo_home: Path) -> Path:
    """A copy of the home of the demo company's night, which a test may do anything to."""
    return Path(shutil.copytree(demo_home, tmp_path / "home", symlinks=True))


def run_in(home: Path, *before: str, **settings: object) -> Night:
    """Run the night of the demo company once more, by way of a command put before it."""
    ended = call(
        *(*before, COMMAND, "run", "--home", home, "--landing", home / "landing"),
        *("--as-of", AS_OF),
        **settings,
    )
    return Night(ended.returncode, ended.stdout, ended.stderr, home / "published")


def hashes(published: Path) -> dict[str, str]:
    """What stands in the folder of publishes: files by what is in them, links by where they lead"""
    return {
        str(path.relative_to(published)): path.readlink().name
        if path.is_symlink()
        else hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(published.rglob("*"))
        if path.is_symlink() or path.is_file()
    }


def assert_readable(published: Path, before: dict[str, str]) -> None:
    """Readers find the last publish as it was."""
    assert {name: value for name, value in hashes(published).items() if name in before} == before
    with (
        tempfile.TemporaryDirectory() as folder,
        duckdb.connect(str(copied(published, folder)), read_only=True) as connection,
    ):
        assert connection.execute("select count(*) from account_360").fetchone() > (0,)


def deliver_again(landing: Path) -> None:
    """Land the events once more under another name: the first stations have something to write."""
    for file in sorted((landing / "events" / "events").glob("*-history.*")):
        shutil.copyfile(file, file.with_name(f"again-{file.name}"))


def copied(published: Path, folder: Path | str) -> Path:
    """The file that readers open, where the engine can: it looks through links of other disks."""
    return Path(shutil.copy(published / "current" / "account360.duckdb", folder))


def assert_told(night: Night, *messages: str) -> None:
    """The night failed with these words and without a traceback."""
    said = night.out + night.err
    assert night.exit_code in (1, 2), said
    for message in messages:
        assert message in said, said
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("station", "free"),
    [
        ("before anything", 0),
        ("landing", _MEGABYTE),
        ("dbt", 12 * _MEGABYTE),
    ],
)
def test_a_full_disk_says_so_and_leaves_the_last_publish(disk, station, free):
    before = hashes(disk.seen / "home" / "published")
    deliver_again(disk.seen / "home" / "landing")
    disk.leave(free)
    try:
        night = run_in(disk.path / "home", *disk.inside)
    finally:
        disk.make_room()
    assert_told(night, "the disk is full: make room, and run again")
    assert_readable(disk.seen / "home" / "published", before)


def test_a_disk_that_nobody_may_write_says_so(disk):
    before = hashes(disk.seen / "home" / "published")
    disk.remount("ro")
    try:
        night = run_in(disk.path / "home", *disk.inside)
    finally:
        disk.remount("rw")
    assert_told(night, "may not be written: Read-only file system")
    assert_readable(disk.seen / "home" / "published", before)


def test_once_there_is_room_the_next_night_publishes_the_same_and_makes_what_dbt_had_made(
    disk, demo_night, tmp_path
):
    shutil.rmtree(disk.seen / "home" / "dbt")
    night = run_in(disk.path / "home", *disk.inside)
    assert night.exit_code == 0, night.out + night.err
    published = copied(disk.seen / "home" / "published", tmp_path)
    left_out = RUN_BEARING | _TELL_OF_IT
    assert contents(published, left_out) == contents(demo_night.database, left_out)


def as_a_person() -> list[str]:
    """Put before a command: root then may do what the bits of a file say, like anybody else."""
    if os.geteuid() != 0:
        return []
    if shutil.which("setpriv") is None:
        pytest.skip("root may do everything, and there is no setpriv to give that up")
    return ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]


@pytest.mark.parametrize("folder", ["", "logs", "published"])
def test_a_folder_without_permission_is_named(home, folder):
    before = hashes(home / "published")
    (home / folder).chmod(0o555)
    try:
        night = run_in(home, *as_a_person())
    finally:
        (home / folder).chmod(0o755)
    assert_told(night, f"{home / folder} may not be written: Permission denied")
    assert_readable(home / "published", before)


def test_a_landing_folder_and_a_file_that_nobody_may_read_are_named(home):
    before = hashes(home / "published")
    (home / "landing" / "crm").chmod(0)
    shut = home / "landing" / "tickets" / "tickets" / "shut.jsonl"
    shut.touch(0o000)
    try:
        night = run_in(home, *as_a_person())
    finally:
        (home / "landing" / "crm").chmod(0o755)
    assert_told(
        night,
        "crm (crm.*): the folder cannot be read (Permission denied)",
        "tickets/tickets/shut.jsonl (tickets.tickets): the file cannot be read (Permission denied)",
    )
    assert_readable(home / "published", before)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda file: file.write_bytes(b"no database " * 10_000), "cannot be opened"),
        (lambda file: os.truncate(file, file.stat().st_size // 2), "is damaged"),
        (lambda file: flip(file, 4096), "is damaged"),
        (lambda file: flip(file, 1_000_000, 20_000_000), "is damaged"),
    ],
    ids=["no database", "cut in half", "a header", "in the middle"],
)
def test_a_damaged_warehouse_is_told_with_the_way_out(home, damage, message):
    before = hashes(home / "published")
    damage(home / "warehouse.duckdb")
    night = run_in(home)
    assert_told(night, message, "move it away")
    assert_readable(home / "published", before)


def flip(file: Path, place: int, length: int = 65_536) -> None:
    """Overwrite so many bytes of a file from a place on."""
    with file.open("r+b") as opened:
        opened.seek(place)
        opened.write(b"\xa5" * length)
