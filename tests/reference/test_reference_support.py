"""Worked rows of ``metrics.md`` (section 5), computed by the reference itself."""

from __future__ import annotations

from datetime import date, datetime
from fractions import Fraction

import pytest

from .financials import Row, Settings
from .support import (
    Change,
    SupportWorld,
    Ticket,
    open_tickets_monthly,
    percentile,
    tickets,
    tickets_monthly,
    tickets_monthly_rollup,
)


def ticket(
    ticket_id: str, created: str, status: str = "open", *, account: str = "a", closed: str = ""
) -> Ticket:
    """A ticket; days are in May 2024, like '03' or '03T12'."""
    return Ticket(
        ticket_id, account, status, "low", None, may(created), may(closed) if closed else None
    )


def may(day: str) -> datetime:
    """An instant of May 2024."""
    return datetime.fromisoformat(f"2024-05-{day}")


def turned(ticket_id: str, day: str, new: str, old: str | None = None) -> Change:
    """A change of the status."""
    return Change(ticket_id, may(day), "status", old, new)


def world(*records: Ticket | Change, **parents: str) -> SupportWorld:
    """A world of the accounts a, b and c, as of 1 June 2024."""
    return SupportWorld(
        accounts=dict.fromkeys("abc", date(2024, 1, 1)),
        parents=parents,
        tickets=tuple(r for r in records if isinstance(r, Ticket)),
        changes=tuple(r for r in records if isinstance(r, Change)),
        settings=Settings(as_of_date=date(2024, 6, 1)),
    )


def in_may(rows: list[Row], account: str = "a") -> Row:
    """The row of an account in May 2024."""
    return next(
        row for row in rows if (row["account_id"], row["month"]) == (account, date(2024, 5, 1))
    )


def test_a_ticket_that_is_closed_twice_is_closed_by_its_last_close() -> None:
    row = in_may(
        tickets_monthly(
            world(
                ticket("t", "01"),
                turned("t", "03", "solved"),
                turned("t", "05", "open"),
                turned("t", "08", "solved"),
                turned("t", "15", "closed"),
            )
        )
    )
    assert (row["opened"], row["closed"], row["reopened"]) == (1, 2, 1)
    assert (row["closed_tickets"], row["open_at_end"]) == (1, 0)
    assert row["closed_age_days_mean"] == row["age_days_mean"] == 7


def test_ticket_age_is_the_mean_over_both_groups() -> None:
    row = in_may(
        tickets_monthly(
            world(
                ticket("one", "01", "closed", closed="02"),
                ticket("two", "01", "closed", closed="03"),
                ticket("six", "26"),
            )
        )
    )
    assert row["closed_age_days_mean"] == 1.5
    assert row["open_age_days_mean"] == 6
    assert row["age_days_mean"] == 3


def test_status_changes_decide_and_the_close_of_an_open_ticket_is_ignored() -> None:
    (row,) = tickets(world(ticket("t", "01", "closed", closed="02"), turned("t", "05", "pending")))
    assert row["is_open"] and row["has_ignored_close"]
    assert row["age_days"] == 31


def test_priority_is_that_of_the_end_of_the_month() -> None:
    raised = Change("t", datetime(2024, 5, 1), "priority", "low", "high")
    rows = open_tickets_monthly(
        world(Ticket("t", "a", "open", "high", None, datetime(2024, 4, 3)), raised)
    )
    values = {
        (row["month"], row["value"], row["known_as_current_only"])
        for row in rows
        if row["dimension"] == "priority"
    }
    assert values == {(date(2024, 4, 1), "low", 0), (date(2024, 5, 1), "high", 0)}


def test_descendants_are_children_and_theirs() -> None:
    rows = tickets_monthly_rollup(
        world(
            ticket("t", "01", "closed", account="a", closed="02"),
            ticket("u", "01", "closed", account="c", closed="10"),
            b="a",
            c="b",
        )
    )
    assert [in_may(rows, account)["descendants"] for account in "abc"] == [2, 1, 0]
    assert [in_may(rows, account)["time_to_close_median_days"] for account in "abc"] == [5, 9, 9]


@pytest.mark.parametrize(("share", "expected"), [(Fraction(1, 2), 3), (Fraction(9, 10), 7.5)])
def test_percentiles_lie_between_tickets(share: Fraction, expected: float) -> None:
    assert percentile([Fraction(n) for n in (1, 2, 4, 9)], share) == pytest.approx(expected)
