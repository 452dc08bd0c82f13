-- One row per invoice line: its amount in the account's and in the reporting currency, booked and
-- paid.
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

accounts as (
    select * from {{ ref('stg_canonical__accounts') }}
),

invoices as (
    select * from {{ ref('stg_canonical__invoices') }}
),

lines as (
    select * from {{ ref('stg_canonical__invoice_lines') }}
),

rates as (
    select * from {{ ref('int_conversion__rate') }}
)

select
    lines.invoice_id,
    lines.line_number,
    lines.account_id,
    accounts.currency as account_currency,
    invoices.currency,
    lines.amount,
    {{ times_ratio('lines.amount', 'booked.numerator', 'booked.denominator') }} as booked,
    {{ times_ratio(
        'lines.amount', 'booked_reporting.numerator', 'booked_reporting.denominator'
    ) }} as booked_reporting,
    {{ times_ratio('lines.amount', 'paid.numerator', 'paid.denominator') }} as paid,
    {{ times_ratio(
        'lines.amount', 'paid_reporting.numerator', 'paid_reporting.denominator'
    ) }} as paid_reporting,
    lines.is_recurring,
    invoices.is_failed,
    invoices.created_date,
    case when not invoices.is_failed then invoices.paid_date end as payment_date,
    lines.location,
    lines.line
from lines
inner join invoices
    on lines.invoice_id = invoices.invoice_id
inner join accounts
    on lines.account_id = accounts.account_id
cross join run_settings
left join rates as booked
    on
        invoices.currency = booked.from_currency
        and accounts.currency = booked.to_currency
        and invoices.created_date = booked.day
left join rates as booked_reporting
    on
        invoices.currency = booked_reporting.from_currency
        and run_settings.reporting_currency = booked_reporting.to_currency
        and invoices.created_date = booked_reporting.day
left join rates as paid
    on
        invoices.currency = paid.from_currency
        and accounts.currency = paid.to_currency
        and invoices.paid_date = paid.day
        and not invoices.is_failed
left join rates as paid_reporting
    on
        invoices.currency = paid_reporting.from_currency
        and run_settings.reporting_currency = paid_reporting.to_currency
        and invoices.paid_date = paid_reporting.day
        and not invoices.is_failed
