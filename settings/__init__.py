"""The shared words of the project: paths, names and options, validated once.

Everything that can be set stands in `account360.toml` and, over it, in `ACCOUNT360_<NAME>`
environment variables. This room imports nothing of ours; every other room takes its options from
here. Secrets have no place here: they come from the environment or from dlt's providers, and are
never written down.
"""

from settings.options import Settings, SettingsError, load_settings
from settings.paths import DBT_PROJECT, PROJECT_ROOT, SETTINGS_FILE

__all__ = [
    "DBT_PROJECT",
    "PROJECT_ROOT",
    "SETTINGS_FILE",
    "Settings",
    "SettingsError",
    "load_settings",
]
