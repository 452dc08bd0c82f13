"""Runs that Dagster starts hold the home folder for the whole run, as those of a shell do."""

import fcntl
import threading

import dagster as dg
import duckdb
import pytest

from ingestion.whole_files import write_whole
from orchestration.content import note_standing, standing
from orchestration.defs import home as home_defs
from orchestration.defs.home import HOME
from orchestration.instance import dagster_instance
from orchestration.run_lock import only_run
from settings import load_settings
from tests.orchestration.elsewhere import held_elsewhere, let_go


@pytest.fixture
def home(tmp_path):
    return load_settings(environ={}, home=tmp_path / "home", wait_minutes=0)


def materialize(settings, instance=None):
    """A run of two assets and a check; what each of them saw of the lock."""
    seen = []

    def is_free():
        with (settings.home / "run.lock").open() as other:
            try:
                fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

    @dg.asset(required_resource_keys={HOME}, retry_policy=dg.RetryPolicy(max_retries=2))
    def first():
        seen.append(is_free())

    @dg.asset_check(asset=first, required_resource_keys={HOME})
    def check():
        seen.append(is_free())
        return dg.AssetCheckResult(passed=True)

    @dg.asset(required_resource_keys={HOME}, deps=[first])
    def second():
        seen.append(is_free())

    definitions = dg.Definitions.merge(
        home_defs.definitions(settings),
        dg.Definitions(
            assets=[first, second],
            asset_checks=[check],
            executor=dg.in_process_executor,
            jobs=[dg.define_asset_job("some", selection="*")],
        ),
    )
    result = definitions.resolve_job_def("some").execute_in_process(
        instance=instance, raise_on_error=False
    )
    return result, seen


def messages(result):
    return " ".join(str(event.event_specific_data) for event in result.all_events)


def test_a_run_holds_the_folder_from_its_first_step_to_its_last(home):
    result, seen = materialize(home)
    assert result.success
    assert seen == [False, False, False]
    with held_elsewhere(home.home):
        pass  # free again


def test_a_run_of_the_command_line_holds_it_already(home):
    home.home.mkdir()
    with only_run(home, "account360 run"):
        result, seen = materialize(home)
        assert result.success
        assert seen == [False, False, False]


def test_a_refused_run_says_so_and_is_not_done_again(home):
    home.home.mkdir()
    with held_elsewhere(home.home) as holder, dagster_instance(home) as instance:
        result, seen = materialize(home, instance)
        run = instance.get_run_by_id(result.run_id)
    assert (result.success, seen) == (False, [])
    assert f"process {holder.pid} (account360 run as of 2024-06-10" in messages(result)
    assert "STEP_UP_FOR_RETRY" not in {event.event_type_value for event in result.all_events}
    assert run.tags["dagster/max_retries"] == "0"


def test_a_run_waits_as_the_settings_say(home):
    waiting = load_settings(environ={}, home=home.home, wait_minutes=1)
    home.home.mkdir()
    with held_elsewhere(home.home) as holder:
        threading.Timer(0.7, let_go, [holder]).start()
        result, seen = materialize(waiting)
    assert result.success
    assert seen == [False, False, False]


def test_an_erasure_that_was_cut_short_holds_up_these_runs_too(home):
    home.home.mkdir()
    home.erasure_path.mkdir()
    write_whole(home.erasure_path / "pending.json", "{}", is_private=True)
    result, seen = materialize(home)
    assert (result.success, seen) == (False, [])
    assert "account360 erase --resume" in messages(result)


def test_whatever_a_run_does_the_warehouse_is_what_no_publish_holds_from_then_on(home):
    home.home.mkdir()
    with duckdb.connect(str(home.warehouse_path)) as connection:
        connection.execute("create schema run")
        note_standing(connection, "2024-06-10_20240610T030000Z_abcdef12")
    materialize(home)
    with duckdb.connect(str(home.warehouse_path)) as connection:
        assert standing(connection, "warehouse") is None
