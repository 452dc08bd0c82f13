"""The as-of dates that a night can be run for. `today` is where the program reads the clock."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from settings import Settings

FIRST_AS_OF = date(2000, 1, 1)


def today(settings: Settings) -> date:
    """Today in the reporting time zone."""
    return datetime.now(ZoneInfo(settings.reporting_time_zone)).date()
