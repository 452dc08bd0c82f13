"""Drift against the last publish: what is measured, what is judged, and what is told."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import duckdb
import numpy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from expectations.release.drift import (
    BLOCK,
    WARN,
    drift_frames,
    drift_results,
    measure_drift,
    unknown_names,
)
from settings.release import DriftCheck, Limits, Release

ROWS = DriftCheck("t", "rows", None, None, (), 100, "%", Limits(-5, 50), Limits(-20, None))
TOTAL = DriftCheck("t", "total", "x", None, (), 1, "%", Limits(-10, 10), Limits(-50, 50))
BY = DriftCheck("t", "total", "x", "c", (), 1, "%", Limits(-10, 10), None)
SHARES = DriftCheck("t", "shares", "c", None, (), 1, "% of rows", None, Limits(-20, 20))
NULLS = DriftCheck("t", "nulls", "c", None, (), 1, "% of rows", Limits(-10, 10), None)
QUANTILES = DriftCheck("t", "quantiles", "x", None, (0.5,), 1, "", Limits(-5, 5), None)


@pytest.fixture(scope="module")
def examiner():
    from expectations import Examiner

    examiner = Examiner()
    yield examiner
    examiner.close()


def publish(path: Path, rows: str) -> Path:
    """A file with a table t of the rows of a query."""
    path.unlink(missing_ok=True)
    with duckdb.connect(str(path)) as connection:
        connection.execute(f"create table t as {rows}")
    return path


def changes(folder: Path, *checks: DriftCheck, before: str, now: str, gap_days: int = 1):
    previous = publish(folder / "before.duckdb", before)
    candidate = publish(folder / "now.duckdb", now)
    with duckdb.connect(str(candidate), read_only=True) as connection:
        return measure_drift(connection, Release(7, checks), previous, gap_days)


def some(rows: int, x: str = "i", c: str = "'a'") -> str:
    return f"select {x} as x, {c} as c from range({rows}) as numbers (i)"


@pytest.mark.parametrize(
    ("check", "before", "now", "expected"),
    [
        (ROWS, some(200), some(90), [("", "200", "90", -55.0)]),
        (ROWS, some(99), some(1), []),
        (TOTAL, some(10, "5"), some(10, "6"), [("", "50.00", "60.00", 20.0)]),
        (TOTAL, some(10, "-5"), some(10, "-6"), [("", "-50.00", "-60.00", -20.0)]),
        (TOTAL, some(10, "0"), some(10, "6"), []),
        (TOTAL, some(10, "5"), some(10, "null::integer"), [("", "50.00", "0.00", -100.0)]),
        (
            BY,
            some(10, "5", "case when i < 4 then 'EUR' else 'USD' end"),
            some(6, "5", "'USD'"),
            [("EUR", "20.00", "0.00", -100.0), ("USD", "30.00", "30.00", 0.0)],
        ),
        (
            SHARES,
            some(10, c="case when i < 5 then 'a' when i < 9 then 'b' end"),
            some(20, c="case when i < 10 then 'a' else 'd' end"),
            [("", "0.0 % d", "50.0 %", 50.0)],
        ),
        (SHARES, some(10), some(10).replace("range(10)", "range(0)"), []),
        (
            NULLS,
            some(10),
            some(8, c="case when i < 6 then 'a' end"),
            [("", "0.0 %", "25.0 %", 25.0)],
        ),
        (QUANTILES, some(11), some(11, "i * 2"), [("0.5", "5", "10", 5.0)]),
        (QUANTILES, some(11), some(11, "null::integer"), []),
    ],
)
def test_a_change_is_measured(tmp_path, check, before, now, expected):
    found = changes(tmp_path, check, before=before, now=now)
    assert [(c.part, c.before, c.now, pytest.approx(c.change)) for c in found] == expected


def test_a_first_publish_and_what_one_side_lacks_are_not_compared(tmp_path):
    candidate = publish(tmp_path / "now.duckdb", some(200))
    with duckdb.connect(str(candidate), read_only=True) as connection:
        assert measure_drift(connection, Release(7, (ROWS,)), None, 0) == []
    other = DriftCheck("gone", "rows", None, None, (), 1, "%", Limits(-5, 5), None)
    before = "select 1 as y from range(200)"
    found = changes(tmp_path, ROWS, TOTAL, other, before=before, now=some(200))
    assert [change.check for change in found] == [ROWS]


@pytest.mark.parametrize(
    ("gap_days", "check", "warn", "block"),
    [
        (7, ROWS, (-5, 50), (-20, None)),
        (14, ROWS, (-10, 100), (-40, None)),
        (70, ROWS, (-50, 500), (-90, None)),
        (70, SHARES, None, (-90, 90)),
        (70, QUANTILES, (-50, 50), None),
    ],
)
def test_limits_grow_with_the_days_since_the_last_publish(tmp_path, gap_days, check, warn, block):
    both = some(200)
    (found, *_) = changes(tmp_path, check, before=both, now=both, gap_days=gap_days)
    limits = [one and (one.lowest, one.highest) for one in (found.warn, found.block)]
    assert limits == [warn, block]


def test_a_limit_wider_than_all_stays_as_it_is(tmp_path):
    wide = DriftCheck("t", "rows", None, None, (), 1, "%", None, Limits(-95, None))
    (found,) = changes(tmp_path, wide, before=some(9), now=some(9), gap_days=70)
    assert found.block == Limits(-95, None)


def test_what_goes_beyond_its_limits_is_told_by_check(tmp_path, examiner):
    release = Release(7, (ROWS, TOTAL, BY, SHARES))
    found = changes(
        tmp_path,
        *release.drift,
        before=some(200, "1", "case when i < 100 then 'a' else 'b' end"),
        now=some(180, "1", "case when i < 98 then 'a' else 'b' end"),
    )
    findings = examiner.examine("release", drift_frames(found))
    assert {finding.frame for finding in findings} == {BLOCK, WARN}
    told = {
        one.check.name: (one.blocked, one.warned) for one in drift_results(release, found, findings)
    }
    assert told == {
        "drift.t.rows": (
            [],
            ["rows of t: 200 before, 180 now (-10.0 %; allowed is -5 % to +50 %)"],
        ),
        "drift.t.x.total": ([], []),
        "drift.t.x.total_by_c": (
            [],
            ["total of t.x of b: 100.00 before, 82.00 now (-18.0 %; allowed is -10 % to +10 %)"],
        ),
        "drift.t.c.shares": ([], []),
    }


def test_half_of_the_rows_gone_blocks_and_is_told_once(tmp_path, examiner):
    release = Release(7, (ROWS, SHARES))
    found = changes(
        tmp_path,
        *release.drift,
        before=some(200, "1", "case when i < 100 then 'a' else 'b' end"),
        now=some(100, "1", "'a'"),
    )
    rows, shares = drift_results(release, found, examiner.examine("release", drift_frames(found)))
    assert rows.blocked == ["rows of t: 200 before, 100 now (-50.0 %; allowed is down to -20 %)"]
    assert rows.warned == []
    assert shares.failed == [
        "distribution of t.c: 50.0 % a before, 100.0 % now "
        "(+50.0 % of rows; allowed is up to 20 % of rows)"
    ]


def test_a_name_that_is_not_published_is_found():
    unknown = unknown_names([ROWS, BY], {"t": ["x"]})
    assert unknown == [(BY, "c")]
    assert unknown_names([ROWS], {"u": ["x"]}) == [(ROWS, "t")]


_VALUES = st.lists(
    st.tuples(
        st.one_of(st.none(), st.integers(-9, 9)), st.one_of(st.none(), st.sampled_from("abc"))
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=40, deadline=None)
@given(before=_VALUES, now=_VALUES)
def test_measures_are_those_of_a_plain_count(tmp_path_factory, before, now):
    folder = tmp_path_factory.mktemp("drift")

    def query(rows):
        listed = ", ".join(
            f"({'null' if x is None else x}, {'null' if c is None else repr(c)})" for x, c in rows
        )
        return f"select x::integer as x, c::varchar as c from (values {listed}) as rows (x, c)"

    checks = (
        DriftCheck("t", "rows", None, None, (), 1, "%", Limits(0, 0), None),
        TOTAL,
        SHARES,
        NULLS,
        QUANTILES,
    )
    found = {
        change.check.measure: change.change
        for change in changes(folder, *checks, before=query(before), now=query(now))
    }

    def total(rows):
        return sum(x for x, _ in rows if x is not None)

    def share(rows):
        counted = Counter(c for _, c in rows)
        return {c: counted[c] / len(rows) for c in (None, "a", "b", "c")}

    def median(rows):
        values = [x for x, _ in rows if x is not None]
        return float(numpy.median(values)) if values else None

    expected = {
        "rows": 100 * (len(now) / len(before) - 1),
        "shares": 50 * sum(abs(share(now)[c] - share(before)[c]) for c in share(now)),
        "nulls": 100 * (share(now)[None] - share(before)[None]),
    }
    if total(before):
        expected["total"] = 100 * (total(now) - total(before)) / abs(total(before))
    if median(before) is not None and median(now) is not None:
        expected["quantiles"] = median(now) - median(before)
    assert found == pytest.approx(expected)
