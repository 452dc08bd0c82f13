"""Who looks after which accounts: what a rule would change, and the records that change it.

Judged on the published file that readers see; what was landed here and that publish does not hold
yet is laid over it, so that a command builds on the one before it without a night in between.
A change is landed as records of `account_assignments`, in files that are only ever added:

    <landing>/crm/account_assignments/account360/<date>_<number>_<what>_<hash>.jsonl

The date is when it was said (the as-of date of the publish it was judged on), not from when on it
holds: that is in the records. An assignment that ends is its own record again with `unassigned_at`,
one that begins is a new record. The first record of an account ends what the source's list of CSMs
says of it; who is listed and stays therefore gets a record too.
"""

# ruff: noqa: S608 (names in the SQL of this module are those of the publish; values are bound)

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import duckdb

from ingestion.whole_files import write_whole
from orchestration.calendar import FIRST_AS_OF
from orchestration.publishing import DATABASE, current_publish, publish_as_of
from settings import OWN_ASSIGNMENTS, Settings
from settings.assignment_rules import FLAG, AccountCondition, AssignmentRule
from settings.files import near
from settings.subjects import DATE, NUMBER, TEXT

_FILE_NAME = re.compile(r"(\d{4}-\d{2}-\d{2})_(\d{6})_\w+\.jsonl")
_TABLES = (
    *("account_360", "account_dimensions", "account_csm_assignments", "account_assignment_records"),
    *("csms", "audit_loads"),
)
_CHURNED = "is_churned"
_LAST_DAY = date(2999, 12, 31)
_KINDS = {
    "BOOLEAN": FLAG,
    "DATE": DATE,
    "TIMESTAMP": DATE,
    "VARCHAR": TEXT,
    "VARCHAR[]": TEXT,
}
_NUMBERS = ("BIGINT", "DECIMAL", "DOUBLE", "INTEGER")
_FACT_COLUMNS = {FLAG: "flag", DATE: "day", TEXT: "texts", NUMBER: "number"}

# A number as a person reads it, without zeros at its end.
_SHOWN_NUMBER = "regexp_replace(cast(cast({} as decimal(38, 6)) as varchar), '[.]?0+$', '')"
_LOCAL_DAY = "cast(timezone(zone, timezone('UTC', {})) as date)"
_DIMENSION_FACTS = f"""
    with zones as (select cast(? as varchar) as zone)
    select
        account_id,
        kind || ':' || key as subject,
        cast(number_value as decimal(38, 6)) as number,
        case kind when 'label' then [lower(trim(label_value))] end as texts,
        {_LOCAL_DAY.format("event_at")} as day,
        cast(null as boolean) as flag,
        case kind
            when 'label' then label_value
            when 'value' then {_SHOWN_NUMBER.format("number_value")}
            else cast({_LOCAL_DAY.format("event_at")} as varchar)
        end as shown
    from account_dimensions
    cross join zones
    where
        entity = 'account'
        and problem is null
        and (label_value is not null or number_value is not null or event_at is not null)
"""


class AssignmentError(ValueError):
    """What was asked cannot be done; the message says why, and what can."""


@dataclass(frozen=True)
class Csm:
    """A CSM as published; what the source does not say is None."""

    email: str
    name: str | None
    accounts: int
    is_active: bool | None
    can_be_assigned_accounts: bool | None

    @property
    def refusal(self) -> str | None:
        """Why no account may be assigned to the CSM, if so."""
        if self.is_active is False:
            return "is not active (is_active is false)"
        if self.can_be_assigned_accounts is False:
            return "may not be assigned accounts (can_be_assigned_accounts is false)"
        return None


@dataclass(frozen=True)
class Account:
    """An account, with its CSMs on the last full day of the publish."""

    account_id: str
    name: str
    tier: str | None
    stage: str | None
    is_churned: bool
    csms: tuple[str, ...]


@dataclass(frozen=True)
class Change:
    """What happens to one account. `facts` are the values that the conditions asked for."""

    account_id: str
    name: str
    facts: tuple[str, ...]
    before: tuple[str, ...]
    assigned: tuple[str, ...]
    unassigned: tuple[str, ...]
    ends_list: bool
    records: tuple[dict[str, str | None], ...]


@dataclass(frozen=True)
class Plan:
    """What would change from `day` on. `matching` accounts fulfil the conditions; those without a
    change are so already."""

    what: str
    day: date
    as_of: date
    matching: int
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Landed:
    """The file of a plan, and the first as-of date whose night takes it into account."""

    location: str
    records: int
    first_as_of: date


@dataclass
class _Held:
    """A period of a CSM at an account: a record, or where `is_listed` what a list says."""

    csm: str
    email: str
    assigned_at: datetime
    first_day: date
    ended_on: date | None
    is_listed: bool = False
    is_changed: bool = False

    def covers(self, day: date) -> bool:
        """Whether the CSM is assigned on that day."""
        return self.first_day <= day and (self.ended_on is None or day < self.ended_on)


@dataclass
class _Desk:
    """The assignments of one account from a day on, as they are known and as they shall be."""

    day: date
    held: list[_Held] = field(default_factory=list)

    def assigned(self) -> list[str]:
        """The CSMs assigned on the day, each once."""
        return sorted({one.csm for one in self.held if one.covers(self.day)})

    def stays(self, csm: str) -> bool:
        """Whether the CSM is assigned from the day on, without an end."""
        return any(
            one.csm == csm and one.covers(self.day) and one.ended_on is None for one in self.held
        )

    def begins_later(self, csm: str) -> date | None:
        """The first day after the day on which an assignment of the CSM begins."""
        days = [
            one.first_day
            for one in self.held
            if one.csm == csm and one.first_day > self.day and one.ended_on != one.first_day
        ]
        return min(days, default=None)

    def assign(self, csm: str, at: datetime) -> None:
        """Let the CSM be assigned from the day on."""
        self.held = [one for one in self.held if (one.email, one.assigned_at) != (csm, at)]
        self.held.append(_Held(csm, csm, at, self.day, None, is_changed=True))

    def unassign(self, csm: str) -> None:
        """Let the CSM not be assigned from the day on."""
        for one in self.held:
            if one.csm == csm and one.covers(self.day):
                one.ended_on = self.day
                one.is_changed = True


class Book:
    """The published assignments, with what was landed since. `open_book` opens one."""

    def __init__(
        self, settings: Settings, connection: duckdb.DuckDBPyConnection, as_of: date
    ) -> None:
        """Read what every command needs; `AssignmentError` where the publish lacks a table."""
        self._settings = settings
        self._zone = ZoneInfo(settings.reporting_time_zone)
        self._connection = connection
        existing = {name for (name,) in self._rows("show tables")}
        if missing := [name for name in _TABLES if name not in existing]:
            raise AssignmentError(
                f"the publish in {settings.current_path} has no table {missing[0]}: it was made by "
                "another version; `account360 run` publishes anew"
            )
        self.as_of = as_of
        self.csms = {
            row[0]: Csm(*row)
            for row in self._rows(
                "select csm_email, csm_name, accounts, is_active, can_be_assigned_accounts "
                "from csms order by csm_email"
            )
        }
        self._files = _own_files(settings)
        self.pending = self._pending()

    def accounts(self) -> list[Account]:
        """All accounts in the order of their ids."""
        return [
            Account(*row[:-1], csms=tuple(row[-1]))
            for row in self._rows(
                "select account_id, account_name, tier, stage, is_churned, csm_emails "
                "from account_360 order by account_id"
            )
        ]

    def known_csm(self, email: str, place: str = "") -> str:
        """The e-mail as it is compared; `AssignmentError` where no CSM goes by it."""
        wanted = email.strip().lower()
        if wanted not in self.csms:
            raise AssignmentError(
                f"{place}unknown CSM {email!r}: {near(wanted, self.csms)}`account360 assign list` "
                "shows all; one who is new lands in crm/csms first, one whose address was replaced "
                "goes by the new one"
            )
        return wanted

    def assignable(self, email: str, place: str = "") -> str:
        """The same of a CSM who is to be assigned accounts, and may."""
        csm = self.csms[self.known_csm(email, place)]
        if csm.refusal:
            raise AssignmentError(
                f"{place}{csm.email} {csm.refusal}: allowed is a CSM who may, see `account360 "
                "assign list`, or change it where crm/csms comes from"
            )
        return csm.email

    def rule_plan(self, rule: AssignmentRule, day: date | None) -> Plan:
        """What a rule would change from `day` on; without one, from the publish's as-of date on."""
        place = f"{rule.place}: "
        assign = [self.assignable(email, place) for email in rule.assign]
        unassign = [self.known_csm(email, place) for email in rule.unassign]
        matching = self._matching(rule)
        return self._plan(rule.name, day, matching, assign, unassign, rule.unassigns_all)

    def single_plan(self, what: str, account_id: str, csm: str, day: date | None) -> Plan:
        """What `add` or `remove` of one CSM would change."""
        account = self._account(account_id)
        assign = [self.assignable(csm)] if what == "add" else []
        unassign = [] if what == "add" else [self.known_csm(csm)]
        return self._plan(what, day, {account.account_id: (account.name, ())}, assign, unassign)

    def land(self, plan: Plan) -> Landed | None:
        """Write the records of a plan as one file that no run sees before it is whole; None where
        nothing changes. Never overwrites: a name has the next number of its date."""
        records = [record for change in plan.changes for record in change.records]
        if not records:
            return None
        landing = self._settings.landing
        if not landing.is_dir():
            raise AssignmentError(
                f"landing folder {landing} does not exist: name another with --landing"
            )
        content = "".join(json.dumps(record) + "\n" for record in records).encode()
        # never before what was said last, so that the last word is the latest version
        said_on = max([self.as_of, *(day for day, _, _ in self._files)])
        numbers = [number for day, number, _ in self._files if day == said_on]
        number = max(numbers, default=0) + 1
        digest = hashlib.sha256(content).hexdigest()[:8]
        location = f"{OWN_ASSIGNMENTS}/{said_on}_{number:06}_{plan.what}_{digest}.jsonl"
        path = landing / location
        write_whole(path, content)
        return Landed(location, len(records), max(said_on, plan.day) + timedelta(days=1))

    def _plan(
        self,
        what: str,
        day: date | None,
        matching: dict[str, tuple[str, tuple[str, ...]]],
        assign: Sequence[str],
        unassign: Sequence[str],
        unassigns_all: bool = False,
    ) -> Plan:
        day = day or self.as_of
        if not FIRST_AS_OF <= day <= _LAST_DAY:
            raise AssignmentError(
                f"--date {day} cannot be: allowed is {FIRST_AS_OF} to {_LAST_DAY}"
            )
        changes, late = [], []
        desks = self._desks(matching, day)
        for account_id, (name, facts) in sorted(matching.items()):
            desk, listed = desks[account_id]
            both = _Desk(day, [*desk.held, *listed])
            going = {one.csm for one in both.held} - {*assign} if unassigns_all else {*unassign}
            later = {csm: begun for csm in sorted(going) if (begun := both.begins_later(csm))}
            leaving = sorted(going & {*both.assigned()})
            if later:
                late += [f"{account_id} to {csm} from {begun}" for csm, begun in later.items()]
                continue
            if unassign and not leaving:
                continue
            arriving = [csm for csm in assign if not both.stays(csm)]
            before = tuple(both.assigned())
            for csm in leaving:
                both.unassign(csm)
            for csm in arriving:
                both.assign(csm, self._start(day))
            if leaving or arriving:
                changes.append(
                    Change(
                        account_id=account_id,
                        name=name,
                        facts=facts,
                        before=before,
                        assigned=tuple(arriving),
                        unassigned=tuple(leaving),
                        ends_list=bool(listed),
                        records=self._records(account_id, both),
                    )
                )
        if late:
            raise AssignmentError(
                f"--date {day} is too early: assigned is {'; '.join(late[:5])}"
                f"{f' and {len(late) - 5} more' if len(late) > 5 else ''}; what begins later "
                f"cannot end on {day}: choose a --date that is not before it"
            )
        return Plan(what, day, self.as_of, len(matching), tuple(changes))

    def _records(self, account_id: str, desk: _Desk) -> tuple[dict[str, str | None], ...]:
        """What has to land: what changed, and what a list alone said so far."""
        landing = [one for one in desk.held if one.is_changed or one.is_listed]
        return tuple(
            {
                "account_id": account_id,
                "csm_email": one.email,
                "assigned_at": _instant_text(one.assigned_at),
                # a record that begins on the day it ends, at eight, does not end before
                "unassigned_at": one.ended_on
                and _instant_text(max(one.assigned_at, self._start(one.ended_on))),
            }
            for one in sorted(landing, key=lambda one: (one.assigned_at, one.email))
        )

    def _desks(self, account_ids: Iterable[str], day: date) -> dict[str, tuple[_Desk, list[_Held]]]:
        """By account: its records, and what its list says from `day` to the first of them."""
        wanted = sorted(account_ids)
        desks = {account_id: _Desk(day) for account_id in wanted}
        for account_id, *values in self._rows(
            "select account_id, csm_email, recorded_csm_email, assigned_at, assigned_date, "
            "unassigned_date from account_assignment_records "
            "where account_id in (select unnest(?::varchar[])) order by all",
            [wanted],
        ):
            desks[account_id].held.append(_Held(*values))
        published_first = {key: _first_day(desk.held) for key, desk in desks.items()}
        for record in self.pending:
            if record["account_id"] in desks:
                self._lay_over(desks[record["account_id"]], record)
        first = {account_id: _first_day(desk.held) for account_id, desk in desks.items()}
        listed: dict[str, list[_Held]] = {account_id: [] for account_id in wanted}
        for account_id, csm, start, end in self._rows(
            "select account_id, csm_email, assigned_date, unassigned_date "
            "from account_csm_assignments "
            "where account_id in (select unnest(?::varchar[])) order by all",
            [wanted],
        ):
            until = _earliest(end, published_first[account_id], first[account_id])
            first_day = max(start, day)
            if until is None or first_day < until:
                at = self._start(first_day)
                listed[account_id].append(_Held(csm, csm, at, first_day, until, is_listed=True))
        return {account_id: (desks[account_id], listed[account_id]) for account_id in wanted}

    def _lay_over(self, desk: _Desk, record: dict[str, str | None]) -> None:
        """Let a record that the publish does not hold yet have its effect."""
        at, end = _instant(record["assigned_at"]), _instant(record["unassigned_at"])
        email = str(record["csm_email"])
        ended_on = self._local_day(end) if end else None
        for one in desk.held:
            if (one.email, one.assigned_at) == (email, at):
                one.ended_on = ended_on
                return
        desk.held.append(_Held(email, email, at, self._local_day(at), ended_on))

    def _pending(self) -> list[dict[str, str | None]]:
        """The records of our own files that the publish does not hold, in the order of landing."""
        loaded = {
            location
            for (location,) in self._rows(
                "select location from audit_loads where starts_with(location, ?)",
                [f"{OWN_ASSIGNMENTS}/"],
            )
        }
        return [
            json.loads(line)
            for day, _, name in self._files
            if day >= self.as_of or f"{OWN_ASSIGNMENTS}/{name}" not in loaded
            for line in (self._settings.landing / OWN_ASSIGNMENTS / name)
            .read_text("utf-8")
            .splitlines()
        ]

    def _matching(self, rule: AssignmentRule) -> dict[str, tuple[str, tuple[str, ...]]]:
        """The accounts for which all conditions of a rule hold, by id: name and values asked for.

        The rule's conditions are rows that are compared with the accounts' facts; no word of the
        file becomes SQL.
        """
        facts = self._facts(rule.conditions)
        self._connection.execute(
            "create or replace temp table conditions (position integer, subject varchar, "
            "operator varchar, number decimal(38, 6), texts varchar[], day date, flag boolean)"
        )
        self._connection.executemany(
            "insert into conditions values (?, ?, ?, ?, ?, ?, ?)",
            [_condition_row(*each) for each in enumerate(rule.conditions, start=1)],
        )
        asks_for_churned = any(one.subject == _CHURNED for one in rule.conditions)
        rows = self._rows(
            f"""
            with facts as ({facts}),
            fulfilled as (
                select facts.account_id, conditions.position, facts.shown
                from facts
                inner join conditions using (subject)
                where
                    case operator
                        when '<' then facts.number < conditions.number or facts.day < conditions.day
                        when '<=' then
                            facts.number <= conditions.number or facts.day <= conditions.day
                        when '>' then facts.number > conditions.number or facts.day > conditions.day
                        when '>=' then
                            facts.number >= conditions.number or facts.day >= conditions.day
                        when '=' then
                            facts.number = conditions.number
                            or facts.day = conditions.day
                            or facts.flag = conditions.flag
                        when '!=' then
                            facts.number != conditions.number
                            or facts.day != conditions.day
                            or facts.flag != conditions.flag
                        when 'in' then list_has_any(facts.texts, conditions.texts)
                        when 'not in' then not list_has_any(facts.texts, conditions.texts)
                    end
            )
            select account_id, account_name, list(shown order by position)
            from fulfilled
            inner join account_360 using (account_id)
            where ? or not coalesce(is_churned, false)
            group by account_id, account_name
            having count(*) = ?
            order by account_id
            """,
            [self._settings.reporting_time_zone, asks_for_churned, len(rule.conditions)],
        )
        return {account_id: (name, tuple(shown)) for account_id, name, shown in rows}

    def _facts(self, conditions: Sequence[AccountCondition]) -> str:
        """The query of what the conditions ask for: a row per account and subject with a value.

        Its parts are columns of the publish that a condition names, never the name that a rule
        gives. Takes one value: the reporting time zone.
        """
        kinds = {}
        for name, data_type, *_ in self._rows("describe account_360"):
            if kind := _kind(data_type):
                kinds[name] = (kind, data_type)
        dimensions = dict(
            self._rows(
                "select distinct kind || ':' || key, "
                "case kind when 'label' then ? when 'value' then ? else ? end "
                "from account_dimensions where entity = 'account' and problem is null order by all",
                [TEXT, NUMBER, DATE],
            )
        )
        known = {name: kind for name, (kind, _) in kinds.items()} | dimensions
        for condition in conditions:
            _require(condition, known)
        wanted = {condition.subject for condition in conditions}
        columns = [_column_facts(name, *kinds[name]) for name in kinds if name in wanted]
        return " union all ".join([_DIMENSION_FACTS, *columns])

    def _account(self, account_id: str) -> Account:
        accounts = {account.account_id: account for account in self.accounts()}
        if account_id not in accounts:
            names = {account.name: account.account_id for account in accounts.values()}
            hint = near(account_id, accounts) or near(account_id, names)
            if found := next((name for name in names if name in hint), None):
                hint = f"did you mean {names[found]} ({found})? "
            raise AssignmentError(
                f"unknown account {account_id!r}: {hint}`account360 assign list` shows all"
            )
        return accounts[account_id]

    def _rows(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return self._connection.execute(query, list(values)).fetchall()

    def _start(self, day: date) -> datetime:
        """The instant (UTC, naive) at which a local day begins."""
        local = datetime(day.year, day.month, day.day, tzinfo=self._zone)
        return local.astimezone(UTC).replace(tzinfo=None)

    def _local_day(self, instant: datetime) -> date:
        return instant.replace(tzinfo=UTC).astimezone(self._zone).date()


@contextmanager
def open_book(settings: Settings) -> Iterator[Book]:
    """The published assignments, read-only; `AssignmentError` where nothing is published."""
    folder = current_publish(settings)
    if folder is None:
        raise AssignmentError(
            f"nothing is published in {settings.home} yet, and CSMs are assigned by what is: "
            "`account360 run` publishes"
        )
    if settings.publish_personal_data == "hashed":
        raise AssignmentError(
            "CSMs are assigned by what is published, and their addresses are published as hashes: "
            'publish a night with publish_personal_data = "plain" first'
        )
    with duckdb.connect(str(folder / DATABASE), read_only=True) as connection:
        connection.execute("set TimeZone = 'UTC'")
        yield Book(settings, connection, publish_as_of(folder))


def find_rule(settings: Settings, name: str | None) -> AssignmentRule:
    """The rule of that name; `AssignmentError` names those there are."""
    rules = {rule.name: rule for rule in settings.assignment_rules}
    if name is None or name not in rules:
        wrong = f"unknown rule {name!r}: {near(name, rules)}" if name else "name a rule: "
        said = "".join(f"\n  {rule.name}  {rule.title}" for rule in rules.values())
        raise AssignmentError(
            f"{wrong}those of {settings.assignment_rules_file} are{said or ' none'}"
        )
    return rules[name]


def _own_files(settings: Settings) -> list[tuple[date, int, str]]:
    """Date, number and name of every file that was landed here, in that order."""
    folder = settings.landing / OWN_ASSIGNMENTS
    found = []
    for path in folder.iterdir() if folder.is_dir() else ():
        if match := _FILE_NAME.fullmatch(path.name):
            found.append((date.fromisoformat(match[1]), int(match[2]), path.name))
    return sorted(found)


def _kind(data_type: str) -> str | None:
    if data_type.startswith(_NUMBERS) and not data_type.endswith("[]"):
        return NUMBER
    return _KINDS.get(data_type)


def _require(condition: AccountCondition, known: dict[str, str]) -> None:
    """Refuse a condition on what is not published, or is of another kind."""
    if condition.subject not in known:
        raise AssignmentError(
            f"{condition.place}: unknown subject {condition.subject!r}: "
            f"{near(condition.subject, known)}allowed is {', '.join(known)}"
        )
    kind = known[condition.subject]
    if condition.kind != kind:
        raise AssignmentError(
            f"{condition.place}: {condition.subject} is {kind} and is compared with "
            f"{condition.kind}: allowed is {kind} as value"
        )


def _condition_row(position: int, condition: AccountCondition) -> tuple[Any, ...]:
    """A condition as a row: the column of its kind has its value, the others have none."""
    values: dict[str, Any] = dict.fromkeys(("number", "texts", "day", "flag"))
    operator, value = condition.operator, condition.value
    if isinstance(value, tuple):
        operator, value = {"=": "in", "!=": "not in"}.get(operator, operator), list(value)
    values[_FACT_COLUMNS[condition.kind]] = value
    return (position, condition.subject, operator, *values.values())


def _column_facts(name: str, kind: str, data_type: str) -> str:
    """The query of one column of account_360 as facts, with the columns of `_DIMENSION_FACTS`."""
    column = f'"{name}"'
    number = texts = day = flag = "null"
    shown = f"cast({column} as varchar)"
    if kind == NUMBER:
        number, shown = f"cast({column} as decimal(38, 6))", _SHOWN_NUMBER.format(column)
    elif kind == FLAG:
        flag = column
    elif kind == DATE:
        day = _LOCAL_DAY.format(column) if data_type == "TIMESTAMP" else column
        shown = f"cast({day} as varchar)"
    elif data_type == "VARCHAR[]":
        texts = f"list_transform({column}, lambda text: lower(trim(text)))"
        shown = f"array_to_string({column}, ', ')"
    else:
        texts = f"[lower(trim({column}))]"
    return (
        f"select account_id, '{name}', {number}, {texts}, {day}, {flag}, {shown} "
        f"from account_360 cross join zones where {column} is not null"
    )


def _first_day(held: Iterable[_Held]) -> date | None:
    return min((one.first_day for one in held), default=None)


def _earliest(*days: date | None) -> date | None:
    return min((day for day in days if day), default=None)


def _instant_text(instant: datetime) -> str:
    return f"{instant.isoformat()}Z"


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text.removesuffix("Z")) if text else None
