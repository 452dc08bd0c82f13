"""Two small published files beside each other, as `Side`s of one connection."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any

import duckdb

from orchestration.comparison import Side, open_side

KEYS = {
    "account_360": ("account_id",),
    "account_mrr_monthly": ("account_id", "month"),
    "account_activity_daily": ("account_id", "day"),
    "account_metrics_daily": ("account_id", "metric", "day"),
    "account_health_daily": ("account_id", "day"),
    "account_timeline_counts": ("account_id", "source", "month"),
    "csm_monthly": ("csm_email", "month", "basis"),
    "portfolio_monthly": ("month",),
    "user_activity_daily": ("account_id", "user_id", "day"),
}
TABLES = {
    "account_360": "account_id varchar, as_of_date date",
    "account_mrr_monthly": "account_id varchar, currency varchar, ending_mrr decimal(18, 4),"
    " ending_mrr_reporting decimal(18, 4), is_provisional_loss boolean, month date",
    "account_activity_daily": "account_id varchar, dau bigint, session_seconds decimal(18, 6),"
    " day date",
    "account_metrics_daily": "account_id varchar, metric varchar, value double, day date",
    "account_health_daily": "account_id varchar, health_score integer, day date",
    "account_timeline_counts": "account_id varchar, source varchar, items bigint, month date",
    "csm_monthly": "csm_email varchar, basis varchar, ending_mrr decimal(18, 4), healthy bigint,"
    " month date",
    "portfolio_monthly": "ending_mrr decimal(18, 4), healthy bigint, month date",
    "user_activity_daily": "account_id varchar, user_id varchar, session_seconds double, day date",
}
CATALOG = {
    "ending_mrr": ("account_id, month", "account_mrr_monthly.ending_mrr"),
    "dau": ("account_id, day", "account_activity_daily.dau"),
    "session_seconds": ("account_id, user_id, day", "user_activity_daily.session_seconds"),
    "open_tickets": ("account_id, metric, day", "account_metrics_daily.value"),
    "custom:calls": ("account_id, metric, day", "account_metrics_daily.value"),
    "timeline_items": ("account_id, source, month", "account_timeline_counts.items"),
    "csm_ending_mrr": ("csm_email, month, basis", "csm_monthly.ending_mrr"),
    "csm_healthy": ("csm_email, month, basis", "csm_monthly.healthy"),
    "lifetime_revenue": ("account_id", "account_360.lifetime_revenue"),
}

Rows = Mapping[str, Iterable[Mapping[str, Any]]]


@contextmanager
def two_publishes(
    before: tuple[date, Rows],
    after: tuple[date, Rows],
    catalog: Sequence[str] = tuple(CATALOG),
):
    """A connection with `previous` and `candidate`, of an as-of date and rows of tables each.

    Every table exists on both sides; the catalogue of the former has the metrics in `catalog`.
    """
    with duckdb.connect() as connection:
        for name, (as_of, rows), metrics in (
            ("previous", before, catalog),
            ("candidate", after, tuple(CATALOG)),
        ):
            connection.execute(f"attach ':memory:' as {name}")
            for table, columns in TABLES.items():
                connection.execute(f"create table {name}.{table} ({columns})")
            connection.execute(
                f"create table {name}.metric_catalog"
                " (metric varchar, grain varchar, published_in varchar)"
            )
            for metric in metrics:
                connection.execute(
                    f"insert into {name}.metric_catalog values (?, ?, ?)",
                    [metric, *CATALOG[metric]],
                )
            connection.execute(f"insert into {name}.account_360 values ('a', ?)", [as_of])
            for table, given in rows.items():
                for row in given:
                    connection.execute(
                        f"insert into {name}.{table} ({', '.join(row)})"
                        f" values ({', '.join('?' for _ in row)})",
                        list(row.values()),
                    )
        yield connection, side(connection, "previous"), side(connection, "candidate")


def side(connection: duckdb.DuckDBPyConnection, name: str) -> Side:
    return open_side(connection, name, KEYS)
