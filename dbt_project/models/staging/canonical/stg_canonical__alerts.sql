-- The source's alerts about the accounts that exist, triggered up to the last full day. One that is
-- closed later is open; one that is closed without a date was closed when its record last changed.
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

accounts as (
    select * from {{ ref('stg_canonical__accounts') }}
),

alerts as (
    select * from {{ ref('stg_native__alerts') }}
    where record_status = 'current' and not is_dated_after and deleted_on is null
),

dated as (
    select
        alerts.*,
        coalesce(alerts.closed_at >= run_settings.as_of_at, false) as closes_later
    from alerts
    cross join run_settings
    where alerts.triggered_at < run_settings.as_of_at
),

told_apart as (
    select
        *,
        closes_later or status in ('open', 'pending') as is_open
    from dated
)

select
    alerts.alert_id,
    alerts.account_id,
    alerts.type,
    alerts.name,
    case when alerts.closes_later then 'open' else alerts.status end as status,
    case when not alerts.is_open then alerts.closed_by end as closed_by,
    case when not alerts.is_open then alerts.outcome end as outcome,
    alerts.is_open,
    alerts.triggered_at,
    case
        when not alerts.is_open
            then
                coalesce(
                    alerts.closed_at,
                    case when alerts.updated_at >= alerts.triggered_at then alerts.updated_at end
                )
    end as closed_at,
    alerts.location,
    alerts.line
from told_apart as alerts
inner join accounts
    on alerts.account_id = accounts.account_id
