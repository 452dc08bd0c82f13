"""What the tests of compiled models share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.compiled_project import CompiledProject, InMemoryWarehouse


@pytest.fixture(scope="module")
def warehouse(compiled_project: CompiledProject) -> Iterator[InMemoryWarehouse]:
    """An empty warehouse in memory, one for all tests of a file."""
    warehouse = compiled_project.warehouse()
    yield warehouse
    warehouse.connection.close()
