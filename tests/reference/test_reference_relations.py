"""The relations reference on the worked cases of ``metrics.md`` and on the edges of its windows."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from fractions import Fraction

import pytest

from .financials import Row
from .relations import (
    Customer,
    Job,
    RelationsSettings,
    RelationsWorld,
    Response,
    Touchpoint,
    aged,
    nps,
    relations_tables,
)

JUNE = RelationsSettings(as_of_date=date(2024, 6, 10))
NEW_YORK = replace(JUNE, reporting_time_zone="America/New_York")
NOON = datetime(2024, 6, 1, 12)


def response(score: int, at: datetime = NOON, email: str | None = None) -> Response:
    """A response of account a."""
    return Response("a", at, score, email)


def score(*responses: Response) -> Row:
    """The NPS of these responses."""
    row = nps(responses, JUNE)
    assert row is not None
    return row


def test_the_worked_case() -> None:
    row = score(response(5), response(6), response(10))
    assert (row["nps_current"], row["nps_net"]) == (7, Fraction(-100, 3))


def test_90_days_before_the_latest_response_is_in_and_a_microsecond_more_is_not() -> None:
    first = NOON - timedelta(days=90)
    assert score(response(1, first), response(9))["responses"] == 2
    assert score(response(1, first - timedelta(microseconds=1)), response(9))["responses"] == 1


def test_a_user_who_responds_twice_counts_twice_and_once_in_the_mean_per_user() -> None:
    earlier = NOON - timedelta(days=1)
    row = score(response(2, earlier, "Ann@x"), response(8, NOON, " ann@x"), response(10))
    assert (row["nps_current"], row["nps_latest_per_user"]) == (Fraction(20, 3), 9)


@pytest.mark.parametrize(
    ("status", "closed_at", "expected"),
    [
        ("open", None, (True, 8)),
        ("closed", datetime(2024, 6, 3), (False, 2)),
        ("closed", datetime(2024, 6, 10), (True, 8)),
        ("reopened", datetime(2024, 6, 3), (True, 8)),
        ("closed", None, (False, None)),
    ],
)
def test_a_task_ages_until_the_last_full_day_or_the_day_it_is_closed(
    status: str, closed_at: datetime | None, expected: tuple[bool, int | None]
) -> None:
    row = aged(Job("a", "t", status, NOON, closed_at), JUNE)
    assert (row["is_open"], row["age_days"]) == expected


def test_nothing_after_the_local_end_of_the_last_full_day_enters_a_table() -> None:
    end = datetime(2024, 6, 10, 4)
    before = end - timedelta(microseconds=1)
    world = RelationsWorld(
        customers=(Customer("a", date(2024, 6, 8)),),
        responses=(response(4, before), response(9, end)),
        tasks=(Job("a", "t1", "open", before), Job("a", "t2", "open", end)),
        alerts=(Job("a", "l1", "open", end),),
        touchpoints=(Touchpoint("a", "i1", before), Touchpoint("a", "i2", end)),
        settings=NEW_YORK,
    )
    tables = relations_tables(world)
    assert [row["score"] for row in tables["account_nps_responses"]] == [4]
    assert [(row["day"], row["nps_current"]) for row in tables["int_account_day__nps"]] == [
        (date(2024, 6, 9), 4)
    ]
    assert [row["task_id"] for row in tables["account_tasks"]] == ["t1"]
    assert tables["account_alerts"] == []
    assert tables["int_account__relations"][0]["last_touchpoint_at"] == before
    assert [row["day"] for row in tables["int_account_day__touchpoints"]] == [date(2024, 6, 9)]
