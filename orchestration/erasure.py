"""Erasing an account or a person from everything that stands in a home folder.

    plan        what identifies the account or person (ids, e-mail addresses, names), from raw
    tombstones  salted hashes of it, so that it does not land again (ingestion.erased)
    warehouse   raw is copied into a new file without it, which takes the old one's place; what the
                next night builds from raw anyway is left out of the copy
    publishes   every kept file and its Parquet are written anew, where they hold it, and what is
                kept of their content: hashes, sums and counts of rows
    files       logs, run records and Dagster's history are cleansed of it
    search      every file, and what stands within, is searched for what was erased

Files are written anew and swapped in, never changed in place, so that no freed page keeps anything.
Landing files are the source's: nothing reads or changes them. What is to be erased is written down
until it is done, so that an erasure which was cut short can be taken up again by any later one.
"""

# ruff: noqa: S608 (identifiers and texts in the SQL of this module are quoted or bound)

from __future__ import annotations

import gzip
import json
import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from ingestion import DOMAINS
from ingestion.erased import (
    DEPENDED_ON,
    Handle,
    Outcome,
    Rules,
    Salt,
    Scrub,
    Search,
    Tombstones,
    in_words,
    is_distinct,
    is_told_from_text,
    raw_rules,
    text_columns,
    write_private,
)
from ingestion.tables import dataset_name, literal, quoted
from ingestion.warehouse import STORAGE_VERSION
from orchestration.content import SUMS, file_sums, forget_standing, write_sums
from orchestration.publishing import (
    AUDIT_TABLE,
    DATABASE,
    WITHOUT_PERSONAL_DATA,
    copy_views,
    export_table,
    hashed_text,
    heal,
    publish_folders,
    renew_audit,
    renew_history,
)
from orchestration.rollbacks import rollbacks_path
from orchestration.run_lock import NightError
from settings import Settings

_KEPT_SCHEMAS = (*(dataset_name(domain) for domain in DOMAINS), "run")
_IDS_OF_ACCOUNTS = ("account_id", "old_account_id", "parent_account_id")
_PEOPLE = ("user", "contact")
_SQLITE = b"SQLite format 3\x00"
_GZIP = b"\x1f\x8b"
_ERASURES = (
    "erasure bigint, kind varchar, pseudonym varchar, account_id varchar, erased_at timestamp"
)


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


@dataclass(frozen=True)
class Place:
    """A table or file that holds something of the subject: rows that go, rows that change."""

    where: str
    what: str
    removed: int
    changed: int


def make_plan(settings: Settings, subject: Subject) -> Plan:
    """Find what identifies a subject in the records of the warehouse; writes nothing.

    Raises `ErasureError` where no record knows it.
    """
    if not settings.warehouse_path.exists():
        raise ErasureError(f"there is no warehouse in {settings.home}: nothing was ever loaded")
    tombstones = Tombstones(settings.erasure_path)
    with _attached(settings.warehouse_path) as connection:
        return _Planner(connection, subject, tombstones).plan()


def preview(settings: Settings, plan: Plan) -> list[Place]:
    """Every place that holds something of the subject; writes nothing."""
    places = []
    with _attached(settings.warehouse_path) as connection:
        scrub = Scrub(connection, plan.handles)
        for schema, table, columns in _tables(connection, "warehouse"):
            if schema.startswith("raw_") and not table.startswith("_dlt"):
                relation = f"warehouse.{quoted(schema)}.{quoted(table)}"
                outcome = scrub.outcome(relation, columns, raw_rules(table, columns))
                places += _place("warehouse", f"{schema}.{table}", outcome)
    handles = published_handles(settings, plan)
    for database in _published_files(settings):
        with _attached(database) as connection:
            scrub = Scrub(connection, handles)
            for _, table, columns in _tables(connection, "warehouse"):
                outcome = scrub.outcome(
                    _published_relation(table), columns, published_rules(table, columns)
                )
                name = database.relative_to(settings.published_path)
                places += _place(f"publish {name}", table, outcome)
    search = Search(plan.handles, None)
    for path in _other_files(settings):
        if hits := sum(len(search.found_in(text)) for text in _texts_of(path)):
            places.append(Place("files", str(path.relative_to(settings.home)), 0, hits))
    return places


def erase(settings: Settings, plan: Plan, tell: Callable[[str], None]) -> list[str]:
    """Erase a subject; what is still found of it afterwards, of which there should be nothing.

    The caller holds the home folder. An erasure that was cut short is finished first.
    """
    pending = settings.erasure_path / "pending.json"
    for each in (_pending(pending), plan):
        if each is None:
            continue
        write_private(
            pending,
            json.dumps(
                {
                    "subject": asdict(each.subject),
                    "replacement": each.replacement,
                    "handles": [asdict(handle) for handle in each.handles],
                }
            ),
        )
        left = _erase(settings, each, tell)
        pending.unlink()
    return left


def has_pending(settings: Settings) -> bool:
    """Whether an erasure began and did not come to its end."""
    return (settings.erasure_path / "pending.json").exists()


def refuse_pending(settings: Settings) -> None:
    """Raise `NightError` where an erasure did not come to its end: it holds up the nights."""
    if has_pending(settings):
        raise NightError(
            "an erasure was cut short: bring it to its end with `account360 erase --resume`"
        )


def finish_pending(settings: Settings, tell: Callable[[str], None]) -> list[str]:
    """Take up an erasure that was cut short, and bring it to its end."""
    plan = _pending(settings.erasure_path / "pending.json")
    if plan is None:
        raise ErasureError("no erasure was cut short: there is nothing to resume")
    left = _erase(settings, plan, tell)
    (settings.erasure_path / "pending.json").unlink()
    return left


def _pending(path: Path) -> Plan | None:
    if not path.exists():
        return None
    said = json.loads(path.read_text("utf-8"))
    handles = [Handle(**handle) for handle in said["handles"]]
    return Plan(Subject(**said["subject"]), said["replacement"], handles)


def _erase(settings: Settings, plan: Plan, tell: Callable[[str], None]) -> list[str]:
    tombstones = Tombstones(settings.erasure_path)
    erasure = tombstones.erasures + 1
    # before anything else: from here on nothing of it lands any more
    tombstones.add((h for h in plan.handles if h.kind not in _PUBLISHED_ONLY), erasure)
    heal(settings)
    forget_standing(settings)
    tell("writing the warehouse anew")
    _rewrite_warehouse(settings, plan, erasure)
    handles = published_handles(settings, plan)
    for database in _published_files(settings):
        if _rewrite_publish(database, handles):
            tell(f"wrote {database.relative_to(settings.home)} anew")
    renew_history(settings)
    search = Search(plan.handles, None)
    cleansed = [path for path in _other_files(settings) if _cleanse(path, search)]
    if cleansed:
        tell(f"cleansed {len(cleansed)} files of logs and history")
    tell("searching every file")
    if settings.dagster_storage == "postgres":
        tell(
            "Dagster's history in Postgres is not cleansed: events of failed checks may hold rows; "
            "remove the runs up to now there (docs/operations.md, Postgres)"
        )
    return still_found(settings, plan)


# What only publishes are asked for: texts of a person's touchpoints and tickets, by their ids.
_PUBLISHED_ONLY = ("item",)

# Tables of people → the columns of published tables that go with the person.
_PERSON_COLUMNS = ("first_name", "last_name", "email", "title", "contact_id")


def published_rules(table: str, columns: Sequence[str]) -> Rules:
    """What of a published table goes."""
    present = set(columns)
    removed: list[tuple[str, str | None, str]] = [
        ("account", None, column)
        for column in ("account_id", "descendant_account_id")
        if column in present
    ]
    keyed = {
        column: (kind, replaced)
        for column, kind, replaced in (
            ("parent_account_id", "account", True),
            ("user_id", "user", True),
            ("entity_id", "user", True),
        )
        if column in present
    }
    emptied: dict[str, Sequence[str]] = {}
    if table == "account_hierarchy":
        removed.append(("account", None, "passes_through"))
    elif table == "account_users":
        keyed["contact_id"] = ("contact", False)
        emptied["user_id"] = _PERSON_COLUMNS
    elif table == "account_contacts":
        removed.append(("contact", "account_id", "contact_id"))
    elif table == "account_dimensions":
        del keyed["entity_id"]
        removed += [(kind, "account_id", "entity_id") for kind in ("user", "contact")]
    elif table == "account_touchpoints":
        keyed |= {"contact": ("contact", True), "interaction_id": ("item", True)}
        emptied["interaction_id"] = ("subject", "description")
    elif table == "account_tickets":
        keyed["ticket_id"] = ("item", True)
        emptied["ticket_id"] = ("subject",)
    elif table == "account_timeline":
        keyed["source_id"] = ("item", True)
        emptied["source_id"] = ("subject", "body", "search_text")
    elif table == "account_nps_responses":
        emptied["user_email"] = ("comment",)
    elif table == "audit_rejects":
        emptied["record"] = ("record",)
        removed += [("account", None, f"record_{column}") for column in _IDS_OF_ACCOUNTS]
        removed += [(kind, "record_account_id", f"record_{kind}_id") for kind in _PEOPLE]
    return Rules(removed, keyed, text_columns(columns), emptied)


def _published_relation(table: str) -> str:
    """A published table; a reject with the ids in its record, a path with who is on it."""
    relation = f"warehouse.main.{quoted(table)}"
    if table == "account_hierarchy":
        erased = "from handles where kind = 'account'"
        return (
            f"(select *, rowid, case when list_has_any(string_split(path, ' → '),"
            f" (select list(value) {erased})) then (select min(value) {erased}) end"
            f" as passes_through from {relation})"
        )
    if table != "audit_rejects":
        return relation
    ids = ", ".join(
        f"case when json_valid(record) then json_extract_string(record, '$.{name}') end"
        f" as record_{name}"
        for name in (*_IDS_OF_ACCOUNTS, *(f"{kind}_id" for kind in _PEOPLE))
    )
    return f"(select *, rowid, {ids} from {relation})"


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
            for schema, table, columns in _tables(connection, "warehouse")
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
        for schema, table, _ in _tables(self._connection, "warehouse"):
            if table == "landed_files":
                rows = self._rows(f"select distinct location from warehouse.{schema}.{table}")
                plan.remarks += [
                    f"landing file {location} has it in its name, which the ledger of loads keeps"
                    for (location,) in rows
                    if search.found_in(location)
                ]


def _emails(values: Iterable[str]) -> set[str]:
    return {value.strip().lower() for value in values if "@" in value.strip()[1:]}


def _place(where: str, what: str, outcome: Outcome) -> list[Place]:
    if not outcome.removed and not outcome.changed:
        return []
    return [Place(where, what, outcome.removed, outcome.changed)]


@contextmanager
def _attached(path: Path, name: str = "warehouse") -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection of its own that can read a database file."""
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(f"attach {literal(str(path))} as {name} (read_only)")
        yield connection


def _tables(
    connection: duckdb.DuckDBPyConnection, database: str
) -> list[tuple[str, str, list[str]]]:
    """Schema, table and columns of the tables of an attached database."""
    rows = connection.execute(
        "select tables.schema_name, tables.table_name,"
        " list(columns.column_name order by columns.column_index)"
        " from duckdb_tables() as tables inner join duckdb_columns() as columns"
        " using (database_name, schema_name, table_name)"
        " where tables.database_name = ? group by all order by all",
        [database],
    ).fetchall()
    return [(schema, table, columns) for schema, table, columns in rows]


def _rewrite_warehouse(settings: Settings, plan: Plan, erasure: int) -> None:
    """Copy raw and the memory of runs into a new file, without the subject, and swap it in."""
    target = settings.warehouse_path.with_suffix(".erasing")
    target.unlink(missing_ok=True)
    # what a crashed night left in its log has to be in the file before it is read
    with duckdb.connect(str(settings.warehouse_path)) as connection:
        connection.execute("checkpoint")
    with _attached(settings.warehouse_path) as connection:
        connection.execute(f"set memory_limit = {literal(settings.memory_limit)}")
        connection.execute(
            f"attach {literal(str(target))} as fresh (storage_version '{STORAGE_VERSION}')"
        )
        scrub = Scrub(connection, plan.handles)
        removed = []
        for schema, table, columns in _tables(connection, "warehouse"):
            if schema not in _KEPT_SCHEMAS:
                continue
            connection.execute(f"create schema if not exists fresh.{quoted(schema)}")
            _create_like(connection, schema, table)
            relation = f"warehouse.{quoted(schema)}.{quoted(table)}"
            is_records = schema.startswith("raw_") and not table.startswith("_dlt")
            outcome = (
                scrub.outcome(relation, columns, raw_rules(table, columns))
                if is_records and table != "landed_files"
                else Outcome()
            )
            connection.execute(
                f"insert into fresh.{quoted(schema)}.{quoted(table)}"
                f" {outcome.rest or f'from {relation}'}"
            )
            if outcome.removed:
                removed.append((schema, table, outcome.gone))
        for schema, table, gone in removed:
            _count_as_erased(connection, schema, table, str(gone))
        _note_erasure(connection, plan, erasure)
        connection.execute("checkpoint fresh")
        connection.execute("detach fresh")
    target.replace(settings.warehouse_path)


def _create_like(connection: duckdb.DuckDBPyConnection, schema: str, table: str) -> None:
    """Make an empty table as the warehouse has it."""
    row = connection.execute(
        "select sql from duckdb_tables() where database_name = 'warehouse' and schema_name = ?"
        " and table_name = ?",
        [schema, table],
    ).fetchone()
    connection.execute("use fresh")
    connection.execute(row[0] if row else "")
    connection.execute("use memory")


def _count_as_erased(
    connection: duckdb.DuckDBPyConnection, schema: str, table: str, gone: str
) -> None:
    """Say in the ledger how many records of each file went."""
    ledger = f"fresh.{quoted(schema)}.landed_files"
    connection.execute(f"alter table {ledger} add column if not exists erased_rows bigint")
    connection.execute(
        f"update {ledger} as ledger set erased_rows = coalesce(ledger.erased_rows, 0) + gone.rows"
        f" from (select _location, _load_number, count(*) as rows from ({gone}) group by all)"
        " as gone where ledger.entity = ? and ledger.location = gone._location"
        " and ledger.load_number = gone._load_number",
        [table],
    )


def _note_erasure(connection: duckdb.DuckDBPyConnection, plan: Plan, erasure: int) -> None:
    """Add the erasure to `run.erasures`: of a person's account what it is, of an account nothing
    but its pseudonym."""
    subject = plan.subject
    connection.execute("create schema if not exists fresh.run")
    connection.execute(f"create table if not exists fresh.run.erasures ({_ERASURES})")
    connection.execute(
        "insert into fresh.run.erasures values (?, ?, ?, ?, ?)",
        [
            erasure,
            "account" if subject.is_account else "person",
            plan.replacement,
            None if subject.is_account else subject.account,
            datetime.now(UTC).replace(tzinfo=None, microsecond=0),
        ],
    )


def _published_files(settings: Settings) -> list[Path]:
    return [
        folder / name
        for folder in publish_folders(settings)
        for name in (DATABASE, WITHOUT_PERSONAL_DATA)
        if (folder / name).exists()
    ]


def published_handles(settings: Settings, plan: Plan) -> list[Handle]:
    """The handles of a subject, and what they are where personal data is published as hashes."""
    salt = Salt(settings.erasure_path)
    found = list(plan.handles)
    for handle in plan.handles:
        if handle.kind in ("user", "contact"):
            value = hashed_text(handle.value, salt)
            found.append(Handle(handle.kind, handle.scope, value, handle.replacement))
        elif handle.kind == "email":
            value = in_words(hashed_text(handle.value, salt))
            found.append(Handle("text", "", value, handle.replacement))
    return found


def _rewrite_publish(database: Path, handles: Sequence[Handle]) -> bool:
    """Write a published file and its Parquet anew; whether anything of the subject stood in it."""
    folder = database.parent
    work = folder.with_name(f".erasing_{folder.name}")
    shutil.rmtree(work, ignore_errors=True)
    (work / "parquet").mkdir(parents=True)
    touched = []
    try:
        with duckdb.connect(str(work / database.name)) as connection:
            connection.execute("set TimeZone = 'UTC'")
            connection.execute(f"attach {literal(str(database))} as warehouse (read_only)")
            scrub = Scrub(connection, handles)
            for _, table, columns in _tables(connection, "warehouse"):
                relation = _published_relation(table)
                outcome = scrub.outcome(
                    relation, columns, published_rules(table, columns), order="rowid"
                )
                everything = f"from warehouse.main.{quoted(table)}"
                _copy_published(connection, table, outcome.rest or everything)
                if outcome.rest:
                    touched.append(table)
                    if database.name == DATABASE:
                        export_table(connection, table, work)
            if database.name != DATABASE and _takes_audit(connection, folder):
                touched.append(AUDIT_TABLE)
            if not touched:
                return False
            if database.name == DATABASE:
                renew_audit(connection, folder.name, work)
            copy_views(connection, "warehouse")
            connection.execute("detach warehouse")
            connection.execute("checkpoint")
        sums = file_sums(work)
        # the file that is looked into when an erasure is taken up again comes last
        for file in sorted((work / "parquet").iterdir()):
            file.replace(folder / "parquet" / file.name)
        if (folder / SUMS).exists():
            write_sums(folder, sums)
        (work / database.name).replace(database)
        return True
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _takes_audit(connection: duckdb.DuckDBPyConnection, folder: Path) -> bool:
    """Have the second file tell of the publish what the first tells by now; whether it did not."""
    connection.execute(f"attach {literal(str(folder / DATABASE))} as first (read_only)")
    audits = [f"(from {of}.main.{AUDIT_TABLE})" for of in ("first", "warehouse")]
    try:
        (differing,) = connection.execute(
            f"select count(*) from ({audits[0]} except {audits[1]})"
        ).fetchone() or (0,)
        if differing:
            connection.execute(f"delete from {AUDIT_TABLE}")
            connection.execute(f"insert into {AUDIT_TABLE} from first.main.{AUDIT_TABLE}")
    finally:
        connection.execute("detach first")
    return bool(differing)


def _copy_published(connection: duckdb.DuckDBPyConnection, table: str, query: str) -> None:
    """Make a table of a publish as it was made, with what the query gives, in its order."""
    row = connection.execute(
        "select sql, comment from duckdb_tables() where database_name = 'warehouse'"
        " and table_name = ?",
        [table],
    ).fetchone()
    connection.execute(row[0] if row else "")
    connection.execute(f"insert into {quoted(table)} {query}")
    if row and row[1]:
        connection.execute(f"comment on table {quoted(table)} is {literal(row[1])}")
    for column, comment in connection.execute(
        "select column_name, comment from duckdb_columns() where database_name = 'warehouse'"
        " and table_name = ? and comment is not null",
        [table],
    ).fetchall():
        connection.execute(
            f"comment on column {quoted(table)}.{quoted(column)} is {literal(comment)}"
        )


def _other_files(settings: Settings) -> list[Path]:
    """Every file of the home folder but databases, publishes, landing files and tombstones."""
    apart = [settings.landing, settings.published_path, settings.erasure_path]
    noted = rollbacks_path(settings)
    return [
        path
        for path in sorted(settings.home.rglob("*"))
        if path.is_file()
        and not path.is_symlink()
        and path != settings.warehouse_path
        and not _is_beside_sqlite(path)
        and (path == noted or not any(path.is_relative_to(folder) for folder in apart))
    ]


def _is_beside_sqlite(path: Path) -> bool:
    """Whether a file is SQLite's own, beside a database: opening that takes in what it says."""
    name, mark, kind = path.name.rpartition("-")
    return bool(mark) and kind in ("wal", "shm", "journal") and path.with_name(name).exists()


def _texts_of(path: Path) -> Iterator[str]:
    """What a file says: its bytes as text, or what stands in it where it is a database."""
    data = path.read_bytes()
    if data.startswith(_SQLITE):
        # freed pages too
        yield _decoded(data)
        with closing(sqlite3.connect(path)) as connection:
            for table, columns in _sqlite_tables(connection):
                for column in columns:
                    for (value,) in connection.execute(
                        f"select {quoted(column)} from {quoted(table)}"
                    ):
                        if isinstance(value, str | bytes):
                            yield value if isinstance(value, str) else _decoded(value)
        return
    if data.startswith(_GZIP):
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError):
            yield _decoded(data)
            return
    yield _decoded(data)


def _decoded(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _cleanse(path: Path, search: Search) -> bool:
    """Take what was erased out of a file; whether there was anything.

    A file of bytes that are no text cannot be changed and goes: it is a cache of dbt's.
    """
    if not any(search.found_in(text) for text in _texts_of(path)):
        return False
    data = path.read_bytes()
    if data.startswith(_SQLITE):
        _cleanse_sqlite(path, search)
        return True
    is_compressed = data.startswith(_GZIP)
    text = gzip.decompress(data) if is_compressed else data
    if b"\x00" in text:
        path.unlink()
        return True
    new = search.scrubbed(_decoded(text)).encode("utf-8", "surrogateescape")
    temporary = path.with_name(f".{path.name}.new")
    temporary.write_bytes(gzip.compress(new) if is_compressed else new)
    shutil.copymode(path, temporary)
    temporary.replace(path)
    return True


def _sqlite_tables(connection: sqlite3.Connection) -> list[tuple[str, list[str]]]:
    names = [
        name
        for (name,) in connection.execute(
            "select name from sqlite_master where type = 'table' and name not like 'sqlite_%'"
        ).fetchall()
    ]
    return [
        (name, [row[1] for row in connection.execute(f"pragma table_info({quoted(name)})")])
        for name in names
    ]


def _cleanse_sqlite(path: Path, search: Search) -> None:
    """Change the texts of Dagster's history, and write the file anew."""
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.create_function("scrubbed", 1, search.scrubbed, deterministic=True)
        for table, columns in _sqlite_tables(connection):
            for column in columns:
                name = quoted(column)
                connection.execute(
                    f"update {quoted(table)} set {name} = scrubbed({name})"
                    f" where typeof({name}) = 'text' and scrubbed({name}) <> {name}"
                )
        connection.commit()
        connection.execute("pragma wal_checkpoint(truncate)")
        connection.execute("vacuum into ?", [str(temporary)])
    for leftover in (path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")):
        leftover.unlink(missing_ok=True)
    temporary.replace(path)


def still_found(settings: Settings, plan: Plan) -> list[str]:
    """Where something that identifies the subject everywhere still stands, landing files apart."""
    handles = [h for h in plan.handles if h.kind == "email" or (h.kind == "text" and not h.scope)]
    search = Search(handles, "")
    if not handles:
        return []
    found = []
    databases = [settings.warehouse_path]
    databases += _published_files(settings)
    for database in databases:
        with _attached(database) as connection:
            scrub = Scrub(connection, handles)
            for schema, table, columns in _tables(connection, "warehouse"):
                relation = f"warehouse.{quoted(schema)}.{quoted(table)}"
                found += [
                    f"{database.relative_to(settings.home)}: {schema}.{table}.{column}"
                    for column in scrub.columns_that_hold(relation, columns)
                ]
    for path in _other_files(settings):
        if any(search.found_in(text) for text in _texts_of(path)):
            found.append(str(path.relative_to(settings.home)))
    for path in sorted(settings.published_path.rglob("*")):
        if path.is_file() and search.found_in(str(path.name)):
            found.append(str(path.relative_to(settings.home)))
    return found
