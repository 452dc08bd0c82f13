with

run_settings as (
    select * from {{ ref('run_settings') }}
),

churned as (
    select * from {{ ref('fct_account_churn') }}
)

select
    churned.account_id,
    churned.currency,
    churned.churn_reason,
    churned.csm_emails,
    cast(churned.lost_mrr as decimal(18, 4)) as lost_mrr,
    cast(churned.lost_mrr_reporting as decimal(18, 4)) as lost_mrr_reporting,
    churned.is_in_base as is_in_logo_churn,
    churned.churn_date,
    churned.lost_mrr_month,
    run_settings.as_of_date
from churned
cross join run_settings
