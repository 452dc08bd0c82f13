"""Dagster's storage of a home folder, also one that another version of Dagster left.

Dagster opens an older storage as it is and fails later, at the first column that it lacks. So the
version that has the storage stands beside it, and another one upgrades it first. What cannot be
upgraded (it is newer, or broken) is moved aside: it holds the history of runs, and nothing that a
night needs.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dagster import DagsterInstance

_PARTS = ("history", "schedules", "storage")


def open_storage(folder: Path, tell: Callable[[str], None]) -> DagsterInstance:
    """The instance of a folder with a `dagster.yaml`; what was done about its version is told."""
    from dagster import DagsterInstance

    ours, file = version("dagster"), folder / "version"
    theirs = file.read_text("utf-8").strip() if file.exists() else "an unknown version"
    if theirs != ours and (folder / "history").exists():
        try:
            with DagsterInstance.from_config(str(folder)) as instance:
                instance.upgrade()
        except Exception as error:  # whatever it is: a night does not hang on the history of runs
            kept = _set_aside(folder, theirs)
            tell(
                f"Dagster's history of runs, of {theirs}, cannot be used by {ours} and was moved "
                f"to {kept}: {type(error).__name__}: {str(error).splitlines()[0]}"
            )
    file.write_text(f"{ours}\n", "utf-8")
    return DagsterInstance.from_config(str(folder))


def _set_aside(folder: Path, theirs: str) -> Path:
    """Move the storage into a folder of its own; where that is."""
    name = "before_" + theirs.replace(" ", "_")
    number = 1
    while (kept := folder / f"{name}_{number}").exists():
        number += 1
    kept.mkdir()
    for part in _PARTS:
        if (folder / part).exists():
            (folder / part).rename(kept / part)
    return kept
