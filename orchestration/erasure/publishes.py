"""Kept publishes without who was erased: written anew where they hold it."""

# ruff: noqa: S608 (identifiers and texts in the SQL of this module are quoted or bound)

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import duckdb

from ingestion.erased import Handle, Rules, Salt, Scrub, in_words, text_columns
from ingestion.sql import literal, quoted
from orchestration.content import SUMS, file_sums, write_sums
from orchestration.erasure.databases import tables_of
from orchestration.erasure.plan import IDS_OF_ACCOUNTS, PEOPLE, Plan
from orchestration.publishing import (
    AUDIT_TABLE,
    DATABASE,
    WITHOUT_PERSONAL_DATA,
    copy_views,
    export_table,
    hashed_text,
    publish_folders,
    renew_audit,
)
from settings import Settings

# What only publishes are asked for: texts of a person's touchpoints and tickets, by their ids.
PUBLISHED_ONLY = ("item",)
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
        removed += [("account", None, f"record_{column}") for column in IDS_OF_ACCOUNTS]
        removed += [(kind, "record_account_id", f"record_{kind}_id") for kind in PEOPLE]
    return Rules(removed, keyed, text_columns(columns), emptied)


def published_relation(table: str) -> str:
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
        for name in (*IDS_OF_ACCOUNTS, *(f"{kind}_id" for kind in PEOPLE))
    )
    return f"(select *, rowid, {ids} from {relation})"


def published_files(settings: Settings) -> list[Path]:
    """The DuckDB files of all kept publishes."""
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


def rewrite_publish(database: Path, handles: Sequence[Handle]) -> bool:
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
            for _, table, columns in tables_of(connection, "warehouse"):
                relation = published_relation(table)
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
