-- One row per account, user and day that the event chain computes again this night; none where
-- there is no last build, since then all is computed. An account that is unknown goes by the id the
-- record carries. Touched are the days of records that are new, or that count otherwise than
-- before; the other days of their sessions and of events of the same event_id; and two days around
-- all of these, since a session may reach over midnight, and 24 hours may reach over a day of 23.
-- The records are many, and a night looks at few: each pass over them reads the column or two by
-- which it can leave most of them out. The days of builds that were cut short stay: what stands in
-- the chain of them may be of the last build or of a later one.
-- depends_on: {{ ref('run_settings') }}
-- depends_on: {{ ref('stg_native__event_files') }}
-- depends_on: {{ ref('stg_native__account_resolution') }}
-- depends_on: {{ ref('base_native__events') }}
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook=["{{ forget_done_days() }}", "{{ begin_build() }}"],
) }}
{% if chain_goes_on() -%}
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

resolution as (
    select * from {{ ref('stg_native__account_resolution') }}
),

last_build as (
    select max(as_of_date) as as_of_date
    from {{ last_build_of('files') }}
),

changed_files as (
    select
        location,
        load_number
    from {{ ref('stg_native__event_files') }}
    where is_changed
),

-- days that are complete now and were not, or the other way round
changed_days as (
    select {{ each_day(
        'least(last_build.as_of_date, run_settings.as_of_date)',
        add_days('greatest(last_build.as_of_date, run_settings.as_of_date)', -1),
    ) }} as day
    from last_build
    cross join run_settings
    where last_build.as_of_date != run_settings.as_of_date
),

-- ids of accounts that count under another account than before, or under one at all
changed_accounts as (
    select
        coalesce(resolution.source_account_id, last_accounts.source_account_id) as source_id,
        coalesce(last_accounts.account_id, last_accounts.source_account_id) as last_account_id,
        resolution.account_id
    from resolution
    full join {{ last_build_of('accounts') }} as last_accounts
        on resolution.source_account_id = last_accounts.source_account_id
    where
        resolution.account_id is distinct from last_accounts.account_id
        or resolution.reason is distinct from last_accounts.reason
),

{% if is_incremental() -%}
-- the outcomes may say by now what a build says that was cut short, which touched all it changed
known_days as (
    select
        account_id,
        user_id,
        day
    from {{ last_outcomes() }}
    union all
    select
        account_id,
        user_id,
        day
    from {{ this }}
),
{%- else -%}
known_days as (
    select
        account_id,
        user_id,
        day
    from {{ last_outcomes() }}
),
{%- endif %}

-- all their days, and those of the accounts that they join or leave, since a user's session may run
-- over both
accounts_around_changes as (
    select source_id as account_id
    from changed_accounts
    union
    select last_account_id as account_id
    from changed_accounts
    union
    select account_id
    from changed_accounts
),

days_of_changed_accounts as (
    select
        known_days.account_id,
        known_days.user_id,
        known_days.day as event_day
    from known_days
    inner join accounts_around_changes as accounts
        on known_days.account_id = accounts.account_id
    group by known_days.account_id, known_days.user_id, known_days.day
),

calendar_days_of_changed_accounts as (
    select event_day
    from days_of_changed_accounts
    group by event_day
),

changed_events as (
    select
        coalesce(events.source_account_id, '') as source_id,
        events.user_id,
        events.session_hash,
        events.event_id,
        events.event_day
    from {{ ref('base_native__events') }} as events
    inner join changed_files
        on
            events.load_number = changed_files.load_number
            and events.location = changed_files.location
    where events.refusal is null
    union all
    select
        coalesce(events.source_account_id, '') as source_id,
        events.user_id,
        events.session_hash,
        events.event_id,
        events.event_day
    from {{ ref('base_native__events') }} as events
    inner join changed_days
        on events.event_day = changed_days.day
    where events.refusal is null
    union all
    select
        events.source_account_id as source_id,
        events.user_id,
        events.session_hash,
        events.event_id,
        events.event_day
    from {{ ref('base_native__events') }} as events
    inner join changed_accounts
        on events.source_account_id = changed_accounts.source_id
    inner join calendar_days_of_changed_accounts as days
        on events.event_day = days.event_day
    where events.refusal is null
),

changed_sessions as (
    select
        source_id,
        user_id,
        session_hash
    from changed_events
    where session_hash is not null
    group by source_id, user_id, session_hash
),

days_of_changed_sessions as (
    select
        changed_sessions.source_id,
        changed_sessions.user_id,
        events.event_day
    from {{ ref('base_native__events') }} as events
    inner join changed_sessions
        on events.session_hash = changed_sessions.session_hash
    where events.refusal is null
),

changed_ids as (
    select event_id
    from changed_events
    where event_id is not null
    group by event_id
),

days_of_changed_ids as (
    select events.event_day
    from {{ ref('base_native__events') }} as events
    inner join changed_ids
        on events.event_id = changed_ids.event_id
    where events.event_id is not null
    group by events.event_day
),

touched_records as (
    select
        source_id,
        user_id,
        event_day
    from changed_events
    union
    select
        source_id,
        user_id,
        event_day
    from days_of_changed_sessions
    union
    select
        coalesce(events.source_account_id, '') as source_id,
        events.user_id,
        events.event_day
    from {{ ref('base_native__events') }} as events
    inner join days_of_changed_ids
        on events.event_day = days_of_changed_ids.event_day
    inner join changed_ids
        on events.event_id = changed_ids.event_id
    where events.refusal is null
),

touched_days as (
    select
        coalesce(resolution.account_id, touched_records.source_id) as account_id,
        touched_records.user_id,
        touched_records.event_day
    from touched_records
    left join resolution
        on touched_records.source_id = resolution.source_account_id
    union
    select
        account_id,
        user_id,
        event_day
    from days_of_changed_accounts
)

select
    touched_days.account_id,
    touched_days.user_id,
    {{ add_days('touched_days.event_day', 'around.days') }} as day
from touched_days
cross join (values (-2), (-1), (0), (1), (2)) as around (days)
group by
    touched_days.account_id,
    touched_days.user_id,
    {{ add_days('touched_days.event_day', 'around.days') }}
{%- if is_incremental() %}
except
select
    account_id,
    user_id,
    day
from {{ this }}
{%- endif %}
{%- else -%}
select
    source_account_id as account_id,
    user_id,
    event_day as day
from {{ ref('base_native__events') }}
where false
{%- endif %}
