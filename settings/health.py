"""The health file: configurations of components of metrics."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from settings.conditions import (
    MEASURE_KEYS,
    Condition,
    Measure,
    read_conditions,
    read_measure,
)
from settings.files import File, Table, refuse_repeated
from settings.subjects import CHILDREN_MEAN, NUMBER


@dataclass(frozen=True)
class Metric:
    """A measure scaled to 0 at `minimum` and 100 at `maximum`, which may be the smaller one."""

    measure: Measure
    minimum: Decimal
    maximum: Decimal


@dataclass(frozen=True)
class Component:
    """Metrics of equal weight, and the weight of their mean."""

    name: str
    weight: Decimal
    metrics: tuple[Metric, ...]


@dataclass(frozen=True)
class Configuration:
    """How the accounts of a segment are scored; the default has no segment."""

    name: str
    rank: int
    segment: tuple[Condition, ...]
    components: tuple[Component, ...]


def read_health(file: Path) -> tuple[Configuration, ...]:
    """The configurations of a file, best rank first, validated."""
    tables = File(file, ["configurations"]).tables(
        "configurations", "configuration", ["name", "rank", "segment", "components"]
    )
    read = [(table, _configuration(table)) for table in tables]
    refuse_repeated(((table, one.name) for table, one in read), "name")
    refuse_repeated(((table, one.rank) for table, one in read), "rank")
    defaults = [table.place for table, one in read if not one.segment]
    if len(defaults) != 1:
        raise tables[-1].error(
            f"configurations without a segment: {', '.join(defaults) or 'none'}",
            "exactly one, the default that catches the rest",
        )
    in_order = sorted(read, key=lambda pair: pair[1].rank)
    for table, one in in_order[:-1]:
        if not one.segment:
            raise table.error(
                f"rank {one.rank} of the default is before {in_order[-1][1].rank}",
                "the last rank: nothing after the default is ever reached",
            )
    return tuple(one for _, one in in_order)


def _configuration(table: Table) -> Configuration:
    name = table.text("name")
    table.called(name)
    components = table.tables("components", "component", ["name", "weight", "metrics"])
    read = [(component, _component(component)) for component in components]
    refuse_repeated(((component, one.name) for component, one in read), "name")
    return Configuration(
        name=name,
        rank=table.whole("rank", 1, 1000),
        segment=read_conditions(table, "segment") if "segment" in table.values else (),
        components=tuple(one for _, one in read),
    )


def _component(table: Table) -> Component:
    name = table.text("name")
    table.called(name)
    weight = table.number("weight", "a number over 0")
    if weight <= 0:
        raise table.refuse("weight", "a number over 0")
    metrics = table.tables("metrics", "metric", [*MEASURE_KEYS, "min", "max"])
    read = [(metric, _metric(metric)) for metric in metrics]
    refuse_repeated(((metric, one.measure.name) for metric, one in read), "metric")
    return Component(name, weight, tuple(one for _, one in read))


def _metric(table: Table) -> Metric:
    measure = read_measure(table, also=(CHILDREN_MEAN,))
    if measure.kind != NUMBER:
        raise table.error(f"{measure.subject} is {measure.kind}", "a subject that is a number")
    minimum, maximum = table.number("min"), table.number("max")
    if minimum == maximum:
        raise table.error(f"min and max are both {minimum}", "two numbers; min > max turns round")
    return Metric(measure, minimum, maximum)
