-- The accounts that exist as of the as-of date, whatever system they came from.
-- A status dated after the last full day has not happened yet.
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

accounts as (
    select * from {{ ref('stg_native__accounts') }}
)

select
    accounts.account_id,
    accounts.resolved_parent_account_id as parent_account_id,
    accounts.name as account_name,
    coalesce(accounts.currency, run_settings.reporting_currency) as currency,
    accounts.tier,
    accounts.current_stage as stage,
    accounts.industry,
    accounts.country,
    accounts.website,
    accounts.hierarchy_label,
    case when is_churned_by_now then accounts.inactive_reason end as churn_reason,
    accounts.assigned_csms,
    accounts.employees,
    accounts.csm_score,
    is_churned_by_now as is_churned,
    accounts.join_date,
    accounts.renewal_date,
    case when is_churned_by_now then accounts.inactive_time end as churn_date,
    accounts.version_at,
    accounts.location,
    accounts.line
from (
    select
        accounts.*,
        coalesce(accounts.is_churned, false)
        and coalesce(accounts.inactive_time < run_settings.as_of_date, true) as is_churned_by_now
    from accounts
    cross join run_settings
) as accounts
cross join run_settings
where
    accounts.record_status = 'current'
    and not accounts.is_dated_after
    and accounts.deleted_on is null
    and not coalesce(accounts.is_deleted, false)
