"""Dagster's storage of a home folder: where its runs are kept, and how it queues and watches them.

`dagster.yaml` is written anew by whatever opens the storage, so that it always says what the
settings say. Secrets do not stand in it: it names the variable that Postgres' URL comes from.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ingestion.whole_files import write_whole
from orchestration.dagster_storage import open_storage
from settings import DAGSTER_POSTGRES_URL, Settings, SettingsError

if TYPE_CHECKING:
    from dagster import DagsterInstance

_INSTANCE_FILE = """\
# Written by account360, and again by each of its runs: where Dagster keeps the runs of this home
# folder, and how. Settings are in account360.toml.
telemetry:
  enabled: false
nux:
  enabled: false
# One run at a time: the warehouse has one writer. What is started meanwhile waits in the queue.
concurrency:
  runs:
    max_concurrent_runs: 1
# A run that does not start, or does not stop when it is told to, is marked failed. One whose
# process was killed is found by its code server, or by the sensor `watch`.
run_monitoring:
  enabled: true
  start_timeout_seconds: 300
  cancel_timeout_seconds: 180
  max_resume_run_attempts: 0
freshness:
  enabled: true
retention:
  schedule:
    purge_after_days: 365
  sensor:
    purge_after_days:
      skipped: 3
      success: 30
      failure: 90
"""

_SQLITE = """\
event_log_storage:
  module: orchestration.event_log
  class: KeptSqliteEventLogStorage
  config:
    base_dir: {history}
"""

_POSTGRES = f"""\
storage:
  postgres:
    postgres_url:
      env: {DAGSTER_POSTGRES_URL}
"""


def dagster_instance(
    settings: Settings, tell: Callable[[str], None] = lambda _: None
) -> DagsterInstance:
    """Dagster's storage of a home folder: what the UI shows. Upgrades of it are told.

    Raises `SettingsError` where it is to be in Postgres and that cannot be reached for.
    """
    folder = write_instance_file(settings)
    refuse_unready_storage(settings)
    if settings.dagster_storage == "sqlite":
        return open_storage(folder, tell)
    # Dagster's own services upgrade what they share: `dagster instance migrate`
    from dagster import DagsterInstance

    return DagsterInstance.from_config(str(folder))


def write_instance_file(settings: Settings) -> Path:
    """Write `dagster.yaml`; the folder that DAGSTER_HOME must name."""
    folder = settings.dagster_path
    storage = _POSTGRES
    if settings.dagster_storage == "sqlite":
        storage = _SQLITE.format(history=json.dumps(str(folder / "history" / "runs")))
    path = folder / "dagster.yaml"
    text = _INSTANCE_FILE + storage
    # Services read it at any moment: it is there whole, and left alone where nothing changed.
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        write_whole(path, text)
    return folder


def refuse_unready_storage(settings: Settings, environ: Mapping[str, str] | None = None) -> None:
    """Raise `SettingsError` where Postgres is asked for, and its URL or its driver is missing."""
    if settings.dagster_storage != "postgres":
        return
    url = (os.environ if environ is None else environ).get(DAGSTER_POSTGRES_URL, "")
    # SQLAlchemy takes a plain postgresql:// to mean another driver than the one that Dagster uses.
    if not url.startswith("postgresql+psycopg2://"):
        wrong = "does not begin with postgresql+psycopg2://" if url else "is not set"
        raise SettingsError(
            f"dagster_storage is postgres, and {DAGSTER_POSTGRES_URL} {wrong}: give it as "
            "postgresql+psycopg2://user:password@host:port/database in the environment of what "
            "runs account360, Dagster's services included"
        )
    from importlib.util import find_spec

    if find_spec("dagster_postgres") is None:
        raise SettingsError(
            "dagster_storage is postgres, and its driver is not installed: "
            "pip install 'account360[postgres]'"
        )
