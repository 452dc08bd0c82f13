"""What was erased does not land again, whatever file it comes in."""

from __future__ import annotations

import stat

import pytest

from ingestion.erased import Handle, Search, Tombstones, in_words, is_told_from_text
from tests.ingestion.conftest import Place

NEW = "erased-0123456789abcdef01234567"


def erased(place: Place, *handles: Handle) -> Tombstones:
    """Tombstones of a home folder, with more of them."""
    tombstones = Tombstones(place.settings.erasure_path)
    tombstones.add(handles, tombstones.erasures + 1)
    return Tombstones(place.settings.erasure_path)


def test_a_home_without_erasures_has_no_salt(place: Place) -> None:
    place.land("crm/csms.jsonl", '{"email": "ann@x.example"}\n')
    place.load()
    assert not place.settings.erasure_path.exists()


def test_tombstones_tell_nobody_who_was_erased(place: Place) -> None:
    erased(place, Handle("account", "", "Acme-4711-Berlin", NEW))
    folder = place.settings.erasure_path
    for path in folder.iterdir():
        assert "acme" not in path.read_text().lower()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Tombstones(folder).knows("account", "", "Acme-4711-Berlin")
    assert not Tombstones(folder).knows("account", "", "acme-4711-berlin")


def test_the_same_id_has_another_hash_in_another_home(place: Place, new_place: Place) -> None:
    other = Tombstones(new_place.settings.home.parent / "other" / "erasure")
    ours = Tombstones(place.settings.erasure_path)
    assert ours.salt.hash("account", "", "a") != other.salt.hash("account", "", "a")


def test_records_of_an_erased_account_do_not_land_and_are_counted(place: Place) -> None:
    erased(place, Handle("account", "", "gone", NEW))
    place.land(
        "crm/accounts.csv",
        "account_id,name,join_date,parent_account_id\n"
        "gone,Gone,2024-01-01,\n"
        "stays,Stays,2024-01-01,gone\n"
        "Gone,Other,2024-01-01,\n",
    )
    place.land("crm/account_aliases.csv", "old_account_id,account_id\nold,gone\nnew,stays\n")
    report = place.load()
    assert report.rows_read == 5
    assert place.rows("crm.accounts", "account_id", "parent_account_id") == [
        ("stays", None),
        ("Gone", None),
    ]
    assert place.rows("crm.account_aliases", "old_account_id") == ["new"]
    assert place.rows("crm.landed_files", "entity", "rows_read", "erased_rows", order="entity") == [
        ("account_aliases", 2, 1),
        ("accounts", 3, 1),
    ]


def test_lines_of_an_erased_invoice_are_kept_out_in_a_later_load(place: Place) -> None:
    erased(place, Handle("account", "", "gone", NEW))
    place.land("billing/invoices.csv", "invoice_id,account_id,created_at\ni1,gone,2024-01-01\n")
    place.load("billing")
    place.land("billing/invoice_lines.csv", "invoice_id,line_number,amount\ni1,1,5\ni2,1,6\n")
    place.load("billing")
    assert place.rows("billing.invoices") == []
    assert place.rows("billing.invoice_lines", "invoice_id") == ["i2"]


def test_an_erased_user_lands_as_a_pseudonym_with_dates_alone(place: Place) -> None:
    erased(place, Handle("user", "a", "u1", NEW))
    place.land(
        "crm/users.jsonl",
        '{"account_id": "a", "user_id": "u1", "first_name": "Jo", "email": "jo@x.example",'
        ' "product_join_date": "2024-01-01", "is_active": "true", "hobby": "chess"}\n'
        '{"account_id": "b", "user_id": "u1", "first_name": "Al"}\n',
    )
    place.load()
    columns = ("account_id", "user_id", "first_name", "email", "product_join_date", "hobby")
    assert place.rows("crm.users", *columns) == [
        ("a", NEW, None, None, "2024-01-01", None),
        ("b", "u1", "Al", None, None, None),
    ]
    assert place.rows("crm.landed_files", "erased_rows", order="1") == [0]


def test_events_of_an_erased_user_count_on(place: Place) -> None:
    erased(place, Handle("user", "a", "u1", NEW), Handle("text", "", "u1 of a long id", NEW))
    place.land_parquet(
        "events/events.parquet",
        "select 'a' as account_id, 'u' || i as user_id, 's ' || i as session_id,"
        " 'feature' as action, 1700000000000 + i as created_at,"
        " {'by': 'U1-of-a-long-id'} as details from range(3) as numbers (i)",
    )
    place.load("events")
    assert place.rows("events.events", "user_id", "details") == [
        ("u0", f'{{"by":"{NEW}"}}'),
        (NEW, f'{{"by":"{NEW}"}}'),
        ("u2", f'{{"by":"{NEW}"}}'),
    ]


def test_texts_about_an_erased_person_are_found_by_their_hash_alone(place: Place) -> None:
    erased(
        place,
        Handle("email", "", "jo@x.example", NEW),
        Handle("text", "a", "jo von müller", NEW),
    )
    place.land(
        "crm/interactions.jsonl",
        '{"interaction_id": "1", "account_id": "a", "occurred_at": "2024-01-01T00:00Z",'
        ' "type": "phone", "contact": " JO@X.example", "subject": "private"}\n'
        '{"interaction_id": "2", "account_id": "a", "occurred_at": "2024-01-01T00:00Z",'
        ' "type": "phone", "contact": "mary.jo@x.example", "subject": "asked Jo  von-Müller"}\n'
        '{"interaction_id": "3", "account_id": "b", "occurred_at": "2024-01-01T00:00Z",'
        ' "type": "phone", "subject": "Jo von Müller, <jo@x.example>."}\n',
    )
    place.load()
    assert place.rows("crm.interactions", "contact", "subject") == [
        (f" {NEW}", None),
        ("mary.jo@x.example", f"asked {NEW}"),
        (None, f"Jo von Müller, <{NEW}>."),
    ]


def test_a_broken_line_that_names_an_erased_person_keeps_its_reason_only(place: Place) -> None:
    erased(place, Handle("email", "", "jo@x.example", NEW))
    place.land("crm/notes.jsonl", '{"note_id": "1", "body": "jo@x.example\n{"note_id": \n')
    place.load()
    assert place.rows("crm.unparsed_lines", "record") == [None, '{"note_id": ']


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("jo@x.example", "X"),
        ("JO@X.EXAMPLE!", "X!"),
        ("'jo@x.example'", "'X'"),
        ("mailto:jo@x.example?subject=1", "mailto:X?subject=1"),
        ("Write to jo@x.example.", "Write to X."),
        ("jo@x.example,jo@x.example", "X,X"),
        ("bo.jo@x.example", "bo.jo@x.example"),
        ("jo@x.example.org", "jo@x.example.org"),
        ("jo@x.examples", "jo@x.examples"),
        ("id ab12-cd34-ef56 here", "id X here"),
        ("ab12_CD34/ef56", "X"),
        ("_ab12-cd34-ef56_", "_X_"),
        ("zab12-cd34-ef56", "zab12-cd34-ef56"),
        ("ab12-cd34-ef567", "ab12-cd34-ef567"),
    ],
)
def test_an_identifier_is_told_from_what_it_is_a_part_of(text: str, expected: str) -> None:
    handles = [
        Handle("email", "", "jo@x.example", "X"),
        Handle("text", "", in_words("ab12-cd34-ef56"), "X"),
    ]
    assert Search(handles, "").scrubbed(text) == expected


@pytest.mark.parametrize(
    ("value", "is_told"),
    [
        ("12", False),
        ("u1", False),
        ("u10001", True),
        ("alexander", False),
        ("jo li", False),
        ("jo lind", True),
        ("kontoinhaberin", True),
    ],
)
def test_what_could_be_any_word_is_not_looked_for_in_texts(value: str, is_told: bool) -> None:
    assert is_told_from_text(value) is is_told
