"""The sources: each lands the raw shape of one kind of system, under a folder of its own here.

The registry maps a source's name to the function that reads what is new of one domain. `native`
is the landing folder. A vendor's connector is one more folder and one more line.
"""

from __future__ import annotations

from collections.abc import Callable

from ingestion.sources.extract import Extract
from ingestion.sources.native import extract_native

SOURCES: dict[str, Callable[..., Extract]] = {"native": extract_native}

__all__ = ["SOURCES", "Extract"]
