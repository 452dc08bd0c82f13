with

run_settings as (
    select * from {{ ref('run_settings') }}
),

months as (
    select * from {{ ref('int_account_month__tickets') }}
)

select
    months.account_id,
    months.opened,
    months.closed,
    months.reopened,
    months.closed_tickets,
    months.open_at_start,
    months.open_at_end,
    months.open_during_month,
    {{ microseconds_to_seconds('months.closed_age_microseconds', digits=28) }}
        as closed_age_seconds,
    {{ microseconds_to_seconds('months.open_age_microseconds', digits=28) }} as open_age_seconds,
    months.age_days_mean,
    months.closed_age_days_mean,
    months.open_age_days_mean,
    months.time_to_close_median_days,
    months.time_to_close_p90_days,
    months.is_open_month,
    months.month,
    run_settings.as_of_date
from months
cross join run_settings
