"""Kept publishes: what they are, leading readers back to one, and whether one is as it was sealed.

`account360 publishes`, `rollback` and `verify`. None of them needs the warehouse: they work while a
night has it open. What `verify` compares of the warehouse it leaves out then.
"""

# ruff: noqa: S608 (identifiers and texts in the SQL of this module are quoted)

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from ingestion.sql import literal
from orchestration.acceptance import user_name
from orchestration.content import (
    SUMS,
    content_hash,
    engine_version,
    file_sums,
    read_sums,
    standing,
    table_hash,
    table_hashes,
)
from orchestration.difference import find_publish
from orchestration.publishing import (
    AUDIT_TABLE,
    DATABASE,
    current_publish,
    kept_publishes,
    lead_back,
    links_held,
    links_to,
)
from orchestration.report import table
from orchestration.rollbacks import Rollback, note_rollback, read_rollbacks
from orchestration.run_lock import RunLockedError, only_run
from settings import Settings

# Tables of the publisher's own, which the warehouse does not hold.
_NOT_IN_WAREHOUSE = frozenset(
    {
        "audit_checks",
        "audit_definitions",
        "audit_publishes",
        "audit_restatements",
        "audit_rollbacks",
    }
)


class RollbackError(ValueError):
    """Readers cannot be led there; the message says why."""


@dataclass(frozen=True)
class KeptPublish:
    """A publish that stands there: what its own row of `audit_publishes` says, and its place.

    `rolled_back` is the rollback that led readers away from it, None where none did since they were
    last led to it. A publish that cannot be read has no more than its name, size and links.
    """

    publish_id: str
    as_of_date: str
    published_at: str | None
    code_version: str | None
    tables: int | None
    rows: int | None
    size_bytes: int
    links: list[str]
    content_hash: str | None
    rolled_back: dict[str, Any] | None


def list_publishes(settings: Settings) -> list[KeptPublish]:
    """All that are kept, the one published last first."""
    left = _left_by_rollback(settings)
    found = []
    for folder in kept_publishes(settings):
        row = _own_row(folder) or {}
        rollback = left.get(folder.name)
        published_at = row.get("published_at")
        found.append(
            KeptPublish(
                folder.name,
                folder.name[:10],
                f"{published_at:%Y-%m-%d %H:%M:%S}" if published_at else None,
                row.get("code_version"),
                row.get("tables"),
                row.get("rows"),
                sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()),
                links_to(settings, folder),
                row.get("content_hash"),
                None
                if rollback is None
                else {**rollback._asdict(), "rolled_back_at": str(rollback.rolled_back_at)},
            )
        )
    return found


def _left_by_rollback(settings: Settings) -> dict[str, Rollback]:
    """Publish → the rollback that led readers away from it, unless they were led there again."""
    left = {}
    for each in read_rollbacks(settings):
        left.pop(each.to_publish, None)
        if each.from_publish:
            left[each.from_publish] = each
    current = current_publish(settings)
    return {name: each for name, each in left.items() if not current or name != current.name}


def _own_row(folder: Path) -> dict[str, Any] | None:
    """What a publish says of itself, None where it cannot be read or says nothing."""
    try:
        with duckdb.connect(str(folder / DATABASE), read_only=True) as connection:
            return _row_of(connection, AUDIT_TABLE, folder.name)
    except duckdb.Error:
        return None


def _row_of(
    connection: duckdb.DuckDBPyConnection, relation: str, publish_id: str
) -> dict[str, Any] | None:
    cursor = connection.execute(f"select * from {relation} where publish_id = ?", [publish_id])
    names = [column[0] for column in cursor.description]
    row = cursor.fetchone()
    return dict(zip(names, row, strict=True)) if row else None


def publishes_text(settings: Settings) -> str:
    """The kept publishes, as a person reads them."""
    found = list_publishes(settings)
    if not found:
        return f"Nothing is published in {settings.home} yet."
    rows = [["publish", "as of", "published at (UTC)", "code version", "rows", "MB", "links", ""]]
    for each in found:
        remark = ""
        if each.rolled_back:
            reason = f": {each.rolled_back['reason']}" if each.rolled_back["reason"] else ""
            remark = (
                f"rolled back {each.rolled_back['rolled_back_at'][:16]} by "
                f"{each.rolled_back['rolled_back_by']}{reason}"
            )
        if each.published_at is None:
            remark = "cannot be read: see `account360 verify`"
        rows.append(
            [
                each.publish_id,
                each.as_of_date,
                each.published_at or "unknown",
                each.code_version or "unknown",
                "unknown" if each.rows is None else f"{each.rows:,}",
                f"{each.size_bytes / 1e6:,.1f}",
                " ".join(each.links),
                remark,
            ]
        )
    return "\n".join(table(rows, numbers={4, 5}))


def publishes_json(settings: Settings) -> str:
    """The same for programs."""
    return json.dumps(
        [asdict(each) for each in list_publishes(settings)], indent=2, ensure_ascii=False
    )


def rollback(settings: Settings, name: str, reason: str | None = None) -> Rollback:
    """Lead `current` to a kept publish, and note who did so and why; what was noted.

    Readers see the one or the other at any instant, and a night that is under way goes on: what it
    publishes becomes current as usual. Raises `UnknownPublishError` for a name that none has, and
    `RollbackError` where readers see that publish already.
    """
    folder = find_publish(settings, name)
    with links_held(settings):
        current = current_publish(settings)
        if folder == current:
            raise RollbackError(f"{folder.name} is what readers see already: nothing was changed")
        if not folder.is_dir():
            raise RollbackError(f"{folder.name} went while it was asked for: nothing was changed")
        noted = Rollback(
            datetime.now(UTC).replace(tzinfo=None),
            user_name(),
            current.name if current else None,
            folder.name,
            reason or None,
        )
        # first, so that no rollback is ever unknown
        note_rollback(settings, noted)
        lead_back(settings, folder)
    return noted


@dataclass
class Verdict:
    """What a look at a publish came to: what differs from what was sealed, and what was left out.

    `looked_at` counts files by their bytes, and tables by their content in each place.
    """

    publish_id: str
    looked_at: dict[str, int] = field(default_factory=dict)
    differences: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    seconds: float = 0.0

    def text(self) -> str:
        """As a person reads it."""
        looked_at = ", ".join(f"{count:,} {what}" for what, count in self.looked_at.items())
        word = "DIFFERS from what was sealed" if self.differences else "as it was sealed"
        lines = [f"{self.publish_id}: {word} ({looked_at or 'nothing'}; {self.seconds:.1f} s)"]
        lines += [f"  differs: {each}" for each in self.differences]
        lines += [f"  not compared: {each}" for each in self.remarks]
        return "\n".join(lines)


def verify(settings: Settings, folder: Path, *, warehouse: bool = True) -> Verdict:
    """Compare a publish with what was sealed: bytes with `SHA256SUMS`, content with its hashes.

    With `warehouse` also with the warehouse's history and, where the warehouse still stands at this
    publish, with its schema `published`; runs are held off while that is read.
    """
    started = time.monotonic()
    verdict = Verdict(folder.name)
    _verify_files(folder, verdict)
    sealed = _verify_tables(settings, folder, verdict)
    if warehouse and sealed is not None:
        try:
            with only_run(settings, "account360 verify"):
                _verify_warehouse(settings, folder, sealed, verdict)
        except RunLockedError:
            verdict.remarks.append("the warehouse, which a run has: verify again when it has ended")
    verdict.seconds = time.monotonic() - started
    return verdict


def _verify_files(folder: Path, verdict: Verdict) -> None:
    if not (folder / SUMS).exists():
        if _was_sealed_with_hashes(folder):
            verdict.differences.append(f"{SUMS} is not there")
        else:
            verdict.remarks.append(f"its files: it was sealed before there was {SUMS}")
        return
    sealed, now = read_sums(folder), file_sums(folder)
    verdict.looked_at["files"] = len(sealed)
    for name in sorted(sealed.keys() | now.keys()):
        if name not in now:
            verdict.differences.append(f"file {name} is not there")
        elif name not in sealed:
            verdict.differences.append(f"file {name} was not sealed with it")
        elif now[name] != sealed[name]:
            verdict.differences.append(f"file {name} has other bytes")


def _was_sealed_with_hashes(folder: Path) -> bool:
    row = _own_row(folder)
    return row is None or row.get("table_hashes") is not None


def _verify_tables(settings: Settings, folder: Path, verdict: Verdict) -> dict[str, Any] | None:
    """Compare the tables of the DuckDB file and of Parquet; the publish's row of its audit."""
    try:
        with _reading(settings, folder / DATABASE, "publish") as connection:
            row = _row_of(connection, f"publish.main.{AUDIT_TABLE}", folder.name)
            if row is None:
                verdict.differences.append(f"table {AUDIT_TABLE} has no row of this publish")
                return None
            if row.get("table_hashes") is None:
                verdict.remarks.append("its content: it was sealed before there were hashes of it")
                return row
            if row["engine_version"] != engine_version():
                verdict.remarks.append(
                    f"its content: it was hashed by DuckDB {row['engine_version']}, this is "
                    f"{engine_version()}"
                )
                return row
            _verify_content(connection, folder, row, verdict)
            return row
    except duckdb.Error as error:
        verdict.differences.append(f"file {DATABASE} cannot be read: {error}")
        return None


def _verify_content(
    connection: duckdb.DuckDBPyConnection, folder: Path, row: Mapping[str, Any], verdict: Verdict
) -> None:
    sealed: dict[str, str] = json.loads(row["table_hashes"])
    if content_hash(sealed) != row["content_hash"]:
        verdict.differences.append(
            f"table {AUDIT_TABLE}: its content_hash is not that of its table_hashes"
        )
    stored = connection.execute(
        "select table_name from duckdb_tables() where database_name = 'publish'"
    ).fetchall()
    now = table_hashes(connection, (name for (name,) in stored), "publish.main")
    audit = now.pop(AUDIT_TABLE)
    _compare(sealed, now, "table {} of the DuckDB file", verdict)
    verdict.looked_at["tables in DuckDB"] = len(now) + 1
    parquet: dict[str, str] = {}
    for file in sorted((folder / "parquet").glob("*.parquet")):
        try:
            parquet[file.stem] = table_hash(connection, f"read_parquet({literal(str(file))})")
        except duckdb.Error:
            parquet[file.stem] = "cannot be read"
    _compare({**sealed, AUDIT_TABLE: audit}, parquet, "table {} in Parquet", verdict)
    verdict.looked_at["in Parquet"] = len(parquet)


def _compare(
    sealed: Mapping[str, str], now: Mapping[str, str], where: str, verdict: Verdict
) -> None:
    for name in sorted(sealed.keys() | now.keys()):
        if name not in now:
            verdict.differences.append(f"{where.format(name)} is not there")
        elif name not in sealed:
            verdict.differences.append(f"{where.format(name)} was not sealed with it")
        elif now[name] != sealed[name]:
            verdict.differences.append(f"{where.format(name)} has other content")


def _verify_warehouse(
    settings: Settings, folder: Path, sealed: Mapping[str, Any], verdict: Verdict
) -> None:
    if not settings.warehouse_path.exists():
        verdict.remarks.append("the warehouse: there is none")
        return
    try:
        # by this name its views name what they select from
        with _reading(settings, settings.warehouse_path, "warehouse") as connection:
            history = _row_of(connection, "warehouse.run.publishes", folder.name)
            if history is None:
                verdict.differences.append("run.publishes of the warehouse has no row of it")
            else:
                verdict.differences += [
                    f"run.publishes of the warehouse has another {name}"
                    for name in sealed.keys() & history.keys()
                    if sealed[name] != history[name]
                ]
            if standing(connection, "warehouse") != folder.name:
                return
            if settings.publish_personal_data != "plain":
                verdict.remarks.append("the warehouse, whose personal data is published as hashes")
                return
            if sealed.get("engine_version") != engine_version():
                return
            hashes: dict[str, str] = json.loads(sealed["table_hashes"])
            expected = {k: v for k, v in hashes.items() if k not in _NOT_IN_WAREHOUSE}
            now = table_hashes(connection, expected, "warehouse.published")
            _compare(expected, now, "table {} of the warehouse", verdict)
            verdict.looked_at["in the warehouse"] = len(now)
    except duckdb.CatalogException as error:
        verdict.differences.append(f"the warehouse: {error}")
    except duckdb.IOException as error:
        verdict.remarks.append(f"the warehouse, which cannot be opened: {error}")


@contextmanager
def _reading(settings: Settings, database: Path, name: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection of its own that can read a database file, attached by that name."""
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        # a table that is not there is no variable of ours
        connection.execute("set python_enable_replacements = false")
        connection.execute("set memory_limit = ?", [settings.memory_limit])
        connection.execute(f"attach {literal(str(database))} as {name} (read_only)")
        yield connection
