-- One row per account that exists as of the as-of date, with its attributes.
with

accounts as (
    select * from {{ ref('stg_canonical__accounts') }}
),

parents as (
    select * from {{ ref('stg_canonical__account_parents') }}
)

select
    accounts.account_id,
    existing_parents.account_id as parent_account_id,
    accounts.account_name,
    accounts.currency,
    accounts.tier,
    accounts.stage,
    accounts.industry,
    accounts.country,
    accounts.website,
    accounts.hierarchy_label,
    accounts.churn_reason,
    accounts.employees,
    accounts.csm_score,
    accounts.is_churned,
    accounts.join_date,
    accounts.renewal_date,
    accounts.churn_date,
    accounts.location,
    accounts.line
from accounts
left join parents
    on accounts.account_id = parents.account_id
left join accounts as existing_parents
    on parents.resolved_parent_account_id = existing_parents.account_id
