"""Raw: did it arrive whole, in the shape that was agreed, and lately?

`arrival_frames` sums a domain's raw schema up in SQL; `arrival_suite` says what must hold of it.
Types, keys and values of the records are judged later, in staging, where they can be counted.
"""

# ruff: noqa: S608 (the names in the SQL of this module are our own)

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

import duckdb

from expectations.arrival.clocks import clock_frame
from expectations.arrival.drift import drifts
from expectations.frames import SUBJECT, Frame, quoted
from settings import OWN_ASSIGNMENTS

if TYPE_CHECKING:
    from great_expectations.expectations.expectation import Expectation

    from expectations.validation import Suite

# Entities without which nothing else means anything: every other record hangs on an account.
_NEVER_EMPTY = ("crm.accounts",)
_UNPARSED_LIMIT_PCT = 50
_UNPARSED_FROM_LINES = 10
_AS_BEFORE = "as before"


@dataclass(frozen=True)
class Stale:
    """From how many days on a source is stale, and whether that ends the night."""

    after_days: int = 7
    blocks: bool = False


@dataclass(frozen=True)
class Agreement:
    """What was agreed on with the sources of one domain.

    contract, keys: entity → its columns, and those that identify a record. complete: entities whose
    extracts are declared complete; one that lacks more than `shrink_pct` percent of the keys of the
    one before it was cut short. stale: of the domain as a whole under '', of entities with a
    rule of their own. accepted_drift: columns that may come otherwise than before. clock_skew_pct:
    share of a load's events that may have a wrong clock. time_zone: in which days end.
    """

    contract: Mapping[str, Sequence[str]]
    keys: Mapping[str, Sequence[str]] = field(default_factory=dict)
    complete: Collection[str] = ()
    shrink_pct: float = 20
    stale: Mapping[str, Stale] = field(default_factory=lambda: {"": Stale()})
    accepted_drift: Sequence[str] = ()
    clock_skew_pct: float = 1
    time_zone: str = "UTC"


def arrival_frames(
    connection: duckdb.DuckDBPyConnection, domain: str, agreement: Agreement, as_of: date
) -> dict[str, Frame]:
    """The frames of one domain, from its schema `raw_<domain>`.

    Frames: `entities` (records promised by `landed_files`, records found), `never_empty`,
    `columns` (type of each agreed column), `drift` and `drift_of_keys` (what has become of columns
    since the files before), `newest_load` (share of lines that could not be parsed), `freshness`
    and `freshness_that_blocks` (days from the newest extract, or where its name has no date its
    load, to the as-of date), `complete_extracts` (share of keys that the newest one lost) and
    `clocks` (share of events whose clocks are wrong).
    """
    contract, complete = agreement.contract, agreement.complete
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
        **_freshness(connection, domain, agreement.stale, as_of),
        **_drift(connection, domain, agreement),
        **(
            {"clocks": clock_frame(connection, agreement.clock_skew_pct, agreement.time_zone)}
            if domain == "events"
            else {}
        ),
        "complete_extracts": Frame(
            [SUBJECT, "allowed_pct", "lost_pct"],
            [
                row
                for entity in complete
                for row in _newest_extract(
                    connection, domain, entity, agreement.keys[entity], as_of, agreement.shrink_pct
                ).rows
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


def _freshness(
    connection: duckdb.DuckDBPyConnection, domain: str, stale: Mapping[str, Stale], as_of: date
) -> dict[str, Frame]:
    """One row per domain or entity that has landed: days since its newest extract, days allowed.

    An extract of after the as-of date says nothing of how fresh the source was then. One without a
    date holds for every as-of date, and is at most as old as its load.
    """
    frames = {
        name: Frame([SUBJECT, "allowed_days", "days_old"], [])
        for name in ("freshness", "freshness_that_blocks")
    }
    for entity, rule in stale.items():
        rows = Frame.from_query(
            connection,
            f"""
            with

            extracts as (
                select coalesce(extract_date, least(loaded_at::date, $as_of)) as extract_date
                from raw_{domain}.landed_files
                where
                    not starts_with(location, '{OWN_ASSIGNMENTS}/')
                    and $entity in ('', entity)
            )

            select
                concat($subject, ', newest extract of ', max(extract_date)) as {SUBJECT},
                {rule.after_days:d} as allowed_days,
                date_diff('day', max(extract_date), $as_of) as days_old
            from extracts
            where extract_date <= $as_of
            having count(*) > 0
            """,
            {
                "entity": entity,
                "as_of": as_of,
                "subject": f"{domain}.{entity}" if entity else domain,
            },
        ).rows
        frames["freshness_that_blocks" if rule.blocks else "freshness"].rows.extend(rows)
    return frames


def _drift(
    connection: duckdb.DuckDBPyConnection, domain: str, agreement: Agreement
) -> dict[str, Frame]:
    """One row per column that came otherwise than before, in words; without any, one that says so.

    What takes records from those that they belong to stands in the frame that blocks.
    """
    found = drifts(connection, domain, agreement.contract, agreement.keys, agreement.accepted_drift)
    frames = {}
    for name, blocks in (("drift", False), ("drift_of_keys", True)):
        rows = [[drift.subject, drift.says] for drift in found if drift.blocks is blocks]
        frames[name] = Frame([SUBJECT, "drift"], rows or [[domain, _AS_BEFORE]])
    return frames


def _columns(
    connection: duckdb.DuckDBPyConnection, domain: str, contract: Mapping[str, Sequence[str]]
) -> Frame:
    """One row per column that was agreed."""
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
            coalesce(existing.data_type, 'no such column') as data_type
        from agreed
        left join existing using (entity, column_name)
        order by all
        """,
        [
            [entity for entity, columns in contract.items() for _ in columns],
            [column for columns in contract.values() for column in columns],
        ],
    )


def _is_fresh(severity: str) -> Expectation:
    import great_expectations.expectations as gxe

    return gxe.ExpectColumnPairValuesAToBeGreaterThanB(
        column_A="allowed_days",
        column_B="days_old",
        or_equal=True,
        severity=severity,
        description="on the as-of date the newest extract is no more days old than"
        " stale_after_days allows (land a newer one, or raise that setting for this source"
        + (", or set it to warn in stale_sources)" if severity == "critical" else ")"),
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
        ],
        "drift": [
            gxe.ExpectColumnValuesToBeInSet(
                column="drift",
                value_set=[_AS_BEFORE],
                severity="warning",
                description="columns come as they were agreed, and as in the files before",
            )
        ],
        "drift_of_keys": [
            gxe.ExpectColumnValuesToBeInSet(
                column="drift",
                value_set=[_AS_BEFORE],
                severity="critical",
                description="keys come in the form that they had in the files before",
            )
        ],
        "newest_load": [
            gxe.ExpectColumnValuesToBeBetween(
                column="unparsed_pct",
                max_value=_UNPARSED_LIMIT_PCT,
                severity="critical",
                description="most lines of the newest load could be parsed",
            )
        ],
        "freshness": [_is_fresh(severity="warning")],
        "freshness_that_blocks": [_is_fresh(severity="critical")],
        "clocks": [
            gxe.ExpectColumnPairValuesAToBeGreaterThanB(
                column_A="allowed_pct",
                column_B="wrong_pct",
                or_equal=True,
                severity="warning",
                description="no more percent of the newest events than clock_skew_pct allows have"
                " a wrong clock (they count on the day that they name: have the senders set their"
                " clocks, and land the files again with the right times where you can)",
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
