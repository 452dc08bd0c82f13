-- One row per churned account: when, why, what went with it, and whose account it was. Those are
-- the CSMs assigned on the churn date; where there is none, those whose assignment ended on that
-- day or the day before, since marking an account as churned may unassign them.
with

churned as (
    select * from {{ ref('int_account__churn') }}
),

assignments as (
    select
        churned.account_id,
        assignments.csm_email,
        coalesce(assignments.unassigned_on > churned.churn_date, true) as is_assigned
    from churned
    inner join {{ ref('int_account_csm__assignments') }} as assignments
        on
            churned.account_id = assignments.account_id
            and churned.churn_date >= assignments.assigned_on
            and coalesce(
                assignments.unassigned_on >= {{ add_days('churned.churn_date', -1) }},
                true
            )
),

csms as (
    select
        account_id,
        coalesce(
            list(csm_email) filter (where is_assigned),
            list(csm_email)
        ) as csm_emails
    from assignments
    group by account_id
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
