"""The sensor of new landing files: when it asks for a run, when it does not, and what it says."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest

from ingestion import DOMAINS
from ingestion.sources.native.discovery import discover, look
from ingestion.sources.native.notes import Notes, stamp_of
from orchestration.calendar import today
from orchestration.defs.sensors import evaluate
from settings import Settings

MINUTES = 60.0


@pytest.fixture
def landing(settings: Settings) -> Settings:
    """Settings with two landing files, written just now, and a warehouse that knows none."""
    for location in ("crm/accounts.jsonl", "billing/invoices/2024-06-01.csv"):
        path = settings.landing / location
        path.parent.mkdir(parents=True)
        path.write_text("{}\n")
    settings.warehouse_path.write_bytes(b"never opened, and no database")
    return settings


class Ticks:
    """One tick after another, with the cursor of the one before."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.instance = dg.DagsterInstance.ephemeral()
        self.cursor: str | None = None
        self.now = time.time()

    def tick(self, minutes: float) -> dg.SensorResult:
        """The tick of so many minutes from now."""
        result = evaluate(self.instance, self.settings, self.cursor, self.now + minutes * MINUTES)
        self.cursor = result.cursor
        return result

    def skipped(self, minutes: float) -> str:
        """Why that tick asked for nothing."""
        result = self.tick(minutes)
        assert not result.run_requests
        return result.skip_reason.skip_message

    def asked(self, minutes: float) -> str:
        """The partition that it asked a run of."""
        [request] = self.tick(minutes).run_requests
        return request.partition_key


def load(settings: Settings) -> None:
    """Note the landing files as a load does, and long enough after they were written."""
    time.sleep(0.06)
    for domain in ("crm", "billing"):
        notes = Notes(settings.dlt_path / f"{domain}_files.json")
        for path in (settings.landing / domain).rglob("*.*"):
            location = str(path.relative_to(settings.landing))
            notes.remember(location, stamp_of(path.stat()), "hash")
        notes.save()


def test_a_run_of_today_is_asked_for_once_files_have_stopped_changing(landing: Settings) -> None:
    ticks = Ticks(landing)
    said = ticks.skipped(0)
    assert said.startswith("2 new files, and files still change: ")
    assert said.endswith("a run is asked for when none has for landing_quiet_minutes = 10")
    assert "still change" in ticks.skipped(9)
    assert ticks.asked(11) == today(landing).isoformat()
    for later in (12, 60, 6000):
        assert ticks.skipped(later) == (
            "a run was asked for with these files; no others have landed since"
        )


def test_a_file_that_changes_or_comes_is_asked_for_again(landing: Settings) -> None:
    ticks = Ticks(landing)
    ticks.asked(11)
    (landing.landing / "crm" / "accounts.jsonl").write_text("{}\n{}\n")
    ticks.asked(22)
    (landing.landing / "crm" / "contacts.csv").write_text("contact_id\n")
    ticks.asked(33)
    (landing.landing / "crm" / "contacts.csv.tmp").write_text("is still being written\n")
    (landing.landing / "crm" / ".hidden.csv").write_text("nobody's\n")
    assert "no others have landed since" in ticks.skipped(44)


def test_the_sensor_sees_the_files_that_a_load_finds(settings: Settings, tmp_path: Path) -> None:
    landing = settings.landing
    for location in (
        "crm/accounts.jsonl",
        "crm/accounts.jsonl.tmp",
        "crm/users.CSV.GZ",
        "crm/leads.csv",
        "crm/contacts.xlsx",
        "crm/contacts/2024/06/01.parquet",
        "crm/contacts/.hidden/01.csv",
        "crm/contacts/02.csv.part",
        "billing/invoices.csv",
        "elsewhere/accounts.csv",
    ):
        path = landing / location
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "share").mkdir()
    (tmp_path / "share" / "linked.csv").touch()
    (landing / "crm" / "contacts" / "share").symlink_to(tmp_path / "share")
    (landing / "crm" / "contacts" / "circle").symlink_to(landing / "crm" / "contacts")
    (landing / "crm" / "contacts" / "gone.csv").symlink_to(tmp_path / "gone.csv")
    (landing / "crm" / "contacts" / os.fsdecode(b"\xff.csv")).touch()
    for domain in DOMAINS:
        found = {file.location for file in discover(landing, domain).files}
        assert {location for location, _ in look(landing, domain)} == found - {
            "crm/contacts/gone.csv"
        }


def test_what_a_run_has_loaded_is_not_asked_for(landing: Settings) -> None:
    load(landing)
    ticks = Ticks(landing)
    assert ticks.skipped(11) == "all 2 landing files are loaded"
    landing.warehouse_path.unlink()
    (landing.landing / "crm" / "users.csv").write_text("user_id\n")
    ticks.asked(30)


def test_files_of_before_a_copy_or_of_a_clock_ahead_wait_for_as_long_as_they_are_seen(
    landing: Settings,
) -> None:
    ahead = time.time() + 3600
    os.utime(landing.landing / "crm" / "accounts.jsonl", (ahead, ahead))
    ticks = Ticks(landing)
    assert "still change: crm/accounts.jsonl did last" in ticks.skipped(0)
    assert "still change" in ticks.skipped(9)
    ticks.asked(11)


@pytest.mark.parametrize(
    ("status", "said"),
    [(dg.DagsterRunStatus.STARTED, "started"), (dg.DagsterRunStatus.NOT_STARTED, "not_started")],
)
def test_new_files_wait_for_a_run_that_is_under_way(
    landing: Settings, status: dg.DagsterRunStatus, said: str
) -> None:
    ticks = Ticks(landing)
    run = dg.DagsterRun(job_name="nightly", run_id="0c0ffee0-1111-4222-8333-444444444444")
    ticks.instance.add_run(run.with_status(status))
    assert ticks.skipped(11) == f"2 new files, to be loaded when run 0c0ffee0 ({said}) has ended"
    ticks.instance.delete_run(run.run_id)
    ticks.asked(12)


def test_without_a_landing_folder_nothing_is_asked_for(settings: Settings) -> None:
    missing = replace(settings, landing=Path("/nowhere/at/all"))
    assert Ticks(missing).skipped(0) == "there is no landing folder /nowhere/at/all"


def test_a_cursor_of_another_version_is_begun_anew(landing: Settings) -> None:
    ticks = Ticks(landing)
    for cursor in ("no json", '{"other": 1}', "[1]"):
        ticks.cursor = cursor
        ticks.asked(11)
