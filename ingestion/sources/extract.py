"""What a source hands to the loader: files that dlt can load as they are, and what there is to say.

The staged files are Parquet (all columns text, provenance included) or dlt model files (one
`select` over a Parquet file). They stand in a folder of the load and are gone after it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ingestion.report import LoadedFile, Problem, UnknownColumn


@dataclass(frozen=True)
class StagedFile:
    """One file for dlt: `parquet`, or `model` = a dlt model file holding a select."""

    path: Path
    format: Literal["parquet", "model"]
    rows: int


@dataclass
class Extract:
    """All that is new of one domain.

    staged: raw table → files to load, in order. columns: raw table → every source column that
    occurs in them.
    """

    staged: dict[str, list[StagedFile]] = field(default_factory=dict)
    columns: dict[str, set[str]] = field(default_factory=dict)
    files: list[LoadedFile] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    unknown_columns: list[UnknownColumn] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
