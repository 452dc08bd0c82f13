-- One row per month with records of unknown or absent accounts: what no account's figure holds, in
-- the reporting currency. Failed invoices are booked and not paid, as those of accounts.
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

lines as (
    select * from {{ ref('stg_canonical__unattributed_invoice_lines') }}
),

records as (
    select * from {{ ref('stg_canonical__unattributed') }}
    where happened_on is not null
),

rates as (
    select * from {{ ref('int_conversion__rate') }}
),

amounts as (
    {% for figure, day in {
        'invoice_revenue': 'created_date',
        'payments': 'payment_date',
    }.items() -%}
    select
        {{ month_of('lines.' ~ day) }} as month,
        '{{ figure }}' as figure,
        {{ times_ratio('lines.amount', 'rates.numerator', 'rates.denominator') }} as amount
    from lines
    cross join run_settings
    inner join rates
        on
            lines.currency = rates.from_currency
            and run_settings.reporting_currency = rates.to_currency
            and lines.{{ day }} = rates.day
    union all
    {% endfor -%}
    select
        {{ month_of('happened_on') }} as month,
        entity as figure,
        1 as amount
    from records
)

select
    month,
    cast(coalesce(sum(amount) filter (where figure = 'invoice_revenue'), 0) as decimal(18, 4))
        as invoice_revenue,
    cast(coalesce(sum(amount) filter (where figure = 'payments'), 0) as decimal(18, 4))
        as payments,
    count(*) filter (where figure = 'events') as events,
    count(*) filter (where figure = 'tickets') as tickets
from amounts
group by month
