-- One row per account and day of the daily history: the MRR active on the day. Owner of MRR by day.
-- Each record adds its MRR on its first active day and takes it off on the day it ends, so that the
-- running sum is the MRR of the day.
with

days as (
    select * from {{ ref('int_account_day__spine') }}
),

records as (
    select * from {{ ref('int_subscription_record__mrr') }}
),

first_days as (
    select
        account_id,
        min(day) as first_day
    from days
    group by account_id
),

changes as (
    select
        account_id,
        active_from as day,
        mrr,
        mrr_reporting
    from records
    union all
    select
        account_id,
        active_to as day,
        -mrr as mrr,
        -mrr_reporting as mrr_reporting
    from records
    where active_to is not null
),

-- what was before the first day of the history is there on that day
changes_by_day as (
    select
        changes.account_id,
        greatest(changes.day, first_days.first_day) as day,
        sum(changes.mrr) as mrr,
        sum(changes.mrr_reporting) as mrr_reporting
    from changes
    inner join first_days
        on changes.account_id = first_days.account_id
    group by changes.account_id, greatest(changes.day, first_days.first_day)
)

select
    days.account_id,
    coalesce(sum(changes_by_day.mrr) over history, 0) as ending_mrr,
    coalesce(sum(changes_by_day.mrr_reporting) over history, 0) as ending_mrr_reporting,
    days.day
from days
left join changes_by_day
    on
        days.account_id = changes_by_day.account_id
        and days.day = changes_by_day.day
window history as (partition by days.account_id order by days.day rows unbounded preceding)
