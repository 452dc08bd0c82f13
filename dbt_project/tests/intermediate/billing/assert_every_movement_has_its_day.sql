-- A failing row is an account and month whose MRR moved on no day, or in which the day lies outside
-- the month.
with

months as (
    select * from {{ ref('int_account_month__mrr') }}
),

days as (
    select * from {{ ref('int_account_month__mrr_changed_on') }}
)

select
    coalesce(months.account_id, days.account_id) as account_id,
    coalesce(months.month, days.month) as month,
    months.movement,
    days.mrr_changed_on
from months
full join days
    on
        months.account_id = days.account_id
        and months.month = days.month
where
    months.account_id is null
    or (months.movement != 'none' and days.mrr_changed_on is null)
    or {{ month_of('days.mrr_changed_on') }} != months.month
