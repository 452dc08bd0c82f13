"""The published tables as data: name, key, columns and their types.

`docs/schema/<version>.json` keeps those of each release; whatever differs from the last one stands
in the table of `CHANGELOG.md` under "Unreleased". With a release, after `dbt parse`:

    python -m tests.published_schema 0.2.0
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from orchestration.publishing import own_columns
from orchestration.restatements import OWN_TABLES, write_definitions, write_restatements
from settings import DBT_PROJECT, PROJECT_ROOT

FOLDER = PROJECT_ROOT / "docs" / "schema"
CHANGELOG = PROJECT_ROOT / "CHANGELOG.md"
UNRELEASED = "Unreleased"
# `meaning` is a change that no schema shows: what a column says is another thing.
KINDS = ("added", "removed", "renamed", "retyped", "key", "meaning")

Schema = Mapping[str, Mapping[str, Any]]


class Change(NamedTuple):
    """A difference between two schemas; column `*`: the whole table."""

    table: str
    column: str
    kind: str


def schema(models: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """What is published, by the contracts of a manifest's models and the publisher's own tables."""
    tables = {
        name: {
            "key": list(node["config"]["meta"]["grain"]),
            "columns": {
                column: contract["data_type"] for column, contract in node["columns"].items()
            },
        }
        for name, node in models.items()
        if node["fqn"][1] == "published"
    }
    tables |= {name: {"key": key, "columns": columns} for name, (key, columns) in own_columns()}
    with duckdb.connect() as connection:
        write_definitions(connection, [("model", "one", "hash", None)], date(2024, 1, 1))
        write_restatements(connection, date(2024, 1, 1), None, "")
        for table in OWN_TABLES:
            described = connection.execute(f"describe {table.name}").fetchall()
            tables[table.name] = {
                "key": list(table.grain),
                "columns": {name: kind.lower() for name, kind, *_ in described},
            }
    return dict(sorted(tables.items()))


def changes(before: Schema, after: Schema) -> set[Change]:
    """How two schemas differ, but for renaming, which is told as removed and added."""
    found = {Change(table, "*", "added") for table in after.keys() - before.keys()}
    found |= {Change(table, "*", "removed") for table in before.keys() - after.keys()}
    for table in before.keys() & after.keys():
        was, now = before[table]["columns"], after[table]["columns"]
        found |= {Change(table, column, "added") for column in now.keys() - was.keys()}
        found |= {Change(table, column, "removed") for column in was.keys() - now.keys()}
        found |= {
            Change(table, column, "retyped")
            for column in was.keys() & now.keys()
            if was[column] != now[column]
        }
        if before[table]["key"] != after[table]["key"]:
            found.add(Change(table, "*", "key"))
    return found


def told(changelog: str, release: str = UNRELEASED) -> list[Change]:
    """The changes that a release's table lists, several of a line apart, in their order."""
    return [
        change
        for table, column, kind in _rows(changelog, release)
        for change in _changes(table, column, kind)
    ]


def _rows(changelog: str, release: str) -> Iterator[Sequence[str]]:
    for line in _section(changelog, release).splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("|") and len(cells) == 4 and cells[2] in KINDS:
            yield cells[:3]


def _section(changelog: str, release: str) -> str:
    parts = re.split(r"^## (.+)$", changelog, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True)).get(release, "")


def _changes(table: str, column: str, kind: str) -> Iterator[Change]:
    """`a`, `b` are two columns; `a` → `b` is one that was renamed: another went, another came."""
    for one in column.split(","):
        names = [name.strip().strip("`") for name in one.split("→")]
        if kind == "renamed":
            old, new = names
            yield Change(table, old, "removed")
            yield Change(table, new, "added")
        else:
            yield Change(table, names[0], kind)


def last_release(changelog: str) -> str:
    """The version of the newest release that the changelog lists."""
    return re.findall(r"^## (\d+\.\d+\.\d+)$", changelog, flags=re.MULTILINE)[0]


def main(version: str) -> None:
    """Keep the schema of the project as that of a release, from the last `dbt parse`."""
    manifest = json.loads(Path(DBT_PROJECT / "target" / "manifest.json").read_text("utf-8"))
    models = {n["name"]: n for n in manifest["nodes"].values() if n["resource_type"] == "model"}
    FOLDER.mkdir(exist_ok=True)
    text = json.dumps(schema(models), indent=1) + "\n"
    (FOLDER / f"{version}.json").write_text(text, "utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
