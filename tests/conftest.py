"""What tests of more than one room share."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.compiled_project import CompiledProject, compile_project


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whole nights first: else one worker would be left with them at the end."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all workers of one run of the suite share."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base


def made_once(folder: Path, make: Callable[[Path], object]) -> Path:
    """Let the first worker that comes fill `folder` with `make(folder)`; the others wait for it."""
    done = folder.with_suffix(".done")
    try:
        folder.mkdir()
    except FileExistsError:
        while not done.exists():
            time.sleep(0.1)
    else:
        try:
            make(folder)
        finally:
            done.touch()
    return folder


@pytest.fixture(scope="session")
def compiled_project(shared_folder: Path) -> CompiledProject:
    """The dbt project, compiled once for the whole suite."""
    folder = made_once(shared_folder / "compiled_project", compile_project)
    return CompiledProject(folder / "manifest.json")
