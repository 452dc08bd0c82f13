"""The candidate of a publish: is it complete, in range, and near the last one?

`release_frames` sums the candidate up in SQL; `release_suite` says what must hold of it, and of the
frames of `expectations/release/drift.py`. Keys, relations and accepted values were tested by dbt in
the warehouse already.
"""

# ruff: noqa: S608 (the names in the SQL of this module are our own)

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import duckdb

from expectations.frames import SUBJECT, Frame, quoted
from expectations.release.drift import BLOCK, WARN

if TYPE_CHECKING:
    from great_expectations.expectations.expectation import Expectation

    from expectations.validation import Suite

_NEVER_EMPTY = ("account_360",)

# The view that says of each figure whether its contributions add up to it. A rank is made of all
# other users, and is closed by tests.
_CLOSURE = "metric_closure"
_NOT_CLOSED = ("activity_rank", "activity_rank_in_account")


@dataclass(frozen=True)
class Range:
    """What a published column may hold, in its own unit; None: no limit."""

    table: str
    column: str
    lowest: float | None
    highest: float | None


# Bounds that hold by definition. A column that is not published yet is skipped.
RANGES = (
    Range("account_360", "csm_score", 0, 100),
    Range("account_360", "health_score", 0, 100),
    Range("account_360", "nps_current", -100, 100),
    Range("account_mrr_monthly", "expansion_mrr", 0, None),
    Range("account_mrr_monthly", "contraction_mrr", None, 0),
    Range("account_health_daily", "health_score", 0, 100),
    Range("csm_monthly", "logo_churn_pct", 0, 100),
    Range("csm_monthly", "renewal_rate_accounts_pct", 0, 100),
    Range("portfolio_monthly", "logo_churn_pct", 0, 100),
    Range("portfolio_monthly", "renewal_rate_accounts_pct", 0, 100),
)

# Allowed, but worth a look: a negative subscription amount is kept, and flagged here.
USUAL_RANGES = (
    Range("account_360", "subscription_mrr", 0, None),
    Range("account_mrr_monthly", "ending_mrr", 0, None),
)


def release_frames(
    connection: duckdb.DuckDBPyConnection,
    expected: Mapping[str, int],
    parquet_rows: Mapping[str, int],
    as_of: date,
    views: Sequence[str] = (),
) -> dict[str, Frame]:
    """The frames of a candidate, `connection` being open on its DuckDB file.

    `expected` maps each table that must be published to its rows in the warehouse, `parquet_rows`
    those found as Parquet; `views` are those over published tables, which have no rows of their
    own. Frames: `presence`, `tables` (rows in warehouse, file and Parquet), `never_empty`, `as_of`
    (the dates that stand in each table), `ranges` and `usual_ranges` (values beyond a bound) and
    `closure` (metrics, and whether the contributions to their figures of the last full day add up).
    """
    found = _rows(connection, _tables(connection, "main"))
    tables = Frame(
        [SUBJECT, "expected", "found", "parquet"],
        [
            [name, expected.get(name, 0), found.get(name, 0), parquet_rows.get(name, 0)]
            for name in sorted({*expected, *found})
        ],
    )
    return {
        "presence": Frame(
            [SUBJECT, "state"],
            [
                *([name, _presence(name, found, parquet_rows)] for name in sorted(expected)),
                *([name, _presence_of_view(connection, name)] for name in sorted(views)),
            ],
        ),
        "tables": tables,
        "never_empty": Frame(
            tables.columns, [row for row in tables.rows if row[0] in _NEVER_EMPTY]
        ),
        "as_of": _as_of(connection, found, as_of),
        "ranges": _ranges(connection, RANGES),
        "usual_ranges": _ranges(connection, USUAL_RANGES),
        "closure": _closure(connection, as_of)
        if _CLOSURE in views
        else Frame(_CLOSURE_COLUMNS, []),
    }


def _presence(name: str, found: Mapping[str, int], parquet_rows: Mapping[str, int]) -> str:
    if name in found and name in parquet_rows:
        return "published"
    return "missing" if name not in parquet_rows else "missing in the DuckDB file"


def _presence_of_view(connection: duckdb.DuckDBPyConnection, name: str) -> str:
    """Whether a view stands in the file, on tables that are there and as it knows them."""
    try:
        connection.execute(f"select * from {quoted(name)} limit 0")
    except (duckdb.CatalogException, duckdb.BinderException) as error:
        return f"does not answer: {str(error).partition('!')[0]}"
    return "published"


def _tables(connection: duckdb.DuckDBPyConnection, schema: str) -> dict[str, set[str]]:
    """The tables, but for views, of a schema of the current database, with their columns."""
    rows = connection.execute(
        """
        select columns.table_name, list(columns.column_name)
        from duckdb_columns() as columns
        inner join duckdb_tables() as tables using (database_oid, schema_oid, table_oid)
        where columns.database_name = current_database() and columns.schema_name = ?
        group by columns.table_name
        """,
        [schema],
    ).fetchall()
    return {name: set(columns) for name, columns in rows}


def _rows(connection: duckdb.DuckDBPyConnection, tables: Iterable[str]) -> dict[str, int]:
    counts = " union all ".join(f"select '{name}', count(*) from {quoted(name)}" for name in tables)
    return dict(connection.execute(counts).fetchall()) if counts else {}


def _as_of(connection: duckdb.DuckDBPyConnection, found: Mapping[str, int], as_of: date) -> Frame:
    """One row per table and as-of date that stands in it; the night's own date is `expected`."""
    columns = [SUBJECT, "as_of_date", "expected"]
    tables = _tables(connection, "main")
    rows: list[list[str]] = []
    for name in sorted(found):
        if "as_of_date" not in tables[name]:
            rows.append([name, "no column as_of_date", as_of.isoformat()])
            continue
        dates = connection.execute(
            f"select distinct as_of_date::varchar from {quoted(name)} order by 1"
        ).fetchall()
        rows += [[name, str(day), as_of.isoformat()] for (day,) in dates]
    return Frame(columns, rows)


def _ranges(connection: duckdb.DuckDBPyConnection, ranges: Iterable[Range]) -> Frame:
    """One row per bound of a column that exists; `state` is `inside` or the value that is not."""
    tables = _tables(connection, "main")
    rows: list[list[str]] = []
    for limit in ranges:
        if limit.column not in tables.get(limit.table, set()):
            continue
        column = f"{quoted(limit.column)}::double"
        lowest, highest = connection.execute(
            f"select min({column}), max({column}) from {quoted(limit.table)}"
        ).fetchone() or (None, None)
        subject = f"{limit.table}.{limit.column}"
        if limit.lowest is not None and lowest is not None:
            outside = f"{lowest:g} (at least {limit.lowest:g})"
            rows.append([subject, "inside" if lowest >= limit.lowest else outside])
        if limit.highest is not None and highest is not None:
            outside = f"{highest:g} (at most {limit.highest:g})"
            rows.append([subject, "inside" if highest <= limit.highest else outside])
    return Frame([SUBJECT, "state"], rows)


_CLOSURE_COLUMNS = [SUBJECT, "figures", "closed"]


def _closure(connection: duckdb.DuckDBPyConnection, as_of: date) -> Frame:
    """One row per metric with figures of the last full day: how many, and how many close.

    The day stands in the query as a constant, so that no other day is computed.
    """
    last_full_day = as_of - timedelta(days=1)
    left_out = ", ".join(f"'{metric}'" for metric in _NOT_CLOSED)
    rows = connection.execute(
        f"select metric, count(*), count(*) filter (where closes) from {_CLOSURE} "
        f"where period = date '{last_full_day}' and metric not in ({left_out}) "
        "group by metric order by metric"
    ).fetchall()
    return Frame(_CLOSURE_COLUMNS, [list(row) for row in rows])


def release_suite() -> Suite:
    """What must hold of the frames of a candidate."""
    import great_expectations.expectations as gxe

    return {
        "presence": [
            gxe.ExpectColumnValuesToBeInSet(
                column="state",
                value_set=["published"],
                severity="critical",
                description="every published table stands in the DuckDB file and as Parquet",
            )
        ],
        "tables": [
            gxe.ExpectColumnPairValuesToBeEqual(
                column_A="expected",
                column_B="found",
                severity="critical",
                description="each table has as many rows in the DuckDB file as in the warehouse",
            ),
            gxe.ExpectColumnPairValuesToBeEqual(
                column_A="found",
                column_B="parquet",
                severity="critical",
                description="each table has as many rows as Parquet as in the DuckDB file",
            ),
        ],
        "never_empty": [
            gxe.ExpectColumnValuesToBeBetween(
                column="found",
                min_value=1,
                severity="critical",
                description="account_360 has accounts",
            )
        ],
        "as_of": [
            gxe.ExpectColumnPairValuesToBeEqual(
                column_A="expected",
                column_B="as_of_date",
                severity="critical",
                description="every table is of the night's as-of date",
            )
        ],
        "ranges": [
            gxe.ExpectColumnValuesToBeInSet(
                column="state",
                value_set=["inside"],
                severity="critical",
                description="figures stay within the bounds of their definition",
            )
        ],
        "usual_ranges": [
            gxe.ExpectColumnValuesToBeInSet(
                column="state",
                value_set=["inside"],
                severity="warning",
                description="no MRR is negative",
            )
        ],
        "closure": [
            gxe.ExpectColumnPairValuesToBeEqual(
                column_A="figures",
                column_B="closed",
                severity="critical",
                description="the contributions to every figure of the last full day add up to it",
            )
        ],
        BLOCK: _within("critical"),
        WARN: _within("warning"),
    }


def _within(severity: str) -> list[Expectation]:
    """Changes against their limits, of which one may be absent."""
    import great_expectations.expectations as gxe

    return [
        gxe.ExpectColumnPairValuesAToBeGreaterThanB(
            column_A=larger,
            column_B=smaller,
            or_equal=True,
            ignore_row_if="either_value_is_missing",
            severity=severity,
            description=f"no figure {what} since the last publish by more than is allowed",
        )
        for larger, smaller, what in (
            ("change", "lowest", "fell"),
            ("highest", "change", "rose or moved"),
        )
    ]
