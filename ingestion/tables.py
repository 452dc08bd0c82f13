"""The shape of raw: which tables a domain has and the type of every column.

Source columns are text. Only provenance and the two tables that ingestion itself fills are typed.
"""

from __future__ import annotations

from ingestion.entities import ENTITIES

# Provenance on every record: path under the landing folder; line number (text files, a CSV header
# is line 1) or row number from 1 (Parquet); the number of the load, 1, 2, 3 … per domain.
PROVENANCE = {"_location": "VARCHAR", "_line": "BIGINT", "_load_number": "BIGINT"}

LANDED_FILES = {
    "entity": "VARCHAR",
    "location": "VARCHAR",
    "format": "VARCHAR",
    "content_hash": "VARCHAR",
    "size_bytes": "BIGINT",
    "extract_date": "DATE",
    "load_number": "BIGINT",
    "load_id": "VARCHAR",
    "loaded_at": "TIMESTAMP",
    "rows_read": "BIGINT",
    "unparsed_rows": "BIGINT",
    "erased_rows": "BIGINT",
}

UNPARSED_LINES = {"entity": "VARCHAR", "reason": "VARCHAR", "record": "VARCHAR", **PROVENANCE}


def dataset_name(domain: str) -> str:
    """The schema of a domain's raw tables."""
    return f"raw_{domain}"


def contract_tables(domain: str) -> dict[str, dict[str, str]]:
    """Table → column → DuckDB type: all that must exist in a domain's raw schema."""
    tables = {
        name: dict.fromkeys(entity.columns, "VARCHAR") | PROVENANCE
        for name, entity in ENTITIES[domain].items()
    }
    return tables | {"landed_files": LANDED_FILES, "unparsed_lines": UNPARSED_LINES}
