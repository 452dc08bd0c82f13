-- One row per month of the portfolio and of its CSMs: from the first month of any account to the
-- month of the last full day, with the day on which it ends (in the open month, the last full day).
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

first_months as (
    select min(month) as first_month
    from {{ ref('int_account_month__spine') }}
),

months as (
    select
        run_settings.last_full_day,
        run_settings.health_first_day,
        run_settings.open_month,
        {{ each_month('first_months.first_month', 'run_settings.open_month') }} as month
    from first_months
    cross join run_settings
)

select
    month,
    month = open_month as is_open_month,
    least({{ last_day_of_month('month') }}, last_full_day) as last_day,
    least({{ last_day_of_month('month') }}, last_full_day) >= health_first_day as has_health
from months
