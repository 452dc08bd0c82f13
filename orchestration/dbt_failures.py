"""Which dbt nodes failed or had a remark in the last build, and first rows that a test found."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import duckdb

_SHOWN_ROWS = 5
_FAILED = ("fail", "error", "runtime error")


@dataclass(frozen=True)
class DbtFailure:
    """A model that could not be built, or a test that did not hold."""

    node: str
    message: str
    compiled_path: str
    columns: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """As plain JSON."""
        return asdict(self)


def read_failures(target: Path, warehouse: Path) -> list[DbtFailure]:
    """The failures of the build whose artifacts stand in `target`; none where it left none.

    The compiled SQL of a failed test is run once more for up to five of the rows it found.
    """
    return _read(target, warehouse, _FAILED)


def read_remarks(target: Path, warehouse: Path) -> list[DbtFailure]:
    """The same of the tests that found something and let the build go on."""
    return _read(target, warehouse, ("warn",))


def built_models(target: Path) -> list[str]:
    """The unique ids of the models that the build whose artifacts stand in `target` has built."""
    results = target / "run_results.json"
    if not results.exists():
        return []
    return [
        result["unique_id"]
        for result in json.loads(results.read_bytes())["results"]
        if result["status"] == "success" and result["unique_id"].startswith("model.")
    ]


def _read(target: Path, warehouse: Path, statuses: tuple[str, ...]) -> list[DbtFailure]:
    results = target / "run_results.json"
    if not results.exists():
        return []
    return [
        _failure(result, target, warehouse)
        for result in json.loads(results.read_bytes())["results"]
        if result["status"] in statuses
    ]


def _failure(result: dict[str, Any], target: Path, warehouse: Path) -> DbtFailure:
    unique_id, sql = result["unique_id"], result.get("compiled_code")
    columns, rows = (
        _failing_rows(sql, warehouse)
        if sql and unique_id.startswith("test.") and result["status"] in ("fail", "warn")
        else ([], [])
    )
    return DbtFailure(
        node=_node_name(unique_id),
        message=(result.get("message") or result["status"]).strip(),
        compiled_path=_compiled_path(result, target),
        columns=columns,
        rows=rows,
    )


def _node_name(unique_id: str) -> str:
    """`model account_360`, `test unique_account_360_account_id`, …"""
    kind, _, name = unique_id.split(".", 2)
    return f"{kind.replace('_', ' ')} {name.split('.')[0]}"


def _failing_rows(sql: str, warehouse: Path) -> tuple[list[str], list[list[str]]]:
    try:
        with duckdb.connect(str(warehouse), read_only=True) as connection:
            connection.execute("set TimeZone = 'UTC'")
            # A line of its own for the bracket: a test may end in a comment.
            cursor = connection.execute(f"select * from ({sql}\n) limit {_SHOWN_ROWS}")  # noqa: S608
            columns = [column[0] for column in cursor.description]
            rows = [[str(value) for value in row] for row in cursor.fetchall()]
    except duckdb.Error as error:
        return ["its rows cannot be shown"], [[str(error).splitlines()[0]]]
    return columns, rows


def _compiled_path(result: dict[str, Any], target: Path) -> str:
    """The file with the SQL that failed; empty where dbt wrote none."""
    name = result["unique_id"].split(".")[2]
    found = sorted((target / "compiled").rglob(f"{name}*.sql"), key=lambda path: len(path.name))
    return str(found[0]) if found else ""
