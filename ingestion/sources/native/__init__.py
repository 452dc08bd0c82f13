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
from ingestion.transient import may_pass
from settings import Settings

if TYPE_CHECKING:
    from ingestion.sources.native.stage import FileRows, Stage

Progress = Callable[[str], None]

# No fault of the file that is being read.
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
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
            with file.path.open("rb") as stream:
                current = hashlib.file_digest(stream, "sha256").hexdigest()
            notes.remember(file.location, stamp, current)
    except OSError:
        return True  # reading it says what is wrong
    return current != known


def _undated(file: LandingFile) -> Problem:
    return file.problem(
        "a full extract without a date: what is missing from it cannot be dated",
        f"Put the extract's date into the name, such as {file.domain}/{file.entity}/"
        f"2024-06-01.{file.format}, or take {file.entity} out of full_extract_entities.",
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
    from ingestion.sources.native.stage import FileRows, Stage

    stage = Stage(folder, ledger.load_number + 1)
    with FileReader(stage) as reader:
        for file in files:
            rows = FileRows(stage, file.entity, file.location)
            try:
                before = file.path.stat()
                if before.st_size >= _ANNOUNCED_BYTES:
                    progress(f"{file.location}: {before.st_size / 1e6:,.0f} MB")
                content_hash = reader.read(file, rows)
                after = file.path.stat()
                _require_columns(file, rows)
            except (UnreadableFileError, OSError) as error:
                if isinstance(error, OSError) and error.errno in _DISK_FULL:
                    raise
                rows.discard()
                extract.problems.append(_problem(file, error))
                continue
            if stamp_of(before) == stamp_of(after):
                notes.remember(file.location, stamp_of(after), content_hash)
            _report(file, rows, content_hash, after.st_size, ledger.columns, stage, extract)
            rows.keep()
    stage.finish(extract)


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


def _problem(file: LandingFile, error: UnreadableFileError | OSError) -> Problem:
    if isinstance(error, UnreadableFileError):
        return file.problem(error.reason, error.advice)
    reason = error.strerror or os.strerror(error.errno or 0)
    return file.problem(
        f"the file cannot be read ({reason})",
        "Make it a file that this user may read.",
        may_pass(error),
    )
