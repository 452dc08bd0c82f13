with

run_settings as (
    select * from {{ ref('run_settings') }}
),

days as (
    select * from {{ ref('fct_account_days') }}
)

select
    days.account_id,
    days.dau,
    days.wau,
    days.mau,
    days.product_users,
    days.session_seconds,
    days.seconds_per_active_user,
    days.day,
    run_settings.as_of_date
from days
cross join run_settings
