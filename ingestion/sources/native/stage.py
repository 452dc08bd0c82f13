"""The staging folder of one load: Arrow tables in, Parquet files for dlt out.

Small files share a Parquet file per raw table, large ones get several of their own. What a file
brought counts only when it was read to its end, so that an unreadable file leaves nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ingestion.sources.extract import Extract, StagedFile
from ingestion.tables import PROVENANCE, UNPARSED_LINES

if TYPE_CHECKING:
    import pyarrow as pa

# Arrow bytes that are held in memory before a Parquet file is written.
_SPILL_BYTES = 64 << 20
# DuckDB reads a Parquet file with one thread per row group.
_ROW_GROUP = 122_880


@dataclass
class _Held:
    """Tables that wait to be written together."""

    tables: list[pa.Table] = field(default_factory=list)
    size: int = 0

    def add(self, table: pa.Table) -> None:
        self.tables.append(table)
        self.size += table.nbytes


class Stage:
    """Collects the staged files of a load into its `Extract`."""

    def __init__(self, folder: Path, load_number: int, extract: Extract) -> None:
        """Write into `folder`, which exists and is empty."""
        self.folder = folder
        self.load_number = load_number
        self._extract = extract
        self._held: dict[str, _Held] = {}
        self._written = 0

    def path(self, suffix: str) -> Path:
        """A new name in the staging folder."""
        self._written += 1
        return self.folder / f"{self._written:06d}.{suffix}"

    def write(self, held: _Held) -> StagedFile:
        """Write tables as one Parquet file; columns that some lack are null there."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        table = pa.concat_tables(held.tables, promote_options="default")
        path = self.path("parquet")
        # Read once, a moment later: encodings and statistics that save space cost more than they give.
        pq.write_table(
            table,
            path,
            compression="lz4",
            row_group_size=_ROW_GROUP,
            use_dictionary=["_location", "_load_number"],
            write_statistics=False,
        )
        return StagedFile(path, "parquet", table.num_rows)

    def accept(self, table: str, columns: set[str], files: list[StagedFile], held: _Held) -> None:
        """Take over what one whole file brought for a raw table."""
        self._extract.staged.setdefault(table, []).extend(files)
        self._extract.columns.setdefault(table, set()).update(columns)
        waiting = self._held.setdefault(table, _Held())
        waiting.tables.extend(held.tables)
        waiting.size += held.size
        if waiting.size > _SPILL_BYTES:
            self._flush(table)

    def finish(self) -> None:
        """Write what still waits."""
        for table in list(self._held):
            self._flush(table)

    def _flush(self, table: str) -> None:
        held = self._held.pop(table)
        if held.tables:
            self._extract.staged[table].append(self.write(held))


class FileRows:
    """The records of one landing file on their way into the stage."""

    def __init__(self, stage: Stage, entity: str, location: str) -> None:
        """Nothing read yet."""
        self._stage = stage
        self._entity = entity
        self._location = location
        self._held = _Held()
        self._unparsed = _Held()
        self._files: list[StagedFile] = []
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
        if table.num_rows:
            self._held.add(self._with_provenance(table))
        if self._held.size > _SPILL_BYTES:
            self._files.append(self._stage.write(self._held))
            self._held = _Held()

    def add_model(self, path: Path, rows: int, columns: set[str]) -> None:
        """Take the records that a dlt model file selects."""
        self.columns |= columns
        self.rows_read += rows
        self._files.append(StagedFile(path, "model", rows))

    def add_unparsed(self, table: pa.Table) -> None:
        """Take lines that are no records: columns reason, record, `_line`."""
        import pyarrow as pa

        if not table.num_rows:
            return
        self.rows_read += table.num_rows
        self.unparsed_rows += table.num_rows
        entity = pa.repeat(pa.scalar(self._entity), table.num_rows)
        table = self._with_provenance(table.append_column("entity", entity))
        self._unparsed.add(table.select(list(UNPARSED_LINES)))

    def keep(self) -> None:
        """The file was read to its end: its rows count."""
        self._stage.accept(self._entity, self.columns, self._files, self._held)
        self._stage.accept("unparsed_lines", set(), [], self._unparsed)

    def discard(self) -> None:
        """The file is unreadable: nothing of it counts."""
        for file in self._files:
            file.path.unlink(missing_ok=True)

    def _with_provenance(self, table: pa.Table) -> pa.Table:
        import pyarrow as pa

        location = pa.repeat(pa.scalar(self._location), table.num_rows)
        number = pa.repeat(pa.scalar(self._stage.load_number, pa.int64()), table.num_rows)
        table = table.append_column("_location", location).append_column("_load_number", number)
        return table.select([*(n for n in table.column_names if n not in PROVENANCE), *PROVENANCE])
