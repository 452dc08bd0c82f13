with

run_settings as (
    select * from {{ ref('run_settings') }}
),

usage as (
    select * from {{ ref('int_account_module__usage') }}
)

select
    usage.account_id,
    usage.product,
    usage.module,
    {{ microseconds_to_seconds('usage.microseconds') }} as total_seconds,
    usage.microseconds_per_user_per_day_used / 1e6 as seconds_per_user_per_day_used,
    usage.days_used,
    usage.users,
    usage.non_users,
    usage.rank_in_account,
    usage.last_used_date,
    run_settings.as_of_date
from usage
cross join run_settings
