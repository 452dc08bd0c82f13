"""The charts file: what is allowed, and what is said of what is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from settings import SettingsError, load_settings
from settings.charts import Chart, Series, read_charts

CHART = """\
[[charts]]
name = "users"
title = "Active users"
kind = "line"
period = "week"
series = [{ metric = "dau", aggregation = "mean" }, { metric = "custom:Seats" }]
"""


def charts_file(folder: Path, text: str) -> Path:
    file = folder / "charts.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_chart_has_series_with_or_without_an_aggregation_of_their_own(tmp_path: Path) -> None:
    assert read_charts(charts_file(tmp_path, CHART)) == (
        Chart(
            name="users",
            title="Active users",
            kind="line",
            period="week",
            series=(Series("dau", "mean"), Series("custom:Seats")),
        ),
    )


def test_the_shipped_charts_are_valid_and_another_file_replaces_them(tmp_path: Path) -> None:
    shipped = load_settings(environ={}).charts
    assert len(shipped) >= 6
    assert {series.metric for chart in shipped for series in chart.series} >= {
        "ending_mrr",
        "health_score",
    }
    file = charts_file(tmp_path, CHART)
    assert [chart.name for chart in load_settings(environ={}, charts_file=file).charts] == ["users"]


def test_a_file_without_charts_is_allowed(tmp_path: Path) -> None:
    assert read_charts(charts_file(tmp_path, "charts = []")) == ()


@pytest.mark.parametrize(
    ("given", "instead", "said"),
    [
        ('"dau"', '"dua"', "chart 1 (users), metric 1: unknown metric 'dua': did you mean"),
        (
            '"dau"',
            '"dua"',
            "did you mean dau? allowed is csm_score, dau, dau_share_pct, days_active_30d",
        ),
        ('"dau"', '"custom:"', "unknown metric 'custom:': did you mean custom:<"),
        ('"dau"', '"module:app/reports"', "unknown metric 'module:app/reports'"),
        ('"dau"', '"custom:Seats"', "metric 2: metric 'custom:Seats' is that of chart 1 (users)"),
        ('"mean"', '"median"', "unknown aggregation 'median': did you mean mean?"),
        ('"line"', '"lines"', "unknown kind 'lines': did you mean line? allowed is line, bar"),
        ('"week"', '"weekly"', "unknown period 'weekly': did you mean week? allowed is day,"),
        ('period = "week"', "", "chart 1 (users): period is missing: allowed is day, week, month"),
        ('"Active users"', '" "', "chart 1 (users): title is ' ': allowed is a text"),
        ("title", "titel", "chart 1: unknown key 'titel': did you mean title?"),
        ("aggregation", "aggregate", "metric 1: unknown key 'aggregate': did you mean"),
        ("[[charts]]", "[charts]", "top level: charts is {"),
        (CHART, CHART * 2, "chart 2 (users): name 'users' is that of chart 1 (users)"),
        (CHART, "", "top level: charts is missing: allowed is a list of at least one chart"),
    ],
)
def test_what_is_wrong_is_named_with_its_place_and_the_nearest_right_name(
    tmp_path: Path, given: str, instead: str, said: str
) -> None:
    file = charts_file(tmp_path, CHART.replace(given, instead, 1))
    with pytest.raises(SettingsError) as error:
        read_charts(file)
    assert str(error.value).startswith(f"{file}, ")
    assert said in str(error.value)
