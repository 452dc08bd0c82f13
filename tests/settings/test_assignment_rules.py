"""The file of assignment rules: what is allowed, and what is said of what is not."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from settings import SettingsError, load_settings
from settings.assignment_rules import FLAG, read_assignment_rules
from settings.subjects import DATE, NUMBER, TEXT

RULE = """\
[[rules]]
name = "at_risk"
title = "At risk"
conditions = [
    { subject = "tier", operator = "in", value = ["Tier 1", " tier 0 "] },
    { subject = "health_score", operator = "<", value = 50 },
    { subject = "event:Go-live", operator = ">=", value = 2024-01-31 },
    { subject = "is_churned", operator = "=", value = false },
]
assign = [" Ann@X.example", "ann@x.example", "bob@x.example"]
unassign = ["carl@x.example"]
"""


def rules_file(folder: Path, text: str) -> Path:
    file = folder / "assignment_rules.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_rule_is_read_as_it_is_meant(tmp_path: Path) -> None:
    (rule,) = read_assignment_rules(rules_file(tmp_path, RULE))
    assert [(one.subject, one.operator, one.value, one.kind) for one in rule.conditions] == [
        ("tier", "in", ("tier 1", "tier 0"), TEXT),
        ("health_score", "<", Decimal(50), NUMBER),
        ("event:Go-live", ">=", date(2024, 1, 31), DATE),
        ("is_churned", "=", False, FLAG),
    ]
    assert rule.conditions[3].text == "is_churned = false"
    assert rule.assign == ("ann@x.example", "bob@x.example")
    assert (rule.unassign, rule.unassigns_all) == (("carl@x.example",), False)


def test_a_rule_may_unassign_everybody(tmp_path: Path) -> None:
    text = RULE.replace('unassign = ["carl@x.example"]', 'unassign = "all"')
    (rule,) = read_assignment_rules(rules_file(tmp_path, text))
    assert (rule.unassign, rule.unassigns_all) == ((), True)


def test_the_shipped_rules_show_every_verb_and_another_file_replaces_them(tmp_path: Path) -> None:
    shipped = load_settings(environ={}).assignment_rules
    verbs = {(bool(rule.assign), bool(rule.unassign or rule.unassigns_all)) for rule in shipped}
    assert verbs == {(True, False), (False, True), (True, True)}
    file = rules_file(tmp_path, RULE)
    rules = load_settings(environ={}, assignment_rules_file=file).assignment_rules
    assert [rule.name for rule in rules] == ["at_risk"]


def test_a_wrong_file_stops_no_night(tmp_path: Path) -> None:
    file = rules_file(tmp_path, "rule = 1")
    settings = load_settings(environ={}, assignment_rules_file=file)
    with pytest.raises(SettingsError, match="did you mean rules"):
        _ = settings.assignment_rules


@pytest.mark.parametrize("text", ["", "rules = []"])
def test_a_file_without_rules_is_allowed(tmp_path: Path, text: str) -> None:
    assert read_assignment_rules(rules_file(tmp_path, text)) == ()


@pytest.mark.parametrize(
    ("given", "instead", "said"),
    [
        ('"at_risk"', '"At risk"', "rule 1: name is 'At risk': allowed is lower-case letters"),
        ('"At risk"', '""', "rule 1 (at_risk): title is '': allowed is a text"),
        ("unassign", "unassing", "rule 1: unknown key 'unassing': did you mean unassign?"),
        ("[[rules]]", "[rules]", "top level: rules is {"),
        (RULE, RULE * 2, "rule 2 (at_risk): name 'at_risk' is that of rule 1 (at_risk)"),
        ('["carl@x.example"]', '"carl@x.example"', 'e-mail address, or "all"'),
        ('"carl@x.example"', '"carl"', "rule 1 (at_risk): unassign is ['carl']: allowed is a list"),
        ('["carl@x.example"]', "[]", "unassign is []: allowed is a list of at least one e-mail"),
        ('"bob@x.example"', "1", "allowed is a list of at least one e-mail address"),
        ('"carl@', '"BOB@', "bob@x.example is in assign and in unassign: allowed is each CSM in"),
        (RULE[RULE.index("assign =") :], "", "neither assign nor unassign is given: allowed is"),
        (
            '"tier"',
            '""',
            "condition 1: subject is '': allowed is a column of account_360, label:<key>",
        ),
        ('"<"', '"=<"', "condition 2: operator is '=<': did you mean =?"),
        ("value = 50 ", 'value = "50" ', "condition 2: operator is '<': allowed is for a text"),
        ("value = 50 ", "value = 0.1234567 ", "condition 2: value is 0.1234567: allowed is a"),
        (", value = 50 ", " ", "condition 2: value is missing: allowed is a number, a text, a"),
        ('["Tier 1", " tier 0 "]', '"Tier 1"', "condition 1: value is 'Tier 1': allowed is a list"),
        ('["Tier 1", " tier 0 "]', "[1]", "condition 1: value is [1]: allowed is a list of texts"),
        ("2024-01-31", "2024-01-31T10:00:00Z", "condition 3: value is 2024-01-31 10:00:00+00:00"),
        ('"=", value = false', '">", value = false', "operator is '>': allowed is for true or"),
        ("operator", "operater", "condition 1: unknown key 'operater': did you mean operator?"),
    ],
)
def test_what_is_wrong_is_named_with_its_place_and_what_is_allowed(
    tmp_path: Path, given: str, instead: str, said: str
) -> None:
    assert given in RULE
    file = rules_file(tmp_path, RULE.replace(given, instead, 1))
    with pytest.raises(SettingsError) as error:
        read_assignment_rules(file)
    assert str(error.value).startswith(f"{file}, ")
    assert said in str(error.value)
