"""Evaluates suites with Great Expectations. Importing this module imports the library."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import great_expectations as gx
import pandas as pd
from great_expectations.core import ExpectationValidationResult
from great_expectations.expectations.expectation import Expectation

from expectations.examiner import Finding
from expectations.frames import SUBJECT

# A suite: for each frame, what must hold of it. `severity` critical blocks, warning does not;
# `description` is the sentence that a person reads.
Suite = Mapping[str, list[Expectation]]

_SHOWN = 5
_LONG = 120


def validate(suite: Suite, frames: Mapping[str, Mapping[str, Any]]) -> list[Finding]:
    """Evaluate each expectation of `suite` on its frame ({columns, rows}).

    Frames that were not sent are not looked at; an empty frame meets every expectation on values.
    """
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    source = context.data_sources.add_pandas("frames")
    findings = []
    for name, expectations in suite.items():
        if name not in frames or not frames[name]["rows"]:
            continue
        table = pd.DataFrame(frames[name]["rows"], columns=frames[name]["columns"])
        asset = source.add_dataframe_asset(name)
        batch = asset.add_batch_definition_whole_dataframe(name).get_batch({"dataframe": table})
        result = batch.validate(
            gx.ExpectationSuite(name=name, expectations=expectations),
            result_format={
                "result_format": "COMPLETE",
                "unexpected_index_column_names": [SUBJECT],
                "include_unexpected_rows": False,
            },
        )
        findings += [_finding(name, one) for one in result.results]
    return findings


def _finding(frame: str, result: ExpectationValidationResult) -> Finding:
    config = result.expectation_config
    assert config is not None
    raised = [info for info in _exceptions(result.exception_info) if info]
    if raised:
        raise RuntimeError(f"{config.type}: {raised[0]}")
    return Finding(
        expectation=config.type,
        says=str(config.description),
        blocking=str(getattr(config.severity, "value", config.severity)) == "critical",
        success=bool(result.success),
        observed="" if result.success else _observed(result.result, config.kwargs),
        frame=frame,
        subjects=[]
        if result.success
        else [row[SUBJECT] for row in result.result.get("unexpected_index_list") or []],
    )


def _exceptions(info: Any) -> list[str]:
    """The messages of what an expectation raised; Great Expectations nests them at times."""
    if not isinstance(info, Mapping):
        return []
    if "raised_exception" in info:
        return [str(info.get("exception_message"))] if info["raised_exception"] else []
    return [message for nested in info.values() for message in _exceptions(nested)]


def _observed(result: Mapping[str, Any], kwargs: Mapping[str, Any]) -> str:
    """What was seen: `subject: value` of the first few rows that fail, or the observed value."""
    rows = result.get("unexpected_index_list")
    if not rows:
        return str(result.get("observed_value"))
    columns = [kwargs[key] for key in ("column_B", "column_A", "column") if key in kwargs]
    shown = [
        f"{row[SUBJECT]}: {' against '.join(_short(row.get(column)) for column in columns)}"
        for row in rows[:_SHOWN]
    ]
    more = f" and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
    # sentences stand on lines of their own
    if any(len(each) > _LONG for each in shown):
        return "\n" + "\n".join(shown) + more
    return "; ".join(shown) + more


def _short(value: Any) -> str:
    if value is None or (isinstance(value, float) and value != value):
        return "nothing"
    return f"{value:g}" if isinstance(value, float) else str(value)
