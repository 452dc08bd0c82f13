"""Support tickets with their history of changes, and NPS responses."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

from sample_data import texts
from sample_data.calendar import at
from sample_data.company import VENDOR_DOMAIN, Account, World
from sample_data.drafts import Drafts, Record

_AGENTS = ("support.ines", "support.tarek", "support.joanne", "support.wei")
_DAYS_APART = {"large": 12, "medium": 40, "small": 130}
_TRACKED_FROM = 600
"""Ticket changes are kept for this many days; older tickets have no history."""


def put_support(world: World, drafts: Drafts) -> None:
    """Put the tickets and the NPS responses of every account."""
    for account in world.accounts:
        if account.life == "cycle":
            continue
        rng = world.rng("tickets", account.number)
        day = account.join_date
        number = 0
        while day < world.calendar.as_of:
            day += timedelta(days=rng.randint(1, 2 * _DAYS_APART[account.size]))
            if day < world.calendar.as_of and account.is_customer_on(day):
                number += 1
                code = account.account_id.removeprefix("ACC-")
                _Ticket(world, account, rng, f"TK-{code}-{number}", at(day, rng), drafts).tell()
        _put_nps(world, account, drafts)


class _Ticket:
    """The life of one ticket: its record and, unless it is old, a change for every step."""

    def __init__(
        self,
        world: World,
        account: Account,
        rng: Random,
        ticket_id: str,
        created: datetime,
        drafts: Drafts,
    ) -> None:
        self.rng, self.drafts, self.account = rng, drafts, account
        self.is_tracked = created.date() >= world.calendar.ago(_TRACKED_FROM)
        kind = rng.choices(tuple(texts.TICKETS), weights=(45, 35, 10, 10))[0]
        self.record: Record = {
            "ticket_id": ticket_id,
            "account_id": account.account_id,
            "subject": rng.choice(texts.TICKETS[kind]),
            "status": "open",
            "priority": rng.choice(("low", "normal", "normal", "high", None)),
            "type": kind if rng.random() > 0.08 else None,
            "created_at": created,
            "closed_at": None,
            "requester_email": rng.choice(account.users).email,
            "assignee": f"{rng.choice(_AGENTS)}@{VENDOR_DOMAIN}",
            "channel": rng.choice(("email", "email", "web", "chat", "phone")),
            "url": f"https://support.{VENDOR_DOMAIN}/tickets/{ticket_id.lower()}",
            "updated_at": created,
        }
        drafts.put(
            "tickets",
            self.record,
            created,
            case=None if self.is_tracked else "ticket_without_history",
            note=account.name,
        )

    def tell(self) -> None:
        """Put the steps of the ticket's life, each some hours or days after the last."""
        rng = self.rng
        if rng.random() < 0.12:
            raised = "urgent" if self.record["priority"] == "high" else "high"
            self._step({"priority": raised}, 1, 30)
        if rng.random() < 0.3:
            self._step({"status": "pending"}, 4, 60)
            self._step({"status": "open"}, 10, 90)
        if rng.random() < 0.05:
            self._step({"status": "on hold"}, 10, 90)
        if rng.random() < 0.04:
            return
        self._close("solved", 2, 240)
        if rng.random() < 0.08:
            self._step({"status": "open", "closed_at": None}, 5, 120, case="reopened_ticket")
            self._close("solved", 10, 160)
        if rng.random() < 0.5:
            self._step({"status": "closed"}, 72, 160)

    def _close(self, status: str, low: int, high: int) -> None:
        closed = self._moment(low, high)
        self._put({"status": status, "closed_at": closed}, closed, None)

    def _moment(self, low: int, high: int) -> datetime:
        wait = timedelta(hours=self.rng.randint(low, high), minutes=self.rng.randint(0, 59))
        return self.record["updated_at"] + wait

    def _step(self, change: Record, low: int, high: int, case: str | None = None) -> None:
        self._put(change, self._moment(low, high), case)

    def _put(self, change: Record, moment: datetime, case: str | None) -> None:
        before = self.record
        self.record = {**before, **change, "updated_at": moment}
        self.drafts.put("tickets", self.record, moment, case=case, note=self.account.name)
        if not self.is_tracked:
            return
        for field in ("status", "priority"):
            if self.record[field] != before[field]:
                record = {
                    "ticket_id": before["ticket_id"],
                    "changed_at": moment,
                    "field": field,
                    "old_value": before[field],
                    "new_value": self.record[field],
                }
                self.drafts.put("ticket_changes", record, moment, case=case)


def _put_nps(world: World, account: Account, drafts: Drafts) -> None:
    """Put the answers to two surveys a year, and a few that users gave on their own."""
    rng = world.rng("nps", account.number)
    mood = rng.randint(-1, 2) - (2 if account.ended else 0)
    answered: dict[str, int] = {}
    for wave in range(7, 0, -1):
        centre = world.calendar.ago(wave * 182 - 150)
        for user in account.users:
            day = centre + timedelta(days=rng.randint(0, 29))
            is_user = user.joined <= day and not (user.deactivated and user.deactivated <= day)
            if rng.random() > 0.2 or not is_user or not account.is_customer_on(day):
                continue
            again = 2 if rng.random() < 0.06 else 1
            for each in range(again):
                moment = at(day + timedelta(days=each * rng.randint(1, 12)), rng)
                answered[user.email] = answered.get(user.email, 0) + 1
                case = "nps_several_by_one_user" if answered[user.email] > 1 else None
                record = _response(world, account, rng, mood, user.email, moment)
                drafts.put("nps_responses", record, moment, case=case, note=user.email)


def _response(
    world: World, account: Account, rng: Random, mood: int, email: str, moment: datetime
) -> Record:
    score = min(10, max(0, rng.choice((4, 6, 7, 7, 8, 8, 9, 9, 10)) + mood + rng.randint(-2, 1)))
    kind = "promoter" if score > 8 else "passive" if score > 6 else "detractor"
    # The new survey tool gives every response an id, the old one gave none.
    is_new = moment.date() >= world.calendar.ago(365)
    day = moment.date()
    return {
        "account_id": account.account_id,
        "submitted_at": moment,
        "score": score,
        "user_email": email,
        "survey_name": f"Relationship {'H1' if day.month < 7 else 'H2'} {day.year}",
        "comment": rng.choice(texts.COMMENTS[kind]),
        "response_id": f"r-{rng.getrandbits(40):010x}" if is_new else None,
    }
