-- One row per deal: its amount in its own currency, and in the reporting currency at the rate of
-- the last full day.
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

deals as (
    select * from {{ ref('stg_canonical__deals') }}
),

rates as (
    select * from {{ ref('int_conversion__rate') }}
)

select
    deals.deal_id,
    deals.account_id,
    deals.name,
    deals.stage,
    deals.owner,
    deals.currency,
    deals.amount,
    {{ times_ratio('deals.amount', 'rates.numerator', 'rates.denominator') }} as amount_reporting,
    deals.is_open,
    deals.is_won,
    deals.expected_close_date,
    deals.created_at,
    deals.closed_at,
    deals.location,
    deals.line
from deals
cross join run_settings
left join rates
    on
        deals.currency = rates.from_currency
        and run_settings.reporting_currency = rates.to_currency
        and run_settings.last_full_day = rates.day
