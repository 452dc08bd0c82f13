"""One small demo for all tests of the room that only read."""

from __future__ import annotations

from pathlib import Path

import pytest

from sample_data import DemoSummary, write_demo


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> DemoSummary:
    return write_demo(tmp_path_factory.mktemp("demo") / "landing", scale=0.3)


@pytest.fixture(scope="session")
def full_demo(tmp_path_factory: pytest.TempPathFactory) -> DemoSummary:
    return write_demo(tmp_path_factory.mktemp("full_demo") / "landing")


@pytest.fixture(scope="session")
def landing(demo: DemoSummary) -> Path:
    return demo.landing
