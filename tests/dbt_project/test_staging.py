"""How records are typed, judged and told apart: the staging macro, on hand-made raw records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.compiled_project import CompiledProject, InMemoryWarehouse

AS_OF = date(2024, 6, 10)
ACCOUNT = {"account_id": "a", "name": "A", "join_date": "2024-01-01"}


@pytest.fixture(scope="module")
def shared_warehouse(compiled_project: CompiledProject) -> Iterator[InMemoryWarehouse]:
    warehouse = compiled_project.warehouse()
    yield warehouse
    warehouse.connection.close()


@pytest.fixture
def warehouse(shared_warehouse: InMemoryWarehouse) -> InMemoryWarehouse:
    shared_warehouse.clear()
    shared_warehouse.set_inputs(AS_OF)
    shared_warehouse.land("crm", "accounts", [ACCOUNT])
    return shared_warehouse


def statuses(warehouse: InMemoryWarehouse, entity: str, *columns: str) -> list[tuple[Any, ...]]:
    """(line, status, reason, …) of every record of an entity, in order of load and place."""
    warehouse.build(f"stg_native__{entity}")
    rows = warehouse.rows(f"stg_native__{entity}", order_by="load_number, location, line")
    return [
        (row["line"], row["record_status"], row["reason"], *(row[name] for name in columns))
        for row in rows
    ]


def contact(**values: Any) -> dict[str, Any]:
    return {"account_id": "a", "contact_id": "c", **values}


def test_the_latest_version_holds_by_date_then_load_then_file_then_line(
    warehouse: InMemoryWarehouse,
) -> None:
    warehouse.land(
        "crm",
        "contacts",
        [
            contact(title="newest", updated_at="2024-06-03T00:00:00Z"),
            contact(title="older", updated_at="2024-06-01T00:00:00Z"),
            contact(title="same date, later line", updated_at="2024-06-03T00:00:00Z"),
        ],
        location="crm/contacts/b.jsonl",
    )
    warehouse.land(
        "crm",
        "contacts",
        [contact(title="same date, earlier file", updated_at="2024-06-03T00:00:00Z")],
        location="crm/contacts/a.jsonl",
    )
    assert statuses(warehouse, "contacts") == [
        (1, "superseded", None),
        (1, "superseded", None),
        (2, "superseded", None),
        (3, "current", None),
    ]


def test_versions_after_the_last_full_day_wait(warehouse: InMemoryWarehouse) -> None:
    warehouse.land(
        "crm",
        "contacts",
        [
            contact(title="now", updated_at="2024-06-09T23:59:59Z"),
            contact(title="tomorrow", updated_at="2024-06-10T00:00:00Z"),
        ],
    )
    assert statuses(warehouse, "contacts", "is_dated_after") == [
        (1, "current", None, False),
        (2, "current", None, True),
    ]


def test_the_day_of_a_version_is_that_of_the_reporting_time_zone(
    warehouse: InMemoryWarehouse,
) -> None:
    warehouse.set_inputs(AS_OF, reporting_time_zone="America/Los_Angeles")
    warehouse.land("crm", "contacts", [contact(updated_at="2024-06-10T06:59:59Z")])
    warehouse.land(
        "crm", "users", [{"account_id": "a", "user_id": "u", "updated_at": "2024-06-10"}]
    )
    assert statuses(warehouse, "contacts", "is_dated_after") == [(1, "current", None, False)]
    assert statuses(warehouse, "users", "is_dated_after") == [(1, "current", None, True)]


def test_a_record_without_a_date_of_its_own_has_that_of_its_extract(
    warehouse: InMemoryWarehouse,
) -> None:
    for day in (date(2024, 6, 9), date(2024, 6, 1), date(2024, 6, 10)):
        warehouse.land(
            "crm",
            "contacts",
            [contact(title=str(day))],
            location=f"crm/contacts/{day}.jsonl",
            extract_date=day,
        )
    found = statuses(warehouse, "contacts", "title", "is_dated_after")
    assert sorted(row[3:] for row in found if row[1] == "current") == [
        ("2024-06-09", False),
        ("2024-06-10", True),
    ]


def test_equal_records_of_one_date_are_duplicates_and_the_last_is_kept(
    warehouse: InMemoryWarehouse,
) -> None:
    first = contact(title="x", updated_at="2024-06-01T00:00:00Z")
    between = contact(title="y", updated_at="2024-06-01T00:00:00Z")
    for number, record in enumerate((first, between, first), start=1):
        warehouse.land(
            "crm", "contacts", [record], location=f"crm/contacts/{number}.jsonl", load_number=number
        )
    assert statuses(warehouse, "contacts", "title") == [
        (1, "duplicate", None, "x"),
        (1, "superseded", None, "y"),
        (1, "current", None, "x"),
    ]


def test_a_refused_version_replaces_nothing(warehouse: InMemoryWarehouse) -> None:
    warehouse.land(
        "crm",
        "contacts",
        [
            contact(is_active=True, updated_at="2024-06-01T00:00:00Z"),
            contact(is_active="perhaps", updated_at="2024-06-02T00:00:00Z"),
        ],
    )
    assert statuses(warehouse, "contacts") == [
        (1, "current", None),
        (2, "rejected", "is_active 'perhaps' is not true or false"),
    ]


def test_all_that_is_wrong_with_a_record_is_told(warehouse: InMemoryWarehouse) -> None:
    warehouse.land(
        "crm",
        "nps_responses",
        [{"account_id": "a", "submitted_at": "yesterday", "score": "11"}, {"score": "7.5"}],
    )
    assert statuses(warehouse, "nps_responses") == [
        (1, "rejected", "submitted_at 'yesterday' is not a timestamp; score 11 is not in 0–10"),
        (
            2,
            "rejected",
            "account_id is missing; submitted_at is missing; score '7.5' is not a whole number",
        ),
    ]


def test_equal_events_are_one_unless_the_setting_says_they_are_real(
    warehouse: InMemoryWarehouse,
) -> None:
    event = {
        "account_id": "a",
        "user_id": "u",
        "created_at": "2024-06-01T10:00:00Z",
        "action": "x",
    }
    named = {**event, "event_id": "e"}
    warehouse.land("events", "events", [event, event, named, {**named, "action": "y"}])
    assert [row[:2] for row in statuses(warehouse, "events")] == [
        (1, "current"),
        (2, "duplicate"),
        (3, "superseded"),
        (4, "current"),
    ]
    warehouse.set_inputs(AS_OF, event_deduplication="by_id_only")
    assert [row[:2] for row in statuses(warehouse, "events")] == [
        (1, "current"),
        (2, "current"),
        (3, "superseded"),
        (4, "current"),
    ]


def test_a_file_that_changed_replaces_its_records_without_a_key_and_its_rejects(
    warehouse: InMemoryWarehouse,
) -> None:
    response = {"account_id": "a", "submitted_at": "2024-06-01T10:00:00Z", "score": 9}
    keyed = {**response, "response_id": "r"}
    bad = {**response, "score": 11}
    for number, records in enumerate(([response, keyed, bad], [response]), start=1):
        warehouse.land("crm", "nps_responses", records, load_number=number)
    assert statuses(warehouse, "nps_responses") == [
        (1, "superseded", None),
        (2, "current", None),
        (3, "superseded", "score 11 is not in 0–10"),
        (1, "current", None),
    ]


def test_unknown_and_absent_accounts_are_told_apart_and_ids_are_exact(
    warehouse: InMemoryWarehouse,
) -> None:
    warehouse.land("crm", "accounts", [{**ACCOUNT, "account_id": "0012"}], location="crm/b.jsonl")
    warehouse.land(
        "billing",
        "invoices",
        [
            {"invoice_id": str(number), "account_id": account, "created_at": "2024-06-01"}
            for number, account in enumerate(("0012", "12", "12.0", "A", " a", None, ""), start=1)
        ],
    )
    assert statuses(warehouse, "invoices") == [
        (1, "current", None),
        (2, "unattributed", "unknown account 12"),
        (3, "unattributed", "unknown account 12.0"),
        (4, "unattributed", "unknown account A"),
        (5, "unattributed", "unknown account  a"),
        (6, "unattributed", "no account_id"),
        (7, "unattributed", "no account_id"),
    ]


def test_lines_follow_their_invoice(warehouse: InMemoryWarehouse) -> None:
    warehouse.land(
        "billing",
        "invoices",
        [
            {"invoice_id": "known", "account_id": "a", "created_at": "2024-06-01T00:00:00Z"},
            {"invoice_id": "nobodys", "account_id": "z", "created_at": "2024-06-01T00:00:00Z"},
            {"invoice_id": "refused", "account_id": "a", "created_at": "soon"},
        ],
    )
    warehouse.land(
        "billing",
        "invoice_lines",
        [
            {"invoice_id": invoice, "line_number": 1, "amount": "1"}
            for invoice in ("known", "nobodys", "refused", "none")
        ],
    )
    assert statuses(warehouse, "invoice_lines", "account_id") == [
        (1, "current", None, "a"),
        (2, "unattributed", "unknown account z", None),
        (3, "rejected", "no invoice refused", None),
        (4, "rejected", "no invoice none", None),
    ]


def test_records_of_merged_accounts_count_under_the_survivor(warehouse: InMemoryWarehouse) -> None:
    warehouse.land("crm", "accounts", [{**ACCOUNT, "account_id": "old"}], location="crm/b.jsonl")
    warehouse.land(
        "crm",
        "account_aliases",
        [
            {"old_account_id": "older", "account_id": "old"},
            {"old_account_id": "old", "account_id": "a"},
            {"old_account_id": "lost", "account_id": "nowhere"},
        ],
    )
    warehouse.land(
        "crm",
        "contacts",
        [
            contact(account_id="older", title="1", updated_at="2024-06-01"),
            contact(account_id="a", title="2", updated_at="2024-06-02"),
            contact(account_id="lost"),
        ],
    )
    assert [row[:3] for row in statuses(warehouse, "contacts", "account_id")] == [
        (1, "superseded", None),
        (2, "current", None),
        (3, "rejected", "alias of lost points to unknown account nowhere"),
    ]
    assert [row[1] for row in statuses(warehouse, "accounts")] == ["current", "superseded"]
    assert [row[1:3] for row in statuses(warehouse, "account_aliases")] == [
        ("current", None),
        ("current", None),
        ("rejected", "alias of lost points to unknown account nowhere"),
    ]


def test_a_key_missing_from_a_newer_complete_extract_was_deleted(
    warehouse: InMemoryWarehouse,
) -> None:
    warehouse.clear()
    extracts = {
        date(2024, 6, 1): ("stays", "goes", "comes_back"),
        date(2024, 6, 5): ("stays",),
        date(2024, 6, 7): ("stays", "comes_back"),
        date(2024, 6, 11): (),
    }
    for number, (day, keys) in enumerate(extracts.items(), start=1):
        warehouse.land(
            "crm",
            "accounts",
            [{**ACCOUNT, "account_id": key} for key in keys],
            location=f"crm/accounts/{day}.jsonl",
            load_number=number,
            extract_date=day,
        )
    for full, expected in (
        ((), {"stays", "goes", "comes_back"}),
        (("accounts",), {"stays", "comes_back"}),
    ):
        warehouse.set_inputs(AS_OF, full_extract_entities=full)
        warehouse.build("stg_canonical__accounts")
        assert {row["account_id"] for row in warehouse.rows("stg_canonical__accounts")} == expected
    warehouse.build("stg_native__accounts")
    deleted = [row for row in warehouse.rows("stg_native__accounts") if row["deleted_on"]]
    assert {(row["account_id"], row["deleted_on"]) for row in deleted} == {
        ("goes", date(2024, 6, 5))
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-06-01T10:00:00Z", datetime(2024, 6, 1, 10)),
        ("2024-06-01T10:00:00.250+02:00", datetime(2024, 6, 1, 8, 0, 0, 250000)),
        ("2024-06-01 10:00+0200", datetime(2024, 6, 1, 8)),
        ("2024-06-01T10:00Z", datetime(2024, 6, 1, 10)),
        ("1717236000000", datetime(2024, 6, 1, 10)),
        ("1717236000000.0", datetime(2024, 6, 1, 10)),
        ("2024-06-01T10:00:00", datetime(2024, 6, 1, 14)),
        ("2024-06-01", datetime(2024, 6, 1, 4)),
        ("1717236000", None),
        ("20240601", None),
        ("2024-13-01T10:00:00Z", None),
        ("01/06/2024", None),
        ("1901-01-01T00:00:00Z", datetime(1901, 1, 1)),
        ("-1999999999999", datetime(1906, 8, 16, 20, 26, 40, 1000)),
        ("-2208988800000", None),
    ],
)
def test_instants_are_read_as_agreed(
    warehouse: InMemoryWarehouse, text: str, expected: datetime | None
) -> None:
    warehouse.set_inputs(AS_OF, reporting_time_zone="America/New_York")
    warehouse.land(
        "billing", "invoices", [{"invoice_id": "i", "account_id": "a", "created_at": text}]
    )
    [(_, status, reason, created_at)] = statuses(warehouse, "invoices", "created_at")
    assert created_at == expected
    if expected is None:
        assert (status, reason) == ("rejected", f"created_at '{text}' is not a timestamp")


@pytest.mark.parametrize(
    "text",
    ["0001-01-01T00:00:00Z", "0001-01-01", "1753-01-01 00:00:00", "1900-12-31T23:59:59Z"],
)
def test_what_stands_for_no_date_is_none(warehouse: InMemoryWarehouse, text: str) -> None:
    warehouse.clear()
    warehouse.set_inputs(AS_OF)
    said = f"'{text}' is before 1901: where there is no date, leave it empty"
    warehouse.land(
        "billing", "invoices", [{"invoice_id": "i", "account_id": "a", "created_at": text}]
    )
    warehouse.land("crm", "accounts", [{**ACCOUNT, "join_date": text}])
    for entity, column in (("invoices", "created_at"), ("accounts", "join_date")):
        [(_, status, reason)] = statuses(warehouse, entity)
        assert (status, reason) == ("rejected", f"{column} {said}")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-06-01", date(2024, 6, 1)),
        ("2024-06-01T00:00:00Z", date(2024, 6, 1)),
        ("2024-06-01 00:00:00", date(2024, 6, 1)),
        ("1717200000000", date(2024, 5, 31)),
        ("2024-02-30", None),
        ("2024-6-1", None),
    ],
)
def test_dates_are_read_as_agreed(
    warehouse: InMemoryWarehouse, text: str, expected: date | None
) -> None:
    warehouse.clear()
    warehouse.set_inputs(AS_OF, reporting_time_zone="America/New_York")
    warehouse.land("crm", "accounts", [{**ACCOUNT, "join_date": text}])
    [(_, status, _, join_date)] = statuses(warehouse, "accounts", "join_date")
    assert (join_date, status) == (expected, "current" if expected else "rejected")


def assignments(warehouse: InMemoryWarehouse) -> list[tuple[Any, ...]]:
    """(csm, from, to) of every assignment that staging hands on."""
    warehouse.build("stg_canonical__account_assignments")
    rows = warehouse.rows("stg_canonical__account_assignments")
    return [(row["csm_email"], row["assigned_on"], row["unassigned_on"]) for row in rows]


def assignment(csm: str, since: str, until: str | None = None) -> dict[str, Any]:
    return {"account_id": "a", "csm_email": csm, "assigned_at": since, "unassigned_at": until}


def test_what_account360_says_of_an_assignment_holds_over_later_extracts(
    warehouse: InMemoryWarehouse,
) -> None:
    warehouse.set_inputs(AS_OF, full_extract_entities=["account_assignments"])
    source = [assignment("ann", "2024-05-01T08:00:00Z"), assignment("bob", "2024-05-01T08:00:00Z")]
    for number, day in enumerate((1, 4, 6), start=1):
        warehouse.land(
            "crm",
            "account_assignments",
            # bob is missing from the last one
            source if day < 6 else source[:1],
            location=f"crm/account_assignments/2024-06-0{day}.jsonl",
            load_number=number,
            extract_date=date(2024, 6, day),
        )
    warehouse.land(
        "crm",
        "account_assignments",
        # the same instant, in another form
        [
            assignment("ann", "2024-05-01T10:00:00+02:00", "2024-06-02T00:00:00Z"),
            assignment("carl", "2024-06-02T00:00:00Z"),
        ],
        location="crm/account_assignments/account360/2024-06-02_000001_rule_0.jsonl",
        load_number=2,
        extract_date=date(2024, 6, 2),
    )
    assert assignments(warehouse) == [
        ("ann", date(2024, 5, 1), date(2024, 6, 2)),
        ("bob", date(2024, 5, 1), date(2024, 6, 6)),
        ("carl", date(2024, 6, 2), None),
    ]


def test_what_account360_lands_is_no_extract(warehouse: InMemoryWarehouse) -> None:
    warehouse.set_inputs(AS_OF, full_extract_entities=["account_assignments"])
    for day, folder, csm in ((1, "", "ann"), (5, "account360/", "bob")):
        warehouse.land(
            "crm",
            "account_assignments",
            [assignment(csm, "2024-05-01T08:00:00Z")],
            location=f"crm/account_assignments/{folder}2024-06-0{day}.jsonl",
            extract_date=date(2024, 6, day),
        )
    assert assignments(warehouse) == [
        ("ann", date(2024, 5, 1), None),
        ("bob", date(2024, 5, 1), None),
    ]
    warehouse.build("int_domain__data_through")
    [row] = warehouse.rows("int_domain__data_through")
    assert row["crm_data_through"] == date(2024, 6, 1)


def test_what_account360_and_an_extract_say_alike_is_deleted_by_no_later_one(
    warehouse: InMemoryWarehouse,
) -> None:
    warehouse.set_inputs(AS_OF, full_extract_entities=["account_assignments"])
    record = assignment("ann", "2024-06-01T00:00:00Z")
    for day, folder, records in (
        (1, "", [record]),
        (1, "account360/", [record]),
        (5, "", [assignment("bob", "2024-06-05T00:00:00Z")]),
    ):
        warehouse.land(
            "crm",
            "account_assignments",
            records,
            location=f"crm/account_assignments/{folder}2024-06-0{day}.jsonl",
            extract_date=date(2024, 6, day),
            load_number=1 if folder else 2,
        )
    assert assignments(warehouse) == [
        ("ann", date(2024, 6, 1), None),
        ("bob", date(2024, 6, 5), None),
    ]


VERSIONS = st.lists(
    st.tuples(
        st.sampled_from(["k1", "k2"]),
        st.sampled_from(["x", "y"]),
        st.sampled_from([None, "2024-06-01", "2024-06-08", "2024-06-10"]),
        st.integers(1, 3),
    ),
    max_size=12,
)


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(versions=VERSIONS)
def test_what_holds_and_what_is_counted_equals_a_plain_reading_of_the_rules(
    shared_warehouse: InMemoryWarehouse, versions: list[tuple[str, str, str | None, int]]
) -> None:
    warehouse = shared_warehouse
    warehouse.clear()
    warehouse.set_inputs(AS_OF)
    warehouse.land("crm", "accounts", [ACCOUNT])
    for load in (1, 2, 3):
        records = [
            contact(contact_id=key, title=title, updated_at=day)
            for key, title, day, number in versions
            if number == load
        ]
        warehouse.land("crm", "contacts", records, location=f"{load}.jsonl", load_number=load)
    warehouse.build("stg_native__contacts")
    rows = warehouse.rows("stg_native__contacts")

    counts: Counter[str] = Counter()
    holding = {}
    for key in {version[0] for version in versions}:
        own = sorted(
            (version for version in versions if version[0] == key), key=lambda version: version[3]
        )
        kept = {version[1:3]: version for version in own}
        counts["duplicate"] += len(own) - len(kept)
        later = [version for version in kept.values() if version[2] == "2024-06-10"]
        order = sorted(
            (version for version in kept.values() if version not in later),
            key=lambda version: (version[2] or "", version[3], own.index(version)),
        )
        counts["current"] += len(later) + bool(order)
        counts["superseded"] += max(len(order) - 1, 0)
        if order and len({version[2:] for version in order}) == len(order):
            holding[key] = order[-1][1]

    assert Counter(row["record_status"] for row in rows) == +counts
    now = {
        row["contact_id"]: row["title"]
        for row in rows
        if row["record_status"] == "current" and not row["is_dated_after"]
    }
    assert {key: now[key] for key in holding} == holding


def test_erased_records_and_emptied_users_count_as_erased(warehouse: InMemoryWarehouse) -> None:
    """Two records were left out of the file, and one user is a pseudonym with a version before."""
    users = [
        {"user_id": "u"},
        {"user_id": "erased-0123456789abcdef01234567", "updated_at": "2024-06-01"},
        {"user_id": "erased-0123456789abcdef01234567", "updated_at": "2024-06-02"},
        {"user_id": "erased-0123456789abcdef01234567", "is_active": "perhaps"},
        {"user_id": "erased-by-its-name"},
    ]
    warehouse.land("crm", "users", [{"account_id": "a"} | user for user in users])
    warehouse.connection.execute(
        "update raw_crm.landed_files set rows_read = 7, erased_rows = 2 where entity = 'users'"
    )
    warehouse.build("int_entity__conservation")
    rows = warehouse.rows("int_entity__conservation")
    (found,) = [row for row in rows if row["entity"] == "users"]
    assert found == {
        "domain": "crm",
        "entity": "users",
        "records_read": 7,
        "current_rows": 2,
        "dated_after_rows": 0,
        "superseded": 0,
        "duplicates": 0,
        "unattributed": 0,
        "rejected": 1,
        "erased": 4,
        "difference": 0,
    }


def test_amounts_that_no_sum_could_hold_are_rejects_and_large_ones_count(
    warehouse: InMemoryWarehouse,
) -> None:
    """One absurd record must not end the night with an overflow somewhere down the line."""
    term = {"account_id": "a", "start_date": "2024-01-01", "cycle_length": 1, "cycle_unit": "day"}
    warehouse.land(
        "billing",
        "subscriptions",
        [
            term | {"subscription_id": "large", "total_revenue": "250000000000.5"},
            term | {"subscription_id": "absurd", "total_revenue": "10000000000000"},
            term | {"subscription_id": "long", "total_revenue": 1, "cycle_length": 36601},
        ],
    )
    assert statuses(warehouse, "subscriptions") == [
        (1, "current", None),
        (2, "rejected", "total_revenue '10000000000000' is not an amount"),
        (3, "rejected", "cycle_length 36601 is above 36600, a century of days"),
    ]
    warehouse.build("account_360")
    (account,) = warehouse.rows("account_360", "ending_mrr")
    assert account["ending_mrr"] > 7 * 10**12


def test_durations_and_counts_that_no_sum_could_hold_are_rejects(
    warehouse: InMemoryWarehouse,
) -> None:
    event = {"account_id": "a", "user_id": "u", "created_at": "2024-06-01", "action": "feature"}
    warehouse.land(
        "events",
        "events",
        [
            event | {"total": 999999999999999},
            event | {"total": 9223372036854775807},
            event | {"active_duration": 1717200000000},
            event | {"time_spent": "1717200000000.5"},
        ],
    )
    warehouse.build("base_native__events")
    rows = warehouse.rows("base_native__events", order_by="line")
    assert [row["refusal"] for row in rows] == [
        None,
        "total '9223372036854775807' is not a whole number",
        "active_duration '1717200000000' is not a number of milliseconds",
        "time_spent '1717200000000.5' is not a number of milliseconds",
    ]
