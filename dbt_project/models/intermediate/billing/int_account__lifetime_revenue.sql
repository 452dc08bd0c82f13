-- One row per account with an invoice line: everything booked and everything paid up to the last
-- full day.
select
    account_id,
    sum(booked) as lifetime_revenue,
    sum(booked_reporting) as lifetime_revenue_reporting,
    coalesce(sum(paid) filter (where payment_date is not null), 0) as lifetime_payments,
    coalesce(sum(paid_reporting) filter (where payment_date is not null), 0)
        as lifetime_payments_reporting
from {{ ref('int_invoice_line__revenue') }}
group by account_id
