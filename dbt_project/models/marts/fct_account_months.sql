-- One row per account and month: MRR, its movements, invoice revenue and payments.
with

mrr as (
    select * from {{ ref('int_account_month__mrr') }}
),

revenue as (
    select * from {{ ref('int_account_month__invoice_revenue') }}
)

select
    mrr.*,
    revenue.recurring_invoice_revenue,
    revenue.recurring_invoice_revenue_reporting,
    revenue.non_recurring_invoice_revenue,
    revenue.non_recurring_invoice_revenue_reporting,
    revenue.unclassified_invoice_revenue,
    revenue.unclassified_invoice_revenue_reporting,
    revenue.failed_invoice_revenue,
    revenue.failed_invoice_revenue_reporting,
    revenue.payments,
    revenue.payments_reporting
from mrr
left join revenue
    on
        mrr.account_id = revenue.account_id
        and mrr.month = revenue.month
