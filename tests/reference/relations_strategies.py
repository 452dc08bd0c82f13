"""Small random worlds of responses, tasks, alerts and touchpoints, and their raw records.

The worlds are dense: instants lie at a few local midnights (often beside a change of the clocks)
and a few microseconds or hours around them, or exactly one NPS window before another response.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

from hypothesis import strategies as st

from .activity_strategies import CLOCK_CHANGES
from .financials import ONE_DAY, Row
from .relations import (
    CLOSED_WORDS,
    OPEN_WORDS,
    Customer,
    Job,
    RelationsSettings,
    RelationsWorld,
    Response,
    Touchpoint,
)

MICROSECOND = timedelta(microseconds=1)
UNKNOWN_ACCOUNT = "zz"
EMAILS = [None, None, "ann@x.example", " Ann@X.example", "bob@x.example"]
OTHER_WORDS = ["waiting for Ann", "erledigt"]
AWKWARD_WORDS = [" Done", "In_Progress", "OPEN"]


def _settings(rng: Random) -> RelationsSettings:
    zone = rng.choice(list(CLOCK_CHANGES))
    return RelationsSettings(
        as_of_date=rng.choice(CLOCK_CHANGES[zone]) + timedelta(days=rng.randint(0, 3)),
        reporting_time_zone=zone,
        nps_window_days=rng.choice([90, 90, 1, 3]),
        nps_deduplication=rng.choice(["exact", "by_id_only"]),
        metric_history_days=4,
    )


def _instant(rng: Random, settings: RelationsSettings, earlier: list[datetime]) -> datetime:
    """An instant near a midnight, or one window before or after an earlier one."""
    if earlier and rng.random() < 0.4:
        window = timedelta(days=settings.nps_window_days) * rng.choice([-1, 1, 0])
        return rng.choice(earlier) + window + MICROSECOND * rng.choice([-1, 0, 0, 1])
    day = settings.as_of_date + timedelta(days=rng.choice([1, 0, 0, -1, -2, -3, -6, -90, -91]))
    return settings.start_of(day) + rng.choice(
        [timedelta(), -MICROSECOND, timedelta(hours=-1), timedelta(hours=13)]
    )


def _responses(rng: Random, settings: RelationsSettings, account_ids: list[str]) -> list[Response]:
    responses: list[Response] = []
    for _ in range(rng.randint(0, 14)):
        if responses and rng.random() < 0.25:
            # the same again, or with another score
            again = rng.choice(responses)
            responses.append(replace(again, score=rng.choice([again.score, 3])))
            continue
        instants = [response.submitted_at for response in responses]
        responses.append(
            Response(
                account_id=rng.choice(account_ids),
                submitted_at=_instant(rng, settings, instants),
                score=rng.choice([0, 5, 6, 7, 8, 9, 10]),
                user_email=rng.choice(EMAILS),
                response_id=rng.choice([None, None, None, "r1", "r2"]),
            )
        )
    return responses


def _jobs(
    rng: Random, settings: RelationsSettings, account_ids: list[str], words: list[str]
) -> list[Job]:
    """Tasks or alerts, none of which is closed before it is created."""
    jobs = []
    for number in range(rng.randint(0, 10)):
        created_at = _instant(rng, settings, [])
        end_of_history = settings.start_of(settings.as_of_date)
        closed_at = rng.choice([None, None, end_of_history, _instant(rng, settings, [])])
        updated_at = rng.choice([None, _instant(rng, settings, [])])
        if updated_at is not None and not settings.is_known(updated_at):
            updated_at = None  # a version of later is no version yet
        jobs.append(
            Job(
                account_id=rng.choice(account_ids),
                job_id=f"j{number}",
                status=rng.choice(words),
                created_at=created_at,
                closed_at=closed_at if closed_at and closed_at >= created_at else None,
                updated_at=updated_at,
                due_date=rng.choice(
                    [None, settings.last_full_day, settings.as_of_date, settings.as_of_date]
                ),
            )
        )
    return jobs


def random_world(seed: int) -> RelationsWorld:
    """The world of a seed."""
    rng = Random(seed)
    settings = _settings(rng)
    customers = [
        Customer(
            account_id=f"a{number}",
            join_date=settings.as_of_date + ONE_DAY * rng.choice([-400, -400, -2, 1]),
        )
        for number in range(rng.randint(1, 3))
    ]
    account_ids = [*(customer.account_id for customer in customers), UNKNOWN_ACCOUNT]
    words = [*CLOSED_WORDS, *OPEN_WORDS, *OTHER_WORDS, *AWKWARD_WORDS]
    touchpoints = [
        Touchpoint(
            account_id=rng.choice(account_ids),
            interaction_id=f"i{number}",
            occurred_at=_instant(rng, settings, []),
            is_completed=rng.choice([None, True, False]),
        )
        for number in range(rng.randint(0, 6))
    ]
    return RelationsWorld(
        customers=tuple(customers),
        responses=tuple(_responses(rng, settings, account_ids)),
        tasks=tuple(_jobs(rng, settings, account_ids, words)),
        alerts=tuple(_jobs(rng, settings, account_ids, ["open", "pending", "closed", "dismissed"])),
        touchpoints=tuple(touchpoints),
        settings=settings,
    )


def relations_worlds() -> st.SearchStrategy[RelationsWorld]:
    """Worlds of 1 to 3 accounts; hypothesis draws no more than a seed."""
    # Of a range of 24 bits and less, hypothesis draws evenly.
    return st.builds(random_world, st.integers(0, 2**24 - 1))


# --- As the world lands --------------------------------------------------------------------------


def relations_settings_overrides(world: RelationsWorld) -> dict[str, Any]:
    """The world's settings by their names in ``sources.md``; the as-of date is an input apart."""
    settings = world.settings
    return {
        "reporting_time_zone": settings.reporting_time_zone,
        "nps_window_days": settings.nps_window_days,
        "nps_deduplication": settings.nps_deduplication,
        "metric_history_days": settings.metric_history_days,
    }


def raw_relations_records(world: RelationsWorld) -> dict[tuple[str, str], list[Row]]:
    """The world's records by domain and entity, in the native format of ``sources.md``."""
    return {
        ("crm", "accounts"): [
            {
                "account_id": customer.account_id,
                "name": f"Account {customer.account_id}",
                "join_date": customer.join_date,
            }
            for customer in world.customers
        ],
        ("crm", "nps_responses"): [
            {
                "account_id": response.account_id,
                "submitted_at": response.submitted_at,
                "score": response.score,
                "user_email": response.user_email,
                "response_id": response.response_id,
            }
            for response in world.responses
        ],
        ("crm", "tasks"): [
            {
                "task_id": task.job_id,
                "account_id": task.account_id,
                "status": task.status,
                "created_at": task.created_at,
                "due_date": task.due_date,
                "closed_at": task.closed_at,
                "updated_at": task.updated_at,
            }
            for task in world.tasks
        ],
        ("crm", "alerts"): [
            {
                "alert_id": alert.job_id,
                "account_id": alert.account_id,
                "type": "churn",
                "status": alert.status,
                "triggered_at": alert.created_at,
                "closed_at": alert.closed_at,
                "updated_at": alert.updated_at,
            }
            for alert in world.alerts
        ],
        ("crm", "interactions"): [
            {
                "interaction_id": touchpoint.interaction_id,
                "account_id": touchpoint.account_id,
                "occurred_at": touchpoint.occurred_at,
                "type": "phone",
                "is_completed": touchpoint.is_completed,
            }
            for touchpoint in world.touchpoints
        ],
    }
