with

run_settings as (
    select * from {{ ref('run_settings') }}
),

records as (
    select * from {{ ref('fct_subscription_records') }}
)

select
    records.subscription_id,
    records.account_id,
    records.plan_code as subscription_code,
    records.billing_cycle,
    records.currency,
    cast(records.monthly_amount as decimal(18, 4)) as monthly_amount,
    cast(records.monthly_amount_reporting as decimal(18, 4)) as monthly_amount_reporting,
    cast(records.mrr as decimal(18, 4)) as mrr,
    cast(records.mrr_reporting as decimal(18, 4)) as mrr_reporting,
    cast(records.monthly_revenue as decimal(18, 4)) as monthly_revenue,
    cast(records.monthly_revenue_reporting as decimal(18, 4)) as monthly_revenue_reporting,
    records.is_active,
    records.is_trial,
    records.is_provisional,
    records.is_negative,
    records.start_date,
    records.end_date,
    records.expiration_date,
    records.active_from,
    records.active_to,
    records.next_renewal_date,
    records.location,
    records.line,
    run_settings.as_of_date
from records
cross join run_settings
