"""NPS, tasks, alerts and touchpoints of ``metrics.md`` (sections 0, 4 and 7) in plain Python.

This module is an oracle: it is written from the definitions alone, shares nothing with the SQL
models, and prefers loops that read like the definition over speed. Records come as they landed, in
that order; each has no version date. Instants are UTC without a zone. Means are exact ``Fraction``
s. Rows are plain dicts with the column names of the published tables, in key order.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from .financials import ONE_DAY, Row, local_day

CLOSED_WORDS = (
    *("closed", "complete", "completed", "done", "resolved", "dismissed", "canceled"),
    "cancelled",
)
OPEN_WORDS = (
    *("open", "new", "not started", "in progress", "pending", "on hold"),
    "reopened",
)


# --- Inputs --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RelationsSettings:
    """The settings the figures depend on; ``as_of_date`` is the first day not complete.

    ``nps_deduplication`` is ``exact`` or ``by_id_only``.
    """

    as_of_date: date
    reporting_time_zone: str = "UTC"
    nps_window_days: int = 90
    nps_deduplication: str = "exact"
    metric_history_days: int = 90

    @property
    def last_full_day(self) -> date:
        """L of ``metrics.md``: the day before the as-of date."""
        return self.as_of_date - ONE_DAY

    def day_of(self, instant: datetime) -> date:
        return local_day(instant, self.reporting_time_zone)

    def start_of(self, day: date) -> datetime:
        """The instant at which a local day begins."""
        midnight = datetime.combine(day, time(), ZoneInfo(self.reporting_time_zone))
        return midnight.astimezone(UTC).replace(tzinfo=None)

    def is_known(self, instant: datetime) -> bool:
        """Whether something of that instant has happened by the end of the last full day."""
        return instant < self.start_of(self.as_of_date)


@dataclass(frozen=True)
class Customer:
    """An account that exists."""

    account_id: str
    join_date: date


@dataclass(frozen=True)
class Response:
    account_id: str
    submitted_at: datetime
    score: int
    user_email: str | None = None
    response_id: str | None = None


@dataclass(frozen=True)
class Job:
    """A task or an alert: something that opens at an instant and may be closed at another."""

    account_id: str
    job_id: str
    status: str
    created_at: datetime
    closed_at: datetime | None = None
    updated_at: datetime | None = None
    due_date: date | None = None


@dataclass(frozen=True)
class Touchpoint:
    account_id: str
    interaction_id: str
    occurred_at: datetime
    is_completed: bool | None = None


@dataclass(frozen=True)
class RelationsWorld:
    """Everything the figures are computed from."""

    customers: tuple[Customer, ...]
    responses: tuple[Response, ...]
    tasks: tuple[Job, ...]
    alerts: tuple[Job, ...]
    touchpoints: tuple[Touchpoint, ...]
    settings: RelationsSettings

    def days_of(self, customer: Customer) -> Iterator[date]:
        """The days of the daily history on which the account is known."""
        first = self.settings.as_of_date - timedelta(days=self.settings.metric_history_days)
        day = max(first, customer.join_date)
        while day <= self.settings.last_full_day:
            yield day
            day += ONE_DAY


# --- NPS -----------------------------------------------------------------------------------------


def counted_responses(world: RelationsWorld) -> list[Response]:
    """Responses of existing accounts up to L, each once: of one id the last that landed."""
    by_identity: dict[Hashable, Response] = {}
    for number, response in enumerate(world.responses):
        identity: Hashable = response
        if response.response_id is not None:
            identity = response.response_id
        elif world.settings.nps_deduplication == "by_id_only":
            identity = number
        # a keyless repetition changes nothing; a later version of an id takes the later place
        if response.response_id is not None:
            by_identity.pop(identity, None)
        by_identity.setdefault(identity, response)
    existing = {customer.account_id for customer in world.customers}
    return [
        response
        for response in by_identity.values()
        if response.account_id in existing and world.settings.is_known(response.submitted_at)
    ]


def nps(responses: Sequence[Response], settings: RelationsSettings) -> Row | None:
    """The NPS of one account's responses, in the order of landing, at their end."""
    if not responses:
        return None
    latest_at = max(response.submitted_at for response in responses)
    window_from_at = latest_at - timedelta(days=settings.nps_window_days)
    window = [response for response in responses if response.submitted_at >= window_from_at]
    promoters = sum(response.score >= 9 for response in window)
    detractors = sum(response.score <= 6 for response in window)
    score_of_user: dict[Hashable, Response] = {}
    for number, response in enumerate(window):
        email = (response.user_email or "").strip().lower()
        user: Hashable = email or number
        known = score_of_user.get(user)
        if known is None or known.submitted_at <= response.submitted_at:
            score_of_user[user] = response
    user_scores = [response.score for response in score_of_user.values()]
    return {
        "nps_current": Fraction(sum(response.score for response in window), len(window)),
        "nps_net": Fraction(100 * (promoters - detractors), len(window)),
        "nps_latest_per_user": Fraction(sum(user_scores), len(user_scores)),
        "responses": len(window),
        "score_total": sum(response.score for response in window),
        "promoters": promoters,
        "passives": len(window) - promoters - detractors,
        "detractors": detractors,
        "users": len(user_scores),
        "user_score_total": sum(user_scores),
        "window_from_at": window_from_at,
        "latest_at": latest_at,
    }


def account_nps(world: RelationsWorld) -> list[Row]:
    rows = []
    oldest_fresh_day = world.settings.as_of_date - timedelta(days=world.settings.nps_window_days)
    for customer in _in_order(world.customers):
        row = nps(_of(customer, counted_responses(world)), world.settings)
        if row is not None:
            is_stale = world.settings.day_of(row["latest_at"]) < oldest_fresh_day
            rows.append({"account_id": customer.account_id, **row, "is_stale": is_stale})
    return rows


def account_nps_responses(world: RelationsWorld) -> list[Row]:
    """The responses in no particular order, without their places in a file."""
    rows = []
    for customer in world.customers:
        responses = _of(customer, counted_responses(world))
        score = nps(responses, world.settings)
        rows += [
            {
                "account_id": customer.account_id,
                "response_id": response.response_id,
                "user_email": response.user_email,
                "score": response.score,
                "submitted_at": response.submitted_at,
                "is_in_window": response.submitted_at >= score["window_from_at"],
            }
            for response in responses
            if score is not None
        ]
    return rows


def account_nps_daily(world: RelationsWorld) -> list[Row]:
    """Of each day of the daily history, the NPS of the responses up to its local end."""
    rows = []
    for customer in _in_order(world.customers):
        responses = _of(customer, counted_responses(world))
        for day in world.days_of(customer):
            end = world.settings.start_of(day + ONE_DAY)
            row = nps([each for each in responses if each.submitted_at < end], world.settings)
            if row is not None:
                kept = {name: row[name] for name in ("nps_current", "nps_net", "responses")}
                rows.append({"account_id": customer.account_id, "day": day, **kept})
    return rows


# --- Tasks, alerts, touchpoints ------------------------------------------------------------------


def is_open(job: Job, settings: RelationsSettings) -> bool:
    """Whether a task or alert is open at the end of the last full day."""
    if job.closed_at is not None and not settings.is_known(job.closed_at):
        return True
    word = job.status.strip().lower().replace("_", " ")
    if word in CLOSED_WORDS:
        return False
    return word in OPEN_WORDS or job.closed_at is None


def aged(job: Job, settings: RelationsSettings) -> Row:
    """What a task and an alert have in common."""
    opened = is_open(job, settings)
    closed_at = None
    end: date | None = settings.last_full_day
    if not opened:
        closed_at = job.closed_at
        if closed_at is None and job.updated_at is not None and job.updated_at >= job.created_at:
            closed_at = job.updated_at
        end = None if closed_at is None else settings.day_of(closed_at)
    later = job.closed_at is not None and not settings.is_known(job.closed_at)
    return {
        "account_id": job.account_id,
        "status": "open" if later else job.status,
        "age_days": None if end is None else (end - settings.day_of(job.created_at)).days,
        "is_open": opened,
        "closed_at": closed_at,
    }


def account_tasks(world: RelationsWorld) -> list[Row]:
    rows = []
    for task in _known_jobs(world.tasks, world):
        row = aged(task, world.settings)
        overdue = task.due_date is not None and task.due_date < world.settings.as_of_date
        rows.append({**row, "task_id": task.job_id, "is_overdue": row["is_open"] and overdue})
    return rows


def account_alerts(world: RelationsWorld) -> list[Row]:
    return [
        {**aged(alert, world.settings), "alert_id": alert.job_id, "origin": "source"}
        for alert in _known_jobs(world.alerts, world)
    ]


def account_relations(world: RelationsWorld) -> list[Row]:
    """Of each account what is open and its last completed touchpoint."""
    rows = []
    tasks, alerts = account_tasks(world), account_alerts(world)
    for customer in _in_order(world.customers):
        mine = [task for task in tasks if task["account_id"] == customer.account_id]
        instants = _completed(customer, world)
        rows.append(
            {
                "account_id": customer.account_id,
                "open_tasks": sum(task["is_open"] for task in mine),
                "overdue_tasks": sum(task["is_overdue"] for task in mine),
                "open_alerts": sum(
                    alert["is_open"]
                    for alert in alerts
                    if alert["account_id"] == customer.account_id
                ),
                "last_touchpoint_at": max(instants, default=None),
            }
        )
    return rows


def account_touchpoints_daily(world: RelationsWorld) -> list[Row]:
    """Of each day of the daily history the last completed touchpoint up to its local end."""
    rows = []
    for customer in _in_order(world.customers):
        days = [world.settings.day_of(instant) for instant in _completed(customer, world)]
        for day in world.days_of(customer):
            by_then = [each for each in days if each <= day]
            if by_then:
                last = max(by_then)
                rows.append(
                    {
                        "account_id": customer.account_id,
                        "day": day,
                        "last_touchpoint_on": last,
                        "days_since_last_touchpoint": (day - last).days,
                    }
                )
    return rows


def relations_tables(world: RelationsWorld) -> dict[str, list[Row]]:
    """The expected rows by model."""
    return {
        "account_nps": account_nps(world),
        "account_nps_responses": account_nps_responses(world),
        "int_account_day__nps": account_nps_daily(world),
        "account_tasks": account_tasks(world),
        "account_alerts": account_alerts(world),
        "int_account__relations": account_relations(world),
        "int_account_day__touchpoints": account_touchpoints_daily(world),
    }


def _completed(customer: Customer, world: RelationsWorld) -> list[datetime]:
    return [
        touchpoint.occurred_at
        for touchpoint in world.touchpoints
        if touchpoint.account_id == customer.account_id
        and touchpoint.is_completed is not False
        and world.settings.is_known(touchpoint.occurred_at)
    ]


def _known_jobs(jobs: Iterable[Job], world: RelationsWorld) -> list[Job]:
    existing = {customer.account_id for customer in world.customers}
    known = [
        job
        for job in jobs
        if job.account_id in existing and world.settings.is_known(job.created_at)
    ]
    return sorted(known, key=lambda job: (job.account_id, job.job_id))


def _of(customer: Customer, responses: Iterable[Response]) -> list[Response]:
    return [each for each in responses if each.account_id == customer.account_id]


def _in_order(customers: Iterable[Customer]) -> list[Customer]:
    return sorted(customers, key=lambda customer: customer.account_id)
