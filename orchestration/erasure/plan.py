"""What identifies an account or a person, found in raw."""

# ruff: noqa: S608 (identifiers and texts in the SQL of this module are quoted or bound)

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import duckdb

from ingestion.erased import (
    DEPENDED_ON,
    Handle,
    Search,
    Tombstones,
    in_words,
    is_distinct,
    is_told_from_text,
)
from ingestion.sql import quoted
from orchestration.erasure.databases import attached, tables_of
from settings import Settings

IDS_OF_ACCOUNTS = ("account_id", "old_account_id", "parent_account_id")
PEOPLE = ("user", "contact")


class ErasureError(ValueError):
    """What was asked cannot be done; the message says why, and what can."""


@dataclass(frozen=True)
class Subject:
    """Who is to be erased: an account, or a person as its user, its contact or both."""

    account: str
    user: str | None = None
    contact: str | None = None

    @property
    def is_account(self) -> bool:
        """Whether the whole account goes."""
        return self.user is None and self.contact is None

    def __str__(self) -> str:
        """As a person reads it."""
        if self.is_account:
            return f"account {self.account}"
        person = [f"user {self.user}"] * bool(self.user) + [f"contact {self.contact}"] * bool(
            self.contact
        )
        return f"{' and '.join(person)} of account {self.account}"


@dataclass
class Plan:
    """What identifies a subject. `remarks` are for the person who erases it."""

    subject: Subject
    replacement: str
    handles: list[Handle] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


def make_plan(settings: Settings, subject: Subject) -> Plan:
    """Find what identifies a subject in the records of the warehouse; writes nothing.

    Raises `ErasureError` where no record knows it.
    """
    if not settings.warehouse_path.exists():
        raise ErasureError(f"there is no warehouse in {settings.home}: nothing was ever loaded")
    tombstones = Tombstones(settings.erasure_path)
    with attached(settings.warehouse_path) as connection:
        return _Planner(connection, subject, tombstones).plan()


class _Planner:
    """Finds what identifies a subject in the raw tables of an attached warehouse."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, subject: Subject, tombstones: Tombstones
    ) -> None:
        """Look up which raw tables there are."""
        self._connection = connection
        self._subject = subject
        self._tombstones = tombstones
        self._tables = {
            table: (f"warehouse.{quoted(schema)}.{quoted(table)}", columns)
            for schema, table, columns in tables_of(connection, "warehouse")
            if schema.startswith("raw_") and table not in ("landed_files", "unparsed_lines")
        }

    def plan(self) -> Plan:
        subject = self._subject
        accounts = self._account_ids()
        if subject.is_account:
            key = ("account", "", subject.account)
        else:
            key = ("person", subject.account, subject.user or f"contact {subject.contact}")
        plan = Plan(subject, self._tombstones.salt.pseudonym(*key))
        self._staff = self._emails_of_staff()
        if subject.is_account:
            self._plan_account(plan, accounts)
        else:
            self._plan_person(plan, accounts)
        self._lay_aside(plan)
        return plan

    def _rows(self, query: str, *values: object) -> list[tuple]:
        return self._connection.execute(query, list(values)).fetchall()

    def _values(
        self, table: str, columns: Iterable[str], condition: str, *values: object
    ) -> list[str]:
        """Distinct values of the columns that the table has, in records that fulfil a condition."""
        if table not in self._tables:
            return []
        relation, present = self._tables[table]
        found: set[str] = set()
        for column in columns:
            if column in present:
                rows = self._rows(
                    f"select distinct {quoted(column)} from {relation} where {condition}"
                    f" and {quoted(column)} <> ''",
                    *values,
                )
                found |= {value for (value,) in rows}
        return sorted(found)

    def _account_ids(self) -> list[str]:
        """The account's id and those that were merged into it, as their last aliases say."""
        account = self._subject.account
        aliases = {}
        if "account_aliases" in self._tables:
            aliases = dict(
                self._rows(
                    "select old_account_id, arg_max(account_id, (_load_number, _location, _line))"
                    f" from {self._tables['account_aliases'][0]} where old_account_id <> ''"
                    " and account_id <> '' group by old_account_id"
                )
            )
        if account in aliases:
            raise ErasureError(
                f"account {account} was merged into {aliases[account]}, and its records are those "
                "of that account: erase it by that id"
            )
        found = [account]
        for each in found:
            found += [old for old, new in aliases.items() if new == each and old not in found]
        known = any(
            self._rows(
                f"select 1 from {relation} where account_id in (select unnest(?::varchar[]))"
                " limit 1",
                found,
            )
            for relation, columns in self._tables.values()
            if "account_id" in columns
        )
        if not known and not self._tombstones.knows("account", "", account):
            raise ErasureError(
                f"no record is of account {account!r}: ids are compared to the letter"
            )
        return found

    def _emails_of_staff(self) -> set[str]:
        found: list[str] = []
        for table, column in (
            ("csms", "email"),
            ("account_assignments", "csm_email"),
            ("csm_aliases", "old_email"),
            ("csm_aliases", "email"),
        ):
            found += self._values(table, [column], "true")
        return {email.strip().lower() for email in found}

    def _plan_account(self, plan: Plan, accounts: list[str]) -> None:
        new = plan.replacement
        own = "account_id in (select unnest(?::varchar[]))"
        others = "account_id not in (select unnest(?::varchar[]))"
        plan.handles += [Handle("account", "", account, new) for account in accounts]
        for table, kind in DEPENDED_ON.items():
            ids = self._values(table, [f"{kind}_id"], own, accounts)
            plan.handles += [Handle(kind, "", value, new) for value in ids]
        names = self._values("accounts", ["name"], own, accounts)
        other_names = self._values("accounts", ["name"], others, accounts)
        other_names = " | ".join(map(in_words, other_names))
        texts = [name for name in names if in_words(name) not in other_names]
        ids = ["crm_account_id", "billing_account_id", "support_account_id"]
        texts += self._values("accounts", ids, own, accounts)
        ids_of_people: list[str] = []
        emails: set[str] = set()
        for table, columns in (
            ("users", ["user_id", "contact_id"]),
            ("events", ["user_id"]),
            ("contacts", ["contact_id", "phone"]),
        ):
            ids_of_people += self._values(table, columns, own, accounts)
        elsewhere = {
            value
            for table in ("users", "events", "contacts")
            for value in self._values(table, ["user_id", "contact_id"], others, accounts)
        }
        for table, column in (
            ("users", "email"),
            ("contacts", "email"),
            ("nps_responses", "user_email"),
            ("tickets", "requester_email"),
            ("interactions", "contact"),
        ):
            emails |= _emails(self._values(table, [column], own, accounts))
        emails -= {
            email
            for table in ("users", "contacts")
            for email in _emails(self._values(table, ["email"], others, accounts))
        }
        texts += [value for value in ids_of_people if value not in elsewhere]
        plan.handles += [
            Handle("text", "", in_words(text), new)
            for text in [*accounts, *texts]
            if is_distinct(text) and in_words(text)
        ]
        plan.handles += [Handle("email", "", email, new) for email in emails - self._staff]

    def _plan_person(self, plan: Plan, accounts: list[str]) -> None:
        new, subject = plan.replacement, self._subject
        users = [subject.user] if subject.user else []
        contacts = [subject.contact] if subject.contact else []
        own = "account_id in (select unnest(?::varchar[]))"
        is_user = f"{own} and user_id in (select unnest(?::varchar[]))"
        is_contact = f"{own} and contact_id in (select unnest(?::varchar[]))"
        # the source says who is the same person
        linked = self._values("users", ["contact_id"], is_user, accounts, users)
        contacts += [each for each in linked if each not in contacts]
        linked = self._values("users", ["user_id"], is_contact, accounts, contacts)
        users += [each for each in linked if each not in users]
        self._require_known(users, contacts, accounts)
        emails, texts = set(), set()
        for table, condition, ids in (
            ("users", is_user, users),
            ("contacts", is_contact, contacts),
        ):
            emails |= _emails(self._values(table, ["email"], condition, accounts, ids))
            texts |= set(self._values(table, ["phone"], condition, accounts, ids))
            texts |= self._names(table, condition, accounts, ids)
        if staff := emails & self._staff:
            plan.remarks.append(f"{', '.join(sorted(staff))} is a CSM's address, and stays")
        emails -= self._staff
        for account in accounts:
            plan.handles += [Handle("user", account, user, new) for user in users]
            plan.handles += [Handle("contact", account, contact, new) for contact in contacts]
            plan.handles += [
                Handle("text", account, in_words(text), new)
                for text in sorted({*texts, *users, *contacts})
                if is_told_from_text(in_words(text))
            ]
        plan.handles += [Handle("email", "", email, new) for email in sorted(emails)]
        plan.handles += self._everywhere(plan, [*users, *contacts], accounts)
        self._plan_items(plan, accounts, emails, contacts)
        plan.remarks += self._same_address_elsewhere(emails, accounts)

    def _require_known(self, users: list[str], contacts: list[str], accounts: list[str]) -> None:
        subject, own = self._subject, "account_id in (select unnest(?::varchar[])) and {} = ?"
        for kind, value, tables in (
            ("user", subject.user, ("users", "events")),
            ("contact", subject.contact, ("contacts", "users")),
        ):
            if value is None or self._tombstones.knows(kind, subject.account, value):
                continue
            column = f"{kind}_id"
            if not any(
                self._values(table, [column], own.format(column), accounts, value)
                for table in tables
            ):
                raise ErasureError(
                    f"no record is of {kind} {value!r} of account {subject.account}: ids are "
                    "compared to the letter"
                )

    def _names(self, table: str, condition: str, accounts: list[str], ids: list[str]) -> set[str]:
        if table not in self._tables:
            return set()
        rows = self._rows(
            f"select distinct first_name, last_name from {self._tables[table][0]}"
            f" where {condition} and first_name <> '' and last_name <> ''",
            accounts,
            ids,
        )
        return {name for first, last in rows for name in (f"{first} {last}", f"{last} {first}")}

    def _everywhere(self, plan: Plan, ids: list[str], accounts: list[str]) -> list[Handle]:
        """Ids that are looked for in every text, but for those that other accounts use as well."""
        others = "account_id not in (select unnest(?::varchar[]))"
        found = []
        for value in ids:
            if not is_distinct(value) or not in_words(value):
                continue
            shared = [
                account
                for table in ("users", "events", "contacts")
                for column in ("user_id", "contact_id")
                if column in self._tables.get(table, ("", []))[1]
                for account in self._values(
                    table, ["account_id"], f"{others} and {column} = ?", accounts, value
                )
            ]
            if shared:
                plan.remarks.append(
                    f"{value} is an id of account {', '.join(sorted(set(shared)))} as well, and "
                    "stays there: erase it there too if it is the same person"
                )
            else:
                found.append(Handle("text", "", in_words(value), plan.replacement))
        return found

    def _plan_items(
        self, plan: Plan, accounts: list[str], emails: set[str], contacts: list[str]
    ) -> None:
        """Touchpoints with the person and tickets by the person, whose texts are emptied."""
        own = "account_id in (select unnest(?::varchar[]))"
        is_theirs = " and lower(trim({})) in (select unnest(?::varchar[]))"
        ids = self._values(
            "interactions",
            ["interaction_id"],
            own + is_theirs.format("contact"),
            accounts,
            [*emails, *(contact.lower() for contact in contacts)],
        )
        ids += self._values(
            "tickets",
            ["ticket_id"],
            own + is_theirs.format("requester_email"),
            accounts,
            list(emails),
        )
        plan.handles += [Handle("item", self._subject.account, each, each) for each in ids]

    def _same_address_elsewhere(self, emails: set[str], accounts: list[str]) -> list[str]:
        remarks = []
        for table, kind in (("users", "user"), ("contacts", "contact")):
            if table not in self._tables or not emails:
                continue
            rows = self._rows(
                f"select distinct account_id, {kind}_id from {self._tables[table][0]}"
                " where account_id not in (select unnest(?::varchar[]))"
                " and lower(trim(email)) in (select unnest(?::varchar[])) order by all",
                accounts,
                sorted(emails),
            )
            remarks += [
                f"{kind} {value} of account {account} has the same e-mail address: it goes there "
                f"too, the rest of that record stays (erase --{kind} {account} {value})"
                for account, value in rows
            ]
        return remarks

    def _lay_aside(self, plan: Plan) -> None:
        """What cannot be taken out by rewriting: names of landing files are known by their text."""
        search = Search(plan.handles, None)
        for schema, table, _ in tables_of(self._connection, "warehouse"):
            if table == "landed_files":
                rows = self._rows(f"select distinct location from warehouse.{schema}.{table}")
                plan.remarks += [
                    f"landing file {location} has it in its name, which the ledger of loads keeps"
                    for (location,) in rows
                    if search.found_in(location)
                ]


def _emails(values: Iterable[str]) -> set[str]:
    return {value.strip().lower() for value in values if "@" in value.strip()[1:]}
