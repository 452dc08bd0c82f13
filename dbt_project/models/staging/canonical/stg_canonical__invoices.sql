-- Invoices of the accounts that exist, created up to the last full day; a later payment has not
-- come in yet.
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

accounts as (
    select * from {{ ref('stg_canonical__accounts') }}
),

invoices as (
    select * from {{ ref('stg_native__invoices') }}
    where record_status = 'current' and not is_dated_after and deleted_on is null
),

dated as (
    select
        invoices.*,
        {{ local_day('invoices.created_at', 'run_settings.reporting_time_zone') }} as created_date,
        case when invoices.paid_at < run_settings.as_of_at then invoices.paid_at end
            as paid_by_now_at
    from invoices
    cross join run_settings
)

select
    dated.invoice_id,
    dated.account_id,
    coalesce(dated.currency, accounts.currency) as currency,
    coalesce(dated.is_failed, false) as is_failed,
    dated.created_date,
    {{ local_day('dated.paid_by_now_at', 'run_settings.reporting_time_zone') }} as paid_date,
    dated.created_at,
    dated.paid_by_now_at as paid_at,
    dated.location,
    dated.line
from dated
inner join accounts
    on dated.account_id = accounts.account_id
cross join run_settings
where dated.created_date < run_settings.as_of_date
