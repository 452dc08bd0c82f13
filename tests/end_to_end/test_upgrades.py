"""A home that an older version left: the next night makes of it what a fresh one would be.

The home is a copy of the demo company's night, taken back to how older code would have left it, and
with a last publish that had twice as many subscriptions: so the first night is stopped by a check
of drift, and the second one, which accepts it, publishes.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from tests.end_to_end.nights import Home, Night, account360, contents, differences

pytestmark = [pytest.mark.slow, pytest.mark.long]

CHECK = "drift.account_subscriptions.rows"
REASON = "the other half were trials"


@dataclass(frozen=True)
class Story:
    """The night that was stopped, the one that published, and what was said between and after."""

    home: Path
    stopped: Night
    difference: str
    published: Night
    status: str
    tables: set[str]


def make_older(home: Path) -> None:
    """Take a home back: no version, kept tables and history without a column, a model's table."""
    with duckdb.connect(str(home / "warehouse.duckdb")) as connection:
        connection.execute(
            """
            drop table run.warehouse_version;
            drop table run.event_chain_code;
            alter table run.publishes drop column checks_passed;
            alter table intermediate.int_user_day__activity drop column known_event_count;
            alter table staging.stg_native__event_outcomes drop column version_date;
            update intermediate.int_user_day_module__usage set microseconds = microseconds + 1;
            create table marts.fct_of_older_code as select 1 as one;
            create view published.of_older_code as from marts.fct_of_older_code;
            """
        )
    # What dbt parsed with another version, and a dagster.yaml with settings that are gone.
    for parsed in (home / "dbt" / "parsed").iterdir():
        parsed.rename(parsed.with_name("0000000000000000.json"))
    (home / "dbt" / "partial_parse.msgpack").write_bytes(b"of another version")
    (home / "dagster" / "dagster.yaml").write_text("of_another_version: true\n")
    record = home / "logs" / "last_run.json"
    record.write_text(json.dumps(json.loads(record.read_text()) | {"of_newer_code": 1}))


def have_twice_as_many(home: Path) -> None:
    """Let the last publish have twice as many subscriptions, and carry no checks of its own."""
    database = (home / "published" / "current").resolve() / "account360.duckdb"
    with duckdb.connect(str(database)) as connection:
        connection.execute(
            """
            insert into account_subscriptions
            select * replace (subscription_id || '-twice' as subscription_id)
            from account_subscriptions;
            alter table audit_publishes drop column checks_passed;
            """
        )


@pytest.fixture(scope="module")
def story(demo_home: Path, empty_home: Callable[[], Home]) -> Story:
    """A copy of the demo night, made older, and two nights over it."""
    home = empty_home()
    for entry in demo_home.iterdir():
        if entry.is_dir() and entry.name != "dbt":
            shutil.copytree(entry, home.path / entry.name, symlinks=True, dirs_exist_ok=True)
        elif entry.is_file():
            shutil.copy(entry, home.path)
    shutil.copytree(demo_home / "dbt", home.path / "dbt", dirs_exist_ok=True)
    make_older(home.path)
    have_twice_as_many(home.path)
    stopped = home.night("2024-07-01")
    diff = account360("diff", "current", "candidate", "--home", home.path)
    published = home.night("2024-07-01", "--accept", CHECK, "--reason", REASON)
    status = account360("status", "--home", home.path)
    with duckdb.connect(str(home.path / "warehouse.duckdb"), read_only=True) as connection:
        rows = connection.execute(
            "select table_schema || '.' || table_name from information_schema.tables"
        ).fetchall()
    return Story(
        home.path, stopped, diff.stdout, published, status.stdout, {name for (name,) in rows}
    )


def test_the_night_after_an_upgrade_equals_a_fresh_one(story: Story, demo_night: Night) -> None:
    assert story.published.exit_code == 0, story.published.err
    assert differences(demo_night.database, story.published.database, but="audit_definitions") == {}
    assert contents(story.published.database)["account_360"]


def test_the_chain_is_built_anew_without_being_asked_to_and_once(story: Story) -> None:
    told = "the event chain is built anew: its code changed since the last night"
    assert told in story.stopped.out
    assert told not in story.published.out
    assert "Upgraded" not in story.published.out


def test_tables_of_models_that_are_gone_are_told_and_dropped(story: Story) -> None:
    for name in ("marts.fct_of_older_code", "published.of_older_code"):
        assert f"{name} is made by no model any more, and dropped" in story.stopped.out
        assert name not in story.tables
    assert "raw_crm.accounts" in story.tables


def test_the_history_of_publishes_gets_the_column_that_it_lacked(story: Story) -> None:
    checks = story.published.shows(
        "select checks_passed is null as unknown from audit_publishes order by publish_id"
    )
    assert checks == [["unknown"], ["yes"], ["no"]]


def test_a_publish_that_lost_half_of_a_table_is_stopped_and_told(story: Story) -> None:
    assert story.stopped.exit_code == 1
    assert "NOT PUBLISHED" in story.stopped.out
    assert f"{CHECK} on publish.candidate: failed" in story.stopped.out
    assert "now (-50.0 %; allowed is down to -20 %)" in story.stopped.out
    assert f"account360 diff {story.stopped.publish_id} candidate" in story.stopped.out
    assert f"--as-of 2024-07-01 --accept {CHECK} --reason" in story.stopped.out


def test_diff_shows_what_the_checks_stopped(story: Story) -> None:
    assert "account_subscriptions" in story.difference
    assert "candidate" in story.difference
    assert "audit_checks" not in story.difference


def test_what_was_accepted_stands_in_the_publish_the_summary_and_status(story: Story) -> None:
    assert f"{CHECK}: failed, and was accepted by" in story.published.out
    assert f"reason: {REASON}" in story.published.out
    assert story.published.shows(
        "select table_name, check_name, has_passed, accepted_reason, accepted_by is not null as by"
        " from audit_checks where accepted_reason is not null"
    ) == [
        ["table_name", "check_name", "has_passed", "accepted_reason", "by"],
        ["account_subscriptions", CHECK, "no", REASON, "yes"],
    ]
    assert "Published although these checks failed" in story.status
    assert f"UTC: {REASON}" in story.status
