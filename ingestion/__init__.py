"""From the landing folder to raw: files in, text tables with provenance out, through dlt.

What belongs here: finding, reading and landing files; the contract of what may land. What does
not: types, versions, deduplication and rejects of values (dbt staging), and any figure.

`load_domain(domain, settings, loaded_at)` is the way in; `python -m ingestion crm` is the same
from a shell. Importing this package is cheap: dlt and pyarrow are imported when there is something
to load.
"""

from ingestion.entities import DOMAINS, ENTITIES, Entity
from ingestion.load import load_domain
from ingestion.report import LoadedFile, LoadReport, Problem, UnknownColumn
from ingestion.transient import may_pass

__all__ = [
    "DOMAINS",
    "ENTITIES",
    "Entity",
    "LoadReport",
    "LoadedFile",
    "Problem",
    "UnknownColumn",
    "load_domain",
    "may_pass",
]
