-- One row per account and month in which the account could churn: it had joined before the month's
-- first day and had not churned by then. Owner of numerator and denominator of logo churn. An
-- account that is churned on an unknown day is in no month.
with

months as (
    select * from {{ ref('int_account_month__spine') }}
),

accounts as (
    select * from {{ ref('stg_canonical__accounts') }}
    where not is_churned or churn_date is not null
),

churned as (
    select * from {{ ref('int_account__churn') }}
)

select
    months.account_id,
    months.month,
    coalesce(churned.churn_month = months.month, false) as is_churned_in_month
from months
inner join accounts
    on
        months.account_id = accounts.account_id
        and months.month > accounts.join_date
left join churned
    on months.account_id = churned.account_id
where coalesce(months.month <= churned.churn_month, true)
