"""Commands of `account360 assign` on random histories: what was before stays, from the day on they
hold. The records they land go through the compiled SQL; what is expected are plain sets of days."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestration.assignment import AssignmentError, open_book
from settings import Settings, load_settings
from settings.assignment_rules import AccountCondition, AssignmentRule
from tests.compiled_project import InMemoryWarehouse

AS_OF = date(2024, 1, 15)
LATER = date(2024, 3, 1)
DAYS = [date(2024, 1, day) for day in range(1, 31)]
CSMS = ("p", "q", "r")
PUBLISHED = ("account_csm_assignments", "account_assignment_records")

days = st.integers(1, 10)
# versions of the account's list, by day; without one it says nothing of CSMs
LISTS = st.dictionaries(
    days, st.none() | st.lists(st.sampled_from(CSMS), max_size=3, unique=True), max_size=4
)
RECORDS = st.dictionaries(
    st.tuples(st.sampled_from(CSMS), days), st.none() | st.integers(0, 4), max_size=4
)
COMMANDS = st.lists(
    st.tuples(
        st.sampled_from(("add", "remove", "shift")), st.sampled_from(CSMS), st.integers(1, 25)
    ),
    min_size=1,
    max_size=4,
)
Days = dict[str, set[date]]


def shift_to(csm: str) -> AssignmentRule:
    """The rule that leaves every account to one CSM."""
    condition = AccountCondition("is_churned", "=", False, "here")
    return AssignmentRule("shift", "", (condition,), (f"{csm}@x",), (), True, "here")


def assigned_days(warehouse: InMemoryWarehouse) -> Days:
    """The days on which each CSM is assigned."""
    warehouse.build(*PUBLISHED)
    found: Days = {csm: set() for csm in CSMS}
    for row in warehouse.rows("account_csm_assignments"):
        until = row["unassigned_date"] or date(9999, 1, 1)
        name = row["csm_email"].removesuffix("@x")
        found[name] |= {day for day in DAYS if row["assigned_date"] <= day < until}
    return found


def publish(warehouse: InMemoryWarehouse, options: Settings) -> None:
    """What the commands judge by: the assignments as built, and an account and CSMs by hand."""
    folder = options.published_path / f"{AS_OF}_20240115T030000Z_00000000"
    folder.mkdir(parents=True)
    file = folder / "account360.duckdb"
    warehouse.connection.execute(f"attach '{file}' as publish")
    for table in PUBLISHED:
        warehouse.connection.execute(f"create table publish.{table} as from published.{table}")
    warehouse.connection.execute("detach publish")
    with duckdb.connect(str(file)) as connection:
        connection.execute(
            """
            create table account_360 as select 'a' as account_id, 'A' as account_name,
                null::varchar as tier, null::varchar as stage, false as is_churned,
                []::varchar[] as csm_emails;
            create table csms as select unnest(['p@x', 'q@x', 'r@x']) as csm_email,
                null::varchar as csm_name, 0::bigint as accounts, true as is_active,
                true as can_be_assigned_accounts;
            create table audit_loads (location varchar);
            create table account_dimensions (
                account_id varchar, entity varchar, kind varchar, key varchar, problem varchar,
                label_value varchar, number_value decimal(28, 8), event_at timestamp
            );
            """
        )
    options.current_path.symlink_to(folder.name)


def obey(options: Settings, verb: str, csm: str, day: date, expected: Days) -> None:
    """Run a command; change what is expected as it says, unless it is refused."""
    with open_book(options) as book:
        try:
            if verb == "shift":
                plan = book.rule_plan(shift_to(csm), day)
            else:
                plan = book.single_plan(verb, "a", f"{csm}@x", day)
        except AssignmentError as error:
            assert "is too early" in str(error)
            assert verb != "add"
            return
        book.land(plan)
    from_then_on = {each for each in DAYS if each >= day}
    for name, held in expected.items():
        if verb == "shift" or name == csm:
            held -= from_then_on
    if verb != "remove":
        expected[csm] |= from_then_on


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(lists=LISTS, records=RECORDS, commands=COMMANDS)
def test_what_was_before_stays_and_from_the_day_on_the_last_word_holds(
    warehouse: InMemoryWarehouse,
    tmp_path_factory: pytest.TempPathFactory,
    lists: dict[int, list[str] | None],
    records: dict[tuple[str, int], int | None],
    commands: list[tuple[str, str, int]],
) -> None:
    options = load_settings(environ={}, home=tmp_path_factory.mktemp("home"))
    options.landing.mkdir()
    warehouse.clear()
    account: dict[str, Any] = {"account_id": "a", "name": "A", "join_date": "2024-01-01"}
    versions = [account | {"updated_at": "2024-01-01T00:00:00Z"}]
    for day, csms in lists.items():
        listed = csms if csms is None else [{"email": f"{csm}@x"} for csm in csms]
        versions.append(
            account | {"assigned_csms": listed, "updated_at": f"2024-01-{day:02}T09:00:00Z"}
        )
    warehouse.land("crm", "accounts", versions)
    warehouse.land(
        "crm",
        "account_assignments",
        [
            {
                "account_id": "a",
                "csm_email": f"{csm}@x",
                "assigned_at": f"2024-01-{day:02}T08:00:00Z",
                "unassigned_at": None
                if length is None
                else f"{date(2024, 1, day) + timedelta(days=length)}T08:00:00Z",
            }
            for (csm, day), length in records.items()
        ],
        location="crm/account_assignments/2024-01-14.jsonl",
        extract_date=date(2024, 1, 14),
    )
    warehouse.set_inputs(AS_OF)
    expected = assigned_days(warehouse)
    publish(warehouse, options)
    for verb, csm, day in commands:
        obey(options, verb, csm, date(2024, 1, day), expected)
    for path in sorted(Path(options.landing).rglob("*.jsonl")):
        lines = path.read_text("utf-8").splitlines()
        warehouse.land(
            "crm",
            "account_assignments",
            [json.loads(line) for line in lines],
            location=path.relative_to(options.landing).as_posix(),
            load_number=2,
            extract_date=AS_OF,
        )
    warehouse.set_inputs(LATER)
    found = assigned_days(warehouse)
    assert found == expected
