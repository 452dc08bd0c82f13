"""Where the project's own files stand, and the ones it lands itself. What a run makes stands
under `Settings.home` instead."""

from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parent.parent
SETTINGS_FILE = PROJECT_ROOT / "account360.toml"
DBT_PROJECT = PROJECT_ROOT / "dbt_project"

# Where below the landing folder `account360 assign` lands what it changes: no source's extract.
OWN_ASSIGNMENTS = "crm/account_assignments/account360"
