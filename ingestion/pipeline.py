"""Staged files into the warehouse: one dlt source, one pipeline and one load per domain.

dlt owns the tables, their evolution and the record of finished loads. It never sees a row: what it
gets are model files, each a `select` over staged Parquet files, which it runs as `insert … select`.
It would import Parquet files too, but rewrites each one whose columns are not just the table's.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ingestion.report import LoadedFile
from ingestion.sources import Extract
from ingestion.sources.extract import Selection
from ingestion.sql import literal, quoted
from ingestion.tables import LANDED_FILES, contract_tables, dataset_name
from settings import Settings

if TYPE_CHECKING:
    from dlt.extract import DltResource, DltSource

_DLT_TYPES: dict[str, dict[str, Any]] = {
    "VARCHAR": {"data_type": "text"},
    "BIGINT": {"data_type": "bigint"},
    "DATE": {"data_type": "date"},
    "TIMESTAMP": {"data_type": "timestamp", "timezone": False},
}


def load_extract(
    domain: str,
    settings: Settings,
    extract: Extract,
    folder: Path,
    tables: list[str],
    load_number: int,
    loaded_at: datetime,
) -> None:
    """Load what was staged in `folder`, in one dlt package; create missing `tables`.

    Raises dlt's `PipelineStepFailed` where the load does not finish.
    """
    os.environ.setdefault("RUNTIME__DLTHUB_TELEMETRY", "false")
    import dlt

    # `_load_number` says it already, and for all of raw.
    dlt.config["normalize.model_normalizer.add_dlt_load_id"] = False
    pipeline = dlt.pipeline(
        pipeline_name=f"account360_{domain}",
        destination=dlt.destinations.duckdb(str(settings.warehouse_path)),
        dataset_name=dataset_name(domain),
        # A new working folder each time: dlt takes its schema from the warehouse, and a package
        # that an unfinished load left behind can never be loaded a second time.
        pipelines_dir=str(folder / "dlt"),
    )
    pipeline.run(domain_source(domain, extract, folder, tables, load_number, loaded_at))


def domain_source(
    domain: str,
    extract: Extract,
    folder: Path,
    tables: list[str],
    load_number: int,
    loaded_at: datetime,
) -> DltSource:
    """The dlt source of a domain: a resource per raw table that gets rows or has to be made."""
    import dlt

    @dlt.source(name=domain)
    def landing() -> Iterator[DltResource]:
        for table, columns in contract_tables(domain).items():
            selections = extract.selections.get(table, [])
            is_ledger = table == "landed_files" and bool(extract.files)
            if not (selections or is_ledger or table in tables):
                continue
            others = sorted(extract.columns.get(table, set()) - columns.keys())
            types = columns | dict.fromkeys(others, "VARCHAR")
            if is_ledger:
                make = partial(_landed_files, extract.files, folder, load_number, loaded_at)
            else:
                make = partial(_given, selections or [_nothing(types)])
            yield dlt.resource(
                _models(make, folder / table),
                name=table,
                columns=_hints(types),
                write_disposition="append",
            )

    return landing()


def _hints(types: dict[str, str]) -> dict[str, Any]:
    # dlt fills the columns that a model lacks with nulls, where a hint says that they may be null.
    return {
        name: {"name": name, "nullable": True, **_DLT_TYPES[type_]} for name, type_ in types.items()
    }


def _models(make: Callable[[], list[Selection]], stem: Path) -> Iterator[Any]:
    """Each selection as a model file, made while dlt extracts."""
    import dlt

    for number, selection in enumerate(make(), start=1):
        model = stem.with_suffix(f".{number}.model")
        model.write_text(f"dialect: duckdb\n{selection.query}\n", encoding="utf-8")
        yield dlt.mark.with_file_import(str(model), "model", selection.rows)


def _given(selections: list[Selection]) -> list[Selection]:
    return selections


def _nothing(types: dict[str, str]) -> Selection:
    """No rows, so that the table is made. (dlt's own way of saying so adds columns of dlt's.)"""
    columns = (f"cast(null as {type_}) as {quoted(name)}" for name, type_ in types.items())
    return Selection(f"select {', '.join(columns)} where false", 0)


def _landed_files(
    files: list[LoadedFile], folder: Path, load_number: int, loaded_at: datetime
) -> list[Selection]:
    """One row per file. Call it while dlt extracts: only then is the load's id known."""
    import dlt
    import pyarrow as pa
    import pyarrow.parquet as pq

    load_id = dlt.current.load_package_state()["load_id"]
    instant = loaded_at.astimezone(UTC).replace(tzinfo=None)
    of_the_load = {"load_number": load_number, "load_id": load_id, "loaded_at": instant}
    arrow_types = {
        "VARCHAR": pa.string(),
        "BIGINT": pa.int64(),
        "DATE": pa.date32(),
        "TIMESTAMP": pa.timestamp("us"),
    }
    table = pa.Table.from_pylist(
        [{**asdict(file), **of_the_load} for file in files],
        pa.schema([(name, arrow_types[type_]) for name, type_ in LANDED_FILES.items()]),
    )
    path = folder / "landed_files.parquet"
    pq.write_table(table, path)
    columns = ", ".join(LANDED_FILES)
    query = f"select {columns} from read_parquet({literal(str(path))})"  # noqa: S608
    return [Selection(query, table.num_rows)]
