with

run_settings as (
    select * from {{ ref('run_settings') }}
),

months as (
    select * from {{ ref('fct_account_ticket_months_rollup') }}
)

select
    months.account_id,
    months.descendants,
    cast(months.opened as bigint) as opened,
    cast(months.closed as bigint) as closed,
    cast(months.reopened as bigint) as reopened,
    cast(months.closed_tickets as bigint) as closed_tickets,
    cast(months.open_at_start as bigint) as open_at_start,
    cast(months.open_at_end as bigint) as open_at_end,
    cast(months.open_during_month as bigint) as open_during_month,
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
