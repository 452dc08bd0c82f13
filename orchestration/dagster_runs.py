"""Dagster's runs as nights: what a run came to, whether its process still lives, how old it is.

Runs of the command line tell of themselves at their end. Those that Dagster starts have nobody to:
what they came to is told from their events, and kept as the last night like any other.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from orchestration.alerts import tell_failed
from orchestration.night import note_event
from orchestration.processes import is_gone, this_process
from orchestration.publishing import Lead
from orchestration.report import NightReport, Remark, load_last, save
from orchestration.run_lock import is_held, is_ours
from settings import Settings

if TYPE_CHECKING:
    from dagster import AssetExecutionContext, DagsterInstance, DagsterRun

PROCESS_TAG = "account360/process"
# The log of a run of the command line, which tells of its nights itself.
LOG_TAG = "account360/log"

_KILLED = "its process ended before the run did: it was killed, or the machine went down"


def command_line_tags(log: str) -> dict[str, str]:
    """What marks a run as one of the command line, in this process and with that log."""
    return {PROCESS_TAG: this_process(), LOG_TAG: log}


def note_process(context: AssetExecutionContext) -> None:
    """Let a run say which process it is in, so that it can be told when that is gone."""
    if PROCESS_TAG not in context.run.tags:
        context.instance.add_run_tags(context.run.run_id, {PROCESS_TAG: this_process()})


def end_killed_runs(instance: DagsterInstance, home: Path) -> list[DagsterRun]:
    """Mark the runs failed whose process is gone: they would hold up the queue for ever.

    One of the command line has the home folder as long as it lives, so that of those the lock
    tells, on whatever machine they were.
    """
    from dagster import DagsterRunStatus, RunsFilter

    under_way = instance.get_runs(
        RunsFilter(
            statuses=[
                DagsterRunStatus.STARTED,
                DagsterRunStatus.STARTING,
                DagsterRunStatus.CANCELING,
            ]
        )
    )
    is_free = is_ours(home) or not is_held(home)
    killed = []
    for run in under_way:
        if is_gone(run.tags.get(PROCESS_TAG, "")) or (is_free and LOG_TAG in run.tags):
            # it may have ended well since they were listed
            now = instance.get_run_by_id(run.run_id)
            if now and not now.is_finished:
                instance.report_run_failed(now, f"The run failed: {_KILLED}.")
                killed.append(now)
    return killed


def end_killed_and_tell(instance: DagsterInstance, settings: Settings) -> list[DagsterRun]:
    """The same, and tell of those of the command line, which cannot any more.

    Of those that Dagster started its sensor of failed runs tells.
    """
    killed = end_killed_runs(instance, settings.home)
    for run in killed:
        if LOG_TAG in run.tags:
            failed = instance.get_run_by_id(run.run_id) or run
            tell_failed(settings, report_of(instance, failed, settings))
    return killed


def report_of(instance: DagsterInstance, run: DagsterRun, settings: Settings) -> NightReport:
    """What a run of Dagster's came to, from its events."""
    from dagster import DagsterEventType, DagsterRunStatus

    from orchestration.defs.nightly import as_of_date

    record = instance.get_run_record_by_id(run.run_id)
    began = (record.start_time if record else None) or time.time()
    ended = (record.end_time if record else None) or time.time()
    report = NightReport(
        as_of=str(as_of_date(run, settings)),
        run_id=run.run_id,
        started_at=datetime.fromtimestamp(began, UTC).isoformat(timespec="seconds"),
        log=_log_of(instance, run),
        seconds=max(ended - began, 0.0),
    )
    entries = instance.all_logs(
        run.run_id,
        of_type={
            DagsterEventType.STEP_FAILURE,
            DagsterEventType.ASSET_CHECK_EVALUATION,
            DagsterEventType.ASSET_MATERIALIZATION,
            DagsterEventType.ENGINE_EVENT,
            DagsterEventType.RUN_FAILURE,
        },
    )
    said = "the run failed"
    for entry in entries:
        if (event := entry.dagster_event) is None:
            continue
        note_event(event, report)
        said = _said_of_process(event.message or "", run) or said
    if run.status is DagsterRunStatus.FAILURE and not report.failures:
        report.failures.append(Remark("Dagster", said, see=report.log))
    return report


def _said_of_process(message: str, run: DagsterRun) -> str | None:
    """What an event says of how the run's process ended: our own words, or the code server's."""
    if _KILLED in message:
        return _KILLED
    prefix = f"Run execution process for {run.run_id} "
    if message.startswith(prefix):
        return f"its process {message.removeprefix(prefix).partition('. ')[0].rstrip('.')}"
    return None


def _log_of(instance: DagsterInstance, run: DagsterRun) -> str:
    """Where a run's output is kept: a file of the command line, or a folder of Dagster's."""
    return run.tags.get(LOG_TAG) or str(Path(instance.storage_directory()) / run.run_id)


def keep_as_last(run: DagsterRun, report: NightReport, settings: Settings) -> None:
    """Let `account360 status` tell of a night that Dagster started, unless of a later one."""
    from orchestration.defs.nightly import lead_of

    last = load_last(settings)
    if lead_of(run) is Lead.BESIDE:
        return
    if last is None or last.started_at <= report.started_at:
        save(report, settings)


def remove_old(instance: DagsterInstance, settings: Settings, now: datetime) -> int:
    """Remove runs and logs older than `kept_run_days` (0: none); how many runs.

    The last run of each asset stays known to Dagster: its latest event is kept apart from the run.
    """
    if not settings.kept_run_days:
        return 0
    from dagster import RunsFilter

    before = now - timedelta(days=settings.kept_run_days)
    old = [run for run in instance.get_runs(RunsFilter(created_before=before)) if run.is_finished]
    for run in old:
        instance.delete_run(run.run_id)
        shutil.rmtree(Path(instance.storage_directory()) / run.run_id, ignore_errors=True)
        for file in (settings.dagster_path / "history" / "runs").glob(f"{run.run_id}.db*"):
            file.unlink(missing_ok=True)
    for log in _old_files(settings.logs_path, before):
        log.unlink(missing_ok=True)
    return len(old)


def _old_files(folder: Path, before: datetime) -> Iterator[Path]:
    for log in folder.glob("*.log"):
        if log.stat().st_mtime < before.timestamp():
            yield log
