"""Arrival knows the types of columns by name and the forms that parse: both are what staging has.

Arrival has to judge before staging runs, so it has words of its own for types; here the two are
held against each other.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import duckdb
import jinja2
import pytest

from expectations.arrival.drift import PARSED, TYPES
from ingestion import ENTITIES
from ingestion.landed_columns import FORMS, OTHER_FORM, form_of_text
from settings import DBT_PROJECT

_MACROS = ("dialect/text.sql", "dialect/time.sql", "staging/staged_records.sql")
_STAGING = Path(DBT_PROJECT) / "models" / "staging" / "native"

VALUES = [
    "0",
    "1",
    "7",
    "-12",
    "+3",
    "0012",
    "12.0",
    "12.50",
    ".5",
    "1.",
    "1e3",
    "1.5E-3",
    "1717200000000",
    "-1717200000000",
    "1717200000000.0",
    "123456789",
    "2024-01-31",
    "2024-02-30",
    "2024-01-31T00:00:00Z",
    "2024-01-31 10:00:00.123+02:00",
    "2024-01-31T10:00+0200",
    "2024-01-31T10:00",
    "2024-01-31 10:00:00.5",
    "2024-01-31T25:00:00Z",
    "31.01.2024",
    "01/31/2024",
    "true",
    "No",
    "T",
    "maybe",
    "USD",
    "eur",
    "dollars",
    "1.234,50",
    "$5",
    "n/a",
    '{"a": 1}',
    "[1, 2]",
    "[]",
    "[not json",
    "{brace",
    "plain text",
    "12 monkeys",
]

# JSON has numbers and words as well, in a spelling of its own: none that a list would turn into.
ACCEPTED = {"json": {"+3", ".5", "1.", "0012", "true"}}


def typed_column(text: str, type_: str) -> str:
    """The SQL of staging for a value of a type, rendered from the project's macros."""
    source = "\n".join(
        (Path(DBT_PROJECT) / "macros" / name).read_text(encoding="utf-8") for name in _MACROS
    )
    environment = jinja2.Environment(extensions=["jinja2.ext.do"])
    return environment.from_string(
        source + "{{ typed_column(" + repr(text) + ", " + repr(type_) + ", \"'UTC'\") }}"
    ).render()


def staged_columns() -> dict[str, set[str]]:
    """Column → the types that the models of staging declare for it, without the `!`."""
    found: dict[str, set[str]] = {}
    for model in sorted(_STAGING.glob("*.sql")):
        for columns in re.findall(r"columns ?= ?(\{.*?\})", model.read_text("utf-8"), re.DOTALL):
            for column, type_ in ast.literal_eval(columns).items():
                found.setdefault(column.strip(), set()).add(type_.replace("!", ""))
    return found


def test_arrival_knows_the_types_that_staging_declares() -> None:
    staged = staged_columns()
    contract = {column for d in ENTITIES.values() for e in d.values() for column in e.columns}
    assert set(staged) == contract
    assert {column: {TYPES.get(column, "text")} for column in staged} == {
        column: {"text" if type_ == "email" else type_ for type_ in types}
        for column, types in staged.items()
    }


@pytest.mark.parametrize("type_", sorted(PARSED))
def test_arrival_takes_for_a_value_what_staging_parses(type_: str) -> None:
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        rows = connection.execute(
            f"select text, {form_of_text()}, ({typed_column('text', type_)}) is not null"
            " from (select unnest(?::varchar[]) as text)",
            [VALUES],
        ).fetchall()
    differences = {text for text, form, parses in rows if (form in PARSED[type_]) != parses}
    assert differences <= ACCEPTED.get(type_, set())


def test_every_form_that_a_type_takes_is_one_that_is_noted() -> None:
    assert {form for forms in PARSED.values() for form in forms} <= {*FORMS, OTHER_FORM}
    with duckdb.connect() as connection:
        forms = connection.execute(
            f"select distinct {form_of_text()} from (select unnest(?::varchar[]) as text)",
            [[*VALUES, "", None]],
        ).fetchall()
    assert {form for (form,) in forms} == {*FORMS, OTHER_FORM}
