"""Whether what readers see is stale: by the age of the publish, and by where its data ends."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import duckdb
import pytest

from orchestration.report import NightReport, save
from orchestration.run_lock import only_run
from orchestration.staleness import find_stale, last_night_failed
from settings import Settings
from settings.by_source import BySource

NAME = "2024-06-10_20240610T030000Z_run00001"
SEALED = datetime(2024, 6, 10, 3, 0, tzinfo=UTC)


@pytest.fixture
def published(settings: Settings) -> Settings:
    """A current publish as of 2024-06-10 that has no tickets."""
    folder = settings.published_path / NAME
    folder.mkdir(parents=True)
    settings.current_path.symlink_to(NAME)
    with duckdb.connect(str(folder / "account360.duckdb")) as connection:
        connection.execute(
            """
            create table account_360 as
            from (values
                ('a', date '2024-06-09', date '2024-05-31', null::date),
                ('b', date '2024-06-08', date '2024-06-02', null)
            ) as accounts (account_id, crm_data_through, billing_data_through, tickets_data_through)
            """
        )
    return settings


def said(settings: Settings, hours: float) -> list[str]:
    return [one.says for one in find_stale(settings, SEALED + timedelta(hours=hours))]


def test_data_is_stale_by_days_before_the_as_of_date_whatever_the_clock_says(
    published: Settings,
) -> None:
    tickets = "stale: data of tickets has not begun, more than stale_after_days"
    assert said(published, 1) == said(published, 36)
    assert said(published, 1) == [
        "stale: data of billing ends on 2024-06-02, more than stale_after_days = 7 before the "
        "as-of date 2024-06-10",
        f"{tickets} = 7 before the as-of date 2024-06-10",
    ]
    patient = replace(published, stale_after_days=BySource(7, {"billing": 8}))
    assert said(patient, 1) == [f"{tickets} = 7 before the as-of date 2024-06-10"]
    strict = replace(published, stale_after_days=BySource(30, {"billing": 7}))
    assert "stale_after_days = 7" in said(strict, 1)[0]


def test_a_publish_is_stale_by_the_clock(published: Settings) -> None:
    later = said(published, 36.1)
    assert later[0] == (
        "stale: the current publish is 36 hours old, more than stale_publish_hours = 36 allows"
    )
    assert later[1:] == said(published, 36)
    states = {one.state for one in find_stale(published, SEALED + timedelta(hours=99))}
    assert NAME in states


def test_nothing_published_is_said(settings: Settings) -> None:
    assert said(settings, 0) == [f"stale: nothing is published in {settings.home} yet"]


def test_a_night_that_is_under_way_has_not_failed(settings: Settings) -> None:
    assert last_night_failed(settings) is None
    settings.home.mkdir()
    report = NightReport("2024-06-10", "", "now", "the.log")
    save(report, settings)
    failed = "failed: the last night, of 2024-06-10, did not publish (log the.log)"
    assert last_night_failed(settings) == failed
    with only_run(settings, "account360 run"):
        assert last_night_failed(settings) is None
    # what a run on another machine wrote, which was killed
    left = {"process": "another-host 7 4711", "command": "account360 run", "since": "now"}
    (settings.home / "run.lock").write_text(json.dumps({**left, "as_of": None}))
    assert last_night_failed(settings) == failed
    save(replace(report, publish_id=NAME), settings)
    assert last_night_failed(settings) is None
