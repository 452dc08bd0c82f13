"""The night as a whole: its job, the as-of dates it can be run for, and its schedule."""

from datetime import date
from zoneinfo import ZoneInfo

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from orchestration.acceptance import Acceptance, AcceptanceError, from_tags
from orchestration.calendar import FIRST_AS_OF, today
from orchestration.publishing import Lead, code_version
from orchestration.upgrades import WarehouseVersionError, note_version
from settings import Settings

JOB = "nightly"
FULL_REFRESH_TAG = "account360/full_refresh"
MAKE_CURRENT_TAG = "account360/make_current"
BESIDE_TAG = "account360/beside"
AS_OF_TAG = "account360/as_of"
CODE_VERSION_TAG = "account360/code_version"

_PARTITION_TAG = "dagster/partition"
# Dagster sets it on the runs of a backfill that is started in its pages.
_BACKFILL_TAG = "dagster/backfill"


def as_of_dates(settings: Settings) -> dg.DailyPartitionsDefinition:
    """One partition per as-of date, the first day that is not complete: up to today itself."""
    return dg.DailyPartitionsDefinition(
        start_date=FIRST_AS_OF.isoformat(),
        end_offset=1,
        timezone=settings.reporting_time_zone,
    )


def as_of_date(run: dg.DagsterRun, settings: Settings) -> date:
    """The as-of date of a run: its partition, or today where it is run without one."""
    key = run.tags.get(_PARTITION_TAG)
    return date.fromisoformat(key) if key else today(settings)


def has_tag(run: dg.DagsterRun, tag: str) -> bool:
    """Whether a run was started with an option."""
    return run.tags.get(tag) == "true"


def accepted_checks(run: dg.DagsterRun, settings: Settings) -> dict[str, Acceptance]:
    """The checks that a run was started to accept, by name. A wrong tag fails the step."""
    try:
        return from_tags(settings, run.tags)
    except AcceptanceError as error:
        raise dg.Failure(str(error), allow_retries=False) from error


def may_begin(run: dg.DagsterRun, settings: Settings) -> list[str]:
    """Fail the step of a run that must not write to the warehouse; what there is to tell of one.

    Every step that writes first asks, since a run may begin with any of them.
    """
    accepted_checks(run, settings)
    try:
        told = note_version(settings)
    except WarehouseVersionError as error:
        raise dg.Failure(str(error), allow_retries=False) from error
    return [told] if told else []


def lead_of(run: dg.DagsterRun) -> Lead:
    """Where a run leads readers; a backfill never changes what `current` is."""
    if _BACKFILL_TAG in run.tags or has_tag(run, BESIDE_TAG):
        return Lead.BESIDE
    return Lead.CURRENT if has_tag(run, MAKE_CURRENT_TAG) else Lead.BY_DATE


def lead_tags(lead: Lead) -> dict[str, str]:
    """The tags of a run that leads readers there."""
    return {
        MAKE_CURRENT_TAG: str(lead is Lead.CURRENT).lower(),
        BESIDE_TAG: str(lead is Lead.BESIDE).lower(),
    }


def nightly_job(settings: Settings) -> UnresolvedAssetJobDefinition:
    """The job over all assets and checks. Its runs say their as-of date and code version."""
    dates = as_of_dates(settings)
    version = code_version()
    return dg.define_asset_job(
        JOB,
        selection=dg.AssetSelection.all(),
        config=dg.PartitionedConfig(
            dates,
            run_config_for_partition_key_fn=lambda _: {},
            tags_for_partition_key_fn=lambda key: {AS_OF_TAG: key, CODE_VERSION_TAG: version},
        ),
        executor_def=dg.in_process_executor,
        description="Land, check, build, check, publish; the partition is the as-of date.",
    )


def definitions(settings: Settings, job: UnresolvedAssetJobDefinition) -> dg.Definitions:
    """The job of the night, and its schedule, which is off until turned on."""

    @dg.schedule(
        job=job,
        cron_schedule=settings.nightly_cron,
        execution_timezone=settings.reporting_time_zone,
        default_status=dg.DefaultScheduleStatus.STOPPED,
    )
    def every_night(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        """By `nightly_cron` in the reporting time zone, with that day as the as-of date."""
        zone = ZoneInfo(settings.reporting_time_zone)
        at = context.scheduled_execution_time.astimezone(zone)
        return dg.RunRequest(run_key=at.isoformat(), partition_key=at.date().isoformat())

    # One process for everything: each further one would import everything anew, and DuckDB lets
    # only one write.
    return dg.Definitions(jobs=[job], schedules=[every_night], executor=dg.in_process_executor)
