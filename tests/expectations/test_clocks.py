"""Clocks of senders that are ahead, reset or in another zone, and those that are right."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from expectations.arrival import clocks
from tests.expectations.raw_loads import RawLoads

LOADED_AT = datetime(2024, 6, 10, 3)
DAY = datetime(2024, 6, 9, tzinfo=UTC)
ZONE = "all of a product 3 whole hours too late, as if local time were written as UTC"


def events(
    *instants: datetime | str | int, product: str = "web", account: str = "a"
) -> list[dict[str, Any]]:
    return [
        {
            "account_id": account,
            "user_id": "u",
            "action": "feature",
            "product": product,
            "created_at": instant.isoformat() if isinstance(instant, datetime) else instant,
        }
        for instant in instants
    ]


def day(hours: float = 0, count: int = 145) -> list[datetime]:
    """A day of events, one every ten minutes, the first and the last at its ends."""
    return [
        min(DAY + timedelta(hours=hours, minutes=10 * n), DAY + timedelta(hours=hours + 23.99))
        for n in range(count)
    ]


def wrong(
    *files: tuple[str, Sequence[dict[str, Any]]],
    extract_date: date | None = date(2024, 6, 9),
    zone: str = "UTC",
) -> dict[str, float]:
    raw = RawLoads("events")
    # what is wrong in older loads has been told
    raw.load("events", ("old.jsonl", events("2024-06-10T20:00:00Z")), loaded_at=LOADED_AT)
    raw.load("events", *files, loaded_at=LOADED_AT, extract_date=extract_date)
    frame = clocks.clock_frame(raw.connection, 1, zone)
    assert all(allowed == 1 for _, allowed, _ in frame.rows)
    return {subject: round(pct, 1) for subject, _, pct in frame.rows}


def test_clocks_that_are_right_are_not_told() -> None:
    in_zone = events("2024-06-09T23:30:00-08:00".replace("-08:00", "Z"), "2024-06-09 12:00")
    assert wrong(("1.jsonl", events(*day()) + in_zone)) == {}
    assert wrong(("1.jsonl", [])) == {}
    assert clocks.clock_frame(RawLoads("events").connection, 1, "UTC").rows == []


def test_events_later_than_their_load_and_than_their_extract_are_told_apart() -> None:
    found = wrong(
        (
            "1.jsonl",
            events(*day(count=96))
            + events("2024-06-10T04:00:00Z", "2024-06-11T02:59:00Z", product="tv", account="b")
            + events("2024-06-10T02:30:00Z", 1717981200000, account="c"),
        )
    )
    assert found == {
        "events later than the day of their extract: 2 of 100, 1 accounts, 1 files, most in"
        " events/events/1.jsonl of product web and account c": 2.0,
        "events later than they were loaded, by up to a day: 2 of 100, 1 accounts, 1 files, most in"
        " events/events/1.jsonl of product tv and account b, all events of product tv": 2.0,
    }


def test_what_staging_refuses_is_left_to_it() -> None:
    assert wrong(("1.jsonl", events(*day(), "2024-06-11T03:00:01Z", "yesterday", ""))) == {}


def test_a_source_all_of_whose_events_lie_ahead_is_told() -> None:
    ahead = [datetime(2024, 6, 10, 9, n, tzinfo=UTC) for n in range(50)]
    found = wrong(("1.jsonl", events(*ahead)), extract_date=None)
    assert list(found.values()) == [100.0]
    (subject,) = found
    assert subject.startswith("events later than they were loaded, by up to a day: 50 of 50")
    assert subject.endswith("all events of product web")


@pytest.mark.parametrize("reset_to", ["1970-01-01T00:05:00Z", "2000-01-01", "2010-06-01T00:00:00Z"])
def test_a_clock_that_was_reset_is_told_among_others_and_alone(reset_to: str) -> None:
    found = wrong(("1.jsonl", events(*day(count=45), *[reset_to] * 5)))
    (subject,) = found
    assert subject.startswith(
        "events years before their file, as of a clock that was reset: 5 of 50"
    )
    alone = wrong(("1.jsonl", events(*[reset_to] * 5)))
    assert bool(alone) is (reset_to < "2004")


def test_a_file_of_history_has_no_reset_clocks() -> None:
    years = [datetime(2024, 6, 9, tzinfo=UTC) - timedelta(days=30 * n) for n in range(60)]
    assert wrong(("history.jsonl", events(*years))) == {}


@pytest.mark.parametrize(
    ("hours", "words"), [(3, "3 whole hours too late"), (-5, "5 whole hours too early")]
)
def test_a_product_whose_day_is_shifted_by_whole_hours_writes_local_time(
    hours: int, words: str
) -> None:
    found = wrong(("1.jsonl", events(*day(hours), product="tv") + events(*day())))
    (subject,) = found
    assert words in subject
    assert "145 of 290" in subject
    assert "product tv" in subject


def test_a_day_that_is_short_or_shifted_by_minutes_is_in_no_other_zone() -> None:
    assert not any(
        "whole hours" in subject
        for shifted in (day(3.4), day(3)[:80], day(3)[40:], day(3)[:99])
        for subject in wrong(("1.jsonl", events(*shifted)))
    )


def test_the_extract_ends_with_its_day_in_the_reporting_time_zone() -> None:
    """Half past one in the night of the 10th in UTC is the evening of the 9th in New York."""
    late = ("1.jsonl", events("2024-06-10T01:30:00Z", "2024-06-09 23:30"))
    assert wrong(late, zone="America/New_York") == {
        "events later than they were loaded, by up to a day: 1 of 2, 1 accounts, 1 files, most in"
        " events/events/1.jsonl of product web and account a": 50.0
    }
    assert [subject.split(":")[0] for subject in wrong(late)] == [
        "events later than the day of their extract"
    ]


def test_of_a_very_large_load_every_so_many_lines_are_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(clocks, "_ALL_UP_TO", 50)
    ahead = events(*["2024-06-10T04:00:00Z"] * 200)
    (subject,) = wrong(("1.jsonl", ahead))
    assert ": 50 of 50" in subject


def test_texts_are_read_as_staging_reads_them() -> None:
    later = [
        "2024-06-10T05:00Z",
        "2024-06-10 05:00:00.5+00",
        "2024-06-10T07:00:00+02:00",
        "1717995600000",
        "1717995600000.0",
        "2024-06-10T05:00:00 UTC",
        "2024-06-10T05:00",
    ]
    (subject,) = wrong(("1.jsonl", events(*later, "2024-06-09")))
    assert f": {len(later)} of {len(later) + 1}" in subject
