"""The folder of publishes: which stand there, and which links lead readers where."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path

from settings import Settings

DATABASE = "account360.duckdb"
# The second file: personal data is NULL in it, and hashed where it identifies a row.
WITHOUT_PERSONAL_DATA = "account360_without_personal_data.duckdb"
AS_OF_LINK = "as_of="
# A publish on its way out, which readers no longer see.
GONE = ".gone_"
_PUBLISH_ID = re.compile(r"\d{4}-\d{2}-\d{2}_\d{8}T\d{6}Z_\w{8}")


class Lead(StrEnum):
    """Where readers are led by a publish."""

    BY_DATE = "by date"
    """To it as `current`, unless that is of a later as-of date: then beside, by `as_of=<date>`."""
    CURRENT = "current"
    """To it as `current`, whatever its as-of date."""
    BESIDE = "beside"
    """By `as_of=<date>` alone; `current` stays as it is, also where there is none: a backfill."""


class PublishError(RuntimeError):
    """Something in the folder of publishes stands in the way; the message says what to do."""


def candidate_path(settings: Settings) -> Path:
    """The folder of the publish that is being built."""
    return settings.published_path / ".candidate"


def current_publish(settings: Settings) -> Path | None:
    """The folder that readers see, or None before the first publish."""
    return target_of(settings.current_path)


def previous_publish(settings: Settings, as_of: date, lead: Lead = Lead.BY_DATE) -> Path | None:
    """The publish that one of `as_of` is compared with: what readers see, if it is not of a later
    date; else the last one of the latest date up to then that is still kept; else None.

    One that goes beside is always compared with the latest date: the one backfilled before it.
    """
    current = current_publish(settings)
    if current and publish_as_of(current) <= as_of and lead is not Lead.BESIDE:
        return current
    earlier = [folder for folder in kept_publishes(settings) if publish_as_of(folder) <= as_of]
    return max(earlier, key=lambda folder: folder.name, default=None)


def kept_publishes(settings: Settings) -> list[Path]:
    """The folders of all publishes that still stand there, the one published last first."""
    if not settings.published_path.is_dir():
        return []
    return sorted(publish_folders(settings), key=lambda folder: folder.name[10:], reverse=True)


def publish_folders(settings: Settings) -> list[Path]:
    """The publishes that stand there; whatever else somebody put beside them is not ours."""
    return [
        path
        for path in settings.published_path.iterdir()
        if path.is_dir() and not path.is_symlink() and _PUBLISH_ID.fullmatch(path.name)
    ]


def publish_as_of(folder: Path) -> date:
    """The as-of date of a publish, from its name."""
    return date.fromisoformat(folder.name[:10])


def published_at(folder: Path) -> datetime:
    """The instant at which a publish was sealed, to the second, from its name."""
    return datetime.strptime(folder.name[11:27], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def links_to(settings: Settings, folder: Path) -> list[str]:
    """The names of the links that lead to a publish."""
    links = [settings.current_path, *sorted(as_of_links(settings))]
    return [link.name for link in links if target_of(link) == folder]


def linked(settings: Settings) -> set[Path]:
    """The publishes that any link leads to."""
    links = [settings.current_path, *as_of_links(settings)]
    return {target for target in map(target_of, links) if target}


def as_of_links(settings: Settings) -> list[Path]:
    """The links to publishes beside the current one."""
    return [path for path in settings.published_path.glob(f"{AS_OF_LINK}*") if path.is_symlink()]


def target_of(link: Path) -> Path | None:
    """The folder beside it that a link leads to, or None where there is none."""
    if not link.is_symlink():
        return None
    target = link.parent / link.readlink().name
    return target if target.is_dir() else None


@contextmanager
def links_held(settings: Settings) -> Iterator[None]:
    """Hold the links: a rollback swaps one while a night may be publishing. Held for an instant."""
    with (settings.home / "links.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _swap(link: Path, folder: Path) -> None:
    """Lead `link` to `folder`, atomically; the caller holds the links."""
    if link.is_dir() and not link.is_symlink():
        raise PublishError(f"{link} is a folder, not a link: move it away, and run again")
    temporary = link.with_name(f".{link.name}")
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(folder.name)
    temporary.replace(link)
    sync_folder(link.parent)


def lead_to(settings: Settings, link: Path, folder: Path) -> None:
    """Lead `link` to `folder`; a folder that an as-of link alone led to before goes."""
    gone = None
    with links_held(settings):
        before = target_of(link)
        _swap(link, folder)
        if (
            before
            and link.name.startswith(AS_OF_LINK)
            and before != target_of(settings.current_path)
        ):
            gone = take_away(before)
    if gone:
        remove(gone)


def lead_back(settings: Settings, folder: Path) -> None:
    """Lead `current` to a publish that is kept; the caller holds the links."""
    _swap(settings.current_path, folder)


def take_away(folder: Path) -> Path:
    """Take a publish out of the sight of readers, at once: removing its files takes a while."""
    gone = folder.with_name(f"{GONE}{folder.name}")
    folder.rename(gone)
    return gone


def remove(path: Path) -> None:
    """Remove a file, a link or a folder. A reader that has a file of it open keeps the file."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def sync(folder: Path) -> None:
    """Have the disk hold every file below a folder before its name says that it is complete."""
    for path in [folder, *folder.rglob("*")]:
        if path.is_dir():
            sync_folder(path)
        else:
            with path.open("rb") as file:
                os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Have the disk hold the names in a folder."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
