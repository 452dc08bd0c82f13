-- One row per account, user and local day with events or session time. Kept from night to night:
-- the touched days are computed again. Owner of what a user did on a day.
-- depends_on: {{ ref('run_settings') }}, {{ ref('stg_native__event_days_touched') }}
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='fail',
    pre_hook="{{ forget_touched_days() }}",
) }}

with

run_settings as (
    select * from {{ ref('run_settings') }}
),

event_counts as (
    select
        account_id,
        user_id,
        event_day as day,
        count(*) as known_event_count,
        count(*) filter (where is_activity) as event_count
    from {{ ref('stg_canonical__events') }}
    where is_touched
    group by account_id, user_id, event_day
),

session_time as (
    select session_time.*
    from {{ ref('int_user_day__session_time') }} as session_time
    cross join run_settings
    {%- if chain_goes_on() %}
    inner join {{ ref('stg_native__event_days_touched') }} as touched
        on
            session_time.account_id = touched.account_id
            and session_time.user_id = touched.user_id
            and session_time.day = touched.day
    {%- endif %}
    where session_time.day < run_settings.as_of_date
)

select
    coalesce(event_counts.account_id, session_time.account_id) as account_id,
    coalesce(event_counts.user_id, session_time.user_id) as user_id,
    coalesce(event_counts.known_event_count, 0) as known_event_count,
    coalesce(event_counts.event_count, 0) as event_count,
    least(coalesce(session_time.session_microseconds, 0), 86400000000) as session_microseconds,
    coalesce(event_counts.day, session_time.day) as day
from event_counts
full join session_time
    on
        event_counts.account_id = session_time.account_id
        and event_counts.user_id = session_time.user_id
        and event_counts.day = session_time.day
