-- A failing row is an account whose months do not add up to its invoice lines, booked or paid.
with

from_lines as (
    select
        account_id,
        sum(booked) as booked,
        coalesce(sum(paid) filter (where payment_date is not null), 0) as paid
    from {{ ref('int_invoice_line__revenue') }}
    group by account_id
),

from_months as (
    select
        account_id,
        sum(
            recurring_invoice_revenue + non_recurring_invoice_revenue + unclassified_invoice_revenue
        ) as booked,
        sum(payments) as paid
    from {{ ref('int_account_month__invoice_revenue') }}
    group by account_id
)

select
    from_months.*,
    from_lines.booked as booked_of_lines,
    from_lines.paid as paid_of_lines
from from_months
full join from_lines
    on from_months.account_id = from_lines.account_id
where
    coalesce(from_months.booked, 0) != coalesce(from_lines.booked, 0)
    or coalesce(from_months.paid, 0) != coalesce(from_lines.paid, 0)
