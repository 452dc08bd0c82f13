"""`account360 assign` over a small published file: what is previewed, landed, refused and told.

The publish is as of 2024-06-10. Records that land are written as text: account, CSM, from, to.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from orchestration import cli
from settings import Settings, load_settings

FOLDER = Path("crm/account_assignments/account360")

# Accounts: one by the source's list, one by records, one of nobody, one that has churned.
PUBLISH = """
create table account_360 (
    account_id varchar, account_name varchar, tier varchar, stage varchar, is_churned boolean,
    csm_emails varchar[], csm_count bigint, health_score integer, subscription_mrr decimal(18, 4),
    activity_rank double, join_date date, nps_latest_at timestamp
);
insert into account_360 values
    ('listed', 'Listed Ltd', 'Tier 1', 'Onboarding', false, ['ann@x', 'bob@x'], 2, 40, 6000.5,
        0.25, '2024-01-01', '2024-06-09 03:30:00'),
    ('recorded', 'Recorded Ltd', ' tier 1', 'Growth', false, ['bob@x'], 1, 60, 100, null,
        '2023-01-01', null),
    ('nobodys', 'Nobody''s', 'Tier 2', null, false, [], 0, null, 0, 0.5, '2022-01-01', null),
    ('gone', 'Gone Ltd', 'Tier 1', 'Churned', true, ['ann@x'], 1, null, 0, null, '2021-01-01',
        null);
create table account_dimensions (
    account_id varchar, entity varchar, kind varchar, key varchar, label_value varchar,
    problem varchar, number_value decimal(28, 8), event_at timestamp
);
insert into account_dimensions values
    ('listed', 'account', 'label', 'Region', 'EMEA', null, null, null),
    ('nobodys', 'account', 'label', 'Region', 'APAC', null, null, null),
    ('listed', 'account', 'value', 'Seats', null, null, 12.5, null),
    ('recorded', 'account', 'value', 'Seats', 'many', 'not a number', null, null),
    ('recorded', 'account', 'event', 'Go-live', null, null, null, '2024-03-01 00:00:00'),
    ('recorded', 'contact', 'label', 'Region', 'EMEA', null, null, null);
create table account_csm_assignments (
    account_id varchar, csm_email varchar, assigned_date date, unassigned_date date
);
insert into account_csm_assignments values
    ('listed', 'ann@x', '2024-01-01', null),
    ('listed', 'bob@x', '2024-03-01', null),
    ('listed', 'eve@x', '2024-02-01', '2024-06-05'),
    ('recorded', 'bob@x', '2023-01-01', null),
    ('recorded', 'ann@x', '2023-05-01', '2023-06-01'),
    ('gone', 'ann@x', '2021-01-01', null);
create table account_assignment_records (
    account_id varchar, csm_email varchar, recorded_csm_email varchar, location varchar,
    assigned_at timestamp, assigned_date date, unassigned_date date
);
insert into account_assignment_records values
    ('recorded', 'bob@x', 'bob@old', 'a', '2024-02-01 08:00:00', '2024-02-01', null),
    ('recorded', 'bob@x', 'bob@x', 'a', '2024-04-01 08:00:00', '2024-04-01', null),
    ('recorded', 'ann@x', 'ann@x', 'a', '2023-05-01 08:00:00', '2023-05-01', '2023-06-01');
create table csms (
    csm_email varchar, csm_name varchar, accounts bigint, is_active boolean,
    can_be_assigned_accounts boolean
);
insert into csms values
    ('ann@x', 'Ann', 2, true, true), ('bob@x', 'Bob', 2, true, true), ('carl@x', 'Carl', 0, true,
    true), ('dora@x', 'Dora', 0, true, false), ('eve@x', 'Eve', 0, false, true),
    ('list@x', null, 0, null, null);
create table audit_loads (location varchar);
"""


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A home with the small publish, an empty landing folder, and a file for rules."""
    settings = load_settings(environ={}, home=tmp_path)
    settings.landing.mkdir()
    folder = settings.published_path / "2024-06-10_20240610T030000Z_00000000"
    folder.mkdir(parents=True)
    with duckdb.connect(str(folder / "account360.duckdb")) as connection:
        connection.execute(PUBLISH)
    settings.current_path.symlink_to(folder.name)
    monkeypatch.setenv("ACCOUNT360_ASSIGNMENT_RULES_FILE", str(tmp_path / "rules.toml"))
    return settings


@pytest.fixture
def assign(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    """Runs `account360 assign …`; its exit code, and what it said."""

    def run(*arguments: str) -> tuple[int, str]:
        code = cli.main(["assign", *arguments, "--home", str(settings.home)])
        said = capsys.readouterr()
        return code, said.out + said.err

    return run


def rule(settings: Settings, conditions: str, verbs: str) -> None:
    """Write a file with the rule `r`."""
    (settings.home / "rules.toml").write_text(
        f'[[rules]]\nname = "r"\ntitle = "R"\nconditions = [{conditions}]\n{verbs}\n',
        encoding="utf-8",
    )


def where(subject: str, operator: str, value: str) -> str:
    return f'{{ subject = "{subject}", operator = "{operator}", value = {value} }}'


def files(settings: Settings) -> list[str]:
    """What stands in the folder of our own files."""
    return sorted(path.name for path in (settings.landing / FOLDER).glob("*"))


def landed(settings: Settings) -> list[str]:
    """The records of the last of our files, in their order."""
    path = settings.landing / FOLDER / files(settings)[-1]
    records = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert all(
        list(each) == ["account_id", "csm_email", "assigned_at", "unassigned_at"]
        for each in records
    )
    return [
        " ".join(str(value).replace("T00:00:00Z", "") for value in each.values())
        for each in records
    ]


@pytest.mark.parametrize(
    ("conditions", "matching"),
    [
        ([where("tier", "=", '" TIER 1 "'), where("health_score", "<", "50")], "listed"),
        ([where("tier", "in", '["tier 1", "tier 2"]')], "listed nobodys recorded"),
        ([where("stage", "=", '"onboarding"'), where("subscription_mrr", ">", "5000")], "listed"),
        ([where("subscription_mrr", ">=", "6000.5")], "listed"),
        ([where("subscription_mrr", "<", "0.5")], "nobodys"),
        ([where("activity_rank", "<=", "0.25")], "listed"),
        # a missing value fulfils nothing
        ([where("stage", "!=", '"growth"')], "listed"),
        ([where("stage", "not in", '["growth"]')], "listed"),
        ([where("health_score", "!=", "40")], "recorded"),
        ([where("join_date", ">=", "2023-01-01")], "listed recorded"),
        ([where("join_date", "=", "2023-01-01")], "recorded"),
        # an instant is its local day
        ([where("nps_latest_at", "=", "2024-06-09")], "listed"),
        ([where("is_churned", "=", "true")], "gone"),
        ([where("is_churned", "!=", "true"), where("tier", "=", '"tier 1"')], "listed recorded"),
        ([where("csm_count", "=", "0")], "nobodys"),
        ([where("csm_emails", "in", '["ann@x", "carl@x"]')], "listed"),
        ([where("csm_emails", "not in", '["ANN@X"]')], "nobodys recorded"),
        ([where("label:Region", "=", '"emea"')], "listed"),
        ([where("label:Region", "!=", '"emea"')], "nobodys"),
        ([where("value:Seats", ">", "12.4")], "listed"),
        ([where("event:Go-live", "<", "2024-04-01")], "recorded"),
        # a value is only data
        ([where("tier", "=", '"\'; drop table account_360 --"')], ""),
        ([where("tier", "!=", '"\'; drop table account_360 --"')], "listed nobodys recorded"),
    ],
)
def test_a_rule_matches_accounts_of_which_all_conditions_hold(
    settings: Settings, assign: Callable[..., tuple[int, str]], conditions: list[str], matching: str
) -> None:
    rule(settings, ", ".join(conditions), 'assign = ["carl@x"]')
    code, said = assign("preview", "r")
    assert code == 0
    rows = [line.split() for line in said.splitlines() if line.endswith(" -")]
    assert [row[0] for row in rows if row[-2] == "carl@x"] == matching.split()


def test_a_preview_shows_the_values_and_writes_nothing(
    settings: Settings, assign: Callable[..., tuple[int, str]]
) -> None:
    conditions = [where("tier", "=", '"Tier 1"'), where("health_score", "<=", "60")]
    rule(settings, ", ".join(conditions), 'assign = ["bob@x", "carl@x"]')
    assert assign("preview", "r") == (
        0,
        """\
r: R
  if      tier = tier 1 and health_score <= 60
  assign  bob@x, carl@x
  from    2024-06-10 on, judged as of 2024-06-10

  account   name          tier = tier 1  health_score <= 60  CSMs          assigned  unassigned
  listed    Listed Ltd    Tier 1         40                  ann@x, bob@x  carl@x    -
  recorded  Recorded Ltd   tier 1        60                  bob@x         carl@x    -

2 accounts: 2 assigned, 0 unassigned.
""",
    )
    assert list(settings.landing.iterdir()) == []


@pytest.mark.parametrize(
    ("verbs", "day", "records"),
    [
        # who is listed and stays gets a record as well
        (
            'assign = ["carl@x"]',
            "2024-06-10",
            """
            listed ann@x 2024-06-10 None
            listed bob@x 2024-06-10 None
            listed carl@x 2024-06-10 None
            recorded carl@x 2024-06-10 None
            """,
        ),
        ('assign = ["bob@x"]', "2024-06-10", ""),
        # a record ends by its own key, under the e-mail it was told
        (
            'unassign = ["bob@x"]',
            "2024-06-10",
            """
            listed ann@x 2024-06-10 None
            listed bob@x 2024-06-10 2024-06-10
            recorded bob@old 2024-02-01T08:00:00Z 2024-06-10
            recorded bob@x 2024-04-01T08:00:00Z 2024-06-10
            """,
        ),
        (
            'unassign = ["ann@x"]\nassign = ["carl@x"]',
            "2024-06-10",
            """
            listed ann@x 2024-06-10 2024-06-10
            listed bob@x 2024-06-10 None
            listed carl@x 2024-06-10 None
            """,
        ),
        (
            'unassign = "all"\nassign = ["bob@x"]',
            "2024-06-10",
            """
            listed ann@x 2024-06-10 2024-06-10
            listed bob@x 2024-06-10 None
            """,
        ),
        # what a list said of days after that day is told by records, too
        (
            'assign = ["carl@x"]',
            "2024-02-10",
            """
            listed ann@x 2024-02-10 None
            listed carl@x 2024-02-10 None
            listed eve@x 2024-02-10 2024-06-05
            listed bob@x 2024-03-01 None
            recorded carl@x 2024-02-10 None
            """,
        ),
        # before the first record of an account, up to which its list counts
        (
            'assign = ["carl@x"]',
            "2023-04-01",
            """
            listed carl@x 2023-04-01 None
            listed ann@x 2024-01-01 None
            listed eve@x 2024-02-01 2024-06-05
            listed bob@x 2024-03-01 None
            recorded bob@x 2023-04-01 2023-05-01
            recorded carl@x 2023-04-01 None
            """,
        ),
        # on the day on which it begins, at eight: of no length, not of a negative one
        (
            'unassign = ["bob@x"]',
            "2024-04-01",
            """
            listed ann@x 2024-04-01 None
            listed bob@x 2024-04-01 2024-04-01
            listed eve@x 2024-04-01 2024-06-05
            recorded bob@old 2024-02-01T08:00:00Z 2024-04-01
            recorded bob@x 2024-04-01T08:00:00Z 2024-04-01T08:00:00Z
            """,
        ),
        (
            'assign = ["carl@x"]',
            "2031-01-01",
            """
            listed ann@x 2031-01-01 None
            listed bob@x 2031-01-01 None
            listed carl@x 2031-01-01 None
            recorded carl@x 2031-01-01 None
            """,
        ),
    ],
)
def test_what_a_rule_changes_lands_once(
    settings: Settings,
    assign: Callable[..., tuple[int, str]],
    verbs: str,
    day: str,
    records: str,
) -> None:
    rule(settings, where("tier", "=", '"tier 1"'), verbs)
    expected = [line.strip() for line in records.strip().splitlines()]
    for _ in range(2):
        code, said = assign("apply", "r", "--date", day)
        assert code == 0
        assert len(files(settings)) == bool(expected)
    assert "Nothing changes: 2 accounts matched, and need no change." in said or not expected
    if expected:
        assert landed(settings) == expected
        assert files(settings)[0].startswith("2024-06-10_000001_r_")


def test_an_account_that_has_changed_hands_matches_a_shift_no_more(
    settings: Settings, assign: Callable[..., tuple[int, str]]
) -> None:
    rule(
        settings,
        where("csm_count", ">=", "0"),
        'unassign = ["ann@x"]\nassign = ["carl@x", "bob@x"]',
    )
    assert "1 account: 1 assigned, 1 unassigned. 2 accounts more" in assign("apply", "r")[1]
    assert "Nothing changes: 3 accounts matched" in assign("apply", "r")[1]


def test_midnight_is_that_of_the_reporting_time_zone(
    settings: Settings,
    assign: Callable[..., tuple[int, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ACCOUNT360_REPORTING_TIME_ZONE", "America/Los_Angeles")
    rule(settings, where("nps_latest_at", "=", "2024-06-08"), 'assign = ["ann@x", "carl@x"]')
    # winter and summer time
    assign("apply", "r", "--date", "2024-01-02")
    assert landed(settings) == [
        "listed ann@x 2024-01-02T08:00:00Z None",
        "listed carl@x 2024-01-02T08:00:00Z None",
        "listed eve@x 2024-02-01T08:00:00Z 2024-06-05T07:00:00Z",
        "listed bob@x 2024-03-01T08:00:00Z None",
    ]
    assign("add", "nobodys", "carl@x", "--date", "2024-06-15")
    assert landed(settings) == ["nobodys carl@x 2024-06-15T07:00:00Z None"]
    assert "Nothing changes" in assign("add", "nobodys", "carl@x", "--date", "2024-06-15")[1]


def test_commands_follow_each_other_without_a_night_in_between(
    settings: Settings, assign: Callable[..., tuple[int, str]]
) -> None:
    steps = [
        (("add", "recorded", " Carl@X "), ["recorded carl@x 2024-06-10 None"]),
        (("add", "recorded", "carl@x"), None),
        (("remove", "recorded", "carl@x"), ["recorded carl@x 2024-06-10 2024-06-10"]),
        (("remove", "recorded", "carl@x"), None),
        (("add", "recorded", "carl@x"), ["recorded carl@x 2024-06-10 None"]),
        # planned for a later day, then for an earlier one
        (
            ("remove", "recorded", "carl@x", "--date", "2024-07-01"),
            ["recorded carl@x 2024-06-10 2024-07-01"],
        ),
        (
            ("remove", "recorded", "carl@x", "--date", "2024-06-20"),
            ["recorded carl@x 2024-06-10 2024-06-20"],
        ),
    ]
    count = 0
    for arguments, records in steps:
        code, said = assign(*arguments)
        assert code == 0, said
        if records is None:
            assert said.startswith("Nothing changes: carl@x is ")
            assert len(files(settings)) == count
            continue
        count += 1
        assert len(files(settings)) == count
        assert landed(settings) == records
    numbers = [name.split("_")[:2] for name in files(settings)]
    assert numbers == [["2024-06-10", f"{number:06}"] for number in range(1, count + 1)]


def test_what_the_publish_holds_is_not_laid_over_it_again(
    settings: Settings, assign: Callable[..., tuple[int, str]]
) -> None:
    folder = settings.landing / FOLDER
    folder.mkdir(parents=True)
    ours = "2024-06-09_000001_add_0.jsonl"
    record = {"account_id": "nobodys", "csm_email": "carl@x"}
    record |= {"assigned_at": "2024-06-09T00:00:00Z", "unassigned_at": None}
    (folder / ours).write_text(json.dumps(record) + "\n", encoding="utf-8")
    # landed while a night was under way that did not see it any more
    assert "Nothing changes: carl@x is assigned" in assign("add", "nobodys", "carl@x")[1]
    # of the publish, which tells by now that the source has ended it
    with duckdb.connect(str(settings.current_path / "account360.duckdb")) as connection:
        connection.execute("insert into audit_loads values (?)", [f"{FOLDER}/{ours}"])
    assert assign("add", "nobodys", "carl@x")[0] == 0
    assert landed(settings) == ["nobodys carl@x 2024-06-10 None"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["preview"], "name a rule: those of"),
        (["apply", "s"], "unknown rule 's': "),
        (["add", "Listed Ltd.", "carl@x"], "did you mean listed (Listed Ltd)?"),
        (["add", "lister", "carl@x"], "unknown account 'lister': did you mean listed?"),
        (["add", "listed", "karl@x"], "unknown CSM 'karl@x': did you mean carl@x?"),
        (["remove", "listed", "bob@old"], "one whose address was replaced goes by the new one"),
        (["add", "listed", "dora@x"], "may not be assigned accounts (can_be_assigned_accounts is"),
        (["add", "listed", "eve@x"], "eve@x is not active (is_active is false)"),
        (
            ["add", "listed", "carl@x", "--date", "1999-12-31"],
            "allowed is 2000-01-01 to 2999-12-31",
        ),
        (["add", "listed", "carl@x", "--date", "3000-01-01"], "--date 3000-01-01 cannot be"),
        (
            ["remove", "listed", "bob@x", "--date", "2024-02-28"],
            "--date 2024-02-28 is too early: assigned is listed to bob@x from 2024-03-01",
        ),
        (["list", "--csm", "an@x"], "did you mean ann@x?"),
    ],
)
def test_what_cannot_be_is_refused_with_the_way_out(
    settings: Settings, assign: Callable[..., tuple[int, str]], arguments: list[str], said: str
) -> None:
    rule(settings, where("tier", "=", '"tier 1"'), 'assign = ["carl@x"]')
    code, told = assign(*arguments)
    assert code == 2
    assert said in told
    assert files(settings) == []


@pytest.mark.parametrize(
    ("condition", "verbs", "said"),
    [
        (
            where("tierr", "=", '"a"'),
            "",
            "unknown subject 'tierr': did you mean tier?",
        ),
        (where("label:Regio", "=", '"a"'), "", "did you mean label:Region? allowed is account_id"),
        (where("tier; drop", "=", '"a"'), "", "unknown subject 'tier; drop'"),
        (where("tier", "<", "5"), "", "condition 1: tier is a text and is compared with a number"),
        (where("is_churned", "=", "1"), "", "is_churned is true or false and is compared with a"),
        (where("join_date", "=", '"2024-01-01"'), "", "allowed is a date as value"),
        (where("tier", "=", '"a"'), 'unassign = ["z@x"]', "rule 1 (r): unknown CSM 'z@x': "),
        (where("tier", "=", '"a"'), 'assign = ["dora@x"]', "rule 1 (r): dora@x may not be"),
    ],
)
def test_a_rule_that_asks_for_what_is_not_published_is_refused_with_its_place(
    settings: Settings,
    assign: Callable[..., tuple[int, str]],
    condition: str,
    verbs: str,
    said: str,
) -> None:
    rule(settings, condition, verbs or 'assign = ["carl@x"]')
    code, told = assign("apply", "r")
    assert code == 2
    assert told.startswith(f"account360: {settings.home / 'rules.toml'}, rule 1 (r)")
    assert said in told


def test_one_who_left_may_be_unassigned_and_one_who_is_only_listed_be_assigned(
    settings: Settings, assign: Callable[..., tuple[int, str]]
) -> None:
    assert assign("add", "nobodys", "list@x")[0] == 0
    assert assign("remove", "listed", "eve@x", "--date", "2024-06-01")[0] == 0
    assert "listed eve@x 2024-06-01 2024-06-01" in landed(settings)


def test_lists_show_csms_and_accounts_as_published(
    settings: Settings, assign: Callable[..., tuple[int, str]]
) -> None:
    code, said = assign("list")
    assert code == 0
    expected = """\
CSMs, as of 2024-06-10
  e-mail  name  accounts  can be assigned accounts
  ann@x   Ann          2  yes
  bob@x   Bob          2  yes
  carl@x  Carl         0  yes
  dora@x  Dora         0  no: may not be assigned accounts (can_be_assigned_accounts is false)
  eve@x   Eve          0  no: is not active (is_active is false)
  list@x  -            0  yes (the source does not say)

4 accounts
  account   name          tier     stage                CSMs
  gone      Gone Ltd      Tier 1   Churned     churned  ann@x
  listed    Listed Ltd    Tier 1   Onboarding           ann@x, bob@x
  nobodys   Nobody's      Tier 2   -                    -
  recorded  Recorded Ltd   tier 1  Growth               bob@x
"""
    assert said == expected
    assert "1 account\n" in assign("list", "--unassigned")[1]
    assign("add", "nobodys", "carl@x")
    said = assign("list", "--csm", "Ann@x")[1]
    assert "2 accounts\n" in said
    assert "nobodys" not in said
    assert "Not in it yet: 1 record that `account360 assign` landed since." in said


def test_before_the_first_publish_there_is_nothing_to_assign(
    settings: Settings, assign: Callable[..., tuple[int, str]]
) -> None:
    settings.current_path.unlink()
    code, said = assign("list")
    assert code == 2
    assert f"nothing is published in {settings.home} yet" in said
    assert "`account360 run` publishes" in said


def test_a_publish_of_another_version_is_a_message(
    settings: Settings, assign: Callable[..., tuple[int, str]]
) -> None:
    with duckdb.connect(str(settings.current_path / "account360.duckdb")) as connection:
        connection.execute("drop table account_assignment_records")
    code, said = assign("list")
    assert (code, "has no table account_assignment_records" in said) == (2, True)


def test_a_landing_folder_that_is_not_there_is_named(
    settings: Settings, assign: Callable[..., tuple[int, str]]
) -> None:
    settings.landing.rmdir()
    code, said = assign("add", "nobodys", "carl@x")
    assert (code, f"landing folder {settings.landing} does not exist" in said) == (2, True)
