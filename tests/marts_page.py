"""docs/marts.md: the published tables with their columns and types, as the contracts have them.

`make docs` writes it; a test compares it with the project.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from settings import DBT_PROJECT, PROJECT_ROOT

PAGE = PROJECT_ROOT / "docs" / "marts.md"

_HEAD = """\
# The published tables

Written by `make docs` from the contracts that dbt enforces. The names, types and keys here are what
readers may rely on; they change with a major version only. In the published DuckDB file every table
and column carries its description (`from duckdb_columns()`). The publisher adds `audit_publishes`,
`audit_checks`, `audit_rollbacks` ([recovery](recovery.md)), `audit_restatements` and
`audit_definitions` ([restatements](restatements.md)).
Suffixes carry units: `_seconds`, `_days`, `_pct` (0–100); `_at` a UTC timestamp; `_date`, `day` and
`month` dates. Money with a bare name is in the row's `currency`, its twin ending in `_reporting` in
the reporting currency, as is the money of a `_rollup`.
"""


def page(models: Mapping[str, Mapping[str, Any]]) -> str:
    """The page for the models of a manifest, by name."""
    parts = [_HEAD]
    for name in sorted(models):
        node = models[name]
        if node["fqn"][1] != "published":
            continue
        key = ", ".join(f"`{column}`" for column in node["config"]["meta"]["grain"])
        width = max(map(len, node["columns"]))
        columns = [
            f"    {column:<{width}}  {contract['data_type']}"
            for column, contract in node["columns"].items()
        ]
        parts.append(
            "\n".join([f"\n## {name}\n", f"{node['description']} Key: {key}.\n", *columns, ""])
        )
    return "".join(parts)


def main() -> None:
    """Write the page from the manifest of the last `dbt parse`."""
    manifest = json.loads(Path(DBT_PROJECT / "target" / "manifest.json").read_text("utf-8"))
    nodes = manifest["nodes"].values()
    PAGE.write_text(
        page({node["name"]: node for node in nodes if node["resource_type"] == "model"}), "utf-8"
    )


if __name__ == "__main__":
    main()
