"""Finding the landing files of a domain: what stands where, in name order.

landing/<domain>/<entity>.<ext>             one file, or
landing/<domain>/<entity>/<anything>.<ext>  many files, folders within included
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path, PurePosixPath

from ingestion.entities import DOMAINS, ENTITIES
from ingestion.report import Problem
from ingestion.sources.native.opening import is_folder
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
        folder = is_folder(path)
        name = path.name if folder else path.name.partition(".")[0]
        if folder and (entity := _named_like_a_file(path, domain)):
            found.problems.append(_folder_for_a_file(path, landing, domain, entity))
        elif name not in ENTITIES[domain] or path.name.endswith(_UNFINISHED):
            found.ignored.append(_location(path, landing) + ("/" if folder else ""))
        elif folder:
            for file in _walk(path, landing, domain, name, found, set()):
                _classify(file, landing, domain, name, found)
        else:
            _classify(path, landing, domain, name, found)
    found.files.sort(key=lambda file: file.location)
    _refuse_equal_locations(found)
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
    try:
        entries = sorted(landing.iterdir())
    except OSError:  # each domain says so itself
        return []
    return [
        _location(path, landing) + ("/" if is_folder(path) else "")
        for path in entries
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


def _named_like_a_file(folder: Path, domain: str) -> str | None:
    """The entity that a folder such as `accounts.parquet` is named after, as some tools do."""
    entity, _, ending = folder.name.partition(".")
    return entity if entity in ENTITIES[domain] and ending.lower() in FORMATS else None


def _folder_for_a_file(path: Path, landing: Path, domain: str, entity: str) -> Problem:
    return Problem(
        domain,
        entity,
        _location(path, landing),
        "a folder with the name of a file: nothing in it is read",
        f"Name it {domain}/{entity}/, or put the one file in its place.",
    )


def _refuse_equal_locations(found: Landing) -> None:
    """Names that are not UTF-8 may read alike, and a file is known by what its name reads."""
    counts = Counter(file.location for file in found.files)
    for file in found.files:
        if counts[file.location] > 1:
            found.problems.append(
                file.problem(
                    f"{counts[file.location]} files have names that are not UTF-8 and read alike",
                    "Give them names in UTF-8.",
                )
            )
    found.files = [file for file in found.files if counts[file.location] == 1]


def _walk(
    folder: Path, landing: Path, domain: str, entity: str, found: Landing, seen: set[str]
) -> Iterator[Path]:
    """Every file below an entity's folder. Links are followed, but no folder is read twice."""
    real = os.path.realpath(folder)
    if real in seen:
        found.ignored.append(f"{_location(folder, landing)}/ (a folder that is read already)")
        return
    seen.add(real)
    for path in _entries(folder, landing, domain, entity, found):
        if is_folder(path):
            yield from _walk(path, landing, domain, entity, found, seen)
        else:
            yield path


def _entries(
    folder: Path, landing: Path, domain: str, entity: str, found: Landing
) -> Iterator[Path]:
    """The entries of a folder that are not hidden, in name order; none of a domain without one."""
    try:
        entries = sorted(folder.iterdir())
    except FileNotFoundError as error:
        # a domain may have no folder; a link to nothing, or a folder that was just there, is wrong
        if entity or folder.is_symlink():
            found.problems.append(_unlisted(folder, landing, domain, entity, error))
        return
    except OSError as error:
        found.problems.append(_unlisted(folder, landing, domain, entity, error))
        return
    for path in entries:
        if not path.name.startswith("."):
            yield path


def _unlisted(folder: Path, landing: Path, domain: str, entity: str, error: OSError) -> Problem:
    return Problem(
        domain,
        entity or "*",
        _location(folder, landing),
        f"the folder cannot be read ({error.strerror})",
        "Make it a folder that this user may list.",
        may_pass(error),
    )


def _location(path: Path, landing: Path) -> str:
    # A name that is not UTF-8 gets replacement characters: it has to be printable and storable.
    return _printable(str(PurePosixPath(path.relative_to(landing))))


def _printable(location: str) -> str:
    return location.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
