-- One row per account and month of the spine: what was booked and what was paid. Owner of invoice
-- revenue.
with

months as (
    select * from {{ ref('int_account_month__spine') }}
),

lines as (
    select * from {{ ref('int_invoice_line__revenue') }}
),

{% set classes = {
    'recurring_invoice_revenue': 'is_recurring',
    'non_recurring_invoice_revenue': 'not is_recurring',
    'unclassified_invoice_revenue': 'is_recurring is null',
    'failed_invoice_revenue': 'is_failed',
} -%}
booked as (
    select
        account_id,
        {%- for class, condition in classes.items() %}
        sum(booked) filter (where {{ condition }}) as {{ class }},
        sum(booked_reporting) filter (where {{ condition }}) as {{ class }}_reporting,
        {%- endfor %}
        {{ month_of('created_date') }} as month
    from lines
    group by account_id, {{ month_of('created_date') }}
),

paid as (
    select
        account_id,
        {{ month_of('payment_date') }} as month,
        sum(paid) as payments,
        sum(paid_reporting) as payments_reporting
    from lines
    where payment_date is not null
    group by account_id, {{ month_of('payment_date') }}
)

select
    months.account_id,
    months.month,
    months.currency,
    {%- for class in classes %}
    coalesce(booked.{{ class }}, 0) as {{ class }},
    coalesce(booked.{{ class }}_reporting, 0) as {{ class }}_reporting,
    {%- endfor %}
    coalesce(paid.payments, 0) as payments,
    coalesce(paid.payments_reporting, 0) as payments_reporting
from months
left join booked
    on
        months.account_id = booked.account_id
        and months.month = booked.month
left join paid
    on
        months.account_id = paid.account_id
        and months.month = paid.month
