-- One row per account, user and day that the event chain computes again this night; none where
-- there is no last build, since then all is computed. An account that is unknown goes by the id the
-- record carries. Touched are the days of records that are new, or that count otherwise than
-- before; the other days of their sessions and of events of the same event_id; and two days around
-- all of these, since a session may reach over midnight, and 24 hours may reach over a day of 23.
-- depends_on: {{ ref('stg_native__event_files') }}
-- depends_on: {{ ref('stg_native__account_resolution') }}
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

events as (
    select
        *,
        coalesce(source_account_id, '') as source_id
    from {{ ref('base_native__events') }}
    where refusal is null
),

{% if chain_goes_on() -%}
resolution as (
    select * from {{ ref('stg_native__account_resolution') }}
),

last_build as (
    select
        max(as_of_date) as as_of_date,
        {{ chain_settings_changed() }} as has_other_settings
    from {{ last_build_of('files') }}
),

changed_files as (
    select
        location,
        load_number
    from {{ ref('stg_native__event_files') }}
    where is_changed
),

-- ids of accounts that count under another account than before, or under one at all
changed_accounts as (
    select
        coalesce(resolution.source_account_id, last_accounts.source_account_id) as source_id,
        coalesce(last_accounts.account_id, last_accounts.source_account_id) as last_account_id
    from resolution
    full join {{ last_build_of('accounts') }} as last_accounts
        on resolution.source_account_id = last_accounts.source_account_id
    where
        resolution.account_id is distinct from last_accounts.account_id
        or resolution.reason is distinct from last_accounts.reason
),

-- days that are complete now and were not, or the other way round
changed_days as (
    select
        least(last_build.as_of_date, run_settings.as_of_date) as first_day,
        greatest(last_build.as_of_date, run_settings.as_of_date) as end_day
    from last_build
    cross join run_settings
    where last_build.as_of_date != run_settings.as_of_date
),

changed_events as (
    select
        events.source_id,
        events.user_id,
        events.session_id,
        events.event_id,
        events.event_day
    from events
    inner join changed_files
        on
            events.load_number = changed_files.load_number
            and events.location = changed_files.location
    union all
    select
        events.source_id,
        events.user_id,
        events.session_id,
        events.event_id,
        events.event_day
    from events
    inner join changed_accounts
        on events.source_id = changed_accounts.source_id
    union all
    select
        events.source_id,
        events.user_id,
        events.session_id,
        events.event_id,
        events.event_day
    from events
    inner join changed_days
        on
            events.event_day >= changed_days.first_day
            and events.event_day < changed_days.end_day
    union all
    select
        events.source_id,
        events.user_id,
        cast(null as varchar) as session_id,
        cast(null as varchar) as event_id,
        events.event_day
    from events
    where (select last_build.has_other_settings from last_build)
),

changed_sessions as (
    select
        source_id,
        user_id,
        session_id
    from changed_events
    where session_id is not null
    group by source_id, user_id, session_id
),

changed_ids as (
    select event_id
    from changed_events
    where event_id is not null
    group by event_id
),

-- the sessions of a user of merged accounts are sessions of one user
sources_of_changed_sessions as (
    select
        coalesce(siblings.source_account_id, changed_sessions.source_id) as source_id,
        changed_sessions.user_id,
        changed_sessions.session_id
    from changed_sessions
    left join resolution
        on changed_sessions.source_id = resolution.source_account_id
    left join resolution as siblings
        on resolution.account_id = siblings.account_id
),

touched_events as (
    select
        source_id,
        user_id,
        event_day
    from changed_events
    union
    select
        events.source_id,
        events.user_id,
        events.event_day
    from events
    inner join sources_of_changed_sessions as sessions
        on
            events.session_id = sessions.session_id
            and events.user_id = sessions.user_id
            and events.source_id = sessions.source_id
    union
    select
        events.source_id,
        events.user_id,
        events.event_day
    from events
    inner join changed_ids
        on events.event_id = changed_ids.event_id
),

touched_days as (
    select
        coalesce(resolution.account_id, touched_events.source_id) as account_id,
        touched_events.user_id,
        touched_events.event_day
    from touched_events
    left join resolution
        on touched_events.source_id = resolution.source_account_id
    union
    select
        changed_accounts.last_account_id as account_id,
        touched_events.user_id,
        touched_events.event_day
    from touched_events
    inner join changed_accounts
        on touched_events.source_id = changed_accounts.source_id
    where changed_accounts.last_account_id is not null
)

select
    touched_days.account_id,
    touched_days.user_id,
    {{ add_days('touched_days.event_day', 'around.days') }} as day
from touched_days
cross join (values (-2), (-1), (0), (1), (2)) as around (days)
group by touched_days.account_id, touched_days.user_id, {{ add_days('touched_days.event_day', 'around.days') }}
{%- else -%}
nothing as (
    select
        source_id as account_id,
        user_id,
        event_day as day
    from events
    where false
)

select * from nothing
{%- endif %}
