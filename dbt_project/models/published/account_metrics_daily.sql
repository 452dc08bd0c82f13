with

run_settings as (
    select * from {{ ref('run_settings') }}
),

metric_days as (
    select * from {{ ref('fct_account_metric_days') }}
)

select
    metric_days.account_id,
    metric_days.metric,
    metric_days.value,
    metric_days.day,
    run_settings.as_of_date
from metric_days
cross join run_settings
