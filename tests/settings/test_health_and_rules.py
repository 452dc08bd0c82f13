"""The files of health and alert rules: an error says file, place and what is allowed."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from settings import PROJECT_ROOT, SettingsError, load_settings, run_tables
from settings.alert_rules import read_alert_rules
from settings.conditions import Condition, Measure
from settings.health import read_health

HEALTH = """
[[configurations]]
name = "Large"
rank = 1
segment = [{ subject = "Tier", operator = "in", value = ["Tier 1", " tier 0 "] }]

[[configurations.components]]
name = "Use"
weight = 2.5
metrics = [{ subject = "session_seconds", per = "dau", sum_over_days = 30, min = 0, max = 3600 }]

[[configurations]]
name = "Rest"
rank = 2

[[configurations.components]]
name = "Use"
weight = 1
metrics = [
    { subject = "dau", min = 0, max = 10 },
    { subject = "children_mean", min = 0, max = 100 },
]
""".replace('"Tier"', '"tier"')

RULES = """
[[rules]]
name = "mrr_drop"
title = "MRR fell"
type = "churn"
assignee = "Lead@Example.com"
conditions = [{ subject = "ending_mrr", change_pct_over_days = 30, operator = "<", value = -20 }]
retrigger_days = 30
active_from = 2024-04-01
"""


def written(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def changed(text: str, old: str, new: str) -> str:
    assert text.count(old) >= 1, f"{old} is not in the file"
    return text.replace(old, new, 1)


def test_a_health_file_is_read_as_it_is_meant(tmp_path: Path) -> None:
    large, rest = read_health(written(tmp_path, "health.toml", HEALTH))
    tier = Measure("tier", "a text", is_attribute=True)
    assert large.segment == (Condition(tier, "in", texts=("tier 1", "tier 0")),)
    (use,) = large.components
    assert use.weight == Decimal("2.5")
    assert use.metrics[0].measure.name == "session_seconds per dau over 30 days"
    assert use.metrics[0].measure.reach_days == 29
    assert rest.segment == ()
    assert [metric.measure.name for metric in rest.components[0].metrics] == [
        "dau",
        "children_mean",
    ]


def test_a_rules_file_is_read_as_it_is_meant(tmp_path: Path) -> None:
    (rule,) = read_alert_rules(written(tmp_path, "rules.toml", RULES))
    (condition,) = rule.conditions
    assert (condition.operator, condition.number) == ("<", Decimal(-20))
    assert condition.measure.name == "change of ending_mrr over 30 days in %"
    assert condition.measure.reach_days == 30
    assert (rule.assignee, rule.active_from) == ("lead@example.com", date(2024, 4, 1))


def test_a_file_may_have_no_rules(tmp_path: Path) -> None:
    assert read_alert_rules(written(tmp_path, "rules.toml", "rules = []")) == ()
    assert read_alert_rules(written(tmp_path, "rules.toml", "")) == ()


def test_equal_texts_are_a_list_of_one(tmp_path: Path) -> None:
    text = changed(
        HEALTH, 'operator = "in", value = ["Tier 1", " tier 0 "]', 'operator = "!=", value = "A"'
    )
    large, _ = read_health(written(tmp_path, "health.toml", text))
    assert (large.segment[0].operator, large.segment[0].texts) == ("not in", ("a",))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            '\n[[configurations]]\nname = "Large"',
            'configuration = 1\n[[configurations]]\nname = "Large"',
            "top level: unknown key 'configuration': did you mean configurations? allowed is conf",
        ),
        (
            "weight = 2.5",
            "weight = 0",
            "configuration 1 (Large), component 1 (Use): weight is 0: allowed is a number over 0",
        ),
        ("weight = 2.5", 'weight = "2"', "weight is '2': allowed is a number over 0"),
        ("weight = 2.5", "", "configuration 1 (Large), component 1 (Use): weight is missing"),
        ("weight = 2.5", "weight = nan", "allowed is a number over 0"),
        ("weight = 2.5", "weight = 0.1234567", "allowed is a number over 0"),
        (
            '"dau", min = 0, max = 10',
            '"dau", min = 10, max = 10',
            "configuration 2 (Rest), component 1 (Use), metric 1: min and max are both 10",
        ),
        (
            '"dau", min = 0, max = 10',
            '"dua", min = 0, max = 10',
            "unknown subject 'dua': did you mean dau? allowed is account_name,",
        ),
        (
            '"dau", min = 0, max = 10',
            '"health_score", min = 0, max = 10',
            "unknown subject 'health_score'",
        ),
        (
            '"dau", min = 0, max = 10',
            '"tier", min = 0, max = 10',
            "tier is a text: allowed is a subject that is a number",
        ),
        (
            '"dau", min = 0, max = 10',
            '"module:App", min = 0, max = 10',
            "unknown subject 'module:App'",
        ),
        (
            '"dau", min = 0, max = 10',
            '"employees", mean_over_days = 3, min = 0, max = 10',
            "employees has mean_over_days: allowed is employees as it is on the day",
        ),
        (
            '"dau", min = 0, max = 10',
            '"dau", mean_over_days = 3, sum_over_days = 3, min = 0, max = 10',
            "both mean_over_days and sum_over_days are given",
        ),
        (
            '"dau", min = 0, max = 10',
            '"dau", mean_over_days = 367, min = 0, max = 10',
            "mean_over_days is 367: allowed is a whole number from 1 to 366",
        ),
        (
            '"dau", min = 0, max = 10',
            '"dau", mean_over_day = 3, min = 0, max = 10',
            "unknown key 'mean_over_day': did you mean mean_over_days?",
        ),
        (
            'per = "dau", sum_over_days',
            'per = "dau", mean_over_days',
            "per is given without sum_over_days",
        ),
        ('per = "dau"', 'per = "tier"', "per is 'tier': allowed is a figure"),
        (
            'per = "dau"',
            'per = "dao"',
            "unknown per 'dao': did you mean dau?",
        ),
        (
            '"children_mean", min',
            '"dau", min',
            "metric 2: metric 'dau' is that of configuration 2 (Rest), component 1 (Use), metric 1",
        ),
        (
            "rank = 2",
            "rank = 1",
            "configuration 2 (Rest): rank 1 is that of configuration 1 (Large)",
        ),
        ("rank = 1", "rank = 3", "configuration 2 (Rest): rank 2 of the default is before 3"),
        ("rank = 1", "rank = true", "rank is True: allowed is a whole number from 1 to 1000"),
        ('name = "Rest"', 'name = "Large"', "name 'Large' is that of configuration 1 (Large)"),
        (
            'name = "Rest"',
            'name = "Rest"\nsegment = [{ subject = "dau", operator = "<", value = 3 }]',
            "configurations without a segment: none: allowed is exactly one",
        ),
        (
            "rank = 2",
            "rank = 2\nsegment = []",
            "configuration 2 (Rest): segment is []: allowed is a list of at least one condition",
        ),
        (
            'operator = "in"',
            'operator = "notin"',
            "operator is 'notin': did you mean not in? allowed is for a text = != in not in",
        ),
        ('["Tier 1", " tier 0 "]', '"Tier 1"', "value is 'Tier 1': allowed is a list of texts"),
        ('["Tier 1", " tier 0 "]', "[1]", "value is [1]: allowed is a list of texts"),
        (
            '"tier", operator = "in", value = ["Tier 1", " tier 0 "]',
            '"dau", operator = "in", value = [1]',
            "operator is 'in': allowed is for a number < <= = != >= >",
        ),
        (
            '"tier", operator = "in", value = ["Tier 1", " tier 0 "]',
            '"dau", operator = "<", value = "3"',
            "value is '3': allowed is a number with up to six decimals",
        ),
        (
            '"tier", operator = "in", value = ["Tier 1", " tier 0 "]',
            '"join_date", operator = "<", value = "2024-01-01"',
            "value is '2024-01-01': allowed is a date such as 2024-01-31, without quotes",
        ),
        ("metrics = [{ subject", "metrics = []\nold = [{ subject", "unknown key 'old'"),
        ("rank = 1", "rank = ", "not valid TOML"),
    ],
)
def test_a_health_file_that_is_wrong_is_refused(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    file = written(tmp_path, "health.toml", changed(HEALTH, old, new))
    with pytest.raises(SettingsError, match=re.escape(said)) as refusal:
        read_health(file)
    assert str(refusal.value).startswith(str(file))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            '"mrr_drop"',
            '"MRR drop"',
            "rule 1: name is 'MRR drop': allowed is lower-case letters, digits and _",
        ),
        (
            '"Lead@Example.com"',
            '"the lead"',
            "rule 1 (mrr_drop): assignee is 'the lead': allowed is csm or an e-mail address",
        ),
        (
            "retrigger_days = 30",
            "retrigger_days = 0",
            "retrigger_days is 0: allowed is a whole number from 1 to 3660",
        ),
        (
            "active_from = 2024-04-01",
            'active_from = "2024-04-01"',
            "active_from is '2024-04-01': allowed is a date such as 2024-01-31, without quotes",
        ),
        (
            "active_from = 2024-04-01",
            "active_from = 2024-04-01T00:00:00",
            "active_from is 2024-04-01 00:00:00: allowed is a date",
        ),
        ('title = "MRR fell"', 'title = " "', "title is ' ': allowed is a text"),
        ('"ending_mrr"', '"children_mean"', "unknown subject 'children_mean'"),
        ("value = -20", "value = 1000000000000", "value is 1000000000000: allowed is a number"),
        ('operator = "<", ', "", "rule 1 (mrr_drop), condition 1: operator is missing"),
    ],
)
def test_a_rules_file_that_is_wrong_is_refused(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    file = written(tmp_path, "rules.toml", changed(RULES, old, new))
    with pytest.raises(SettingsError, match=re.escape(said)) as refusal:
        read_alert_rules(file)
    assert str(refusal.value).startswith(str(file))


def test_two_rules_of_one_name_are_refused(tmp_path: Path) -> None:
    file = written(tmp_path, "rules.toml", RULES + RULES)
    with pytest.raises(SettingsError, match=re.escape("name 'mrr_drop' is that of rule 1")):
        read_alert_rules(file)


def test_a_wrong_file_is_refused_with_the_settings(tmp_path: Path) -> None:
    settings = written(tmp_path, "settings.toml", 'health_file = "none.toml"')
    said = f"{tmp_path / 'none.toml'} cannot be read: No such file or directory"
    with pytest.raises(SettingsError, match=re.escape(said)):
        load_settings(file=settings, environ={})


def test_the_history_reaches_back_as_far_as_files_look(tmp_path: Path) -> None:
    settings = load_settings(
        environ={},
        metric_history_days=10,
        health_file=written(tmp_path, "health.toml", HEALTH),
        alert_rules_file=written(tmp_path, "rules.toml", RULES),
    )
    as_of = {day: run_tables(settings, day)[0] for day in (date(2024, 3, 1), date(2024, 6, 1))}
    first_days = {
        day: table.rows[0][1:3]
        for day, table in as_of.items()
        if list(table.columns)[1:3] == ["health_first_day", "figures_first_day"]
    }
    assert first_days == {
        # ten days of history, and 29 days before them for the window of 30 days
        date(2024, 3, 1): (date(2024, 2, 20), date(2024, 1, 22)),
        # the rule looks at 1 April with the value of 30 days before
        date(2024, 6, 1): (date(2024, 3, 2), date(2024, 2, 2)),
    }


def test_the_files_of_the_demo_company_are_valid() -> None:
    assert len(read_health(PROJECT_ROOT / "settings" / "health.toml")) == 2
    assert len(read_alert_rules(PROJECT_ROOT / "settings" / "alert_rules.toml")) == 5
