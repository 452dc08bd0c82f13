"""What a publish says of itself: its row of `audit_publishes`, the checks before it, its hashes.

The history stands in `run.publishes` of the warehouse and, up to itself, in the table
`audit_publishes` of every publish.
"""

# ruff: noqa: S608 (identifiers and texts in the SQL of this module are quoted or bound)

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from ingestion.erased import Salt
from ingestion.sql import count_rows, literal, quoted
from orchestration.content import content_hash, engine_version, table_hashes, write_sums
from orchestration.manifest import PublishedTable
from orchestration.publishing.folder import (
    DATABASE,
    WITHOUT_PERSONAL_DATA,
    PublishError,
    candidate_path,
    publish_folders,
)
from orchestration.publishing.tables import describe, export_table, hashed_text
from orchestration.rollbacks import Rollback, read_rollbacks
from settings import PROJECT_ROOT, Settings

AUDIT_TABLE = "audit_publishes"
CHECKS_TABLE = "audit_checks"
_AUDIT_COLUMNS = {
    "publish_id": ("varchar", "Name of the publish: as-of date, UTC instant and run."),
    "as_of_date": ("date", "First day that is not complete in its figures."),
    "run_id": ("varchar", "Dagster's id of the run that made it."),
    "code_version": ("varchar", "Version of account360, with the commit where git knows it."),
    "published_at": ("timestamp", "UTC instant at which it was sealed."),
    "tables": ("bigint", "Published tables, this one included."),
    "rows": ("bigint", "Rows in all of them, this table's up to this publish included."),
    "checks_passed": ("bigint", "Asset checks that passed before it: arrival, dbt, release."),
    "engine_version": ("varchar", "Version of DuckDB; hashes of content compare within one."),
    "content_hash": (
        "varchar",
        "Hash of all tables but those that tell of runs: the same for the same content.",
    ),
    "table_hashes": (
        "varchar",
        "Hash of the rows of each table but this one, whatever their order: JSON by table.",
    ),
}
_ROLLBACK_COLUMNS = {
    "rolled_back_at": ("timestamp", "UTC instant at which readers were led back."),
    "rolled_back_by": ("varchar", "User of the operating system who did it."),
    "from_publish": ("varchar", "Publish that readers saw until then; NULL if there was none."),
    "to_publish": ("varchar", "Publish that they were led to."),
    "reason": ("varchar", "What was said of it; NULL if nothing was."),
    "publish_id": ("varchar", "The publish in which this row stands, as in audit_publishes."),
    "as_of_date": ("date", "First day that is not complete in its figures."),
}
_CHECK_COLUMNS = {
    "table_name": (
        "varchar",
        "What it looked at: a model by its name, landed files as schema.table, or the candidate.",
    ),
    "check_name": ("varchar", "Name of the check: a test of dbt, or a set of expectations."),
    "is_blocking": ("boolean", "Whether nothing is published where it fails."),
    "has_passed": ("boolean", "Whether it passed; one that did not is worth a look."),
    "finding": ("varchar", "What a release or arrival check found; NULL where it passed."),
    "accepted_by": ("varchar", "Who had it published although it failed; NULL where nobody."),
    "accepted_reason": ("varchar", "Why."),
    "accepted_at": ("timestamp", "UTC instant at which it was let through."),
    "publish_id": ("varchar", "The publish, as in audit_publishes."),
    "as_of_date": ("date", "First day that is not complete in its figures."),
}
_PUBLISHES = PublishedTable(
    AUDIT_TABLE,
    ("publish_id",),
    "One row per publish: which run, as-of date and code version made it.",
    {name: description for name, (_, description) in _AUDIT_COLUMNS.items()},
)
_CHECKS = PublishedTable(
    CHECKS_TABLE,
    ("table_name", "check_name"),
    "One row per table and check of it that the run made before this publish.",
    {name: description for name, (_, description) in _CHECK_COLUMNS.items()},
)
_ROLLBACKS = PublishedTable(
    "audit_rollbacks",
    ("rolled_back_at", "to_publish"),
    "One row per rollback: who led readers back to an earlier publish, when and why.",
    {name: description for name, (_, description) in _ROLLBACK_COLUMNS.items()},
    personal=frozenset({"rolled_back_by", "reason"}),
)


class Check(NamedTuple):
    """One check of the run before its publish, on a table: what `audit_checks` tells of it."""

    table: str
    name: str
    is_blocking: bool
    has_passed: bool
    finding: str | None = None
    accepted_by: str | None = None
    accepted_reason: str | None = None
    accepted_at: datetime | None = None


@dataclass(frozen=True)
class Publish:
    """What is told of a publish: a row of `audit_publishes` but for its counts, and its checks."""

    as_of: date
    run_id: str
    code_version: str
    published_at: datetime
    checks: tuple[Check, ...]

    @property
    def publish_id(self) -> str:
        """As-of date first, then the instant: sorts by what it says, then by when it was said."""
        return f"{self.as_of}_{self.published_at:%Y%m%dT%H%M%SZ}_{self.run_id[:8]}"


def own_columns() -> list[tuple[str, tuple[list[str], dict[str, str]]]]:
    """The tables that a publish is sealed with: key, and columns with their types."""
    return [
        (table.name, (list(table.grain), {name: kind for name, (kind, _) in columns.items()}))
        for table, columns in ((_PUBLISHES, _AUDIT_COLUMNS), (_CHECKS, _CHECK_COLUMNS))
    ]


@cache
def code_version() -> str:
    """The version of this distribution, with the git commit where there is one; asked for once."""
    number = version("account360")
    try:
        commit = subprocess.run(
            ["git", "-C", str(PROJECT_ROOT), "describe", "--always", "--dirty", "--abbrev=12"],  # noqa: S607
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:
        return number
    return f"{number}+{commit.stdout.strip()}" if commit.returncode == 0 else number


def seal(settings: Settings, publish: Publish) -> tuple[int, int]:
    """Write `audit_publishes` (the history and this publish), `audit_checks` and `audit_rollbacks`,
    and what everything comes to: counts, hashes and `SHA256SUMS`.
    """
    folder = candidate_path(settings)
    with history_of(settings) as connection:
        history = connection.execute(
            f"select {', '.join(quoted(name) for name in _AUDIT_COLUMNS)} "
            "from run.publishes order by publish_id"
        ).fetchall()
    with duckdb.connect(str(folder / DATABASE)) as connection:
        stored = connection.execute("select table_name from duckdb_tables()").fetchall()
        names = [name for (name,) in stored]
        checks = [
            (*check, publish.publish_id, publish.as_of)
            for check in sorted(set(publish.checks), key=lambda check: check[:4])
        ]
        rollbacks = [
            (*each, publish.publish_id, publish.as_of) for each in _rollbacks_as_published(settings)
        ]
        _write(connection, folder, _CHECKS, _CHECK_COLUMNS, checks)
        _write(connection, folder, _ROLLBACKS, _ROLLBACK_COLUMNS, rollbacks)
        hashes = table_hashes(connection, [*names, _CHECKS.name, _ROLLBACKS.name])
        tables = len(names) + 3
        rows = sum(count_rows(connection, quoted(name)) for name in names)
        rows += len(checks) + len(rollbacks) + len(history) + 1
        own = (
            publish.publish_id,
            publish.as_of,
            publish.run_id,
            publish.code_version,
            publish.published_at.replace(tzinfo=None),
            tables,
            rows,
            sum(check.has_passed for check in set(publish.checks)),
            engine_version(),
            content_hash(hashes),
            json.dumps(hashes),
        )
        # by the id, which no other has: what follows may be NULL
        told = sorted([*history, own], key=lambda row: row[0])
        _write(connection, folder, _PUBLISHES, _AUDIT_COLUMNS, told)
    if (folder / WITHOUT_PERSONAL_DATA).exists():
        _add_own_tables(folder)
    write_sums(folder)
    return tables, rows


# What an erasure changes in a publish's row of its audit.
_RENEWED = ("rows", "engine_version", "content_hash", "table_hashes")


def renew_audit(connection: duckdb.DuckDBPyConnection, publish_id: str, folder: Path) -> None:
    """Bring a publish's own row of `audit_publishes` into step with tables that were changed.

    `connection` is open on its DuckDB file, `folder` holds what goes with it. A publish of an
    earlier version has no hashes, and gets none.
    """
    stored = connection.execute(
        "select table_name from duckdb_tables() where database_name = current_database()"
    ).fetchall()
    names = [name for (name,) in stored]
    columns = {row[0] for row in connection.execute(f"describe {AUDIT_TABLE}").fetchall()}
    if AUDIT_TABLE not in names or not columns >= set(_RENEWED):
        return
    hashes = table_hashes(connection, set(names) - {AUDIT_TABLE})
    rows = sum(count_rows(connection, quoted(name)) for name in names)
    connection.execute(
        f"update {AUDIT_TABLE} set {', '.join(f'{quoted(name)} = ?' for name in _RENEWED)}"
        " where publish_id = ? and table_hashes is not null",
        [rows, engine_version(), content_hash(hashes), json.dumps(hashes), publish_id],
    )
    export_table(connection, AUDIT_TABLE, folder)


def renew_history(settings: Settings) -> None:
    """Bring `run.publishes` into step with what the publishes say of themselves."""
    with history_of(settings) as connection:
        for folder in publish_folders(settings):
            connection.execute(f"attach {literal(folder / DATABASE)} as renewed (read_only)")
            columns = {
                row[0] for row in connection.execute(f"describe renewed.{AUDIT_TABLE}").fetchall()
            }
            if columns >= set(_RENEWED):
                own = ", ".join(f"{quoted(name)} = own.{quoted(name)}" for name in _RENEWED)
                connection.execute(
                    f"update run.publishes set {own} from renewed.{AUDIT_TABLE} as own"
                    " where own.publish_id = ? and publishes.publish_id = own.publish_id",
                    [folder.name],
                )
            connection.execute("detach renewed")


def _rollbacks_as_published(settings: Settings) -> list[Rollback]:
    """The rollbacks so far, their personal data as the settings want it."""
    found = read_rollbacks(settings)
    if settings.publish_personal_data == "plain" or not found:
        return found
    salt = Salt(settings.erasure_path)
    return [
        each._replace(
            rolled_back_by=hashed_text(each.rolled_back_by, salt),
            reason=each.reason and hashed_text(each.reason, salt),
        )
        for each in found
    ]


def _write(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    table: PublishedTable,
    columns: Mapping[str, tuple[str, str]],
    rows: Sequence[tuple[Any, ...]],
) -> None:
    """Write a table of the publisher's own into the candidate, described as the others are."""
    connection.execute(f"create table {quoted(table.name)} ({_definition(columns)})")
    if rows:
        marks = ", ".join("?" for _ in columns)
        connection.executemany(f"insert into {quoted(table.name)} values ({marks})", rows)
    describe(connection, table)
    export_table(connection, table.name, folder)


def _add_own_tables(folder: Path) -> None:
    """Take what the publisher itself wrote into the candidate into the second file as well."""
    with duckdb.connect(str(folder / WITHOUT_PERSONAL_DATA)) as connection:
        connection.execute(f"attach {literal(folder / DATABASE)} as first (read_only)")
        tables = connection.execute(
            """
            select table_name, comment
            from duckdb_tables()
            where database_name = 'first' and table_name not in (
                select table_name from duckdb_tables() where database_name = current_database()
            )
            order by table_name
            """
        ).fetchall()
        for name, description in tables:
            columns = connection.execute(
                "select column_name, comment from duckdb_columns()"
                " where database_name = 'first' and table_name = ?",
                [name],
            ).fetchall()
            personal = _ROLLBACKS.personal if name == _ROLLBACKS.name else ()
            emptied = ", ".join(f"cast(null as varchar) as {quoted(column)}" for column in personal)
            replaced = f"* replace ({emptied})" if emptied else "*"
            connection.execute(
                f"create table {quoted(name)} as select {replaced} from first.main.{quoted(name)}"
            )
            describe(connection, PublishedTable(name, (), description, dict(columns)))


@contextmanager
def history_of(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """The warehouse, with `run.publishes` in it."""
    with duckdb.connect(str(settings.warehouse_path)) as connection:
        connection.execute("create schema if not exists run")
        connection.execute(
            f"create table if not exists run.publishes ({_definition(_AUDIT_COLUMNS)})"
        )
        # a warehouse of an earlier version lacks some
        for name, (kind, _) in _AUDIT_COLUMNS.items():
            connection.execute(
                f"alter table run.publishes add column if not exists {quoted(name)} {kind}"
            )
        yield connection


def newest_first(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """The publishes that the history knows, the one published last first."""
    rows = connection.execute(
        "select publish_id from run.publishes order by published_at desc, publish_id desc"
    ).fetchall()
    return [publish_id for (publish_id,) in rows]


def adopt(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Take the history that a publish carries into the warehouse's."""
    try:
        connection.execute(f"attach {literal(folder / DATABASE)} as adopted (read_only)")
        kept = connection.execute(f"describe adopted.{AUDIT_TABLE}").fetchall()
        # Another version of the code may have known fewer columns, or more.
        names = ", ".join(quoted(name) for name, *_ in kept if name in _AUDIT_COLUMNS)
        connection.execute(
            f"insert into run.publishes by name select {names} from adopted.{AUDIT_TABLE} "
            "where publish_id not in (select publish_id from run.publishes)"
        )
        connection.execute("detach adopted")
    except duckdb.Error as error:
        raise PublishError(
            f"{folder / DATABASE} cannot be read ({error}): remove the links in {folder.parent} "
            "that lead to it, and run again"
        ) from error


def _definition(columns: Mapping[str, tuple[str, str]]) -> str:
    return ", ".join(f"{quoted(name)} {kind}" for name, (kind, _) in columns.items())
