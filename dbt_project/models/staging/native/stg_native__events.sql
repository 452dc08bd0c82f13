-- One row per event record that this night looks at, with its outcome: all records where there is
-- no last build, else those of the touched days of users, and what it takes to judge them: the days
-- around, all records of the sessions on them, and all of the same event_id. `is_touched` tells the
-- former from the latter.
-- depends_on: {{ ref('stg_native__event_days_touched') }}
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

resolution as (
    select * from {{ ref('stg_native__account_resolution') }}
),

files as (
    select * from {{ ref('stg_native__event_files') }}
),

{% if chain_goes_on() -%}
touched as (
    select * from {{ ref('stg_native__event_days_touched') }}
),

-- an account's days by the ids that its records carry
touched_sources as (
    select
        coalesce(resolution.source_account_id, touched.account_id) as source_id,
        touched.user_id,
        touched.day
    from touched
    left join resolution
        on touched.account_id = resolution.account_id
    union
    select
        account_id as source_id,
        user_id,
        day
    from touched
),

days_around as (
    select
        touched_sources.source_id,
        touched_sources.user_id,
        {{ add_days('touched_sources.day', 'around.days') }} as day
    from touched_sources
    cross join (values (-2), (-1), (0), (1), (2)) as around (days)
    group by
        touched_sources.source_id,
        touched_sources.user_id,
        {{ add_days('touched_sources.day', 'around.days') }}
),

calendar_days_around as (
    select day
    from days_around
    group by day
),

on_days_around as (
    select events.*
    from {{ ref('base_native__events') }} as events
    inner join calendar_days_around
        on events.event_day = calendar_days_around.day
    inner join days_around
        on
            events.event_day = days_around.day
            and events.user_id = days_around.user_id
            and coalesce(events.source_account_id, '') = days_around.source_id
    where events.refusal is null
),

sessions as (
    select
        coalesce(siblings.source_account_id, on_days_around.source_account_id, '') as source_id,
        on_days_around.user_id,
        on_days_around.session_hash
    from on_days_around
    left join resolution
        on on_days_around.source_account_id = resolution.source_account_id
    left join resolution as siblings
        on resolution.account_id = siblings.account_id
    where on_days_around.session_hash is not null
    group by
        coalesce(siblings.source_account_id, on_days_around.source_account_id, ''),
        on_days_around.user_id,
        on_days_around.session_hash
),

session_hashes as (
    select session_hash
    from sessions
    group by session_hash
),

session_days as (
    select
        events.session_hash,
        events.event_day
    from {{ ref('base_native__events') }} as events
    inner join session_hashes
        on events.session_hash = session_hashes.session_hash
    where events.refusal is null
    group by events.session_hash, events.event_day
),

sessions_elsewhere as (
    select
        sessions.source_id,
        sessions.user_id,
        sessions.session_hash,
        session_days.event_day
    from sessions
    inner join session_days
        on sessions.session_hash = session_days.session_hash
    left join days_around
        on
            session_days.event_day = days_around.day
            and sessions.user_id = days_around.user_id
            and sessions.source_id = days_around.source_id
    where days_around.day is null
),

days_elsewhere as (
    select event_day
    from sessions_elsewhere
    group by event_day
),

of_the_sessions as (
    select events.*
    from {{ ref('base_native__events') }} as events
    inner join days_elsewhere
        on events.event_day = days_elsewhere.event_day
    inner join sessions_elsewhere
        on
            events.event_day = sessions_elsewhere.event_day
            and events.session_hash = sessions_elsewhere.session_hash
            and events.user_id = sessions_elsewhere.user_id
            and coalesce(events.source_account_id, '') = sessions_elsewhere.source_id
    where events.refusal is null
),

on_days_or_of_sessions as (
    select * from on_days_around
    union all
    select * from of_the_sessions
),

event_ids as (
    select event_id
    from on_days_or_of_sessions
    where event_id is not null
    group by event_id
),

days_of_event_ids as (
    select events.event_day
    from {{ ref('base_native__events') }} as events
    inner join event_ids
        on events.event_id = event_ids.event_id
    where events.event_id is not null
    group by events.event_day
),

of_the_event_ids as (
    select events.*
    from {{ ref('base_native__events') }} as events
    inner join days_of_event_ids
        on events.event_day = days_of_event_ids.event_day
    inner join event_ids
        on events.event_id = event_ids.event_id
    left join on_days_or_of_sessions as others
        on
            events.location = others.location
            and events.line = others.line
            and events.load_number = others.load_number
    where events.refusal is null and others.location is null
),

records as (
    select * from on_days_or_of_sessions
    union all
    select * from of_the_event_ids
),
{%- else -%}
records as {{ not_kept() }} (
    select * from {{ ref('base_native__events') }}
    where refusal is null
),
{%- endif %}

attributed as {{ not_kept() }} (
    select
        records.location,
        records.line,
        records.load_number,
        files.file_version,
        resolution.account_id,
        coalesce(resolution.account_id, records.source_account_id, '') as key_account_id,
        records.source_account_id,
        records.user_id,
        records.session_id,
        records.event_id,
        records.action,
        records.product,
        records.module,
        records.feature,
        records.content,
        case
            when records.event_id is null then records.content
            else {{ text_hash('records.event_id') }}
        end as identity,
        records.active_microseconds,
        records.time_spent_microseconds,
        records.total,
        resolution.reason as reject_reason,
        files.is_replaced and records.event_id is null as is_withdrawn,
        files.is_dated_after,
        records.event_day,
        records.created_at,
        files.extract_date as version_date
    from records
    inner join files
        on
            records.load_number = files.load_number
            and records.location = files.location
    left join resolution
        on records.source_account_id = resolution.source_account_id
),

-- few records repeat another: only those are put in order
repeated as (
    select
        identity,
        is_dated_after
    from attributed
    where not is_withdrawn and reject_reason is null
    group by identity, is_dated_after
    having count(*) > 1
),

-- equal records are one, the first of those without an event_id, the last of those with one
marked as (
    select
        attributed.location,
        attributed.line,
        attributed.load_number,
        attributed.identity,
        attributed.is_dated_after,
        attributed.version_date,
        row_number() over (
            partition by
                attributed.identity,
                attributed.is_dated_after,
                attributed.content,
                case when attributed.event_id is not null then attributed.version_date end
            order by
                case
                    when attributed.event_id is null then -attributed.load_number
                    else attributed.load_number
                end desc,
                case when attributed.event_id is null then attributed.location end asc,
                case when attributed.event_id is null then attributed.line end asc,
                attributed.location desc,
                attributed.line desc
        ) > 1 as is_duplicate
    from attributed
    inner join repeated
        on
            attributed.identity = repeated.identity
            and attributed.is_dated_after = repeated.is_dated_after
    cross join run_settings
    where
        not attributed.is_withdrawn
        and attributed.reject_reason is null
        and (attributed.event_id is not null or run_settings.event_deduplication = 'exact')
),

repetitions as (
    select
        location,
        line,
        load_number,
        is_duplicate,
        row_number() over (
            partition by identity, is_dated_after, is_duplicate
            order by version_date desc nulls last, load_number desc, location desc, line desc
        ) as version_rank
    from marked
)

select
    attributed.location,
    attributed.line,
    attributed.load_number,
    attributed.file_version,
    attributed.account_id,
    attributed.key_account_id,
    attributed.source_account_id,
    attributed.user_id,
    attributed.session_id,
    attributed.action,
    attributed.product,
    attributed.module,
    attributed.feature,
    case
        when attributed.is_withdrawn then 'superseded'
        when attributed.reject_reason is not null then 'rejected'
        when repetitions.is_duplicate then 'duplicate'
        when not attributed.is_dated_after and repetitions.version_rank > 1 then 'superseded'
        when attributed.account_id is null then 'unattributed'
        else 'current'
    end as record_status,
    coalesce(
        attributed.reject_reason,
        case
            when attributed.source_account_id is null then 'no account_id'
            when attributed.account_id is null
                then concat('unknown account ', attributed.source_account_id)
        end
    ) as reason,
    attributed.active_microseconds,
    attributed.time_spent_microseconds,
    attributed.total,
    attributed.is_dated_after,
    {{ 'touched.day is not null' if chain_goes_on() else 'true' }} as is_touched,
    attributed.event_day,
    attributed.version_date,
    attributed.created_at
from attributed
left join repetitions
    on
        attributed.location = repetitions.location
        and attributed.line = repetitions.line
        and attributed.load_number = repetitions.load_number
{% if chain_goes_on() -%}
-- used in is_touched, by a name that the linter cannot see
left join touched -- noqa: ST11
    on
        attributed.event_day = touched.day
        and attributed.user_id = touched.user_id
        and attributed.key_account_id = touched.account_id
{%- endif %}
