"""A landing folder to fill, a home to load into, and a way to read raw back."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from ingestion import LoadReport, load_domain
from settings import Settings, load_settings

LOADED_AT = datetime(2024, 6, 10, 3, 0, tzinfo=UTC)


@dataclass
class Place:
    """One installation: `land` files, `load` a domain, `rows` of a raw table."""

    settings: Settings

    def land(self, location: str, content: str | bytes) -> Path:
        path = self.settings.landing / location
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def land_parquet(self, location: str, select: str, *options: str) -> Path:
        path = self.land(location, b"")
        with duckdb.connect() as connection:
            settings = ", ".join(("format parquet", *options))
            target = str(path).replace("'", "''")
            connection.execute(f"copy ({select}) to '{target}' ({settings})")
        return path

    def load(self, domain: str = "crm") -> LoadReport:
        return load_domain(domain, self.settings, LOADED_AT)

    def rows(self, table: str, *columns: str, order: str = "_location, _line") -> list[Any]:
        """The rows of `raw_<domain>.<table>`; of one column as values, of several as tuples."""
        with duckdb.connect(str(self.settings.warehouse_path)) as connection:
            found = connection.execute(
                f"select {', '.join(columns) or '*'} from raw_{table} order by {order}"
            ).fetchall()
        return [row[0] for row in found] if len(columns) == 1 else found

    def columns(self, table: str) -> dict[str, str]:
        with duckdb.connect(str(self.settings.warehouse_path)) as connection:
            return {
                name: type_
                for name, type_, *_ in connection.execute(f"describe raw_{table}").fetchall()
            }


@pytest.fixture(scope="session")
def empty_crm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which the tables of crm exist and nothing was ever landed."""
    place = Place(load_settings(environ={}, home=tmp_path_factory.mktemp("empty_crm") / "home"))
    place.load()
    return place.settings.home


@pytest.fixture
def place(tmp_path: Path, empty_crm: Path) -> Place:
    """A home as it is after a first night without files: making the tables takes a second."""
    shutil.copytree(empty_crm, tmp_path / "home")
    return Place(load_settings(environ={}, home=tmp_path / "home"))


@pytest.fixture
def new_place(tmp_path: Path) -> Place:
    """No home at all."""
    return Place(load_settings(environ={}, home=tmp_path / "home"))
