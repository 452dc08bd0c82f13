"""What a source hands to the loader: queries whose rows belong into raw, and what there is to say.

The queries read Parquet files in the staging folder of the load, which is gone after it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ingestion.report import LoadedFile, Problem, UnknownColumn


@dataclass(frozen=True)
class Selection:
    """A DuckDB `select` of text columns and provenance, by name; `rows` is what it will give."""

    query: str
    rows: int


@dataclass
class Extract:
    """All that is new of one domain.

    selections: raw table → what to insert, in order. columns: raw table → every source column
    that occurs in it.
    """

    selections: dict[str, list[Selection]] = field(default_factory=dict)
    columns: dict[str, set[str]] = field(default_factory=dict)
    files: list[LoadedFile] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    unknown_columns: list[UnknownColumn] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
