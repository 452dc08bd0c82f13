-- Custom metrics that the source recorded for accounts that exist, up to the last full day.
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

accounts as (
    select * from {{ ref('stg_canonical__accounts') }}
),

account_metrics as (
    select * from {{ ref('stg_native__account_metrics') }}
    where record_status = 'current' and not is_dated_after
)

select
    account_metrics.account_id,
    account_metrics.metric,
    account_metrics.value,
    account_metrics.recorded_on,
    account_metrics.location,
    account_metrics.line
from account_metrics
inner join accounts
    on account_metrics.account_id = accounts.account_id
cross join run_settings
where account_metrics.recorded_on < run_settings.as_of_date
