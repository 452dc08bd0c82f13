-- Lines of the invoices of `stg_canonical__invoices`.
with

invoices as (
    select * from {{ ref('stg_canonical__invoices') }}
),

lines as (
    select * from {{ ref('stg_native__invoice_lines') }}
    where record_status = 'current' and not is_dated_after
)

select
    lines.invoice_id,
    lines.line_number,
    invoices.account_id,
    lines.description,
    lines.amount,
    lines.is_recurring,
    lines.location,
    lines.line
from lines
inner join invoices
    on lines.invoice_id = invoices.invoice_id
