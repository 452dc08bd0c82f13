"""A warehouse with two small published tables, as dbt would leave it."""

import duckdb

from orchestration.manifest import PublishedTable
from settings import Settings

TABLES = [
    PublishedTable("account_360", ("account_id",), "One row per account.", {"account_id": "Id."}),
    PublishedTable("account_months", ("account_id", "month"), "One row per month.", {}),
]


def fill(settings: Settings, accounts: int) -> None:
    """(Re)build the published tables with so many accounts, the last one first."""
    with duckdb.connect(str(settings.warehouse_path)) as connection:
        connection.execute(
            f"""
            create schema if not exists published;
            create or replace table published.account_360 as
                select 'a' || i as account_id, 10.00::decimal(18, 2) as ending_mrr,
                    date '2024-06-10' as as_of_date
                from range({accounts}) as numbers (i) order by i desc;
            create or replace table published.account_months as
                select 'a' || i as account_id, make_date(2024, m::int, 1) as month,
                    date '2024-06-10' as as_of_date
                from range({accounts}) as a (i), range(1, 3) as b (m) order by m desc, i desc;
            """
        )
