"""An erasure, step by step, and what is found before and after it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from ingestion.erased import Handle, Outcome, Scrub, Search, Tombstones, raw_rules
from ingestion.sql import quoted
from ingestion.whole_files import write_whole
from orchestration.content import forget_standing
from orchestration.erasure.databases import attached, tables_of
from orchestration.erasure.files import cleanse, other_files, texts_of
from orchestration.erasure.plan import ErasureError, Plan, Subject
from orchestration.erasure.publishes import (
    PUBLISHED_ONLY,
    published_files,
    published_handles,
    published_relation,
    published_rules,
    rewrite_publish,
)
from orchestration.erasure.warehouse import rewrite_warehouse
from orchestration.publishing import heal, renew_history
from orchestration.run_lock import NightError
from settings import Settings


@dataclass(frozen=True)
class Place:
    """A table or file that holds something of the subject: rows that go, rows that change."""

    where: str
    what: str
    removed: int
    changed: int


def preview(settings: Settings, plan: Plan) -> list[Place]:
    """Every place that holds something of the subject; writes nothing."""
    places = []
    with attached(settings.warehouse_path) as connection:
        scrub = Scrub(connection, plan.handles)
        for schema, table, columns in tables_of(connection, "warehouse"):
            if schema.startswith("raw_") and not table.startswith("_dlt"):
                relation = f"warehouse.{quoted(schema)}.{quoted(table)}"
                outcome = scrub.outcome(relation, columns, raw_rules(table, columns))
                places += _place("warehouse", f"{schema}.{table}", outcome)
    handles = published_handles(settings, plan)
    for database in published_files(settings):
        with attached(database) as connection:
            scrub = Scrub(connection, handles)
            for _, table, columns in tables_of(connection, "warehouse"):
                outcome = scrub.outcome(
                    published_relation(table), columns, published_rules(table, columns)
                )
                name = database.relative_to(settings.published_path)
                places += _place(f"publish {name}", table, outcome)
    search = Search(plan.handles, None)
    for path in other_files(settings):
        if hits := sum(len(search.found_in(text)) for text in texts_of(path)):
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
        write_whole(
            pending,
            json.dumps(
                {
                    "subject": asdict(each.subject),
                    "replacement": each.replacement,
                    "handles": [asdict(handle) for handle in each.handles],
                }
            ),
            is_private=True,
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
    tombstones.add((h for h in plan.handles if h.kind not in PUBLISHED_ONLY), erasure)
    heal(settings)
    forget_standing(settings)
    tell("writing the warehouse anew")
    rewrite_warehouse(settings, plan, erasure)
    handles = published_handles(settings, plan)
    for database in published_files(settings):
        if rewrite_publish(database, handles):
            tell(f"wrote {database.relative_to(settings.home)} anew")
    renew_history(settings)
    search = Search(plan.handles, None)
    cleansed = [path for path in other_files(settings) if cleanse(path, search)]
    if cleansed:
        tell(f"cleansed {len(cleansed)} files of logs and history")
    tell("searching every file")
    if settings.dagster_storage == "postgres":
        tell(
            "Dagster's history in Postgres is not cleansed: events of failed checks may hold rows; "
            "remove the runs up to now there (docs/operations.md, Postgres)"
        )
    return still_found(settings, plan)


def _place(where: str, what: str, outcome: Outcome) -> list[Place]:
    if not outcome.removed and not outcome.changed:
        return []
    return [Place(where, what, outcome.removed, outcome.changed)]


def still_found(settings: Settings, plan: Plan) -> list[str]:
    """Where something that identifies the subject everywhere still stands, landing files apart."""
    handles = [h for h in plan.handles if h.kind == "email" or (h.kind == "text" and not h.scope)]
    search = Search(handles, "")
    if not handles:
        return []
    found = []
    databases = [settings.warehouse_path]
    databases += published_files(settings)
    for database in databases:
        with attached(database) as connection:
            scrub = Scrub(connection, handles)
            for schema, table, columns in tables_of(connection, "warehouse"):
                relation = f"warehouse.{quoted(schema)}.{quoted(table)}"
                found += [
                    f"{database.relative_to(settings.home)}: {schema}.{table}.{column}"
                    for column in scrub.columns_that_hold(relation, columns)
                ]
    for path in other_files(settings):
        if any(search.found_in(text) for text in texts_of(path)):
            found.append(str(path.relative_to(settings.home)))
    for path in sorted(settings.published_path.rglob("*")):
        if path.is_file() and search.found_in(str(path.name)):
            found.append(str(path.relative_to(settings.home)))
    return found
