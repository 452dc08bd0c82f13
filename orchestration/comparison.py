"""Two publishes beside each other: what differs in schema, in rows, and in figures of past periods.

One engine for the restatements that a publish carries (`orchestration/restatements.py`) and for
`account360 diff` (`orchestration/difference.py`). Both files are attached to one connection, and
everything is compared there, in bulk: a full outer join on the key per table, values compared as
they are typed, and only what differs is turned into rows.

What a publish's figures hang on beside the records stands in its table `audit_definitions`: hashes
of the models, settings, and the key of each published table, so that two files can be compared
without the project that made them.
"""

# ruff: noqa: S608 (identifiers and texts in the SQL of this module are quoted)

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import duckdb

from ingestion.sql import literal, quoted

DEFINITIONS = "audit_definitions"
RESTATEMENTS = "audit_restatements"
# Tables that tell of the publish itself: they always differ.
_OF_A_PUBLISH = {"audit_checks", "audit_publishes", "audit_rollbacks", RESTATEMENTS}

# Account and user figures have other homes: the portfolio beside the CSMs, the account beside its
# users. A `_rollup` table is a further home of what its table holds.
_FURTHER_HOMES = {
    "csm_monthly": "portfolio_monthly",
    "user_activity_daily": "account_activity_daily",
}
# Tables that keep a history of some length → column of a table whose first period is where that
# history begins: it has a value in every period of it. A period that has left it is not restated.
_TICKETS = ("account_tickets_monthly", "open_at_end")
_HEALTH = ("account_health_daily", "day")
_HISTORIES = {
    "account_tickets_monthly": _TICKETS,
    "account_tickets_monthly_rollup": _TICKETS,
    "account_open_tickets_monthly": _TICKETS,
    "account_health_daily": _HEALTH,
    "account_health_components": _HEALTH,
    "account_metrics_daily": _HEALTH,
}
_HISTORIES_OF_COLUMNS = {
    (table, column): ("portfolio_monthly", "healthy")
    for table in ("csm_monthly", "portfolio_monthly", "csm_split_monthly")
    for column in ("health_mean", "healthy", "neutral", "unhealthy")
}
_NUMBERS = ("DECIMAL", "DOUBLE", "FLOAT", "BIGINT", "INTEGER", "HUGEINT", "SMALLINT", "TINYINT")

CHANGES_COLUMNS = {
    "metric": "varchar",
    "published_in": "varchar",
    "account_id": "varchar",
    "key": "varchar",
    "period": "date",
    "previous_value": "double",
    "value": "double",
}


@dataclass(frozen=True)
class Side:
    """One of the two publishes: the database it is attached as, and what is known of it."""

    name: str
    as_of: date
    tables: Mapping[str, Mapping[str, str]]
    keys: Mapping[str, Sequence[str]]

    def table(self, table: str) -> str:
        """A table of it, as SQL."""
        return f"{quoted(self.name)}.main.{quoted(table)}"

    def has(self, table: str, *columns: str) -> bool:
        """Whether it has a table, with these columns."""
        return set(columns) <= self.tables.get(table, {}).keys() and table in self.tables


@dataclass(frozen=True)
class SchemaChange:
    """A table, or a column of it, with its type before and after; None: it is not there."""

    table: str
    column: str | None
    before: str | None
    after: str | None


@dataclass(frozen=True)
class RowChanges:
    """The rows of a table on both sides, and how many of them differ."""

    table: str
    before: int
    after: int
    added: int
    removed: int
    changed: int

    @property
    def is_same(self) -> bool:
        """Whether nothing differs."""
        return not (self.added or self.removed or self.changed)


@dataclass(frozen=True)
class _Home:
    """A table in which figures of a past period stand: the period, the key beside it, columns."""

    table: str
    period: str
    key: tuple[str, ...]
    metrics: dict[str, str] = field(default_factory=dict)

    @property
    def is_long(self) -> bool:
        """Whether each row names the metric that it is of."""
        return "metric" in self.key


def open_side(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    keys: Mapping[str, Sequence[str]] | None = None,
) -> Side:
    """A publish that is attached as `name`, with its keys from `audit_definitions` unless given."""
    columns = connection.execute(
        "select table_name, column_name, data_type from duckdb_columns() semi join duckdb_tables()"
        " using (database_name, schema_name, table_name)"
        f" where database_name = {literal(name)} and schema_name = 'main' order by column_index"
    ).fetchall()
    tables: dict[str, dict[str, str]] = {}
    for table, column, kind in columns:
        tables.setdefault(table, {})[column] = kind
    main = f"{quoted(name)}.main"
    as_of = _single(connection, f"select max(as_of_date) from {main}.account_360")
    if keys is None and DEFINITIONS in tables:
        rows = connection.execute(
            f"select name, definition from {main}.{DEFINITIONS} where kind = 'key'"
        ).fetchall()
        keys = {table: definition.split(", ") for table, definition in rows}
    return Side(name, as_of, tables, keys or {})


def write_changes(
    connection: duckdb.DuckDBPyConnection, before: Side, after: Side, target: str
) -> None:
    """Make the temporary table `target`, of `CHANGES_COLUMNS`: the past figures that differ.

    Past are the months that were closed, and the days that were over, as of both publishes. A
    figure that only one of them has stands with NULL for the other. Only figures that both know how
    to compute are compared: a metric that is new, or gone, is a change of the schema.
    """
    columns = ", ".join(f"{name} {kind}" for name, kind in CHANGES_COLUMNS.items())
    connection.execute(f"create or replace temp table {target} ({columns})")
    if before.as_of is None or after.as_of is None:
        return
    for home in _homes(connection, before, after):
        if "account_id" in home.key:
            connection.execute(_differing_accounts(before, after, home))
        connection.execute(
            f"insert into temp.{target} {_home_changes(connection, before, after, home)}"
        )


def schema_changes(before: Side, after: Side) -> list[SchemaChange]:
    """Tables and columns that only one side has, and columns of another type, in order of name."""
    changes = []
    for table in sorted({*before.tables, *after.tables}):
        was, now = before.tables.get(table), after.tables.get(table)
        if was is None or now is None:
            changes.append(SchemaChange(table, None, _kind(was), _kind(now)))
            continue
        changes += [
            SchemaChange(table, column, was.get(column), now.get(column))
            for column in (*was, *(column for column in now if column not in was))
            if was.get(column) != now.get(column)
        ]
    return changes


def _kind(columns: Mapping[str, str] | None) -> str | None:
    return None if columns is None else "table"


def row_changes(
    connection: duckdb.DuckDBPyConnection, before: Side, after: Side
) -> list[RowChanges]:
    """Rows of each table that both sides have: added, removed and changed by its key.

    The as-of date that stands in every row does not count. Without a key that both sides have, a
    row that changed is one removed and one added.
    """
    return [
        _table_row_changes(connection, before, after, table)
        for table in sorted(before.tables.keys() & after.tables.keys() - _OF_A_PUBLISH)
    ]


def _table_row_changes(
    connection: duckdb.DuckDBPyConnection, before: Side, after: Side, table: str
) -> RowChanges:
    shared = [column for column in before.tables[table] if after.has(table, column)]
    key = list(after.keys.get(table) or before.keys.get(table) or ())
    compared = [column for column in shared if column not in (*key, "as_of_date")]
    was, now = before.table(table), after.table(table)
    if not key or not set(key) <= set(shared):
        columns = ", ".join(["1", *map(quoted, compared)])
        counts = f"""
            (select count(*) from (select {columns} from {now} except all
                select {columns} from {was})),
            (select count(*) from (select {columns} from {was} except all
                select {columns} from {now})),
            0
        """
    else:
        is_same_type = {
            column: before.tables[table][column] == after.tables[table][column]
            for column in compared
        }
        differs = [
            f"was.{quoted(column)} is distinct from now.{quoted(column)}"
            if is_same_type[column]
            else f"was.{quoted(column)}::varchar is distinct from now.{quoted(column)}::varchar"
            for column in compared
        ]
        same_key = " and ".join(
            f"was.{quoted(column)} is not distinct from now.{quoted(column)}" for column in key
        )
        counts = f"""
            count(*) filter (where was.is_there is null),
            count(*) filter (where now.is_there is null),
            count(*) filter (
                where was.is_there and now.is_there and ({" or ".join(differs) or "false"})
            )
            from (select true as is_there, * from {was}) as was
            full outer join (select true as is_there, * from {now}) as now on {same_key}
        """
    row = connection.execute(
        f"select (select count(*) from {was}), (select count(*) from {now}), {counts}"
    ).fetchone()
    return RowChanges(table, *(row or (0, 0, 0, 0, 0)))


def _homes(connection: duckdb.DuckDBPyConnection, before: Side, after: Side) -> list[_Home]:
    """The tables of past figures that both sides have, each with its metrics by column."""
    homes: dict[str, _Home] = {}
    for metric, table, column in _metrics(connection, before, after):
        further = _FURTHER_HOMES.get(table)
        for name in (table, f"{table}_rollup", further):
            home = homes.get(name or "") or _home(name, before, after)
            if home is None:
                continue
            homes[home.table] = home
            for figure in (column, f"{column}_reporting"):
                if _is_number(before, home.table, figure) and _is_number(after, home.table, figure):
                    home.metrics.setdefault(figure, metric)
    return [homes[name] for name in sorted(homes) if homes[name].metrics]


def _metrics(
    connection: duckdb.DuckDBPyConnection, before: Side, after: Side
) -> list[tuple[str, str, str]]:
    """Metric, table and column of what both catalogues know by month or day."""
    if not (before.has("metric_catalog") and after.has("metric_catalog")):
        return []
    return connection.execute(
        f"""
        select metric, split_part(published_in, '.', 1), split_part(published_in, '.', 2)
        from {after.table("metric_catalog")}
        where
            regexp_matches(grain, '\\b(month|day)\\b')
            and (metric like 'custom:%' or metric in (
                select metric from {before.table("metric_catalog")}
            ))
        order by metric
        """
    ).fetchall()


def _home(table: str | None, before: Side, after: Side) -> _Home | None:
    """What a table with a month or a day in its key is compared by; None for any other.

    Figures of users are told by those of their account.
    """
    key = after.keys.get(table or "", ())
    if table is None or "user_id" in key or not (before.has(table, *key) and after.has(table)):
        return None
    periods = [column for column in key if column in ("month", "day")]
    return _Home(table, periods[0], tuple(key)) if periods else None


def _is_number(side: Side, table: str, column: str) -> bool:
    return side.tables[table].get(column, "").startswith(_NUMBERS)


def _home_changes(
    connection: duckdb.DuckDBPyConnection, before: Side, after: Side, home: _Home
) -> str:
    """The query of the figures of a table that differ."""
    past = _past(before, after, home)
    figures = sorted(home.metrics)
    rest = [name for name in home.key if name not in ("account_id", "metric", home.period)]
    named = [f"'{name}=' || {quoted(name)}" for name in rest]
    values = {
        "metric": quoted("metric") if home.is_long else "change.metric",
        "published_in": "change.published_in",
        "account_id": quoted("account_id") if "account_id" in home.key else "null",
        "key": f"concat_ws(', ', {', '.join(named)})" if named else "null",
        "period": quoted(home.period),
        "previous_value": "change.previous_value",
        "value": "change.value",
    }
    differing = {
        figure: f"(before.{quoted(figure)} is distinct from after.{quoted(figure)}"
        f"{_within_history(connection, before, after, home, figure)})"
        for figure in figures
    }
    changes = ", ".join(
        f"{{'metric': {literal(home.metrics[figure])},"
        f" 'published_in': {literal(f'{home.table}.{figure}')},"
        f" 'previous_value': cast(before.{quoted(figure)} as double),"
        f" 'value': cast(after.{quoted(figure)} as double),"
        f" 'differs': {differing[figure]}}}"
        for figure in figures
    )
    columns = ", ".join(quoted(name) for name in (*home.key, *figures))
    if "account_id" in home.key:
        past += " and account_id in (select account_id from temp.differing_accounts)"
    return f"""
        with before as (select {columns} from {before.table(home.table)} where {past}),
        after as (select {columns} from {after.table(home.table)} where {past}),
        differing as (
            select {", ".join(quoted(name) for name in home.key)}, unnest([{changes}]) as change
            from before
            full outer join after using ({", ".join(quoted(name) for name in home.key)})
            where {" or ".join(differing.values())}
        )
        select {", ".join(values.values())} from differing where change.differs
        """


def _differing_accounts(before: Side, after: Side, home: _Home) -> str:
    """Make `temp.differing_accounts`: those of which any row differs, by the hashes of their rows.

    Most accounts are as they were, and need no join: 18 million rows take a second, not six.
    """
    columns = ", ".join(quoted(name) for name in (*home.key, *sorted(home.metrics)))
    past = _past(before, after, home)
    was, now = (
        f"select account_id, count(*) as n, sum(hash({columns})) as hashes"
        f" from {side.table(home.table)} where {past} group by account_id"
        for side in (before, after)
    )
    return (
        "create or replace temp table differing_accounts as"
        f" select account_id from ({was}) as was full outer join ({now}) as now using (account_id)"
        " where was.n is distinct from now.n or was.hashes is distinct from now.hashes"
    )


def _past(before: Side, after: Side, home: _Home) -> str:
    """The condition of the rows that are compared: of periods that both have as closed or over."""
    last_day = min(before.as_of, after.as_of) - timedelta(days=1)
    past = (
        f"month < date '{last_day.replace(day=1)}'"
        if home.period == "month"
        else f"day <= date '{last_day}'"
    )
    if "basis" in home.key:
        # The other basis looks at the past with the team of today.
        past += " and basis = 'as_of'"
    if home.is_long:
        past += _compared_metrics(before, after)
    return past


def _compared_metrics(before: Side, after: Side) -> str:
    """Of a table that holds any metric, those whose home it is and that both sides compute."""
    home = "published_in = 'account_metrics_daily.value'"
    return (
        " and (metric like 'custom:%' or metric in ("
        f"select metric from {before.table('metric_catalog')} where {home}"
        f" intersect select metric from {after.table('metric_catalog')} where {home}))"
    )


def _within_history(
    connection: duckdb.DuckDBPyConnection, before: Side, after: Side, home: _Home, figure: str
) -> str:
    """The condition that a period is in the history that both publishes keep of a figure."""
    source = _HISTORIES.get(home.table) or _HISTORIES_OF_COLUMNS.get((home.table, figure))
    if source is None:
        return ""
    table, column = source
    firsts = []
    for side in (before, after):
        if not side.has(table, column):
            continue
        period = "day" if side.has(table, "day") else "month"
        first = _single(
            connection,
            f"select min({period}) from {side.table(table)} where {quoted(column)} is not null",
        )
        firsts += [first] if first else []
    if not firsts:
        return ""
    kept = f"{quoted(home.period)} >= date '{max(firsts)}'"
    return f" and (metric like 'custom:%' or {kept})" if home.is_long else f" and {kept}"


def _single(connection: duckdb.DuckDBPyConnection, sql: str) -> object:
    row = connection.execute(sql).fetchone()
    return row[0] if row else None
