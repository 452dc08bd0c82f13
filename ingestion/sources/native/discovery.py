"""Finding the landing files of a domain: what stands where, in name order.

landing/<domain>/<entity>.<ext>             one file, or
landing/<domain>/<entity>/<anything>.<ext>  many files, folders within included
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path, PurePosixPath

from ingestion.entities import DOMAINS, ENTITIES
from ingestion.report import Problem
from ingestion.transient import may_pass

FORMATS = ("jsonl.gz", "csv.gz", "jsonl", "csv", "parquet")
_UNFINISHED = (".tmp", ".part")
_READABLE = tuple(f".{format_}" for format_ in FORMATS)
_ISO_DATE = re.compile(r"(?<!\d)(\d{4})-(\d{2})-(\d{2})(?!\d)")


@dataclass(frozen=True)
class LandingFile:
    """A file to load. `location` is its path under the landing folder, with `/`."""

    path: Path
    location: str
    domain: str
    entity: str
    format: str

    @property
    def extract_date(self) -> date | None:
        """The first ISO date in the path below the domain folder, if there is one."""
        below = self.location.partition("/")[2]
        for found in _ISO_DATE.findall(below):
            try:
                return date(*map(int, found))
            except ValueError:
                continue
        return None

    def problem(self, reason: str, advice: str, may_pass: bool = False) -> Problem:
        """A problem of this file."""
        return Problem(self.domain, self.entity, self.location, reason, advice, may_pass)


@dataclass
class Landing:
    """What was found for one domain, files in the order of their locations."""

    files: list[LandingFile] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)


def discover(landing: Path, domain: str) -> Landing:
    """List the domain's files. Reads folders only, never a file."""
    found = Landing()
    for path in _entries(landing / domain, landing, domain, "", found):
        is_folder = path.is_dir()
        name = path.name if is_folder else path.name.partition(".")[0]
        if name not in ENTITIES[domain] or path.name.endswith(_UNFINISHED):
            found.ignored.append(_location(path, landing) + ("/" if is_folder else ""))
        elif is_folder:
            for file in _walk(path, landing, domain, name, found, frozenset()):
                _classify(file, landing, domain, name, found)
        else:
            _classify(path, landing, domain, name, found)
    found.files.sort(key=lambda file: file.location)
    found.ignored.sort()
    return found


def look(landing: Path, domain: str) -> Iterator[tuple[str, os.stat_result]]:
    """Location and state of each file that `discover` finds, in a fixed order.

    Many times as fast, for who looks every minute; what cannot be listed or looked at is left out.
    """
    length = len(str(landing)) + 1
    for entry in _listed(str(landing / domain)):
        is_folder = entry.is_dir()
        name = entry.name if is_folder else entry.name.partition(".")[0]
        if name not in ENTITIES[domain]:
            continue
        for file in _below(entry.path, frozenset()) if is_folder else (entry,):
            if not file.name.lower().endswith(_READABLE):
                continue
            try:
                status = file.stat()
            except OSError:
                continue
            yield _printable(file.path[length:]), status


def _below(folder: str, above: frozenset[str]) -> Iterator[os.DirEntry[str]]:
    """Every file below a folder; links are followed, but never in a circle."""
    real = os.path.realpath(folder)
    if real in above:
        return
    for entry in _listed(folder):
        if entry.is_dir():
            yield from _below(entry.path, above | {real})
        else:
            yield entry


def _listed(folder: str) -> list[os.DirEntry[str]]:
    """The entries of a folder that are not hidden, in name order; none where it cannot be read."""
    try:
        with os.scandir(folder) as entries:
            return sorted(
                (entry for entry in entries if not entry.name.startswith(".")),
                key=lambda entry: entry.name,
            )
    except OSError:
        return []


def foreign_entries(landing: Path) -> list[str]:
    """Entries of the landing folder that are no domain: nobody reads them."""
    if not landing.is_dir():
        return []
    return [
        path.name + ("/" if path.is_dir() else "")
        for path in sorted(landing.iterdir())
        if not path.name.startswith(".") and path.name not in DOMAINS
    ]


def _classify(path: Path, landing: Path, domain: str, entity: str, found: Landing) -> None:
    location = _location(path, landing)
    if path.name.endswith(_UNFINISHED):
        found.ignored.append(location)
        return
    lowered = path.name.lower()
    format_ = next((known for known in FORMATS if lowered.endswith("." + known)), None)
    if format_:
        found.files.append(LandingFile(path, location, domain, entity, format_))
        return
    found.problems.append(
        Problem(
            domain,
            entity,
            location,
            "this kind of file cannot be read",
            "Land it as .jsonl, .csv (both also .gz) or .parquet, or move it elsewhere.",
        )
    )


def _walk(
    folder: Path, landing: Path, domain: str, entity: str, found: Landing, above: frozenset[Path]
) -> Iterator[Path]:
    """Every file below an entity's folder. Links are followed, but never in a circle."""
    real = folder.resolve()
    if real in above:
        return
    for path in _entries(folder, landing, domain, entity, found):
        if path.is_dir():
            yield from _walk(path, landing, domain, entity, found, above | {real})
        else:
            yield path


def _entries(
    folder: Path, landing: Path, domain: str, entity: str, found: Landing
) -> Iterator[Path]:
    """The entries of a folder that are not hidden, in name order; none where it does not exist."""
    try:
        entries = sorted(folder.iterdir())
    except FileNotFoundError:
        return
    except OSError as error:
        found.problems.append(
            Problem(
                domain,
                entity or "*",
                _location(folder, landing),
                f"the folder cannot be read ({error.strerror})",
                "Make it a folder that this user may list.",
                may_pass(error),
            )
        )
        return
    for path in entries:
        if not path.name.startswith("."):
            yield path


def _location(path: Path, landing: Path) -> str:
    # A name that is not UTF-8 gets replacement characters: it has to be printable and storable.
    return _printable(str(PurePosixPath(path.relative_to(landing))))


def _printable(location: str) -> str:
    return location.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
