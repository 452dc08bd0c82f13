-- One row per account, user and local day with session time on it, in whole microseconds, before
-- the cap; of the touched days, and right only for those, where the event chain goes on from a last
-- build. Owner of session time. Synced sessions count what their syncs report; sessions without any
-- sync are estimated from the gaps between their events. Both are intervals, split at local
-- midnight.
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

events as (
    select * from {{ ref('stg_canonical__events') }}
    where is_activity
),

syncs as (
    select
        account_id,
        user_id,
        session_id,
        created_at,
        coalesce(active_microseconds, 0) as reported,
        lag(coalesce(active_microseconds, 0)) over (
            partition by account_id, user_id, session_id
            order by created_at, active_microseconds
        ) as reported_before,
        lag(created_at) over (
            partition by account_id, user_id, session_id
            order by created_at, active_microseconds
        ) as previous_at
    from events
    where action = 'sessionSync'
),

-- A running total smaller than the one before has started again. So has one of the stream without
-- an id after a gap over the timeout, since there another session begins.
sync_durations as (
    select
        syncs.account_id,
        syncs.user_id,
        syncs.created_at,
        case
            when
                run_settings.session_duration = 'cumulative'
                and syncs.reported >= syncs.reported_before
                and (
                    syncs.session_id is not null
                    or {{ microseconds_between('syncs.previous_at', 'syncs.created_at') }}
                    <= cast(run_settings.session_timeout_minutes as bigint) * 60000000
                )
                then syncs.reported - syncs.reported_before
            else syncs.reported
        end as active_microseconds
    from syncs
    cross join run_settings
),

sync_intervals as (
    select
        account_id,
        user_id,
        {{ subtract_microseconds('created_at', 'active_microseconds') }} as started_at,
        created_at as ended_at
    from sync_durations
),

synced_sessions as (
    select
        account_id,
        user_id,
        session_id
    from syncs
    where session_id is not null
    group by account_id, user_id, session_id
),

-- events of sessions that never synced; the absent session id is one stream
unsynced_events as (
    select
        events.account_id,
        events.user_id,
        events.session_id,
        events.created_at,
        lag(events.created_at) over (
            partition by events.account_id, events.user_id, events.session_id
            order by events.created_at
        ) as previous_at
    from events
    left join synced_sessions
        on
            events.account_id = synced_sessions.account_id
            and events.user_id = synced_sessions.user_id
            and events.session_id = synced_sessions.session_id
    where synced_sessions.account_id is null and events.action != 'sessionSync'
),

intervals as (
    select
        account_id,
        user_id,
        started_at,
        ended_at,
        true as is_synced,
        false as is_without_id
    from sync_intervals
    where started_at < ended_at
    union all
    select
        unsynced_events.account_id,
        unsynced_events.user_id,
        unsynced_events.previous_at as started_at,
        unsynced_events.created_at as ended_at,
        false as is_synced,
        unsynced_events.session_id is null as is_without_id
    from unsynced_events
    cross join run_settings
    where
        unsynced_events.previous_at < unsynced_events.created_at
        and {{ microseconds_between('unsynced_events.previous_at', 'unsynced_events.created_at') }}
        <= cast(run_settings.session_timeout_minutes as bigint) * 60000000
),

days as (
    select
        intervals.*,
        {{ each_day(
            local_day('intervals.started_at', 'run_settings.reporting_time_zone'),
            local_day(
                subtract_microseconds('intervals.ended_at', '1'), 'run_settings.reporting_time_zone'
            )
        ) }} as day
    from intervals
    cross join run_settings
),

parts as (
    select
        days.account_id,
        days.user_id,
        days.day,
        days.is_synced,
        days.is_without_id,
        greatest(
            days.started_at, {{ start_of_day('days.day', 'run_settings.reporting_time_zone') }}
        ) as started_at,
        least(
            days.ended_at,
            {{ start_of_day(add_days('days.day', 1), 'run_settings.reporting_time_zone') }}
        ) as ended_at
    from days
    cross join run_settings
),

-- synced time of a user and day as intervals that do not overlap
synced_parts as (
    select
        account_id,
        user_id,
        day,
        started_at,
        ended_at,
        coalesce(
            started_at > max(ended_at) over (
                partition by account_id, user_id, day
                order by started_at, ended_at
                rows between unbounded preceding and 1 preceding
            ),
            true
        ) as begins_island
    from parts
    where is_synced
),

numbered_parts as (
    select
        *,
        sum(cast(begins_island as integer)) over (
            partition by account_id, user_id, day
            order by started_at, ended_at
            rows unbounded preceding
        ) as island
    from synced_parts
),

synced_islands as (
    select
        account_id,
        user_id,
        day,
        min(started_at) as started_at,
        max(ended_at) as ended_at
    from numbered_parts
    group by account_id, user_id, day, island
),

-- what the stream without an id would count a second time
counted_twice as (
    select
        parts.account_id,
        parts.user_id,
        parts.day,
        sum({{ microseconds_between(
            'greatest(parts.started_at, synced_islands.started_at)',
            'least(parts.ended_at, synced_islands.ended_at)'
        ) }}) as microseconds
    from parts
    inner join synced_islands
        on
            parts.account_id = synced_islands.account_id
            and parts.user_id = synced_islands.user_id
            and parts.day = synced_islands.day
            and parts.started_at < synced_islands.ended_at
            and parts.ended_at > synced_islands.started_at
    where parts.is_without_id
    group by parts.account_id, parts.user_id, parts.day
),

counted as (
    select
        account_id,
        user_id,
        day,
        sum({{ microseconds_between('started_at', 'ended_at') }}) as microseconds
    from parts
    group by account_id, user_id, day
)

select
    counted.account_id,
    counted.user_id,
    cast(counted.microseconds - coalesce(counted_twice.microseconds, 0) as bigint)
        as session_microseconds,
    counted.day
from counted
left join counted_twice
    on
        counted.account_id = counted_twice.account_id
        and counted.user_id = counted_twice.user_id
        and counted.day = counted_twice.day
where counted.microseconds > coalesce(counted_twice.microseconds, 0)
