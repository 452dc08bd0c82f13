-- A failing row is an account that is in the base of logo churn and churned in another number of
-- months than one, or that is not in the base and did.
with

churned as (
    select * from {{ ref('int_account__churn') }}
),

months as (
    select
        account_id,
        count_if(is_churned_in_month) as churned_months,
        max(case when is_churned_in_month then month end) as churned_month,
        max(month) as last_month
    from {{ ref('int_account_month__logo_churn') }}
    group by account_id
)

select
    coalesce(churned.account_id, months.account_id) as account_id,
    churned.churn_month,
    months.churned_months,
    months.churned_month,
    months.last_month
from churned
full join months
    on churned.account_id = months.account_id
where
    coalesce(months.churned_months, 0) != cast(coalesce(churned.is_in_base, false) as integer)
    or months.churned_month != churned.churn_month
    or months.last_month > churned.churn_month
