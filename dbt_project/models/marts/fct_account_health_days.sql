-- One row per account and day of the published history with a health score.
select
    health.account_id,
    health.health_score,
    health.health_points,
    health.health_band,
    health.configuration,
    health.missing_metrics,
    health.day
from {{ ref('int_account_day__health') }} as health
inner join {{ ref('run_settings') }} as run_settings
    on health.day >= run_settings.history_first_day
