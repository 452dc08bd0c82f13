with

run_settings as (
    select * from {{ ref('run_settings') }}
),

health as (
    select * from {{ ref('fct_account_health_days') }}
)

select
    health.account_id,
    health.health_score,
    health.health_points,
    health.health_band,
    health.configuration,
    health.missing_metrics,
    health.day,
    run_settings.as_of_date
from health
cross join run_settings
