"""The landing folder as a source: every new file of a domain, staged for dlt.

A file is known by its path and the hash of its content. What is new is read in bulk into Parquet
files of text columns with provenance; what cannot be read becomes a `Problem` and leaves nothing.
"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ingestion.entities import DOMAINS, ENTITIES
from ingestion.ledger import Ledger
from ingestion.report import LoadedFile, Problem, UnknownColumn
from ingestion.sources.extract import Extract
from ingestion.sources.native.discovery import LandingFile, discover, foreign_entries
from ingestion.sources.native.errors import UnreadableFileError
from ingestion.sources.native.notes import Notes, stamp_of
from ingestion.sources.native.opening import advice_for, identity_of, open_regular
from ingestion.tables import PROVENANCE
from ingestion.transient import may_pass
from settings import Settings

if TYPE_CHECKING:
    from ingestion.sources.native.reading import FileReader
    from ingestion.sources.native.stage import FileRows, Stage

Progress = Callable[[str], None]

# No fault of the file that is being read.
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
# Columns outside the contract that an entity may have: each one costs every later night.
_MOST_UNKNOWN_COLUMNS = 1000
# How often a file that is being written to is read before it is refused.
_READINGS = 2
# A file from this size on is announced before it is read (bytes).
_ANNOUNCED_BYTES = 50 << 20


def extract_native(
    domain: str, settings: Settings, ledger: Ledger, folder: Path, progress: Progress
) -> Extract:
    """Stage what is new in the landing folder of a domain into `folder`, which is empty."""
    found = discover(settings.landing, domain)
    extract = Extract(problems=found.problems, ignored=found.ignored)
    if domain == DOMAINS[0]:
        extract.ignored.extend(foreign_entries(settings.landing))
    notes = Notes(settings.dlt_path / f"{domain}_files.json")
    new = [file for file in found.files if _is_new(file, ledger, notes, settings, extract)]
    if new:
        progress(f"{domain}: {len(new)} new of {len(found.files)} files")
        _stage_all(new, ledger, notes, folder, extract, progress)
    notes.save()
    if ledger.hashes and not settings.landing.is_dir():
        extract.problems.append(_landing_gone(domain, settings, len(ledger.hashes)))
    if domain == "crm" and not any(file.entity == "accounts" for file in found.files):
        _require_accounts(settings, ledger, extract)
    return extract


def _is_new(
    file: LandingFile, ledger: Ledger, notes: Notes, settings: Settings, extract: Extract
) -> bool:
    """Whether a file has to be read: its content is not that of its latest load."""
    full = {name.rpartition(".")[2] for name in settings.full_extract_entities}
    if file.entity in full and file.extract_date is None:
        extract.problems.append(_undated(file))
        return False
    known = ledger.hashes.get(file.location)
    if known is None:
        return True
    try:
        stamp = stamp_of(file.path.stat())
        current = notes.known_hash(file.location, stamp)
        if current is None:
            with open_regular(file.path) as stream:
                current = hashlib.file_digest(stream, "sha256").hexdigest()
            notes.remember(file.location, stamp, current)
    except (UnreadableFileError, OSError):
        return True  # reading it says what is wrong
    return current != known


def _undated(file: LandingFile) -> Problem:
    return file.problem(
        "a full extract without a date: what is missing from it cannot be dated",
        f"Put the extract's date into the name, such as {file.domain}/{file.entity}/"
        f"2024-06-01.{file.format}, or take {file.entity} out of full_extract_entities.",
    )


def _landing_gone(domain: str, settings: Settings, loaded: int) -> Problem:
    """Without its folder a source looks as if it had nothing new, which nobody would notice."""
    return Problem(
        domain,
        "*",
        domain,
        f"the landing folder {settings.landing} does not exist, from which {loaded:,} files of"
        f" {domain} were loaded",
        "Mount or make it again, or point the setting `landing` to where it stands.",
    )


def _require_accounts(settings: Settings, ledger: Ledger, extract: Extract) -> None:
    if "accounts" in ledger.loaded_entities:
        return
    reason = "no file of accounts has ever landed, and every other record hangs on an account"
    if not settings.landing.is_dir():
        reason = f"the landing folder {settings.landing} does not exist"
    extract.problems.append(
        Problem(
            "crm",
            "accounts",
            "crm/accounts",
            reason,
            "Land crm/accounts.jsonl (or .csv, .parquet, or files in crm/accounts/),"
            " or point the setting `landing` to the folder that holds it.",
        )
    )


def _stage_all(
    files: list[LandingFile],
    ledger: Ledger,
    notes: Notes,
    folder: Path,
    extract: Extract,
    progress: Progress,
) -> None:
    from ingestion.sources.native.reading import FileReader
    from ingestion.sources.native.stage import Stage

    stage = Stage(folder, ledger.load_number + 1)
    with FileReader(stage) as reader:
        for file in files:
            try:
                size = file.path.stat().st_size
                if size >= _ANNOUNCED_BYTES:
                    progress(f"{file.location}: {size / 1e6:,.0f} MB")
                rows, content_hash, status = _read_unchanged(file, reader, stage)
                _refuse_too_many_columns(file, rows, ledger, stage)
            except (UnreadableFileError, OSError) as error:
                if isinstance(error, OSError) and error.errno in _DISK_FULL:
                    raise
                extract.problems.append(_problem(file, error))
                continue
            notes.remember(file.location, stamp_of(status), content_hash)
            _report(file, rows, content_hash, status.st_size, ledger.columns, stage, extract)
            rows.keep()
    stage.finish(extract)


def _read_unchanged(
    file: LandingFile, reader: FileReader, stage: Stage
) -> tuple[FileRows, str, os.stat_result]:
    """A file's rows, content hash and status, read while nobody wrote to it.

    A file that changes meanwhile may be half of what it was and half of what it will be: it is read
    once more, and refused where it goes on changing. Raises `UnreadableFileError` or `OSError`.
    """
    from ingestion.sources.native.stage import FileRows

    for _ in range(_READINGS):
        rows = FileRows(stage, file.entity, file.location)
        before = identity_of(file.path)
        try:
            content_hash = reader.read(file, rows)
            if identity_of(file.path) == before:
                _require_columns(file, rows)
                return rows, content_hash, file.path.stat()
            rows.discard()
        except (UnreadableFileError, OSError) as error:
            rows.discard()
            if isinstance(error, OSError) or identity_of(file.path) == before:
                raise
    raise UnreadableFileError(
        "it was written to while it was read",
        "Write files under a name that ends with .part and rename them when they are whole; then"
        " run again.",
    )


def _report(
    file: LandingFile,
    rows: FileRows,
    content_hash: str,
    size: int,
    columns: dict[str, set[str]],
    stage: Stage,
    extract: Extract,
) -> None:
    """The file was read to its end: say so, and what came with it that nobody knew."""
    contract = ENTITIES[file.domain][file.entity].columns
    known = {*contract, *columns.get(file.entity, ()), *stage.columns(file.entity)}
    new = sorted(rows.columns - known) if rows.records else []
    extract.unknown_columns.extend(
        UnknownColumn(file.entity, column, file.location) for column in new
    )
    extract.files.append(
        LoadedFile(
            entity=file.entity,
            location=file.location,
            format=file.format,
            content_hash=content_hash,
            size_bytes=size,
            extract_date=file.extract_date,
            rows_read=rows.rows_read,
            unparsed_rows=rows.unparsed_rows,
            columns=tuple(sorted(rows.columns)),
        )
    )


def _require_columns(file: LandingFile, rows: FileRows) -> None:
    missing = [
        column
        for column in ENTITIES[file.domain][file.entity].required
        if column not in rows.columns
    ]
    if missing and rows.records:
        plural = "s" if len(missing) > 1 else ""
        raise UnreadableFileError(
            f"required column{plural} {', '.join(missing)} missing; found:"
            f" {', '.join(sorted(rows.columns)) or 'none'}",
            "Name the columns as in the contract and land the file again.",
        )


def _refuse_too_many_columns(
    file: LandingFile, rows: FileRows, ledger: Ledger, stage: Stage
) -> None:
    """Unknown columns are kept, but where values were taken for names a table would be all names.

    Raises `UnreadableFileError`, and forgets the rows.
    """
    loaded = ledger.columns.get(file.entity, set()) | stage.columns(file.entity)
    contract = {*ENTITIES[file.domain][file.entity].columns, *PROVENANCE}
    unknown = len((loaded | rows.columns) - contract)
    if rows.records and not rows.columns - contract <= loaded and unknown > _MOST_UNKNOWN_COLUMNS:
        rows.discard()
        raise UnreadableFileError(
            f"it has {len(rows.columns - contract):,} columns that were not agreed, with which"
            f" {file.entity} would have {unknown:,}; at most {_MOST_UNKNOWN_COLUMNS:,} are kept",
            "Land what varies as values, such as a list of {key, value}, not as names of columns.",
        )


def _problem(file: LandingFile, error: UnreadableFileError | OSError) -> Problem:
    if isinstance(error, UnreadableFileError):
        return file.problem(error.reason, error.advice)
    reason = error.strerror or os.strerror(error.errno or 0)
    return file.problem(f"the file cannot be read ({reason})", advice_for(error), may_pass(error))
