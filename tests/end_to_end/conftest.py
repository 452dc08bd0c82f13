"""Home folders for whole nights, and the night of the demo company that the suite shares.

A file here tells one or two stories of a few nights each: fixtures of the module play them to their
end, tests only read what every night left. All tests of a file therefore belong to one worker.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sample_data import DemoSummary, write_demo
from tests.conftest import made_once
from tests.end_to_end.nights import Home, Night, account360, run

DEMO_SCALE = 0.1
DEMO_NIGHTS = 3


@pytest.fixture(scope="session")
def empty_home(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Home]:
    """Makes a home folder for one story, which has to be played to its end before the next begins.

    All stories of a worker use one path, so that dbt parses its project once and not for each.
    """
    path = tmp_path_factory.mktemp("worker") / "home"
    return lambda: Home(path, tmp_path_factory.mktemp("published"))


@pytest.fixture(scope="session")
def demo_home(shared_folder: Path) -> Path:
    """The home folder of the demo company's night, run from nothing; only to be read."""
    return made_once(shared_folder / "demo_night", _run_demo)


@pytest.fixture(scope="session")
def demo_night(demo_home: Path) -> Night:
    """The night of the demo company."""
    said = [(demo_home / f"said.{name}").read_text() for name in ("out", "err")]
    code = int((demo_home / "said.code").read_text())
    return Night(code, *said, demo_home / "published")


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> DemoSummary:
    """What stands in the demo company's landing folder, written once more in this process."""
    folder = tmp_path_factory.mktemp("demo_company") / "landing"
    return write_demo(folder, scale=DEMO_SCALE, nights=DEMO_NIGHTS)


def _run_demo(home: Path) -> None:
    options = ["--scale", DEMO_SCALE, "--nights", DEMO_NIGHTS]
    wrote = account360("demo", "--home", home, *options)
    assert wrote.returncode == 0, wrote.stderr
    night = run(home, home / "landing", "2024-07-01")
    for name, text in (
        ("out", night.stdout),
        ("err", night.stderr),
        ("code", str(night.returncode)),
    ):
        (home / f"said.{name}").write_text(text)
