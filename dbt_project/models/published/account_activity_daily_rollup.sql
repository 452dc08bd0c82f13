with

run_settings as (
    select * from {{ ref('run_settings') }}
),

days as (
    select * from {{ ref('fct_account_days_rollup') }}
)

select
    days.account_id,
    days.descendants,
    cast(days.dau as bigint) as dau,
    cast(days.wau as bigint) as wau,
    cast(days.mau as bigint) as mau,
    cast(days.product_users as bigint) as product_users,
    days.session_seconds,
    days.seconds_per_active_user,
    days.day,
    run_settings.as_of_date
from days
cross join run_settings
