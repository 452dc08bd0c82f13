"""Sources that go stale, rename and retype their columns, and whose clocks are wrong: what the
night says and does, and what a person reads the next morning."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.end_to_end.nights import Home, Night, account360

pytestmark = [pytest.mark.slow, pytest.mark.long]

ACCOUNTS = [
    {"account_id": str(1000 + n), "name": f"N{n}", "join_date": "2024-01-01", "tier": f"t{n % 3}"}
    for n in range(20)
]
EVENT = {"user_id": "u", "action": "feature", "feature": "export", "product": "web"}


def events(day: str, *late: str) -> list[dict[str, str]]:
    sound = [
        EVENT | {"account_id": account["account_id"], "created_at": f"{day}T{n:02}:00:00Z"}
        for n, account in enumerate(ACCOUNTS)
    ]
    return sound + [EVENT | {"account_id": "1001", "created_at": instant} for instant in late]


@dataclass(frozen=True)
class Story:
    good: Night
    refused: Night
    status: str
    mended: Night
    last_run: dict


@pytest.fixture(scope="module")
def story(empty_home: Callable[[], Home]) -> Story:
    """A good night; one in which everything is wrong at once; one after it was mended or meant."""
    home = empty_home()
    home.land(
        {
            "crm/accounts/2024-06-04.csv": ACCOUNTS,
            "events/events/2024-06-04.jsonl": events("2024-06-04"),
        }
    )
    good = home.night("2024-06-05")
    renamed = [
        {"account_id": a["account_id"], "name": a["name"], "join_date": a["join_date"]}
        | {"service_tier": a["tier"]}
        for a in ACCOUNTS
    ]
    home.land(
        {
            "crm/accounts/2024-06-13.csv": [
                record | {"account_id": f"{record['account_id']}.0"} for record in renamed
            ]
        }
    )
    refused = home.night("2024-06-14", stale_sources="warn, events = block")
    status = account360("status", "--home", home.path).stdout
    home.land(
        {
            "crm/accounts/2024-06-13.csv": renamed,
            # two of 22 from the day after the extract
            "events/events/2024-06-13.jsonl": events(
                "2024-06-13", "2024-06-14T02:00:00Z", "2024-06-14T03:00:00Z"
            ),
        }
    )
    mended = home.night("2024-06-14", stale_sources="warn, events = block")
    last_run = json.loads((home.path / "logs" / "last_run.json").read_text())
    return Story(good, refused, status, mended, last_run)


def test_a_good_night_has_nothing_to_say_of_its_sources(story: Story) -> None:
    assert story.good.exit_code == 0, story.good.out
    assert "arrived_" not in story.good.out


STALE = "events, newest extract of 2024-06-04: 10 against 7"
RETYPED = (
    "crm.accounts.account_id: retyped since crm/accounts/2024-06-13.csv: 100 % of its ids read like"
    " '9999.9', before like '9999'; records no longer find those that they belong to."
)
RENAMED = "crm.accounts.tier: looks renamed to service_tier since crm/accounts/2024-06-13.csv"


def test_a_refused_night_names_source_extract_setting_and_the_way_out(story: Story) -> None:
    assert story.refused.exit_code == 1
    failed, looked_at = story.refused.out.split("Worth a look")
    for said in (
        "arrived_whole on raw_events.landed_files: failed",
        STALE,
        "stale_after_days",
        "or set it to warn in stale_sources",
        "arrived_whole on raw_crm.landed_files: failed",
        RETYPED,
        "where it is meant, add crm.accounts.account_id to accepted_drift",
    ):
        assert said in failed
    assert RENAMED in looked_at
    assert story.refused.publish_id == story.good.publish_id


def test_status_tells_it_the_next_morning(story: Story) -> None:
    for said in ("NOT PUBLISHED", STALE, RETYPED, RENAMED):
        assert said in story.status


def test_files_that_were_mended_publish_and_what_is_left_is_worth_a_look(story: Story) -> None:
    assert story.mended.exit_code == 0, story.mended.out
    (crm, clocks) = (
        next("\n".join(w["details"]) for w in story.last_run["warnings"] if domain in w["where"])
        for domain in ("raw_crm", "raw_events")
    )
    assert RENAMED in crm
    assert "retyped" not in crm
    assert "events later than the day of their extract: 2 of 22" in clocks
    assert "clock_skew_pct" in clocks
    assert story.mended.publish_id != story.good.publish_id
    # an event counts on the day that it names, which here is still to come
    counted = story.mended.shows("select sum(event_count) from user_activity_daily")
    assert counted[1] == ["40"]
