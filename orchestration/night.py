"""Runs one night in this process: Dagster's job from the landing folder to the publish."""

from __future__ import annotations

import contextlib
import os
import sys
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from orchestration.acceptance import as_tags, way_out
from orchestration.advice import advice
from orchestration.dbt_failures import read_remarks
from orchestration.erasure import refuse_pending
from orchestration.instance import dagster_instance
from orchestration.manifest import DbtProjectError, is_parsed, load_manifest
from orchestration.progress import Progress
from orchestration.publishing import DATABASE, Lead
from orchestration.report import (
    DomainLoad,
    NightReport,
    Remark,
    failing_rows,
    read_conservation,
    save,
)
from orchestration.run_lock import only_run, refuse_locked
from settings import Settings, SettingsError

if TYPE_CHECKING:
    from dagster import DagsterEvent

# What Dagster says of a step whose blocking check failed; the check itself says it better.
_SAID_BY_CHECK = "DagsterAssetCheckFailedError"

# What the record of a night says until its end replaces it.
_NOT_ENDED = Remark("night", "it has not ended: it is under way, or its process was killed")

# Models that tell where the records of each entity went, in the order in which they are asked.
_CONSERVATION_MODELS = (
    ["published", "audit_conservation"],
    ["intermediate", "int_entity__conservation"],
)


def run_night(
    settings: Settings,
    as_of: date,
    *,
    full_refresh: bool = False,
    lead: Lead = Lead.BY_DATE,
    accepted: Mapping[str, str] | None = None,
    tell: TextIO | None = None,
    wait_minutes: float | None = None,
) -> NightReport:
    """Run the night of `as_of` and tell of it on the stream `tell`; the report says how it ended.

    accepted: release checks that may fail this once → why.

    What Dagster, dbt and dlt say goes to a log below `home/logs`. Raises `NightError` when the
    night cannot begin: another run is under way, also after `wait_minutes` (None: as set, else
    none), or the warehouse is in use.
    """
    patience = (settings.wait_minutes or 0) if wait_minutes is None else wait_minutes
    say = partial(print, file=tell, flush=True) if tell else None
    with only_run(settings, "account360 run", as_of, wait_minutes=patience, tell=say):
        return _run_alone(settings, as_of, full_refresh, lead, accepted or {}, tell)


def _run_alone(
    settings: Settings,
    as_of: date,
    full_refresh: bool,
    lead: Lead,
    accepted: Mapping[str, str],
    tell: TextIO | None,
) -> NightReport:
    started = datetime.now(UTC)
    settings.logs_path.mkdir(parents=True, exist_ok=True)
    log = settings.logs_path / f"{started:%Y%m%dT%H%M%SZ}_{as_of}.log"
    report = NightReport(str(as_of), "", started.isoformat(timespec="seconds"), str(log))
    # A date that is backfilled is not the last night, however it ends.
    keep = save if lead is not Lead.BESIDE else _forget
    with _own_stream(tell) as stream, _output_to(log):
        progress = Progress(stream)
        refuse_locked(settings.warehouse_path, progress.tell)
        refuse_pending(settings)
        keep(replace(report, failures=[_NOT_ENDED]), settings)
        try:
            _run_job(settings, as_of, full_refresh, lead, accepted, progress, report)
        except Exception as error:  # whatever it is, the log has it and the person a line
            traceback.print_exc()
            report.failures.append(_unexpected(error, report.log))
        report.stations = dict(progress.seconds)
        report.seconds = progress.total_seconds()
    keep(report, settings)
    return report


def _forget(report: NightReport, settings: Settings) -> None:
    """Keep no record of a night."""


def _run_job(
    settings: Settings,
    as_of: date,
    full_refresh: bool,
    lead: Lead,
    accepted: Mapping[str, str],
    progress: Progress,
    report: NightReport,
) -> None:
    from expectations import current_examiner

    # Great Expectations takes seconds to import: its process starts before it is needed.
    current_examiner()
    if not is_parsed(settings):
        with progress.station("dbt parse"):
            load_manifest(settings)
    with progress.station("preparing"):
        from orchestration.dagster_runs import command_line_tags, end_killed_and_tell
        from orchestration.definitions import build
        from orchestration.defs.nightly import FULL_REFRESH_TAG, JOB, lead_tags

        definitions = build(settings, progress)
        job = definitions.resolve_job_def(JOB)
        storage = dagster_instance(settings, report.upgrades.append)
    with storage as instance:
        end_killed_and_tell(instance, settings)
        result = job.execute_in_process(
            instance=instance,
            partition_key=str(as_of),
            tags={
                FULL_REFRESH_TAG: str(full_refresh).lower(),
                **lead_tags(lead),
                **command_line_tags(report.log),
                **as_tags(accepted),
            },
            run_config={"loggers": {"console": {"config": {"log_level": "INFO"}}}},
            raise_on_error=False,
        )
    report.run_id = result.run_id
    for event in result.all_events:
        note_event(event, report)
    _note_way_out(result.all_events, report)
    made = [
        event.asset_key.path
        for event in result.all_events
        if event.event_type_value == "ASSET_MATERIALIZATION" and event.asset_key
    ]
    _note_conservation(settings, report, made)
    if any(event.step_key == "dbt_build" for event in result.all_events):
        _note_dbt_remarks(settings, report)
    if not result.success and not report.failures:
        report.failures.append(Remark("Dagster", "the run failed", see=report.log))


def note_event(event: DagsterEvent, report: NightReport) -> None:
    """Take what an event of the run tells into the report."""
    if event.is_step_failure:
        _note_step_failure(event, report)
    elif event.event_type_value == "ASSET_CHECK_EVALUATION":
        _note_check(event, report)
    elif event.event_type_value == "ASSET_MATERIALIZATION":
        _note_materialization(event, report)


def _note_step_failure(event: DagsterEvent, report: NightReport) -> None:
    data = event.step_failure_data
    error = data.error
    while error and error.cause:
        error = error.cause
    if error and error.cls_name == _SAID_BY_CHECK:
        return
    step = event.step_key or "a step"
    failure = data.user_failure_data
    if failure is None:
        said = error.message.strip() if error else "failed"
        report.failures.append(Remark(step, advice(said), see=report.log))
        return
    metadata = {name: value.value for name, value in failure.metadata.items()}
    told: Any = metadata.get("failures", [])
    for one in told:
        report.failures.append(
            Remark(
                f"dbt {one['node']}",
                one["message"],
                list(failing_rows(one["columns"], one["rows"])),
                one["compiled_path"] or report.log,
            )
        )
    if not told:
        report.failures.append(Remark(step, failure.description or "failed", see=report.log))


def _note_check(event: DagsterEvent, report: NightReport) -> None:
    check = event.asset_check_evaluation_data
    is_warning = check.severity.value == "WARN"
    # dbt's tests come with the rows they found, from what its build left.
    if event.step_key == "dbt_build":
        return
    metadata = {name: value.value for name, value in check.metadata.items()}
    details: Any = metadata.get("failed") or []
    if "acceptance_not_needed" in metadata:
        said = "accepting it was not needed: it did not fail"
        report.accepted.append(Remark(check.check_name, said))
    if check.passed:
        return
    if "accepted_by" in metadata:
        said = f"failed, and was accepted by {metadata['accepted_by']}"
        details = [*details, f"reason: {metadata['accepted_reason']}"]
        report.accepted.append(Remark(check.check_name, said, [str(each) for each in details]))
        return
    remark = Remark(
        f"{check.check_name} on {'.'.join(check.asset_key.path)}",
        "has a remark" if is_warning else "failed",
        [str(detail) for detail in details],
    )
    (report.warnings if is_warning else report.failures).append(remark)


def _note_way_out(events: Sequence[DagsterEvent], report: NightReport) -> None:
    """What to do about the checks that stopped the publish and could be accepted."""
    evaluations = [
        event.asset_check_evaluation_data
        for event in events
        if event.event_type_value == "ASSET_CHECK_EVALUATION"
    ]
    stopped = [
        check
        for check in evaluations
        if not check.passed
        and check.check_name.startswith("drift.")
        and check.severity.value == "ERROR"
    ]
    if stopped:
        previous = str(stopped[0].metadata["compared_with"].value)
        names = [check.check_name for check in stopped]
        commands = way_out(report.as_of, previous, names)
        report.failures.append(Remark("to go on", "look at the change first", commands))


def _note_dbt_remarks(settings: Settings, report: NightReport) -> None:
    for one in read_remarks(settings.dbt_target_path, settings.warehouse_path):
        rows = list(failing_rows(one.columns, one.rows))
        report.warnings.append(Remark(f"dbt {one.node}", "has a remark", rows, one.compiled_path))


def _note_materialization(event: DagsterEvent, report: NightReport) -> None:
    key = event.asset_key
    metadata: dict[str, Any] = {
        name: value.value for name, value in event.materialization.metadata.items()
    }
    if key is None:
        return
    report.upgrades += metadata.get("upgrades", [])
    if key.path[-1] == "landed_files":
        report.loads.append(
            DomainLoad(
                key.path[0].removeprefix("raw_"),
                metadata["files"],
                metadata["records"],
                metadata["unknown_columns"],
                metadata["ignored"],
            )
        )
    elif key.path == ["publish", "current"]:
        report.publish_id = metadata["publish_id"]
        report.folder = str(metadata["folder"])
        report.links = metadata["links"]
        report.tables, report.rows = metadata["tables"], metadata["rows"]


def _note_conservation(settings: Settings, report: NightReport, made: list[list[str]]) -> None:
    """Where the records went: as published, or as far as dbt came in this night."""
    if report.is_published:
        report.conservation = read_conservation(
            Path(report.folder) / DATABASE, "main.audit_conservation"
        )
        return
    for key in _CONSERVATION_MODELS:
        if key in made:
            report.conservation = read_conservation(settings.warehouse_path, ".".join(key))
            return


def _unexpected(error: Exception, log: str) -> Remark:
    if isinstance(error, DbtProjectError):
        first, *more = str(error).splitlines()
        return Remark("dbt project", first, more[-20:])
    if isinstance(error, SettingsError):
        return Remark("settings", str(error))
    return Remark(f"unexpected {type(error).__name__}", advice(str(error)), see=log)


@contextlib.contextmanager
def _own_stream(stream: TextIO | None) -> Iterator[TextIO | None]:
    """The stream, still leading where it does when the process's output goes to the log."""
    try:
        descriptor = os.dup(stream.fileno()) if stream else None
    except (OSError, ValueError):
        yield stream
        return
    if descriptor is None:
        yield None
        return
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as own:
        yield own


@contextlib.contextmanager
def _output_to(log: Path) -> Iterator[None]:
    """Send all that this process and those it starts print to a file."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = os.dup(1), os.dup(2)
    with log.open("a", encoding="utf-8", buffering=1) as file:
        try:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
            with contextlib.redirect_stdout(file), contextlib.redirect_stderr(file):
                yield
        finally:
            os.dup2(kept[0], 1)
            os.dup2(kept[1], 2)
            os.close(kept[0])
            os.close(kept[1])
