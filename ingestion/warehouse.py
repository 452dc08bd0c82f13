"""The warehouse file: how it is made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ingestion.sql import literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# The newest storage format of the pinned DuckDB instead of the oldest that it can still write: text
# columns, which raw is made of, are written a quarter faster. Any DuckDB from 1.5 on reads it.
STORAGE_VERSION = "v1.5.0"


def open_warehouse(path: Path) -> DuckDBPyConnection:
    """Connect to the warehouse for writing, and make it first where there is none.

    Raises `duckdb.IOException` where another process has it open.
    """
    import duckdb

    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".new")
        unfinished.unlink(missing_ok=True)
        with duckdb.connect() as connection:
            connection.execute(
                f"attach {literal(str(unfinished))} as made (storage_version '{STORAGE_VERSION}')"
            )
            connection.execute("checkpoint made")
            connection.execute("detach made")
        unfinished.rename(path)
    return duckdb.connect(str(path))
