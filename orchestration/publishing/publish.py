"""Publish: seal the candidate, lead readers to it, and tidy up after runs that ended anywhere."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from orchestration.content import note_standing
from orchestration.publishing.folder import (
    AS_OF_LINK,
    GONE,
    Lead,
    as_of_links,
    candidate_path,
    current_publish,
    lead_to,
    linked,
    links_held,
    publish_as_of,
    publish_folders,
    remove,
    sync,
    sync_folder,
    take_away,
    target_of,
)
from orchestration.publishing.sealing import Publish, adopt, history_of, newest_first, seal
from orchestration.rollbacks import read_rollbacks
from settings import Settings


@dataclass(frozen=True)
class Published:
    """Where a publish went: its folder, and the links that now lead to it."""

    publish_id: str
    folder: Path
    links: tuple[str, ...]
    tables: int
    rows: int

    @property
    def is_current(self) -> bool:
        """Whether readers of `published/current` see it."""
        return "current" in self.links


def publish_candidate(settings: Settings, publish: Publish, lead: Lead) -> Published:
    """Seal the candidate with its row of `audit_publishes`, name it, and lead readers to it.

    `lead` says by which links. Keeps the newest `kept_publishes` and whatever is linked.
    """
    current = current_publish(settings)
    is_older = current is not None and publish.as_of < publish_as_of(current)
    goes_beside = lead is Lead.BESIDE or (lead is Lead.BY_DATE and is_older)
    folder = settings.published_path / publish.publish_id
    tables, rows = seal(settings, publish)
    sync(candidate_path(settings))
    candidate_path(settings).rename(folder)
    sync_folder(settings.published_path)

    links = []
    beside = settings.published_path / f"{AS_OF_LINK}{publish.as_of}"
    if goes_beside or is_older or beside.is_symlink():
        lead_to(settings, beside, folder)
        links.append(beside.name)
    if not goes_beside:
        lead_to(settings, settings.current_path, folder)
        links.append(settings.current_path.name)

    heal(settings)
    with history_of(settings) as connection:
        note_standing(connection, publish.publish_id)
    _prune(settings)
    return Published(publish.publish_id, folder, tuple(links), tables, rows)


def heal(settings: Settings) -> None:
    """Bring folder and history into step after a run that ended anywhere.

    A folder that a link leads to was published, and so was one that readers were led away from: its
    row goes into `run.publishes` if it is not there. A folder that no link leads to and no history
    knows never was, and goes.
    """
    published = settings.published_path
    published.mkdir(parents=True, exist_ok=True)
    with links_held(settings):
        for pattern in (".candidate", ".current", f".{AS_OF_LINK}*", f"{GONE}*"):
            for leftover in published.glob(pattern):
                remove(leftover)
        seen = linked(settings) | _rolled_back(settings)
    with history_of(settings) as connection:
        for folder in sorted(seen):
            if folder.name not in newest_first(connection):
                adopt(connection, folder)
        known = newest_first(connection)
    with links_held(settings):
        seen |= linked(settings)
        gone = [
            take_away(folder)
            for folder in publish_folders(settings)
            if folder not in seen and folder.name not in known
        ]
    for folder in gone:
        remove(folder)


def _rolled_back(settings: Settings) -> set[Path]:
    """The publishes that rollbacks led away from or to, as far as they are kept."""
    named = {
        name for each in read_rollbacks(settings) for name in (each.from_publish, each.to_publish)
    }
    return {folder for folder in publish_folders(settings) if folder.name in named}


def _prune(settings: Settings) -> None:
    """Remove the oldest publishes that no link leads to, beyond `kept_publishes`."""
    with history_of(settings) as connection:
        names = newest_first(connection)
    with links_held(settings):
        by_name = {folder.name: folder for folder in publish_folders(settings)}
        beside = {target for target in map(target_of, as_of_links(settings)) if target}
        current = current_publish(settings)
        # What stands beside is kept for its own sake and does not count against the kept ones.
        candidates = [
            by_name[name]
            for name in names
            if name in by_name and by_name[name] not in beside and by_name[name] != current
        ]
        gone = [take_away(folder) for folder in candidates[settings.kept_publishes - 1 :]]
    for folder in gone:
        remove(folder)
