-- Lines of invoices of unknown or absent accounts, created up to the last full day; a later payment
-- has not come in yet. Figures that no account has, so that revenue adds up to what was landed.
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

invoices as (
    select * from {{ ref('stg_native__invoices') }}
    where record_status = 'unattributed' and not is_dated_after and deleted_on is null
),

lines as (
    select * from {{ ref('stg_native__invoice_lines') }}
    where record_status = 'unattributed' and not is_dated_after
)

select
    lines.invoice_id,
    lines.line_number,
    coalesce(invoices.currency, run_settings.reporting_currency) as currency,
    lines.amount,
    {{ local_day('invoices.created_at', 'run_settings.reporting_time_zone') }} as created_date,
    case
        when invoices.paid_at < run_settings.as_of_at and not coalesce(invoices.is_failed, false)
            then {{ local_day('invoices.paid_at', 'run_settings.reporting_time_zone') }}
    end as payment_date
from lines
inner join invoices
    on lines.invoice_id = invoices.invoice_id
cross join run_settings
where invoices.created_at < run_settings.as_of_at
