with

run_settings as (
    select * from {{ ref('run_settings') }}
),

months as (
    select * from {{ ref('fct_account_months') }}
)

select
    months.account_id,
    months.currency,
    cast(months.subscription_mrr as decimal(18, 4)) as subscription_mrr,
    cast(months.subscription_mrr_reporting as decimal(18, 4)) as subscription_mrr_reporting,
    cast(months.recurring_invoice_revenue as decimal(18, 4)) as recurring_invoice_revenue,
    cast(months.recurring_invoice_revenue_reporting as decimal(18, 4))
        as recurring_invoice_revenue_reporting,
    cast(months.non_recurring_invoice_revenue as decimal(18, 4)) as non_recurring_invoice_revenue,
    cast(months.non_recurring_invoice_revenue_reporting as decimal(18, 4))
        as non_recurring_invoice_revenue_reporting,
    cast(months.unclassified_invoice_revenue as decimal(18, 4)) as unclassified_invoice_revenue,
    cast(months.unclassified_invoice_revenue_reporting as decimal(18, 4))
        as unclassified_invoice_revenue_reporting,
    cast(months.failed_invoice_revenue as decimal(18, 4)) as failed_invoice_revenue,
    cast(months.failed_invoice_revenue_reporting as decimal(18, 4))
        as failed_invoice_revenue_reporting,
    cast(months.payments as decimal(18, 4)) as payments,
    cast(months.payments_reporting as decimal(18, 4)) as payments_reporting,
    months.month,
    run_settings.as_of_date
from months
cross join run_settings
