"""What `account360 diff` tells: how two kept publishes differ, in schema, rows and figures."""

# ruff: noqa: S608 (identifiers and texts in the SQL of this module are quoted)

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from difflib import get_close_matches
from pathlib import Path

import duckdb

from ingestion.sql import literal
from orchestration.comparison import (
    DEFINITIONS,
    RESTATEMENTS,
    RowChanges,
    SchemaChange,
    Side,
    open_side,
    row_changes,
    schema_changes,
    write_changes,
)
from orchestration.publishing import (
    AUDIT_TABLE,
    CHECKS_TABLE,
    DATABASE,
    candidate_path,
    current_publish,
    kept_publishes,
)
from orchestration.report import table
from settings import Settings

_UNTOLD = "no cause recorded"


class UnknownPublishError(ValueError):
    """A name that no kept publish has; the message lists those that are kept."""


@dataclass(frozen=True)
class Version:
    """One of the two publishes."""

    publish_id: str
    as_of_date: date | None
    code_version: str | None


@dataclass(frozen=True)
class Definition:
    """A model or setting that is another one; None: it is not there."""

    kind: str
    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Figure:
    """A figure of a past period on both sides, and the causes recorded since the first one."""

    account_id: str | None
    key: str | None
    period: date
    before: float | None
    after: float | None
    cause: str | None


@dataclass(frozen=True)
class MetricChanges:
    """What changed of a metric where it is published, the biggest differences first."""

    metric: str
    published_in: str
    changed: int
    accounts: int
    biggest: list[Figure] = field(default_factory=list)


@dataclass(frozen=True)
class Difference:
    """All that differs between two publishes."""

    before: Version
    after: Version
    schema: list[SchemaChange]
    definitions: list[Definition]
    rows: list[RowChanges]
    figures: list[MetricChanges]

    def as_json(self) -> str:
        """It as JSON, dates as text."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False, default=str)


def find_publish(settings: Settings, name: str) -> Path:
    """The folder of a kept publish: by its id, the beginning of one, a link, or `previous`.

    `previous` is the one that was published last before the current one, `candidate` the one that
    the checks of the last night stopped. Raises `UnknownPublishError`, which names the nearest, and
    all that are kept.
    """
    kept = kept_publishes(settings)
    candidate = candidate_path(settings)
    if name == "candidate" and (candidate / DATABASE).exists():
        return candidate
    current = current_publish(settings)
    if name == "current" and current:
        return current
    if name == "previous" and current and current != kept[-1]:
        return kept[kept.index(current) + 1]
    link = settings.published_path / name
    if link.is_symlink() and link.resolve() in {folder.resolve() for folder in kept}:
        return settings.published_path / link.resolve().name
    found = [folder for folder in kept if folder.name.startswith(name)] if name else []
    if len(found) == 1:
        return found[0]
    names = [folder.name for folder in kept]
    if not names:
        raise UnknownPublishError(f"nothing is published in {settings.home} yet")
    what = (
        f"{name!r} is the beginning of {len(found)} publishes"
        if found
        else f"no publish {name!r} is kept"
    )
    near = get_close_matches(name, [*names, "current", "previous"], n=1, cutoff=0.5)
    hint = f"; did you mean {near[0]}?" if near and not found else ""
    listed = "".join(f"\n  {one}" for one in names)
    raise UnknownPublishError(f"{what}{hint}\nkept are, newest first:{listed}")


def compare(settings: Settings, before: Path, after: Path, limit: int) -> Difference:
    """How the publish in `after` differs from that in `before`; `limit` figures per metric."""
    with duckdb.connect() as connection:
        connection.execute("set memory_limit = ?", [settings.memory_limit])
        for name, folder in (("before", before), ("after", after)):
            connection.execute(f"attach {literal(folder / DATABASE)} as {name}_publish (read_only)")
        was, now = open_side(connection, "before_publish"), open_side(connection, "after_publish")
        if not now.keys:
            now = open_side(connection, "after_publish", was.keys)
        write_changes(connection, was, now, "changes")
        _write_recorded(connection, settings, before, after)
        # A candidate has no table that is written when it is sealed.
        is_candidate = after == candidate_path(settings)
        unsealed = (AUDIT_TABLE, CHECKS_TABLE) if is_candidate else ()
        return Difference(
            _version(connection, was, before),
            _version(connection, now, after),
            [one for one in schema_changes(was, now) if one.table not in unsealed],
            _definitions(connection, was, now),
            [one for one in row_changes(connection, was, now) if one.table not in unsealed],
            _figures(connection, limit),
        )


def _version(connection: duckdb.DuckDBPyConnection, side: Side, folder: Path) -> Version:
    if not side.has(AUDIT_TABLE):
        return Version(folder.name.removeprefix("."), side.as_of, None)
    row = connection.execute(
        f"select code_version from {side.table(AUDIT_TABLE)} where publish_id = ?", [folder.name]
    ).fetchone()
    return Version(folder.name, side.as_of, row[0] if row else None)


def _definitions(
    connection: duckdb.DuckDBPyConnection, before: Side, after: Side
) -> list[Definition]:
    if not (before.has(DEFINITIONS) and after.has(DEFINITIONS)):
        return []
    rows = connection.execute(
        f"""
        select kind, name, was.definition, now.definition
        from {before.table(DEFINITIONS)} as was
        full outer join {after.table(DEFINITIONS)} as now using (kind, name)
        where was.definition is distinct from now.definition
        order by kind, name
        """
    ).fetchall()
    return [Definition(*row) for row in rows]


def _write_recorded(
    connection: duckdb.DuckDBPyConnection, settings: Settings, before: Path, after: Path
) -> None:
    """Make `temp.recorded`: the causes that publishes after `before`, up to `after`, carry.

    Only of those that were compared with one of these, so that the causes make a chain.
    """
    connection.execute(
        "create or replace temp table recorded (published_in varchar, metric varchar,"
        " account_id varchar, key varchar, period date, cause varchar)"
    )
    newest_first = kept_publishes(settings)
    if after == candidate_path(settings):
        newest_first.insert(0, after)
    if after not in newest_first or before not in newest_first[newest_first.index(after) :]:
        return
    first, last = newest_first.index(after), newest_first.index(before)
    chain = [before.name]
    for folder in reversed(newest_first[first:last]):
        connection.execute(f"attach {literal(folder / DATABASE)} as step (read_only)")
        (tables,) = connection.execute(
            "select count(*) from duckdb_tables() where database_name = 'step'"
            f" and table_name = '{RESTATEMENTS}'"
        ).fetchone() or (0,)
        if tables:
            named = ", ".join(map(literal, chain))
            connection.execute(
                "insert into temp.recorded select published_in, metric, account_id, key, period,"
                f" cause from step.main.{RESTATEMENTS} where previous_publish in ({named})"
            )
        chain.append(folder.name)
        connection.execute("detach step")


def _figures(connection: duckdb.DuckDBPyConnection, limit: int) -> list[MetricChanges]:
    counted = connection.execute(
        """
        select metric, published_in, count(*), count(distinct account_id)
        from temp.changes
        group by all
        order by published_in, metric
        """
    ).fetchall()
    biggest = connection.execute(
        """
        with
        ranked as (
            select *
            from temp.changes
            qualify
                row_number() over (
                    partition by metric, published_in
                    order by
                        abs(coalesce(value, 0) - coalesce(previous_value, 0)) desc,
                        account_id, key, period
                ) <= ?
        ),
        causes as (
            select published_in, metric, account_id, key, period,
                string_agg(distinct cause, '; ' order by cause) as cause
            from temp.recorded
            group by all
        )
        select ranked.metric, ranked.published_in, ranked.account_id, ranked.key, ranked.period,
            ranked.previous_value, ranked.value, causes.cause
        from ranked
        left join causes
            on
                ranked.metric = causes.metric
                and ranked.published_in = causes.published_in
                and ranked.account_id is not distinct from causes.account_id
                and ranked.key is not distinct from causes.key
                and ranked.period = causes.period
        order by
            abs(coalesce(ranked.value, 0) - coalesce(ranked.previous_value, 0)) desc,
            ranked.account_id, ranked.key, ranked.period
        """,
        [limit],
    ).fetchall()
    figures: dict[tuple[str, str], list[Figure]] = {}
    for metric, published_in, *rest in biggest:
        figures.setdefault((metric, published_in), []).append(Figure(*rest))
    return [MetricChanges(*row, figures.get((row[0], row[1]), [])) for row in counted]


def render(difference: Difference) -> str:
    """The difference, as a person reads it."""
    parts = [
        "\n".join(
            table(
                [
                    [
                        name,
                        one.publish_id,
                        f"as of {one.as_of_date}",
                        f"code {one.code_version or 'unknown'}",
                    ]
                    for name, one in (("before", difference.before), ("after", difference.after))
                ],
                numbers=set(),
            )
        ),
        _section("Schema", list(_schema_lines(difference.schema)), "the same"),
        _section("Definitions", list(_definition_lines(difference.definitions)), "the same"),
        _section("Rows", _row_lines(difference.rows), "the same in every table"),
        _section(
            "Figures of closed months and past days",
            list(_figure_lines(difference.figures)),
            "the same",
        ),
    ]
    return "\n\n".join(parts)


def _section(title: str, lines: Sequence[str], none: str) -> str:
    return "\n".join([title, *(f"  {line}" for line in lines or [none])])


def _schema_lines(changes: Sequence[SchemaChange]) -> Iterator[str]:
    for one in changes:
        what = f"column {one.table}.{one.column}" if one.column else f"table {one.table}"
        if one.before is None:
            yield f"{what} added" + (f" ({one.after})" if one.column else "")
        elif one.after is None:
            yield f"{what} removed"
        else:
            yield f"{what} {one.before} → {one.after}"


def _definition_lines(changes: Sequence[Definition]) -> Iterator[str]:
    for one in changes:
        if one.kind == "model":
            state = "added" if one.before is None else "removed" if one.after is None else "changed"
            yield f"model {one.name} {state}"
        else:
            yield f"{one.kind} {one.name} {one.before or 'none'} → {one.after or 'none'}"


def _row_lines(changes: Sequence[RowChanges]) -> list[str]:
    differing = [one for one in changes if not one.is_same]
    if not differing:
        return []
    rows = [["table", "before", "after", "added", "removed", "changed"]] + [
        [
            one.table,
            *(f"{n:,}" for n in (one.before, one.after, one.added, one.removed, one.changed)),
        ]
        for one in differing
    ]
    same = len(changes) - len(differing)
    return [
        *table(rows, numbers={1, 2, 3, 4, 5}),
        *([f"{same} tables are the same"] if same else []),
    ]


def _figure_lines(changes: Sequence[MetricChanges]) -> Iterator[str]:
    """Of each metric the table that it is of; its twins and rollups are counted."""
    by_metric: dict[str, list[MetricChanges]] = {}
    for one in changes:
        by_metric.setdefault(one.metric, []).append(one)
    for first, *others in by_metric.values():
        accounts = f" of {first.accounts:,} accounts" if first.accounts else ""
        yield f"{first.published_in} ({first.metric}): {first.changed:,} changed{accounts}"
        yield from _biggest_lines(first.biggest)
        if others:
            told = ", ".join(f"{other.published_in} {other.changed:,}" for other in others)
            yield f"  also {told}"


def _biggest_lines(figures: Sequence[Figure]) -> Iterator[str]:
    rows = [
        [
            " ".join(part for part in (figure.account_id, figure.key) if part) or "all",
            str(figure.period),
            _number(figure.before),
            "→",
            _number(figure.after),
        ]
        for figure in figures
    ]
    lines = table(rows, numbers={2, 4}) if rows else []
    for line, figure in zip(lines, figures, strict=True):
        yield f"  {line}   {figure.cause or _UNTOLD}"


def _number(value: float | None) -> str:
    if value is None:
        return "none"
    return f"{value:,.4f}".rstrip("0").rstrip(".")
