-- One row per alert: how many days it has been open, or was. Here alerts of every origin come
-- together.
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

rule_alerts as (
    select * from {{ ref('int_alert__rule_alerts') }}
),

-- what the source says of an alert of ours is in the alert itself
source_alerts as (
    select alerts.*
    from {{ ref('stg_canonical__alerts') }} as alerts
    left join rule_alerts
        on alerts.alert_id = rule_alerts.alert_id
    where rule_alerts.alert_id is null
),

alerts as (
    {% for origin in ['source', 'rule'] -%}
    select
        alert_id,
        account_id,
        '{{ origin }}' as origin,
        {{ 'rule' if origin == 'rule' else 'cast(null as varchar) as rule' }},
        type,
        name,
        status,
        {{ 'assignee' if origin == 'rule' else 'cast(null as varchar) as assignee' }},
        closed_by,
        outcome,
        is_open,
        triggered_at,
        closed_at,
        {{ 'location' if origin == 'source' else 'cast(null as varchar) as location' }},
        {{ 'line' if origin == 'source' else 'cast(null as bigint) as line' }}
    from {{ origin }}_alerts
    {% if not loop.last %}union all{% endif %}
    {% endfor %}
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
