"""Worked examples of usage, NPS and health as landing files, and events that land 400 days late.

Everything expected here was written by hand from the definitions. As of 2024-06-10: the last full
day is the 9th, the window of 30 days begins on 2024-05-11.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

import pytest

from tests.end_to_end.nights import Home, Night, contents, records, written

AS_OF = "2024-06-10"

ACCOUNTS = """
account_id name       join_date  csm_score
Modules    Modules    2024-01-01 -
Ranks      Ranks      2024-01-01 -
Others     Others     2024-01-01 -
Opinions   Opinions   2024-01-01 -
Edges      Edges      2024-01-01 -
Healthy    Healthy    2024-01-01 54
Late       Late       2023-01-01 -
"""

# 100 s and 20 s on one day, 30 s on another; old is used one day before the window, edge on its
# first day.
MODULE_ENDS = """
account_id user_id created_at           module time_spent
Modules    a       2024-06-01T10:00:00Z inbox  60000
Modules    a       2024-06-01T11:00:00Z inbox  40000
Modules    b       2024-06-01T10:00:00Z inbox  20000
Modules    a       2024-06-02T10:00:00Z inbox  30000
Modules    c       2024-05-10T23:59:59Z inbox  999000
Modules    c       2024-05-10T23:59:59Z old    999000
Modules    c       2024-05-11T00:00:00Z edge   5000
"""

FEATURES = """
account_id user_id created_at           module feature total
Modules    a       2024-06-01T10:00:00Z inbox  reply   3
Modules    b       2024-06-01T10:00:00Z inbox  reply   -
Modules    a       2024-06-09T23:59:59Z inbox  reply   5
Modules    a       2024-06-10T00:00:00Z inbox  reply   100
"""

# Session time of the window: high 600 s, both tied 300 s, low 100 s. What low did on the 10th of
# May is one day too old; what is synced a second after midnight lies on the 10th but for that one.
SYNCS = """
account_id user_id session_id created_at           active_duration
Ranks      high    h          2024-06-01T10:00:00Z 600000
Ranks      tied    t          2024-06-02T10:00:00Z 300000
Others     tied    t          2024-05-11T10:05:00Z 300000
Others     low     l          2024-06-09T23:59:59Z 99000
Others     low     m          2024-05-11T00:00:01Z 60000
Others     low     n          2024-05-10T12:00:00Z 900000
Late       user    a          2023-02-01T10:00:00Z 60000
Late       other   b          2023-05-20T10:00:00Z 60000
Late       user    c          2024-06-01T10:00:00Z 50000
"""

# Opinions: 5, 6 and 10. Edges: the latest counts back exactly 90 days, and one user counts twice.
NPS = """
account_id submitted_at                score user_email
Opinions   2024-05-01T10:00:00Z        5     a@example.com
Opinions   2024-05-02T10:00:00Z        6     b@example.com
Opinions   2024-05-03T10:00:00Z        10    c@example.com
Opinions   2024-06-10T00:00:00Z        0     c@example.com
Edges      2024-06-09T23:59:59Z        9     a@example.com
Edges      2024-05-01T00:00:00Z        8     a@example.com
Edges      2024-03-11T23:59:59Z        7     b@example.com
Edges      2024-03-11T23:59:58.999999Z 0     c@example.com
"""

# Support 80 (weight 2), engagement 76 and 65 (3), feature 90 (3), csm 54 (2): 75.
METRICS = """
account_id metric      recorded_on value
Healthy    support     2024-06-09  80
Healthy    logins      2024-06-09  76
Healthy    breadth     2024-06-09  65
Healthy    feature_use 2024-06-09  90
"""

HEALTH = """
[[configurations]]
name = "Worked"
rank = 1
"""
COMPONENTS = {
    "Support": (2, ["custom:support"]),
    "Engagement": (3, ["custom:logins", "custom:breadth"]),
    "Feature": (3, ["custom:feature_use"]),
    "CSM": (2, ["csm_score"]),
}

LATE_DAY = date(2023, 5, 6)


@dataclass(frozen=True)
class Played:
    """The night of the worked examples, one after an event of `LATE_DAY` had landed, and one after
    that event came again, beside one with a column that no event had before."""

    first: Night
    late: Night
    again: Night


@pytest.fixture(scope="module")
def played(empty_home: Callable[[], Home], tmp_path_factory: pytest.TempPathFactory) -> Played:
    home = empty_home()
    health = tmp_path_factory.mktemp("health") / "health.toml"
    health.write_text(HEALTH + "".join(_component(name) for name in COMPONENTS), encoding="utf-8")
    home.land(
        {
            "crm/accounts.csv": records(ACCOUNTS),
            "crm/nps_responses.jsonl": records(NPS),
            "crm/account_metrics.csv": records(METRICS),
            "events/events/modules.jsonl": _events("moduleEnd", MODULE_ENDS),
            "events/events/features.csv": _events("feature", FEATURES),
            "events/events/syncs.parquet": _events("sessionSync", SYNCS),
        }
    )
    first = home.night(AS_OF, health_file=health)
    event = {
        "account_id": "Late",
        "user_id": "user",
        "session_id": "late",
        "created_at": f"{LATE_DAY}T10:00:00Z",
        "action": "sessionSync",
        "active_duration": 40000,
    }
    home.land({"events/events/late.jsonl": [event]})
    late = home.night(AS_OF, health_file=health)
    with_another_column = {**event, "action": "identifyUser", "browser": "Firefox"}
    home.land({"events/events/again.jsonl": [event, with_another_column]})
    return Played(first, late, home.night(AS_OF, health_file=health))


def _events(action: str, table: str) -> list[dict[str, object]]:
    return [{**row, "action": action} for row in records(table)]


def _component(name: str) -> str:
    weight, subjects = COMPONENTS[name]
    metrics = ", ".join(f'{{subject = "{subject}", min = 0, max = 100}}' for subject in subjects)
    return f"""
[[configurations.components]]
name = "{name}"
weight = {weight}
metrics = [{metrics}]
"""


def test_all_nights_published(played: Played) -> None:
    for night in (played.first, played.late, played.again):
        assert night.exit_code == 0, night.out + night.err


def test_time_per_user_and_day_is_a_mean_of_days(played: Played) -> None:
    assert played.first.shows(
        """
        select
            module, total_seconds as seconds, seconds_per_user_per_day_used as per_day,
            days_used as days, users, non_users, last_used_date as last_used
        from account_module_usage_30d
        where account_id = 'Modules'
        order by rank_in_account
        """
    ) == written(
        """
        module seconds per_day days users non_users last_used
        inbox  150     45.0    2    2     1         2024-06-02
        edge   5       5.0     1    1     2         2024-05-11
        """
    )


def test_features_count_one_where_no_total_is_given_and_end_with_the_last_full_day(
    played: Played,
) -> None:
    assert played.first.shows(
        """
        select
            feature, total_count as count, count_per_user_per_day_used as per_day,
            days_used as days, users
        from account_feature_usage_30d
        where account_id = 'Modules'
        """
    ) == written(
        """
        feature count per_day days users
        reply   9     3.5     2    2
        """
    )


def test_ranks_are_shares_of_the_others_below(played: Played) -> None:
    assert played.first.shows(
        """
        select
            account_id as acct, user_id as user, session_seconds_30d as seconds,
            round(activity_rank, 4) as rank, round(activity_rank_in_account, 4) as in_account
        from account_users
        where account_id in ('Ranks', 'Others')
        order by account_id, user_id
        """
    ) == written(
        """
        acct   user seconds rank  in_account
        Others low  100     25.0  0.0
        Others tied 300     50.0  100.0
        Ranks  high 600     100.0 100.0
        Ranks  tied 300     50.0  0.0
        """
    )


def test_nps_is_the_mean_of_90_days_up_to_the_latest_response(played: Played) -> None:
    assert played.first.shows(
        """
        select
            account_id as acct, nps_current as current, round(nps_net, 1) as net,
            responses as n, promoters as up, passives as mid, detractors as down,
            latest_at, is_stale as stale
        from account_nps
        order by account_id
        """
    ) == written(
        """
        acct     current net   n up mid down latest_at           stale
        Edges    8.0     33.3  3 1  2   0    2024-06-09T23:59:59 no
        Opinions 7.0     -33.3 3 1  0   2    2024-05-03T10:00:00 no
        """
    )


def test_health_is_a_mean_of_components_by_weight(played: Played) -> None:
    assert played.first.shows(
        """
        select component, weight, score, round(contribution, 4) as gives
        from account_health_components
        where account_id = 'Healthy' and day = date '2024-06-09'
        order by component
        """
    ) == written(
        """
        component  weight score gives
        CSM        2      54    10.8
        Engagement 3      71    21.3
        Feature    3      90    27
        Support    2      80    16
        """
    )
    assert played.first.shows(
        """
        select days.health_score as score, days.health_band as band, accounts.health_score as on_360
        from account_health_daily as days
        inner join account_360 as accounts using (account_id)
        where account_id = 'Healthy' and day = date '2024-06-09'
        """
    ) == written(
        """
        score band    on_360
        75    healthy 75
        """
    )


def test_events_of_400_days_ago_change_their_day_and_what_its_windows_reach(
    played: Played,
) -> None:
    before, after = contents(played.first.database), contents(played.late.database)
    changed = {name for name in after if before[name] != after[name]}
    assert changed == {
        "account_activity_daily",
        "account_activity_daily_rollup",
        "audit_conservation",
        "user_activity_daily",
    }
    came = set(after["user_activity_daily"]) - set(before["user_activity_daily"])
    assert len(came) == len(after["user_activity_daily"]) - len(before["user_activity_daily"]) == 1
    query = """
        select day, dau, wau, mau, product_users as users, session_seconds as seconds
        from account_activity_daily
        where account_id = 'Late'
        order by day
    """
    was, is_now = (night.shows(query)[1:] for night in (played.first, played.late))
    # the other user comes on 2023-05-20, inside the month of the late event and after its week
    expected = {}
    for number in range(30):
        day = LATE_DAY + timedelta(days=number)
        dau, wau = number in (0, 14), number < 7 or (number >= 14 and number < 21)
        mau = 2 if number >= 14 else 1
        seconds = {0: 40, 14: 60}.get(number, 0)
        expected[day.isoformat()] = [str(int(dau)), str(int(wau)), str(mau), str(seconds)]
    now = {row[0]: [row[1], row[2], row[3], row[5]] for row in is_now}
    assert {day: now[day] for day in expected} == expected
    assert [row for row in was if row[0] not in expected] == [
        row for row in is_now if row[0] not in expected
    ]
    assert [row[4] for row in was] == [row[4] for row in is_now]  # nobody is new


def test_an_event_that_comes_again_is_a_duplicate_though_events_have_a_new_column(
    played: Played,
) -> None:
    before, after = contents(played.late.database), contents(played.again.database)
    assert {name for name in after if before[name] != after[name]} == {"audit_conservation"}
    assert played.again.shows(
        """
        select records_read - current_rows as others, duplicates
        from audit_conservation
        where entity = 'events'
        """
    ) == written(
        """
        others duplicates
        1      1
        """
    )
