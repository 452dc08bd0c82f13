"""New landing files ask for a run, once they have stopped changing; off until turned on.

It reads the names, sizes and times of landing files and what the loads noted of them, and never
opens the warehouse: readers of it and runs must not get into each other's way.
"""

import hashlib
import json
import time
from dataclasses import asdict, dataclass
from typing import Self

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from ingestion import DOMAINS
from ingestion.sources.native.discovery import look
from ingestion.sources.native.notes import Notes, stamp_of
from orchestration.calendar import today
from settings import Settings

_INTERVAL_SECONDS = 60


@dataclass(frozen=True)
class _Seen:
    """The cursor: which files were there, since when, and for which a run was asked last."""

    files: str = ""
    since: float = 0.0
    asked: str = ""

    @classmethod
    def of(cls, cursor: str | None) -> Self:
        """What a cursor says; nothing where it is of another version."""
        try:
            return cls(**json.loads(cursor or "{}"))
        except (ValueError, TypeError):
            return cls()


@dataclass(frozen=True)
class Landing:
    """What the landing folder holds: files, a hash of their names, sizes and times, how many of
    them no load has noted, which changed last and when (seconds since 1970).
    """

    files: int
    digest: str
    unknown: int
    newest: str
    changed_at: float


def look_at_landing(settings: Settings) -> Landing:
    """Look at every landing file's name, size and times."""
    digest = hashlib.sha256()
    files = unknown = 0
    newest, changed_at = "", 0.0
    is_new = not settings.warehouse_path.exists()
    for domain in DOMAINS:
        notes = Notes(settings.dlt_path / f"{domain}_files.json")
        for location, status in look(settings.landing, domain):
            stamp = stamp_of(status)
            digest.update(f"{location}\0{stamp}\0".encode())
            files += 1
            unknown += is_new or notes.known_hash(location, stamp) is None
            at = max(status.st_mtime, status.st_ctime)
            if at > changed_at:
                newest, changed_at = location, at
    return Landing(files, digest.hexdigest()[:16], unknown, newest, changed_at)


def definitions(settings: Settings, job: UnresolvedAssetJobDefinition) -> dg.Definitions:
    """The sensor of the landing folder."""

    @dg.sensor(
        job=job,
        minimum_interval_seconds=_INTERVAL_SECONDS,
        default_status=dg.DefaultSensorStatus.STOPPED,
        description="Asks for a run of today's as-of date when new files have landed.",
    )
    def landing_files(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        return evaluate(context.instance, settings, context.cursor, time.time())

    return dg.Definitions(sensors=[landing_files])


def evaluate(
    instance: dg.DagsterInstance, settings: Settings, cursor: str | None, now: float
) -> dg.SensorResult:
    """One tick of the sensor at the instant `now` (seconds since 1970)."""
    seen = _Seen.of(cursor)
    if not settings.landing.is_dir():
        return _skip(seen, f"there is no landing folder {settings.landing}")
    landing = look_at_landing(settings)
    if landing.digest != seen.files:
        seen = _Seen(landing.digest, now, seen.asked)
    if landing.digest == seen.asked:
        return _skip(seen, "a run was asked for with these files; no others have landed since")
    if not landing.unknown:
        asked = _Seen(seen.files, seen.since, landing.digest)
        return _skip(asked, f"all {landing.files:,} landing files are loaded")
    # Times may lie ahead of the clock, or be those of before a copy: then it counts how long the
    # files have been seen as they are.
    quiet = 60 * settings.landing_quiet_minutes
    if now - quiet < landing.changed_at and now - quiet < seen.since:
        return _skip(
            seen,
            f"{_new_files(landing)}, and files still change: {landing.newest} did last; a run is "
            f"asked for when none has for landing_quiet_minutes = {settings.landing_quiet_minutes}",
        )
    if under_way := _under_way(instance):
        return _skip(
            seen,
            f"{_new_files(landing)}, to be loaded when run {under_way.run_id[:8]} "
            f"({under_way.status.value.lower()}) has ended",
        )
    key = today(settings).isoformat()
    return dg.SensorResult(
        run_requests=[dg.RunRequest(run_key=f"{key}:{landing.digest}", partition_key=key)],
        cursor=json.dumps(asdict(_Seen(seen.files, seen.since, landing.digest))),
    )


def _new_files(landing: Landing) -> str:
    return f"{landing.unknown:,} new file{'s' * (landing.unknown != 1)}"


def _skip(seen: _Seen, why: str) -> dg.SensorResult:
    return dg.SensorResult(skip_reason=dg.SkipReason(why), cursor=json.dumps(asdict(seen)))


def _under_way(instance: dg.DagsterInstance) -> dg.DagsterRun | None:
    """A run that is queued or under way, of the command line or of Dagster."""
    runs = instance.get_runs(
        dg.RunsFilter(
            statuses=[
                dg.DagsterRunStatus.QUEUED,
                dg.DagsterRunStatus.NOT_STARTED,
                dg.DagsterRunStatus.STARTING,
                dg.DagsterRunStatus.STARTED,
                dg.DagsterRunStatus.CANCELING,
            ]
        ),
        limit=1,
    )
    return runs[0] if runs else None
