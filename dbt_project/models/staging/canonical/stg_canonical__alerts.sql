-- The alerts that the source tells of existing accounts, triggered up to the last full day. A
-- closing dated after it has not happened yet.
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
        alerts.status in ('closed', 'dismissed')
        and coalesce(alerts.closed_at < run_settings.as_of_at, true) as is_closed_by_now
    from alerts
    cross join run_settings
)

select
    dated.alert_id,
    dated.account_id,
    dated.type,
    dated.name,
    case
        when dated.is_closed_by_now or dated.status in ('open', 'pending') then dated.status
        else 'open'
    end as status,
    case when dated.is_closed_by_now then dated.closed_by end as closed_by,
    case when dated.is_closed_by_now then dated.outcome end as outcome,
    dated.triggered_at,
    case
        when dated.is_closed_by_now
            then coalesce(dated.closed_at, dated.version_at, dated.triggered_at)
    end as closed_at,
    dated.location,
    dated.line
from dated
inner join accounts
    on dated.account_id = accounts.account_id
cross join run_settings
where dated.triggered_at < run_settings.as_of_at
