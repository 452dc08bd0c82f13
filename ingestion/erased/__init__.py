"""What has been erased: tombstones, and what they take out of records before these reach raw.

A tombstone is a salted hash of something that identifies an erased account or person (its id, an
e-mail address, a name), with the pseudonym that stands in its place. Nobody can read from it what
was erased, and whoever holds the salt can tell whether a record that lands is of it. Salt and
tombstones stand in `<home>/erasure/`, outside the warehouse, so that a warehouse which is built
anew keeps to them.

`Scrub` says what becomes of records. The same rules hold for records that stand in raw when
somebody is erased and for those that land afterwards, so that raw is the same either way. Bulk data
stays in the engine: through Python go only the distinct values that hold something erased.

`handles.py` says what identifies somebody and finds it in texts, `tombstones.py` keeps the hashes,
`rules.py` says what of a raw table goes, `scrub.py` what becomes of a relation, `landing.py` holds
what lands against all of this.
"""

from ingestion.erased.handles import (
    Handle,
    Search,
    in_words,
    is_distinct,
    is_told_from_text,
)
from ingestion.erased.landing import scrub_extract
from ingestion.erased.rules import DEPENDED_ON, Rules, raw_rules, text_columns
from ingestion.erased.scrub import Outcome, Scrub
from ingestion.erased.tombstones import Salt, Tombstones

__all__ = [
    "DEPENDED_ON",
    "Handle",
    "Outcome",
    "Rules",
    "Salt",
    "Scrub",
    "Search",
    "Tombstones",
    "in_words",
    "is_distinct",
    "is_told_from_text",
    "raw_rules",
    "scrub_extract",
    "text_columns",
]
