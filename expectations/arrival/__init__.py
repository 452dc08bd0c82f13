"""Raw: did it arrive whole, in the shape that was agreed, and lately?

`arrival_frames` sums a domain's raw schema up in SQL; `arrival_suite` says what must hold of it.
Types, keys and values of the records are judged later, in staging, where they can be counted.
"""

# ruff: noqa: S608 (the names in the SQL of this module are our own)

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

import duckdb

from expectations.frames import SUBJECT, Frame, quoted
from settings import OWN_ASSIGNMENTS

if TYPE_CHECKING:
    from expectations.validation import Suite

# Entities without which nothing else means anything: every other record hangs on an account.
_NEVER_EMPTY = ("crm.accounts",)
_UNPARSED_LIMIT_PCT = 50
_UNPARSED_FROM_LINES = 10
_FRESH_DAYS = 7


def arrival_frames(
    connection: duckdb.DuckDBPyConnection,
    domain: str,
    contract: Mapping[str, Sequence[str]],
    as_of: date,
    complete: Mapping[str, Sequence[str]],
    shrink_pct: float,
) -> dict[str, Frame]:
    """The frames of one domain, from its schema `raw_<domain>`.

    `contract` maps each entity to the columns it was agreed to have; `complete` maps those whose
    extracts are declared complete to their keys: one that lacks more than `shrink_pct` percent of
    the keys of the one before it was cut short. Frames: `entities` (records promised by
    `landed_files`, records found), `never_empty`, `columns` (type of each column, and whether it
    was agreed), `newest_load` (share of lines that could not be parsed), `freshness` (days from the
    newest extract, or where its name has no date its load, to the as-of date) and
    `complete_extracts` (share of keys that the newest one lost).
    """
    schema = f"raw_{domain}"
    records = " union all ".join(
        f"select '{entity}' as entity, count(*) as records from {schema}.{quoted(entity)}"
        for entity in contract
    )
    entities = Frame.from_query(
        connection,
        f"""
        select
            '{domain}.' || records.entity as {SUBJECT},
            coalesce(promised.records, 0) as promised,
            records.records as found
        from ({records}) as records
        left join (
            select
                entity,
                sum(rows_read - unparsed_rows - coalesce(erased_rows, 0))::bigint as records
            from {schema}.landed_files
            group by entity
        ) as promised on records.entity = promised.entity
        order by all
        """,
    )
    return {
        "entities": entities,
        "never_empty": Frame(
            entities.columns, [row for row in entities.rows if row[0] in _NEVER_EMPTY]
        ),
        "columns": _columns(connection, domain, contract),
        "newest_load": Frame.from_query(
            connection,
            f"""
            select
                '{domain}.' || entity as {SUBJECT},
                100.0 * sum(unparsed_rows) / sum(rows_read) as unparsed_pct
            from {schema}.landed_files
            where load_number = (select max(load_number) from {schema}.landed_files)
            group by entity
            having sum(rows_read) >= {_UNPARSED_FROM_LINES}
            order by all
            """,
        ),
        "freshness": Frame.from_query(
            connection,
            f"""
            select
                '{domain}' as {SUBJECT},
                date_diff('day', max(coalesce(extract_date, loaded_at::date)), ?::date) as days_old
            from {schema}.landed_files
            where not starts_with(location, '{OWN_ASSIGNMENTS}/')
            having count(*) > 0
            """,
            [as_of],
        ),
        "complete_extracts": Frame(
            [SUBJECT, "allowed_pct", "lost_pct"],
            [
                row
                for entity, key in complete.items()
                for row in _newest_extract(connection, domain, entity, key, as_of, shrink_pct).rows
            ],
        ),
    }


def _newest_extract(
    connection: duckdb.DuckDBPyConnection,
    domain: str,
    entity: str,
    key: Sequence[str],
    as_of: date,
    shrink_pct: float,
) -> Frame:
    """What the newest complete extract before the as-of date lost, where there is one before it."""
    columns = ", ".join(quoted(column) for column in key)
    return Frame.from_query(
        connection,
        f"""
        with

        files as (
            select
                location,
                max(load_number) as _load_number,
                max(extract_date) as extract_date
            from raw_{domain}.landed_files
            where entity = ? and not starts_with(location, '{OWN_ASSIGNMENTS}/')
            group by location
        ),

        dates as (
            select
                extract_date,
                row_number() over (order by extract_date desc) as age
            from (select distinct extract_date from files where extract_date < ?)
        ),

        listed as (
            select
                {columns},
                bool_or(dates.age = 1) as is_in_newest,
                bool_or(dates.age = 2) as is_in_last
            from raw_{domain}.{quoted(entity)} as records
            inner join files
                on
                    records._location = files.location
                    and records._load_number = files._load_number
            inner join dates
                on files.extract_date = dates.extract_date
            where dates.age <= 2
            group by {columns}
        )

        select
            concat(
                '{domain}.{entity} of ', max(extract_date), ', after ', min(extract_date)
            ) as {SUBJECT},
            ?::double as allowed_pct,
            100.0
            * (select count(*) from listed where is_in_last and not is_in_newest)
            / nullif((select count(*) from listed where is_in_last), 0) as lost_pct
        from dates
        where age <= 2
        having count(*) = 2 and lost_pct is not null
        """,
        [entity, as_of, shrink_pct],
    )


def _columns(
    connection: duckdb.DuckDBPyConnection, domain: str, contract: Mapping[str, Sequence[str]]
) -> Frame:
    """One row per column that was agreed or exists; dlt's and our own provenance left out."""
    return Frame.from_query(
        connection,
        f"""
        with

        agreed as (
            select unnest(?) as entity, unnest(?) as column_name
        ),

        existing as (
            select table_name as entity, column_name, data_type
            from duckdb_columns()
            where
                database_name = current_database()
                and schema_name = 'raw_{domain}'
                and table_name in (select entity from agreed)
                and not starts_with(column_name, '_')
        )

        select
            '{domain}.' || entity || '.' || column_name as {SUBJECT},
            coalesce(existing.data_type, 'no such column') as data_type,
            case when agreed.column_name is null then 'not agreed' else 'agreed' end as agreement
        from agreed
        full join existing using (entity, column_name)
        order by all
        """,
        [
            [entity for entity, columns in contract.items() for _ in columns],
            [column for columns in contract.values() for column in columns],
        ],
    )


def arrival_suite() -> Suite:
    """What must hold of the frames of a domain."""
    import great_expectations.expectations as gxe

    return {
        "entities": [
            gxe.ExpectColumnPairValuesToBeEqual(
                column_A="promised",
                column_B="found",
                severity="critical",
                description="raw holds every record that was read from its files",
            )
        ],
        "never_empty": [
            gxe.ExpectColumnValuesToBeBetween(
                column="found",
                min_value=1,
                severity="critical",
                description="accounts have landed: every other record hangs on one",
            )
        ],
        "columns": [
            gxe.ExpectColumnValuesToBeInSet(
                column="data_type",
                value_set=["VARCHAR"],
                severity="critical",
                description="every agreed column is there, as text",
            ),
            gxe.ExpectColumnValuesToBeInSet(
                column="agreement",
                value_set=["agreed"],
                severity="warning",
                description="no column is there that was not agreed",
            ),
        ],
        "newest_load": [
            gxe.ExpectColumnValuesToBeBetween(
                column="unparsed_pct",
                max_value=_UNPARSED_LIMIT_PCT,
                severity="critical",
                description="most lines of the newest load could be parsed",
            )
        ],
        "freshness": [
            gxe.ExpectColumnValuesToBeBetween(
                column="days_old",
                max_value=_FRESH_DAYS,
                severity="warning",
                description=f"the newest extract is at most {_FRESH_DAYS} days old",
            )
        ],
        "complete_extracts": [
            gxe.ExpectColumnPairValuesAToBeGreaterThanB(
                column_A="allowed_pct",
                column_B="lost_pct",
                or_equal=True,
                severity="critical",
                description="a complete extract lacks no more percent of the one before it than "
                "full_extract_shrink_pct allows",
            )
        ],
    }
