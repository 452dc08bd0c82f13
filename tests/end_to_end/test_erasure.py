"""An account, a user and a contact are erased, and the next extract lists them all again.

Every identifier is a random text of more than twelve characters, so that finding it anywhere means
that it was not erased.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from tests.end_to_end.nights import Home, Night, account360, contents, shows, written

pytestmark = [pytest.mark.slow, pytest.mark.long]

AS_OF = "2024-06-20"
FIRST_EXTRACT, NEXT_EXTRACT = "2024-06-10", "2024-06-15"
FULL = "accounts,users,contacts"
AUDIT = {"audit_conservation", "audit_rejects", "audit_tombstones", "audit_unattributed"}


def random_text(name: str) -> str:
    """A text that occurs nowhere else, the same in every run."""
    return f"{name}{hashlib.sha256(name.encode()).hexdigest()[:14]}"


def email(name: str) -> str:
    """An e-mail address of that kind."""
    return f"{random_text(name)}@{name}.example"


GONE, KEPT, GROUP, BRANCH = (random_text(name) for name in ("Gone", "Kept", "Group", "Branch"))
MERGED = random_text("Merged")
# users of the account that stays: the erased one with a contact record, and another
USER, OTHER, LINKED = random_text("User"), random_text("Other"), random_text("Linked")
CONTACT = random_text("Contact")
GONE_USER, GONE_CONTACT = random_text("GoneUser"), random_text("GoneContact")

# Everything that identifies those who are erased.
ERASED = {
    *(GONE, MERGED, GONE_USER, GONE_CONTACT, USER, LINKED, CONTACT),
    *(random_text("GoneInvoice"), random_text("GoneTicket"), random_text("GoneName")),
    *(random_text("UserFirst"), random_text("UserLast"), random_text("ContactLast")),
    *(email("goneuser"), email("gonecontact"), email("user"), email("contact")),
}
STAYS = {KEPT, GROUP, BRANCH, OTHER, email("other"), email("csm")}


def extract(day: str) -> dict[str, object]:
    """Files that list everything there is, as the source would on any day."""
    accounts = [
        {"account_id": GROUP, "name": "Group"},
        {"account_id": GONE, "name": random_text("GoneName"), "parent_account_id": GROUP},
        {"account_id": MERGED, "name": "Merged"},
        {"account_id": BRANCH, "name": "Branch", "parent_account_id": GONE},
        {"account_id": KEPT, "name": "Kept", "parent_account_id": GROUP}
        | {"assigned_csms": [{"email": email("csm")}]},
    ]
    users = [
        {"account_id": GONE, "user_id": GONE_USER, "email": email("goneuser")},
        {"account_id": KEPT, "user_id": USER, "email": email("user").upper()}
        | {"first_name": random_text("UserFirst"), "last_name": random_text("UserLast")}
        | {"contact_id": LINKED},
        {"account_id": KEPT, "user_id": OTHER, "email": email("other")},
        # refused, and in the rejects
        {"account_id": GONE, "user_id": random_text("GoneUser"), "product_join_date": "soon"},
    ]
    contacts = [
        {"account_id": GONE, "contact_id": GONE_CONTACT, "email": email("gonecontact")},
        {"account_id": KEPT, "contact_id": LINKED, "email": email("user")},
        {"account_id": KEPT, "contact_id": CONTACT, "email": email("contact")}
        | {"first_name": "Jo", "last_name": random_text("ContactLast")},
    ]
    notes = [
        {"note_id": "n1", "account_id": GONE, "body": f"{GONE} again"},
        {"note_id": "n2", "account_id": KEPT, "body": f"Ask {email('user')}, or ({USER})."},
        {"note_id": "n3", "account_id": KEPT, "body": f"Jo {random_text('ContactLast')} called."},
        {"note_id": "n4", "account_id": BRANCH, "body": f"see https://crm.example/{GONE}/notes"},
        {"note_id": "n5", "account_id": KEPT, "body": "Nothing of anybody."},
    ]
    interactions = [
        {"interaction_id": "i1", "contact": email("user"), "subject": f"Hello {USER}"},
        {"interaction_id": "i2", "contact": email("other"), "subject": "Other"}
        | {"description": f"about {email('contact')}"},
        {"interaction_id": "i3", "contact": CONTACT, "subject": "His divorce"},
    ]
    at = "2024-05-02T09:00:00Z"
    events = [
        {"account_id": account, "user_id": user, "created_at": f"2024-06-0{day}T0{hour}:00:00Z"}
        | {"action": "sessionSync", "session_id": f"{user}-{day}", "active_duration": 600000}
        | {"details": {"by": who}}
        for account, user, who in (
            (GONE, GONE_USER, email("goneuser")),
            (KEPT, USER, email("user")),
            (KEPT, OTHER, email("other")),
        )
        for day in (3, 4)
        for hour in (8, 9)
    ]
    common = {"join_date": "2024-01-01"}
    return {
        f"crm/accounts/{day}.jsonl": [account | common for account in accounts],
        f"crm/account_aliases/{day}.csv": [{"old_account_id": MERGED, "account_id": GONE}],
        f"crm/users/{day}.jsonl.gz": [{"product_join_date": "2024-02-01"} | each for each in users],
        f"crm/contacts/{day}.csv": [
            {"account_id": None, "contact_id": None, "first_name": None, "last_name": None}
            | {"email": None}
            | each
            for each in contacts
        ],
        f"crm/notes/{day}.jsonl": [
            *({"created_at": at} | note for note in notes),
            f'{{"note_id": "broken", "account_id": "{GONE}", "body": ',
        ],
        f"crm/interactions/{day}.jsonl": [
            {"account_id": KEPT, "occurred_at": at, "type": "phone"} | each for each in interactions
        ],
        f"crm/nps_responses/{day}.jsonl": [
            {"account_id": account, "submitted_at": at, "score": score, "user_email": who}
            | {"comment": f"from {who}"}
            for account, score, who in (
                (GONE, 1, email("goneuser")),
                (KEPT, 9, email("user")),
                (KEPT, 4, email("other")),
            )
        ],
        f"billing/subscriptions/{day}.csv": [
            {"subscription_id": f"s{number}", "account_id": account, "start_date": "2024-01-01"}
            | {"cycle_length": 1, "cycle_unit": "month", "total_revenue": 10 * number}
            for number, account in enumerate((GONE, KEPT, BRANCH), start=1)
        ],
        f"billing/invoices/{day}.csv": [
            {"invoice_id": random_text("GoneInvoice"), "account_id": GONE, "created_at": at},
            {"invoice_id": "kept", "account_id": KEPT, "created_at": at},
        ],
        f"billing/invoice_lines/{day}.csv": [
            {"invoice_id": invoice, "line_number": 1, "amount": 5, "is_recurring": "true"}
            for invoice in (random_text("GoneInvoice"), "kept")
        ],
        f"events/events/{day}.jsonl": events,
        f"tickets/tickets/{day}.jsonl": [
            {"ticket_id": ticket, "account_id": account, "status": "open", "created_at": at}
            | {"requester_email": who, "subject": subject}
            for ticket, account, who, subject in (
                (random_text("GoneTicket"), GONE, email("goneuser"), "Help"),
                ("kept", KEPT, email("user"), "My own trouble"),
                ("other", KEPT, email("other"), "Other trouble"),
            )
        ],
        f"tickets/ticket_changes/{day}.csv": [
            {"ticket_id": ticket, "changed_at": "2024-05-03T09:00:00Z", "field": "priority"}
            | {"new_value": "high"}
            for ticket in (random_text("GoneTicket"), "kept")
        ],
    }


def values_of(path: Path) -> Iterable[str]:
    """Everything that a file says: its bytes, and what stands in it where they are packed."""
    data = path.read_bytes()
    yield data.decode("latin-1")
    if data[:2] == b"\x1f\x8b":
        yield gzip.decompress(data).decode("latin-1")
    if data[8:12] == b"DUCK" or data[:4] == b"PAR1":
        with duckdb.connect() as connection:
            relations = [f"read_parquet('{path}')"]
            if data[8:12] == b"DUCK":
                connection.execute(f"attach '{path}' as searched (read_only)")
                relations = [
                    f'searched."{schema}"."{table}"'
                    for schema, table in connection.execute(
                        "select schema_name, table_name from duckdb_tables()"
                        " where database_name = 'searched'"
                    ).fetchall()
                ]
            for relation in relations:
                for row in connection.execute(f"from {relation}").fetchall():
                    yield repr(row)
    if data.startswith(b"SQLite format 3"):
        with closing(sqlite3.connect(path)) as connection:
            yield "\n".join(connection.iterdump())


def found_below(home: Path, wanted: set[str]) -> dict[str, set[str]]:
    """Which of the texts stand in which files of a home folder, landing files apart."""
    found: dict[str, set[str]] = {}
    for path in sorted(home.rglob("*")):
        name = str(path.relative_to(home))
        if path.is_symlink() or not path.is_file() or name.startswith("landing/"):
            continue
        for text in (name, *values_of(path)):
            low = text.lower()
            for each in wanted:
                if each.lower() in low:
                    found.setdefault(each, set()).add(name)
    return found


@dataclass(frozen=True)
class Story:
    """What was found before and after, what the command said, and the nights around it."""

    before: dict[str, set[str]]
    first: Night
    said: list[str]
    dry_run: str
    dry_run_changed: set[str]
    unsure: str
    erased: dict[str, set[str]]
    landing_kept: bool
    kept_publish: Path
    next: Night
    after_next: dict[str, set[str]]
    last: Night
    after_last: dict[str, set[str]]


def fingerprints(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "erasure" not in path.parts and path.name != "run.lock"
    }


@pytest.fixture(scope="module")
def story(empty_home: Callable[[], Home], tmp_path_factory: pytest.TempPathFactory) -> Story:
    home = empty_home()
    home.land(extract(FIRST_EXTRACT))
    first = home.night(AS_OF, full_extract_entities=FULL, reject_threshold_pct=50)
    assert first.exit_code == 0, first.out + first.err
    logs = home.path / "logs"
    said = f"a test showed {GONE}, {USER} and {email('contact')}\n"
    (logs / "older.log").write_text(said)
    (logs / "oldest.log.gz").write_bytes(gzip.compress(said.encode()))
    with closing(sqlite3.connect(home.path / "dagster" / "history" / "older.db")) as history:
        history.execute("create table events (event text)")
        history.execute("insert into events values (?)", [json.dumps({"row": [GONE, USER]})])
        history.commit()
    before = found_below(home.path, ERASED | STAYS)
    landed = fingerprints(home.landing)

    def erase(*options: str) -> tuple[int, str, str]:
        ended = account360("erase", "--home", home.path, "--landing", home.landing, *options)
        return ended.returncode, ended.stdout, ended.stderr

    everything = fingerprints(home.path)
    dry = erase("--account", GONE, "--dry-run")
    changed = {
        name for name, digest in fingerprints(home.path).items() if everything.get(name) != digest
    }
    unsure = erase("--account", GONE)
    ends = [
        erase("--account", GONE, "--yes"),
        erase("--user", KEPT, USER, "--yes"),
        erase("--contact", KEPT, CONTACT, "--yes"),
    ]
    assert [code for code, *_ in ends] == [0, 0, 0], ends
    erased = found_below(home.path, ERASED | STAYS)
    landing_kept = fingerprints(home.landing) == landed
    copy = tmp_path_factory.mktemp("kept") / "account360.duckdb"
    copy.write_bytes((home.path / "published" / first.publish_id / copy.name).read_bytes())
    again = home.night(AS_OF, full_extract_entities=FULL, reject_threshold_pct=50)
    after_next = found_below(home.path, ERASED | STAYS)
    home.land(extract(NEXT_EXTRACT))
    last = home.night(AS_OF, full_extract_entities=FULL, reject_threshold_pct=50)
    after_last = found_below(home.path, ERASED | STAYS)
    return Story(
        before,
        first,
        [out for _, out, _ in ends],
        dry[1],
        changed,
        unsure[2],
        erased,
        landing_kept,
        copy,
        again,
        after_next,
        last,
        after_last,
    )


def test_everything_was_there_before(story: Story) -> None:
    assert story.before.keys() == ERASED | STAYS
    places = {name.rpartition(".")[2] for name in story.before[GONE]}
    assert {"duckdb", "parquet", "log", "gz", "db"} <= places


def test_a_dry_run_lists_and_changes_nothing(story: Story) -> None:
    assert story.dry_run_changed == set()
    for part in ("raw_crm.accounts", "raw_events.events", "account_360", "logs/older.log"):
        assert part in story.dry_run


def test_nobody_is_erased_without_being_asked(story: Story) -> None:
    assert "--yes" in story.unsure


def test_no_file_but_landing_files_holds_who_was_erased(story: Story) -> None:
    assert {each: story.erased[each] for each in ERASED & story.erased.keys()} == {}
    assert story.erased.keys() >= STAYS
    assert story.landing_kept
    assert all("found in no file" in said for said in story.said)


@pytest.mark.parametrize("when", ["after_next", "after_last"])
def test_neither_the_same_files_nor_the_next_extract_bring_them_back(
    story: Story, when: str
) -> None:
    assert (story.next.exit_code, story.last.exit_code) == (0, 0), story.next.out + story.last.out
    found = getattr(story, when)
    assert {each: found[each] for each in ERASED & found.keys()} == {}
    assert found.keys() >= STAYS


def test_the_same_records_once_more_change_no_figure(story: Story) -> None:
    """The night after the erasure built everything anew, the one after it only what landed."""
    before, after = (figures(night.database) for night in (story.next, story.last))
    assert before.keys() == after.keys()
    # an extract that repeats a record is a version of it
    versions = {"account_versions"}
    changed = {name for name, found in before.items() if found != after[name]}
    assert changed <= AUDIT | versions


# Up to when there is data, and where the record stands that holds.
OF_THE_FILE = (
    *("crm_data_through", "billing_data_through", "events_data_through", "tickets_data_through"),
    *("location", "line", "file_version"),
)


def figures(database: Path) -> dict[str, list[tuple]]:
    """What every table says, but for which files it is from."""
    with duckdb.connect(str(database), read_only=True) as connection:
        return {
            name: connection.execute(
                f"select columns(one -> one not in {OF_THE_FILE}) from {name}"
            ).fetchall()
            for name in contents(database)
        }


def test_records_of_the_erased_are_counted(story: Story) -> None:
    found = story.last.shows(
        """
        select domain || '.' || entity as entity, records_read as read, current_rows as current,
            superseded, duplicates, rejected, erased, difference
        from audit_conservation
        where erased > 0
        order by all
        """
    )
    assert found == written(
        """
        entity                 read current superseded duplicates rejected erased difference
        billing.invoice_lines  4    1       1          0          0        2      0
        billing.invoices       4    1       1          0          0        2      0
        billing.subscriptions  6    2       2          0          0        2      0
        crm.account_aliases    2    0       0          0          0        2      0
        crm.accounts           10   3       3          0          0        4      0
        crm.contacts           6    0       0          0          0        6      0
        crm.notes              12   4       4          0          2        2      0
        crm.nps_responses      6    2       2          0          0        2      0
        crm.users              8    1       1          0          0        6      0
        events.events          24   8       0          8          0        8      0
        tickets.ticket_changes 4    1       1          0          0        2      0
        tickets.tickets        6    2       2          0          0        2      0
        """
    )
    for night in (story.next, story.last):
        assert night.shows("select sum(abs(difference)) as n from audit_conservation")[1] == ["0"]


OF_THE_ACCOUNT = """
    select columns(*) from {table}
    where account_id = '{account}' order by all
"""


@pytest.mark.parametrize(
    "table",
    [
        "account_activity_daily",
        "account_mrr_monthly",
        "account_revenue_monthly",
        "account_nps",
        "account_tickets_monthly",
        "account_health_daily",
    ],
)
@pytest.mark.parametrize("account", [KEPT, BRANCH])
def test_figures_of_other_accounts_stay(story: Story, table: str, account: str) -> None:
    query = OF_THE_ACCOUNT.format(table=table, account=account)
    assert story.next.shows(query) == story.first.shows(query)


def test_the_time_of_the_erased_user_counts_on_under_a_pseudonym(story: Story) -> None:
    query = f"""
        select
            case when user_id = '{OTHER}' then 'other' else user_id[:7] end as user_id,
            day, session_seconds, event_count
        from user_activity_daily
        where account_id = '{KEPT}'
        order by all
    """
    seconds = "user_id day session_seconds event_count"
    assert story.next.shows(query) == written(
        f"""
        {seconds}
        erased- 2024-06-03 1200 2
        erased- 2024-06-04 1200 2
        other   2024-06-03 1200 2
        other   2024-06-04 1200 2
        """
    )


@pytest.mark.parametrize("when", ["kept_publish", "next"])
def test_what_is_left_of_the_people(story: Story, when: str) -> None:
    """In the publish that was kept as in the next one."""
    database = story.kept_publish if when == "kept_publish" else story.next.database
    notes = shows(database, "select note_id, body from account_notes order by all")
    bodies = dict(notes[1:])
    assert bodies.keys() == {"n2", "n3", "n4", "n5"}
    assert bodies["n2"].startswith("Ask erased-")
    assert bodies["n3"].startswith("erased-")
    assert bodies["n4"].startswith("see https://crm.example/erased-")
    assert bodies["n5"] == "Nothing of anybody."
    assert shows(
        database,
        """
        select interaction_id, contact[:6] as contact, coalesce(subject, 'none') as subject,
            coalesce(description[:12], 'none') as description
        from account_touchpoints order by all
        """,
    )[1:] == [
        ["i1", "erased", "none", "none"],
        ["i2", email("other")[:6], "Other", "about erased"],
        ["i3", "erased", "none", "none"],
    ]
    assert shows(database, "select ticket_id, subject from account_tickets order by all")[1:] == [
        ["kept", "-"],
        ["other", "Other trouble"],
    ]
    assert shows(
        database,
        "select score, user_email[:6] as who, comment[:5] as comment from account_nps_responses"
        " order by all",
    )[1:] == [["4", email("other")[:6], "from "], ["9", "erased", "-"]]
    assert shows(database, "select count(*) from account_contacts")[1] == ["0"]


def test_what_was_below_the_erased_account_is_at_the_top(story: Story) -> None:
    query = f"select account_id from account_hierarchy where descendant_account_id = '{BRANCH}'"
    assert story.next.shows(query)[1:] == [[BRANCH]]
