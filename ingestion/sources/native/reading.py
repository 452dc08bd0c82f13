"""One landing file into rows: picks the reader by format and hashes what it reads."""

from __future__ import annotations

import hashlib
import itertools
import os
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import duckdb

from ingestion.sources.native.columnar import read_parquet
from ingestion.sources.native.columns import spellings
from ingestion.sources.native.delimited import csv_parser, cut_csv, read_header
from ingestion.sources.native.discovery import LandingFile
from ingestion.sources.native.errors import UnreadableFileError
from ingestion.sources.native.jsonl import cut_jsonl, extraction, jsonl_parser
from ingestion.sources.native.opening import open_regular
from ingestion.sources.native.stage import FileRows, Stage
from ingestion.sources.native.text import Block, HashingReader, in_order, read_blocks

_COPY_BYTES = 4 << 20
# From this size on (bytes of content, a guess for compressed files) the content goes from the
# staging folder into the warehouse as it is, instead of as text columns through memory.
_LARGE_BYTES = 16 << 20
_COMPRESSION = 8
_FATAL = (duckdb.FatalException, duckdb.InternalException)


class FileReader:
    """Reads files with two small DuckDB instances of its own, apart from the warehouse."""

    def __init__(self, stage: Stage) -> None:
        """Open them. Text is parsed in threads of ours, so that instance gets a single one."""
        self._stage = stage
        self._open()

    def _open(self) -> None:
        self._text = duckdb.connect(config={"threads": 1})
        self._columnar = duckdb.connect()
        self._columnar.execute("set timezone = 'UTC'")

    def __enter__(self) -> FileReader:
        """Use as a context, to close them."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close both instances."""
        self._close()

    def _close(self) -> None:
        self._text.close()
        self._columnar.close()

    def read(self, file: LandingFile, rows: FileRows) -> str:
        """Read a file into `rows` and return its content hash.

        Raises `UnreadableFileError` or `OSError`; what `rows` then holds must be discarded.
        """
        try:
            return self._read(file, rows)
        except UnreadableFileError as error:
            if isinstance(error.__cause__, _FATAL):  # the instance answers nothing after it
                self._close()
                self._open()
            raise

    def _read(self, file: LandingFile, rows: FileRows) -> str:
        compressed = file.format.endswith(".gz")
        with open_regular(file.path) as raw:
            size = os.fstat(raw.fileno()).st_size
            large = size * (_COMPRESSION if compressed else 1) >= _LARGE_BYTES
            if file.format == "parquet":
                copy = self._stage.path()
                content_hash = _copy(raw, copy)
                read_parquet(self._columnar, copy, rows, large)
                return content_hash
            stream = HashingReader(raw)
            if file.format.startswith("jsonl"):
                self._read_jsonl(stream, compressed, large, rows)
            else:
                self._read_csv(stream, compressed, rows)
            return stream.content_hash()

    def _read_jsonl(
        self, stream: HashingReader, compressed: bool, large: bool, rows: FileRows
    ) -> None:
        blocks = read_blocks(stream, compressed, cut_jsonl)
        held: set[str] = set()
        try:
            for parsed in in_order(jsonl_parser(self._text, large), blocks):
                if parsed.unparsed is not None:
                    rows.add_unparsed(parsed.unparsed)
                if parsed.records is not None:
                    rows.add(parsed.records, set(spellings(parsed.keys)))
                if parsed.lines is not None:
                    rows.hold(parsed.lines)
                    held |= parsed.keys
        except (duckdb.Error, UnicodeDecodeError) as error:
            raise UnreadableFileError(
                f"cannot be read as JSON lines ({str(error).splitlines()[0]})",
                "Land one JSON object per line.",
            ) from error
        rows.select_held(
            lambda source: extraction(held, source, others=rows.provenance()), set(spellings(held))
        )

    def _read_csv(self, stream: HashingReader, compressed: bool, rows: FileRows) -> None:
        blocks = read_blocks(stream, compressed, cut_csv)
        first = next(blocks, None)
        if first is None:
            return
        header = read_header(first)
        rest = Block(
            first.data[header.bytes :],
            first.first_line + header.lines,
            first.offset + header.bytes,
        )
        records = itertools.chain((rest,), blocks) if rest.data else blocks
        rows.columns.update(header.columns)
        for parsed in in_order(csv_parser(header.columns), records):
            if parsed.unparsed is not None:
                rows.add_unparsed(parsed.unparsed)
            rows.add(parsed.records, set(header.columns))


def _copy(source: BinaryIO, target: Path) -> str:
    """Copy an open file and return the hash of what was copied."""
    digest = hashlib.sha256()
    with target.open("wb", buffering=0) as writing:
        while chunk := source.read(_COPY_BYTES):
            digest.update(chunk)
            writing.write(chunk)
    return digest.hexdigest()
