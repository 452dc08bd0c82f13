"""Events whose clocks are wrong: ahead of the load or the extract, reset, or in another zone.

Staging refuses an event over 24 hours later than its load, since no clock is that wrong by
accident. What is less wrong enters the figures of the day that it names, so arrival counts it.
Only the newest load is looked at, and of a very large one every so many lines.
"""

# ruff: noqa: S608 (the names in the SQL of this module are our own)

from __future__ import annotations

import duckdb

from expectations.frames import SUBJECT, Frame

# Records of a load up to which each one is looked at.
_ALL_UP_TO = 300_000
# An event this long before the middle one of its file, or its file's middle one this long before
# its extract, comes from a clock that was reset (years).
_RESET_YEARS = 5
_RESET_FILE_YEARS = 20
# Of so many events of a product in a file the first and the last say how its day lies (minutes by
# which both may miss a whole hour).
_ZONE_EVENTS = 100
_ZONE_MINUTES = 10

_ISO = r"'\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}([.]\d+)?)?( ?(Z|z|UTC|[+-]\d{2}(:?\d{2})?))?)?'"


def clock_frame(connection: duckdb.DuckDBPyConnection, allowed_pct: float, time_zone: str) -> Frame:
    """One row per way in which clocks are wrong in the newest load of events.

    Columns: `allowed_pct`, and `wrong_pct`, the share of the load's events. The subject says what
    is wrong, how many events it is, and whose most of them are. `time_zone` is that in which the
    day of an extract ends and texts without an offset are read.
    """
    row = connection.execute(
        "select max(load_number), coalesce(sum(rows_read) filter (load_number = ("
        "select max(load_number) from raw_events.landed_files)), 0)::bigint"
        " from raw_events.landed_files"
    ).fetchone()
    newest, records = row if row else (None, 0)
    columns = [SUBJECT, "allowed_pct", "wrong_pct"]
    if newest is None:
        return Frame(columns, [])
    step = -(-records // _ALL_UP_TO) or 1
    zone = time_zone.replace("'", "''")
    return Frame.from_query(
        connection,
        f"""
        with

        files as (
            select
                location,
                loaded_at,
                timezone('UTC', timezone('{zone}', (extract_date + 1)::timestamp)) as extract_end,
                coalesce(extract_date::timestamp, loaded_at) as extracted_at
            from raw_events.landed_files
            where load_number = {newest:d}
        ),

        texts as (
            select
                _location as location,
                account_id,
                coalesce(product, '(none)') as product,
                case
                    when regexp_full_match(created_at, '-?\\d{{11,14}}([.]0+)?')
                        then make_timestamp(try_cast(created_at as bigint) * 1000)
                    when not regexp_full_match(created_at, {_ISO}) then null
                    when regexp_full_match(created_at, '.{{10}}([T ][0-9:.]+)?')
                        then timezone(
                            'UTC', timezone('{zone}', try_cast(created_at as timestamp))
                        )
                    else timezone(
                        'UTC',
                        try_cast(
                            regexp_replace(created_at, '^(.{{16}})( ?[Zz+U-])', '\\1:00\\2')
                            as timestamptz
                        )
                    )
                end as created_at
            from raw_events.events
            where _load_number = {newest:d} and _line % {step:d} = 0
        ),

        -- what is later than that is rejected, and counted there
        events as (
            select texts.*, files.* exclude (location)
            from texts
            inner join files using (location)
            where texts.created_at <= files.loaded_at + interval 24 hour
        ),

        by_file as (
            select location, quantile_disc(created_at, 0.5) as middle
            from events
            group by location
        ),

        by_product as (
            select
                location,
                product,
                count(*) as events,
                date_diff('minute', any_value(extract_end) - interval 1 day, min(created_at))
                    as after_start,
                date_diff('minute', any_value(extract_end), max(created_at)) as after_end
            from events
            where extract_end is not null
            group by location, product
        ),

        -- its day begins and ends by the same whole hours too early or too late
        in_another_zone as (
            select
                location,
                product,
                round((after_start + after_end) / 120)::integer as hours
            from by_product
            where
                events >= {_ZONE_EVENTS}
                and round((after_start + after_end) / 120)::integer between -14 and 14
                and hours != 0
                and abs(after_start - 60 * hours) <= {_ZONE_MINUTES}
                and abs(after_end - 60 * hours) <= {_ZONE_MINUTES}
        ),

        told as (
            select
                events.account_id,
                events.product,
                events.location,
                case
                    when in_another_zone.hours is not null
                        then concat(
                            'all of a product ', abs(in_another_zone.hours), ' whole hours too ',
                            case when in_another_zone.hours > 0 then 'late' else 'early' end,
                            ', as if local time were written as UTC'
                        )
                    when events.created_at > events.loaded_at
                        then 'later than they were loaded, by up to a day'
                    when events.created_at >= events.extract_end
                        then 'later than the day of their extract'
                    when
                        events.created_at < by_file.middle - interval {_RESET_YEARS} year
                        or by_file.middle < events.extracted_at - interval {_RESET_FILE_YEARS} year
                        then 'years before their file, as of a clock that was reset'
                end as wrong
            from events
            inner join by_file using (location)
            left join in_another_zone using (location, product)
        ),

        counted as (
            select
                wrong,
                count(*) as events,
                mode(location order by location) as location,
                mode(product order by product) as product,
                mode(account_id order by account_id) as account_id,
                count(distinct location) as files,
                count(distinct account_id) as accounts
            from told
            where wrong is not null
            group by wrong
        ),

        -- senders none of whose clocks is right
        all_of_product as (
            select wrong, string_agg(product, ', ' order by product) as products
            from (
                select product, min(wrong) as wrong
                from told
                group by product
                having count(wrong) = count(*) and min(wrong) = max(wrong)
            )
            group by wrong
        )

        select
            concat(
                'events ', wrong, ': ', events, ' of ', (select count(*) from told), ', ',
                accounts, ' accounts, ', files, ' files, most in ', location, ' of product ',
                product, ' and account ', coalesce(account_id, '(none)'),
                ', all events of product ' || left(products, 100)
            ) as {SUBJECT},
            {allowed_pct:f}::double as allowed_pct,
            100.0 * events / (select count(*) from told) as wrong_pct
        from counted
        left join all_of_product using (wrong)
        order by wrong
        """,
    )
