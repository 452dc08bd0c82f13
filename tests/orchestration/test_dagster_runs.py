"""Runs of Dagster's as nights: what is told of them, and of those whose process was killed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from dagster._utils import get_run_crash_explanation

from orchestration.dagster_runs import (
    LOG_TAG,
    PROCESS_TAG,
    end_killed_and_tell,
    remove_old,
    report_of,
)
from orchestration.defs import alerts, nightly
from orchestration.instance import dagster_instance, refuse_unready_storage, write_instance_file
from orchestration.processes import this_process
from orchestration.report import load_last
from orchestration.run_lock import only_run
from settings import ALERT_WEBHOOK_URL, DAGSTER_POSTGRES_URL, Settings, SettingsError, load_settings
from tests.orchestration.elsewhere import a_dead_process, held_elsewhere
from tests.orchestration.receivers import Webhook, webhook

SECRET = "s3cret-token"


@pytest.fixture
def hook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Webhook]:
    """A webhook that is told."""
    with webhook() as hook:
        monkeypatch.setenv(ALERT_WEBHOOK_URL, hook.url)
        yield hook


@pytest.fixture
def instance(settings: Settings) -> Iterator[dg.DagsterInstance]:
    with dagster_instance(settings) as instance:
        yield instance


@pytest.fixture
def sensors(settings: Settings) -> dict[str, dg.SensorDefinition]:
    job = nightly.nightly_job(settings)
    return {sensor.name: sensor for sensor in alerts.definitions(settings, job).sensors or []}


def run_of(
    instance: dg.DagsterInstance, is_failing: bool, **tags: str
) -> tuple[dg.DagsterRun, dg.ExecuteInProcessResult]:
    """A run of one asset as of 2024-06-10, and what it came to."""

    @dg.asset(name="thing")
    def thing() -> None:
        if is_failing:
            raise ValueError("no account 'A' of ann@customer.example")

    named = {"dagster/partition": "2024-06-10", **tags}
    result = dg.materialize([thing], instance=instance, raise_on_error=False, tags=named)
    run = instance.get_run_by_id(result.run_id)
    assert run
    return run, result


def started(instance: dg.DagsterInstance, number: int, **tags: str) -> dg.DagsterRun:
    """A run that is under way, as its storage has it."""
    run = dg.DagsterRun(
        job_name="nightly",
        run_id=f"0c0ffee{number}-1111-4222-8333-444444444444",
        status=dg.DagsterRunStatus.STARTED,
        tags={"dagster/partition": "2024-06-10", **tags},
    )
    return instance.add_run(run)


def sense(
    sensor: dg.SensorDefinition,
    instance: dg.DagsterInstance,
    run: dg.DagsterRun,
    event: dg.DagsterEvent,
) -> None:
    context = dg.build_run_status_sensor_context(sensor.name, event, instance, run)
    sensor(context.for_run_failure() if sensor.name == "failed_runs" else context)


def test_a_failed_run_of_dagster_is_told_once_and_kept_as_the_last_night(
    settings: Settings,
    instance: dg.DagsterInstance,
    sensors: dict[str, dg.SensorDefinition],
    hook: Webhook,
) -> None:
    run, result = run_of(instance, is_failing=True)
    for _ in range(2):
        sense(sensors["failed_runs"], instance, run, result.get_run_failure_event())
    [body] = hook.bodies
    told = json.loads(body)
    assert (told["kind"], told["as_of"], told["run_id"]) == (
        "night_failed",
        "2024-06-10",
        run.run_id,
    )
    assert told["failures"] == ["thing: ValueError: no account … of …"]
    assert told["log"].endswith(run.run_id)
    last = load_last(settings)
    assert last is not None
    assert (last.run_id, last.is_published) == (run.run_id, False)


def test_a_run_that_ended_well_is_kept_and_a_backfilled_date_is_not(
    settings: Settings, instance: dg.DagsterInstance, sensors: dict[str, dg.SensorDefinition]
) -> None:
    run, result = run_of(instance, is_failing=False)
    event = result.get_run_success_event()
    sense(sensors["ended_runs"], instance, run, event)
    last = load_last(settings)
    assert last is not None
    assert (last.run_id, last.failures) == (run.run_id, [])
    beside, result = run_of(instance, is_failing=False, **{"dagster/backfill": "b"})
    sense(sensors["ended_runs"], instance, beside, result.get_run_success_event())
    assert load_last(settings) == last


def test_a_run_whose_process_was_killed_is_marked_failed_and_told(
    settings: Settings, instance: dg.DagsterInstance, hook: Webhook
) -> None:
    dead = a_dead_process()
    of_command_line = started(instance, 1, **{PROCESS_TAG: dead, LOG_TAG: "/logs/night.log"})
    of_dagster = started(instance, 2, **{PROCESS_TAG: dead})
    alive = started(instance, 3, **{PROCESS_TAG: this_process()})
    elsewhere = started(instance, 4, **{PROCESS_TAG: "another-host 1 1"})
    ended = {run.run_id for run in end_killed_and_tell(instance, settings)}
    assert ended == {of_command_line.run_id, of_dagster.run_id}
    assert end_killed_and_tell(instance, settings) == []
    for run, status in (
        (of_command_line, dg.DagsterRunStatus.FAILURE),
        (of_dagster, dg.DagsterRunStatus.FAILURE),
        (alive, dg.DagsterRunStatus.STARTED),
        (elsewhere, dg.DagsterRunStatus.STARTED),
    ):
        assert instance.get_run_by_id(run.run_id).status is status
    # Dagster's own are told by the sensor of failed runs.
    [told] = [json.loads(body) for body in hook.bodies]
    assert told["log"] == "/logs/night.log"
    assert told["failures"] == [
        "Dagster: its process ended before the run did: it was killed, or the machine went down"
    ]
    report = report_of(instance, instance.get_run_by_id(of_dagster.run_id), settings)
    assert "it was killed" in report.failures[0].what


def test_a_run_of_the_command_line_on_another_machine_lives_while_the_folder_is_held(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    tags = {PROCESS_TAG: "another-host 1 1", LOG_TAG: "/logs/night.log"}
    elsewhere = started(instance, 1, **tags)
    with held_elsewhere(settings.home):
        assert end_killed_and_tell(instance, settings) == []
    assert [run.run_id for run in end_killed_and_tell(instance, settings)] == [elsewhere.run_id]
    before_us = started(instance, 2, **tags)
    with only_run(settings, "account360 run"):
        assert [run.run_id for run in end_killed_and_tell(instance, settings)] == [before_us.run_id]


def test_a_run_that_ends_while_others_are_looked_at_is_not_marked(
    settings: Settings, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = started(instance, 1, **{PROCESS_TAG: a_dead_process()})
    listed = instance.get_runs()
    instance.report_dagster_event(
        dg.DagsterEvent(dg.DagsterEventType.RUN_SUCCESS.value, run.job_name), run.run_id
    )
    monkeypatch.setattr(instance, "get_runs", lambda *_: listed)
    assert end_killed_and_tell(instance, settings) == []
    assert instance.get_run_by_id(run.run_id).status is dg.DagsterRunStatus.SUCCESS


def test_what_the_code_server_says_of_a_killed_process_is_told(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    run = started(instance, 1)
    explained = get_run_crash_explanation(f"Run execution process for {run.run_id}", -9)
    instance.report_engine_event(explained, run)
    instance.report_run_failed(run)
    report = report_of(instance, instance.get_run_by_id(run.run_id), settings)
    assert [remark.what for remark in report.failures] == [
        "its process was terminated by signal 9 (SIGKILL)"
    ]


def test_old_runs_and_logs_go_and_assets_keep_what_they_know(
    settings: Settings, instance: dg.DagsterInstance
) -> None:
    old, _ = run_of(instance, is_failing=False)
    new, _ = run_of(instance, is_failing=False)
    log = settings.logs_path / "old.log"
    log.parent.mkdir(parents=True)
    log.write_text("old")
    later = datetime.now(UTC) + timedelta(days=31)
    assert remove_old(instance, settings, later) == 0
    settings = load_settings(environ={}, home=settings.home, kept_run_days=30)
    assert remove_old(instance, settings, datetime.now(UTC)) == 0
    assert remove_old(instance, settings, later) == 2
    assert not log.exists()
    for run in (old, new):
        assert instance.get_run_by_id(run.run_id) is None
    assert not list((settings.dagster_path / "history" / "runs").glob(f"{old.run_id}*"))


def test_runs_queue_one_at_a_time_and_are_watched(instance: dg.DagsterInstance) -> None:
    assert instance.get_concurrency_config().run_queue_config.max_concurrent_runs == 1
    assert instance.run_monitoring_enabled
    assert instance.freshness_enabled
    assert not instance.telemetry_enabled


def test_postgres_is_named_by_its_variable_and_asked_for_with_its_url(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_postgres = load_settings(environ={}, home=settings.home, dagster_storage="postgres")
    monkeypatch.setenv(DAGSTER_POSTGRES_URL, f"postgresql+psycopg2://me:{SECRET}@127.0.0.1/runs")
    text = (write_instance_file(on_postgres) / "dagster.yaml").read_text()
    assert f"env: {DAGSTER_POSTGRES_URL}" in text
    assert "event_log_storage" not in text
    assert SECRET not in text
    for url, wrong in (("", "is not set"), (f"postgresql://me:{SECRET}@h/d", "does not begin")):
        with pytest.raises(SettingsError, match=f"{DAGSTER_POSTGRES_URL} {wrong}") as error:
            refuse_unready_storage(on_postgres, {DAGSTER_POSTGRES_URL: url})
        assert SECRET not in str(error.value)
    refuse_unready_storage(settings, {})
