-- A failing row is an alert that was triggered while the one before it, of the same rule and
-- account, was open, or sooner after it than the rule allows.
with

alerts as (
    select
        alerts.*,
        rules.retrigger_days,
        lag(alerts.triggered_at) over earlier as last_triggered_at,
        lag(alerts.closed_at) over earlier as last_closed_at
    from {{ ref('int_alert__rule_alerts') }} as alerts
    inner join {{ source('run', 'alert_rules') }} as rules
        on alerts.rule = rules.rule
    window earlier as (partition by alerts.account_id, alerts.rule order by alerts.triggered_at)
)

select
    alerts.*,
    run_settings.reporting_time_zone
from alerts
cross join {{ ref('run_settings') }} as run_settings
where
    alerts.last_triggered_at is not null
    and (
        {{ days_between(
            local_day('alerts.last_triggered_at', 'run_settings.reporting_time_zone'),
            local_day('alerts.triggered_at', 'run_settings.reporting_time_zone'),
        ) }} < alerts.retrigger_days
        or coalesce(
            {{ local_day('alerts.last_closed_at', 'run_settings.reporting_time_zone') }}
            > {{ local_day('alerts.triggered_at', 'run_settings.reporting_time_zone') }},
            true
        )
    )
