"""Options that hold for every source but those that have one of their own."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from ingestion import ENTITIES
from settings import SettingsError, load_settings
from settings.by_source import SOURCES


def test_the_sources_are_those_that_land() -> None:
    assert {domain: list(entities) for domain, entities in SOURCES.items()} == {
        domain: list(entities) for domain, entities in ENTITIES.items()
    }


def test_an_entity_has_its_own_value_else_that_of_its_domain_else_the_default() -> None:
    settings = load_settings(
        environ={
            "ACCOUNT360_STALE_AFTER_DAYS": "7, events=2, billing.fx_rates = 40",
            "ACCOUNT360_STALE_SOURCES": "warn, events = block",
        }
    )
    days = settings.stale_after_days
    assert [days.of("crm"), days.of("crm", "accounts")] == [7, 7]
    assert [days.of("events"), days.of("events", "events")] == [2, 2]
    assert [days.of("billing"), days.of("billing", "fx_rates")] == [7, 40]
    assert (days.entities("billing"), days.entities("events")) == (["fx_rates"], [])
    assert [settings.stale_sources.of(domain) for domain in ("crm", "events")] == ["warn", "block"]
    assert str(days) == "7, events = 2, billing.fx_rates = 40"
    zero = load_settings(environ={}, stale_after_days="7, events.events = 0").stale_after_days
    assert zero.of("events", "events") == 0


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("stale_after_days", "seven", "'seven' is no number of days from 0 to 9999"),
        ("stale_after_days", -1, "'-1' is no number of days"),
        ("stale_after_days", "7, event = 2", "'event' is neither a domain (crm, billing, events,"),
        ("stale_after_days", "7, crm.events = 2", "'crm.events' is neither a domain"),
        ("stale_after_days", "7, events", "'events' is not written as source = value"),
        ("stale_after_days", "events = 2", "'events = 2' comes before what holds for every other"),
        ("stale_after_days", True, "is True: allowed is a number of days from 0 to 9999"),
        ("stale_sources", "stop", "allowed is warn or block, and after it exceptions such as"),
        ("stale_sources", "warn, events = stop", "'stop' is neither warn nor block"),
        ("accepted_drift", ["tier"], "a column with its domain and entity, such as crm.accounts."),
        ("accepted_drift", ["crm.events.total"], "is 'crm.events.total': allowed is a column"),
        ("accepted_drift", ["crm.accounts"], "allowed is a column with its domain and entity"),
        ("clock_skew_pct", 101, "allowed is a percentage from 0 to 100"),
    ],
)
def test_what_is_wrong_is_said_with_its_place_and_what_is_allowed(
    name: str, value: Any, said: str
) -> None:
    with pytest.raises(SettingsError, match=re.escape(said)):
        load_settings(environ={}, **{name: value})


def test_a_settings_file_may_have_a_plain_number_or_the_longer_form(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text('stale_after_days = 3\naccepted_drift = ["events.events.total"]\n')
    settings = load_settings(file=file, environ={})
    assert settings.stale_after_days.of("crm") == 3
    assert settings.accepted_drift == ("events.events.total",)
    file.write_text('stale_after_days = "3, crm = 5"\n')
    assert load_settings(file=file, environ={}).stale_after_days.of("crm") == 5
