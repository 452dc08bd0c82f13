"""A landing folder that somebody else writes to while it is read, and what stands in it that is no
file: every time a problem in words, never a wait, never half a file."""

from __future__ import annotations

import os
import shutil
import signal
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ingestion import LoadReport
from ingestion.sources.native import discovery, reading
from tests.ingestion.conftest import Place

ACCOUNTS = "account_id,name,join_date\na,A,2024-01-01\n"
ALIASES = "old_email,email\na,b\n"


@pytest.fixture(autouse=True)
def never_wait() -> Iterator[None]:
    """A load that hangs ends the test."""

    def give_up(*_: object) -> None:
        raise AssertionError("the load hangs")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(60)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def before_each_reading(
    monkeypatch: pytest.MonkeyPatch, name: str, act: Callable[[Path], None], after: bool = False
) -> list[int]:
    """Let `act` happen to the file `name` whenever it is about to be (or was just) read."""
    plain = reading.FileReader.read
    readings = []

    def read(self, file, rows):  # type: ignore[no-untyped-def]
        if file.path.name != name:
            return plain(self, file, rows)
        readings.append(1)
        if not after:
            act(file.path)
        content_hash = plain(self, file, rows)
        if after:
            act(file.path)
        return content_hash

    monkeypatch.setattr(reading.FileReader, "read", read)
    return readings


def problems(report: LoadReport) -> dict[str, str]:
    return {problem.location: f"{problem.reason}. {problem.advice}" for problem in report.problems}


def whole(place: Place, report: LoadReport) -> None:
    """The ledger and raw agree on every file of crm/csm_aliases, and on no other."""
    counts = Counter(place.rows("crm.csm_aliases", "_location"))
    landed = place.rows(
        "crm.landed_files", "location", "rows_read - unparsed_rows", order="location"
    )
    aliases = {location: rows for location, rows in landed if "aliases" in location and rows}
    assert counts == aliases
    assert not {problem.location for problem in report.problems} & set(counts)


@pytest.fixture
def place_with_aliases(place: Place) -> Place:
    place.land("crm/accounts.csv", ACCOUNTS)
    place.land("crm/csm_aliases/1.csv", ALIASES)
    place.land("crm/csm_aliases/2.csv", ALIASES)
    return place


def test_a_file_that_vanishes_between_listing_and_reading_is_a_problem(
    place_with_aliases: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    before_each_reading(monkeypatch, "1.csv", lambda path: path.unlink())
    report = place_with_aliases.load()
    assert problems(report) == {
        "crm/csm_aliases/1.csv": "the file cannot be read (No such file or directory). It is gone,"
        " or links to nothing: land it again, or take the link away."
    }
    assert place_with_aliases.rows("crm.csm_aliases", "_location") == ["crm/csm_aliases/2.csv"]


def test_a_file_that_vanishes_after_it_was_read_is_a_problem(
    place_with_aliases: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    before_each_reading(monkeypatch, "1.csv", lambda path: path.unlink(), after=True)
    report = place_with_aliases.load()
    assert list(problems(report)) == ["crm/csm_aliases/1.csv"]
    assert place_with_aliases.rows("crm.csm_aliases", "_location") == ["crm/csm_aliases/2.csv"]


@pytest.mark.parametrize("name", ["1.csv", "1.parquet"])
def test_a_file_that_grows_once_while_it_is_read_is_read_again(
    place: Place, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    place.land("crm/accounts.csv", ACCOUNTS)
    if name == "1.csv":
        place.land(f"crm/csm_aliases/{name}", ALIASES)
        larger = (ALIASES + "c,d\n").encode()
    else:
        select = "select 'a' || range as old_email, 'b' as email from range({})"
        larger = place.land_parquet("crm/csm_aliases/larger.parquet", select.format(2)).read_bytes()
        place.land_parquet(f"crm/csm_aliases/{name}", select.format(1))
        (place.settings.landing / "crm/csm_aliases/larger.parquet").unlink()

    def grow(path: Path) -> None:
        if len(path.read_bytes()) != len(larger):
            path.write_bytes(larger)

    readings = before_each_reading(monkeypatch, name, grow, after=True)
    report = place.load()
    assert (report.problems, len(readings)) == ([], 2)
    assert len(place.rows("crm.csm_aliases")) == 2
    whole(place, report)
    monkeypatch.undo()
    assert place.load().load_number is None


def test_a_file_that_goes_on_growing_loads_nothing_until_it_is_whole(
    place_with_aliases: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def grow(path: Path) -> None:
        with path.open("a") as file:
            file.write("c,")

    before_each_reading(monkeypatch, "1.csv", grow, after=True)
    report = place_with_aliases.load()
    assert list(problems(report)) == ["crm/csm_aliases/1.csv"]
    assert (
        "written to while it was read. Write files under"
        in problems(report)["crm/csm_aliases/1.csv"]
    )
    whole(place_with_aliases, report)
    monkeypatch.undo()
    place_with_aliases.land("crm/csm_aliases/1.csv", ALIASES + "c,d\n")
    assert place_with_aliases.load().problems == []
    assert len(place_with_aliases.rows("crm.csm_aliases")) == 3


def test_a_file_that_is_replaced_by_a_better_one_while_it_fails_is_read_again(
    place_with_aliases: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a file fails to be read; by then the whole one has taken its place."""
    path = place_with_aliases.land("crm/csm_aliases/1.csv", b"old_email,email\n\xff")
    plain = reading.FileReader._read_csv

    def read_csv(self, stream, compressed, rows):  # type: ignore[no-untyped-def]
        try:
            return plain(self, stream, compressed, rows)
        finally:
            if b"\xff" in path.read_bytes():
                better = path.with_name("better.part")
                better.write_text(ALIASES)
                better.rename(path)

    monkeypatch.setattr(reading.FileReader, "_read_csv", read_csv)
    assert place_with_aliases.load().problems == []
    assert len(place_with_aliases.rows("crm.csm_aliases")) == 2


@pytest.mark.parametrize("was_loaded", [False, True], ids=["new", "loaded before"])
@pytest.mark.parametrize(
    ("make", "said"),
    [
        (os.mkfifo, "not a regular file but a pipe. Land a file in its place."),
        (lambda path: path.symlink_to("/dev/zero"), "not a regular file but a device"),
        (lambda path: path.symlink_to(path.name), "It links to itself"),
        (lambda path: path.symlink_to("nowhere"), "links to nothing"),
        (lambda path: bind(path), "not a regular file but a socket"),
    ],
    ids=["pipe", "device", "loop", "nowhere", "socket"],
)
def test_what_is_no_file_is_a_problem_and_never_waited_for(
    place: Place, make: Callable[[Path], object], said: str, was_loaded: bool
) -> None:
    place.land("crm/accounts.csv", ACCOUNTS)
    path = place.settings.landing / "crm" / "csm_aliases.csv"
    if was_loaded:
        place.land("crm/csm_aliases.csv", ALIASES)
        place.load()
        path.unlink()
    make(path)
    report = place.load()
    assert list(problems(report)) == ["crm/csm_aliases.csv"]
    assert said in problems(report)["crm/csm_aliases.csv"]
    assert len(place.rows("crm.csm_aliases")) == was_loaded
    assert place.rows("crm.accounts", "account_id") == ["a"]


def bind(path: Path) -> None:
    """A socket; its address may not be as long as the path of a test."""
    with socket.socket(socket.AF_UNIX) as server:
        short = Path("/tmp", f"a360-{os.getpid()}.sock")
        server.bind(str(short))
        shutil.move(short, path)


def test_a_file_that_becomes_a_pipe_after_the_look_at_it_is_a_problem(
    place_with_aliases: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def become_a_pipe(path: Path) -> None:
        plain = os.open

        def swap_and_open(name, *args, **kwargs):  # type: ignore[no-untyped-def]
            if Path(name) == path and path.is_file():
                path.unlink()
                os.mkfifo(path)
            return plain(name, *args, **kwargs)

        monkeypatch.setattr("ingestion.sources.native.opening.os.open", swap_and_open)

    before_each_reading(monkeypatch, "1.csv", become_a_pipe)
    said = problems(place_with_aliases.load())
    assert "not a regular file but a pipe" in said["crm/csm_aliases/1.csv"]


def test_a_folder_named_like_a_file_is_a_problem(place_with_aliases: Place) -> None:
    """Some tools write a folder `accounts.parquet/` of parts."""
    place_with_aliases.land("crm/csms.parquet/part-0.parquet", b"")
    place_with_aliases.land("crm/csms/2024-06-01.csv/part-0.csv", "email,name\nx,y\n")
    report = place_with_aliases.load()
    assert problems(report) == {
        "crm/csms.parquet": "a folder with the name of a file: nothing in it is read. Name it"
        " crm/csms/, or put the one file in its place."
    }
    assert place_with_aliases.rows("crm.csms", "email") == ["x"]


def test_folders_that_link_to_one_another_are_read_once(place_with_aliases: Place) -> None:
    """Twelve folders, each with links to all of them: more paths than anybody could walk."""
    folder = place_with_aliases.settings.landing / "crm" / "csm_aliases"
    for number in range(12):
        (folder / f"d{number}").mkdir()
    for number in range(12):
        for other in range(12):
            (folder / f"d{number}" / f"to{other}").symlink_to(folder / f"d{other}")
    (folder / "d5" / "x.csv").write_text(ALIASES)
    report = place_with_aliases.load()
    assert report.problems == []
    assert len(place_with_aliases.rows("crm.csm_aliases")) == 3
    assert "crm/csm_aliases/d0/to0/ (a folder that is read already)" in report.ignored


def test_a_folder_that_vanishes_while_it_is_listed_is_a_problem(
    place_with_aliases: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = place_with_aliases.settings.landing / "crm" / "csm_aliases"
    plain = discovery._walk

    def walk(path, *args):  # type: ignore[no-untyped-def]
        if path == folder and path.exists():
            shutil.rmtree(path)
        return plain(path, *args)

    monkeypatch.setattr(discovery, "_walk", walk)
    said = problems(place_with_aliases.load())
    assert said == {
        "crm/csm_aliases": "the folder cannot be read (No such file or directory). Make it a"
        " folder that this user may list."
    }


def test_a_landing_folder_that_is_gone_does_not_pass_for_one_without_news(
    place_with_aliases: Place,
) -> None:
    place = place_with_aliases
    place.load()
    shutil.rmtree(place.settings.landing)
    (said,) = problems(place.load()).values()
    assert said.startswith(f"the landing folder {place.settings.landing} does not exist, from")
    assert "3 files of crm were loaded" in said
    assert place.load("billing").problems == []
    place.settings.landing.symlink_to("/nowhere/at/all")
    assert len(place.load().problems) == 1


@pytest.mark.parametrize("domain", ["crm", "billing"])
def test_a_folder_of_a_domain_that_links_to_nothing_is_a_problem(
    place_with_aliases: Place, domain: str
) -> None:
    place_with_aliases.load()
    folder = place_with_aliases.settings.landing / domain
    if folder.exists():
        shutil.rmtree(folder)
    folder.symlink_to("/nowhere/at/all")
    assert list(problems(place_with_aliases.load(domain))) == [domain]


def test_a_folder_that_may_not_be_looked_at_is_a_problem(
    place_with_aliases: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = Path.stat
    folder = place_with_aliases.settings.landing / "crm" / "csm_aliases"

    def refuse(self: Path, **options: object) -> os.stat_result:
        if self.parent == folder:
            raise PermissionError(13, "Permission denied")
        return plain(self, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "stat", refuse)
    said = problems(place_with_aliases.load())
    assert list(said) == ["crm/csm_aliases/1.csv", "crm/csm_aliases/2.csv"]
    assert all("Permission denied" in each for each in said.values())


def test_two_names_that_read_alike_are_a_problem(place: Place) -> None:
    place.land("crm/accounts.csv", ACCOUNTS)
    folder = place.settings.landing / "crm" / "csm_aliases"
    folder.mkdir()
    names = [folder / os.fsdecode(name) for name in (b"\xfe.csv", b"\xff.csv")]
    for name in names:
        name.write_text(ALIASES)
    report = place.load()
    assert len(report.problems) == 2
    assert "2 files have names that are not UTF-8 and read alike" in str(report.problems[0])
    assert place.rows("crm.csm_aliases") == []
    names[1].unlink()
    assert place.load().problems == []
