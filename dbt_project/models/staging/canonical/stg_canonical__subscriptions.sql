-- Subscription records of the accounts that exist, up to the last full day. Ends are exclusive from
-- here on.
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

accounts as (
    select * from {{ ref('stg_canonical__accounts') }}
),

subscriptions as (
    select * from {{ ref('stg_native__subscriptions') }}
    where record_status = 'current' and not is_dated_after and deleted_on is null
)

select
    subscriptions.subscription_id,
    subscriptions.account_id,
    subscriptions.plan_code,
    subscriptions.cycle_unit,
    coalesce(subscriptions.currency, accounts.currency) as currency,
    subscriptions.cycle_length,
    subscriptions.total_revenue,
    coalesce(subscriptions.is_end, false) as is_end,
    coalesce(subscriptions.is_renewal, false) as is_renewal,
    coalesce(list_contains(run_settings.trial_plan_codes, subscriptions.plan_code), false)
        as is_trial,
    subscriptions.start_date,
    {{ add_days(
        'subscriptions.end_date', 'cast(run_settings.end_date_is_inclusive as integer)'
    ) }} as end_date,
    {{ add_days(
        'subscriptions.expiration_date', 'cast(run_settings.end_date_is_inclusive as integer)'
    ) }} as expiration_date,
    subscriptions.location,
    subscriptions.line
from subscriptions
inner join accounts
    on subscriptions.account_id = accounts.account_id
cross join run_settings
where subscriptions.start_date < run_settings.as_of_date
