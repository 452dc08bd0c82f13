"""What becomes of a relation that holds something erased: which records go, what the rest says."""

# ruff: noqa: S608 (identifiers and texts in the SQL of this module are quoted)

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from ingestion.erased.handles import Handle, Search, prefilters
from ingestion.erased.rules import Rules
from ingestion.sql import count_rows, insert_rows, literal, quoted

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


@dataclass(frozen=True)
class Outcome:
    """What becomes of a relation: how many records go and change, and what gives the rest.

    `gone` selects those that go, `rest` the others as they are to stand; both None where nothing
    of the relation is concerned.
    """

    removed: int = 0
    changed: int = 0
    gone: str | None = None
    rest: str | None = None


class Scrub:
    """Takes handles out of relations of one connection."""

    def __init__(self, connection: DuckDBPyConnection, handles: Iterable[Handle]) -> None:
        """Lay the handles down as a table."""
        self._connection = connection
        unique = {(each.kind, each.scope, each.value): each for each in handles}
        self.handles = list(unique.values())
        self._replacements = {key: handle.replacement for key, handle in unique.items()}
        connection.execute(
            "create or replace temp table handles (kind varchar, scope varchar, value varchar)"
        )
        insert_rows(connection, "handles", [(h.kind, h.scope, h.value) for h in self.handles])
        self._patterns = prefilters(self.handles)
        self._searches = {"": Search(self.handles, "")}
        self._relations = 0

    def holds(self, kind: str) -> bool:
        """Whether there are handles of a kind."""
        return any(handle.kind == kind for handle in self.handles)

    def search(self, account_id: str | None) -> Search:
        """What finds handles in texts of records of an account."""
        scope = account_id or ""
        if scope not in self._searches:
            self._searches[scope] = Search(self.handles, scope)
        return self._searches[scope]

    def outcome(
        self, relation: str, columns: Sequence[str], rules: Rules, order: str | None = None
    ) -> Outcome:
        """What becomes of a relation. `order`: a column that keeps its rows in their order."""
        if not self.handles:
            return Outcome()
        count = partial(count_rows, self._connection)
        condition = self._condition(rules)
        maps = self._maps(relation, columns, rules)
        removed = count(f"{relation} as records where {condition}") if condition else 0
        if not removed and not maps:
            return Outcome()
        joins, selected = self._joined(columns, rules, maps)
        stays = f"not coalesce({condition}, false)" if condition else "true"
        touched = " or ".join(f"{name}.new is not null" for name in maps.values()) or "false"
        source = f"{relation} as records{joins}"
        changed = count(f"{source} where {stays} and ({touched})") if maps else 0
        if not removed and not changed:
            return Outcome()
        ordered = f" order by records.{order}" if order else ""
        return Outcome(
            removed,
            changed,
            f"select records.* from {relation} as records where {condition or 'false'}",
            f"select {selected} from {source} where {stays}{ordered}",
        )

    def columns_that_hold(self, relation: str, columns: Sequence[str]) -> list[str]:
        """The columns in which a handle stands that is looked for in every text."""
        found = []
        for column in columns:
            text = f"cast({quoted(column)} as varchar)"
            for pattern in self._patterns:
                rows = self._connection.execute(
                    f"select distinct {text} from {relation}"
                    f" where regexp_matches({text}, {literal(pattern)}, 'i')"
                ).fetchall()
                if any(self.search("").found_in(value) for (value,) in rows):
                    found.append(column)
                    break
        return found

    def _condition(self, rules: Rules) -> str | None:
        """Which records go, or None where none can."""
        parts = []
        for kind, scope, value in rules.removed:
            if not self.holds(kind):
                continue
            of_kind = f"from handles where kind = {literal(kind)}"
            if scope is None:
                parts.append(f"records.{quoted(value)} in (select value {of_kind})")
            else:
                parts.append(
                    f"(records.{quoted(scope)}, records.{quoted(value)})"
                    f" in (select (scope, value) {of_kind})"
                )
        return f"({' or '.join(parts)})" if parts else None

    def _maps(self, relation: str, columns: Sequence[str], rules: Rules) -> dict[str, str]:
        """Column → the table that says what its values become, for columns that change."""
        maps = {}
        texts = self._columns_to_search(relation, [c for c in columns if c in rules.texts])
        for column in columns:
            rows = []
            if column in rules.keyed:
                rows += self._keyed_values(relation, column, columns, *rules.keyed[column])
            if column in texts:
                known = {(scope, value) for scope, value, _ in rows}
                found = self._text_values(relation, column, columns)
                rows += [row for row in found if (row[0], row[1]) not in known]
            if rows:
                maps[column] = self._map(relation, column, rows)
        return maps

    def _keyed_values(
        self, relation: str, column: str, columns: Sequence[str], kind: str, is_replaced: bool
    ) -> list[tuple[str, Any, Any]]:
        if not self.holds(kind):
            return []
        is_scoped = any(handle.scope for handle in self.handles if handle.kind == kind)
        if is_scoped and "account_id" not in columns:
            return []
        key = "account_id" if is_scoped else "''"
        found = self._connection.execute(
            f"select distinct {key}, {quoted(column)} from {relation} where ({key},"
            f" {quoted(column)}) in (select (scope, value) from handles where kind = ?)",
            [kind],
        ).fetchall()
        if is_scoped:
            return [
                (scope, value, self._replacements[kind, scope, value] if is_replaced else None)
                for scope, value in found
            ]
        values = {value: self._replacements[kind, "", value] for _, value in found}
        scopes = _scopes(self._connection, relation, column, columns, list(values))
        return [(scope, value, values[value] if is_replaced else None) for scope, value in scopes]

    def _columns_to_search(self, relation: str, columns: Sequence[str]) -> set[str]:
        """The columns that may hold a handle, by one look at the whole relation: most hold none."""
        if not columns or not self._patterns:
            return set()
        looked_at = ", ".join(f"bool_or({self._may_hold(column)})" for column in columns)
        row = self._connection.execute(f"select {looked_at} from {relation}").fetchone() or ()
        return {column for column, holds in zip(columns, row, strict=True) if holds}

    def _may_hold(self, column: str) -> str:
        """The condition that a value may hold a handle, as SQL."""
        text = f"cast({quoted(column)} as varchar)"
        return " or ".join(
            f"regexp_matches({text}, {literal(pattern)}, 'i')" for pattern in self._patterns
        )

    def _text_values(
        self, relation: str, column: str, columns: Sequence[str]
    ) -> list[tuple[str, Any, Any]]:
        scope = "coalesce(account_id, '')" if "account_id" in columns else "''"
        found = self._connection.execute(
            f"select distinct {scope}, {quoted(column)} from {relation}"
            f" where {self._may_hold(column)}"
        ).fetchall()
        rows = [(account, value, self.search(account).scrubbed(value)) for account, value in found]
        return [row for row in rows if row[1] != row[2]]

    def _map(self, relation: str, column: str, rows: list[tuple[str, Any, Any]]) -> str:
        """Lay down what the values of a column become."""
        self._relations += 1
        name = f"scrubbed_{self._relations}"
        self._connection.execute(
            f"create or replace temp table {name} as"
            f" select '' as scope, {quoted(column)} as old, {quoted(column)} as new,"
            f" false as is_null from {relation} limit 0"
        )
        insert_rows(
            self._connection,
            name,
            [(scope, old, old if new is None else new, new is None) for scope, old, new in rows],
        )
        return name

    def _joined(
        self, columns: Sequence[str], rules: Rules, maps: Mapping[str, str]
    ) -> tuple[str, str]:
        scope = "coalesce(records.account_id, '')" if "account_id" in columns else "''"
        joins = "".join(
            f" left join {name} on {name}.scope = {scope} and {name}.old = records.{quoted(column)}"
            for column, name in maps.items()
        )
        emptied: dict[str, list[str]] = {}
        for trigger, names in rules.emptied.items():
            if trigger in maps:
                for name in names:
                    emptied.setdefault(name, []).append(f"{maps[trigger]}.new is not null")
        selected = []
        for column in columns:
            value = f"records.{quoted(column)}"
            if column in maps:
                name = maps[column]
                value = (
                    f"case when {name}.is_null then null"
                    f" when {name}.new is not null then {name}.new else {value} end"
                )
            if column in emptied:
                value = f"case when {' or '.join(emptied[column])} then null else {value} end"
            selected.append(f"{value} as {quoted(column)}")
        return joins, ", ".join(selected)


def _scopes(
    connection: DuckDBPyConnection,
    relation: str,
    column: str,
    columns: Sequence[str],
    values: list[str],
) -> list[tuple[str, str]]:
    """The values of a column with the accounts of the records that have them."""
    scope = "coalesce(account_id, '')" if "account_id" in columns else "''"
    return connection.execute(
        f"select distinct {scope}, {quoted(column)} from {relation}"
        f" where {quoted(column)} in (select unnest(?::varchar[]))",
        [values],
    ).fetchall()
