"""Published tables are a contract: what differs from the last release stands in the changelog."""

from __future__ import annotations

import copy
import json

import pytest

from tests.compiled_project import CompiledProject
from tests.published_schema import (
    CHANGELOG,
    FOLDER,
    KINDS,
    Change,
    changes,
    last_release,
    schema,
    told,
)

TABLE = {"a": {"key": ["id"], "columns": {"id": "varchar", "x": "bigint"}}}


def test_every_change_of_a_published_table_stands_in_the_changelog(
    compiled_project: CompiledProject,
) -> None:
    changelog = CHANGELOG.read_text("utf-8")
    released = json.loads((FOLDER / f"{last_release(changelog)}.json").read_text("utf-8"))
    listed = told(changelog)
    real = changes(released, schema(compiled_project.models))
    untold = real - set(listed)
    assert not untold, f"not in {CHANGELOG.name} under Unreleased, as | table | column | kind |"
    made_up = {change for change in listed if change.kind != "meaning"} - real
    assert not made_up, "listed, and no difference to the last release"
    assert len(listed) == len(set(listed)), "listed twice"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda one: one.update(b={"key": [], "columns": {}}), {Change("b", "*", "added")}),
        (lambda one: one.pop("a"), {Change("a", "*", "removed")}),
        (lambda one: one["a"]["columns"].update(y="date"), {Change("a", "y", "added")}),
        (lambda one: one["a"]["columns"].pop("x"), {Change("a", "x", "removed")}),
        (lambda one: one["a"]["columns"].update(x="double"), {Change("a", "x", "retyped")}),
        (lambda one: one["a"].update(key=["id", "x"]), {Change("a", "*", "key")}),
        (lambda one: None, set()),
    ],
)
def test_a_change_is_found(change, expected) -> None:
    after = copy.deepcopy(TABLE)
    change(after)
    assert changes(TABLE, after) == expected


def test_a_changelog_lists_changes_by_table_column_and_kind() -> None:
    changelog = """\
# Changelog

## Unreleased

| published table | column | kind | what |
| --- | --- | --- | --- |
| a | `y`, `z` | added | two of them |
| a | `x` → `w` | renamed | by another name |
| b | * | added | a table |
| b | `id` | meaning | counts others |

## 0.2.0

| published table | column | kind | what |
| --- | --- | --- | --- |
| c | * | removed | |
"""
    assert told(changelog) == [
        Change("a", "y", "added"),
        Change("a", "z", "added"),
        Change("a", "x", "removed"),
        Change("a", "w", "added"),
        Change("b", "*", "added"),
        Change("b", "id", "meaning"),
    ]
    assert told(changelog, "0.2.0") == [Change("c", "*", "removed")]
    assert told("# Changelog\n") == []
    assert last_release(changelog) == "0.2.0"


def test_every_kind_is_explained_in_the_changelog() -> None:
    head = CHANGELOG.read_text("utf-8").partition("\n## ")[0]
    assert [kind for kind in KINDS if f"`{kind}`" not in head] == []
