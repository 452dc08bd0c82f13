"""Which columns each column of the warehouse is made of, read from the compiled models.

A value counts, not a condition: `a` is made of `b` where `b` stands in the expression that makes
`a`, over any number of CTEs. What only chooses rows (where, join, group by) is left out, unless
rows are what is counted: `count(*)` is made of the conditions of its rows and of the key of the
tables that they come from. A subquery in an expression belongs to it, with its conditions.

The models are read as they are compiled for an empty warehouse. What a kept table goes on from does
not change what its rows mean, and the lineage is a function of the code alone.

`python -m orchestration.column_lineage` writes what the code says into the files of the project.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from tempfile import TemporaryDirectory
from typing import Any

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, traverse_scope
from sqlglot.schema import MappingSchema

from ingestion.entities import DOMAINS
from ingestion.tables import PROVENANCE, contract_tables, dataset_name
from orchestration.lineage import (
    COLUMN_EDGES,
    LINEAGE_COLUMNS,
    Column,
    ColumnEdges,
    column_edges_text,
)
from orchestration.lineage_page import PAGE, page
from orchestration.manifest import Manifest, compile_manifest
from orchestration.metric_catalog import CATALOG_COLUMNS
from settings import load_settings, run_tables

_DIALECT = "duckdb"


class ColumnLineageError(RuntimeError):
    """SQL whose columns cannot be followed; the message names the model and what is in the way."""


@dataclass(frozen=True)
class _Table:
    """What a model can be told of a table that it reads."""

    name: str
    columns: Sequence[str]
    key: Sequence[str]


# What the engine tells of tables: no data, so that no column is made of it.
_OF_THE_ENGINE = _Table(
    "information_schema.columns", ("table_schema", "table_name", "column_name"), ()
)


class _Tables:
    """The tables that a model may read, as far as the models before it have been followed."""

    def __init__(self) -> None:
        self.schema = MappingSchema(dialect=_DIALECT)
        self._by_name: dict[tuple[str, str], _Table] = {}

    def add(self, schema: str, name: str, table: _Table) -> None:
        """Let models read a table under a name."""
        self.schema.add_table(f"{schema}.{name}", dict.fromkeys(table.columns, "unknown"))
        self._by_name[schema, name] = table

    def read(self, table: exp.Table) -> _Table:
        """The table that stands in a query."""
        try:
            return self._by_name[table.db, table.name]
        except KeyError:
            raise ColumnLineageError(f"no table {table.sql(_DIALECT)} is known") from None


# A step on the way through a model: a column of a query or table, or (None) its rows.
_Step = tuple[Scope | _Table, str | None]


def column_edges(manifest: Manifest) -> ColumnEdges:
    """Each column of each model with the columns of its direct upstream tables, in text order.

    The manifest is of a project that was compiled for an empty warehouse. Raises
    `ColumnLineageError`.
    """
    tables = _Tables()
    for known in (_OF_THE_ENGINE, *_sources()):
        tables.add(*known.name.split("."), known)
    edges: ColumnEdges = {}
    for node in _in_order_of_building(manifest):
        try:
            model = _Model(node["compiled_code"], tables)
            for column in model.columns:
                edges[Column(node["name"], column)] = sorted(model.upstream(column))
        except (SqlglotError, ColumnLineageError) as error:
            raise ColumnLineageError(f"{node['original_file_path']}: {error}") from error
        known = _Table(node["name"], model.columns, _key(node, model.columns))
        tables.add(node["schema"], node["name"], known)
    return edges


def _key(node: dict[str, Any], columns: Sequence[str]) -> Sequence[str]:
    """What tells rows of a model apart: its grain or, where it lacks that, all columns."""
    grain = node["config"].get("meta", {}).get("grain", [])
    return grain if set(grain) <= set(columns) else columns


def _sources() -> Iterator[_Table]:
    """The tables of raw, whose records are told apart by where they stand, and those of `run`."""
    for domain in DOMAINS:
        for name, columns in contract_tables(domain).items():
            key = PROVENANCE if "_location" in columns else ("location", "load_number")
            yield _Table(f"{dataset_name(domain)}.{name}", list(columns), list(key))
    # Any settings and any date: only the columns are asked for.
    told = run_tables(load_settings(environ={}), date(2024, 1, 1))
    run_columns = {table.name: table.columns for table in told}
    run_columns |= {"metric_catalog": CATALOG_COLUMNS, **LINEAGE_COLUMNS}
    for name, columns in run_columns.items():
        yield _Table(f"run.{name}", list(columns), [])


def _in_order_of_building(manifest: Manifest) -> Iterator[dict[str, Any]]:
    """The models, each after those that it selects from."""
    seen: set[str] = set()

    def visit(unique_id: str) -> Iterator[dict[str, Any]]:
        if unique_id in seen or not unique_id.startswith("model."):
            return
        seen.add(unique_id)
        node = manifest["nodes"][unique_id]
        for upstream in node["depends_on"]["nodes"]:
            yield from visit(upstream)
        yield node

    for unique_id in manifest["nodes"]:
        yield from visit(unique_id)


class _Model:
    """The query of one model, whose output columns are followed to the tables it reads."""

    def __init__(self, sql: str, tables: _Tables) -> None:
        query = parse_one(sql, dialect=_DIALECT)
        for table in query.find_all(exp.Table):
            table.set("catalog", None)
            if table.db:
                tables.read(table)
        if any(not pivot.unpivot for pivot in query.find_all(exp.Pivot)):
            raise ColumnLineageError("columns are named after values by a pivot")
        query = qualify(query, dialect=_DIALECT, schema=tables.schema, identify=False)
        self._tables = tables
        self._scopes = traverse_scope(query)
        self._scope_of = {
            id(node): scope for scope in self._scopes for node in scope.walk() if _is_leaf(node)
        }
        self._known = {id(scope) for scope in self._scopes}
        self._by_query = {id(scope.expression): scope for scope in self._scopes}
        self.columns: list[str] = query.named_selects

    def upstream(self, column: str) -> set[Column]:
        """The columns of tables that an output column is made of."""
        root = self._scopes[-1]
        found: set[Column] = set()
        seen: set[tuple[int, str | None]] = set()
        to_do: list[_Step] = [(root, column)]
        while to_do:
            source, name = to_do.pop()
            if source is _OF_THE_ENGINE:
                continue
            if isinstance(source, _Table):
                found.update(Column(source.name, one) for one in ([name] if name else source.key))
            elif (id(source), name) not in seen:
                seen.add((id(source), name))
                to_do.extend(self._parts(source, name))
        return found

    def _parts(self, scope: Scope, name: str | None) -> Iterator[_Step]:
        """What a column of a scope, or its rows, are made of."""
        query = scope.expression
        if isinstance(query, exp.SetOperation):
            yield from self._parts_of_union(scope, query, name)
        elif not isinstance(query, exp.Select):
            raise ColumnLineageError(f"this is not followed: {query.sql(_DIALECT)}")
        elif name is None:
            yield from self._rows(scope)
        else:
            position = query.named_selects.index(name)
            yield from self._leaves(query.selects[position])

    def _parts_of_union(
        self, scope: Scope, query: exp.SetOperation, name: str | None
    ) -> Iterator[_Step]:
        """The same column by its position in every part, or the rows of every part."""
        names = query.named_selects
        # Rows that `union` keeps once are told apart by all their columns.
        wanted = [name] if name else names if query.args.get("distinct") else []
        for branch in scope.set_operation_scopes:
            if name is None:
                yield branch, None
            for one in wanted:
                yield branch, branch.expression.named_selects[names.index(one)]

    def _rows(self, scope: Scope) -> Iterator[_Step]:
        """What decides which rows a query has: its conditions, and what its rows stand for."""
        query = scope.expression
        for part in ("where", "group", "having", "qualify"):
            if query.args.get(part):
                yield from self._leaves(query.args[part])
        if query.args.get("distinct"):
            for projection in query.selects:
                yield from self._leaves(projection)
        if not query.args.get("group"):
            yield from self._sources(scope)

    def _sources(self, scope: Scope) -> Iterator[_Step]:
        """The rows that a query reads: how its sources are joined, and theirs."""
        for join in scope.expression.args.get("joins") or []:
            if join.args.get("on"):
                yield from self._leaves(join.args["on"])
        for _, source in scope.selected_sources.values():
            yield self._resolved(scope, source), None

    def _leaves(self, expression: exp.Expr) -> Iterator[_Step]:
        """The columns and counted rows that stand in an expression, subqueries included."""
        for node in filter(_is_leaf, expression.walk()):
            scope = self._scope_of[id(node)]
            if isinstance(node, exp.Count):
                yield from self._counted(scope)
            elif isinstance(node.this, exp.Star):
                yield from self._whole_row(scope, node)
            else:
                yield from self._column(scope, node)

    def _counted(self, scope: Scope) -> Iterator[_Step]:
        """What `count(*)` counts: rows before they are grouped."""
        if where := scope.expression.args.get("where"):
            yield from self._leaves(where)
        yield from self._sources(scope)

    def _whole_row(self, scope: Scope, star: exp.Column) -> Iterator[_Step]:
        """All columns of a source, but for those that are excluded."""
        excluded = {column.name for column in star.this.args.get("except_") or []}
        _, source = self._source(scope, star.table)
        names = source.columns if isinstance(source, _Table) else source.expression.named_selects
        yield from ((source, name) for name in names if name not in excluded)

    def _column(self, scope: Scope, column: exp.Column) -> Iterator[_Step]:
        """Where a column comes from: one of a source, or those that `unpivot` made it of."""
        node, source = self._source(scope, column.table)
        for pivot in node.args.get("pivots") or []:
            if column.name in {value.name for value in pivot.expressions}:
                for field in pivot.fields:
                    yield from ((source, folded.name) for folded in field.expressions)
                return
            if column.name in {field.this.name for field in pivot.fields}:
                return
        yield source, column.name

    def _source(self, scope: Scope, name: str) -> tuple[exp.Expr, Scope | _Table]:
        """A source by its alias, also one of the query around a subquery."""
        inner: Scope | None = scope
        while inner:
            if name in inner.selected_sources:
                node, source = inner.selected_sources[name]
                return node, self._resolved(inner, source)
            inner = inner.parent
        raise ColumnLineageError(f"no source {name!r} in {scope.expression.sql(_DIALECT)}")

    def _resolved(self, scope: Scope, source: Scope | exp.Table) -> Scope | _Table:
        """The query or table that a name stands for in a scope."""
        if isinstance(source, exp.Table):
            if source.db:
                return self._tables.read(source)
            source = scope.cte_sources[source.name]  # one that is unpivoted
        # Inside a recursive query sqlglot lets its name stand for the first part of it alone.
        if id(source) not in self._known:
            return self._by_query[id(source.expression.parent)]
        return source


def _is_leaf(node: exp.Expr) -> bool:
    """Whether an expression is made of this node: a column, a whole row, or a count of rows."""
    if isinstance(node, exp.Column):
        return not isinstance(node.parent, exp.Star)  # what a star leaves out
    return isinstance(node, exp.Count) and isinstance(node.this, exp.Star)


def main() -> None:
    """Write the edges and the page of the project as it stands; takes half a minute."""
    with TemporaryDirectory() as home:
        manifest = compile_manifest(load_settings(environ={}, home=home))
    edges = column_edges(manifest)
    COLUMN_EDGES.write_text(column_edges_text(edges), encoding="utf-8")
    PAGE.write_text(page(manifest, edges), encoding="utf-8")


if __name__ == "__main__":
    main()
