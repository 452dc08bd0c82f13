"""Drafts: records on their way to a landing file, each in the slot (night) that first knows it.

A generator hands over a record with the instant at which the source knew it; the drafts decide the
night. Like a real extract, one night carries the last state of a key, and nothing of later days.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import pyarrow as pa

from sample_data.calendar import HISTORY, Calendar
from sample_data.contract import LAYOUTS

Record = dict[str, Any]


@dataclass
class Draft:
    """One record (or, with `raw`, one line as it will stand in the file) and the case it shows."""

    record: Record
    case: str | None = None
    note: str = ""
    is_reject: bool = False
    raw: str | None = None


@dataclass
class BulkCase:
    """An awkward case that many event records show: counted, with one of them as the example."""

    kind: str
    entity: str
    slot: int
    key: str
    note: str


@dataclass
class Drafts:
    """All drafts, by entity and slot, in the order in which they were put."""

    calendar: Calendar
    slots: dict[str, dict[int, list[Draft]]] = field(default_factory=dict)
    tables: dict[str, pa.Table] = field(default_factory=dict)
    bulk_cases: list[BulkCase] = field(default_factory=list)
    redelivered: list[tuple[str, int]] = field(default_factory=list)
    _places: dict[tuple[Any, ...], int] = field(default_factory=dict)

    def put(
        self,
        entity: str,
        record: Record,
        known: datetime | date,
        *,
        case: str | None = None,
        note: str = "",
        late: int = 0,
    ) -> None:
        """Add a record that the source knew at `known`; dropped when that is after the last night.

        A later version of a key in the same slot takes the earlier one's place, unless the entity
        keeps its versions. `late` delays the delivery by that many nights.
        """
        slot = self.calendar.slot_of(known.date() if isinstance(known, datetime) else known)
        if slot is None:
            return
        if late:
            slot = min(max(slot, 0) + late, self.calendar.nights - 1)
        drafts = self.slots.setdefault(entity, {}).setdefault(slot, [])
        draft = Draft(record, case, note)
        layout = LAYOUTS[entity]
        if not layout.key or layout.keeps_versions:
            drafts.append(draft)
            return
        place = (entity, slot, *(record[column] for column in layout.key))
        index = self._places.setdefault(place, len(drafts))
        if index == len(drafts):
            drafts.append(draft)
            return
        if case is None:
            draft.case, draft.note = drafts[index].case, drafts[index].note
        drafts[index] = draft

    def put_as_is(self, entity: str, slot: int, draft: Draft) -> None:
        """Add a draft to a slot whatever its key: for rejects, duplicates and broken lines."""
        drafts = self.slots.setdefault(entity, {}).setdefault(slot, [])
        drafts.append(draft)

    def of(self, entity: str, slot: int) -> list[Draft]:
        """Return the drafts of a slot (empty where there are none)."""
        return self.slots.get(entity, {}).get(slot, [])

    def text_slot(self, entity: str, wanted: int) -> int:
        """Return the slot for a record that only a text file can carry.

        The backfill where it is text; else the wanted night, since a typed Parquet column cannot
        hold what does not parse.
        """
        if LAYOUTS[entity].history == "parquet":
            return self.calendar.night(wanted)
        return HISTORY
