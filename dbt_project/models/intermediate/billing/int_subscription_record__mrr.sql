-- One row per subscription record: its MRR in the account's and in the reporting currency.
-- Both are converted from the record's own monthly amount, at the rate of the day its run began.
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

accounts as (
    select * from {{ ref('stg_canonical__accounts') }}
),

records as (
    select * from {{ ref('int_subscription_record__active_time') }}
),

rates as (
    select * from {{ ref('int_conversion__rate') }}
)

select
    records.*,
    accounts.currency as account_currency,
    case
        when records.is_trial then 0
        else {{ times_ratio(
            'records.monthly_amount', 'to_account.numerator', 'to_account.denominator'
        ) }}
    end as mrr,
    case
        when records.is_trial then 0
        else {{ times_ratio(
            'records.monthly_amount', 'to_reporting.numerator', 'to_reporting.denominator'
        ) }}
    end as mrr_reporting,
    {{ times_ratio(
        'records.monthly_amount', 'to_reporting.numerator', 'to_reporting.denominator'
    ) }} as monthly_amount_reporting
from records
inner join accounts
    on records.account_id = accounts.account_id
cross join run_settings
left join rates as to_account
    on
        records.currency = to_account.from_currency
        and accounts.currency = to_account.to_currency
        and records.rate_date = to_account.day
left join rates as to_reporting
    on
        records.currency = to_reporting.from_currency
        and run_settings.reporting_currency = to_reporting.to_currency
        and records.rate_date = to_reporting.day
