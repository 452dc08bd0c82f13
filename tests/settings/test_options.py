"""Settings: one file, the environment over it, the command line over both; validated once."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from sample_data import DEFAULT_AS_OF
from settings import PROJECT_ROOT, SETTINGS_FILE, SettingsError, load_settings


def settings_file(folder: Path, text: str) -> Path:
    file = folder / "settings.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_defaults_are_those_of_the_reference(tmp_path: Path) -> None:
    settings = load_settings(file=settings_file(tmp_path, ""), environ={})
    assert settings.as_row() == {
        "reporting_time_zone": "UTC",
        "reporting_currency": "USD",
        "end_date_is_inclusive": False,
        "grace_days": 3,
        "trial_plan_codes": [],
        "session_timeout_minutes": 30,
        "session_duration": "delta",
        "event_deduplication": "exact",
        "nps_deduplication": "exact",
        "nps_window_days": 90,
        "renewal_early_days": 90,
        "renewal_late_days": 30,
        "reject_threshold_pct": 5.0,
        "full_extract_entities": [],
        "full_extract_shrink_pct": 20.0,
        "kept_publishes": 7,
        "metric_history_days": 90,
    }
    assert settings.landing == settings.home / "landing"


def test_the_environment_wins_over_the_file_and_the_command_line_over_both(tmp_path: Path) -> None:
    file = settings_file(tmp_path, 'grace_days = 1\nhome = "here"\ntrial_plan_codes = ["t"]')
    assert load_settings(file=file, environ={}).grace_days == 1
    assert load_settings(file=file, environ={}).home == tmp_path / "here"
    environ = {"ACCOUNT360_GRACE_DAYS": "2", "ACCOUNT360_TRIAL_PLAN_CODES": "free, trial"}
    settings = load_settings(file=file, environ=environ, home=tmp_path / "there")
    assert (settings.grace_days, settings.trial_plan_codes) == (2, ("free", "trial"))
    assert settings.landing == tmp_path / "there" / "landing"


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("grace_day", 1, "unknown setting 'grace_day' in settings.toml: did you mean grace_days?"),
        ("grace_days", -1, "setting grace_days in settings.toml is -1: allowed is a whole number"),
        ("grace_days", "three", "allowed is a whole number from 0 to 366"),
        ("reporting_time_zone", "Mars/Olympus", "allowed is an IANA time zone name"),
        ("reporting_currency", "usd", "allowed is a currency code of three upper-case letters"),
        ("end_date_is_inclusive", "perhaps", "allowed is true or false"),
        ("session_duration", "total", "allowed is delta or cumulative"),
        ("reject_threshold_pct", 101, "allowed is a percentage from 0 to 100"),
        ("full_extract_entities", ["crm.leads"], "is 'leads': allowed is any of account_aliases"),
        ("trial_plan_codes", [1], "allowed is a list of names"),
        ("nightly_cron", "0 24 * * *", "is '0 24 * * *': allowed is a cron text of minute, hour"),
        ("nightly_cron", "3 * * *", "allowed is a cron text"),
        ("nightly_cron", "@daily", "allowed is a cron text"),
        ("nightly_cron", "0 5-3 * * *", "allowed is a cron text"),
        ("nightly_cron", "*/0 3 * * *", "allowed is a cron text"),
        ("alert_emails", ["ops"], "is 'ops': allowed is a list of e-mail addresses"),
        ("smtp_port", 0, "allowed is a whole number from 1 to 65535"),
        ("dagster_storage", "mysql", "allowed is sqlite or postgres"),
    ],
)
def test_what_is_wrong_is_said_with_its_place_and_what_is_allowed(
    tmp_path: Path, name: str, value: Any, said: str
) -> None:
    text = (
        f'{name} = "{value}"' if isinstance(value, str) else f"{name} = {value}".replace("'", '"')
    )
    with pytest.raises(SettingsError, match=re.escape(said)):
        load_settings(file=settings_file(tmp_path, text), environ={})


def test_a_secret_is_refused_in_a_file_and_never_repeated(tmp_path: Path) -> None:
    for name in ("alert_webhook_url", "smtp_password", "dagster_postgres_url"):
        file = settings_file(tmp_path, f'{name} = "s3cret"')
        with pytest.raises(SettingsError, match="secrets are never written down") as error:
            load_settings(file=file, environ={})
        assert f"set ACCOUNT360_{name.upper()} in the environment" in str(error.value)
        assert "s3cret" not in str(error.value)
        environ = {f"ACCOUNT360_{name.upper()}": "s3cret"}
        settings = load_settings(file=settings_file(tmp_path, ""), environ=environ)
        assert "s3cret" not in repr(settings)


@pytest.mark.parametrize("given", ["0 3 * * *", "*/15 0-6,22 1 1-12/3 1-5", " 30  2 * * 7 "])
def test_a_cron_text_has_five_fields_of_numbers_and_ranges(tmp_path: Path, given: str) -> None:
    file = settings_file(tmp_path, f'nightly_cron = "{given}"')
    assert load_settings(file=file, environ={}).nightly_cron == " ".join(given.split())


def test_an_unknown_variable_is_an_error() -> None:
    with pytest.raises(SettingsError, match="unknown setting 'gracedays' in the environment"):
        load_settings(environ={"ACCOUNT360_GRACEDAYS": "2"})


def test_the_projects_own_file_is_valid_and_names_every_setting() -> None:
    settings = load_settings(environ={})
    text = SETTINGS_FILE.read_text(encoding="utf-8")
    for name in sorted({field.name for field in fields(settings)}):
        assert re.search(rf"^(# )?{name} = ", text, flags=re.MULTILINE), name


def test_make_run_is_for_the_day_that_the_demo_company_ends_on() -> None:
    makefile = (PROJECT_ROOT / "Makefile").read_text(encoding="utf-8")
    assert f"DEMO_AS_OF := {DEFAULT_AS_OF}" in makefile


def test_dependencies_are_locked_without_addresses_and_telemetry_is_off() -> None:
    lock = (PROJECT_ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert not re.search(r"https?://|file:|--", lock)
    for line in filter(None, lock.splitlines()):
        assert re.match(r"[A-Za-z0-9._-]+(\[[a-z,]+\])?==\S+", line), line
    for file, said in {
        ".dlt/config.toml": "dlthub_telemetry = false",
        "dbt_project/dbt_project.yml": "send_anonymous_usage_stats: false",
        "pyproject.toml": "[tool.dg.cli.telemetry]\nenabled = false",
    }.items():
        assert said in (PROJECT_ROOT / file).read_text(encoding="utf-8")
