"""Where the project's own files stand. What a run makes stands under `Settings.home` instead."""

from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parent.parent
SETTINGS_FILE = PROJECT_ROOT / "account360.toml"
DBT_PROJECT = PROJECT_ROOT / "dbt_project"
