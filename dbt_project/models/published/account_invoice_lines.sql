with

run_settings as (
    select * from {{ ref('run_settings') }}
),

lines as (
    select * from {{ ref('int_invoice_line__revenue') }}
)

select
    lines.invoice_id,
    lines.line_number,
    lines.account_id,
    lines.currency,
    cast(lines.amount as decimal(18, 4)) as amount,
    cast(lines.booked as decimal(18, 4)) as booked_amount,
    cast(lines.booked_reporting as decimal(18, 4)) as booked_amount_reporting,
    cast(lines.paid as decimal(18, 4)) as paid_amount,
    cast(lines.paid_reporting as decimal(18, 4)) as paid_amount_reporting,
    lines.is_recurring,
    lines.is_failed,
    lines.created_date,
    lines.payment_date,
    lines.location,
    lines.line,
    run_settings.as_of_date
from lines
cross join run_settings
