-- Events that this night looks at, of known accounts and up to the last full day: all of them where
-- the event chain is built anew, else those that it takes to compute the touched days.
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

events as (
    select * from {{ ref('stg_native__events') }}
    where record_status = 'current' and not is_dated_after
)

select
    events.location,
    events.line,
    events.load_number,
    events.account_id,
    events.user_id,
    events.session_id,
    events.action,
    events.product,
    events.module,
    events.feature,
    events.active_microseconds,
    events.time_spent_microseconds,
    events.total,
    events.action not in ('identifyUser', 'identifyAccount') as is_activity,
    events.is_touched,
    events.event_day,
    events.created_at
from events
cross join run_settings
where events.event_day < run_settings.as_of_date
