"""Assignment rules over several nights: the source's history stays, the rule's goes on from there.

One account is told by its list of CSMs, one by records; the source lands complete extracts of its
records, which never hear of what `account360 assign` did.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.end_to_end.nights import Home, Night, account360, written

pytestmark = [pytest.mark.slow, pytest.mark.long]

RULES = """
[[rules]]
name = "to_ben"
title = "Ann's Tier 1 accounts with an MRR over 50 go to Ben"
conditions = [
    { subject = "tier", operator = "=", value = "tier 1" },
    { subject = "subscription_mrr", operator = ">", value = 50 },
    { subject = "label:Region", operator = "!=", value = "'; drop table x --" },
]
unassign = ["ann@x.example"]
assign = ["ben@x.example"]
"""
SETTINGS = {"full_extract_entities": "account_assignments", "full_extract_shrink_pct": "100"}


@dataclass(frozen=True)
class Told:
    """What a call of `account360 assign` said, and our files after it."""

    code: int
    out: str
    files: list[str]


@dataclass(frozen=True)
class Story:
    """The nights by their as-of dates, and the calls by what they were for."""

    nights: dict[str, Night]
    calls: dict[str, Told]


def account(account_id: str, day: str, csms: list[str] | None) -> dict[str, object]:
    return {
        "account_id": account_id,
        "name": account_id,
        "join_date": "2024-01-01",
        "tier": "Tier 1" if account_id != "small" else "Tier 2",
        "custom_label_dimensions": [{"key": "Region", "value": "EMEA"}],
        "assigned_csms": csms and [{"email": email} for email in csms],
        "updated_at": f"{day}T06:00:00Z",
    }


def extract(*csms: str) -> list[dict[str, object]]:
    """What the source says of the assignments of `recorded` and `small`: always all of it."""
    return [
        {"account_id": account_id, "csm_email": f"{csm}@x.example"}
        | {"assigned_at": "2024-03-01T09:30:00Z", "unassigned_at": None}
        for account_id in ("recorded", "small")
        for csm in csms
    ]


@pytest.fixture(scope="module")
def story(empty_home: Callable[[], Home]) -> Story:
    """A rule that is previewed, applied twice, and outlived by extracts that know nothing of it."""
    home = empty_home()
    rules = home.path / "rules.toml"
    rules.write_text(RULES, encoding="utf-8")
    settings = {**SETTINGS, "assignment_rules_file": rules}
    nights, calls = {}, {}

    def call(name: str, *arguments: str) -> None:
        ended = account360(
            *("assign", *arguments, "--home", home.path, "--landing", home.landing), **settings
        )
        folder = home.landing / "crm" / "account_assignments" / "account360"
        files = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
        calls[name] = Told(ended.returncode, ended.stdout + ended.stderr, files)

    home.land(
        {
            "crm/csms.jsonl": [
                {"email": f"{name}@x.example", "name": name, "is_active": True}
                | {"can_be_assigned_accounts": name != "lead"}
                for name in ("ann", "ben", "cat", "lead")
            ],
            "crm/csm_aliases.jsonl": [{"old_email": "ann@old.example", "email": "ann@x.example"}],
            "crm/accounts/2024-06-01.jsonl": [
                account("listed", "2024-02-01", ["cat@x.example"]),
                account("recorded", "2024-02-01", None),
                account("small", "2024-02-01", None),
            ],
            "crm/accounts/2024-06-02.jsonl": [
                account("listed", "2024-05-01", [" Ann@OLD.example ", "cat@x.example"])
            ],
            "crm/account_assignments/2024-06-05.jsonl": extract("ann", "cat"),
            "billing/subscriptions.csv": [
                {"subscription_id": name, "account_id": name, "start_date": "2024-01-01"}
                | {"cycle_length": 1, "cycle_unit": "month", "total_revenue": 100}
                for name in ("listed", "recorded", "small")
            ],
        }
    )
    call("too early", "preview", "to_ben")
    nights["2024-06-10"] = home.night("2024-06-10", **settings)
    call("preview", "preview", "to_ben")
    call("apply", "apply", "to_ben")
    call("again", "apply", "to_ben")
    call("refused", "add", "small", "lead@x.example")
    call("one more", "add", "small", "ben@x.example", "--date", "2024-06-14")
    home.land(
        {
            # cat is no longer listed, ann is again and again
            "crm/account_assignments/2024-06-11.jsonl": extract("ann"),
            "crm/accounts/2024-06-11.jsonl": [
                account("listed", "2024-06-11", ["lead@x.example", "ann@x.example"])
            ],
        }
    )
    nights["2024-06-13"] = home.night("2024-06-13", **settings)
    call("a night later", "apply", "to_ben")
    home.land({"crm/account_assignments/2024-06-14.jsonl": extract("ann")})
    nights["2024-06-16"] = home.night("2024-06-16", **settings)
    return Story(nights, calls)


PERIODS = """
    select account_id, csm_email, assigned_date, unassigned_date from account_csm_assignments
    order by all
"""


def test_before_the_first_night_there_is_nothing_to_judge_by(story: Story) -> None:
    assert story.calls["too early"].code == 2
    assert "nothing is published" in story.calls["too early"].out


def test_a_preview_tells_what_the_rule_would_shift_and_why(story: Story) -> None:
    told = story.calls["preview"]
    assert told.code == 0
    assert told.files == []
    rows = [line.split() for line in told.out.splitlines() if " EMEA " in line]
    assert rows == written(
        """
        listed   listed   Tier 1 100 EMEA ann@x.example, cat@x.example ben@x.example ann@x.example
        recorded recorded Tier 1 100 EMEA ann@x.example, cat@x.example ben@x.example ann@x.example
        """
    )
    assert "2 accounts: 2 assigned, 2 unassigned." in told.out


def test_a_second_call_lands_nothing_more_before_and_after_a_night(story: Story) -> None:
    assert len(story.calls["apply"].files) == 1
    assert story.calls["again"].files == story.calls["apply"].files
    assert "Nothing changes" in story.calls["again"].out
    assert len(story.calls["one more"].files) == 2
    assert story.calls["a night later"].files == story.calls["one more"].files
    assert "Nothing changes" in story.calls["a night later"].out


def test_a_csm_who_may_not_is_refused(story: Story) -> None:
    told = story.calls["refused"]
    assert told.code == 2
    assert "lead@x.example may not be assigned accounts" in told.out
    assert told.files == story.calls["apply"].files


def test_up_to_the_day_of_the_rule_history_is_the_sources(story: Story) -> None:
    assert story.nights["2024-06-10"].exit_code == 0, story.nights["2024-06-10"].out
    assert story.nights["2024-06-10"].shows(PERIODS) == written(
        """
        account_id csm_email     assigned_date unassigned_date
        listed     ann@x.example 2024-05-01    -
        listed     cat@x.example 2024-02-01    -
        recorded   ann@x.example 2024-03-01    -
        recorded   cat@x.example 2024-03-01    -
        small      ann@x.example 2024-03-01    -
        small      cat@x.example 2024-03-01    -
        """
    )


def test_from_then_on_it_is_the_rules_whatever_lists_and_extracts_go_on_to_say(
    story: Story,
) -> None:
    assert story.nights["2024-06-13"].exit_code == 0, story.nights["2024-06-13"].out
    assert story.nights["2024-06-13"].shows(PERIODS) == written(
        """
        account_id csm_email     assigned_date unassigned_date
        listed     ann@x.example 2024-05-01    2024-06-10
        listed     ben@x.example 2024-06-10    -
        listed     cat@x.example 2024-02-01    -
        recorded   ann@x.example 2024-03-01    2024-06-10
        recorded   ben@x.example 2024-06-10    -
        recorded   cat@x.example 2024-03-01    2024-06-11
        small      ann@x.example 2024-03-01    -
        small      cat@x.example 2024-03-01    2024-06-11
        """
    )


def test_what_is_said_for_a_day_to_come_holds_from_it_on(story: Story) -> None:
    night = story.nights["2024-06-16"]
    assert night.exit_code == 0, night.out
    assert night.shows(f"from ({PERIODS}) where account_id = 'small'") == written(
        """
        account_id csm_email     assigned_date unassigned_date
        small      ann@x.example 2024-03-01    -
        small      ben@x.example 2024-06-14    -
        small      cat@x.example 2024-03-01    2024-06-11
        """
    )
    assert night.shows("select csm_email, accounts from csms order by all") == written(
        """
        csm_email      accounts
        ann@x.example  1
        ben@x.example  3
        cat@x.example  1
        lead@x.example 0
        """
    )


def test_records_say_which_rule_landed_them_and_every_one_is_counted(story: Story) -> None:
    night = story.nights["2024-06-16"]
    ours = night.shows(
        "select account_id, csm_email, regexp_extract(location, '[0-9]{6}_(.*)_', 1) as said "
        "from account_assignment_records where location like '%/account360/%' order by all"
    )
    assert ours == written(
        """
        account_id csm_email     said
        listed     ann@x.example to_ben
        listed     ben@x.example to_ben
        listed     cat@x.example to_ben
        recorded   ann@x.example to_ben
        recorded   ben@x.example to_ben
        small      ben@x.example add
        """
    )
    # 4 + 2 + 2 of the source, 5 + 1 of ours; of a key one is current
    assert night.shows(
        "select records_read, current_rows, superseded, difference from audit_conservation "
        "where entity = 'account_assignments'"
    ) == written(
        """
        records_read current_rows superseded difference
        14           9            5          0
        """
    )
    assert night.shows("select distinct crm_data_through as day from account_360") == written(
        """
        day
        2024-06-14
        """
    )
