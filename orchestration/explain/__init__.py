"""`account360 explain`: a published figure, taken apart down to the records.

Everything comes from the published file that readers see: the value from the table that the
catalogue names, the records from `metric_contributions`, the way between them from
`metric_lineage` and `column_lineage`, the checks from `audit_checks`. Figures of activity end at
user days there; which events a user day is made of stands in the warehouse alone, and is asked of
it, read-only, when it is free.

`answers.py` says what can be asked and what is answered, `publish.py` asks the published file,
`events.py` the warehouse, `arithmetic.py` works the formula, `report.py` writes the answer down.
"""

from orchestration.explain.answers import (
    Choice,
    Definition,
    ExplainError,
    Explanation,
    Question,
)
from orchestration.explain.arithmetic import shown
from orchestration.explain.publish import open_publish
from orchestration.explain.report import catalog_text, json_text, text

__all__ = [
    "Choice",
    "Definition",
    "ExplainError",
    "Explanation",
    "Question",
    "catalog_text",
    "json_text",
    "open_publish",
    "shown",
    "text",
]
