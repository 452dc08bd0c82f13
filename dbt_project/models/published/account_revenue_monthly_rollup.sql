with

run_settings as (
    select * from {{ ref('run_settings') }}
),

months as (
    select * from {{ ref('fct_account_months_rollup') }}
)

select
    months.account_id,
    months.descendants,
    run_settings.reporting_currency as currency,
    cast(months.subscription_mrr as decimal(18, 4)) as subscription_mrr,
    cast(months.recurring_invoice_revenue as decimal(18, 4)) as recurring_invoice_revenue,
    cast(months.non_recurring_invoice_revenue as decimal(18, 4)) as non_recurring_invoice_revenue,
    cast(months.unclassified_invoice_revenue as decimal(18, 4)) as unclassified_invoice_revenue,
    cast(months.failed_invoice_revenue as decimal(18, 4)) as failed_invoice_revenue,
    cast(months.payments as decimal(18, 4)) as payments,
    months.month,
    run_settings.as_of_date
from months
cross join run_settings
