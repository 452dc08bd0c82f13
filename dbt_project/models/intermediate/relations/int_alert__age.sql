-- One row per alert: how many days it has been open, or was. Here alerts of every origin come
-- together.
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

alerts as (
    select
        alert_id,
        account_id,
        'source' as origin,
        cast(null as varchar) as rule,
        type,
        name,
        status,
        closed_by,
        outcome,
        is_open,
        triggered_at,
        closed_at
    from {{ ref('stg_canonical__alerts') }}
)

select
    alerts.*,
    {{ days_between(
        local_day('alerts.triggered_at', 'run_settings.reporting_time_zone'),
        'case when alerts.is_open then run_settings.last_full_day else '
        ~ local_day('alerts.closed_at', 'run_settings.reporting_time_zone')
        ~ ' end',
    ) }} as age_days
from alerts
cross join run_settings
