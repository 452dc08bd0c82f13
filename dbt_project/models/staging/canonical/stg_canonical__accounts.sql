-- The accounts that exist as of the as-of date, whatever system they came from.
-- A status dated after the last full day has not happened yet.
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

accounts as (
    select * from {{ ref('stg_native__accounts') }}
),

dated as (
    select
        accounts.*,
        coalesce(accounts.is_churned, false)
        and coalesce(accounts.inactive_time < run_settings.as_of_date, true) as is_churned_by_now
    from accounts
    cross join run_settings
)

select
    dated.account_id,
    dated.resolved_parent_account_id as parent_account_id,
    dated.name as account_name,
    coalesce(dated.currency, run_settings.reporting_currency) as currency,
    dated.tier,
    dated.current_stage as stage,
    dated.industry,
    dated.country,
    dated.website,
    dated.hierarchy_label,
    case when dated.is_churned_by_now then dated.inactive_reason end as churn_reason,
    dated.assigned_csms,
    dated.custom_label_dimensions,
    dated.custom_value_dimensions,
    dated.custom_event_dimensions,
    dated.employees,
    dated.csm_score,
    dated.is_churned_by_now as is_churned,
    dated.join_date,
    dated.renewal_date,
    case when dated.is_churned_by_now then dated.inactive_time end as churn_date,
    dated.version_at,
    dated.location,
    dated.line
from dated
cross join run_settings
where
    dated.record_status = 'current'
    and not dated.is_dated_after
    and dated.deleted_on is null
    and not coalesce(dated.is_deleted, false)
