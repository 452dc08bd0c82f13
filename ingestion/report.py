"""What a load has to say afterwards: files, problems, unknown columns.

Plain values without behaviour, shared by the sources, the loader and whoever prints them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True)
class Problem:
    """A file (or a whole entity) that could not be loaded, and the way out.

    may_pass: whether it is of the kind that passes by itself, so that trying again is worth it.
    """

    domain: str
    entity: str
    location: str
    reason: str
    advice: str
    may_pass: bool = False

    def __str__(self) -> str:
        """One line: file, entity, what is wrong, what to do."""
        return f"{self.location} ({self.domain}.{self.entity}): {self.reason}. {self.advice}"


@dataclass(frozen=True)
class LoadedFile:
    """One file that went into raw in this load.

    location: path under the landing folder. rows_read: records, unparsed lines included.
    erased_rows: those of them that were left out, since they are of somebody erased.
    extract_date: the first ISO date in the path below the domain folder. columns: those of its
    records, as raw names them.
    """

    entity: str
    location: str
    format: str
    content_hash: str
    size_bytes: int
    extract_date: date | None
    rows_read: int
    unparsed_rows: int
    erased_rows: int = 0
    columns: tuple[str, ...] = ()


@dataclass(frozen=True)
class UnknownColumn:
    """A column outside the contract, kept in raw; reported by the load in which it first came."""

    entity: str
    column: str
    location: str

    def __str__(self) -> str:
        """One line naming the column and the file."""
        return f"{self.entity}.{self.column} (first in {self.location})"


@dataclass
class LoadReport:
    """The outcome of one domain's load. `load_number` is None where there was nothing new."""

    domain: str
    load_number: int | None = None
    files: list[LoadedFile] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    unknown_columns: list[UnknownColumn] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def rows_read(self) -> int:
        """Records read in this load, the unparsed lines included."""
        return sum(file.rows_read for file in self.files)

    @property
    def unparsed_rows(self) -> int:
        """Lines of this load that were no records."""
        return sum(file.unparsed_rows for file in self.files)
