"""Write, audit, publish: how the warehouse becomes the file that readers open.

`published/` holds one folder per publish and links to some of them:

    .candidate/             what is being built and checked; no reader looks at it
    <publish_id>/           a publish: account360.duckdb and parquet/, complete, and changed by
                            nothing but an erasure; account360_without_personal_data.duckdb beside;
                            SHA256SUMS of all these
    current                 link to the publish that readers see; swapped atomically
    as_of=<date>            link to the publish of an as-of date before the current one's, or of
                            any that was backfilled
    rollbacks.jsonl         who led `current` back to which publish, and when (rollbacks.py)

A link is swapped, never a file: open readers keep what they have, every new connection sees the
new publish. A run may be killed between any two steps: `heal` removes what was not finished and
records what was.

`folder.py` knows that folder and its links, `candidate.py` builds what is to be published,
`sealing.py` writes down what it is, and `publish.py` leads readers to it.
"""

from orchestration.publishing.candidate import build_candidate, parquet_rows, warehouse_rows
from orchestration.publishing.folder import (
    DATABASE,
    WITHOUT_PERSONAL_DATA,
    Lead,
    PublishError,
    candidate_path,
    current_publish,
    kept_publishes,
    lead_back,
    links_held,
    links_to,
    previous_publish,
    publish_as_of,
    publish_folders,
    published_at,
)
from orchestration.publishing.publish import Published, heal, publish_candidate
from orchestration.publishing.sealing import (
    AUDIT_TABLE,
    CHECKS_TABLE,
    Check,
    Publish,
    code_version,
    own_columns,
    renew_audit,
    renew_history,
)
from orchestration.publishing.tables import copy_views, describe, export_table, hashed_text

__all__ = [
    "AUDIT_TABLE",
    "CHECKS_TABLE",
    "DATABASE",
    "WITHOUT_PERSONAL_DATA",
    "Check",
    "Lead",
    "Publish",
    "PublishError",
    "Published",
    "build_candidate",
    "candidate_path",
    "code_version",
    "copy_views",
    "current_publish",
    "describe",
    "export_table",
    "hashed_text",
    "heal",
    "kept_publishes",
    "lead_back",
    "links_held",
    "links_to",
    "own_columns",
    "parquet_rows",
    "previous_publish",
    "publish_as_of",
    "publish_candidate",
    "publish_folders",
    "published_at",
    "renew_audit",
    "renew_history",
    "warehouse_rows",
]
