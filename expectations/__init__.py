"""Great Expectations in code: what must hold where data enters and where it leaves.

`arrival` looks at raw (volume, drift of columns, freshness), `release` at the candidate of a
publish (completeness, ranges, drift against the last publish). Keys, nulls, relations and accepted
values are dbt's; nothing here repeats them.

Great Expectations works on pandas only and takes five seconds or more to import. So each suite
looks at small frames that SQL sums up, and an `Examiner` holds the library in a process of its own
that imports it while the night does other things.
"""

from expectations.examiner import Examiner, ExaminerError, Finding, current_examiner
from expectations.frames import Frame

__all__ = ["Examiner", "ExaminerError", "Finding", "Frame", "current_examiner"]
