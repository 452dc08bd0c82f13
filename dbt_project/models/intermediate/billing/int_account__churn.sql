-- One row per churned account: when it churned, the MRR that went with it, and whether it counts in
-- logo churn. Owner of churn. The MRR is what the account started its last month with MRR with, up
-- to the month of churn: so it is the same whether the MRR ended before the churn date, with it, or
-- has not ended yet.
with

run_settings as (
    select * from {{ ref('run_settings') }}
),

churned as (
    select
        accounts.account_id,
        accounts.currency,
        accounts.churn_reason,
        accounts.join_date,
        accounts.churn_date,
        {{ month_of('accounts.churn_date') }} as churn_month
    from {{ ref('stg_canonical__accounts') }} as accounts
    where accounts.is_churned
),

months as (
    select * from {{ ref('int_account_month__mrr') }}
    where starting_mrr > 0
),

last_months as (
    select
        churned.account_id,
        arg_max(months.starting_mrr, months.month) as lost_mrr,
        arg_max(months.starting_mrr_reporting, months.month) as lost_mrr_reporting,
        max(months.month) as lost_mrr_month
    from churned
    cross join run_settings
    inner join months
        on
            churned.account_id = months.account_id
            and months.month <= coalesce(churned.churn_month, run_settings.open_month)
    group by churned.account_id
)

select
    churned.account_id,
    churned.currency,
    churned.churn_reason,
    coalesce(last_months.lost_mrr, 0) as lost_mrr,
    coalesce(last_months.lost_mrr_reporting, 0) as lost_mrr_reporting,
    coalesce(churned.join_date < churned.churn_month, false) as is_in_base,
    churned.churn_date,
    churned.churn_month,
    last_months.lost_mrr_month
from churned
left join last_months
    on churned.account_id = last_months.account_id
