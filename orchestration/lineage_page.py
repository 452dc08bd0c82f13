"""docs/lineage.html: which columns a figure is made of, and what a column is used for, drawn.

One file that needs nothing else: the lineage stands in it, and no line of it asks the network for
anything. Its look and its script are `lineage_page.html`, beside this module.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from orchestration.lineage import Column, ColumnEdges
from orchestration.manifest import Manifest, published_tables
from orchestration.metric_catalog import metric_catalog
from settings import PROJECT_ROOT

PAGE = PROJECT_ROOT / "docs" / "lineage.html"

_TEMPLATE = Path(__file__).with_suffix(".html")
_DATA = "/*data*/"


def page(manifest: Manifest, edges: ColumnEdges) -> str:
    """The page for a project and its column lineage: the same text for the same two."""
    template = _TEMPLATE.read_text(encoding="utf-8")
    return template.replace(_DATA, "".join(_data(manifest, edges)))


def _data(manifest: Manifest, edges: ColumnEdges) -> Iterator[str]:
    """What the script of the page reads, as JSON with a line per entry.

    `tables`: name and layer. `columns`: number of the table, name, description if published.
    `made_of`: for each column the numbers of the columns that it is made of. `metrics`.
    """
    columns = sorted({*edges, *(upstream for made_of in edges.values() for upstream in made_of)})
    numbers = {column: number for number, column in enumerate(columns)}
    tables = list(dict.fromkeys(column.table for column in columns))
    table_numbers = {table: number for number, table in enumerate(tables)}
    layers, said = _layers(manifest), _descriptions(manifest)
    entries = {
        "tables": [[table, layers.get(table, "source")] for table in tables],
        "columns": [
            [table_numbers[one.table], one.column, *([said[one]] if one in said else [])]
            for one in columns
        ],
        "made_of": [[numbers[one] for one in edges.get(column, [])] for column in columns],
        "metrics": list(_metrics(manifest)),
    }
    for position, (name, values) in enumerate(entries.items()):
        # `<` would end the script where a text held `</script>`.
        lines = [json.dumps(value, ensure_ascii=False).replace("<", "\\u003c") for value in values]
        listed = ",\n".join(lines)
        yield f'{"," if position else "{"}"{name}": [\n{listed}\n]\n'
    yield "}"


def _layers(manifest: Manifest) -> dict[str, str]:
    """The layer of each model; the settings of the run stand with what is staged."""
    models = (node for node in manifest["nodes"].values() if node["resource_type"] == "model")
    return {
        node["name"]: "staging" if node["schema"] == "utilities" else node["schema"]
        for node in models
    }


def _descriptions(manifest: Manifest) -> dict[Column, str]:
    """What is said of each published column, a doc block's parts on one line each."""
    return {
        Column(table.name, column): "\n".join(
            " ".join(part.split()) for part in re.split(r"\n\n|\n(?=\*)", description)
        )
        for table in published_tables(manifest)
        for column, description in table.column_descriptions.items()
    }


def _metrics(manifest: Manifest) -> Iterator[dict[str, Any]]:
    catalog = metric_catalog(manifest)
    shown = ("metric", "label", "published_in", "computed_in")
    for row in sorted(catalog.rows):
        entry = dict(zip(catalog.columns, row, strict=True))
        yield {name: entry[name] for name in shown}
