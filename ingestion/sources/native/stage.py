"""The staging folder of one load: Arrow tables in, Parquet files and selections of them out.

Small files share a Parquet file per raw table, large ones get several of their own. What a file
brought counts only when it was read to its end, so that an unreadable file leaves nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ingestion.sources.extract import Extract, Selection
from ingestion.sql import literal, quoted
from ingestion.tables import PROVENANCE, UNPARSED_LINES

if TYPE_CHECKING:
    import pyarrow as pa

# Arrow bytes that are held in memory before a Parquet file is written.
_SPILL_BYTES = 64 << 20
# DuckDB reads a Parquet file with one thread per row group.
_ROW_GROUP = 122_880


@dataclass
class _Pile:
    """Rows of one raw table: tables in memory, Parquet files already written, selections.

    `columns` are those of the source in all of them, `held` all that the tables have.
    """

    tables: list[pa.Table] = field(default_factory=list)
    size: int = 0
    files: list[Path] = field(default_factory=list)
    rows: int = 0
    columns: set[str] = field(default_factory=set)
    held: set[str] = field(default_factory=set)
    selections: list[Selection] = field(default_factory=list)

    def add(self, table: pa.Table) -> None:
        if table.num_rows:
            self.tables.append(table)
            self.held.update(table.column_names)
            self.size += table.nbytes
            self.rows += table.num_rows

    def take(self, other: _Pile) -> None:
        self.tables += other.tables
        self.size += other.size
        self.files += other.files
        self.rows += other.rows
        self.columns |= other.columns
        self.held |= other.held
        self.selections += other.selections


class Stage:
    """Collects the rows of a load, per raw table, in a folder that is empty at first."""

    def __init__(self, folder: Path, load_number: int) -> None:
        """Write into `folder`."""
        self.load_number = load_number
        self._folder = folder
        self._piles: dict[str, _Pile] = {}
        self._written = 0

    def path(self) -> Path:
        """A new name for a Parquet file in the staging folder."""
        self._written += 1
        return self._folder / f"{self._written:06d}.parquet"

    def spill(self, pile: _Pile, whole: bool = False) -> None:
        """Write the rows of a pile to a Parquet file once they are many; the `whole` pile at last.

        Only full row groups are written before that, which DuckDB inserts as they are.
        """
        if pile.size <= (0 if whole else _SPILL_BYTES):
            return
        import pyarrow as pa
        import pyarrow.parquet as pq

        table = pa.concat_tables(pile.tables, promote_options="default")
        count = table.num_rows if whole else table.num_rows // _ROW_GROUP * _ROW_GROUP
        if not count:
            return
        path = self.path()
        # Read once, a moment later: encodings and statistics that save space cost more than they
        # give.
        pq.write_table(
            table.slice(0, count),
            path,
            compression="lz4",
            row_group_size=_ROW_GROUP,
            use_dictionary=["_location", "_load_number"],
            write_statistics=False,
        )
        pile.files.append(path)
        rest = table.slice(count)
        pile.tables, pile.size = ([rest], rest.nbytes) if rest.num_rows else ([], 0)

    def accept(self, table: str, pile: _Pile) -> None:
        """Take over what one whole file brought for a raw table."""
        total = self._piles.setdefault(table, _Pile())
        total.take(pile)
        self.spill(total)

    def finish(self, extract: Extract) -> None:
        """Write what still waits, and tell the extract how to select it all."""
        for table, pile in self._piles.items():
            self.spill(pile, whole=True)
            extract.columns[table] = pile.columns
            extract.selections[table] = [*self._selection(table, pile), *pile.selections]

    def columns(self, table: str) -> set[str]:
        """The source columns that have come for a raw table so far."""
        return self._piles[table].columns if table in self._piles else set()

    def _selection(self, table: str, pile: _Pile) -> list[Selection]:
        if not pile.files:
            return []
        own = UNPARSED_LINES if table == "unparsed_lines" else PROVENANCE
        # what only a selection brings does not stand in the files
        columns = ", ".join(quoted(column) for column in [*sorted(pile.held - own.keys()), *own])
        source = f"read_parquet([{_listed(pile.files)}], union_by_name = true)"
        return [Selection(f"select {columns} from {source}", pile.rows)]  # noqa: S608


class FileRows:
    """The records of one landing file on their way into the stage."""

    def __init__(self, stage: Stage, entity: str, location: str) -> None:
        """Nothing read yet."""
        self._stage = stage
        self._entity = entity
        self._location = location
        self._records = _Pile()
        self._lines = _Pile()
        self._unparsed = _Pile()
        self.columns: set[str] = set()
        self.rows_read = 0
        self.unparsed_rows = 0

    @property
    def records(self) -> int:
        """Records read so far, without the unparsed lines."""
        return self.rows_read - self.unparsed_rows

    def add(self, table: pa.Table, columns: set[str]) -> None:
        """Take records: text columns named as in raw, and `_line`."""
        self.columns |= columns
        self.rows_read += table.num_rows
        self._records.add(self._with_provenance(table))
        self._stage.spill(self._records)

    def add_selection(self, query: str, rows: int, columns: set[str]) -> None:
        """Take the records that a query over files in the staging folder will give."""
        self.columns |= columns
        self.rows_read += rows
        self._records.selections.append(Selection(query, rows))

    def hold(self, lines: pa.Table) -> None:
        """Take lines that a selection will turn into records."""
        self._lines.add(lines)
        self._stage.spill(self._lines)

    def select_held(self, query: Callable[[str], str], columns: set[str]) -> None:
        """Add the selection that `query` makes of the lines held, given what to read them from."""
        if self._lines.rows:
            self._stage.spill(self._lines, whole=True)
            source = f"read_parquet([{_listed(self._lines.files)}])"
            self.add_selection(query(source), self._lines.rows, columns)

    def add_unparsed(self, table: pa.Table) -> None:
        """Take lines that are no records: columns reason, record, `_line`."""
        import pyarrow as pa

        self.rows_read += table.num_rows
        self.unparsed_rows += table.num_rows
        entity = pa.repeat(pa.scalar(self._entity), table.num_rows)
        self._unparsed.add(self._with_provenance(table.append_column("entity", entity)))

    def keep(self) -> None:
        """The file was read to its end: its rows count."""
        self._records.columns = self.columns if self.records else set()
        self._stage.accept(self._entity, self._records)
        self._stage.accept("unparsed_lines", self._unparsed)

    def discard(self) -> None:
        """The file is unreadable: nothing of it counts."""
        for file in (*self._records.files, *self._lines.files):
            file.unlink(missing_ok=True)

    def provenance(self) -> tuple[str, str]:
        """The two columns of provenance that are the same for the whole file, for a selection."""
        number = self._stage.load_number
        return (
            f"{literal(self._location)} as _location",
            f"cast({number} as bigint) as _load_number",
        )

    def _with_provenance(self, table: pa.Table) -> pa.Table:
        import pyarrow as pa

        location = pa.repeat(pa.scalar(self._location), table.num_rows)
        number = pa.repeat(pa.scalar(self._stage.load_number, pa.int64()), table.num_rows)
        return table.append_column("_location", location).append_column("_load_number", number)


def _listed(files: list[Path]) -> str:
    return ", ".join(literal(str(file)) for file in files)
