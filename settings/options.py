"""One dataclass holds every option; one function reads and validates them."""

from __future__ import annotations

import os
import re
import tomllib
import zoneinfo
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Any

from settings.alert_rules import AlertRule, read_alert_rules
from settings.assignment_rules import AssignmentRule, read_assignment_rules
from settings.by_source import BySource, is_source, read_by_source
from settings.charts import Chart, read_charts
from settings.errors import SettingsError
from settings.health import Configuration, read_health
from settings.paths import PROJECT_ROOT, SETTINGS_FILE
from settings.release import Release, read_release

ENVIRONMENT_PREFIX = "ACCOUNT360_"

# Variables we hand to the programs we start; they are no settings of ours.
_RESERVED_VARIABLES = frozenset(
    {"ACCOUNT360_DBT_PARENT", "ACCOUNT360_WAREHOUSE_PATH", "ACCOUNT360_SETTINGS_FILE"}
)

# Read where they are needed, never kept, and refused in a file.
ALERT_WEBHOOK_URL = "ACCOUNT360_ALERT_WEBHOOK_URL"
SMTP_PASSWORD = "ACCOUNT360_SMTP_PASSWORD"  # noqa: S105 - the name of the variable
DAGSTER_POSTGRES_URL = "ACCOUNT360_DAGSTER_POSTGRES_URL"
SECRET_VARIABLES = frozenset({ALERT_WEBHOOK_URL, SMTP_PASSWORD, DAGSTER_POSTGRES_URL})

# Options that no figure hangs on, paths aside: how nights are started, watched and kept, and what
# is made of sources that misbehave.
_OF_NO_FIGURE = frozenset(
    {
        "accepted_drift",
        "alert_emails",
        "alert_from",
        "clock_skew_pct",
        "dagster_storage",
        "kept_run_days",
        "landing_quiet_minutes",
        "memory_limit",
        "nightly_cron",
        "publish_personal_data",
        "publish_without_personal_data",
        "smtp_host",
        "smtp_port",
        "smtp_starttls",
        "smtp_user",
        "stale_after_days",
        "stale_publish_hours",
        "stale_sources",
    }
)


@dataclass(frozen=True)
class Settings:
    """Every option of the project, validated. `load_settings` is the way to get one."""

    home: Path
    landing: Path
    reporting_time_zone: str
    reporting_currency: str
    end_date_is_inclusive: bool
    grace_days: int
    trial_plan_codes: tuple[str, ...]
    session_timeout_minutes: int
    session_duration: str
    event_deduplication: str
    nps_deduplication: str
    nps_window_days: int
    renewal_early_days: int
    renewal_late_days: int
    reject_threshold_pct: float
    full_extract_entities: tuple[str, ...]
    full_extract_shrink_pct: float
    stale_after_days: BySource[int]
    stale_sources: BySource[str]
    accepted_drift: tuple[str, ...]
    clock_skew_pct: float
    kept_publishes: int
    publish_personal_data: str
    publish_without_personal_data: bool
    metric_history_days: int
    memory_limit: str
    wait_minutes: int | None
    health_file: Path
    alert_rules_file: Path
    charts_file: Path
    assignment_rules_file: Path
    nightly_cron: str
    landing_quiet_minutes: int
    stale_publish_hours: int
    alert_emails: tuple[str, ...]
    alert_from: str
    smtp_host: str
    smtp_port: int
    smtp_starttls: bool
    smtp_user: str
    dagster_storage: str
    kept_run_days: int
    release_file: Path

    @cached_property
    def health(self) -> tuple[Configuration, ...]:
        """What `health_file` says."""
        return read_health(self.health_file)

    @cached_property
    def alert_rules(self) -> tuple[AlertRule, ...]:
        """What `alert_rules_file` says."""
        return read_alert_rules(self.alert_rules_file)

    @cached_property
    def charts(self) -> tuple[Chart, ...]:
        """What `charts_file` says."""
        return read_charts(self.charts_file)

    @cached_property
    def assignment_rules(self) -> tuple[AssignmentRule, ...]:
        """What `assignment_rules_file` says; no night reads it, `account360 assign` does."""
        return read_assignment_rules(self.assignment_rules_file)

    @cached_property
    def release(self) -> Release:
        """What `release_file` says: no figure hangs on it, only whether one is published."""
        return read_release(self.release_file)

    @property
    def warehouse_path(self) -> Path:
        """The DuckDB file that dlt and dbt write; never read by BI tools."""
        return self.home / "warehouse.duckdb"

    @property
    def published_path(self) -> Path:
        """One folder per kept publish, and the link `current` to the one that readers see."""
        return self.home / "published"

    @property
    def current_path(self) -> Path:
        """The link that a publish swaps."""
        return self.published_path / "current"

    @property
    def dagster_path(self) -> Path:
        """Dagster's storage (DAGSTER_HOME)."""
        return self.home / "dagster"

    @property
    def dlt_path(self) -> Path:
        """The working folders of the dlt pipelines."""
        return self.home / "dlt"

    @property
    def dbt_target_path(self) -> Path:
        """What dbt writes beside the warehouse: manifest, compiled SQL, run results."""
        return self.home / "dbt"

    @property
    def erasure_path(self) -> Path:
        """What keeps erased accounts and people out: salt and tombstones."""
        return self.home / "erasure"

    @property
    def logs_path(self) -> Path:
        """Logs of the runs."""
        return self.home / "logs"

    @property
    def alerts_path(self) -> Path:
        """What was told to whom watches, so that nothing is told twice."""
        return self.home / "alerts"

    def as_row(self) -> dict[str, Any]:
        """The settings that figures hang on, as the columns of the one-row table `run.settings`.

        Paths, memory, how nights are run, how people are published and what is made of sources that
        misbehave are left out: no figure hangs on them. What the files say are tables of their own.
        """
        row = {field.name: getattr(self, field.name) for field in fields(self)}
        for name in _OF_NO_FIGURE:
            del row[name]
        del row["wait_minutes"]
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in row.items()
            if not isinstance(value, Path)
        }


def load_settings(
    *,
    file: Path | None = None,
    environ: Mapping[str, str] | None = None,
    **overrides: Any,
) -> Settings:
    """Read the settings file, the environment over it, and `overrides` (command line) over both.

    Relative folders count from the folder of the settings file, or from the working directory
    where they come from the environment or the command line. Raises `SettingsError` on an unknown
    name or a value that is not allowed, naming the place, the name and what is allowed.
    """
    environ = os.environ if environ is None else environ
    file = file or Path(environ.get("ACCOUNT360_SETTINGS_FILE", SETTINGS_FILE))
    values: dict[str, Any] = {}
    for source, base, given in (
        (str(file.name), file.resolve().parent, _read_file(file)),
        ("the environment", Path.cwd(), _read_environment(environ)),
        ("the command line", Path.cwd(), {k: v for k, v in overrides.items() if v is not None}),
    ):
        for name, raw in given.items():
            if name not in _OPTIONS:
                raise SettingsError(_secret(name, source) or _unknown(name, source))
            values[name] = _OPTIONS[name].parse(raw, name, source, base)
    for name, option in _OPTIONS.items():
        if name not in values and name != "landing":
            values[name] = option.parse(option.default, name, "the default", PROJECT_ROOT)
    values.setdefault("landing", values["home"] / "landing")
    settings = Settings(**values)
    # read here, so that a wrong file is refused where a wrong setting is
    _ = settings.health, settings.alert_rules, settings.charts, settings.release
    return settings


def _read_file(file: Path) -> dict[str, Any]:
    if not file.exists():
        if file == SETTINGS_FILE:
            return {}
        raise SettingsError(f"settings file {file} does not exist")
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file}: not valid TOML: {error}") from error


def _read_environment(environ: Mapping[str, str]) -> dict[str, str]:
    return {
        name.removeprefix(ENVIRONMENT_PREFIX).lower(): value
        for name, value in environ.items()
        if name.startswith(ENVIRONMENT_PREFIX)
        and name not in _RESERVED_VARIABLES | SECRET_VARIABLES
    }


def _secret(name: str, source: str) -> str | None:
    """What is said to whom writes a secret down; the secret itself is not repeated."""
    variable = f"{ENVIRONMENT_PREFIX}{name.upper()}"
    if variable not in SECRET_VARIABLES:
        return None
    return (
        f"{name} in {source} is a secret, and secrets are never written down: take it out of there "
        f"and set {variable} in the environment of what runs account360"
    )


def _unknown(name: str, source: str) -> str:
    near = get_close_matches(name, _OPTIONS, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    return (
        f"unknown setting {name!r} in {source}: {hint}known settings: {', '.join(sorted(_OPTIONS))}"
    )


def _refuse(name: str, source: str, value: Any, allowed: str) -> SettingsError:
    return SettingsError(f"setting {name} in {source} is {value!r}: allowed is {allowed}")


@dataclass(frozen=True)
class _Option:
    """How one setting is read: its default and its parser."""

    default: Any
    parse: Callable[[Any, str, str, Path], Any]


def _path_of(what: str) -> Callable[..., Path]:
    def parse(value: Any, name: str, source: str, base: Path) -> Path:
        if not isinstance(value, str | Path) or not str(value).strip():
            raise _refuse(name, source, value, f"the path of a {what}")
        return (base / Path(value).expanduser()).absolute()

    return parse


def _whole_number(low: int, high: int) -> Callable[..., int]:
    def parse(value: Any, name: str, source: str, base: Path) -> int:
        try:
            number = int(value) if isinstance(value, str) else value
        except ValueError:
            number = None
        if not isinstance(number, int) or isinstance(number, bool) or not low <= number <= high:
            raise _refuse(name, source, value, f"a whole number from {low} to {high}")
        return number

    return parse


def _minutes(value: Any, name: str, source: str, base: Path) -> int | None:
    """Minutes, or None where nobody set them: then it hangs on who starts the run."""
    return None if value is None else _whole_number(0, 1440)(value, name, source, base)


def _percentage(value: Any, name: str, source: str, base: Path) -> float:
    try:
        number = None if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        number = None
    if number is None or not 0 <= number <= 100:
        raise _refuse(name, source, value, "a percentage from 0 to 100")
    return number


def _flag(value: Any, name: str, source: str, base: Path) -> bool:
    words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    flag = words.get(value.strip().lower()) if isinstance(value, str) else value
    if not isinstance(flag, bool):
        raise _refuse(name, source, value, "true or false")
    return flag


def _one_of(*choices: str) -> Callable[..., str]:
    def parse(value: Any, name: str, source: str, base: Path) -> str:
        if value not in choices:
            raise _refuse(name, source, value, " or ".join(choices))
        return value

    return parse


def _time_zone(value: Any, name: str, source: str, base: Path) -> str:
    if value not in zoneinfo.available_timezones():
        raise _refuse(name, source, value, "an IANA time zone name such as UTC or Europe/Berlin")
    return value


def _memory(value: Any, name: str, source: str, base: Path) -> str:
    if not (isinstance(value, str) and re.fullmatch(r"[1-9]\d{0,5} ?[MG]B", value)):
        raise _refuse(name, source, value, "an amount of memory such as 4GB or 512MB")
    return value


def _currency(value: Any, name: str, source: str, base: Path) -> str:
    if not (isinstance(value, str) and len(value) == 3 and value.isascii() and value.isupper()):
        raise _refuse(
            name, source, value, "a currency code of three upper-case letters such as USD"
        )
    return value


def _names(value: Any, name: str, source: str, base: Path) -> tuple[str, ...]:
    items = (
        [item.strip() for item in value.split(",") if item.strip()]
        if isinstance(value, str)
        else value
    )
    if not isinstance(items, list | tuple) or not all(isinstance(item, str) for item in items):
        raise _refuse(name, source, value, "a list of names (comma-separated in the environment)")
    return tuple(items)


# Lowest and highest value of the fields of a cron text.
_CRON_FIELDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))


def _cron(value: Any, name: str, source: str, base: Path) -> str:
    fields_given = value.split() if isinstance(value, str) else []
    if len(fields_given) != len(_CRON_FIELDS) or not all(
        _is_cron_part(part, low, high)
        for text, (low, high) in zip(fields_given, _CRON_FIELDS, strict=True)
        for part in text.split(",")
    ):
        raise _refuse(
            name,
            source,
            value,
            "a cron text of minute, hour, day, month and weekday such as '0 3 * * *'",
        )
    return " ".join(fields_given)


def _is_cron_part(part: str, low: int, high: int) -> bool:
    """Whether it is `*`, a number or a range of numbers, each also with a step."""
    found = re.fullmatch(r"(?:\*|(\d{1,2})(?:-(\d{1,2}))?)(?:/(\d{1,2}))?", part)
    if not found:
        return False
    first, last, step = (int(group) if group else None for group in found.groups())
    if step is not None and (step < 1 or (first is not None and last is None)):
        return False
    bounds = [number for number in (first, last) if number is not None]
    return all(low <= number <= high for number in bounds) and bounds == sorted(bounds)


_EMAIL = re.compile(r"[^@\s,;<>]+@[^@\s,;<>]+")


def _emails(value: Any, name: str, source: str, base: Path) -> tuple[str, ...]:
    items = _names(value, name, source, base)
    if wrong := [item for item in items if not _EMAIL.fullmatch(item)]:
        raise _refuse(name, source, wrong[0], "a list of e-mail addresses")
    return items


def _email_or_none(value: Any, name: str, source: str, base: Path) -> str:
    if not isinstance(value, str) or not (value == "" or _EMAIL.fullmatch(value)):
        raise _refuse(name, source, value, "an e-mail address")
    return value


def _text(value: Any, name: str, source: str, base: Path) -> str:
    if not isinstance(value, str) or not value.isprintable():
        raise _refuse(name, source, value, "a text")
    return value.strip()


# Entities with a key: a complete extract says which keys still exist.
_FULL_EXTRACT_ENTITIES = (
    "account_aliases",
    "account_assignments",
    "accounts",
    "alerts",
    "contacts",
    "csm_aliases",
    "csms",
    "deals",
    "documents",
    "goals",
    "interactions",
    "invoices",
    "notes",
    "subscriptions",
    "tasks",
    "tickets",
    "users",
)


def _full_extract_entities(value: Any, name: str, source: str, base: Path) -> tuple[str, ...]:
    items = tuple(item.rpartition(".")[2] for item in _names(value, name, source, base))
    if unknown := [item for item in items if item not in _FULL_EXTRACT_ENTITIES]:
        raise _refuse(name, source, unknown[0], f"any of {', '.join(_FULL_EXTRACT_ENTITIES)}")
    return items


def _by_source(read: Callable[[str], Any], allowed: str) -> Callable[..., BySource[Any]]:
    def parse(value: Any, name: str, source: str, base: Path) -> BySource[Any]:
        allowed_form = (
            f"{allowed}, and after it exceptions such as 'events = …' or 'billing.fx_rates = …'"
        )
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise _refuse(name, source, value, allowed_form)
        try:
            return read_by_source(str(value), read)
        except ValueError as error:
            raise _refuse(name, source, value, f"{allowed_form} ({error})") from None

    return parse


def _days(text: str) -> int:
    if not re.fullmatch(r"\d{1,4}", text):
        raise ValueError(f"{text!r} is no number of days from 0 to 9999")
    return int(text)


def _warn_or_block(text: str) -> str:
    if text not in ("warn", "block"):
        raise ValueError(f"{text!r} is neither warn nor block")
    return text


def _columns(value: Any, name: str, source: str, base: Path) -> tuple[str, ...]:
    items = _names(value, name, source, base)
    for item in items:
        entity, _, column = item.rpartition(".")
        if "." not in entity or not is_source(entity) or not column:
            raise _refuse(
                name, source, item, "a column with its domain and entity, such as crm.accounts.tier"
            )
    return items


_OPTIONS: dict[str, _Option] = {
    "home": _Option("data", _path_of("folder")),
    "landing": _Option(None, _path_of("folder")),
    "reporting_time_zone": _Option("UTC", _time_zone),
    "reporting_currency": _Option("USD", _currency),
    "end_date_is_inclusive": _Option(False, _flag),
    "grace_days": _Option(3, _whole_number(0, 366)),
    "trial_plan_codes": _Option([], _names),
    "session_timeout_minutes": _Option(30, _whole_number(1, 1440)),
    "session_duration": _Option("delta", _one_of("delta", "cumulative")),
    "event_deduplication": _Option("exact", _one_of("exact", "by_id_only")),
    "nps_deduplication": _Option("exact", _one_of("exact", "by_id_only")),
    "nps_window_days": _Option(90, _whole_number(1, 3660)),
    "renewal_early_days": _Option(90, _whole_number(0, 3660)),
    "renewal_late_days": _Option(30, _whole_number(0, 3660)),
    "reject_threshold_pct": _Option(5, _percentage),
    "full_extract_entities": _Option([], _full_extract_entities),
    "full_extract_shrink_pct": _Option(20, _percentage),
    "stale_after_days": _Option(7, _by_source(_days, "a number of days from 0 to 9999")),
    "stale_sources": _Option("warn", _by_source(_warn_or_block, "warn or block")),
    "accepted_drift": _Option([], _columns),
    "clock_skew_pct": _Option(1, _percentage),
    "kept_publishes": _Option(7, _whole_number(1, 1000)),
    "publish_personal_data": _Option("plain", _one_of("plain", "hashed")),
    "publish_without_personal_data": _Option(False, _flag),
    "metric_history_days": _Option(90, _whole_number(1, 3660)),
    "memory_limit": _Option("6GB", _memory),
    "wait_minutes": _Option(None, _minutes),
    "health_file": _Option("settings/health.toml", _path_of("file")),
    "alert_rules_file": _Option("settings/alert_rules.toml", _path_of("file")),
    "charts_file": _Option("settings/charts.toml", _path_of("file")),
    "assignment_rules_file": _Option("settings/assignment_rules.toml", _path_of("file")),
    "nightly_cron": _Option("0 3 * * *", _cron),
    "landing_quiet_minutes": _Option(10, _whole_number(0, 1440)),
    "stale_publish_hours": _Option(36, _whole_number(1, 8760)),
    "alert_emails": _Option([], _emails),
    "alert_from": _Option("", _email_or_none),
    "smtp_host": _Option("", _text),
    "smtp_port": _Option(587, _whole_number(1, 65535)),
    "smtp_starttls": _Option(True, _flag),
    "smtp_user": _Option("", _text),
    "dagster_storage": _Option("sqlite", _one_of("sqlite", "postgres")),
    "kept_run_days": _Option(0, _whole_number(0, 3660)),
    "release_file": _Option("settings/release.toml", _path_of("file")),
}
