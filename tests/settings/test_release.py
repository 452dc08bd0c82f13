"""The release file: what is allowed, and what is said of what is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from settings import SettingsError, load_settings
from settings.release import DriftCheck, Limits, read_release

CHECKS = """\
usual_gap_days = 7

[[drift]]
table = "account_360"
measure = "rows"
warn = { fall_pct = 5, rise_pct = 50 }
block = { fall_pct = 20.5 }

[[drift]]
table = "account_360"
measure = "quantiles"
column = "health_score"
quantiles = [0.1, 0.9]
from_rows = 0
warn = { shift = 15 }
"""


def release_file(folder: Path, text: str) -> Path:
    file = folder / "release.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_check_has_limits_that_warn_and_limits_that_block(tmp_path: Path) -> None:
    release = read_release(release_file(tmp_path, CHECKS))
    assert release.usual_gap_days == 7
    rows, quantiles = release.drift
    assert rows == DriftCheck(
        table="account_360",
        measure="rows",
        column=None,
        by=None,
        quantiles=(),
        from_rows=100,
        unit="%",
        warn=Limits(-5, 50),
        block=Limits(-20.5, None),
    )
    assert rows.name == "drift.account_360.rows"
    assert quantiles.name == "drift.account_360.health_score.quantiles"
    assert (quantiles.quantiles, quantiles.from_rows, quantiles.unit) == ((0.1, 0.9), 0, "")
    assert (quantiles.warn, quantiles.block) == (Limits(-15, 15), None)


def test_the_shipped_checks_are_valid_and_another_file_replaces_them(tmp_path: Path) -> None:
    shipped = load_settings(environ={}).release.drift
    # a source of every domain that loses half of its records is stopped
    blocked = {check.table for check in shipped if check.measure == "rows" and check.block}
    assert blocked >= {
        *("account_360", "account_users", "account_subscriptions", "account_invoices"),
        *("user_activity_daily", "account_timeline", "account_nps_responses", "account_tickets"),
    }
    assert all(
        check.block.lowest is None or check.block.lowest > -50
        for check in shipped
        if check.measure == "rows" and check.block
    )
    file = release_file(tmp_path, CHECKS)
    assert len(load_settings(environ={}, release_file=file).release.drift) == 2


def test_no_figure_hangs_on_the_release_file(tmp_path: Path) -> None:
    file = release_file(tmp_path, CHECKS)
    other = load_settings(environ={}, release_file=file)
    assert other.as_row() == load_settings(environ={}).as_row()


def test_a_file_without_checks_is_allowed(tmp_path: Path) -> None:
    assert read_release(release_file(tmp_path, "usual_gap_days = 7\ndrift = []")).drift == ()


@pytest.mark.parametrize(
    ("given", "instead", "said"),
    [
        ("usual_gap_days = 7", "", "top level: usual_gap_days is missing: allowed is a whole"),
        ("usual_gap_days = 7", "usual_gap_days = 0", "is 0: allowed is a whole number from 1"),
        ('"rows"', '"row"', "drift 1 (account_360): unknown measure 'row': did you mean rows?"),
        ('measure = "rows"', 'mesure = "rows"', "drift 1: unknown key 'mesure': did you mean"),
        ("fall_pct = 5", "fall_pct = -5", "drift 1 (account_360), warn: fall_pct is -5: allowed"),
        ("fall_pct = 5", 'fall_pct = "5"', "fall_pct is '5': allowed is a number of at least 0"),
        ("fall_pct = 5", "moved_pct = 5", "unknown key 'moved_pct': allowed is fall_pct, rise_pct"),
        ("{ fall_pct = 20.5 }", "{}", "block: no limit is there: allowed is fall_pct or rise_pct"),
        ("warn = { shift = 15 }", "", "drift 2 (account_360): neither warn nor block is there"),
        (
            "warn = { shift = 15 }",
            "warn = { shift = 15, shift_pct = 5 }",
            "shift and shift_pct is there: allowed is shift or shift_pct",
        ),
        (
            "warn = { shift = 15 }",
            "warn = { shift = 15 }\nblock = { shift_pct = 30 }",
            "warn has shift, block shift_pct: allowed is shift or shift_pct in both",
        ),
        ("[0.1, 0.9]", "[0.1, 1]", "1 is among quantiles: allowed is a list of numbers between"),
        ('column = "health_score"', "", "drift 2 (account_360): column is missing"),
        ('"rows"', '"rows"\ncolumn = "mau"', "rows have a column: allowed is column of every"),
        ('"rows"', '"rows"\nby = "currency"', "by stands beside rows: allowed is by of total only"),
        (
            'measure = "quantiles"\ncolumn = "health_score"\nquantiles = [0.1, 0.9]\n'
            "from_rows = 0\nwarn = { shift = 15 }",
            'measure = "rows"\nwarn = { fall_pct = 1 }',
            "drift 2 (account_360): drift.account_360.rows is that of drift 1 (account_360)",
        ),
        (
            'measure = "quantiles"\ncolumn = "health_score"\nquantiles = [0.1, 0.9]\n'
            "from_rows = 0\nwarn = { shift = 15 }",
            'measure = "shares"\ncolumn = "tier"\nwarn = { moved_pct = 101 }',
            "moved_pct is 101: allowed is a number from 0 to 100",
        ),
    ],
)
def test_what_is_not_allowed_is_refused_by_file_place_value_and_what_is(
    tmp_path: Path, given: str, instead: str, said: str
) -> None:
    assert given in CHECKS
    file = release_file(tmp_path, CHECKS.replace(given, instead, 1))
    with pytest.raises(SettingsError) as error:
        read_release(file)
    assert str(error.value).startswith(str(file))
    assert said in str(error.value)


def test_a_file_that_is_absent_or_no_toml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        load_settings(environ={}, release_file=tmp_path / "absent.toml")
    with pytest.raises(SettingsError, match="not valid TOML"):
        read_release(release_file(tmp_path, "drift = ["))
