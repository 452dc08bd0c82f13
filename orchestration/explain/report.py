"""What `account360 explain` tells: the list of metrics, a definition, the figures there are, and a
figure taken apart, as text of at most 100 columns."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from itertools import groupby
from typing import Any

from orchestration.explain.answers import (
    Amount,
    CheckResult,
    Choice,
    Contribution,
    Definition,
    Explanation,
    Metric,
    Part,
    Step,
)
from orchestration.explain.arithmetic import shown, shown_key
from orchestration.report import table

_WIDTH = 100
_SHOWN_RECORDS = 10
_SHOWN_FIGURES = 30
# What each column of keys is asked for with; the others as KEY=VALUE.
_OPTIONS = {
    "account_id": "--account",
    "user_id": "--user",
    "csm_email": "--csm",
    "month": "--month",
    "day": "--day",
}
_WITHOUT_UNIT = {"flag", "class", "date", "outcome", "instant", "as recorded"}


def catalog_text(metrics: Sequence[Metric]) -> str:
    """All metrics by page, each with its label and what tells its figures apart."""
    lines = [f"{len(metrics)} metrics. account360 explain METRIC tells what one is."]
    width = max(len(metric.metric) for metric in metrics)
    for page, of_page in groupby(metrics, lambda metric: metric.page):
        lines += ["", page]
        for metric in of_page:
            rest = f"{metric.label} (by {', '.join(metric.keys)})"
            lines += _wrapped(rest, f"  {metric.metric.ljust(width)}  ")
    return "\n".join(lines)


def text(answer: Definition | Choice | Explanation) -> str:
    """Whatever a question was answered with."""
    if isinstance(answer, Definition):
        return definition_text(answer)
    return choice_text(answer) if isinstance(answer, Choice) else explanation_text(answer)


def json_text(answer: Sequence[Metric] | Definition | Choice | Explanation) -> str:
    """The same for programs: decimals and dates as text, so that no digit is lost."""
    values: Any = (
        {"answer": type(answer).__name__.lower(), **asdict(answer)}
        if is_dataclass(answer)
        else [asdict(metric) for metric in answer]
    )
    return json.dumps(values, indent=2, ensure_ascii=False, default=str)


def definition_text(definition: Definition) -> str:
    """What a metric is, and how to ask for a figure of it."""
    metric = definition.metric
    asked = " ".join(_asked(key) for key in metric.keys)
    lines = [f"{metric.label} ({metric.metric})", *_definition_lines(metric), "", "A figure of it"]
    lines += _wrapped(f"account360 explain {metric.metric} {asked}".rstrip(), "  ", "      ")
    assumed = {"month": "the latest month", "day": "the latest day", "basis": "basis=as_of"}
    if said := [text for key, text in assumed.items() if key in metric.keys]:
        lines.append(f"  Without it: {', '.join(said)}.")
    return "\n".join(lines)


def choice_text(choice: Choice) -> str:
    """The figures that the keys leave, and how to ask for one of them."""
    metric = choice.metric
    lines = [*_headline(metric, choice.keys, choice.account_name), ""]
    asked = " ".join(_asked(key) for key in choice.open_keys)
    said = f"{len(choice.figures):,} figures; one of them with {asked} is taken apart."
    lines += _wrapped(said, "")
    rows = [[*choice.open_keys, _unit(choice.unit) or "value"]]
    for figure in choice.figures[:_SHOWN_FIGURES]:
        said = [shown_key(key, figure[key]) for key in choice.open_keys]
        rows.append([*said, shown(figure[metric.metric])])
    lines += ["", *_indented(table(rows, numbers={len(choice.open_keys)}))]
    if (more := len(choice.figures) - _SHOWN_FIGURES) > 0:
        lines.append(f"  and {more:,} more; --json has all")
    return "\n".join(lines)


def explanation_text(explanation: Explanation) -> str:
    """A figure taken apart."""
    metric = explanation.metric
    parts = [
        [*_headline(metric, explanation.keys, explanation.account_name), *_assumed(explanation)],
        _value_lines(explanation),
        ["What it is", *_definition_lines(metric)],
        _made_of(explanation),
        _event_lines(explanation),
        ["What it went through", *_step_lines(explanation.steps)],
        _check_lines(explanation.checks),
        _proof_lines(metric),
        _publish_lines(explanation.publish),
    ]
    return "\n\n".join("\n".join(lines) for lines in parts if lines)


def _headline(metric: Metric, keys: Mapping[str, Any], account_name: str | None) -> list[str]:
    account = keys.get("account_id")
    who = [f"{account} {account_name}"] if account else []
    others = [
        f"{'' if key in ('month', 'day') else f'{key} '}{shown_key(key, value)}"
        for key, value in keys.items()
        if key != "account_id"
    ]
    said = ", ".join([*who, *others])
    return _wrapped(f"{metric.label} ({metric.metric}){f': {said}' if said else ''}", "", "    ")


def _assumed(explanation: Explanation) -> list[str]:
    said = [
        f"{key} {shown_key(key, explanation.keys[key])} is the latest"
        if key in ("month", "day")
        else f"{key} is {explanation.keys[key]}"
        for key in explanation.assumed
    ]
    return _wrapped(f"({', '.join(said)} where none is named)", "") if said else []


def _value_lines(explanation: Explanation) -> list[str]:
    rows = [
        [shown(amount.value), _unit(amount.unit), amount.place] for amount in explanation.amounts
    ]
    return _indented(table(rows, numbers={0}))


def _definition_lines(metric: Metric) -> list[str]:
    lines = [
        *_wrapped(metric.description, "  "),
        *_wrapped(metric.formula, "  formula   ", " " * 12),
        f"  owner     {metric.computed_in}",
    ]
    if metric.decision:
        lines += _wrapped(f'docs/decisions.md, "{metric.decision}"', "  decision  ", " " * 12)
    return lines


def _made_of(explanation: Explanation) -> list[str]:
    """The formula with its numbers, and the records."""
    lines = []
    if explanation.worked:
        lines += _wrapped(explanation.worked, "  numbers   ", " " * 12)
    if explanation.contributions:
        lines += _record_lines(explanation)
    elif "account_id" not in explanation.metric.keys:
        said = f"figures of accounts; {explanation.metric.contributions} and "
        said += "account_csm_assignments say of which"
        lines += _wrapped(said, "  made of   ", " " * 12)
    if explanation.adds_up is False:
        lines.append("  THE RECORDS DO NOT COME TO THE FIGURE: the publish contradicts itself.")
    return ["What this one is made of", *lines] if lines else []


def _record_lines(explanation: Explanation) -> list[str]:
    """Each record once, with what it adds to the value, or to numerator and denominator."""
    parts = [part for part in explanation.parts if part.records]
    records: dict[tuple[Any, ...], dict[str, Contribution]] = {}
    for one in explanation.contributions:
        place = (one.source_table, one.source_key, one.location, one.line)
        records.setdefault(place, {})[one.part] = one
    sums = [_sum_text(part, explanation.amounts) for part in parts if part.total is not None]
    count = f"{len(records):,} record{'' if len(records) == 1 else 's'}"
    lines = [f"  {', '.join([count, *sums])}"]
    header = ["amount" if part.part == "value" else part.part for part in parts]
    rows = [[*header, "record", "file and line"]]
    shown_records = list(records.items())[:_SHOWN_RECORDS]
    for (source, key, location, line), by_part in shown_records:
        amounts = [by_part[part.part].amount if part.part in by_part else None for part in parts]
        cells = ["" if amount is None else shown(amount) for amount in amounts]
        rows.append([*cells, f"{source} {key}", f"{location}:{line}" if location else ""])
    numbers = set(range(len(parts)))
    beside = max(map(len, table(rows, numbers))) <= _WIDTH - 4
    first, *others = table([row if beside else row[:-1] for row in rows], numbers)
    lines.append(f"    {first if beside else f'{first}, file and line'}")
    indent = " " * (4 + sum(max(len(row[index]) for row in rows) + 2 for index in numbers))
    for text, row, (_, by_part) in zip(others, rows[1:], shown_records, strict=True):
        lines.append(f"    {text}")
        if row[-1] and not beside:
            lines.append(f"{indent}{row[-1]}")
        lines += _detail_lines(next(iter(by_part.values())).details, indent)
    if (more := len(records) - _SHOWN_RECORDS) > 0:
        lines.append(f"    and {more:,} more; --json has all")
    return lines


def _sum_text(part: Part, amounts: Sequence[Amount]) -> str:
    said = f"{'together' if part.part == 'value' else part.part} {shown(part.total)}"
    if len(amounts) > 1 and part.total_reporting is not None:
        said += f" ({shown(part.total_reporting)} {amounts[1].unit})"
    return said


def _detail_lines(details: Mapping[str, Any], indent: str) -> list[str]:
    # a name stays on one line with its value
    pairs = (f"{name} {shown(value)}".replace(" ", "\0") for name, value in details.items())
    return [line.replace("\0", " ") for line in _wrapped(", ".join(pairs), indent)]


def _event_lines(explanation: Explanation) -> list[str]:
    events, remark = explanation.events, explanation.events_remark
    if not events and not remark:
        return []
    lines = [f"The events of those days: {len(events):,}"]
    if events:
        is_counted = all(one.amount == 1 for one in events)
        header = "active seconds" if is_counted else "amount"
        rows = [["instant (UTC)", "user", "action", header, "file and line"]]
        for one in events[:_SHOWN_RECORDS]:
            at = f"{one.created_at:%Y-%m-%d %H:%M:%S}"
            amount = one.active_seconds if is_counted else one.amount
            said = "" if amount is None else shown(amount)
            rows.append([at, one.user_id, one.action, said, f"{one.location}:{one.line}"])
        lines += _indented(table(rows, numbers={3}))
        if (more := len(events) - _SHOWN_RECORDS) > 0:
            lines.append(f"  and {more:,} more; --json has all")
    if remark:
        lines += _wrapped(remark, "  ")
    return lines


def _step_lines(steps: Sequence[Step]) -> list[str]:
    """Tables with the columns of them that the value is made of. Staging passes columns on as they
    landed, typed and judged: it is named in one line, as are tables that only choose records."""
    staging = [step for step in steps if step.table.startswith(("stg_", "base_"))]
    told = [step for step in steps if step.columns and step not in staging]
    width = max(len(step.table) for step in told)
    lines = []
    for step in told:
        lines += _wrapped(", ".join(step.columns), f"  {step.table.ljust(width)}  ")
    for what, tables in (
        ("typed and judged in", [step.table for step in staging if step.columns]),
        ("records chosen by", [step.table for step in steps if not step.columns]),
    ):
        if tables:
            lines += _wrapped(", ".join(tables), f"  {what}: ", "      ")
    return lines


def _check_lines(checks: Sequence[CheckResult]) -> list[str]:
    """dbt's tests by name first, then what Great Expectations saw, keys together at the end."""
    passed = [check for check in checks if check.has_passed]
    named: dict[str, list[str]] = {}
    keys = []
    for check in passed:
        if check.check.startswith("unique_grain_"):
            keys.append(check.table)
        else:
            named.setdefault(check.check, []).append(check.table)
    lines = [f"Checks that passed before the publish: {len(passed)}"]
    for name in sorted(named, key=lambda name: (not name.startswith("assert_"), name)):
        lines += _wrapped(f"{name} on {', '.join(named[name])}", "  ", "      ")
    if keys:
        lines += _wrapped(f"one row per key of {', '.join(keys)}", "  ", "      ")
    if failed := [f"{check.check} on {check.table}" for check in checks if not check.has_passed]:
        lines += _wrapped(
            f"not passed, but no reason to hold back: {'; '.join(failed)}", "  ", "      "
        )
    return lines


def _proof_lines(metric: Metric) -> list[str]:
    if not metric.unit_tests:
        return []
    return [
        "Rules that unit tests of the code prove (make test)",
        *(line for test in metric.unit_tests for line in _wrapped(test, "  ")),
    ]


def _publish_lines(publish: Mapping[str, Any]) -> list[str]:
    rows = [[name.replace("_", " "), shown(value)] for name, value in publish.items()]
    return ["Published", *_indented(table(rows, numbers=set()))]


def _asked(key: str) -> str:
    option = _OPTIONS.get(key)
    return f"{option} …" if option else f"--key {key}=…"


def _unit(unit: str) -> str:
    return "" if unit in _WITHOUT_UNIT else unit.replace("_", " ")


def _wrapped(text: str, first: str, rest: str | None = None) -> list[str]:
    """Lines of a text, the first after `first`, the others as far in unless `rest` says it."""
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=first,
        subsequent_indent=" " * len(first) if rest is None else rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _indented(lines: Iterable[str]) -> list[str]:
    return [f"  {line}" for line in lines]
