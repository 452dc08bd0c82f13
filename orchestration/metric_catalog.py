"""The catalogue of metrics as rows of `run.metric_catalog`, which dbt publishes.

The entries stand in `dbt_project/models/metrics/`; their prose and the raw tables below their
owners come from dbt's manifest. The custom metrics of the source are known from its records only:
dbt adds them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from orchestration.manifest import Manifest
from settings import DBT_PROJECT, RunTable
from settings.charts import DAILY_METRICS

METRIC_FILES = DBT_PROJECT / "models" / "metrics"
METRIC_CATALOG = {"metric_catalog": "One row per metric that the project computes."}

CATALOG_COLUMNS = {
    "metric": "varchar",
    "label": "varchar",
    "description": "varchar",
    "formula": "varchar",
    "unit": "varchar",
    "grain": "varchar",
    "page": "varchar",
    "published_in": "varchar",
    "computed_in": "varchar",
    "raw_tables": "varchar",
    "contributions": "varchar",
    "decision": "varchar",
    "unit_tests": "varchar",
    "default_aggregation": "varchar",
    "is_daily": "boolean",
}
# What ingestion notes down beside the records.
_LEDGERS = {"landed_files", "unparsed_lines"}


def metric_catalog(manifest: Manifest) -> RunTable:
    """The catalogue of the project that the manifest is of, in order of area and entry."""
    rows = [
        _row(manifest, name, entry)
        for file in sorted(METRIC_FILES.glob("*.yml"))
        for name, entry in yaml.safe_load(file.read_text(encoding="utf-8"))["metrics"].items()
    ]
    (name,) = METRIC_CATALOG
    return RunTable(name, CATALOG_COLUMNS, rows)


def _row(manifest: Manifest, name: str, entry: dict[str, Any]) -> tuple[Any, ...]:
    description, formula = _prose(manifest["docs"][f"doc.account360.{entry['doc']}"])
    return (
        name,
        entry["label"],
        description,
        formula,
        entry["unit"],
        ", ".join(entry["grain"]),
        entry["page"],
        entry["published_in"],
        entry["computed_in"],
        ", ".join(sorted(set(_raw_tables(manifest, f"model.account360.{entry['computed_in']}")))),
        entry["contributions"],
        entry["decision"],
        ", ".join(entry["unit_tests"]),
        entry["aggregation"],
        name in DAILY_METRICS,
    )


def _prose(doc: dict[str, Any]) -> tuple[str, str]:
    """What a doc block says a metric is, and its formula, each on one line."""
    meaning, _, rest = doc["block_contents"].partition("*Formula*: ")
    formula = re.split(r"^\*", rest, maxsplit=1, flags=re.MULTILINE)[0]
    return " ".join(meaning.split()), " ".join(formula.split())


def _raw_tables(manifest: Manifest, unique_id: str) -> Iterator[str]:
    """The tables of landed records that a model is built from, over any number of models."""
    seen: set[str] = set()
    to_do = [unique_id]
    while to_do:
        key = to_do.pop()
        if key in seen:
            continue
        seen.add(key)
        if key.startswith("source."):
            source = manifest["sources"][key]
            if source["schema"].startswith("raw_") and source["name"] not in _LEDGERS:
                yield f"{source['schema']}.{source['name']}"
        else:
            to_do.extend(manifest["nodes"][key]["depends_on"]["nodes"])
