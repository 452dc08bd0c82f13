"""What the warehouse is made of, as rows of `run` that dbt publishes: models, and columns.

Which model selects from which comes from dbt's manifest. Which column is made of which takes a
compiled project and seconds to find out, and changes with the code alone: it is found out when the
code changes (`make docs`), and stands in `dbt_project/lineage/column_edges.csv`. A test fails when
the file is behind.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any, NamedTuple

from orchestration.manifest import Manifest, published_tables
from settings import DBT_PROJECT, RunTable

COLUMN_EDGES = DBT_PROJECT / "lineage" / "column_edges.csv"
LINEAGE_TABLES = {
    "model_edges": "One row per model and model or source that it selects from.",
    "column_edges": "One row per column of a model and column that it is made of.",
}

LINEAGE_COLUMNS = {
    "model_edges": {"model": "varchar", "upstream": "varchar", "upstream_kind": "varchar"},
    "column_edges": {
        "is_published": "boolean",
        "table_name": "varchar",
        "column_name": "varchar",
        "upstream_table": "varchar",
        "upstream_column": "varchar",
        "upstream_kind": "varchar",
    },
}


class Column(NamedTuple):
    """A column of a table: of a model by its name, of a source as `schema.table`."""

    table: str
    column: str

    @property
    def kind(self) -> str:
        """`model` or `source`."""
        return "source" if "." in self.table else "model"


# Each column of each model with those of its direct upstream tables that it is made of.
ColumnEdges = dict[Column, list[Column]]


def lineage_tables(manifest: Manifest) -> list[RunTable]:
    """The rows of `LINEAGE_TABLES`, for the project that the manifest is of."""
    published = {table.name for table in published_tables(manifest)}
    rows: dict[str, list[tuple[Any, ...]]] = {
        "model_edges": sorted(_model_edges(manifest)),
        "column_edges": [
            (column.table in published, *column, *upstream, upstream.kind)
            for column, made_of in read_column_edges().items()
            for upstream in made_of
        ],
    }
    return [RunTable(name, columns, rows[name]) for name, columns in LINEAGE_COLUMNS.items()]


def _model_edges(manifest: Manifest) -> Iterator[tuple[str, str, str]]:
    for node in manifest["nodes"].values():
        if node["resource_type"] != "model":
            continue
        for unique_id in node["depends_on"]["nodes"]:
            kind, _, name = unique_id.split(".", 2)
            yield node["name"], name, kind


def read_column_edges() -> ColumnEdges:
    """The edges as they are kept."""
    with COLUMN_EDGES.open(encoding="utf-8", newline="") as file:
        _, *rows = csv.reader(file)
    return {_column(column): [_column(one) for one in made_of.split()] for column, made_of in rows}


def column_edges_text(edges: ColumnEdges) -> str:
    """The edges as they are kept: a line per column, in text order."""
    lines = [
        f"{'.'.join(column)},{' '.join('.'.join(upstream) for upstream in sorted(made_of))}\n"
        for column, made_of in sorted(edges.items())
    ]
    return "".join(["column,made_of\n", *lines])


def _column(text: str) -> Column:
    return Column(*text.rsplit(".", 1))
