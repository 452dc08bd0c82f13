with

run_settings as (
    select * from {{ ref('run_settings') }}
),

days as (
    select * from {{ ref('fct_user_days') }}
)

select
    days.account_id,
    days.user_id,
    days.event_count,
    days.session_seconds,
    days.day,
    run_settings.as_of_date
from days
cross join run_settings
