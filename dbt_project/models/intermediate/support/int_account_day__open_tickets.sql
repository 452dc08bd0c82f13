-- One row per account and day of the daily history: tickets open at the end of the day. Every time
-- open adds one on the day it starts and takes one off on the day it ends; what was before the
-- first day counts on that day.
with

days as (
    select * from {{ ref('int_account_day__spine') }}
),

open_times as (
    select * from {{ ref('int_ticket__states') }}
    where is_open
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
        started_on as day,
        1 as change
    from open_times
    union all
    select
        account_id,
        ended_on as day,
        -1 as change
    from open_times
    where ended_on is not null
),

changes_by_day as (
    select
        changes.account_id,
        greatest(changes.day, first_days.first_day) as day,
        sum(changes.change) as change
    from changes
    inner join first_days
        on changes.account_id = first_days.account_id
    group by changes.account_id, greatest(changes.day, first_days.first_day)
)

select
    days.account_id,
    cast(
        coalesce(
            sum(changes_by_day.change) over (
                partition by days.account_id order by days.day rows unbounded preceding
            ),
            0
        ) as bigint
    ) as open_tickets,
    days.day
from days
left join changes_by_day
    on
        days.account_id = changes_by_day.account_id
        and days.day = changes_by_day.day
