"""The query of docs/timeline_search.md, as printed there, on a timeline built from records."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

import pytest

from settings import DBT_PROJECT
from tests.compiled_project import CompiledProject, InMemoryWarehouse

DOCUMENT = DBT_PROJECT.parent / "docs" / "timeline_search.md"

ACCOUNTS = [
    {"account_id": account_id, "name": account_id, "join_date": "2024-01-01"}
    for account_id in ("a", "other")
]
INTERACTIONS = [
    {
        "interaction_id": "meeting",
        "account_id": "a",
        "occurred_at": "2024-06-02T10:00:00Z",
        "type": "meeting",
        "subject": "Zoé at the Café",
        "description": "Agreed:\n\n100%\u00a0of the seats, ΟΔΟΣ 7, İstanbul",
        "contact": "zoe.muller@customer.example",
    },
    {
        "interaction_id": "mail",
        "account_id": "a",
        "occurred_at": "2024-06-03T10:00:00Z",
        "type": "Email",
        "origin": "sync",
        "subject": "RENEWAL of 100 seats",
        "description": "snake_case, said Zoe",
    },
    {
        "interaction_id": "elsewhere",
        "account_id": "other",
        "occurred_at": "2024-06-03T10:00:00Z",
        "type": "phone",
        "subject": "Zoé at the Café",
    },
]
NOTES = [
    {
        "note_id": "note",
        "account_id": "a",
        "created_at": "2024-06-01T10:00:00Z",
        "body": "Mu\u0308ller's team wants snakeXcase",
        "author": "Ann Ek",
    }
]
TICKETS = [
    {
        "ticket_id": "ticket",
        "account_id": "a",
        "created_at": "2024-06-04T10:00:00Z",
        "status": "open",
        "subject": "Café menu is empty",
    }
]

MAIL = [("email", "mail"), ("touchpoint", "mail")]
MEETING, NOTE, TICKET = ("touchpoint", "meeting"), ("note", "note"), ("support", "ticket")


@pytest.fixture(scope="module")
def warehouse(compiled_project: CompiledProject) -> Iterator[InMemoryWarehouse]:
    warehouse = compiled_project.warehouse()
    warehouse.set_inputs(date(2024, 6, 10))
    warehouse.land("crm", "accounts", ACCOUNTS)
    warehouse.land("crm", "interactions", INTERACTIONS)
    warehouse.land("crm", "notes", NOTES)
    warehouse.land("tickets", "tickets", TICKETS)
    warehouse.build("account_timeline")
    warehouse.connection.execute("use warehouse.published")
    yield warehouse
    warehouse.connection.close()


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        ("cafe", [TICKET, MEETING]),
        ("CAFÉ zoe", [MEETING]),
        ("zoë  café", [MEETING]),
        ("cafe\u0301", [TICKET, MEETING]),
        ("müller", [MEETING, NOTE]),
        ("muller ann", [NOTE]),
        ("renew SEAT", MAIL),
        ("100% seats", [MEETING]),
        ("100 seats", [*MAIL, MEETING]),
        ("100% of", [MEETING]),
        ("snake_case", MAIL),
        ("%", [MEETING]),
        ("οδος istanbul", [MEETING]),
        ("zoe.muller@customer", [MEETING]),
        ("agreed: 100%", [MEETING]),
        ("cafe absent", []),
        ("  ", [TICKET, *MAIL, MEETING, NOTE]),
    ],
)
def test_the_search_finds_the_items_that_have_all_words_in_any_case_and_accents(
    warehouse: InMemoryWarehouse, search: str, expected: list[tuple[str, str]]
) -> None:
    (query,) = re.findall(r"```sql\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    rows = warehouse.connection.execute(query, {"search": search, "account_id": "a"}).fetchall()
    assert [row[:2] for row in rows] == expected
