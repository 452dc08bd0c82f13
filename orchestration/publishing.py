"""Write, audit, publish: how the warehouse becomes the file that readers open.

`published/` holds one folder per publish and links to some of them:

    .candidate/             what is being built and checked; no reader looks at it
    <publish_id>/           a publish: account360.duckdb and parquet/, complete, and changed by
                            nothing but an erasure; account360_without_personal_data.duckdb beside;
                            SHA256SUMS of all these
    current                 link to the publish that readers see; swapped atomically
    as_of=<date>            link to the publish of an as-of date before the current one's, or of
                            any that was backfilled
    rollbacks.jsonl         who led `current` back to which publish, and when (rollbacks.py)

A link is swapped, never a file: open readers keep what they have, every new connection sees the
new publish. The history stands in `run.publishes` of the warehouse and, up to itself, in the table
`audit_publishes` of every publish; the checks before it stand in its `audit_checks`. A run may be
killed between any two steps: `heal` removes what was not finished and records what was.
"""

# ruff: noqa: S608 (identifiers and texts in the SQL of this module are quoted or bound)

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from functools import cache
from graphlib import TopologicalSorter
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from ingestion.erased import Salt
from orchestration.content import (
    content_hash,
    engine_version,
    note_standing,
    table_hashes,
    write_sums,
)
from orchestration.manifest import PublishedTable
from orchestration.rollbacks import Rollback, read_rollbacks
from settings import PROJECT_ROOT, Settings

DATABASE = "account360.duckdb"
# The second file: personal data is NULL in it, and hashed where it identifies a row.
WITHOUT_PERSONAL_DATA = "account360_without_personal_data.duckdb"
AUDIT_TABLE = "audit_publishes"
CHECKS_TABLE = "audit_checks"

_AS_OF_LINK = "as_of="
# A publish on its way out, which readers no longer see.
_GONE = ".gone_"
_PUBLISH_ID = re.compile(r"\d{4}-\d{2}-\d{2}_\d{8}T\d{6}Z_\w{8}")
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

# The row of accounts without a CSM, in the place of an address.
NOBODY = "(unassigned)"


class Lead(StrEnum):
    """Where readers are led by a publish."""

    BY_DATE = "by date"
    """To it as `current`, unless that is of a later as-of date: then beside, by `as_of=<date>`."""
    CURRENT = "current"
    """To it as `current`, whatever its as-of date."""
    BESIDE = "beside"
    """By `as_of=<date>` alone; `current` stays as it is, also where there is none: a backfill."""


class PublishError(RuntimeError):
    """Something in the folder of publishes stands in the way; the message says what to do."""


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


@dataclass(frozen=True)
class Published:
    """Where a publish went: its folder, and the links that now lead to it."""

    publish_id: str
    folder: Path
    links: tuple[str, ...]
    tables: int
    rows: int

    @property
    def is_current(self) -> bool:
        """Whether readers of `published/current` see it."""
        return "current" in self.links


def own_columns() -> list[tuple[str, tuple[list[str], dict[str, str]]]]:
    """The tables that a publish is sealed with: key, and columns with their types."""
    return [
        (table.name, (list(table.grain), {name: kind for name, (kind, _) in columns.items()}))
        for table, columns in ((_PUBLISHES, _AUDIT_COLUMNS), (_CHECKS, _CHECK_COLUMNS))
    ]


def candidate_path(settings: Settings) -> Path:
    """The folder of the publish that is being built."""
    return settings.published_path / ".candidate"


def current_publish(settings: Settings) -> Path | None:
    """The folder that readers see, or None before the first publish."""
    return _target(settings.current_path)


def previous_publish(settings: Settings, as_of: date, lead: Lead = Lead.BY_DATE) -> Path | None:
    """The publish that one of `as_of` is compared with: what readers see, if it is not of a later
    date; else the last one of the latest date up to then that is still kept; else None.

    One that goes beside is always compared with the latest date: the one backfilled before it.
    """
    current = current_publish(settings)
    if current and publish_as_of(current) <= as_of and lead is not Lead.BESIDE:
        return current
    earlier = [folder for folder in kept_publishes(settings) if publish_as_of(folder) <= as_of]
    return max(earlier, key=lambda folder: folder.name, default=None)


def kept_publishes(settings: Settings) -> list[Path]:
    """The folders of all publishes that still stand there, the one published last first."""
    if not settings.published_path.is_dir():
        return []
    return sorted(publish_folders(settings), key=lambda folder: folder.name[10:], reverse=True)


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


def build_candidate(settings: Settings, tables: Sequence[PublishedTable]) -> dict[str, int]:
    """Copy the warehouse's schema `published` into a new candidate; rows by table.

    Tables are written in key order, so that the same content is the same sequence of rows, and
    carry the descriptions of the dbt project. Views over them stay views, in the DuckDB file only,
    and have no rows of their own. A table that the warehouse lacks is left out: the release checks
    tell.
    """
    heal(settings)
    folder = candidate_path(settings)
    (folder / "parquet").mkdir(parents=True)
    rows = {}
    with duckdb.connect(str(folder / DATABASE)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("set memory_limit = ?", [settings.memory_limit])
        connection.execute(f"attach {_text(settings.warehouse_path)} as warehouse (read_only)")
        existing = _warehouse_tables(connection)
        for table in tables:
            if table.name not in existing or table.view_of is not None:
                continue
            order = ", ".join(_name(column) for column in table.grain)
            connection.execute(
                f"create table {_name(table.name)} as "
                f"from {_as_published(connection, settings, table)} order by {order}"
            )
            describe(connection, table)
            rows[table.name] = export_table(connection, table.name, folder)
        views = _warehouse_views(connection)
        connection.execute("detach warehouse")
        for view in _views_in_order(tables):
            if view.name in views:
                connection.execute(f"create view {_name(view.name)} as {views[view.name]}")
                describe(connection, view)
    if settings.publish_without_personal_data:
        _write_without_personal_data(settings, folder, tables)
    return rows


def _views_in_order(tables: Sequence[PublishedTable]) -> list[PublishedTable]:
    """The views among the published tables, each after those that it selects from."""
    views = {table.name: table for table in tables if table.view_of is not None}
    order = TopologicalSorter({name: view.view_of or () for name, view in views.items()})
    return [views[name] for name in order.static_order() if name in views]


def _warehouse_views(connection: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """The queries of the views in the warehouse's schema `published`, by name.

    As the engine wrote them down, but for the name of the warehouse: a name without a database is
    looked for where the view stands, so that the file may be moved and be given another name.
    """
    rows = connection.execute(
        """
        select view_name, sql
        from duckdb_views()
        where database_name = 'warehouse' and schema_name = 'published'
        """
    ).fetchall()
    return {
        name: definition.partition(" AS ")[2].replace("warehouse.published.", "")
        for name, definition in rows
    }


def _as_published(
    connection: duckdb.DuckDBPyConnection, settings: Settings, table: PublishedTable
) -> str:
    """A published table of the warehouse, with its personal data as the settings want it."""
    relation = f"warehouse.published.{_name(table.name)}"
    if settings.publish_personal_data == "plain" or not table.personal:
        return relation
    hashes = _hashes(connection, settings, relation, table.personal)
    return f"(select * replace ({', '.join(hashes.values())}) from {relation})"


def _hashes(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    relation: str,
    columns: Iterable[str],
) -> dict[str, str]:
    """Column → what it is replaced by so that nobody can read it, and equal values stay equal."""
    kinds = {row[0]: row[1] for row in connection.execute(f"describe {relation}").fetchall()}
    found = {}
    for column in sorted(set(columns) & kinds.keys()):
        name = _name(column)
        value = (
            f"list_transform({name}, lambda each: {hashed('each', Salt(settings.erasure_path))})"
            if kinds[column] == "VARCHAR[]"
            else hashed(name, Salt(settings.erasure_path))
        )
        found[column] = f"{value} as {name}"
    return found


def hashed(value: str, salt: Salt) -> str:
    """The SQL of the salted hash of a text: addresses as they compare, nobody's row as it is."""
    compared = f"case when contains({value}, '@') then lower(trim({value})) else {value} end"
    return (
        f"case when {value} = '{NOBODY}' then {value} when {value} is not null"
        f" then 'hashed-' || left({salt.sql('published', _text(''), compared)}, 24) end"
    )


def hashed_text(value: str, salt: Salt) -> str:
    """The same of a text that is no SQL."""
    compared = value.strip().lower() if "@" in value else value
    return f"hashed-{salt.hash('published', '', compared)[:24]}"


def _write_without_personal_data(
    settings: Settings, folder: Path, tables: Sequence[PublishedTable]
) -> None:
    """Write the second file: every table and view of the first, and nobody's personal data."""
    by_name = {table.name: table for table in tables}
    with duckdb.connect(str(folder / WITHOUT_PERSONAL_DATA)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("set memory_limit = ?", [settings.memory_limit])
        connection.execute(f"attach {_text(folder / DATABASE)} as first (read_only)")
        for (name,) in connection.execute(
            "select table_name from duckdb_tables() where database_name = 'first' order by 1"
        ).fetchall():
            table = by_name[name]
            relation = f"first.main.{_name(name)}"
            replaced = _hashes(connection, settings, relation, table.personal)
            for column in replaced.keys() - set(table.grain):
                replaced[column] = f"case when false then {_name(column)} end as {_name(column)}"
            if settings.publish_personal_data == "hashed":
                # what identifies a row is hashed already
                replaced = {c: v for c, v in replaced.items() if c not in table.grain}
            selected = f"* replace ({', '.join(replaced.values())})" if replaced else "*"
            order = ", ".join(_name(column) for column in table.grain)
            connection.execute(
                f"create table {_name(name)} as"
                f" from (select {selected} from {relation}) order by {order}"
            )
            describe(connection, table)
        copy_views(connection, "first")


def copy_views(connection: duckdb.DuckDBPyConnection, attached: str) -> None:
    """Make the views of an attached published file in the one that is being written."""
    waiting = [
        sql
        for (sql,) in connection.execute(
            "select sql from duckdb_views() where database_name = ? and not internal",
            [attached],
        ).fetchall()
    ]
    # A file does not say in which order they were made: one that selects from another waits for it.
    while waiting:
        left = [sql for sql in waiting if not _is_made(connection, sql)]
        if len(left) == len(waiting):
            connection.execute(left[0])
        waiting = left


def _is_made(connection: duckdb.DuckDBPyConnection, sql: str) -> bool:
    try:
        connection.execute(sql)
    except duckdb.CatalogException:
        return False
    return True


def warehouse_rows(settings: Settings, tables: Sequence[PublishedTable]) -> dict[str, int]:
    """Rows of each published table as it stands in the warehouse; 0 where it lacks one.

    Views over published tables have no rows of their own and are left out.
    """
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as connection:
        existing = {
            name
            for (name,) in connection.execute(
                "select table_name from information_schema.tables where table_schema = 'published'"
            ).fetchall()
        }
        return {
            table.name: _count(connection, f"published.{_name(table.name)}")
            if table.name in existing
            else 0
            for table in tables
            if table.view_of is None
        }


def parquet_rows(folder: Path) -> dict[str, int]:
    """Rows of each Parquet file of a publish, as its footer tells."""
    with duckdb.connect() as connection:
        return {
            file.stem: _count(connection, f"read_parquet({_text(file)})")
            for file in sorted((folder / "parquet").glob("*.parquet"))
        }


def publish_candidate(settings: Settings, publish: Publish, lead: Lead) -> Published:
    """Seal the candidate with its row of `audit_publishes`, name it, and lead readers to it.

    `lead` says by which links. Keeps the newest `kept_publishes` and whatever is linked.
    """
    current = current_publish(settings)
    is_older = current is not None and publish.as_of < publish_as_of(current)
    goes_beside = lead is Lead.BESIDE or (lead is Lead.BY_DATE and is_older)
    folder = settings.published_path / publish.publish_id
    tables, rows = _seal(settings, publish)
    _sync(candidate_path(settings))
    candidate_path(settings).rename(folder)
    _sync_folder(settings.published_path)

    links = []
    beside = settings.published_path / f"{_AS_OF_LINK}{publish.as_of}"
    if goes_beside or is_older or beside.is_symlink():
        _lead(settings, beside, folder)
        links.append(beside.name)
    if not goes_beside:
        _lead(settings, settings.current_path, folder)
        links.append(settings.current_path.name)

    heal(settings)
    with _history(settings) as connection:
        note_standing(connection, publish.publish_id)
    _prune(settings)
    return Published(publish.publish_id, folder, tuple(links), tables, rows)


def heal(settings: Settings) -> None:
    """Bring folder and history into step after a run that ended anywhere.

    A folder that a link leads to was published, and so was one that readers were led away from: its
    row goes into `run.publishes` if it is not there. A folder that no link leads to and no history
    knows never was, and goes.
    """
    published = settings.published_path
    published.mkdir(parents=True, exist_ok=True)
    with links_held(settings):
        for pattern in (".candidate", ".current", f".{_AS_OF_LINK}*", f"{_GONE}*"):
            for leftover in published.glob(pattern):
                _remove(leftover)
        seen = _linked(settings) | _rolled_back(settings)
    with _history(settings) as connection:
        for folder in sorted(seen):
            if folder.name not in _newest_first(connection):
                _adopt(connection, folder)
        known = _newest_first(connection)
    with links_held(settings):
        seen |= _linked(settings)
        gone = [
            _take_away(folder)
            for folder in publish_folders(settings)
            if folder not in seen and folder.name not in known
        ]
    for folder in gone:
        _remove(folder)


def _rolled_back(settings: Settings) -> set[Path]:
    """The publishes that rollbacks led away from or to, as far as they are kept."""
    named = {
        name for each in read_rollbacks(settings) for name in (each.from_publish, each.to_publish)
    }
    return {folder for folder in publish_folders(settings) if folder.name in named}


@contextmanager
def links_held(settings: Settings) -> Iterator[None]:
    """Hold the links: a rollback swaps one while a night may be publishing. Held for an instant."""
    with (settings.home / "links.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _take_away(folder: Path) -> Path:
    """Take a publish out of the sight of readers, at once: removing its files takes a while."""
    gone = folder.with_name(f"{_GONE}{folder.name}")
    folder.rename(gone)
    return gone


def _adopt(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Take the history that a publish carries into the warehouse's."""
    try:
        connection.execute(f"attach {_text(folder / DATABASE)} as adopted (read_only)")
        kept = connection.execute(f"describe adopted.{AUDIT_TABLE}").fetchall()
        # Another version of the code may have known fewer columns, or more.
        names = ", ".join(_name(name) for name, *_ in kept if name in _AUDIT_COLUMNS)
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


def _prune(settings: Settings) -> None:
    """Remove the oldest publishes that no link leads to, beyond `kept_publishes`."""
    with _history(settings) as connection:
        newest_first = _newest_first(connection)
    with links_held(settings):
        by_name = {folder.name: folder for folder in publish_folders(settings)}
        beside = {target for target in map(_target, _as_of_links(settings)) if target}
        current = current_publish(settings)
        # What stands beside is kept for its own sake and does not count against the kept ones.
        candidates = [
            by_name[name]
            for name in newest_first
            if name in by_name and by_name[name] not in beside and by_name[name] != current
        ]
        gone = [_take_away(folder) for folder in candidates[settings.kept_publishes - 1 :]]
    for folder in gone:
        _remove(folder)


def _seal(settings: Settings, publish: Publish) -> tuple[int, int]:
    """Write `audit_publishes` (the history and this publish), `audit_checks` and `audit_rollbacks`,
    and what everything comes to: counts, hashes and `SHA256SUMS`.
    """
    folder = candidate_path(settings)
    with _history(settings) as connection:
        history = connection.execute(
            f"select {', '.join(_name(name) for name in _AUDIT_COLUMNS)} "
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
        rows = sum(_count(connection, _name(name)) for name in names)
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
    rows = sum(_count(connection, _name(name)) for name in names)
    connection.execute(
        f"update {AUDIT_TABLE} set {', '.join(f'{_name(name)} = ?' for name in _RENEWED)}"
        " where publish_id = ? and table_hashes is not null",
        [rows, engine_version(), content_hash(hashes), json.dumps(hashes), publish_id],
    )
    export_table(connection, AUDIT_TABLE, folder)


def renew_history(settings: Settings) -> None:
    """Bring `run.publishes` into step with what the publishes say of themselves."""
    with _history(settings) as connection:
        for folder in publish_folders(settings):
            connection.execute(f"attach {_text(folder / DATABASE)} as renewed (read_only)")
            columns = {
                row[0] for row in connection.execute(f"describe renewed.{AUDIT_TABLE}").fetchall()
            }
            if columns >= set(_RENEWED):
                own = ", ".join(f"{_name(name)} = own.{_name(name)}" for name in _RENEWED)
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
    connection.execute(f"create table {_name(table.name)} ({_definition(columns)})")
    if rows:
        marks = ", ".join("?" for _ in columns)
        connection.executemany(f"insert into {_name(table.name)} values ({marks})", rows)
    describe(connection, table)
    export_table(connection, table.name, folder)


def _add_own_tables(folder: Path) -> None:
    """Take what the publisher itself wrote into the candidate into the second file as well."""
    with duckdb.connect(str(folder / WITHOUT_PERSONAL_DATA)) as connection:
        connection.execute(f"attach {_text(folder / DATABASE)} as first (read_only)")
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
            emptied = ", ".join(f"cast(null as varchar) as {_name(column)}" for column in personal)
            replaced = f"* replace ({emptied})" if emptied else "*"
            connection.execute(
                f"create table {_name(name)} as select {replaced} from first.main.{_name(name)}"
            )
            describe(connection, PublishedTable(name, (), description, dict(columns)))


@contextmanager
def _history(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """The warehouse, with `run.publishes` in it."""
    with duckdb.connect(str(settings.warehouse_path)) as connection:
        connection.execute("create schema if not exists run")
        connection.execute(
            f"create table if not exists run.publishes ({_definition(_AUDIT_COLUMNS)})"
        )
        # a warehouse of an earlier version lacks some
        for name, (kind, _) in _AUDIT_COLUMNS.items():
            connection.execute(
                f"alter table run.publishes add column if not exists {_name(name)} {kind}"
            )
        yield connection


def _newest_first(connection: duckdb.DuckDBPyConnection) -> list[str]:
    rows = connection.execute(
        "select publish_id from run.publishes order by published_at desc, publish_id desc"
    ).fetchall()
    return [publish_id for (publish_id,) in rows]


def _definition(columns: Mapping[str, tuple[str, str]]) -> str:
    return ", ".join(f"{_name(name)} {kind}" for name, (kind, _) in columns.items())


def _warehouse_tables(connection: duckdb.DuckDBPyConnection) -> set[str]:
    rows = connection.execute(
        """
        select table_name
        from information_schema.tables
        where table_catalog = 'warehouse' and table_schema = 'published'
        """
    ).fetchall()
    return {name for (name,) in rows}


def describe(connection: duckdb.DuckDBPyConnection, table: PublishedTable) -> None:
    """Put the descriptions of the dbt project on the table and its columns."""
    name = _name(table.name)
    kind = "table" if table.view_of is None else "view"
    connection.execute(f"comment on {kind} {name} is {_text(table.description)}")
    existing = _columns(connection, table)
    for column, description in table.column_descriptions.items():
        if description and column in existing:
            connection.execute(f"comment on column {name}.{_name(column)} is {_text(description)}")


def _columns(connection: duckdb.DuckDBPyConnection, table: PublishedTable) -> set[str]:
    """The columns of a table or view in the file that is being written."""
    if table.view_of is None:
        rows = connection.execute(f"describe {_name(table.name)}").fetchall()
    else:
        # to describe a view is to work out all that it is made of once more
        rows = connection.execute(
            "select column_name from duckdb_columns()"
            " where database_name = current_database() and table_name = ?",
            [table.name],
        ).fetchall()
    return {row[0] for row in rows}


def export_table(connection: duckdb.DuckDBPyConnection, table: str, folder: Path) -> int:
    """Write a table's Parquet file, in the order of its rows; the number of rows."""
    target = folder / "parquet" / f"{table}.parquet"
    connection.execute(
        f"copy (from {_name(table)}) to {_text(target)} (format parquet, compression zstd)"
    )
    return _count(connection, _name(table))


def _count(connection: duckdb.DuckDBPyConnection, relation: str) -> int:
    row = connection.execute(f"select count(*) from {relation}").fetchone()
    return int(row[0]) if row else 0


def links_to(settings: Settings, folder: Path) -> list[str]:
    """The names of the links that lead to a publish."""
    links = [settings.current_path, *sorted(_as_of_links(settings))]
    return [link.name for link in links if _target(link) == folder]


def publish_as_of(folder: Path) -> date:
    """The as-of date of a publish, from its name."""
    return date.fromisoformat(folder.name[:10])


def published_at(folder: Path) -> datetime:
    """The instant at which a publish was sealed, to the second, from its name."""
    return datetime.strptime(folder.name[11:27], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def publish_folders(settings: Settings) -> list[Path]:
    """The publishes that stand there; whatever else somebody put beside them is not ours."""
    return [
        path
        for path in settings.published_path.iterdir()
        if path.is_dir() and not path.is_symlink() and _PUBLISH_ID.fullmatch(path.name)
    ]


def _as_of_links(settings: Settings) -> list[Path]:
    return [path for path in settings.published_path.glob(f"{_AS_OF_LINK}*") if path.is_symlink()]


def _linked(settings: Settings) -> set[Path]:
    links = [settings.current_path, *_as_of_links(settings)]
    return {target for target in map(_target, links) if target}


def _target(link: Path) -> Path | None:
    """The folder beside it that a link leads to, or None where there is none."""
    if not link.is_symlink():
        return None
    target = link.parent / link.readlink().name
    return target if target.is_dir() else None


def _swap(link: Path, folder: Path) -> None:
    """Lead `link` to `folder`, atomically; the caller holds the links."""
    if link.is_dir() and not link.is_symlink():
        raise PublishError(f"{link} is a folder, not a link: move it away, and run again")
    temporary = link.with_name(f".{link.name}")
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(folder.name)
    temporary.replace(link)
    _sync_folder(link.parent)


def _lead(settings: Settings, link: Path, folder: Path) -> None:
    """Lead `link` to `folder`; a folder that an as-of link alone led to before goes."""
    gone = None
    with links_held(settings):
        before = _target(link)
        _swap(link, folder)
        if (
            before
            and link.name.startswith(_AS_OF_LINK)
            and before != _target(settings.current_path)
        ):
            gone = _take_away(before)
    if gone:
        _remove(gone)


def lead_back(settings: Settings, folder: Path) -> None:
    """Lead `current` to a publish that is kept; the caller holds the links."""
    _swap(settings.current_path, folder)


def _remove(path: Path) -> None:
    """Remove a file, a link or a folder. A reader that has a file of it open keeps the file."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def _sync(folder: Path) -> None:
    """Have the disk hold every file below a folder before its name says that it is complete."""
    for path in [folder, *folder.rglob("*")]:
        if path.is_dir():
            _sync_folder(path)
        else:
            with path.open("rb") as file:
                os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(value: str | Path) -> str:
    return "'" + str(value).replace("'", "''") + "'"
