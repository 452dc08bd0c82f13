"""Every row of the table "What bad input gets", through the command line.

One company of two hundred sound accounts receives, beside sound files, every kind of bad record;
later nights bring unreadable files, too many rejects and an amount without an exchange rate. The
sound records are so many that the rejects of an entity stay under five per cent of it.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.end_to_end.nights import Home, Night, account360, written

AS_OF = "2024-06-10"
GOOD = [f"{number:03}" for number in range(1, 201)]

Content = bytes | str | list[Any]

TERM = {
    "subscription_id": "s-bad",
    "account_id": "good-001",
    "start_date": "2024-01-01",
    "end_date": None,
    "expiration_date": None,
    "cycle_length": "1",
    "cycle_unit": "month",
    "total_revenue": "1000000",
}
INVOICE = {
    "invoice_id": "i-bad",
    "account_id": "good-001",
    "created_at": "2024-05-15T12:00:00Z",
    "paid_at": None,
}
LINE = {"invoice_id": "i-001", "line_number": "99", "amount": "1000000", "is_recurring": "true"}
EVENT = {
    "account_id": "good-001",
    "user_id": "u-bad",
    "created_at": "2024-06-01T12:00:00Z",
    "action": "feature",
    "active_duration": None,
    "time_spent": None,
    "event_id": None,
}
TICKET = {
    "ticket_id": "t-bad",
    "account_id": "good-001",
    "status": "open",
    "created_at": "2024-06-01T12:00:00Z",
}
RESPONSE = {"account_id": "good-001", "submitted_at": "2024-06-01T12:00:00Z", "score": "9"}
ACCOUNT = {"account_id": "bad", "name": "Bad", "join_date": "2024-01-01", "csm_score": None}
CONTACT = {"account_id": "good-001", "contact_id": "c-bad", "first_name": "Eve"}
RATE = {"rate_date": "2024-01-01", "from_currency": "EUR", "to_currency": "USD", "rate": "1.10"}
LATE = {"account_id": "late", "name": "Late", "join_date": "2024-03-01"}

SOUND: dict[str, Content] = {
    "crm/accounts/sound.jsonl": [
        {"account_id": f"good-{n}", "name": f"Good {n}", "join_date": "2024-01-01"} for n in GOOD
    ],
    "crm/account_aliases/sound.csv": [
        *({"old_account_id": f"old-{n}", "account_id": f"good-{n}"} for n in GOOD),
        {"old_account_id": "older-001", "account_id": "old-001"},
    ],
    "crm/contacts/sound.csv": [CONTACT | {"contact_id": f"c-{n}"} for n in GOOD],
    "crm/nps_responses/sound.csv": [RESPONSE | {"account_id": f"good-{n}"} for n in GOOD],
    "billing/subscriptions/sound.parquet": [
        TERM | {"subscription_id": f"s-{n}", "account_id": f"good-{n}", "total_revenue": "10"}
        for n in GOOD
    ],
    "billing/invoices/sound.csv.gz": [
        INVOICE | {"invoice_id": f"i-{n}", "account_id": f"good-{n}"} for n in GOOD
    ],
    "billing/invoice_lines/sound.jsonl": [
        LINE | {"invoice_id": f"i-{n}", "line_number": 1, "amount": 5} for n in GOOD
    ],
    "billing/fx_rates/sound.csv": [
        RATE | {"rate_date": f"2024-{month:02}-{day:02}"}
        for month in range(1, 5)
        for day in range(1, 29)
    ],
    "events/events/sound.parquet": [
        EVENT | {"account_id": f"good-{n}", "user_id": f"u-{n}"} for n in GOOD
    ],
    "tickets/tickets/sound.jsonl.gz": [
        TICKET | {"ticket_id": f"t-{n}", "account_id": f"good-{n}"} for n in GOOD
    ],
}


@dataclass(frozen=True)
class Bad:
    """A record, or a line that is none, and what its reason must name."""

    record: dict[str, Any] | str
    reason: str


REJECTS: dict[str, list[Bad]] = {
    "crm/accounts/rejects.jsonl": [
        Bad(ACCOUNT | {"name": None}, "name is missing"),
        Bad(ACCOUNT | {"join_date": "2024-13-01"}, "join_date '2024-13-01' is not a date"),
        Bad('{"account_id": "bad", "name": "Half a li', "not valid JSON"),
        Bad(ACCOUNT | {"csm_score": 101}, "csm_score 101 is not in 0–100"),
    ],
    "crm/account_aliases/rejects.csv": [
        Bad({"old_account_id": "lost", "account_id": "ghost"}, "unknown account ghost"),
        Bad({"old_account_id": "loop-1", "account_id": "loop-2"}, "loop-1 → loop-2 → loop-1"),
        Bad({"old_account_id": "loop-2", "account_id": "loop-1"}, "loop-2 → loop-1 → loop-2"),
    ],
    "crm/contacts/rejects.csv": [
        Bad(CONTACT | {"contact_id": None}, "contact_id is missing"),
        Bad("good-001,c-bad,Eve,one,field,more", "6 fields where the header has 3"),
        Bad('good-001,c-bad,"Eve', "broken quotes"),
    ],
    "crm/nps_responses/rejects.jsonl": [
        Bad(RESPONSE | {"score": 11}, "score 11 is not in 0–10"),
        Bad(RESPONSE | {"score": -1}, "score -1 is not in 0–10"),
        Bad(RESPONSE | {"score": 7.5}, "score '7.5' is not a whole number"),
        Bad(RESPONSE | {"score": "seven"}, "score 'seven' is not a whole number"),
    ],
    "billing/subscriptions/rejects.csv": [
        Bad(TERM | {"cycle_length": 0}, "cycle_length 0 is below 1"),
        Bad(TERM | {"cycle_unit": "fortnight"}, "cycle_unit 'fortnight'"),
        Bad(TERM | {"end_date": "2023-12-31"}, "end_date 2023-12-31 is not after start_date"),
        Bad(TERM | {"end_date": "2024-01-01"}, "end_date 2024-01-01 is not after start_date"),
        Bad(TERM | {"total_revenue": "1.200,00"}, "total_revenue '1.200,00' is not an amount"),
        Bad(TERM | {"total_revenue": None}, "total_revenue is missing"),
        Bad(TERM | {"account_id": None}, "account_id is missing"),
        Bad(TERM | {"account_id": "loop-1"}, "alias of loop-1 runs in a loop"),
        Bad(TERM | {"account_id": "lost"}, "alias of lost points to unknown account ghost"),
    ],
    "billing/invoices/rejects.jsonl": [
        Bad(INVOICE | {"created_at": None}, "created_at is missing"),
        Bad(INVOICE | {"created_at": "2024-02-30T00:00:00Z"}, "created_at '2024-02-30T00:00:00Z'"),
    ],
    "billing/invoice_lines/rejects.parquet": [
        Bad(LINE | {"amount": "n/a"}, "amount 'n/a' is not an amount"),
        Bad(LINE | {"invoice_id": "i-never"}, "no invoice i-never"),
        Bad(LINE | {"invoice_id": "i-bad"}, "no invoice i-bad"),
    ],
    "billing/fx_rates/rejects.csv": [Bad(RATE | {"rate": "0"}, "rate 0 is not above 0")],
    "events/events/rejects.jsonl": [
        Bad(EVENT | {"user_id": None}, "user_id is missing"),
        Bad("504 Gateway Time-out", "not valid JSON"),
        Bad(EVENT | {"created_at": "yesterday"}, "created_at 'yesterday' is not a timestamp"),
        Bad(EVENT | {"created_at": "2999-01-01T00:00:00Z"}, "created_at 2999-01-01T00:00:00Z"),
        Bad(EVENT | {"active_duration": -1}, "active_duration -1 ms"),
        Bad(EVENT | {"time_spent": 86_400_001}, "time_spent 86400001 ms"),
    ],
    "tickets/tickets/rejects.jsonl": [
        Bad(TICKET | {"status": None}, "status is missing"),
        Bad(TICKET | {"created_at": "1717200000"}, "created_at '1717200000' is not a timestamp"),
    ],
}

# Records of an account that nobody knows yet, and of none at all.
STRAYS: dict[str, Content] = {
    "billing/subscriptions/strays.csv": [
        TERM | {"subscription_id": "s-late", "account_id": "late", "total_revenue": "1000"}
    ],
    "billing/invoices/strays.csv": [
        INVOICE | {"invoice_id": "i-late", "account_id": "late"},
        INVOICE | {"invoice_id": "i-none", "account_id": None},
    ],
    "billing/invoice_lines/strays.csv": [
        LINE | {"invoice_id": "i-late", "line_number": 1, "amount": "70.25"},
        LINE | {"invoice_id": "i-none", "line_number": 1, "amount": "3.50"},
    ],
    "events/events/strays.csv": [
        EVENT | {"account_id": "late", "user_id": "u-late"},
        EVENT | {"account_id": None, "user_id": "u-late"},
        EVENT | {"account_id": "good-1.0", "user_id": "u-late"},
    ],
    "tickets/tickets/strays.csv": [
        TICKET | {"ticket_id": "t-late", "account_id": "late"},
        TICKET | {"ticket_id": "t-none", "account_id": None},
    ],
}

# Once more what is there already, a second version of one key, and an invoice of an old account id.
REPEATS: dict[str, Content] = {
    "crm/nps_responses/repeats.csv": [RESPONSE | {"account_id": "good-001"}],
    "billing/subscriptions/repeats.parquet": SOUND["billing/subscriptions/sound.parquet"][:3],
    "billing/invoice_lines/repeats.jsonl": SOUND["billing/invoice_lines/sound.jsonl"][:2],
    "events/events/repeats.parquet": [
        EVENT | {"user_id": "u-001"},
        EVENT | {"user_id": "u-001", "event_id": "e-1", "time_spent": 1},
        EVENT | {"user_id": "u-001", "event_id": "e-1", "time_spent": 2},
    ],
    "billing/invoices/merged.csv": [INVOICE | {"invoice_id": "i-old", "account_id": "older-001"}],
    "billing/invoice_lines/merged.csv": [
        LINE | {"invoice_id": "i-old", "line_number": 1, "amount": "11"}
    ],
}

# A cycle of three; y's record is the last to come and closes it.
CYCLE: dict[str, Content] = {
    "crm/accounts/cycle.jsonl": [
        {"account_id": account, "name": account, "join_date": "2024-01-01"}
        | {"parent_account_id": parent, "updated_at": f"2024-06-0{day}T00:00:00Z"}
        for account, parent, day in (("x", "y", 2), ("y", "z", 3), ("z", "x", 1))
    ]
}

# Location → what lands first, what its problem must name, what lands when it was mended.
UNREADABLE: dict[str, tuple[Content, str, Content]] = {
    "events/events/2024-06-08.jsonl.gz": (
        gzip.compress(b'{"user_id": "u-mended"}\n' * 100)[:-9],
        "the compressed file is cut off",
        [EVENT | {"user_id": "u-mended"}],
    ),
    "billing/invoices/2024-06-08.parquet": (
        "no parquet at all",
        "not a whole Parquet file",
        [INVOICE | {"invoice_id": "i-chf", "currency": "CHF"}],
    ),
    "crm/contacts/2024-06-08.csv": (
        "account_id,contact_id,first_name\ngood-001,c-mended,Zoé\n".encode("latin-1"),
        "UTF-8",
        [CONTACT | {"contact_id": "c-mended", "first_name": "Zoé"}],
    ),
    "tickets/tickets/2024-06-08.csv": (
        "ticket_id,account_id,created_at\nt-mended,good-001,2024-06-08T00:00:00Z\n",
        "status",
        [TICKET | {"ticket_id": "t-mended"}],
    ),
    "crm/csms/all.jsonl": ([{"email": "kim@example.com"}], "full extract without a date", []),
}

TOO_MANY = "billing/subscriptions/2024-06-09.jsonl"
TWENTY = [
    TERM | {"subscription_id": f"s-{n}-more", "account_id": f"good-{n}", "total_revenue": "10"}
    for n in GOOD[:20]
]


@dataclass(frozen=True)
class Story:
    """The nights of one home, in their order, and what a reader saw who never closed the file."""

    bad_records: Night
    unreadable: Night
    status_after_unreadable: str
    gates: Night
    mended: Night
    open_reader: list[tuple]


@pytest.fixture(scope="module")
def story(empty_home: Callable[[], Home]) -> Story:
    home = empty_home()
    home.land(SOUND | STRAYS | REPEATS | CYCLE)
    home.land({where: [bad.record for bad in bads] for where, bads in REJECTS.items()})
    bad_records = home.night(AS_OF)

    home.land({where: broken for where, (broken, _, _) in UNREADABLE.items()})
    home.land({"crm/accounts/2024-06-08.jsonl": [LATE]})
    unreadable = home.night(AS_OF, full_extract_entities="csms")
    status = account360("status", "--home", home.path).stdout

    (home.landing / "crm/csms/all.jsonl").unlink()
    home.land({where: mended for where, (_, _, mended) in UNREADABLE.items() if mended})
    home.land({TOO_MANY: [record | {"cycle_length": 0} for record in TWENTY]})
    home.land({"billing/invoice_lines/chf.csv": [LINE | {"invoice_id": "i-chf", "amount": "100"}]})
    gates = home.night(AS_OF)

    reader = duckdb.connect(
        str(home.path / "published" / "current" / "account360.duckdb"), read_only=True
    )
    home.land({TOO_MANY: TWENTY})
    home.land({"billing/fx_rates/chf.csv": [RATE | {"from_currency": "CHF", "rate": "1.12"}]})
    mended = home.night(AS_OF)
    with reader:
        seen = reader.execute("select sum(ending_mrr) from account_360").fetchall()
    return Story(bad_records, unreadable, status, gates, mended, seen)


def rejects_of(night: Night) -> dict[tuple[str, str, int], tuple[str, str]]:
    """Entity, file and line of every reject: its reason and its record."""
    _, *rows = night.shows("select entity, location, line, reason, record from audit_rejects")
    return {(row[0], row[1], int(row[2])): (row[3], row[4]) for row in rows}


def expected_rejects() -> Iterator[tuple[tuple[str, str, int], Bad]]:
    for location, bads in REJECTS.items():
        first_line = 2 if location.endswith(".csv") else 1
        for line, bad in enumerate(bads, start=first_line):
            yield (location.split("/")[1], location, line), bad


def test_bad_records_do_not_stop_the_night(story: Story) -> None:
    assert story.bad_records.exit_code == 0, story.bad_records.out


def test_every_reject_is_listed_with_file_line_reason_and_record(story: Story) -> None:
    found = rejects_of(story.bad_records)
    for place, bad in expected_rejects():
        reason, record = found[place]
        assert bad.reason in reason, place
        if isinstance(bad.record, str):
            assert record == bad.record
        else:
            kept = json.loads(record)
            assert {name: kept[name] for name in bad.record} == {
                name: None if value is None else str(value) for name, value in bad.record.items()
            }


def test_nothing_else_is_rejected(story: Story) -> None:
    places = {place for place, _ in expected_rejects()}
    cycle = ("account_parents", "crm/accounts/cycle.jsonl", 2)
    assert set(rejects_of(story.bad_records)) == places | {cycle}


def test_a_hierarchy_cycle_names_its_members_and_is_broken_where_it_closed(story: Story) -> None:
    reason, record = rejects_of(story.bad_records)["account_parents", "crm/accounts/cycle.jsonl", 2]
    assert reason == "hierarchy cycle: y → z → x → y"
    assert json.loads(record)["account_id"] == "y"
    assert story.bad_records.shows(
        """
        select account_id as acct, parent_account_id as parent
        from account_360
        where account_id in ('x', 'y', 'z')
        order by account_id
        """
    ) == written(
        """
        acct parent
        x    y
        y    -
        z    x
        """
    )


UNATTRIBUTED = """
    select entity, location, line, account_id as acct, replace(reason, ' ', '_') as reason, amount
    from audit_unattributed
    order by location, line
"""


def test_records_of_unknown_and_absent_accounts_are_listed(story: Story) -> None:
    assert story.bad_records.shows(UNATTRIBUTED) == written(
        """
        entity        location                         line acct     reason                   amount
        invoice_lines billing/invoice_lines/strays.csv 2    late     unknown_account_late     70.25
        invoice_lines billing/invoice_lines/strays.csv 3    -        no_account_id            3.5
        invoices      billing/invoices/strays.csv      2    late     unknown_account_late     -
        invoices      billing/invoices/strays.csv      3    -        no_account_id            -
        subscriptions billing/subscriptions/strays.csv 2    late     unknown_account_late     1000
        events        events/events/strays.csv         2    late     unknown_account_late     -
        events        events/events/strays.csv         3    -        no_account_id            -
        events        events/events/strays.csv         4    good-1.0 unknown_account_good-1.0 -
        tickets       tickets/tickets/strays.csv       2    late     unknown_account_late     -
        tickets       tickets/tickets/strays.csv       3    -        no_account_id            -
        """
    )


CONSERVATION = """
    select
        entity, records_read as read, current_rows as current, superseded, duplicates,
        unattributed, rejected, difference
    from audit_conservation
    where records_read > 0
    order by domain, entity
"""


def test_every_record_is_accounted_for(story: Story) -> None:
    assert story.bad_records.shows(CONSERVATION) == written(
        """
        entity          read current superseded duplicates unattributed rejected difference
        fx_rates        113  112     0          0          0            1        0
        invoice_lines   208  201     0          2          2            3        0
        invoices        205  201     0          0          2            2        0
        subscriptions   213  200     0          3          1            9        0
        account_aliases 204  201     0          0          0            3        0
        account_parents 3    2       0          0          0            1        0
        accounts        207  203     0          0          0            4        0
        contacts        203  200     0          0          0            3        0
        nps_responses   205  200     0          1          0            4        0
        events          212  201     1          1          3            6        0
        tickets         204  200     0          0          2            2        0
        """
    )


FIGURES = """
    select
        count(*) as accounts, sum(ending_mrr) as mrr, sum(lifetime_revenue) as revenue,
        sum(lifetime_revenue) filter (where account_id = 'good-001') as merged,
        sum(ending_mrr) filter (where account_id = 'late') as late
    from account_360
"""


def test_bad_records_leave_the_figures_alone(story: Story) -> None:
    """Every bad amount is a million; the invoice of the merged account counts under good-001."""
    assert story.bad_records.shows(FIGURES) == written(
        """
        accounts mrr  revenue merged late
        203      2000 1011    16     -
        """
    )


def test_the_summary_tells_of_rejects_and_unattributed(story: Story) -> None:
    line = next(
        line for line in story.bad_records.out.splitlines() if "billing.subscriptions" in line
    )
    assert line.split() == ["billing.subscriptions", "213", "200", "0", "3", "1", "9"]


def test_unreadable_files_are_all_named_in_one_run(story: Story) -> None:
    assert story.unreadable.exit_code == 1
    for location, (_, what, _) in UNREADABLE.items():
        lines = [line for line in story.unreadable.out.splitlines() if location in line]
        assert len(lines) == 1, location
        assert what in lines[0]
        assert lines[0].strip() in story.status_after_unreadable, location


def test_the_other_files_of_such_a_night_load_all_the_same(story: Story) -> None:
    assert story.mended.shows(
        """
        select location, rows_read as read
        from audit_loads
        where location = 'crm/accounts/2024-06-08.jsonl'
        """
    ) == written(
        """
        location                      read
        crm/accounts/2024-06-08.jsonl 1
        """
    )
    assert "crm" in story.unreadable.out.partition("Loaded")[2].partition("Failed")[0]


@pytest.mark.parametrize("night", ["unreadable", "gates"])
def test_a_night_that_fails_leaves_the_last_publish_as_it_was(story: Story, night: str) -> None:
    failed: Night = getattr(story, night)
    assert "NOT PUBLISHED" in failed.out
    assert failed.publish_id == story.bad_records.publish_id
    assert _bytes(failed.published) == _bytes(story.bad_records.published)
    assert failed.shows(FIGURES) == story.bad_records.shows(FIGURES)


def _bytes(published: Path) -> dict[str, bytes]:
    """All files of all publishes; what a failed night was building is no publish."""
    return {
        path.relative_to(published).as_posix(): path.read_bytes()
        for path in sorted(published.rglob("*"))
        if path.is_file() and ".candidate" not in path.parts
    }


def test_too_many_rejects_stop_the_night_and_say_where(story: Story) -> None:
    assert story.gates.exit_code == 1
    failed = story.gates.out.partition("Failed")[2]
    assert "subscriptions" in failed
    # 9 and 20 of 233, over the 5 per cent that are allowed
    assert "29" in failed
    assert "233" in failed
    assert "events" not in failed


def test_too_many_rejects_name_a_file_and_a_reason(story: Story) -> None:
    failed = story.gates.out.partition("Failed")[2]
    assert TOO_MANY in failed
    assert "cycle_length 0 is below 1" in failed


def test_a_missing_exchange_rate_names_pair_and_day(story: Story) -> None:
    failed = story.gates.out.partition("Failed")[2]
    assert "from_currency = CHF, to_currency = USD" in failed
    assert "2024-05-15" in failed


def test_the_mended_files_publish(story: Story) -> None:
    """Twenty more subscriptions; late's MRR and revenue; 100 francs at 1.12."""
    assert story.mended.exit_code == 0, story.mended.out
    assert story.mended.publish_id != story.bad_records.publish_id
    assert story.mended.shows(FIGURES) == written(
        """
        accounts mrr  revenue  merged late
        204      3200 1193.25  128    1000
        """
    )


def test_a_reader_keeps_the_file_that_it_has_open(story: Story) -> None:
    assert [[str(int(value)) for value in row] for row in story.open_reader] == [["2000"]]


def test_the_account_that_appeared_has_its_records(story: Story) -> None:
    assert story.mended.shows(UNATTRIBUTED) == written(
        """
        entity        location                         line acct     reason                   amount
        invoice_lines billing/invoice_lines/strays.csv 3    -        no_account_id            3.5
        invoices      billing/invoices/strays.csv      3    -        no_account_id            -
        events        events/events/strays.csv         3    -        no_account_id            -
        events        events/events/strays.csv         4    good-1.0 unknown_account_good-1.0 -
        tickets       tickets/tickets/strays.csv       3    -        no_account_id            -
        """
    )


def test_a_file_that_came_again_supersedes_its_records(story: Story) -> None:
    header, *rows = story.mended.shows(CONSERVATION)
    subscriptions = next(row for row in rows if row[0] == "subscriptions")
    assert [header, subscriptions] == written(
        """
        entity        read current superseded duplicates unattributed rejected difference
        subscriptions 253  221     20         3          0            9        0
        """
    )
    assert {row[-1] for row in rows} == {"0"}


def test_only_publishes_are_told_of(story: Story) -> None:
    assert story.mended.shows("select publish_id from audit_publishes order by 1") == [
        ["publish_id"],
        [story.bad_records.publish_id],
        [story.mended.publish_id],
    ]


def test_without_accounts_nothing_is_published(empty_home: Callable[[], Home]) -> None:
    home = empty_home()
    home.land({"billing/subscriptions.csv": [TERM]})
    night = home.night(AS_OF)
    assert night.exit_code == 1
    assert "crm/accounts" in night.out
    assert "billing" in night.out.partition("Loaded")[2].splitlines()[1]
    assert not night.database.exists()
