-- One row per churned account: when, why, what went with it, and whose account it was: the CSMs who
-- are credited with what happened on the churn date.
with

churned as (
    select * from {{ ref('int_account__churn') }}
),

credited as (
    select * from {{ ref('int_account_day__credited_csms') }}
),

csms as (
    select
        churned.account_id,
        list(credited.csm_email) as csm_emails
    from churned
    inner join credited
        on
            churned.account_id = credited.account_id
            and churned.churn_date = credited.credited_on
    where
        credited.kind = 'flow'
        and credited.basis = 'as_of'
        and credited.csm_email != '(unassigned)'
    group by churned.account_id
)

select
    churned.account_id,
    churned.currency,
    churned.churn_reason,
    {{ sorted_once('csms.csm_emails') }} as csm_emails,
    churned.lost_mrr,
    churned.lost_mrr_reporting,
    churned.is_in_base,
    churned.churn_date,
    churned.lost_mrr_month
from churned
left join csms
    on churned.account_id = csms.account_id
