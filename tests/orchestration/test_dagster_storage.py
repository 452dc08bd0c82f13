"""A Dagster storage that another version left: upgraded, or moved aside; never in the way."""

from __future__ import annotations

import sqlite3
from importlib.metadata import version

import dagster as dg
import pytest

from orchestration.instance import dagster_instance, write_instance_file
from settings import load_settings


@dg.asset
def thing():
    return 1


@pytest.fixture
def left(tmp_path):
    """A home whose storage has one run, and the id of that."""
    settings = load_settings(environ={}, home=tmp_path)
    with dagster_instance(settings) as instance:
        return settings, dg.materialize([thing], instance=instance).run_id


def runs(settings):
    told = []
    with dagster_instance(settings, told.append) as instance:
        assert dg.materialize([thing], instance=instance).success
        return {run.run_id for run in instance.get_runs()}, told


def test_the_version_that_has_the_storage_stands_beside_it(left):
    settings, run = left
    assert (settings.dagster_path / "version").read_text() == f"{version('dagster')}\n"
    found, told = runs(settings)
    assert run in found
    assert told == []


def test_an_older_storage_is_upgraded_and_keeps_its_runs(left):
    settings, run = left
    (settings.dagster_path / "version").write_text("1.0.0")
    database = settings.dagster_path / "history" / "runs.db"
    with sqlite3.connect(database) as connection:
        (head,) = connection.execute("select version_num from alembic_version").fetchone()
        connection.execute("drop index idx_runs_by_backfill_id")
        connection.execute("alter table runs drop column backfill_id")
        connection.execute("update alembic_version set version_num = '284a732df317'")
    found, told = runs(settings)
    assert run in found
    assert told == []
    with sqlite3.connect(database) as connection:
        assert connection.execute("select version_num from alembic_version").fetchone() == (head,)


def test_a_storage_of_a_newer_version_is_moved_aside(left):
    settings, run = left
    (settings.dagster_path / "version").write_text("99.0.0")
    with sqlite3.connect(settings.dagster_path / "history" / "runs.db") as connection:
        connection.execute("update alembic_version set version_num = 'of99'")
    found, (told,) = runs(settings)
    assert run not in found
    aside = settings.dagster_path / "before_99.0.0_1"
    assert told.startswith("Dagster's history of runs, of 99.0.0, cannot be used by")
    assert str(aside) in told
    assert (aside / "history" / "runs.db").exists()
    # it is said once
    assert runs(settings)[1] == []


def test_the_file_that_says_where_it_is_is_written_anew(left):
    settings, run = left
    file = settings.dagster_path / "dagster.yaml"
    ours = file.read_text()
    file.write_text("of_another_version: true\n")
    assert run in runs(settings)[0]
    assert file.read_text() == ours
    assert write_instance_file(settings) == settings.dagster_path
