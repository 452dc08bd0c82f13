"""Erasing an account or a person from everything that stands in a home folder.

    plan        what identifies the account or person (ids, e-mail addresses, names), from raw
    tombstones  salted hashes of it, so that it does not land again (ingestion.erased)
    warehouse   raw is copied into a new file without it, which takes the old one's place; what the
                next night builds from raw anyway is left out of the copy
    publishes   every kept file and its Parquet are written anew, where they hold it, and what is
                kept of their content: hashes, sums and counts of rows
    files       logs, run records and Dagster's history are cleansed of it
    search      every file, and what stands within, is searched for what was erased

Files are written anew and swapped in, never changed in place, so that no freed page keeps anything.
Landing files are the source's: nothing reads or changes them. What is to be erased is written down
until it is done, so that an erasure which was cut short can be taken up again by any later one.
"""

from orchestration.erasure.erasing import (
    Place,
    erase,
    finish_pending,
    has_pending,
    preview,
    refuse_pending,
)
from orchestration.erasure.plan import ErasureError, Plan, Subject, make_plan

__all__ = [
    "ErasureError",
    "Place",
    "Plan",
    "Subject",
    "erase",
    "finish_pending",
    "has_pending",
    "make_plan",
    "preview",
    "refuse_pending",
]
