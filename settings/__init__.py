"""The shared words of the project: paths, names and options, validated once.

Everything that can be set stands in `account360.toml` and, over it, in `ACCOUNT360_<NAME>`
environment variables; how accounts are scored, when alerts are triggered, what charts show, who is
to look after which accounts and how far a publish may drift stands in files of their own
(`health_file`, `alert_rules_file`, `charts_file`, `assignment_rules_file`, `release_file`). This
room imports nothing of ours; every other room takes its options from here. Secrets have no place
here: they come from the environment or from dlt's providers, and are never written down.
"""

from settings.errors import SettingsError
from settings.options import (
    ALERT_WEBHOOK_URL,
    DAGSTER_POSTGRES_URL,
    SECRET_VARIABLES,
    SMTP_PASSWORD,
    Settings,
    load_settings,
)
from settings.paths import DBT_PROJECT, OWN_ASSIGNMENTS, PROJECT_ROOT, SETTINGS_FILE
from settings.run_tables import RUN_TABLES, RunTable, run_tables

__all__ = [
    "ALERT_WEBHOOK_URL",
    "DAGSTER_POSTGRES_URL",
    "DBT_PROJECT",
    "OWN_ASSIGNMENTS",
    "PROJECT_ROOT",
    "RUN_TABLES",
    "SECRET_VARIABLES",
    "SETTINGS_FILE",
    "SMTP_PASSWORD",
    "RunTable",
    "Settings",
    "SettingsError",
    "load_settings",
    "run_tables",
]
