-- The versions of the records of accounts that exist: of each day the one that held at its end, of
-- those without a date the last. What a version says of churn stands as it says it.
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

accounts as (
    select * from {{ ref('stg_canonical__accounts') }}
),

-- a superseded record with a reason was refused, in a file that was loaded again
versions as (
    select *
    from {{ ref('stg_native__accounts') }}
    where record_status in ('current', 'superseded') and reason is null and not is_dated_after
    qualify
        row_number() over (
            partition by account_id, version_date
            order by version_at desc nulls last, load_number desc, location desc, line desc
        ) = 1
)

select
    versions.account_id,
    versions.resolved_parent_account_id as parent_account_id,
    versions.name as account_name,
    coalesce(versions.currency, run_settings.reporting_currency) as currency,
    versions.tier,
    versions.current_stage as stage,
    versions.industry,
    versions.country,
    versions.inactive_reason as churn_reason,
    versions.custom_label_dimensions,
    versions.custom_value_dimensions,
    versions.custom_event_dimensions,
    versions.assigned_csms,
    versions.employees,
    versions.csm_score,
    coalesce(versions.is_churned, false) as is_churned,
    versions.join_date,
    versions.renewal_date,
    versions.inactive_time as churn_date,
    versions.version_date,
    versions.location,
    versions.line
from versions
inner join accounts
    on versions.account_id = accounts.account_id
cross join run_settings
