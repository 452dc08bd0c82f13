-- Events of the accounts that exist, up to the last full day, with durations in whole microseconds.
-- A churned account has no usage from its churn date on: `is_after_churn` events enter no usage figure.
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

accounts as (
    select * from {{ ref('stg_canonical__accounts') }}
),

events as (
    select * from {{ ref('stg_native__events') }}
    where record_status = 'current' and not is_dated_after
),

dated as (
    select
        events.*,
        {{ local_day('events.created_at', 'run_settings.reporting_time_zone') }} as event_day
    from events
    cross join run_settings
    where events.created_at < run_settings.as_of_at
)

select
    dated.account_id,
    dated.user_id,
    dated.session_id,
    dated.action,
    dated.product,
    dated.module,
    dated.feature,
    {{ milliseconds_to_microseconds('dated.active_duration') }} as active_microseconds,
    {{ milliseconds_to_microseconds('dated.time_spent') }} as time_spent_microseconds,
    dated.total,
    dated.action not in ('identifyUser', 'identifyAccount') as is_activity,
    coalesce(dated.event_day >= accounts.churn_date, false) as is_after_churn,
    dated.event_day,
    dated.created_at,
    dated.location,
    dated.line
from dated
inner join accounts
    on dated.account_id = accounts.account_id
