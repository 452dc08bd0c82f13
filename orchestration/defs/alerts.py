"""Sensors that watch: they tell of failed runs and of stale data, and find runs that were killed.

They are on from the start, as they only look and tell; who is told is a matter of settings.
"""

from datetime import UTC, datetime

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from orchestration.alerts import tell_failed, tell_stale
from orchestration.dagster_runs import (
    end_killed_and_tell,
    keep_as_last,
    remove_old,
    report_of,
)
from orchestration.staleness import find_stale
from settings import Settings

_WATCH_SECONDS = 60
_STALE_SECONDS = 900


def definitions(settings: Settings, job: UnresolvedAssetJobDefinition) -> dg.Definitions:
    """The sensors of failed and ended runs, of stale data, and of killed processes."""

    @dg.run_failure_sensor(
        monitored_jobs=[job],
        minimum_interval_seconds=30,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Tells of a run that Dagster started and that failed, also if it was killed.",
    )
    def failed_runs(context: dg.RunFailureSensorContext) -> None:
        report = report_of(context.instance, context.dagster_run, settings)
        keep_as_last(context.dagster_run, report, settings)
        for problem in tell_failed(settings, report):
            context.log.warning(problem)

    @dg.run_status_sensor(
        run_status=dg.DagsterRunStatus.SUCCESS,
        monitored_jobs=[job],
        minimum_interval_seconds=30,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Keeps what a run came to, so that `account360 status` tells of it.",
    )
    def ended_runs(context: dg.RunStatusSensorContext) -> None:
        run = context.dagster_run
        keep_as_last(run, report_of(context.instance, run, settings), settings)

    @dg.sensor(
        minimum_interval_seconds=_STALE_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Tells when what readers see is older than it may be.",
    )
    def stale_data(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        stale = find_stale(settings)
        for problem in tell_stale(settings, stale):
            context.log.warning(problem)
        return dg.SkipReason("; ".join(one.says for one in stale) or "nothing is stale")

    @dg.sensor(
        minimum_interval_seconds=_WATCH_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Marks runs failed whose process was killed, and removes old ones "
        "(kept_run_days).",
    )
    def watch(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        killed = end_killed_and_tell(context.instance, settings)
        for run in killed:
            context.log.warning(f"run {run.run_id} was marked failed: its process is gone")
        removed = _remove_old_once_a_day(context, settings)
        return dg.SkipReason(f"{len(killed)} runs were found killed, {removed} old ones removed")

    return dg.Definitions(sensors=[failed_runs, ended_runs, stale_data, watch])


def _remove_old_once_a_day(context: dg.SensorEvaluationContext, settings: Settings) -> int:
    now = datetime.now(UTC)
    if context.cursor == str(now.date()):
        return 0
    context.update_cursor(str(now.date()))
    return remove_old(context.instance, settings, now)
