-- One row per pair of currencies and day that some record of money has to be converted on.
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

deals as (
    select * from {{ ref('stg_canonical__deals') }}
    where amount is not null
),

unattributed_lines as (
    select * from {{ ref('stg_canonical__unattributed_invoice_lines') }}
),

dated_money as (
    select
        account_id,
        currency,
        rate_date as day
    from {{ ref('int_subscription_record__active_time') }}
    union
    select
        account_id,
        currency,
        created_date as day
    from invoices
    union
    select
        account_id,
        currency,
        paid_date as day
    from invoices
    where paid_date is not null and not is_failed
)

select
    dated_money.currency as from_currency,
    accounts.currency as to_currency,
    dated_money.day
from dated_money
inner join accounts
    on dated_money.account_id = accounts.account_id
union
select
    dated_money.currency as from_currency,
    run_settings.reporting_currency as to_currency,
    dated_money.day
from dated_money
cross join run_settings
-- deals are shown in their own and in the reporting currency only, at the last full day
union
select
    deals.currency as from_currency,
    run_settings.reporting_currency as to_currency,
    run_settings.last_full_day as day
from deals
cross join run_settings
union
select
    unattributed_lines.currency as from_currency,
    run_settings.reporting_currency as to_currency,
    unattributed_lines.created_date as day
from unattributed_lines
cross join run_settings
union
select
    unattributed_lines.currency as from_currency,
    run_settings.reporting_currency as to_currency,
    unattributed_lines.payment_date as day
from unattributed_lines
cross join run_settings
where unattributed_lines.payment_date is not null
