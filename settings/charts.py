"""The charts file: charts of metrics by day, each drawn for every account."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from settings.errors import SettingsError
from settings.files import File, Table, near, refuse_repeated
from settings.subjects import CUSTOM, FIGURES, HEALTH_SCORE

# Metrics that the project computes by day; the source's own are `custom:<metric>`.
DAILY_METRICS = tuple(sorted((*FIGURES, HEALTH_SCORE)))
AGGREGATIONS = ("latest", "mean", "sum_of_last_day", "total")
PERIODS = ("day", "week", "month")
KINDS = ("line", "bar", "area", "number")


@dataclass(frozen=True)
class Series:
    """A metric of a chart; without an aggregation it has the metric's own."""

    metric: str
    aggregation: str | None = None


@dataclass(frozen=True)
class Chart:
    """How metrics are drawn: a point per series and period."""

    name: str
    title: str
    kind: str
    period: str
    series: tuple[Series, ...]


def read_charts(file: Path) -> tuple[Chart, ...]:
    """The charts of a file in their order, validated. A file without a chart is allowed."""
    whole = File(file, ["charts"])
    if whole.values.get("charts") == []:
        return ()
    tables = whole.tables("charts", "chart", ["name", "title", "kind", "period", "series"])
    read = [(table, _chart(table)) for table in tables]
    refuse_repeated(((table, chart.name) for table, chart in read), "name")
    return tuple(chart for _, chart in read)


def _chart(table: Table) -> Chart:
    name = table.text("name")
    table.called(name)
    series = table.tables("series", "metric", ["metric", "aggregation"])
    read = [(one, _series(one)) for one in series]
    refuse_repeated(((one, series.metric) for one, series in read), "metric")
    return Chart(
        name=name,
        title=table.text("title"),
        kind=_one_of(table, "kind", KINDS),
        period=_one_of(table, "period", PERIODS),
        series=tuple(series for _, series in read),
    )


def _series(table: Table) -> Series:
    metric = table.text("metric", "the name of a metric")
    if metric not in DAILY_METRICS and not (metric.startswith(CUSTOM) and metric != CUSTOM):
        raise _unknown(table, "metric", metric, (*DAILY_METRICS, f"{CUSTOM}<metric>"))
    if "aggregation" not in table.values:
        return Series(metric)
    return Series(metric, _one_of(table, "aggregation", AGGREGATIONS))


def _one_of(table: Table, key: str, choices: Sequence[str]) -> str:
    value = table.text(key, ", ".join(choices))
    if value not in choices:
        raise _unknown(table, key, value, choices)
    return value


def _unknown(table: Table, key: str, value: str, known: Sequence[str]) -> SettingsError:
    return table.error(f"unknown {key} {value!r}", ", ".join(known), near(value, known))
