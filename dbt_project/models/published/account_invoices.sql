with

run_settings as (
    select * from {{ ref('run_settings') }}
),

invoices as (
    select * from {{ ref('fct_invoices') }}
)

select
    invoices.invoice_id,
    invoices.account_id,
    invoices.currency,
    cast(invoices.recurring_amount as decimal(18, 4)) as recurring_amount,
    cast(invoices.recurring_amount_reporting as decimal(18, 4)) as recurring_amount_reporting,
    cast(invoices.non_recurring_amount as decimal(18, 4)) as non_recurring_amount,
    cast(invoices.non_recurring_amount_reporting as decimal(18, 4))
        as non_recurring_amount_reporting,
    cast(invoices.unclassified_amount as decimal(18, 4)) as unclassified_amount,
    cast(invoices.unclassified_amount_reporting as decimal(18, 4)) as unclassified_amount_reporting,
    cast(invoices.total_amount as decimal(18, 4)) as total_amount,
    cast(invoices.total_amount_reporting as decimal(18, 4)) as total_amount_reporting,
    invoices.is_failed,
    invoices.created_date,
    invoices.paid_date,
    invoices.created_at,
    invoices.paid_at,
    invoices.location,
    invoices.line,
    run_settings.as_of_date
from invoices
cross join run_settings
