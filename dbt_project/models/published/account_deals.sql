with

run_settings as (
    select * from {{ ref('run_settings') }}
),

deals as (
    select * from {{ ref('fct_deals') }}
)

select
    deals.account_id,
    deals.deal_id,
    deals.name,
    deals.stage,
    deals.owner,
    deals.currency,
    deals.amount,
    deals.amount_reporting,
    deals.is_open,
    deals.is_won,
    deals.expected_close_date,
    deals.created_at,
    deals.closed_at,
    deals.location,
    deals.line,
    run_settings.as_of_date
from deals
cross join run_settings
