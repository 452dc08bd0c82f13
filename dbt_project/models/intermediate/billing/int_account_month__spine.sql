-- One row per account and month, without gaps: from the month of the earliest of join date, first
-- subscription record and first invoice (or its payment, where it was paid ahead), to the month of
-- the last full day. An account of which nothing was known on that day has none.
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

accounts as (
    select * from {{ ref('stg_canonical__accounts') }}
),

first_subscriptions as (
    select
        account_id,
        min(start_date) as first_day
    from {{ ref('stg_canonical__subscriptions') }}
    group by account_id
),

first_invoices as (
    select
        account_id,
        min(least(created_date, paid_date)) as first_day
    from {{ ref('stg_canonical__invoices') }}
    group by account_id
),

first_days as (
    select
        accounts.account_id,
        accounts.currency,
        least(accounts.join_date, first_subscriptions.first_day, first_invoices.first_day)
            as first_day
    from accounts
    left join first_subscriptions
        on accounts.account_id = first_subscriptions.account_id
    left join first_invoices
        on accounts.account_id = first_invoices.account_id
),

months as (
    select
        first_days.account_id,
        first_days.currency,
        {{ each_month(month_of('first_days.first_day'), 'run_settings.open_month') }} as month
    from first_days
    inner join run_settings
        on first_days.first_day <= run_settings.last_full_day
)

-- the day on which the month ends: in the open month, the last full day
select
    months.account_id,
    months.currency,
    months.month = run_settings.open_month as is_open_month,
    months.month,
    {{ add_days('months.month', -1) }} as day_before,
    least({{ last_day_of_month('months.month') }}, run_settings.last_full_day) as last_day
from months
cross join run_settings
