"""One domain from its source to raw: the steps of a load, in order."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from ingestion.entities import ENTITIES
from ingestion.erased import Tombstones, scrub_extract
from ingestion.landed_columns import note_columns
from ingestion.ledger import open_ledger
from ingestion.report import LoadReport
from ingestion.warehouse import open_warehouse
from settings import Settings


def _quiet(_: str) -> None:
    """Nobody wants to know."""


def load_domain(
    domain: str,
    settings: Settings,
    loaded_at: datetime,
    progress: Callable[[str], None] = _quiet,
) -> LoadReport:
    """Load what is new of a domain into `raw_<domain>` of the warehouse.

    `loaded_at` is an aware instant, kept in `landed_files`. Files that cannot be read become
    problems of the report; the others load. A load is whole or absent: what an earlier one left
    unfinished is removed first. Raises `duckdb.IOException` where another process has the
    warehouse open, and dlt's errors where the load itself fails.
    """
    if domain not in ENTITIES:
        raise ValueError(f"unknown domain {domain!r}: allowed are {', '.join(ENTITIES)}")
    if loaded_at.tzinfo is None:
        raise ValueError("loaded_at has to say its time zone")
    from ingestion.pipeline import load_extract
    from ingestion.sources import SOURCES

    started = time.perf_counter()
    report = LoadReport(domain)
    # Open for the whole load: it keeps every other process out of the warehouse.
    with (
        open_warehouse(settings.warehouse_path) as connection,
        _staging_folder(settings.dlt_path / f"{domain}_staged") as folder,
    ):
        ledger = open_ledger(connection, domain)
        extract = SOURCES["native"](domain, settings, ledger, folder, progress)
        if extract.files and (tombstones := Tombstones(settings.erasure_path)):
            scrub_extract(extract, folder, tombstones)
        incomplete = ledger.incomplete_tables(domain)
        if extract.files or incomplete:
            if extract.files:
                report.load_number = ledger.load_number + 1
                rows = sum(file.rows_read for file in extract.files)
                progress(f"{domain}: loading {rows:,} records")
            load_extract(
                domain, settings, extract, folder, incomplete, ledger.load_number + 1, loaded_at
            )
        if extract.files:
            note_columns(connection, domain, ledger.load_number + 1, extract.files)
    report.files = extract.files
    report.problems = extract.problems
    report.unknown_columns = extract.unknown_columns
    report.ignored = extract.ignored
    report.seconds = time.perf_counter() - started
    return report


@contextmanager
def _staging_folder(folder: Path) -> Iterator[Path]:
    """An empty folder for the load, gone afterwards."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
