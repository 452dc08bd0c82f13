with

run_settings as (
    select * from {{ ref('run_settings') }}
),

alerts as (
    select * from {{ ref('int_alert__age') }}
)

select
    alerts.account_id,
    alerts.alert_id,
    alerts.origin,
    alerts.rule,
    alerts.type,
    alerts.name,
    alerts.status,
    alerts.assignee,
    alerts.closed_by,
    alerts.outcome,
    alerts.age_days,
    alerts.is_open,
    alerts.triggered_at,
    alerts.closed_at,
    alerts.location,
    alerts.line,
    run_settings.as_of_date
from alerts
cross join run_settings
