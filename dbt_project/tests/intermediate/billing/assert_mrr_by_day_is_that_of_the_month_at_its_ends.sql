-- A failing row is an account and day, the first or the last of a month, on which the MRR by day is
-- not the Subscription MRR or the ending MRR of the month, in either currency.
with

days as (
    select * from {{ ref('int_account_day__mrr') }}
),

months as (
    select * from {{ ref('int_account_month__mrr') }}
),

last_days as (
    select
        account_id,
        month,
        last_day
    from {{ ref('int_account_month__spine') }}
),

expected as (
    select
        account_id,
        month as day,
        subscription_mrr as mrr,
        subscription_mrr_reporting as mrr_reporting
    from months
    union all
    select
        months.account_id,
        last_days.last_day as day,
        months.ending_mrr as mrr,
        months.ending_mrr_reporting as mrr_reporting
    from months
    inner join last_days
        on
            months.account_id = last_days.account_id
            and months.month = last_days.month
)

select
    days.account_id,
    days.day,
    days.ending_mrr,
    expected.mrr as mrr_of_the_month,
    days.ending_mrr_reporting,
    expected.mrr_reporting as mrr_reporting_of_the_month
from days
inner join expected
    on
        days.account_id = expected.account_id
        and days.day = expected.day
where
    days.ending_mrr != expected.mrr
    or days.ending_mrr_reporting != expected.mrr_reporting
