"""What the team writes down: touchpoints, notes, documents, deals, alerts, tasks, goals."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random

from sample_data import texts
from sample_data.calendar import add_months, at, workday
from sample_data.company import VENDOR_DOMAIN, Account, World
from sample_data.drafts import Drafts

_ORIGINS = {
    "email": ("sync", "sync", "bcc", "campaign", "trigger"),
    "phone": ("manual",),
    "meeting": ("manual", "sync"),
    "in_person": ("manual",),
    "web": ("api", "campaign"),
    "community post": ("api",),
}
_DAYS_APART = {"large": 9, "medium": 18, "small": 40}


class Desk:
    """The desk at which one account is looked after: days, writers and running numbers."""

    def __init__(self, world: World, account: Account, drafts: Drafts) -> None:
        """Open the account's desk with a random stream of its own."""
        self.account = account
        self.calendar = world.calendar
        self.drafts = drafts
        self.rng: Random = world.rng("relations", account.number)
        self.code = account.account_id.removeprefix("ACC-")
        self._numbers: dict[str, int] = {}

    def next_id(self, prefix: str) -> str:
        """Return the next identifier of a kind, such as T-1007-12."""
        self._numbers[prefix] = self._numbers.get(prefix, 0) + 1
        return f"{prefix}-{self.code}-{self._numbers[prefix]}"

    def days(self, apart: int, since: date | None = None) -> list[date]:
        """Return working days of the customer's time, about so many days apart."""
        found: list[date] = []
        day = max(self.account.join_date, since or self.account.join_date)
        while day < self.calendar.as_of:
            day += timedelta(days=self.rng.randint(1, 2 * apart - 1))
            if day < self.calendar.as_of and self.account.is_customer_on(day):
                found.append(workday(day))
        return found

    def owner(self, day: date) -> str:
        """Return the address of the CSM of that day, or the team's."""
        team = self.account.csms_on(day)
        return team[0].email if team else f"success@{VENDOR_DOMAIN}"

    def after(self, moment: datetime, low: int, high: int) -> datetime:
        """Return an instant some days later."""
        return at(moment.date() + timedelta(days=self.rng.randint(low, high)), self.rng, 19, 21)


def put_relations(world: World, drafts: Drafts) -> None:
    """Put everything the team writes down about every account."""
    for account in world.accounts:
        if account.life == "cycle":
            continue
        desk = Desk(world, account, drafts)
        _put_interactions(desk)
        _put_notes(desk)
        _put_documents(desk)
        _put_deals(desk)
        _put_alerts(desk)
        _put_tasks(desk)
        _put_goals(desk)


def _put_interactions(desk: Desk) -> None:
    rng, account = desk.rng, desk.account
    for day in desk.days(_DAYS_APART[account.size]):
        kind = rng.choices(tuple(texts.TOUCHPOINTS), weights=(45, 22, 18, 4, 9, 2))[0]
        subject, description = rng.choice(texts.TOUCHPOINTS[kind])
        moment = at(day, rng)
        interaction = desk.next_id("I")
        record = {
            "interaction_id": interaction,
            "account_id": account.account_id,
            "occurred_at": moment,
            "added_at": moment + timedelta(minutes=rng.randint(0, 90)),
            "type": kind,
            "sub_type": rng.choice(texts.SUB_TYPES[kind]),
            "origin": rng.choice(_ORIGINS[kind]),
            "contact": rng.choice(account.users[:4]).email if account.users else None,
            "subject": subject,
            "description": description,
            "is_completed": rng.random() > 0.06,
            "added_by": desk.owner(day),
            "updated_at": moment + timedelta(minutes=rng.randint(90, 120)),
        }
        if rng.random() < 0.03 and account.life != "late_record":
            # Logged under the id of the old CRM: the alias brings it home.
            record["account_id"] = f"LEG-0{account.number:05d}"
            desk.drafts.put(
                "interactions", record, moment, case="record_of_alias", note=account.name
            )
        else:
            desk.drafts.put("interactions", record, moment)
        if rng.random() < 0.14:
            _put_note(desk, moment + timedelta(minutes=rng.randint(5, 100)), interaction)


def _put_notes(desk: Desk) -> None:
    for day in desk.days(90):
        _put_note(desk, at(day, desk.rng), None)


def _put_note(desk: Desk, moment: datetime, interaction: str | None) -> None:
    record = {
        "note_id": desk.next_id("N"),
        "account_id": desk.account.account_id,
        "interaction_id": interaction,
        "body": desk.rng.choice(texts.NOTES),
        "author": desk.owner(moment.date()),
        "created_at": moment,
        "updated_at": moment,
    }
    desk.drafts.put("notes", record, moment)


def _put_documents(desk: Desk) -> None:
    rng = desk.rng
    for day in desk.days(240):
        name, kind, document_type = rng.choice(texts.DOCUMENTS)
        document = desk.next_id("DOC")
        moment = at(day, rng)
        record = {
            "document_id": document,
            "account_id": desk.account.account_id,
            "name": f"{name} {day.year}",
            "kind": kind,
            "document_type": document_type,
            "url": f"https://files.{VENDOR_DOMAIN}/{document.lower()}" if kind == "link" else None,
            "description": f"{name}, as agreed on {day:%d %B %Y}" if rng.random() < 0.4 else None,
            "added_at": moment,
            "added_by": desk.owner(day),
        }
        desk.drafts.put("documents", record, moment)


def _put_deals(desk: Desk) -> None:
    rng, account = desk.rng, desk.account
    factor = {"large": 12, "medium": 4, "small": 1}[account.size]
    for day in desk.days(300):
        name, size = rng.choice(texts.DEALS)
        created = at(day, rng)
        record = {
            "deal_id": desk.next_id("D"),
            "account_id": account.account_id,
            "name": f"{account.name.split()[0]}: {name}",
            "stage": "Qualified",
            "amount": Decimal(size * factor * rng.randint(8, 15) * 100 + rng.choice((0, 50))),
            "currency": account.currency,
            "owner": desk.owner(day),
            "created_at": created,
            "expected_close_date": add_months(day, rng.randint(1, 4)),
            "closed_at": None,
            "is_won": None,
            "updated_at": created,
        }
        # The second CRM release sends one column more; only records written since have it.
        if (desk.calendar.as_of - day).days < 40:
            record["source_campaign"] = rng.choice(("spring-fair", "referral", "webinar"))
        desk.drafts.put("deals", record, created)
        proposed = desk.after(created, 5, 30)
        record = {**record, "stage": "Proposal", "updated_at": proposed}
        desk.drafts.put("deals", record, proposed)
        closed = desk.after(proposed, 10, 80)
        won = rng.random() < 0.55
        stage = "Closed won" if won else "Closed lost"
        done = {"stage": stage, "closed_at": closed, "is_won": won, "updated_at": closed}
        desk.drafts.put("deals", {**record, **done}, closed)


def _put_alerts(desk: Desk) -> None:
    rng = desk.rng
    for day in desk.days(190):
        kind = rng.choices(tuple(texts.ALERTS), weights=(25, 25, 15, 5, 25, 5))[0]
        triggered = at(day, rng, 4, 6)
        record = {
            "alert_id": desk.next_id("AL"),
            "account_id": desk.account.account_id,
            "type": kind,
            "name": rng.choice(texts.ALERTS[kind]),
            "status": "open",
            "triggered_at": triggered,
            "closed_at": None,
            "closed_by": None,
            "outcome": None,
            "updated_at": triggered,
        }
        desk.drafts.put("alerts", record, triggered)
        if rng.random() < 0.6:
            _put_task(desk, triggered + timedelta(hours=3), record["alert_id"])
        if rng.random() < 0.15:
            waiting = desk.after(triggered, 1, 4)
            record = {**record, "status": "pending", "updated_at": waiting}
            desk.drafts.put("alerts", record, waiting)
        if rng.random() < 0.9:
            closed = desk.after(triggered, 5, 45)
            dismissed = rng.random() < 0.12
            done = {
                "status": "dismissed" if dismissed else "closed",
                "closed_at": closed,
                "closed_by": desk.owner(closed.date()),
                "outcome": "false_alarm"
                if dismissed
                else rng.choice(("successful", "successful", "unsuccessful")),
                "updated_at": closed,
            }
            desk.drafts.put("alerts", {**record, **done}, closed)


def _put_tasks(desk: Desk) -> None:
    for day in desk.days(110):
        _put_task(desk, at(day, desk.rng), None)


def _put_task(desk: Desk, created: datetime, alert: str | None) -> None:
    rng = desk.rng
    record = {
        "task_id": desk.next_id("T"),
        "account_id": desk.account.account_id,
        "alert_id": alert,
        "type": "alert" if alert else rng.choice(("call", "email", "to-do", None)),
        "title": rng.choice(texts.TASKS),
        "status": "open",
        "priority": rng.choice(("low", "normal", "normal", "high")),
        "assignee_email": desk.owner(created.date()),
        "created_at": created,
        "due_date": (created + timedelta(days=rng.randint(2, 21))).date(),
        "closed_at": None,
        "outcome": None,
        "updated_at": created,
    }
    desk.drafts.put("tasks", record, created)
    if rng.random() < 0.93:
        closed = desk.after(created, 1, 35)
        done = {"status": "closed", "closed_at": closed, "updated_at": closed}
        outcome = rng.choice(("done", "done", "no answer", None))
        desk.drafts.put("tasks", {**record, **done, "outcome": outcome}, closed)


def _put_goals(desk: Desk) -> None:
    rng = desk.rng
    for day in desk.days(330):
        created = at(day, rng)
        record = {
            "goal_id": desk.next_id("G"),
            "account_id": desk.account.account_id,
            "name": rng.choice(texts.GOALS),
            "status": "in progress",
            "priority": rng.choice(("low", "medium", "high")),
            "owner_email": desk.owner(day),
            "start_date": day,
            "due_date": add_months(day, rng.choice((3, 6, 9))),
            "completed_at": None,
            "progress": 0,
            "updated_at": created,
        }
        desk.drafts.put("goals", record, created)
        step = desk.after(created, 20, 60)
        record = {**record, "progress": rng.randint(2, 8) * 10, "updated_at": step}
        desk.drafts.put("goals", record, step)
        end = desk.after(step, 30, 150)
        won = rng.random() < 0.75
        done = {"status": "achieved", "progress": 100, "completed_at": end}
        last = done if won else {"status": "missed"}
        desk.drafts.put("goals", {**record, **last, "updated_at": end}, end)
