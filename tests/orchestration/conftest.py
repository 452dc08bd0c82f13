"""A home folder, empty or with a small warehouse in it."""

from pathlib import Path

import pytest

from settings import Settings, load_settings
from tests.orchestration.small_warehouse import fill


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(environ={}, home=tmp_path / "home", kept_publishes=2)


@pytest.fixture
def warehouse(settings: Settings) -> Settings:
    """Settings whose warehouse holds the two published tables, their rows in no order."""
    settings.home.mkdir()
    fill(settings, accounts=3)
    return settings
