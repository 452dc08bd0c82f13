with

run_settings as (
    select * from {{ ref('run_settings') }}
),

account_metrics as (
    select * from {{ ref('stg_canonical__account_metrics') }}
)

select
    account_metrics.account_id,
    account_metrics.metric,
    account_metrics.value,
    account_metrics.recorded_on as recorded_date,
    account_metrics.location,
    account_metrics.line,
    run_settings.as_of_date
from account_metrics
cross join run_settings
